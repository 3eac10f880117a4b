"""culveradm as an administrator uses it."""

import json
import os
import re
import time

from suite import Case, SharedCase, limit, only_culver


class Who(Case):
    def test_lists_sessions_and_kick_ends_them(self):
        server = self.server(settings={"shutdown_clients": "yes"})
        first, second, other = server.login("alice"), server.login("alice", tls="implicit"), server.login("bob")
        text = self.until(lambda: (lambda t: t if re.search(r"alice\s+2\s+imap", t) else None)(server.adm("who")), "alice twice")
        self.assertRegex(text, r"bob\s+1\s+imap\s+\(\d+\)\s+\(127\.0\.0\.1\)")
        self.assertEqual(len(server.adm("who", "alice").splitlines()), 2)
        self.assertEqual(len(re.findall(r"alice", server.adm("who", "-1", "ali*"))), 2)
        self.assertNotIn("alice", server.adm("who", "alice", "10.0.0.0/8"))
        text = server.adm("kick", "alice")
        self.assertIn("alice", text)
        for client in (first, second):
            self.assertIn(b"* BYE", client.rest())
        self.assertOK(other.command("NOOP"))
        self.until(lambda: "alice" not in server.adm("who"), "who forgets alice")
        self.assertEqual(server.adm_run("kick", "alice").returncode, 68)

    @only_culver
    def test_formats(self):
        server = self.server()
        client = server.login("alice")
        self.until(lambda: "alice" in server.adm("who"), "alice")
        rows = json.loads(server.adm("-f", "json", "who"))
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0]["username"], "alice")
        self.assertTrue(all(isinstance(value, str) for value in rows[0].values()), rows)
        lines = server.adm("-f", "tab", "who").splitlines()
        self.assertEqual(lines[0].split("\t")[0], "username")
        self.assertEqual(lines[1].split("\t")[:3], ["alice", "1", "imap"])
        self.assertRegex(server.adm("-f", "table", "who"), r"^username\s+# +proto +\(pids\) +\(ips\)")
        client.close()


class Status(SharedCase):
    COLUMNS = ("name", "process_count", "process_avail", "process_limit", "client_limit")

    @only_culver
    def test_service_status(self):
        rows = self.shared.table("service", "status")
        for column in self.COLUMNS:
            self.assertIn(column, rows[0])
        names = {row["name"] for row in rows}
        self.assertTrue({"imap", "imap-login", "auth", "anvil", "log"} <= names, names)
        self.assertEqual({row["name"] for row in self.shared.table("service", "status", "imap")}, {"imap"})

    @only_culver
    def test_counts_processes(self):
        before = int(self.shared.service("imap")["process_count"])
        held = [self.login("alice"), self.login("bob")]
        self.until(lambda: int(self.shared.service("imap")["process_count"]) == before + 2, "two more")
        for client in held:
            client.logout()
        self.until(lambda: int(self.shared.service("imap")["process_count"]) == before, "as before")

    @only_culver
    def test_an_unknown_service_or_two_names_of_an_instance_are_errors(self):
        done = self.shared.adm_run("service", "status", "no-such-service")
        self.assertEqual(done.returncode, 68)
        self.assertIn("Unknown service: no-such-service", done.stderr)
        done = self.shared.adm_run("-i", "another", "service", "status")
        self.assertEqual(done.returncode, 64)
        self.assertIn("-c and -i", done.stderr)

    @only_culver
    def test_process_status(self):
        client = self.login("alice")
        rows = self.shared.table("process", "status", "imap")
        self.assertTrue(rows)
        self.assertEqual({row["name"] for row in rows}, {"imap"})
        pids = {int(row["pid"]) for row in rows}
        self.assertTrue(pids <= {p.pid for p in self.shared.processes()}, rows)
        client.close()

    @only_culver
    def test_service_stop(self):
        done = self.shared.adm_run("service", "stop", "no-such-service")
        self.assertEqual(done.returncode, 68)
        self.assertIn("Unknown service: no-such-service", done.stdout + done.stderr)

    def test_unknown_command(self):
        done = self.shared.adm_run("nonsense")
        self.assertEqual(done.returncode, 64)

    def test_formats_of_every_table(self):
        for command in (("service", "status"), ("process", "status")):
            with self.subTest(command):
                json.loads(self.shared.adm("-f", "json", *command))
                self.assertIn("\t", self.shared.adm("-f", "tab", *command))
                self.assertIn("name", self.shared.adm("-f", "table", *command))


class Delivery(SharedCase):
    def test_exit_codes(self):
        from suite import message
        self.assertEqual(self.shared.deliver("alice", message("By hand")).returncode, 0)
        unknown = self.shared.deliver("nobody-here", message())
        self.assertIn(unknown.returncode, (67, 77, 75), unknown.stderr)

    def test_what_is_delivered_is_found(self):
        from suite import message
        data = message("Found me", "Line\r\n.dot\r\nFrom here\r\n")
        self.assertEqual(self.shared.deliver("bob", data).returncode, 0)
        client = self.login("bob")
        self.assertOK(client.command("SELECT INBOX"))
        reply = client.command("SEARCH SUBJECT \"Found me\"")
        number = reply.lines("SEARCH")[0].split()[1].decode()
        self.assertIn(b"Line\r\n.dot\r\nFrom here\r\n", client.command("FETCH %s BODY.PEEK[]" % number).all())

    @only_culver
    def test_a_wrong_configuration_is_78(self):
        import subprocess
        import culver
        path = self.shared.path("wrong.conf")
        with open(path, "w") as file:
            file.write("nonsense = 5\n")
        done = subprocess.run([culver.programs().lda, "-c", path, "-d", "alice"], input=b"Subject: x\r\n\r\n", capture_output=True, timeout=20)
        self.assertEqual(done.returncode, 78, done.stderr)
