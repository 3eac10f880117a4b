"""Configuration files, as the programs read them."""

import glob
import os
import re
import subprocess

import culver
from suite import Case, limit, only_culver


@only_culver
class Errors(Case):
    def test_all_are_told_in_one_run_with_place_and_nearest_name(self):
        server = self.server(start=False)
        server.write_config(server.config() + "\nprotocolz = imap\nshutdown_clients = maybe\nmail_max_userip_connections = many\nservice imap {\n"
                            "  proces_limit = 5\n}\n")
        text = open(server.config_path).read().splitlines()
        done = subprocess.run([culver.programs().master, "-F", "-c", server.config_path], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        for wrong, nearest in (("protocolz", "protocols"), ("proces_limit", "process_limit"), ("shutdown_clients", None), ("mail_max_userip", None)):
            line = next(number for number, content in enumerate(text, 1) if wrong in content and "= 10" not in content)
            self.assertRegex(done.stderr, r"server\.conf:%d:\d+" % line)
            self.assertIn(wrong, done.stderr)
            if nearest:
                self.assertRegex(done.stderr, r"%s\b" % nearest)
        self.assertIn("yes or no", done.stderr)

    def test_a_missing_file_is_named(self):
        done = subprocess.run([culver.programs().master, "-F", "-c", "/nonexistent/x.conf"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        self.assertIn("/nonexistent/x.conf", done.stderr)

    def test_a_missing_certificate_is_named_before_anything_starts(self):
        server = self.server(start=False, settings={"ssl_cert": "</nonexistent/cert.pem"})
        done = subprocess.run([culver.programs().master, "-F", "-c", server.config_path], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        self.assertIn("/nonexistent/cert.pem", done.stderr)

    def test_an_unknown_user_is_named_with_its_setting(self):
        server = self.server(start=False, settings={"default_login_user": "no-such-user"})
        done = subprocess.run([culver.programs().master, "-F", "-c", server.config_path], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        self.assertIn("no-such-user", done.stderr)
        self.assertIn("default_login_user", done.stderr)

    def test_an_unknown_protocol_is_named(self):
        server = self.server(start=False, settings={"protocols": "imap gopher"})
        done = subprocess.run([culver.programs().master, "-F", "-c", server.config_path], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        self.assertIn("gopher", done.stderr)


@only_culver
class Config(Case):
    def test_prints_single_settings(self):
        server = self.server(start=False)
        self.assertEqual(server.adm("config", "base_dir"), "base_dir = %s\n" % server.base_dir)
        self.assertEqual(server.adm("config", "-h", "base_dir"), server.base_dir + "\n")
        self.assertIn("mail_max_userip_connections = 10", server.adm("config", "-a"))
        self.assertNotIn("mail_max_userip_connections", server.adm("config", "-n"))
        self.assertIn("mail_max_userip_connections = 10", server.adm("config", "-d"))

    def test_hides_secrets(self):
        server = self.server(start=False)
        text = server.adm("config", "-n")
        self.assertNotIn("PRIVATE KEY", text)

    @limit(90)
    def test_the_tree_of_the_debian_package_loads_unchanged(self):
        tree = "/usr/share/dovecot/dovecot.conf"
        if not os.path.exists(tree):
            scratch = self.server(start=False).path("package")
            os.mkdir(scratch)
            done = subprocess.run("apt-get download -qq dovecot-core && dpkg -x dovecot-core*.deb . ", shell=True, cwd=scratch, capture_output=True)
            found = glob.glob(scratch + "/**/dovecot.conf", recursive=True)
            if done.returncode != 0 or not found:
                self.skipTest("the package is neither installed nor to be had")
            tree = found[0]
        # the package copies this tree to /etc/dovecot; it is loaded from a copy
        target = self.server(start=False).path("dovecot")
        subprocess.run(["cp", "-r", os.path.dirname(tree), target], check=True)
        for path in glob.glob(target + "/**/*.conf*", recursive=True):
            os.chmod(path, 0o644)
        # its certificate is made when the package is configured
        certificate, key = culver.certificate()
        path = os.path.join(target, "conf.d", "10-ssl.conf")
        text = open(path).read()
        text = re.sub(r"(?m)^ssl_cert = .*$", "ssl_cert = <" + certificate, text)
        text = re.sub(r"(?m)^ssl_key = .*$", "ssl_key = <" + key, text)
        open(path, "w").write(text)
        done = subprocess.run([culver.programs().adm, "-c", os.path.join(target, "dovecot.conf"), "config", "-n"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stderr, r"(?m)Error|Fatal")


@only_culver
class Dialect24(Case):
    def test_a_24_file_serves_mail(self):
        server = self.server(start=False)
        certificate, key = culver.certificate()
        server.write_config("""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = %s
state_dir = %s
libexec_dir = %s
log_path = %s
listen = 127.0.0.1
protocols {
  imap = yes
}
instance_name = %s
mail_driver = maildir
mail_path = ~/Maildir
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
auth_allow_cleartext = yes
ssl = yes
ssl_server_cert_file = %s
ssl_server_key_file = %s
passdb passwd-file {
  passwd_file_path = %s
}
userdb passwd-file {
  passwd_file_path = %s
}
service imap-login {
  inet_listener imap {
    port = %d
  }
  inet_listener imaps {
    port = %d
    ssl = yes
  }
}
""" % (server.base_dir, server.path("state"), culver.programs().libexec, server.log_path, server.name, certificate, key, server.passwd_path,
            server.passwd_path, server.imap_port, server.imaps_port))
        server.start()
        with server.login("alice", tls="implicit") as client:
            self.assertOK(client.command("SELECT INBOX"))
