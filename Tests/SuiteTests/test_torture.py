"""Bytes nobody would send, in every state of a session: the server answers or closes, and nobody else notices."""

import random
import socket
import time

from suite import Client, Closed, SharedCase, limit, message

WORDS = (b"LOGIN", b"AUTHENTICATE", b"PLAIN", b"SELECT", b"INBOX", b"FETCH", b"UID", b"STORE", b"+FLAGS", b"(\\Seen)", b"(", b")", b"1:*", b"*", b"{3}",
         b"{3+}", b"{99999999999}", b"{4294967295}", b"{-1}", b'"', b'"\\"', b"\\", b"BODY[]", b"BODY.PEEK[1.2.3.HEADER]", b"<0.4294967295>", b"SEARCH",
         b"OR", b"NOT", b"HEADER", b"CHARSET", b"APPEND", b"LIST", b'""', b"%", b"&AOQ-", b"&", b"\0", b"\xff\xfe", b"\r", b"a" * 300, b"18446744073709551616",
         b"1:2:3", b"0", b"STATUS", b"(MESSAGES)", b"IDLE", b"DONE", b"CREATE", b"../..", b"ID", b"NIL", b"COPY", b"MOVE", b"EXPUNGE", b"[", b"]", b"<", b">")


def line(random_):
    """A tag and some words, sometimes with a byte changed."""
    data = bytearray(b"t " + b" ".join(random_.choice(WORDS) for _ in range(random_.randint(1, 7))))
    for _ in range(random_.randint(0, 2)):
        data[random_.randrange(len(data))] = random_.randrange(256)
    return bytes(data) + b"\r\n"


class Garbage(SharedCase):
    def survive(self, prepare, seed, rounds=60):
        """Connections that say `rounds` random lines each way; afterwards all is as before."""
        witness = self.login("bob")
        mark = self.shared.mark()
        random_ = random.Random(seed)
        for _ in range(rounds):
            try:
                client = prepare()
                client.socket.settimeout(0.3)
                client.send(b"".join(line(random_) for _ in range(random_.randint(1, 12))))
                try:
                    while client.socket.recv(65536):
                        pass
                except socket.timeout:
                    pass
                client.close()
            except (Closed, OSError):
                pass
        self.assertOK(witness.command("NOOP"))
        self.shared.login("alice").logout()
        log = self.shared.log_since(mark)
        self.assertNotRegex(log, r"Panic:|Fatal:|signal \d+ ")

    @limit(120)
    def test_before_login(self):
        self.survive(self.shared.client, 1)

    @limit(120)
    def test_after_login(self):
        self.survive(lambda: self.shared.login("alice"), 2)

    @limit(120)
    def test_in_a_mailbox(self):
        client = self.login()
        name = self.fresh_mailbox(client, 5)

        def prepare():
            client = self.shared.login("alice")
            client.command("SELECT " + name)
            return client
        self.survive(prepare, 3)

    @limit(120)
    def test_in_an_exchange(self):
        def prepare():
            client = self.shared.client()
            client.start("AUTHENTICATE PLAIN")
            client.line()
            return client
        self.survive(prepare, 4, 30)

    @limit(60)
    def test_messages_that_are_none(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        random_ = random.Random(5)
        samples = [b"", b"\r\n", b"\n", b"no header at all", b":\r\n\r\n", b"Content-Type: multipart/mixed; boundary=\"\r\n\r\n--\r\n",
                   b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" * 300,
                   b"To: " + b"(" * 5000 + b"\r\n\r\n", b"To: " + b"a@b, " * 20000 + b"\r\n\r\n", b"Subject: " + b"=?utf-8?q?" * 1000 + b"\r\n\r\n",
                   b"From: group: group: a;;\r\n\r\n", b"\xff" * 1000, b"X" * 100000, b"A: b\r\n" * 30000]
        samples += [bytes(random_.choice(b"\r\n:;\"()<>@=-, \tab\x80") for _ in range(400)) for _ in range(30)]
        stored = 0
        for sample in samples:
            reply = client.append(sample, name)
            self.assertIn(reply.word, ("OK", "NO"), sample[:80])
            stored += reply.word == "OK"
        began = time.monotonic()
        reply = self.assertOK(client.command("FETCH 1:* (FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE)"))
        self.assertEqual(len(reply.lines("FETCH")), stored)
        self.assertOK(client.command("FETCH 1:* (BODY.PEEK[HEADER] BODY.PEEK[TEXT]<0.100>)"))
        self.assertOK(client.command("SEARCH TEXT nothing-like-this HEADER Subject x"))
        self.assertLess(time.monotonic() - began, 20)

    def test_literals_over_the_limit(self):
        for text in (b"a LOGIN {5000000}\r\n", b"a LOGIN {5000000+}\r\n", b"a LOGIN {9999999999999999999999}\r\n"):
            with self.subTest(text), self.shared.client() as client:
                client.send(text)
                client.socket.settimeout(3)
                try:
                    answer = client.line()
                    self.assertFalse(answer.startswith(b"+"), answer)
                except Closed:
                    pass

    def test_endless_lines(self):
        with self.shared.client() as client:
            try:
                for _ in range(200):
                    client.send(b"x" * 10000)
            except OSError:
                pass
            client.socket.settimeout(5)
            try:
                client.rest()
            except OSError:
                self.fail("neither answered nor closed")
        client = self.login()
        try:
            for _ in range(300):
                client.send(b"x" * 10000)
            client.send(b"\r\n")
            client.socket.settimeout(5)
            self.assertRegex(client.line(), rb"BAD|BYE")
        except OSError:
            pass

    def test_first_lines_of_other_protocols(self):
        for text in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"EHLO x\r\n", b"POST / HTTP/1.0\r\n\r\n"):
            with self.subTest(text), self.shared.client() as client:
                client.send(text)
                client.socket.settimeout(3)
                try:
                    client.rest()
                except socket.timeout:
                    pass
        self.shared.login("alice").logout()
