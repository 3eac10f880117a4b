"""A small IMAP client that shows every byte: the tests check exactly what the server says."""

import base64
import re
import socket
import ssl


class Closed(Exception):
    """The server closed the connection."""


class Reply:
    """Everything up to and including the tagged line of one command."""

    def __init__(self, untagged, tagged):
        self.untagged = untagged  # lines without CRLF, literals in place
        self.tagged = tagged

    @property
    def word(self):
        """OK, NO or BAD."""
        return self.tagged.split(b" ")[1].decode()

    @property
    def text(self):
        return self.tagged.split(b" ", 2)[2].decode("utf-8", "replace")

    def lines(self, name):
        """Untagged lines of this kind: `* NAME …` or `* 12 NAME …`, without the star."""
        pattern = re.compile(rb"^\* (\d+ )?" + name.encode() + rb"( |$)", re.I)
        return [line[2:] for line in self.untagged if pattern.match(line)]

    def all(self):
        return b"\r\n".join(self.untagged + [self.tagged])

    def __repr__(self):
        return repr(self.all())


class Client:
    """One connection. `tls` is None, "implicit" or "starttls"."""

    def __init__(self, port, host="127.0.0.1", tls=None, timeout=20, source=None, greeting=True, session=None):
        self.socket = socket.create_connection((host, port), timeout, source_address=(source, 0) if source else None)
        self.socket.settimeout(timeout)
        self.buffer = b""
        self.count = 0
        self.greeting = None
        self.session = session
        if tls == "implicit":
            self._wrap()
        if greeting:
            self.greeting = self.line()
        if tls == "starttls":
            reply = self.command("STARTTLS")
            if reply.word != "OK":
                raise AssertionError("STARTTLS: %r" % reply)
            self._wrap()

    def _wrap(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    # Bytes

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """One line without its CRLF; a literal is part of the line that announces it."""
        whole = b""
        while True:
            while b"\n" not in self.buffer:
                self._fill()
            part, self.buffer = self.buffer.split(b"\n", 1)
            whole += part + b"\n"
            announced = re.search(rb"\{(\d+)\}\r?\n$", whole)
            if not announced:
                return whole[:-2] if whole.endswith(b"\r\n") else whole[:-1]
            size = int(announced.group(1))
            parts, have = [self.buffer], len(self.buffer)
            while have < size:
                self.buffer = b""
                self._fill()
                parts.append(self.buffer)
                have += len(self.buffer)
            data = b"".join(parts)
            whole += data[:size]
            self.buffer = data[size:]

    def _fill(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def rest(self):
        """Everything until the server closes."""
        try:
            while True:
                self._fill()
        except (Closed, ConnectionResetError):
            data, self.buffer = self.buffer, b""
            return data

    # Commands

    def tag(self):
        self.count += 1
        return b"a%d" % self.count

    def start(self, text):
        """Sends a command and returns its tag."""
        tag = self.tag()
        self.send(tag + b" " + (text.encode() if isinstance(text, str) else text) + b"\r\n")
        return tag

    def finish(self, tag):
        untagged = []
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                return Reply(untagged, line)
            untagged.append(line)

    def command(self, text):
        return self.finish(self.start(text))

    def ok(self, text):
        reply = self.command(text)
        if reply.word != "OK":
            raise AssertionError("%s: %r" % (text, reply))
        return reply

    def literal(self, before, data, after=b""):
        """A command with one synchronising literal: `before {n}` + data + after."""
        tag = self.tag()
        self.send(tag + b" " + before.encode() + b" {%d}\r\n" % len(data))
        line = self.line()
        untagged = []
        while not line.startswith(b"+"):
            if line.startswith(tag + b" "):
                return Reply(untagged, line)
            untagged.append(line)
            line = self.line()
        self.send(data + after + b"\r\n")
        reply = self.finish(tag)
        reply.untagged[:0] = untagged
        return reply

    def login(self, user="alice", password="secret"):
        return self.command('LOGIN "%s" "%s"' % (user, password))

    def plain(self, user="alice", password="secret"):
        secret = base64.b64encode(b"\0%s\0%s" % (user.encode(), password.encode())).decode()
        return self.command("AUTHENTICATE PLAIN " + secret)

    def append(self, message, mailbox="INBOX", arguments=""):
        return self.literal("APPEND %s%s" % (mailbox, " " + arguments if arguments else ""), message)

    def logout(self):
        reply = self.command("LOGOUT")
        self.close()
        return reply

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
