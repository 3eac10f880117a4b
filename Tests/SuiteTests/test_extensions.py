"""Extensions of IMAP through the real processes: compression inside of TLS, and clients that use them."""

import os
import subprocess
import zlib

from imap import Client
from suite import SharedCase, needs, only_culver


class Deflated:
    """A socket's place in a client after COMPRESS=DEFLATE."""

    def __init__(self, socket):
        self.socket = socket
        self.compressor = zlib.compressobj(wbits=-15)
        self.decompressor = zlib.decompressobj(wbits=-15)
        self.received = 0
        self.shown = 0

    def sendall(self, data):
        self.socket.sendall(self.compressor.compress(data) + self.compressor.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, size):
        while True:
            data = self.socket.recv(size)
            self.received += len(data)
            if not data:
                return data
            plain = self.decompressor.decompress(data)
            self.shown += len(plain)
            if plain:
                return plain

    def close(self):
        self.socket.close()


@only_culver
class Extensions(SharedCase):
    def compressed(self, tls):
        client = Client(self.shared.imaps_port if tls else self.shared.imap_port, tls="implicit" if tls else None)
        self.addCleanup(client.close)
        client.ok("LOGIN alice secret")
        client.ok("COMPRESS DEFLATE")
        client.socket = Deflated(client.socket)
        return client

    def exercise(self, client):
        name = self.fresh_mailbox(client)
        text = b"Subject: large\r\n\r\n" + b"the same line again and again\r\n" * 20000
        self.assertOK(client.append(text, name))
        reply = self.assertOK(client.command("FETCH 1 BODY.PEEK[]"))
        self.assertIn(text, reply.untagged[-1])
        self.assertLess(client.socket.received * 20, client.socket.shown)
        self.assertEqual(client.command("COMPRESS DEFLATE").word, "NO")
        self.assertOK(client.command("NOOP"))

    def test_compress_without_tls(self):
        self.exercise(self.compressed(False))

    def test_compress_inside_of_tls(self):
        self.exercise(self.compressed(True))

    def test_revision_2_in_a_real_session(self):
        client = self.login()
        self.assertIn(b"IMAP4rev2", client.ok("CAPABILITY").all())
        name = self.fresh_mailbox(client, 3)
        client.ok("UNSELECT")
        self.assertIn(b"* ENABLED IMAP4rev2", client.ok("ENABLE IMAP4rev2").all())
        reply = client.ok("SELECT %s" % name)
        self.assertEqual(reply.lines("RECENT"), [])
        self.assertEqual(len(reply.lines("LIST")), 1)
        self.assertIn(b"ALL 1:3", client.ok("SEARCH ALL").untagged[0])

    @needs("curl")
    def test_curl_reads_a_decoded_part(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        self.assertOK(client.append(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nZ3LDvMOfZQ==\r\n", name))
        done = subprocess.run(
            ["curl", "-sv", "--user", "alice:secret", "imap://127.0.0.1:%d/%s" % (self.shared.imap_port, name), "-X", "FETCH 1 BINARY.PEEK[1]"],
            capture_output=True, timeout=20)
        self.assertEqual(done.returncode, 0)
        self.assertIn("BINARY[1] {7}", (done.stdout + done.stderr).decode("utf-8", "replace"))
        self.assertTrue(os.path.isdir(self.shared.maildir("alice")))
