"""The work of a session does not grow with its mailbox: counted in system calls, in pages that were touched and in private memory, not in seconds."""

import os
import unittest

import tracer
from suite import Case, limit, message, only_culver, only_root

SMALL, LARGE = 1_000, 50_000


@only_culver
@only_root
@unittest.skipUnless(tracer.AVAILABLE, "the tracer knows x86-64 only")
class Growth(Case):
    COMMANDS = ("SELECT %s", "STORE 500 +FLAGS (\\Flagged)", "FETCH 600 (UID FLAGS BODY.PEEK[])", "COPY 700 Target", "NOOP", "STORE 1 +FLAGS.SILENT (\\Deleted)",
                "MOVE 800 Target", "EXPUNGE", "STATUS %s (MESSAGES UNSEEN HIGHESTMODSEQ)")

    def maildir(self, path, count):
        """A Maildir whose messages are names of one file."""
        owner = os.stat(os.path.dirname(path))
        for part in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(path, part))
            os.chown(os.path.join(path, part), owner.st_uid, owner.st_gid)
        text = message("One of many").replace(b"\r\n", b"\n")
        first = os.path.join(path, "tmp", "one")
        with open(first, "wb") as file:
            file.write(text)
        os.chown(first, owner.st_uid, owner.st_gid)
        source = first
        for number in range(count):
            name = os.path.join(path, "cur", "%d.M%dP1.growth,S=%d,W=%d:2,S" % (1_600_000_000 + number, number % 1_000_000, len(text), len(text) + text.count(b"\n")))
            if number % 30_000 == 0:  # a file has no more than some 65,000 names
                with open(name, "wb") as file:
                    file.write(text)
                os.chown(name, owner.st_uid, owner.st_gid)
                source = name
            else:
                os.link(source, name)
        os.unlink(first)

    def worker(self):
        return [p for p in self.made.named("imap") if "[alice" in p.title][0]

    def calls(self, mailbox):
        """System calls of each command, in a session of its own; and its private memory when it waits."""
        # The worker that is looked at must be this session's, not one that is about to end.
        self.until(lambda: not [p for p in self.made.named("imap") if "[alice" in p.title], "the end of the sessions before")
        client = self.made.login("alice")
        counted = []
        for text in self.COMMANDS:
            traced = tracer.Tracer(self.worker().pid)
            client.send(b"x " + (text % mailbox if "%s" in text else text).encode() + b"\r\n")
            answer = bytearray()
            client.socket.setblocking(False)

            def is_over():
                try:
                    answer.extend(client.socket.recv(65536))
                except BlockingIOError:
                    pass
                return b"\r\nx " in b"\r\n" + answer and answer.endswith(b"\r\n")

            traced.run(lambda _, __: None, is_over)
            client.socket.setblocking(True)
            self.assertIn(b"x OK", answer, text)
            counted.append(traced.calls)
        # Who waits gives the index back.
        worker = self.worker()
        folder = "/proc/%d/fd" % worker.pid
        self.until(lambda: not [fd for fd in os.listdir(folder) if os.readlink(os.path.join(folder, fd)).endswith("culver.index")], "the index to be closed")
        memory = worker.private_memory()
        client.close()
        self.until(lambda: not [p for p in self.made.named("imap") if "[alice" in p.title], "the end of the session")
        return counted, memory

    @limit(120)
    def test_counted_work_is_the_same_in_a_large_mailbox(self):
        self.made = self.server(users=["alice"])
        with self.made.login("alice") as client:
            self.assertOK(client.command("CREATE Target"))
            self.assertOK(client.append(message("There"), "Target"))
        found = {}
        for name, count in (("Small", SMALL), ("Large", LARGE)):
            self.maildir(os.path.join(self.made.maildir("alice"), "." + name), count)
            for mailbox in (name, "Target"):
                with self.made.login("alice") as client:
                    self.assertOK(client.command("SELECT " + mailbox))
            self.calls(name)
            found[name] = self.calls(name)
        for text, small, large in zip(self.COMMANDS, found["Small"][0], found["Large"][0]):
            # The tree of the index is one level deeper: a few more pages to write.
            self.assertLessEqual(large, small + 8, "%s: %d system calls in %d messages, %d in %d" % (text, large, LARGE, small, SMALL))
        # One bit for each message, and pages that one session happens to keep and another does not.
        self.assertLess(found["Large"][1] - found["Small"][1], 128 * 1024, "private memory: %r" % found)

    @limit(120)
    def test_first_look_takes_little_memory_for_each_message(self):
        """A million messages must fit into the default of vsz_limit: 256 bytes for each."""
        self.made = self.server(users=["alice"])
        with self.made.login("alice") as client:
            self.assertOK(client.append(message("There")))
        peak = {}
        for name, count in (("Small", 10_000), ("Large", LARGE)):
            self.maildir(os.path.join(self.made.maildir("alice"), "." + name), count)
            with self.made.login("alice") as client:
                self.assertOK(client.command("SELECT " + name))
                with open("/proc/%d/status" % self.worker().pid) as file:
                    peak[name] = [int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")][0]
        self.assertLess((peak["Large"] - peak["Small"]) / (LARGE - 10_000), 256, "peak memory: %r" % peak)
