"""Real clients: curl, mutt, mbsync, Python's imaplib, openssl s_client."""

import imaplib
import os
import re
import shutil
import ssl
import subprocess
import time

import culver
from suite import SharedCase, limit, message, needs


def run(*command, check=True, environment=None, **arguments):
    variables = dict(culver.CLEAN, HOME=arguments.get("cwd", "/nonexistent"), TERM="dumb")
    variables.update(environment or {})
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=50, env=variables, **arguments)
    if check and done.returncode != 0:
        raise AssertionError("%s: exit %d\n%s\n%s" % (command, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")))
    return done


class ClientCase(SharedCase):
    arguments = {"users": ("alice", "bob", "carol", "dave", "eve")}

    def fill(self, user, count=3, mailbox="INBOX"):
        client = self.shared.login(user)
        if mailbox != "INBOX":
            client.command("CREATE " + mailbox)
        for index in range(1, count + 1):
            client.append(message("%s %d" % (mailbox, index), "Body of number %d.\r\n" % index), mailbox)
        client.logout()


@needs("curl")
class Curl(ClientCase):
    def curl(self, *arguments, port=None, scheme="imap", path="", user="alice", **rest):
        cert, _ = culver.certificate()
        port = port or (self.shared.imaps_port if scheme == "imaps" else self.shared.imap_port)
        return run("curl", "-sS", "--cacert", cert, "-u", user + ":secret", "%s://localhost:%d/%s" % (scheme, port, path),
                   "--resolve", "localhost:%d:127.0.0.1" % port, *arguments, **rest)

    def test_reads_over_every_kind_of_connection(self):
        self.fill("eve")
        for scheme, extra in (("imap", []), ("imap", ["--ssl-reqd"]), ("imaps", [])):
            with self.subTest(scheme=scheme, extra=extra):
                text = self.curl(*extra, scheme=scheme, path="INBOX;MAILINDEX=1", user="eve").stdout.decode()
                self.assertIn("Subject: INBOX 1", text)
                self.assertIn("Body of number 1.", text)

    def test_lists_searches_and_uploads(self):
        self.assertIn(b"INBOX", self.curl(scheme="imaps").stdout)
        path = self.shared.path("upload.eml")
        with open(path, "wb") as file:
            file.write(message("Uploaded by curl"))
        self.curl("-T", path, scheme="imaps", path="INBOX")
        found = self.curl(scheme="imaps", path="INBOX?SUBJECT%20%22Uploaded%20by%20curl%22").stdout
        self.assertRegex(found, rb"\* SEARCH \d+")

    def test_is_refused_with_a_wrong_password(self):
        cert, _ = culver.certificate()
        done = run("curl", "-sS", "-u", "alice:wrong", "imap://127.0.0.1:%d/" % self.shared.imap_port, check=False)
        self.assertEqual(done.returncode, 67)  # login denied


@needs("openssl")
class OpenSSL(ClientCase):
    def test_s_client_starttls(self):
        script = b"a LOGIN alice secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n"
        done = run("openssl", "s_client", "-connect", "127.0.0.1:%d" % self.shared.imap_port, "-starttls", "imap", "-quiet", "-crlf",
                   "-ign_eof", input=script.replace(b"\r\n", b"\n"), check=False)
        for tag in (b"a OK", b"b OK", b"c OK"):
            self.assertIn(tag, done.stdout)

    def test_s_client_shows_certificate_and_protocol(self):
        done = run("openssl", "s_client", "-connect", "127.0.0.1:%d" % self.shared.imaps_port, "-ign_eof", input=b"a LOGOUT\n", check=False)
        self.assertIn(b"CN = localhost", done.stdout + done.stderr)
        self.assertRegex(done.stdout, rb"TLSv1\.[23]")

    def test_old_protocols_are_refused(self):
        for old in ("-tls1", "-tls1_1"):
            done = run("openssl", "s_client", "-connect", "127.0.0.1:%d" % self.shared.imaps_port, old, "-cipher", "ALL:@SECLEVEL=0",
                       input=b"", check=False)
            self.assertNotIn(b"* OK", done.stdout)
            self.assertIn(b"Cipher is (NONE)", done.stdout)

    def test_renegotiation_is_refused(self):
        done = run("openssl", "s_client", "-connect", "127.0.0.1:%d" % self.shared.imaps_port, "-tls1_2", input=b"R\n", check=False)
        self.assertNotIn(b"verify return:1\nRENEGOTIATING\nverify", done.stdout + done.stderr)


class ImapLib(ClientCase):
    def connect(self, kind):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(culver.certificate()[0])
        if kind == "imaps":
            return imaplib.IMAP4_SSL("localhost", self.shared.imaps_port, ssl_context=context)
        client = imaplib.IMAP4("localhost", self.shared.imap_port)
        if kind == "starttls":
            client.starttls(context)
        return client

    def test_a_session_over_every_kind_of_connection(self):
        for kind in ("imap", "starttls", "imaps"):
            with self.subTest(kind), self.connect(kind) as client:
                self.assertEqual(client.login("bob", "secret")[0], "OK")
                name = "Lib-" + kind
                self.assertEqual(client.create(name)[0], "OK")
                for index in range(3):
                    status, _ = client.append(name, "(\\Flagged)", imaplib.Time2Internaldate(1700000000 + index), message("Lib %d" % index))
                    self.assertEqual(status, "OK")
                self.assertEqual(client.select(name), ("OK", [b"3"]))
                self.assertEqual(client.search(None, "SUBJECT", "Lib")[1], [b"1 2 3"])
                status, data = client.fetch("1:3", "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
                self.assertEqual(status, "OK")
                self.assertEqual(len([part for part in data if isinstance(part, tuple)]), 3)
                self.assertEqual(client.store("2", "+FLAGS", "(\\Deleted)")[0], "OK")
                self.assertEqual(client.expunge(), ("OK", [b"2"]))
                self.assertEqual(client.copy("1", "INBOX")[0], "OK")
                self.assertEqual(client.status(name, "(MESSAGES UNSEEN)")[0], "OK")
                self.assertEqual(client.close()[0], "OK")
                self.assertEqual(client.delete(name)[0], "OK")


@needs("mbsync")
class Mbsync(ClientCase):
    FOLDERS = ("INBOX", "Work", "Archive")

    def setUp(self):
        self.local = self.shared.path("mbsync-" + self.id().rsplit(".", 1)[1])
        os.mkdir(self.local)
        cert, _ = culver.certificate()
        with open(os.path.join(self.local, "rc"), "w") as file:
            file.write(
                "IMAPAccount suite\nHost localhost\nPort %d\nUser %%USER%%\nPass secret\nSSLType IMAPS\nCertificateFile %s\n\n"
                "IMAPStore far\nAccount suite\n\nMaildirStore near\nPath %s/mail/\nInbox %s/mail/INBOX\nSubFolders Verbatim\n\n"
                "Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nRemove Both\nSyncState *\n"
                % (self.shared.imaps_port, cert, self.local, self.local))
        os.mkdir(os.path.join(self.local, "mail"))

    def sync(self, user):
        path = os.path.join(self.local, "rc")
        text = open(path).read().replace("%USER%", user)
        with open(path, "w") as file:
            file.write(text)
        done = run("mbsync", "-c", path, "all", cwd=self.local)
        return (done.stdout + done.stderr).decode()

    def near(self, folder):
        found = []
        for part in ("cur", "new"):
            directory = os.path.join(self.local, "mail", folder, part)
            found += [os.path.join(directory, name) for name in os.listdir(directory)] if os.path.isdir(directory) else []
        return sorted(found)

    def server_state(self, user):
        with self.shared.login(user) as client:
            return [(folder, client.command("EXAMINE " + folder).word, client.command("UID FETCH 1:* FLAGS").all().split(b"\r\n")[:-1])
                    for folder in self.FOLDERS]

    @limit(120)
    def test_syncs_three_folders_both_ways_and_then_nothing(self):
        user = "carol"
        for folder in self.FOLDERS:
            self.fill(user, 4, folder)
        self.sync(user)
        for folder in self.FOLDERS:
            self.assertEqual(len(self.near(folder)), 4, folder)
        # here: a new message, one marked, one deleted; there: the same in another folder
        new = os.path.join(self.local, "mail", "Work", "new", "%d.1.here" % time.time())
        with open(new, "wb") as file:
            file.write(message("Born here").replace(b"\r\n", b"\n"))
        first = self.near("INBOX")[0]
        base = os.path.basename(first).split(":2,")[0]
        os.rename(first, os.path.join(self.local, "mail", "INBOX", "cur", base + ":2,FS"))
        trashed = self.near("Archive")[0]
        base = os.path.basename(trashed).split(":2,")[0]
        os.rename(trashed, os.path.join(self.local, "mail", "Archive", "cur", base + ":2,ST"))
        with self.shared.login(user) as client:
            self.assertOK(client.command("SELECT INBOX"))
            self.assertOK(client.command("STORE 4 +FLAGS (\\Answered)"))
            self.assertOK(client.append(message("Born there"), "Archive"))
            self.assertOK(client.command("SELECT Work"))
            self.assertOK(client.command("STORE 1 +FLAGS (\\Deleted)"))
            self.assertOK(client.command("EXPUNGE"))
        self.sync(user)
        self.assertEqual([len(self.near(folder)) for folder in self.FOLDERS], [4, 4, 4])
        with self.shared.login(user) as client:
            self.assertOK(client.command("SELECT Work"))
            self.assertRegex(client.command('SEARCH SUBJECT "Born here"').all(), rb"\* SEARCH \d+")
            self.assertOK(client.command("SELECT INBOX"))
            self.assertRegex(client.command("SEARCH FLAGGED SEEN").all(), rb"\* SEARCH \d+\r\n")
            self.assertRegex(client.command("STATUS Archive (MESSAGES)").all(), rb"MESSAGES 4")
        self.assertTrue(any("R" in os.path.basename(path).split(":2,")[-1] for path in self.near("INBOX")))
        near, far = [self.near(folder) for folder in self.FOLDERS], self.server_state(user)
        self.sync(user)
        self.assertEqual([self.near(folder) for folder in self.FOLDERS], near)
        self.assertEqual(self.server_state(user), far)


@needs("mutt")
class Mutt(ClientCase):
    def mutt(self, *commands, folder="INBOX", user="dave"):
        home = self.shared.path("mutt-%d" % time.monotonic_ns())
        os.mkdir(home)
        cert, _ = culver.certificate()
        rc = os.path.join(home, "rc")
        with open(rc, "w") as file:
            file.write(
                "set folder=imaps://%s@localhost:%d/\nset spoolfile=+%s\nset imap_user=%s\nset imap_pass=secret\n"
                "set ssl_ca_certificates_file=%s\nset certificate_file=%s\nset quit=yes\nset delete=yes\nset sort=mailbox-order\n"
                "set wait_key=no\nset beep=no\nset confirmcreate=no\nset confirmappend=no\nset save_name=no\nset copy=no\nset mail_check=0\n"
                "set header_cache=\"\"\nset move=no\nset pager_stop=yes\nset tmpdir=%s\n"
                % (user, self.shared.imaps_port, folder, user, cert, cert, home))
            for command in commands:
                file.write(command + "\n")
        # mutt wants a terminal: script gives it one
        return run("script", "-qec", "mutt -n -F %s" % rc, "/dev/null", cwd=home, stdin=subprocess.DEVNULL, check=False)

    @limit(90)
    def test_reads_marks_saves_and_deletes(self):
        if shutil.which("script") is None:
            self.skipTest("script is not installed")
        self.fill("dave", 3)
        self.fill("dave", 0, "Saved")
        self.mutt("push '<first-entry><flag-message><first-entry><next-entry><delete-message><last-entry><copy-message><kill-line>=Saved<enter><sync-mailbox><quit>'")
        with self.shared.login("dave") as client:
            self.assertOK(client.command("SELECT INBOX"))
            flagged = client.command("SEARCH FLAGGED").lines("SEARCH")[0].split()[1:]
            self.assertEqual(len(flagged), 1, flagged)
            self.assertRegex(client.command("STATUS Saved (MESSAGES)").all(), rb"MESSAGES 1")
            self.assertRegex(client.command("STATUS INBOX (MESSAGES)").all(), rb"MESSAGES 2")
