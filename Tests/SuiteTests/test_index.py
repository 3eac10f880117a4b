"""The index of a user's mail: used by confined workers, and never needed."""

import os
import pwd
import re
import signal
import stat

from suite import SharedCase, limit, message


class Index(SharedCase):
    def path(self):
        return os.path.join(self.shared.maildir("alice"), "culver.index")

    def status(self, client, name):
        reply = client.command("STATUS %s (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)" % name)
        return re.search(rb"STATUS \S+ (\(.*\))", reply.all()).group(1)

    def test_is_a_private_file_that_confined_workers_use(self):
        server = self.server()  # what the sessions of other tests say last must not be taken for this one's
        client = server.login("alice")
        name = self.fresh_mailbox(client, 3)
        client.logout()
        path = os.path.join(server.maildir("alice"), "culver.index")
        status = os.stat(path)
        self.assertTrue(stat.S_ISREG(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assertEqual(status.st_uid, pwd.getpwnam("vmail").pw_uid)
        with open(path, "rb") as file:
            self.assertIn(b"culver index ", file.read())
        with server.login("alice") as client:
            self.assertEqual(client.command("STATUS %s (MESSAGES)" % name).word, "OK")
        self.assertNotIn("culver.index", server.log())
        self.assertNotIn("stays in memory", server.log())

    def test_can_be_removed_while_sessions_run(self):
        one, two = self.login(), self.login()
        name = self.fresh_mailbox(one, 6)
        for client in (one, two):
            self.assertOK(client.command("SELECT " + name))
        for number in range(1, 5):
            os.unlink(self.path())
            self.assertOK(one.command("STORE %d +FLAGS (\\Flagged)" % number))
            self.assertIn(b"* %d FETCH (FLAGS (" % number, two.command("NOOP").all())
            os.unlink(self.path())
            self.assertOK(two.append(message("More"), name))
            self.assertIn(b"* %d EXISTS" % (6 + number), one.command("NOOP").all())
        before = self.status(one, name)
        os.unlink(self.path())
        self.assertEqual(self.status(self.login(), name), before)

    def test_garbage_in_its_place_is_replaced(self):
        client = self.login()
        name = self.fresh_mailbox(client, 4)
        before = self.status(client, name)
        client.logout()
        for garbage in (b"", b"garbage" * 10, os.urandom(50000)):
            os.unlink(self.path())
            with open(self.path(), "wb") as file:
                file.write(garbage)
            os.chown(self.path(), pwd.getpwnam("vmail").pw_uid, -1)
            with self.login() as client:
                self.assertEqual(self.status(client, name), before)
                self.assertOK(client.command("SELECT " + name))
                self.assertOK(client.command("STORE 1 +FLAGS (\\Answered)"))

    @limit(120)
    def test_is_right_after_workers_were_killed(self):
        client = self.login()
        name = self.fresh_mailbox(client, 20)
        for number in range(12):
            victim = self.login()
            self.assertOK(victim.command("SELECT " + name))
            pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and self.is_worker(int(pid))]
            self.assertTrue(pids)
            victim.send(b"".join(b"k%d STORE %d %sFLAGS (\\Flagged)\r\n" % (step, step % 20 + 1, b"-+"[number % 2:][:1]) for step in range(60 + 13 * number)))
            victim.line()
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            victim.close()
            with self.login() as auditor:
                self.assertOK(auditor.command("SELECT " + name))
                shown = auditor.command("FETCH 1:* (UID FLAGS)").lines("FETCH")
            os.unlink(self.path())
            with self.login() as auditor:
                self.assertOK(auditor.command("SELECT " + name))
                self.assertEqual(auditor.command("FETCH 1:* (UID FLAGS)").lines("FETCH"), shown)

    def is_worker(self, pid):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                title = file.read()
        except OSError:
            return False
        return b"/imap [alice" in title and self.belongs(pid)

    def belongs(self, pid):
        """Whether a worker serves this suite's instance: others run at the same time."""
        try:
            maps = os.listdir("/proc/%d/fd" % pid)
            return any(os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith(self.shared.folder) for fd in maps)
        except OSError:
            return False
