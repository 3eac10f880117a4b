"""Memory and processes at the sizes that large sites have: a message of 1 GB, 5,000 sessions that wait."""

import os
import resource
import time

from imap import Client
from suite import Case, limit, only_culver, only_root
from test_idle import deliver

GIGABYTE = 1 << 30


class MessageAlone(Case):
    def peak(self, server):
        """Kilobytes that the session's process held at most, since the last call."""
        worker = [p for p in server.named("imap") if "alice" in p.title][0]
        found = int(worker.status()["VmHWM"].split()[0])
        with open("/proc/%d/clear_refs" % worker.pid, "w") as file:
            file.write("5")
        return found

    @only_culver
    @only_root
    @limit(240)
    def test_a_gigabyte_is_saved_and_fetched_in_the_memory_of_a_small_message(self):
        server = self.server(services={"imap": {"vsz_limit": "0"}})
        header = b"Subject: large\r\nContent-Type: text/plain\r\n\r\n"
        line = b"0123456789" * 7 + b"abcdefgh" + b"\r\n"
        piece = line * 13107  # 1 MB
        size = len(header) + len(piece) * (GIGABYTE // len(piece))
        with server.login("alice", timeout=200) as client:
            self.assertOK(client.append(header + b"small\r\n"))
            self.assertOK(client.command("SELECT INBOX"))
            self.assertOK(client.command("FETCH 1 (BODY.PEEK[] BODYSTRUCTURE)"))
            small = self.peak(server)
            client.send(b"a APPEND INBOX {%d}\r\n" % size)
            self.assertTrue(client.line().startswith(b"+"))
            client.send(header)
            for _ in range(GIGABYTE // len(piece)):
                client.send(piece)
            client.send(b"\r\n")
            while not (answer := client.line()).startswith(b"a "):
                pass
            self.assertIn(b"a OK", answer)
            self.assertLess(self.peak(server) - small, 1024, "KB more than for a small message")
            client.send(b"b FETCH 2 BODY.PEEK[]\r\n")
            self.assertEqual(self.first_line(client), b"* 2 FETCH (BODY[] {%d}" % size)
            self.assertTrue(self.same(client, header, piece, size), "not what was saved")
            self.assertEqual(client.line(), b")")
            self.assertIn(b"b OK", client.line())
            self.assertLess(self.peak(server) - small, 1024, "KB more than for a small message")
            self.assertIn(b"BODY (\"text\" \"plain\"", self.assertOK(client.command("FETCH 2 BODY")).all())
            self.assertIn(b"RFC822.SIZE %d" % size, self.assertOK(client.command("FETCH 2 RFC822.SIZE")).all())
            self.assertRegex(self.assertOK(client.command("SEARCH BODY nowhere")).all(), rb"\* SEARCH\r\n")
            self.assertLess(self.peak(server) - small, 2048, "KB more than for a small message")

    def first_line(self, client):
        while b"\n" not in client.buffer:
            client._fill()
        line, client.buffer = client.buffer.split(b"\r\n", 1)
        return line

    def same(self, client, header, piece, size):
        """Reads a literal and compares it with what was sent, a piece at a time."""
        wanted, left = memoryview(header + piece), size - len(client.buffer)
        data, client.buffer = client.buffer, b""
        done, isSame = 0, True
        while True:
            while data:
                count = min(len(data), len(wanted))
                isSame = isSame and data[:count] == wanted[:count]
                data, wanted, done = data[count:], wanted[count:], done + count
                if not wanted:
                    wanted = memoryview(piece)
            if not left:
                return isSame and done == size
            data = client.socket.recv(min(1 << 20, left))
            left -= len(data)


class SessionsAlone(Case):
    SESSIONS = 5000
    USERS = 50

    @only_culver
    @only_root
    @limit(240)
    def test_5000_of_one_user_id_wait_without_work_and_hear_of_deliveries(self):
        users = ["user%d" % number for number in range(self.USERS)]
        server = self.server(
            users=users, settings={"mail_max_userip_connections": "0"},
            services={"imap": {"process_limit": 6000}, "imap-login": {"service_count": 0, "client_limit": 6000, "process_limit": 20},
                      "anvil": {"client_limit": 20000}})
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 20000)), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        held = []
        self.addCleanup(lambda: [client.socket.close() for client in held])
        for number in range(self.SESSIONS):
            client = Client(server.imap_port, timeout=60)
            client.send(b"a LOGIN %s secret\r\nb SELECT INBOX\r\nc IDLE\r\n" % users[number % self.USERS].encode())
            held.append(client)
        # all at once: those whose turn has not come wait
        for client in held:
            while not client.line().startswith(b"+"):
                pass
        uid = os.stat(server.home(users[0])).st_uid
        self.assertLess(self.inotify_instances(server), 128, "the kernel allows 128 for a user id")
        workers = [p for p in server.processes() if p.status()["Uid"].split()[0] == str(uid)]
        self.assertGreaterEqual(len(workers), self.SESSIONS)
        time.sleep(1)
        before = sum(p.ticks for p in server.processes())
        time.sleep(3)
        self.assertLessEqual(sum(p.ticks for p in server.processes()) - before, 3, "ticks of 10 ms that 5,000 waiting sessions used in 3 s")
        for number, user in enumerate(users[:10]):
            deliver(server, user, "1700000000.M%dP1.host" % number)
        for number, client in enumerate(held):
            if number % self.USERS < 10:
                while not client.line().endswith(b"1 EXISTS"):
                    pass

    def inotify_instances(self, server):
        return sum(link == "anon_inode:inotify" for p in server.processes() for link in p.descriptors().values())

