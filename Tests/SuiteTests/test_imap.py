"""The commands of IMAP as a client sees them."""

import re
import socket
import threading
import time

from suite import SharedCase, limit, message, only_culver

MULTIPART = (
    b"From: \"Carol C.\" <carol@example.org>\r\nSender: boss@example.org\r\nReply-To: reply@example.org\r\n"
    b"To: alice@example.org, Bob <bob@example.org>\r\nCc: team: dave@example.org, eve@example.org;\r\n"
    b"Date: Fri, 20 Nov 2026 09:15:00 +0100\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <one@example.org>\r\n"
    b"In-Reply-To: <zero@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
    b"preamble\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello.\r\nSecond line.\r\n"
    b"--=_b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--=_b--\r\nepilogue\r\n")


class Mailboxes(SharedCase):
    def test_selects_inbox_with_all_it_must_say(self):
        client = self.login()
        reply = self.assertOK(client.command("SELECT INBOX"))
        text = reply.all()
        for wanted in (rb"\* FLAGS \(", rb"\* OK \[PERMANENTFLAGS \(.*\\\*\)\]", rb"\* \d+ EXISTS", rb"\* OK \[UIDVALIDITY \d+\]",
                       rb"\* OK \[UIDNEXT \d+\]", rb"OK \[READ-WRITE\]"):
            self.assertRegex(text, wanted)
        reply = self.assertOK(client.command("EXAMINE INBOX"))
        self.assertIn("[READ-ONLY]", reply.text)
        self.assertNO(client.command("STORE 1:* +FLAGS (\\Seen)")) if b" 0 EXISTS" not in reply.all() else None

    def test_refuses_what_does_not_exist(self):
        client = self.login()
        self.assertNO(client.command("SELECT Nowhere"))
        self.assertNO(client.command("STATUS Nowhere (MESSAGES)"))
        self.assertNO(client.command("DELETE Nowhere"))
        self.assertNO(client.command("RENAME Nowhere Somewhere"))
        self.assertNO(client.append(message(), "Nowhere"), "TRYCREATE")
        self.assertEqual(client.command("FETCH 1 FLAGS").word, "BAD")

    def test_creates_lists_renames_and_deletes(self):
        client = self.login()
        name = "Tree%d" % time.monotonic_ns()
        separator = re.search(rb'LIST \([^)]*\) "(.)"', client.command('LIST "" ""').all()).group(1).decode()
        deep = separator.join((name, "sub", "deep"))
        self.assertOK(client.command('CREATE "%s"' % deep))
        self.assertNO(client.command('CREATE "%s"' % deep), None)
        listed = client.command('LIST "" "%s*"' % name).all().decode()
        self.assertIn(deep, listed)
        # a parent of its own, so that % has something to show
        self.assertIn(name, client.command('LIST "" "%s%%"' % name).all().decode())
        self.assertNotIn(deep, client.command('LIST "" "%s%%"' % name).all().decode())
        new = "New%d" % time.monotonic_ns()
        self.assertOK(client.command('RENAME "%s" "%s"' % (separator.join((name, "sub")), new)))
        listed = client.command('LIST "" "*"').all().decode()
        self.assertIn(separator.join((new, "deep")), listed)
        self.assertNotIn(deep, listed)
        self.assertOK(client.command('DELETE "%s"' % separator.join((new, "deep"))))
        self.assertNotIn(separator.join((new, "deep")), client.command('LIST "" "*"').all().decode())

    def test_subscribes(self):
        client = self.login()
        name = "Sub%d" % time.monotonic_ns()
        self.assertOK(client.command("CREATE " + name))
        self.assertNotIn(name.encode(), client.command('LSUB "" "*"').all())
        self.assertOK(client.command("SUBSCRIBE " + name))
        self.assertIn(name.encode(), client.command('LSUB "" "*"').all())
        self.assertOK(client.command("UNSUBSCRIBE " + name))
        self.assertNotIn(name.encode(), client.command('LSUB "" "*"').all())

    def test_inbox_has_no_case(self):
        client = self.login()
        for name in ("inbox", "InBoX", '"INBOX"'):
            self.assertOK(client.command("SELECT " + name))

    def test_keeps_names_in_modified_utf7(self):
        client = self.login()
        self.assertOK(client.command('CREATE "Entw&APw-rfe%d"' % time.monotonic_ns()))
        self.assertIn(b"Entw&APw-rfe", client.command('LIST "" "Entw*"').all())

    @only_culver
    def test_refuses_names_that_leave_the_home(self):
        client = self.login()
        for name in ("../bob", "../../bob/Maildir", "/etc/passwd", "a/../../b", "..", "a\\..\\b", "&AC4ALg-/x"):
            with self.subTest(name):
                self.assertEqual(client.command('CREATE "%s"' % name.replace("\\", "\\\\")).word, "NO")
                self.assertNotEqual(client.command('SELECT "%s"' % name.replace("\\", "\\\\")).word, "OK")

    def test_status_and_namespace(self):
        client = self.login()
        name = self.fresh_mailbox(client, 2)
        self.assertOK(client.command("CLOSE"))
        reply = self.assertOK(client.command("STATUS %s (MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY)" % name))
        text = reply.lines("STATUS")[0].decode()
        self.assertRegex(text, r"MESSAGES 2\b")
        self.assertRegex(text, r"UNSEEN 2\b")
        self.assertRegex(text, r"UIDNEXT 3\b")
        self.assertRegex(text, r"UIDVALIDITY [1-9]\d*")
        self.assertRegex(client.command("NAMESPACE").all(), rb'\* NAMESPACE \(\("" "."\)\) NIL NIL')


class Messages(SharedCase):
    def test_append_gives_back_what_it_got(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        data = message("Round trip", "Line one\r\nLine two\r\n" + "x" * 3000 + "\r\n")
        reply = self.assertOK(client.append(data, name, '(\\Seen $Label) "17-Jul-2024 02:44:25 -0700"'))
        self.assertRegex(reply.text, r"\[APPENDUID [1-9]\d* 1\]")
        reply = self.assertOK(client.command("FETCH 1 (FLAGS UID INTERNALDATE RFC822.SIZE BODY.PEEK[])"))
        text = reply.all()
        self.assertIn(data, text)
        self.assertIn(b"RFC822.SIZE %d" % len(data), text)
        self.assertIn(b"\\Seen", text)
        self.assertIn(b"$Label", text)
        self.assertIn(b'INTERNALDATE "17-Jul-2024 ', text)
        self.assertIn(b"UID 1", text)

    def test_fetches_sections_and_partials(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        self.assertOK(client.append(MULTIPART, name))
        self.assertOK(client.command("NOOP"))

        def part(item):
            reply = self.assertOK(client.command("FETCH 1 (%s)" % item))
            match = re.search(rb"\{(\d+)\}\r\n", reply.all())
            return reply.all()[match.end():match.end() + int(match.group(1))] if match else \
                re.search(rb'"(.*)"', reply.lines("FETCH")[0]).group(1)
        self.assertEqual(part("BODY.PEEK[]"), MULTIPART)
        self.assertEqual(part("BODY.PEEK[HEADER]") + part("BODY.PEEK[TEXT]"), MULTIPART)
        self.assertEqual(part("BODY.PEEK[1]"), b"Hello.\r\nSecond line.")
        self.assertEqual(part("BODY.PEEK[2]"), b"SGVsbG8=")
        self.assertIn(b"application/pdf", part("BODY.PEEK[2.MIME]"))
        self.assertEqual(part("BODY.PEEK[]<5.10>"), MULTIPART[5:15])
        self.assertEqual(part("BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)]"),
                         b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <one@example.org>\r\n\r\n")
        self.assertNotIn(b"Subject", part("BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]"))
        self.assertEqual(part("RFC822.HEADER"), part("BODY.PEEK[HEADER]"))

    def test_envelope_and_bodystructure(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        self.assertOK(client.append(MULTIPART, name))
        reply = self.assertOK(client.command("FETCH 1 ENVELOPE"))
        text = reply.all().decode()
        self.assertIn('ENVELOPE ("Fri, 20 Nov 2026 09:15:00 +0100" "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" '
                      '(("Carol C." NIL "carol" "example.org")) ((NIL NIL "boss" "example.org")) ((NIL NIL "reply" "example.org")) '
                      '((NIL NIL "alice" "example.org")("Bob" NIL "bob" "example.org")) '
                      '((NIL NIL "team" NIL)(NIL NIL "dave" "example.org")(NIL NIL "eve" "example.org")(NIL NIL NIL NIL)) '
                      'NIL "<zero@example.org>" "<one@example.org>")', text)
        reply = self.assertOK(client.command("FETCH 1 BODYSTRUCTURE"))
        text = reply.all().decode()
        self.assertRegex(text, re.compile(
            r'BODYSTRUCTURE \(\("text" "plain" \("charset" "utf-8"\) NIL NIL "8bit" 20 1 NIL NIL NIL NIL\)'
            r'\("application" "pdf" \("name" "a\.pdf"\) NIL NIL "base64" 8 NIL \("attachment" \("filename" "a\.pdf"\)\) NIL NIL\) '
            r'"mixed" \("boundary" "=_b"\) NIL NIL NIL\)', re.I))
        reply = self.assertOK(client.command("FETCH 1 BODY"))
        self.assertRegex(reply.all().decode(), re.compile(
            r'BODY \(\("text" "plain" \("charset" "utf-8"\) NIL NIL "8bit" 20 1\)\("application" "pdf" \("name" "a\.pdf"\) NIL NIL "base64" 8\) "mixed"\)',
            re.I))

    def test_peek_leaves_and_body_sets_seen(self):
        client = self.login()
        self.fresh_mailbox(client, 1)
        self.assertOK(client.command("FETCH 1 BODY.PEEK[]"))
        self.assertNotIn(b"\\Seen", client.command("FETCH 1 FLAGS").all())
        self.assertOK(client.command("FETCH 1 BODY[]"))
        self.assertIn(b"\\Seen", client.command("FETCH 1 FLAGS").all())

    def test_macros(self):
        client = self.login()
        self.fresh_mailbox(client, 1)
        for macro, items in (("ALL", ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE")), ("FAST", ("FLAGS", "INTERNALDATE", "RFC822.SIZE")),
                             ("FULL", ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"))):
            text = self.assertOK(client.command("FETCH 1 " + macro)).all().decode()
            for item in items:
                self.assertIn(item, text)

    def test_stores_flags_and_keywords(self):
        client = self.login()
        self.fresh_mailbox(client, 3)
        reply = self.assertOK(client.command("STORE 1:2 +FLAGS (\\Flagged \\Answered Work)"))
        self.assertEqual(len(reply.lines("FETCH")), 2)
        reply = self.assertOK(client.command("STORE 2 -FLAGS.SILENT (\\Answered)"))
        self.assertEqual(reply.lines("FETCH"), [])
        text = client.command("FETCH 2 FLAGS").all()
        self.assertIn(b"\\Flagged", text)
        self.assertIn(b"Work", text)
        self.assertNotIn(b"\\Answered", text)
        self.assertOK(client.command("STORE 3 FLAGS (\\Draft)"))
        self.assertRegex(client.command("FETCH 3 FLAGS").all(), rb"FLAGS \((\\Draft( \\Recent)?|\\Recent \\Draft)\)")
        self.assertOK(client.command("UID STORE 1 FLAGS ()"))

    def test_flags_survive_the_session(self):
        client = self.login()
        name = self.fresh_mailbox(client, 2)
        self.assertOK(client.command("STORE 2 +FLAGS (\\Flagged Later)"))
        client.logout()
        client = self.login()
        self.assertOK(client.command("SELECT " + name))
        text = client.command("FETCH 2 (UID FLAGS)").all()
        self.assertIn(b"\\Flagged", text)
        self.assertIn(b"Later", text)
        self.assertIn(b"UID 2", text)

    def test_copies_moves_and_expunges(self):
        client = self.login()
        target = self.fresh_mailbox(client)
        self.fresh_mailbox(client, 4)
        reply = self.assertOK(client.command("COPY 1:2 %s" % target))
        self.assertRegex(reply.text, r"\[COPYUID [1-9]\d* 1:2 1:2\]")
        reply = self.assertOK(client.command("MOVE 3 %s" % target))
        self.assertRegex(reply.all(), rb"COPYUID [1-9]\d* 3 3\]")
        self.assertIn(b"* 3 EXPUNGE", reply.all())
        self.assertOK(client.command("UID STORE 1 +FLAGS.SILENT (\\Deleted)"))
        self.assertOK(client.command("STORE 3 +FLAGS.SILENT (\\Deleted)"))
        reply = self.assertOK(client.command("UID EXPUNGE 4"))
        self.assertEqual(reply.lines("EXPUNGE"), [b"3 EXPUNGE"])
        reply = self.assertOK(client.command("EXPUNGE"))
        self.assertEqual(reply.lines("EXPUNGE"), [b"1 EXPUNGE"])
        self.assertRegex(client.command("UID SEARCH ALL").all(), rb"\* SEARCH 2\r\n")
        self.assertRegex(client.command("STATUS %s (MESSAGES)" % target).all(), rb"MESSAGES 3")
        self.assertNO(client.command("COPY 1 Nowhere"), "TRYCREATE")

    def test_close_expunges_and_unselect_does_not(self):
        client = self.login()
        name = self.fresh_mailbox(client, 2)
        self.assertOK(client.command("STORE 1 +FLAGS (\\Deleted)"))
        self.assertOK(client.command("UNSELECT"))
        self.assertRegex(client.command("STATUS %s (MESSAGES)" % name).all(), rb"MESSAGES 2")
        self.assertOK(client.command("SELECT " + name))
        reply = self.assertOK(client.command("CLOSE"))
        self.assertEqual(reply.lines("EXPUNGE"), [])
        self.assertRegex(client.command("STATUS %s (MESSAGES)" % name).all(), rb"MESSAGES 1")

    def test_uids_are_never_used_twice(self):
        client = self.login()
        name = self.fresh_mailbox(client, 3)
        self.assertOK(client.command("STORE 3 +FLAGS (\\Deleted)"))
        self.assertOK(client.command("EXPUNGE"))
        client.logout()
        client = self.login()
        self.assertRegex(self.assertOK(client.append(message(), name)).text, r"\[APPENDUID \d+ 4\]")

    def test_searches(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        self.assertOK(client.append(message("Apples", "red fruit\r\n"), name, '(\\Seen) "01-Jan-2024 10:00:00 +0000"'))
        self.assertOK(client.append(message("Pears", "green fruit\r\n", sender="Dave <dave@example.net>"), name, '(\\Flagged Kw)'))
        self.assertOK(client.append(message("Plums", "x" * 5000 + "\r\n"), name, '(\\Deleted)'))
        self.assertOK(client.command("NOOP"))
        for query, found in (
            ("ALL", "1 2 3"), ("SEEN", "1"), ("UNSEEN", "2 3"), ("FLAGGED", "2"), ("DELETED", "3"), ("UNDELETED", "1 2"), ("KEYWORD Kw", "2"),
            ("UNKEYWORD Kw", "1 3"), ("SUBJECT apples", "1"), ("FROM dave", "2"), ("TO alice", "1 2 3"), ("BODY green", "2"),
            ("TEXT FRUIT", "1 2"), ("LARGER 4000", "3"), ("SMALLER 4000", "1 2"), ("BEFORE 1-Feb-2024", "1"), ("SINCE 1-Feb-2024", "2 3"),
            ("ON 1-Jan-2024", "1"), ("SENTON 20-Nov-2026", "1 2 3"), ("HEADER Subject plu", "3"), ("NOT SEEN", "2 3"), ("OR SEEN FLAGGED", "1 2"),
            ("2:3 UNFLAGGED", "3"), ("UID 1:2", "1 2"), ("(SEEN SUBJECT apples)", "1"), ("ANSWERED", ""), ("CHARSET UTF-8 SUBJECT Pears", "2"),
        ):
            with self.subTest(query):
                reply = self.assertOK(client.command("SEARCH " + query))
                self.assertEqual(reply.lines("SEARCH")[0].decode().split()[1:], found.split())
        self.assertNO(client.command("SEARCH CHARSET X-UNKNOWN SUBJECT a"), "BADCHARSET")

    def test_saves_nothing_of_an_interrupted_append(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        second = self.login()
        second.send(b"x APPEND %s {1000}\r\n" % name.encode())
        self.assertTrue(second.line().startswith(b"+"))
        second.send(b"Subject: half")
        second.close()
        time.sleep(0.3)
        self.assertRegex(client.command("NOOP").all(), rb"OK")
        self.assertRegex(client.command("STATUS %s (MESSAGES)" % name).all(), rb"MESSAGES 0")


class Syntax(SharedCase):
    def test_answers_bad_to_what_is_wrong_and_goes_on(self):
        client = self.login()
        self.assertOK(client.command("SELECT INBOX"))
        for wrong in ("FETCH", "FETCH 0 FLAGS", "FETCH 1 NONSENSE", "FETCH 1 (FLAGS", "STORE 1 FLAGS", "SEARCH FROM", "NOSUCHCOMMAND", "SELECT",
                      "UID", "UID NOSUCH", "FETCH 99999999999 FLAGS", "LIST", "STATUS INBOX ()"):
            with self.subTest(wrong):
                self.assertEqual(client.command(wrong).word, "BAD")
                self.assertOK(client.command("NOOP"))

    def test_accepts_bare_line_feeds(self):
        with self.shared.client() as client:
            client.send(b"a LOGIN alice secret\nb NOOP\nc LOGOUT\n")
            self.assertIn(b"c OK", client.rest())

    def test_quotes_and_literals_are_the_same(self):
        client = self.login()
        self.assertOK(client.command("CREATE Quo%d" % time.monotonic_ns()))
        self.assertOK(client.literal("STATUS", b"INBOX", b" (MESSAGES)"))
        self.assertOK(client.command('STATUS "INBOX" (MESSAGES)'))
        client.send(b"x STATUS {5+}\r\nINBOX (MESSAGES)\r\n")
        self.assertOK(client.finish(b"x"))

    def test_answers_what_comes_byte_by_byte(self):
        client = self.login()
        for byte in b"slow STATUS INBOX (MESSAGES)\r\n":
            client.send(bytes([byte]))
        self.assertOK(client.finish(b"slow"))

    def test_pipelined_commands_are_answered_in_order(self):
        client = self.login()
        client.send(b"".join(b"p%d NOOP\r\n" % number for number in range(300)))
        for number in range(300):
            self.assertOK(client.finish(b"p%d" % number))

    def test_ends_after_twenty_bad_commands(self):
        client = self.login()
        client.send(b"x nonsense\r\n" * 25)
        self.assertIn(b"* BYE", client.rest())


class Idle(SharedCase):
    def test_tells_what_another_session_appends_and_expunges(self):
        first, second = self.login(), self.login()
        name = self.fresh_mailbox(first, 1)
        tag = first.start("IDLE")
        self.assertTrue(first.line().startswith(b"+"))
        self.assertOK(second.append(message("New"), name))
        self.assertEqual(self.line_like(first, rb"EXISTS"), b"* 2 EXISTS")
        self.assertOK(second.command("SELECT " + name))
        self.assertOK(second.command("STORE 1 +FLAGS (\\Flagged)"))
        self.assertRegex(self.line_like(first, rb"FETCH"), rb"\* 1 FETCH \(.*\\Flagged")
        self.assertOK(second.command("STORE 1 +FLAGS (\\Deleted)"))
        self.assertOK(second.command("EXPUNGE"))
        self.assertEqual(self.line_like(first, rb"EXPUNGE"), b"* 1 EXPUNGE")
        first.send(b"DONE\r\n")
        self.assertOK(first.finish(tag))

    def line_like(self, client, pattern):
        while True:
            line = client.line()
            if re.search(pattern, line):
                return line

    def test_tells_what_is_delivered(self):
        client = self.login("bob")
        self.assertOK(client.command("SELECT INBOX"))
        tag = client.start("IDLE")
        client.line()
        done = self.shared.deliver("bob", message("Delivered"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.line_like(client, rb"EXISTS")
        client.send(b"DONE\r\n")
        self.assertOK(client.finish(tag))

    def test_noop_tells_too(self):
        first, second = self.login(), self.login()
        name = self.fresh_mailbox(first, 1)
        self.assertOK(second.append(message("New"), name))
        self.assertIn(b"* 2 EXISTS", first.command("NOOP").all())

    @limit(120)
    def test_many_writers_lose_nothing(self):
        name = self.fresh_mailbox(self.login())
        problems = []

        def write(number):
            try:
                client = self.shared.login("alice")
                for index in range(10):
                    reply = client.append(message("Writer %d/%d" % (number, index)), name)
                    if reply.word != "OK":
                        problems.append(reply)
                client.logout()
            except Exception as error:
                problems.append(error)
        threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        client = self.login()
        self.assertOK(client.command("SELECT " + name))
        uids = client.command("UID SEARCH ALL").lines("SEARCH")[0].split()[1:]
        self.assertEqual(len(uids), 60)
        self.assertEqual(len(set(uids)), 60)


class AnswersThatWait(SharedCase):
    def test_a_client_that_does_not_read_harms_nobody(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        self.assertOK(client.append(message("Big", "y" * 70 + "\r\n" + "z" * 2_000_000 + "\r\n"), name))
        lazy = self.login()
        lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.assertOK(lazy.command("SELECT " + name))
        for _ in range(4):
            tag = lazy.start("FETCH 1 BODY.PEEK[]")
        time.sleep(0.3)
        self.assertOK(client.command("NOOP"))
        self.assertOK(lazy.finish(tag))
