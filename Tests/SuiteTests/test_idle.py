"""IDLE: how soon a session hears of a delivery, and how many sessions of one user id may wait at once."""

import os
import time

import processes
from suite import Case, limit, message, only_culver, only_root


def deliver(server, user, name):
    """As a delivery program does it: written beside, renamed into new/."""
    folder = server.maildir(user)
    path = os.path.join(folder, "tmp", name)
    with open(path, "wb") as file:
        file.write(message("delivered " + name).replace(b"\r\n", b"\n"))
    owner = os.stat(folder)
    os.chown(path, owner.st_uid, owner.st_gid)
    os.rename(path, os.path.join(folder, "new", name))


class Waiting(Case):
    def idle(self, server, user):
        client = server.login(user)
        self.assertOK(client.command("SELECT INBOX"))
        tag = client.start("IDLE")
        self.assertTrue(client.line().startswith(b"+"))
        return client, tag

    def exists(self, client):
        while True:
            line = client.line()
            if line.endswith(b"EXISTS"):
                return line

    @limit(120)
    @only_culver
    def test_hundreds_of_one_user_id_hear_at_once_and_cost_nothing(self):
        users = ["user%d" % number for number in range(6)]
        server = self.server(users=users, settings={"mail_max_userip_connections": "0"}, services={"imap": {"process_limit": 300}},
                             own_uid=True)
        held = [self.idle(server, users[number % 6]) for number in range(180)]  # more than the kernel's 128 instances per user id
        watching = [p for p in server.named("imap") if "watches for" in p.title]
        self.assertEqual(len(watching), 1)
        self.assertIn("[watches for 164 sessions]", watching[0].title)
        for round_ in range(2):
            for user in users:
                deliver(server, user, "1700000000.M%dP%d.host" % (round_, users.index(user)))
            began = time.monotonic()
            for client, _ in held:
                self.assertIn(b"%d EXISTS" % (round_ + 1), self.exists(client))
            self.assertLess(time.monotonic() - began, 5, "sessions that look by themselves do so every 30 s")
        time.sleep(1)
        before = server.ticks()
        time.sleep(3)
        self.assertLessEqual(server.ticks() - before, 2, "waiting costs nothing")
        for client, tag in held:
            client.send(b"DONE\r\n")
            self.assertOK(client.finish(tag))
            client.close()

    @only_culver
    @only_root
    def test_sessions_watch_for_themselves_when_it_dies(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        held = [self.idle(server, "alice") for _ in range(20)]
        watcher = [p for p in server.named("imap") if "watches for" in p.title][0]
        os.kill(watcher.pid, 9)
        self.until(lambda: not processes.is_alive(watcher.pid), "its end")
        deliver(server, "alice", "1700000000.M1P1.host")
        began = time.monotonic()
        for client, _ in held:
            self.assertIn(b"1 EXISTS", self.exists(client))
            client.close()
        self.assertLess(time.monotonic() - began, 5)

    @only_culver
    def test_a_session_that_waits_closes_its_index(self):
        server = self.server(own_uid=True)
        client, tag = self.idle(server, "alice")
        worker = [p for p in server.named("imap") if "alice" in p.title][0]
        self.until(lambda: not any("culver.index" in mapping for mapping in open("/proc/%d/maps" % worker.pid)), "the index is closed")
        deliver(server, "alice", "1700000000.M1P1.host")
        self.assertIn(b"1 EXISTS", self.exists(client))
        client.send(b"DONE\r\n")
        self.assertOK(client.finish(tag))
        self.assertOK(client.command("STORE 1 +FLAGS (\\Seen)"))
        client.close()

    @only_culver
    @only_root
    def test_the_watcher_has_its_users_ids_a_filter_and_no_capability(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        held = [self.idle(server, "alice") for _ in range(18)]
        watcher = [p for p in server.named("imap") if "watches for" in p.title][0]
        status = watcher.status()
        self.assertEqual(status["Uid"].split(), [str(os.stat(server.home("alice")).st_uid)] * 4)
        self.assertEqual(int(status["CapBnd"], 16) | int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        with open("/proc/%d/limits" % watcher.pid) as file:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
        self.assertEqual((limits["Max processes"], limits["Max file size"], limits["Max core file size"]), (["0", "0"], ["0", "0"], ["0", "0"]))
        for client, _ in held:
            client.close()
