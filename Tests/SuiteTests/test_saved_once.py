"""A message is parsed once, while it is saved: what the index keeps of it needs no look at its file."""

import os
import re
import subprocess
import tempfile

from suite import SharedCase, needs

MULTIPART = (b"From: Ann <a@b.c>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 2 Nov 2020 10:00:00 +0000\r\n"
             b"Message-ID: <1@b.c>\r\nReferences: <0@b.c>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n"
             b"--cut\r\n\r\nHello there\r\n--cut\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
             + b"AAAA" * 19 + b"\r\n--cut--\r\n")
PLAIN = b"From: c@d.e\r\nSubject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nIn-Reply-To: <1@b.c>\r\n\r\nThanks\r\n"
ASKED = ("FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[HEADER.FIELDS (FROM SUBJECT REFERENCES)])", "SORT (SUBJECT FROM REVERSE DATE) UTF-8 ALL",
         "THREAD REFERENCES UTF-8 ALL", 'SEARCH SUBJECT "gr\u00fc\u00dfe" FROM "a@b"', "SEARCH SENTON 2-Nov-2020")


@needs("strace")
class SavedOnce(SharedCase):
    def workers(self):
        return [p.pid for p in self.shared.processes() if re.search(r"/imap .*alice", p.title)]

    def opened(self, client, commands):
        """What the session's process opened while it ran these commands, and what it answered."""
        with tempfile.TemporaryDirectory(prefix="culver-strace-") as folder:
            path = os.path.join(folder, "trace")
            pids = [argument for pid in self.workers() for argument in ("-p", str(pid))]
            self.assertTrue(pids)
            strace = subprocess.Popen(["strace", "-f", "-qq", "-s", "300", "-e", "trace=open,openat,openat2", "-o", path, *pids])
            try:
                self.until(lambda: all("TracerPid:\t0" not in open("/proc/%s/status" % pid).read() for pid in pids[1::2]), "strace watches")
                answers = [self.assertOK(client.command(text.encode())) for text in commands]
            finally:
                strace.terminate()
                strace.wait()
            with open(path) as file:
                return file.read(), answers

    def test_nothing_is_opened_after_append(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        self.assertOK(client.append(MULTIPART, name))
        tag = client.start("APPEND %s {%d+}" % (name, len(PLAIN)))
        client.send(PLAIN + b" {%d+}\r\n" % len(MULTIPART) + MULTIPART + b"\r\n")
        self.assertOK(client.finish(tag))
        tag = client.start("APPEND %s CATENATE (TEXT {%d+}" % (name, len(PLAIN)))
        client.send(PLAIN + b")\r\n")
        self.assertOK(client.finish(tag))
        trace, answers = self.opened(client, ASKED)
        self.assertEqual(len(answers[0].lines("FETCH")), 4)
        self.assertIn(b"Hello there", answers[0].all())
        self.assertIn(b"* SORT 1 3 2 4", answers[1].all())
        self.assertNotIn("S=", trace)
        # That this is how an opened message shows:
        trace, _ = self.opened(client, ["FETCH 1 BODY.PEEK[]"])
        self.assertIn("S=", trace)

    def test_answers_are_those_of_a_message_that_was_delivered(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        for data in (MULTIPART, PLAIN):
            self.assertOK(client.append(data, name))
        saved = [self.assertOK(client.command(text.encode())).untagged for text in ASKED]
        folder = os.path.join(self.shared.maildir("alice"), "." + name)
        os.unlink(os.path.join(self.shared.maildir("alice"), "culver.index"))
        self.assertTrue(os.path.isdir(folder))
        with self.login() as other:
            self.assertOK(other.command("SELECT " + name))
            self.assertEqual([self.assertOK(other.command(text.encode())).untagged for text in ASKED], saved)

    def test_nothing_is_opened_after_copy_and_move(self):
        client = self.login()
        first, second, third = (self.fresh_mailbox(client) for _ in range(3))
        for data in (MULTIPART, PLAIN) * 20:
            self.assertOK(client.append(data, first))
        self.assertOK(client.command("SELECT " + first))
        # A field that is not among the common ones is kept once somebody asked for it.
        commands = (*ASKED, "SEARCH HEADER X-MINE a")
        original = [self.assertOK(client.command(text.encode())).untagged for text in commands]
        self.assertOK(client.command("COPY 1:* " + second))
        self.assertOK(client.command("SELECT " + second))
        trace, answers = self.opened(client, commands)
        self.assertNotIn("S=", trace)
        self.assertEqual([answer.untagged for answer in answers], original)
        self.assertOK(client.command("MOVE 1:* " + third))
        self.assertOK(client.command("SELECT " + third))
        trace, answers = self.opened(client, commands)
        self.assertNotIn("S=", trace)
        self.assertEqual([answer.untagged for answer in answers], original)

    def test_list_status_opens_no_mailbox(self):
        client = self.login()
        names = [self.fresh_mailbox(client, count=number % 3) for number in range(6)]
        text = 'LIST "" "Box*" RETURN (STATUS (MESSAGES UNSEEN SIZE))'
        first = self.assertOK(client.command(text)).untagged
        trace, answers = self.opened(client, [text])
        self.assertEqual(answers[0].untagged, first)
        self.assertNotIn(".Box", trace)
        # What others bring is seen all the same, and one that is a link is none of ours.
        with open(os.path.join(self.shared.maildir("alice"), "." + names[0], "new", "1.other.host"), "wb") as file:
            file.write(PLAIN)
        os.symlink("." + names[1], os.path.join(self.shared.maildir("alice"), ".BoxLink"))
        after = self.assertOK(client.command(text))
        self.assertIn(b"STATUS %s (MESSAGES 1 " % names[0].encode(), after.all())
        self.assertNotIn(b"BoxLink", after.all())
        self.assertNO(client.command("STATUS BoxLink (MESSAGES)"))
        os.unlink(os.path.join(self.shared.maildir("alice"), ".BoxLink"))
