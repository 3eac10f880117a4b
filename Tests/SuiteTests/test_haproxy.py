"""Listeners behind a proxy that speaks the PROXY protocol: `haproxy = yes` (operations.md 17)."""

import re
import socket
import struct
import time

import culver
import imap
from suite import SharedCase, only_culver

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def binary(source="192.0.2.7", target="203.0.113.1", ports=(50000, 143), command=0x21, values=b""):
    """A header of version 2."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    payload = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack("!HH", *ports) + values
    return SIGNATURE + bytes([command, 0x21 if ":" in source else 0x11]) + struct.pack("!H", len(payload)) + payload


def value(kind, content):
    return struct.pack("!BH", kind, len(content)) + content


TLS = value(0x20, b"\x01\0\0\0\0" + value(0x21, b"TLSv1.3"))


class Proxied(imap.Client):
    """A client whose proxy speaks first."""

    def __init__(self, port, header, tls=False, **arguments):
        super().__init__(port, greeting=False, **arguments)
        for piece in header if isinstance(header, list) else [header]:
            self.send(piece)
            if isinstance(header, list):
                time.sleep(0.05)
        if tls:
            self._wrap()
        self.greeting = self.line()


@only_culver
class HAProxy(SharedCase):
    @classmethod
    def make(cls, trusted="127.0.0.1", **settings):
        server = culver.Instance(users=("alice", "bob"))
        server.proxy_port, server.proxy_tls_port = server.ports.take(), server.ports.take()
        server.settings.update({"haproxy_trusted_networks": trusted, "haproxy_timeout": "1s", "disable_plaintext_auth": "yes",
                                "auth_verbose": "yes"}, **settings)
        server.services = {"imap-login": {
            "inet_listener proxied": {"port": server.proxy_port, "haproxy": "yes"},
            "inet_listener proxieds": {"port": server.proxy_tls_port, "haproxy": "yes", "ssl": "yes"}}}
        server.write_config()
        return server

    @classmethod
    def setUpClass(cls):
        cls.shared = cls.make().start()

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def who(self):
        return [row for row in self.shared.table("who") if row["username"] == "bob"]

    def refused(self, header, pattern, server=None, then=b""):
        server = server or self.shared
        mark = server.mark()
        client = imap.Client(server.proxy_port, greeting=False)
        client.send(header + then)
        self.assertEqual(client.rest(), b"")
        client.close()
        server.wait_for_log(pattern, 5, mark)

    def test_both_versions_tell_the_clients_address(self):
        cases = [(b"PROXY TCP4 192.0.2.7 203.0.113.1 50000 143\r\n", "192.0.2.7", "203.0.113.1"),
                 (b"PROXY TCP6 2001:DB8:0::7 2001:db8::1 50000 143\r\n", "2001:db8::7", "2001:db8::1"),
                 (binary(), "192.0.2.7", "203.0.113.1"), (binary("2001:db8::7", "2001:db8::1"), "2001:db8::7", "2001:db8::1")]
        for header, remote, local in cases:
            for pieces in (header, [header[:3], header[3:20], header[20:]]):
                with self.subTest(remote=remote, header=header):
                    mark = self.shared.mark()
                    client = Proxied(self.shared.proxy_tls_port, pieces, tls=True)
                    self.assertTrue(client.greeting.startswith(b"* OK"))
                    self.assertEqual(client.login("bob").word, "OK")
                    self.shared.wait_for_log(r"Login: user=<bob>, method=PLAIN, rip=%s, lip=%s, .*TLS" % (remote, local), 5, mark)
                    self.assertIn(remote, str(self.who()))
                    client.logout()

    def test_unencrypted_clients_of_a_proxy_on_this_host_are_not_secured(self):
        client = Proxied(self.shared.proxy_port, binary())
        self.assertIn(b"LOGINDISABLED", client.greeting)
        self.assertIn(b"STARTTLS", client.greeting)
        self.assertIn("PRIVACYREQUIRED", client.login("alice").text)
        client.ok("STARTTLS")
        client._wrap()
        self.assertEqual(client.login("alice").word, "OK")
        client.logout()

    def test_tls_that_the_proxy_ended_counts(self):
        mark = self.shared.mark()
        client = Proxied(self.shared.proxy_port, binary(values=TLS))
        self.assertIn(b"AUTH=PLAIN", client.greeting)
        self.assertNotIn(b"STARTTLS", client.greeting)
        self.assertEqual(client.login("alice").word, "OK")
        self.shared.wait_for_log(r"Login: user=<alice>, .*rip=192\.0\.2\.7, .*TLS", 5, mark)
        client.logout()

    def test_a_proxy_that_speaks_for_itself_keeps_the_real_addresses(self):
        for header in (b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN 1.2.3.4 5.6.7.8 1 2\r\n", binary(command=0x20),
                       SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + b"/" * 216):
            with self.subTest(header):
                mark = self.shared.mark()
                client = Proxied(self.shared.proxy_port, header)
                self.assertEqual(client.login("alice").word, "OK")
                self.shared.wait_for_log(r"Login: user=<alice>, .*rip=127\.0\.0\.1, lip=127\.0\.0\.1", 5, mark)
                client.logout()

    def test_what_follows_the_header_in_one_packet_is_the_clients(self):
        for header in (binary(values=TLS), b"PROXY UNKNOWN\r\n"):
            client = Proxied(self.shared.proxy_port, header + b"x NOOP\r\ny LOGIN alice secret\r\nz NOOP\r\n")
            self.assertEqual([client.line()[:4] for _ in range(3)], [b"x OK", b"y OK", b"z OK"])
            client.logout()

    def test_wrong_headers_end_the_connection_with_a_reason(self):
        self.refused(b"PROXY TCP4 192.0.2.7 203.0.113.1 50000 99999\r\n", r"haproxy: invalid PROXY header \(v1\): a port .*rip=127\.0\.0\.1")
        self.refused(binary(command=0x25), r"haproxy: invalid PROXY header \(v2\): unknown command 5 \(rip=127\.0\.0\.1")
        self.refused(b"a LOGIN alice secret\r\n", r"haproxy: no PROXY header: .*listener=proxied\)")
        self.refused(b"\x16\x03\x01" + b"\0" * 40, r"haproxy: no PROXY header")

    def test_a_slow_proxy_is_given_up(self):
        for part in (b"", b"PROXY TCP4 192", binary()[:20]):
            start = time.monotonic()
            self.refused(part, r"haproxy: Client timed out: .*1000 ms .*rip=127\.0\.0\.1")
            self.assertTrue(0.8 < time.monotonic() - start < 4)

    def test_the_users_limit_counts_clients_and_not_the_proxy(self):
        clients = [Proxied(self.shared.proxy_port, binary("192.0.2.%d" % (20 + index % 3), values=TLS)) for index in range(15)]
        self.assertEqual({client.login("bob").word for client in clients}, {"OK"})
        self.assertEqual(set(re.findall(r"192\.0\.2\.2\d", str(self.who()))), {"192.0.2.20", "192.0.2.21", "192.0.2.22"})
        for client in clients:
            client.close()

    def test_others_may_not_say_who_their_client_is(self):
        with self.make(trusted="192.0.2.0/24", mail_max_userip_connections="3") as server:
            self.refused(binary(), r"haproxy: Client not trusted: .*haproxy_trusted_networks \(rip=127\.0\.0\.1", server)
