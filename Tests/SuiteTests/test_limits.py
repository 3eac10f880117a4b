"""Limits of what a client may send (reference/security.md section 6), each on both sides of its edge, through the real processes; and clients
that pipeline, do not read, or vanish."""

import os
import socket
import time

from imap import Client
from suite import Case, SharedCase, limit, message, only_culver


def nested(depth):
    return "SEARCH " + "(" * depth + "ALL" + ")" * depth


def keys(count):
    return "SEARCH " + " ".join(["ALL"] * count)


def sequence(count):
    # Numbers with gaps, so that nothing is merged; as UIDs they need not exist.
    return "UID FETCH " + ",".join(str(number * 2 + 1) for number in range(count)) + " UID"


def literals(count, size):
    return b" ".join(b"{%d+}\r\n%s" % (size, b"x" * size) for _ in range(count))


# (name, command with n of it, the largest n, words of the answer at the edge, words of the answer beyond)
EDGES = [
    ("nested keys of SEARCH", nested, 31, "OK", "BAD"),
    ("keys of SEARCH", keys, 1000, "OK", "BAD"),
    ("NOT inside of NOT", lambda n: "SEARCH " + "NOT " * n + "ALL", 31, "OK", "BAD"),
    ("elements of a set", sequence, 10000, "OK", "BAD"),
    ("items of FETCH", lambda n: "FETCH 1 (%s)" % " ".join(["UID"] * n), 100, "OK", "BAD"),
    ("names in HEADER.FIELDS", lambda n: "FETCH 1 BODY.PEEK[HEADER.FIELDS (%s)]" % " ".join("h%d" % i for i in range(n)), 100, "OK", "BAD"),
    ("length of a header name", lambda n: "FETCH 1 BODY.PEEK[HEADER.FIELDS (%s)]" % ("h" * n), 998, "OK", "BAD"),
    ("parts of a section", lambda n: "FETCH 1 BODY.PEEK[%s]" % ".".join(["1"] * n), 100, "OK", "BAD"),
    ("items of STATUS", lambda n: "STATUS INBOX (%s)" % " ".join(["MESSAGES"] * n), 20, "OK", "BAD"),
    ("criteria of SORT", lambda n: "SORT (%s) UTF-8 ALL" % " ".join(["SIZE"] * n), 10, "OK", "BAD"),
    ("digits of a number", lambda n: "SEARCH LARGER " + "9" * n, 18, "OK", "BAD"),
    ("length of a keyword", lambda n: "STORE 1 +FLAGS.SILENT (%s)" % ("k" * n), 50, "OK", "BAD"),
    ("keywords of one STORE", lambda n: "STORE 1 -FLAGS.SILENT (%s)" % " ".join("k%d" % i for i in range(n)), 64, "(OK|NO)", "BAD"),
    # Letters in the names of files; the row above took one.
    ("keywords of a mailbox", lambda n: "STORE 1 +FLAGS.SILENT (%s)" % " ".join("m%d" % i for i in range(n)), 25, "OK", r"NO \[LIMIT\]"),
    ("bytes of a mailbox name", lambda n: "STATUS %s (MESSAGES)" % ".".join(["x" * 31] * 31 + ["x" * (n - 992)]), 1024, "NO", "BAD"),
    # A directory of the file system: a dot, and 254 bytes in all.
    ("bytes of a name on disk", lambda n: "CREATE %s" % ("p" * n), 253, "OK", r"NO \[CANNOT\]"),
    ("levels of a name", lambda n: "CREATE " + ".".join(["l"] * n), 32, "OK", "NO"),
    ("wildcards of LIST", lambda n: 'LIST "" "%s"' % "".join("*x" for _ in range(n)), 16, "OK", r"NO \[LIMIT\]"),
    ("patterns of LIST", lambda n: 'LIST "" (%s)' % " ".join("p%d" % i for i in range(n)), 20, "OK", "BAD"),
    ("fields of ID", lambda n: "ID (%s)" % " ".join('"k%d" "v"' % i for i in range(n)), 30, "OK", "BAD"),
    ("length of a key of ID", lambda n: 'ID ("%s" "v")' % ("k" * n), 30, "OK", "BAD"),
    ("length of a value of ID", lambda n: 'ID ("k" "%s")' % ("v" * n), 1024, "OK", "BAD"),
    ("names after ENABLE", lambda n: "ENABLE" + " X" * n, 100, "OK", "BAD"),
    ("tags of CANCELUPDATE", lambda n: "CANCELUPDATE" + ' "x"' * n, 32, "BAD Error in IMAP command CANCELUPDATE: No search", "BAD .*Too"),
    ("groups of NOTIFY", lambda n: "NOTIFY SET" + " (personal NONE)" * n, 32, "OK", "BAD"),
    ("mailboxes of ESEARCH", lambda n: "ESEARCH IN (mailboxes (%s)) ALL" % " ".join("m%d" % i for i in range(n)), 100, "OK", "BAD"),
    ("bytes of a line", lambda n: b"SEARCH SUBJECT \"" + b"x" * (n - len(b"a1 SEARCH SUBJECT \"\"")) + b"\"", 65536, "OK", "BAD Command line too long"),
    ("bytes of a literal", lambda n: b"SEARCH SUBJECT " + literals(1, n), 131072, "OK", None),
    ("bytes of all literals", lambda n: b"SEARCH " + b" ".join(b"SUBJECT " + literals(1, 131072) for _ in range(7))
     + b" SUBJECT " + literals(1, n), 131072, "OK", None),
    ("literals of a command", lambda n: b"SEARCH " + b" ".join(b"SUBJECT " + literals(1, 1) for _ in range(n)), 1000, "OK", None),
]


# The same with imap_metadata = yes, and of commands that append.
MORE_EDGES = [
    ("entries of GETMETADATA", lambda n: "GETMETADATA Limits (%s)" % " ".join("/private/e%d" % i for i in range(n)), 100, "OK", "BAD"),
    ("entries of SETMETADATA", lambda n: "SETMETADATA Limits (%s)" % " ".join("/private/e%d NIL" % i for i in range(n)), 100, "OK", "BAD"),
    ("length of an entry", lambda n: "GETMETADATA Limits /private/" + "e" * (n - 9), 255, "OK", "BAD"),
    ("bytes of a value", lambda n: b"SETMETADATA \"\" (/private/v {%d+}\r\n%s)" % (n, b"v" * n), 65536, "OK", r"NO \[METADATA MAXSIZE 65536\]"),
    ("attributes of a mailbox", lambda n: "SETMETADATA Limits (%s)" % " ".join('/private/a%d "x"' % i for i in range(min(n, 100)))
     if n <= 100 else 'SETMETADATA Limits (/shared/a "x")', 100, "OK", r"NO \[METADATA TOOMANY\]"),
    ("parts of CATENATE", lambda n: b"APPEND Limits CATENATE (%s)" % b" ".join([b"TEXT {1+}\r\nx"] * n), 1000, "OK", r"NO \[LIMIT\]"),
    ("length of a URL", lambda n: b"APPEND Limits CATENATE (URL {%d+}\r\n%s)" % (n, b"/" + b"u" * (n - 1)), 8192, r"NO \[BADURL", "BAD"),
    ("mailboxes of one filter of NOTIFY", lambda n: "NOTIFY SET (mailboxes (%s) NONE)" % " ".join("m%d" % i for i in range(n)), 100, "OK", "BAD"),
    ("names after COMPARATOR", lambda n: "COMPARATOR" + " x" * n, 32, r"NO \[BADCOMPARATOR\]", "BAD"),
]


class Edges(SharedCase):
    def check(self, edges):
        client = self.login()
        client.ok("CREATE Limits")
        self.assertOK(client.append(message("x"), "Limits"))
        client.close()
        for name, command, most, within, beyond in edges:
            with self.subTest(limit=name):
                # Each on a connection of its own: the first tag has two bytes, and nothing is left of the row before.
                client = self.shared.login("alice")
                self.addCleanup(client.close)
                client.ok("SELECT Limits")
                client.count = 0
                reply = client.command(command(most))
                self.assertRegex(reply.tagged.split(b" ", 1)[1].decode(), "^" + within, "%d: %.300r" % (most, reply))
                client.count = 0
                if beyond is None:
                    # Bytes that nobody waited for must not be taken for commands: the session ends.
                    client.send(b"b1 " + command(most + 1) + b"\r\n")
                    rest = client.rest()
                    self.assertRegex(rest, b"^\\* BYE ")
                    continue
                reply = client.command(command(most + 1))
                self.assertRegex(reply.tagged.split(b" ", 1)[1].decode(), "^" + beyond, "%d: %.300r" % (most + 1, reply))
                self.assertOK(client.command("NOOP"))
                client.close()


@only_culver
class Limits(Edges):
    def test_each_limit_on_both_sides_of_its_edge(self):
        self.check(EDGES)

    def test_tags_may_have_64_bytes(self):
        client = self.login()
        client.send(b"t" * 64 + b" NOOP\r\n")
        self.assertEqual(client.line(), b"t" * 64 + b" OK NOOP completed.")
        client.send(b"t" * 65 + b" NOOP\r\n")
        self.assertRegex(client.line(), b"^\\* BAD ")

    def test_the_20th_bad_command_in_a_row_ends_the_session(self):
        client = self.login()
        for _ in range(19):
            self.assertEqual(client.command("NONSENSE").word, "BAD")
        self.assertOK(client.command("NOOP"))
        for _ in range(19):
            self.assertEqual(client.command("NONSENSE").word, "BAD")
        client.start("NONSENSE")
        self.assertIn(b"* BYE Too many invalid IMAP commands.", client.rest())

    def test_before_login_everything_is_smaller(self):
        def fresh():
            client = Client(self.shared.imap_port)
            self.addCleanup(client.close)
            return client
        # (what is sent, whether the connection goes on)
        name = b"x" * 1024
        for sent, goes_on in (
                (b"a LOGIN {1024+}\r\n" + name + b" {1024+}\r\n" + name + b"\r\n", True),
                (b"a LOGIN {1025+}\r\n", False),
                (b"a LOGIN {1+}\r\nx {1+}\r\nx {1+}\r\nx\r\n", False),
                (b"a ID (\"a\" \"" + b"x" * 1024 + b"\")\r\n", True),
                (b"a NOOP" + b" " * 8186 + b"\r\n", True),  # answered BAD, not more
                (b"a NOOP" + b" " * 8187 + b"\r\n", False),
        ):
            with self.subTest(sent=sent[:40], size=len(sent)):
                client = fresh()
                client.send(sent)
                line = client.line()
                if goes_on:
                    self.assertRegex(line, b"^(a (NO|BAD|OK)|\\* ID)")
                    client.send(b"z NOOP\r\n")
                    while not line.startswith(b"z "):
                        line = client.line()
                    self.assertIn(b"OK", line)
                else:
                    self.assertRegex(line + b"\n" + client.rest(), b"\\* BYE ")
        client = fresh()
        for _ in range(2):
            self.assertEqual(client.command("NONSENSE").word, "BAD")
        client.start("NONSENSE")
        self.assertIn(b"* BYE ", client.rest())

    def test_a_literal_of_100_MB_is_refused_before_it_is_read(self):
        client = self.login()
        size = 100 << 20
        began = time.monotonic()
        client.send(b"a SEARCH SUBJECT {%d}\r\n" % size)
        self.assertEqual(client.line(), b"a NO [TOOBIG] Literal too large.")
        self.assertOK(client.command("NOOP"))
        # One that is not waited for: the session ends, at once.
        client.send(b"b SEARCH SUBJECT {%d+}\r\n" % size)
        self.assertRegex(client.line(), b"^\\* BYE ")
        self.assertLess(time.monotonic() - began, 2)


@only_culver
class MoreLimits(Edges):
    arguments = {"settings": {"imap_metadata": "yes"}}

    def test_each_limit_on_both_sides_of_its_edge(self):
        self.check(MORE_EDGES)


@only_culver
class Clients(Case):
    def workers(self, server):
        return [p for p in server.named("imap") if "alice" in p.title]

    def mailbox(self, server, size):
        client = server.login("alice")
        self.addCleanup(client.close)
        text = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n"
        self.assertOK(client.append(text + (b"y" * 998 + b"\r\n") * (size // 1000)))
        client.ok("SELECT INBOX")
        return client

    def test_many_commands_in_one_packet_are_answered_in_order(self):
        server = self.server()
        client = self.mailbox(server, 1000)
        commands = [b"NOOP", b"FETCH 1 UID", b"STORE 1 +FLAGS.SILENT (\\Seen)", b"SEARCH ALL", b"UID FETCH 1:* FLAGS"] * 200
        client.send(b"".join(b"p%d %s\r\n" % (number, command) for number, command in enumerate(commands)))
        for number in range(len(commands)):
            reply = client.finish(b"p%d" % number)
            self.assertEqual(reply.word, "OK", reply)

    def test_a_literal_and_what_follows_it_may_come_in_one_packet(self):
        server = self.server()
        client = server.login("alice")
        client.send(b"a APPEND INBOX {16+}\r\nSubject: x\r\n\r\nxx\r\nb SELECT INBOX\r\nc FETCH 1 RFC822.SIZE\r\nd LOGOUT\r\n")
        answer = client.rest()
        for part in (b"a OK [APPENDUID", b"* 1 EXISTS", b"* 1 FETCH (RFC822.SIZE 16)", b"d OK"):
            self.assertIn(part, answer)

    @limit(60)
    def test_a_client_that_does_not_read_for_a_while_gets_all_of_it(self):
        server = self.server()
        client = self.mailbox(server, 20_000_000)
        other = server.login("bob")
        client.start("FETCH 1 BODY.PEEK[]")
        time.sleep(3)
        before = self.ticks(self.workers(server)[0].pid)
        self.assertOK(other.command("NOOP"))
        time.sleep(1)
        self.assertLessEqual(self.ticks(self.workers(server)[0].pid) - before, 1, "who waits for a client does nothing")
        reply = client.finish(b"a%d" % client.count)
        self.assertOK(reply)
        self.assertGreater(len(reply.untagged[0]), 20_000_000)
        memory = [int(line.split()[1]) for line in open("/proc/%d/status" % self.workers(server)[0].pid) if line.startswith("VmHWM")]
        self.assertLess(memory[0], 60_000, "what waits is not held in memory")

    def ticks(self, pid):
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    @limit(60)
    def test_a_client_that_vanishes_in_the_middle_leaves_no_process(self):
        server = self.server()
        client = self.mailbox(server, 20_000_000)
        for way in ("close", "reset", "half"):
            with self.subTest(way=way):
                client = server.login("alice")
                client.ok("SELECT INBOX")
                worker = max(p.pid for p in self.workers(server))
                client.start("FETCH 1 BODY.PEEK[]")
                client.socket.recv(1000)
                began = time.monotonic()
                if way == "reset":
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                if way == "half":
                    # It sends no more, but reads: all of it comes, then the session ends.
                    client.socket.shutdown(socket.SHUT_WR)
                    self.assertGreater(len(client.rest()), 19_000_000)
                client.close()
                self.until(lambda: not os.path.exists("/proc/%d" % worker), "the end of its process", 5)
                self.assertLess(time.monotonic() - began, 5)
        # In the middle of an APPEND nothing is left, neither a process nor a file.
        client = server.login("alice")
        worker = max(p.pid for p in self.workers(server))
        client.send(b"a APPEND INBOX {1000000+}\r\n" + b"x" * 500_000)
        time.sleep(0.3)
        client.close()
        self.until(lambda: not os.path.exists("/proc/%d" % worker), "the end of its process", 5)
        self.assertEqual(os.listdir(os.path.join(server.maildir("alice"), "tmp")), [])
        self.assertOK(server.login("alice").command("STATUS INBOX (MESSAGES)"))
