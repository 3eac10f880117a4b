"""The executables themselves: what they link, what they must not contain."""

import os
import re
import subprocess
import unittest

import culver
from suite import needs, only_culver

SERVICES = ("culver", "login", "mail", "auth", "anvil", "log", "config")


@only_culver
class Binaries(unittest.TestCase):
    def path(self, name):
        return culver.programs().path(name)

    @needs("ldd")
    def test_no_swift_library_is_shared(self):
        for name in culver.PROGRAMS:
            with self.subTest(name):
                text = subprocess.run(["ldd", self.path(name)], capture_output=True, text=True).stdout
                self.assertNotRegex(text, r"libswift|libFoundation|lib_Foundation|libdispatch|libBlocksRuntime|not found")

    @needs("nm")
    def test_no_foundation_in_what_runs_all_the_time(self):
        for name in SERVICES:
            with self.subTest(name):
                text = subprocess.run(["nm", "-C", self.path(name)], capture_output=True, text=True).stdout
                self.assertTrue(text, "no symbols: this proves nothing")
                self.assertEqual([line for line in text.splitlines() if re.search(r"FoundationEssentials|\b_?CFString|\$s10Foundation", line)][:3], [])

    def test_are_protected_by_the_linker(self):
        for name in culver.PROGRAMS:
            with self.subTest(name):
                text = subprocess.run(["readelf", "-lhW", self.path(name)], capture_output=True, text=True).stdout
                self.assertRegex(text, r"Type:\s+DYN", "position independent")
                self.assertIn("GNU_RELRO", text)
                self.assertRegex(text, r"GNU_STACK .* RW ")

    def test_started_by_hand_a_service_says_so(self):
        for name in ("login", "mail", "auth", "anvil", "log", "config"):
            with self.subTest(name):
                done = subprocess.run([self.path(name)], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("Must be started by", done.stderr)

    def test_install_lays_out_programs_roles_and_pages(self):
        if "SUITE_BUILD" in os.environ:
            self.skipTest("another build is tested")
        import shutil
        import tempfile
        folder = tempfile.mkdtemp(prefix="culver-install-")
        self.addCleanup(shutil.rmtree, folder)
        subprocess.run(["make", "-s", "-C", culver.ROOT, "install", "DESTDIR=" + folder, "PREFIX=/usr", "SYSCONFDIR=/etc"], check=True)
        for path in ("usr/sbin/culver", "usr/bin/culveradm", "usr/libexec/culver/login", "usr/libexec/culver/culver-lda",
                     "usr/share/man/man8/culver.8", "etc/culver/culver.conf", "usr/lib/systemd/system/culver.service"):
            self.assertTrue(os.path.exists(os.path.join(folder, path)), path)
        for role, program in (("imap-login", "login"), ("pop3-login", "login"), ("imap", "mail"), ("pop3", "mail")):
            self.assertEqual(os.readlink(os.path.join(folder, "usr/libexec/culver", role)), program)
        with open(os.path.join(folder, "usr/lib/systemd/system/culver.service")) as file:
            self.assertNotIn("@", re.sub(r"#.*", "", file.read()))
