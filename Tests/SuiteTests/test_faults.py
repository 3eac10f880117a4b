"""Ends a session's process at each of its system calls, and lets each call fail that changes files: nothing may be lost, doubled or renumbered."""

import errno
import os
import re
import select
import unittest

import tracer
from suite import Case, limit, message, only_culver, only_root

KEYS = re.compile(rb"X-Key: (\S+)")


class Audit:
    """What clients have been shown so far."""

    def __init__(self, case, server, user):
        self.case, self.server, self.user = case, server, user
        self.seen = {}  # (mailbox, uidvalidity, uid) -> key

    def look(self, mailboxes):
        """mailbox -> keys of its messages, by a fresh session; every UID must be what it was."""
        found = {}
        with self.server.login(self.user) as client:
            for mailbox in mailboxes:
                reply = client.command("SELECT " + mailbox)
                if reply.word != "OK":
                    found[mailbox] = None
                    continue
                validity = int(re.search(rb"UIDVALIDITY (\d+)", reply.all()).group(1))
                reply = self.case.assertOK(client.command("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (X-Key)])"))
                pairs = [(int(uid), key.decode()) for uid, key in re.findall(rb"UID (\d+)[^\r]*\r\nX-Key: (\S+)", reply.all())]
                for uid, key in pairs:
                    self.case.assertEqual(self.seen.setdefault((mailbox, validity, uid), key), key, "%s: UID %d was another message" % (mailbox, uid))
                found[mailbox] = [key for _, key in pairs]
            self.case.assertOK(client.logout())
        return found


def keyed(key):
    return b"X-Key: " + key.encode() + b"\r\n" + message("fault " + key)


@only_culver
@only_root
@unittest.skipUnless(tracer.AVAILABLE, "the tracer knows x86-64 only")
class Faults(Case):
    """Each operation starts from INBOX with a, b, c and Target with t."""

    OPERATIONS = ("APPEND", "MULTIAPPEND", "COPY", "MOVE", "STORE", "EXPUNGE", "RENAME")

    def setUp(self):
        super().setUp()
        self.made = self.server(users=["alice"], settings={"mail_max_userip_connections": "0"})
        self.audit = Audit(self, self.made, "alice")
        self.turn = 0

    def prepare(self):
        """Back to the start; the mailboxes stay, so that UIDs go on."""
        self.turn += 1
        with self.made.login("alice") as client:
            for mailbox, keys in (("INBOX", "abc"), ("Target", "t")):
                client.command("CREATE " + mailbox)
                self.assertOK(client.command("SELECT " + mailbox))
                client.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")
                self.assertOK(client.command("EXPUNGE"))
                for key in keys:
                    self.assertOK(client.append(keyed("%s%d" % (key, self.turn)), mailbox))
            client.command("DELETE Other")
            self.assertOK(client.logout())

    def command(self, operation):
        if operation in ("APPEND", "MULTIAPPEND"):
            new = [keyed("n%d" % self.turn)] + ([keyed("m%d" % self.turn)] if operation == "MULTIAPPEND" else [])
            return b"x APPEND INBOX" + b"".join(b" (\\Seen) {%d+}\r\n%s" % (len(one), one) for one in new) + b"\r\n"
        return {
            "COPY": b"x COPY 1:2 Target\r\n", "MOVE": b"x MOVE 1:2 Target\r\n", "STORE": b"x STORE 1:3 +FLAGS (\\Flagged $Key)\r\n",
            "EXPUNGE": b"x EXPUNGE\r\n", "RENAME": b"x RENAME Target Other\r\n"}[operation]

    def run_traced(self, operation, at_call):
        """Runs the operation in a session whose process is traced; answers how it ended, and what the client read. `at_call` gets the
        tracer and the call's number."""
        client = self.made.login("alice")
        self.assertOK(client.command("SELECT INBOX"))
        if operation == "EXPUNGE":
            self.assertOK(client.command("STORE 1:2 +FLAGS (\\Deleted)"))
        pid = [p.pid for p in self.made.named("imap") if "[alice" in p.title][0]
        traced = tracer.Tracer(pid)
        client.send(self.command(operation))
        answer = bytearray()

        def is_over():
            while select.select([client.socket], [], [], 0)[0]:
                try:
                    data = client.socket.recv(65536)
                except ConnectionError:
                    return True
                if not data:
                    return True
                answer.extend(data)
            return b"\r\nx " in b"\r\n" + answer and answer.endswith(b"\r\n")

        how = traced.run(lambda _, call: at_call(traced, call), is_over)
        is_over()
        client.close()
        self.until(lambda: not [p for p in self.made.named("imap") if "[alice" in p.title], "the end of the session")
        return how, bytes(answer)

    def check(self, operation, where):
        """Nothing lost, nothing doubled; done or not done."""
        found = self.audit.look(["INBOX", "Target", "Other"])
        n = self.turn
        own = ["a%d" % n, "b%d" % n, "c%d" % n]
        target = found["Target"] if found["Target"] is not None else found["Other"]
        inbox = found["INBOX"]
        text = "%s, %s: INBOX %s, Target %s, Other %s" % (operation, where, inbox, found["Target"], found["Other"])
        self.assertIsNotNone(target, text)
        self.assertEqual(len(set(inbox)), len(inbox), text)
        self.assertEqual(len(set(target)), len(target), text)
        self.assertIn("t%d" % n, target, text)
        extra = [key for key in inbox if key not in own]
        if operation == "MOVE":
            # Each in exactly one of both.
            self.assertEqual(sorted(inbox + [key for key in target if key != "t%d" % n]), own, text)
            self.assertEqual(inbox[-1:], own[2:], text)
            if "killed" not in where:
                self.assertIn(len(inbox), (1, 3), text)
        elif operation == "EXPUNGE":
            self.assertEqual(inbox[-1:], own[2:], text)
        else:
            self.assertEqual(inbox[:3], own, text)
        self.assertEqual(extra, {"APPEND": ["n%d" % n], "MULTIAPPEND": ["n%d" % n, "m%d" % n]}.get(operation, [])[:len(extra)], text)
        # Several files cannot appear at once: who is killed in between has saved some, and has told nobody. A call that fails undoes all.
        if operation == "COPY":
            self.assertIn(len(target), (1, 2, 3) if "killed" in where else (1, 3), text)
        if operation == "MULTIAPPEND":
            self.assertIn(len(extra), (0, 1, 2) if "killed" in where else (0, 2), text)
        if operation == "RENAME":
            self.assertTrue((found["Target"] is None) != (found["Other"] is None), text)
        return inbox, target

    @limit(600)
    def test_killed_at_each_system_call(self):
        tried = 0
        for operation in self.OPERATIONS:
            number = 0
            while True:
                number += 1
                self.prepare()
                how, answer = self.run_traced(operation, lambda traced, _: "kill" if traced.calls == number else None)
                inbox, target = self.check(operation, "killed at call %d" % number)
                if b"x OK" in answer and operation == "APPEND":
                    self.assertEqual(len(inbox), 4)
                if how != "killed":
                    break
                tried += 1
        self.told = "ended at %d system calls" % tried
        self.assertGreater(tried, 300)

    @limit(600)
    def test_each_call_that_changes_files_fails(self):
        tried = 0
        for operation in self.OPERATIONS:
            for code in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
                number = 0
                while True:
                    number += 1
                    self.prepare()
                    matching = [0]

                    def fail(traced, call):
                        if traced.changes_files(call):
                            matching[0] += 1
                            return code if matching[0] == number else None
                        return None

                    how, answer = self.run_traced(operation, fail)
                    where = "%s at changing call %d" % (errno.errorcode[code], number)
                    inbox, target = self.check(operation, where)
                    self.assertRegex(answer, rb"(?m)^x (OK|NO)", "%s, %s" % (operation, where))
                    if operation == "APPEND":
                        self.assertEqual(len(inbox), 4 if b"x OK" in answer else 3, "%s, %s: %r" % (operation, where, answer))
                    if operation == "MOVE":
                        self.assertEqual(len(inbox), 1 if b"x OK" in answer else 3, "%s, %s: %r" % (operation, where, answer))
                    if how != "failed":
                        break
                    tried += 1
        self.told = "%d calls failed" % tried
        self.assertGreater(tried, 200)
