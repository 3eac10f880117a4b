"""Exactness: RFC 9051 and RFC 3501 command by command, as a table of what is said and what is answered.

Each scene is a session of its own with the mailboxes that it makes. A row is a command, the beginning of its tagged answer, and what its untagged
lines have to match, in this order and without others; None leaves them open."""

import re

from suite import SharedCase, message, only_culver

SAVED = r"\[APPENDUID \d+ \d+\] "

# name: (rows before which nothing is selected)
SCENES = {
    "without a mailbox": [
        ("FETCH 1 FLAGS", "BAD", []),
        ("UID FETCH 1 FLAGS", "BAD", []),
        ("STORE 1 +FLAGS (\\Seen)", "BAD", []),
        ("SEARCH ALL", "BAD", []),
        ("COPY 1 INBOX", "BAD", []),
        ("EXPUNGE", "BAD", []),
        ("CLOSE", "BAD", []),
        ("UNSELECT", "BAD", []),
        ("CHECK", "BAD", []),
        ("NOOP", "OK NOOP", []),
        ("noop", "OK", []),
        ("LOGIN a b", "BAD", []),
        ("STARTTLS", "BAD", []),
        ("AUTHENTICATE PLAIN", "BAD", []),
        ("UNAUTHENTICATE", "BAD", []),
        ("NONSENSE", "BAD", []),
        ("CAPABILITY x", "BAD", []),
        ("NOOP x", "BAD", []),
    ],
    "LIST": [
        ('LIST "" ""', "OK", [r'LIST \(\\Noselect\) "\." ""']),
        ('LIST "x" ""', "OK", [r'LIST \(\\Noselect\) "\." ""']),
        ("CREATE L.a.b", "OK", []),
        ("CREATE L.c", "OK", []),
        ('LIST "" L', "OK", [r'LIST \(\\Noselect \\HasChildren\) "\." L']),
        ('LIST "" L RETURN (CHILDREN)', "OK", [r'LIST \(\\NonExistent \\HasChildren\) "\." L']),
        ('LIST "" L.%', "OK", [r'LIST \(\\Noselect \\HasChildren\) "\." L\.a', r'LIST \(\\HasNoChildren\) "\." L\.c']),
        ('LIST "" L.*', "OK", [r'LIST .* L\.a', r'LIST .* L\.a\.b', r'LIST .* L\.c']),
        ('LIST "L." %', "OK", [r'LIST .* L\.a', r'LIST .* L\.c']),
        ('LIST "" *.b', "OK", [r'LIST .* L\.a\.b']),
        ('LIST "" inbox', "OK", [r'LIST .* INBOX']),
        ('LIST "" InBoX', "OK", [r'LIST .* INBOX']),
        ('LIST "" "%"', "OK", None),
        ('LIST "" nothing', "OK", []),
        ('LIST "" (L.c inbox)', "OK", [r'LIST .* INBOX', r'LIST .* L\.c']),
        ('LIST () "" L.c', "OK", [r'LIST .* L\.c']),
        ('LIST (RECURSIVEMATCH) "" *', "BAD", []),
        ('LIST (REMOTE) "" L.c', "OK", [r'LIST .* L\.c']),
        ('LIST (UNKNOWN) "" *', "BAD", []),
        ('LIST "" * RETURN (UNKNOWN)', "BAD", []),
        ("LIST \"\" {3+}\r\nL.c", "OK", [r'LIST .* L\.c']),
        ('LSUB "" *', "OK", None),
        ("SUBSCRIBE L.a.b", "OK", []),
        ('LSUB "" L.%', "OK", [r'LSUB \(\\Noselect\) "\." L\.a']),
        ('LIST (SUBSCRIBED) "" L.*', "OK", [r'LIST \(\\Subscribed \\HasNoChildren\) "\." L\.a\.b']),
        ('LIST (SUBSCRIBED RECURSIVEMATCH) "" L.%', "OK", [r'LIST \(\\NonExistent .* L\.a \("CHILDINFO" \("SUBSCRIBED"\)\)']),
        ("UNSUBSCRIBE L.a.b", "OK", []),
        ("UNSUBSCRIBE L.a.b", "OK", []),
        ("SUBSCRIBE nothing", "NO", []),
    ],
    "CREATE, DELETE, RENAME": [
        ("CREATE INBOX", r"NO \[ALREADYEXISTS\]", []),
        ("CREATE inbox", r"NO \[ALREADYEXISTS\]", []),
        ("CREATE M", r"OK \[MAILBOXID \(F[0-9a-f]+\)\]", []),
        ("CREATE M", r"NO \[ALREADYEXISTS\]", []),
        ("CREATE M.child.", r"OK", []),
        ('LIST "" M.*', "OK", [r'LIST .* M\.child']),
        ("CREATE M..x", r"NO \[CANNOT\]", []),
        ("CREATE .x", r"NO \[CANNOT\]", []),
        ('CREATE ""', r"NO \[CANNOT\]", []),
        ("CREATE &", "NO", []),
        ("CREATE a&Jj", "NO", []),
        ("CREATE M.%s" % ("x" * 256), r"NO \[CANNOT\]", []),
        ("DELETE INBOX", r"NO \[CANNOT\]", []),
        ("DELETE inbox", r"NO \[CANNOT\]", []),
        ("DELETE nothing", r"NO \[NONEXISTENT\]", []),
        # A name with children loses its messages, not its children (RFC 9051 section 6.3.5).
        ("DELETE M", "OK", []),
        ('LIST "" M', "OK", [r'LIST \(\\Noselect \\HasChildren\) "\." M']),
        ("DELETE M", r"NO \[HASCHILDREN\]", []),
        ("SELECT M", "NO", []),
        ("RENAME M N", "OK", []),
        ('LIST "" M*', "OK", []),
        ('LIST "" N*', "OK", [r'LIST \(\\Noselect \\HasChildren\) "\." N', r'LIST \(\\HasNoChildren\) "\." N\.child']),
        ("CREATE N", "OK", []),
        ("RENAME nothing else", r"NO \[NONEXISTENT\]", []),
        ("RENAME N N.child", r"NO \[ALREADYEXISTS\]", []),
        ("RENAME N INBOX", r"NO \[ALREADYEXISTS\]", []),
        ("RENAME N N.child.deeper", "NO", []),
        ("RENAME N.child Other.place", "OK", []),
        ('LIST "" Other*', "OK", [r'LIST \(\\Noselect \\HasChildren\) "\." Other', r'LIST .* Other\.place']),
        ("DELETE Other.place", "OK", []),
        ("DELETE N", "OK", []),
        ("STATUS N (MESSAGES)", "NO", []),
    ],
    "RENAME of INBOX moves its messages": [
        ("APPEND inbox {17+}\r\nSubject: x\r\n\r\nbody"[:-1], "OK", None),
        ("RENAME InBox Old", "OK", []),
        ("STATUS INBOX (MESSAGES)", "OK", [r"STATUS INBOX \(MESSAGES 0\)"]),
        ("STATUS Old (MESSAGES)", "OK", [r"STATUS Old \(MESSAGES 1\)"]),
        ("DELETE Old", "OK", []),
    ],
    "SELECT": [
        ("CREATE S", "OK", []),
        ("SELECT S", r"OK \[READ-WRITE\]", [
            r"FLAGS \(.*\)", r"OK \[PERMANENTFLAGS \(.*\\\*\)\]", "0 EXISTS", "0 RECENT", r"OK \[UIDVALIDITY \d+\]", r"OK \[UIDNEXT 1\]",
            r"OK \[HIGHESTMODSEQ \d+\]", r"OK \[MAILBOXID \(F[0-9a-f]+\)\]"]),
        ("SELECT nothing", "NO Mailbox doesn't exist", [r"OK \[CLOSED\]"]),
        ("FETCH 1 FLAGS", "BAD", []),  # RFC 9051 section 6.3.2: none is selected then
        ("EXAMINE S", r"OK \[READ-ONLY\]", None),
        ("EXAMINE inbox", r"OK \[READ-ONLY\]", None),
        ("SELECT S (UNKNOWN)", "BAD", []),
        ("SELECT S (QRESYNC (1 1))", "BAD", []),
        ("UNSELECT", "OK", []),
        ("SELECT S", "OK", None),
        ("DELETE S", "OK", [r"OK \[CLOSED\]"]),
        ("NOOP", "OK", []),
    ],
    "IMAP4rev2": [
        ("CREATE R", "OK", []),
        ("ENABLE IMAP4rev2 UNKNOWN", "OK", ["ENABLED IMAP4rev2"]),
        ("SELECT R", r"OK \[READ-WRITE\]", [
            r"FLAGS \((?!.*Recent).*\)", r"OK \[PERMANENTFLAGS \(.*\\\*\)\]", "0 EXISTS", r"OK \[UIDVALIDITY \d+\]", r"OK \[UIDNEXT 1\]",
            r"OK \[HIGHESTMODSEQ \d+\]", r"OK \[MAILBOXID \(F[0-9a-f]+\)\]", r'LIST \(\) "\." R']),
        ("SEARCH ALL", "OK", [r'ESEARCH \(TAG "a\d+"\)']),
        ('LIST "" nothing', "OK", []),
        ("CREATE Gr\u00fcn", "BAD", []),  # no atom
        ("CREATE \"Gr\u00fcn\"", "OK", []),
        ('LIST "" Gr*', "OK", ['LIST .* "Gr\u00fcn"']),
        ("DELETE \"Gr\u00fcn\"", "OK", []),
    ],
    "a mailbox that may only be read": [
        ("CREATE E", "OK", []),
        ("APPEND E (\\Deleted) {16+}\r\nSubject: x\r\n\r\nxx", "OK", None),
        ("EXAMINE E", r"OK \[READ-ONLY\]", [
            r"FLAGS \(.*\)", r"OK \[PERMANENTFLAGS \(\)\]", "1 EXISTS", r"\d RECENT", r"OK \[UNSEEN 1\]", r"OK \[UIDVALIDITY \d+\]",
            r"OK \[UIDNEXT 2\]", r"OK \[HIGHESTMODSEQ \d+\]", r"OK \[MAILBOXID .*\]"]),
        ("STORE 1 +FLAGS (\\Seen)", r"NO \[READ-ONLY\]", []),
        ("EXPUNGE", r"NO \[READ-ONLY\]", []),
        ("UID EXPUNGE 1", r"NO \[READ-ONLY\]", []),
        ("MOVE 1 INBOX", r"NO \[READ-ONLY\]", []),
        ("FETCH 1 BODY[]", "OK", [r"1 FETCH \(BODY\[\] \{16\}(?!.*Seen)"]),
        ("CLOSE", "OK", []),
        ("STATUS E (MESSAGES UNSEEN)", "OK", [r"STATUS E \(MESSAGES 1 UNSEEN 1\)"]),
        ("SELECT E", "OK", None),
        ("CLOSE", "OK", []),  # no EXPUNGE is told (section 6.4.1)
        ("STATUS E (MESSAGES)", "OK", [r"STATUS E \(MESSAGES 0\)"]),
    ],
    "numbers and UIDs": [
        ("CREATE U", "OK", []),
        ("APPEND U {16+}\r\nSubject: x\r\n\r\nxx", "OK " + SAVED, None),
        ("APPEND U {16+}\r\nSubject: y\r\n\r\nyy", "OK " + SAVED, None),
        ("APPEND U {16+}\r\nSubject: z\r\n\r\nzz", "OK " + SAVED, None),
        ("SELECT U", "OK", None),
        ("FETCH 4 FLAGS", "BAD", []),
        ("FETCH 1:9 FLAGS", "BAD", []),
        ("FETCH 0 FLAGS", "BAD", []),
        ("FETCH 1: FLAGS", "BAD", []),
        ("FETCH 4294967296 FLAGS", "BAD", []),
        ("FETCH * UID", "OK", [r"3 FETCH \(UID 3\)"]),
        ("FETCH 3:2 UID", "OK", [r"2 FETCH \(UID 2\)", r"3 FETCH \(UID 3\)"]),
        ("UID FETCH 9 FLAGS", "OK", []),
        ("UID FETCH 9:* FLAGS", "OK", [r"3 FETCH \(UID 3 FLAGS \(.*\)\)"]),
        ("FETCH 1 (FLAGS", "BAD", []),
        ("FETCH 1 (ALL)", "BAD", []),
        ("FETCH 1 FAST", "OK", [r'1 FETCH \(FLAGS \(.*\) INTERNALDATE ".*" RFC822.SIZE 16\)']),
        ("FETCH 1 BODY[9]", "OK", [r"1 FETCH \(BODY\[9\] NIL FLAGS \(.*\\Seen.*\)\)"]),
        ("FETCH 1 BODY.PEEK[TEXT]<1.1>", "OK", [r"1 FETCH \(BODY\[TEXT\]<1> \{1\}\r\nx\)"]),
        ("FETCH 1 BODY.PEEK[TEXT]<9.1>", "OK", [r"1 FETCH \(BODY\[TEXT\]<9> \{0\}\r\n\)"]),
        ("FETCH 1 BODY.PEEK[TEXT]<0.0>", "BAD", []),
        ("FETCH 1 BODY.PEEK[HEADER.FIELDS ()]", "BAD", []),
        ("FETCH 1 BODY.PEEK[MIME]", "BAD", []),
        ("STORE 1 +FLAGS.SILENT (\\Deleted)", "OK", []),
        ("STORE 1 +FLAGS (\\Answered)", "OK", [r"1 FETCH \(FLAGS \(\\Answered \\Deleted \\Seen.*\)\)"]),
        ("UID STORE 2 FLAGS (\\Deleted $Label)", "OK", [
            r"FLAGS \(.*\$Label\)", r"OK \[PERMANENTFLAGS .*\]", r"2 FETCH \(UID 2 FLAGS \(\\Deleted.* \$Label\)\)"]),
        ("STORE 9 FLAGS ()", "BAD", []),
        ("UID STORE 9 FLAGS ()", "OK", []),
        ("STORE 1 FLAGS (\\Unknown)", "BAD", []),
        ("STORE 1 FLAGS \\Deleted", "OK", [r"1 FETCH \(FLAGS \(\\Deleted.*\)\)"]),
        ("COPY 1 nothing", r"NO \[TRYCREATE\]", []),
        ("MOVE 1 nothing", r"NO \[TRYCREATE\]", []),
        ("UID COPY 9 INBOX", "OK No messages", []),
        ("UID EXPUNGE 2:9", "OK", ["2 EXPUNGE"]),
        ("EXPUNGE", "OK", ["1 EXPUNGE"]),
        ("EXPUNGE", "OK", []),
        ("UID EXPUNGE", "BAD", []),
        ("UID NOOP", "BAD", []),
        ("SEARCH CHARSET KOI8-R ALL", r"NO \[BADCHARSET \(US-ASCII UTF-8\)\]", []),
        ("SEARCH", "BAD", []),
        ("SEARCH NOSUCHKEY", "BAD", []),
        ("SEARCH 9", "BAD", []),
        ("SEARCH UID 9", "OK", ["SEARCH$"]),
        ("SEARCH NOT UID 9", "OK", ["SEARCH 1"]),
        ("SEARCH OR SEEN UNSEEN", "OK", ["SEARCH 1"]),
        ("SEARCH (ALL) (NOT DELETED)", "OK", ["SEARCH 1"]),
        ("SEARCH ON 1-Jan-1990", "OK", ["SEARCH$"]),
        ("SEARCH ON 32-Jan-1990", "BAD", []),
        ("SEARCH RETURN () ALL", "OK", [r'ESEARCH \(TAG "a\d+"\) ALL 1']),
        ("SEARCH RETURN (MIN MAX COUNT) NOT ALL", "OK", [r'ESEARCH \(TAG "a\d+"\) COUNT 0']),
        ("CLOSE", "OK", []),
    ],
    "APPEND": [
        ("CREATE A", "OK", []),
        ("APPEND nothing {1+}\r\nx", r"NO \[TRYCREATE\]", []),
        ("APPEND A {0+}\r\n", "NO", []),
        ("APPEND A (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {16+}\r\nSubject: x\r\n\r\nxx", "OK " + SAVED, None),
        ("APPEND A \"7-Jul-1996 02:44:25 -0700\" {1+}\r\nx", "BAD", []),
        ("APPEND A \"31-Feb-1996 02:44:25 -0700\" {1+}\r\nx", "BAD", []),
        ("APPEND A (\\Nonsense) {1+}\r\nx", "BAD", []),
        ("APPEND A {3+}\r\na\0b", "BAD", []),
        ("APPEND A ~{3+}\r\na\0b", "OK " + SAVED, None),
        ("APPEND A UTF8 (~{1+}\r\nx)", "BAD", []),
        ("SELECT A", "OK", None),
        ("FETCH 1 INTERNALDATE", "OK", [r'1 FETCH \(INTERNALDATE "17-Jul-1996 09:44:25 \+0000"\)']),
        ("APPEND A {16+}\r\nSubject: x\r\n\r\nxx", "OK " + SAVED, ["3 EXISTS", r"\d RECENT"]),
        ("UNSELECT", "OK", []),
    ],
    "CONDSTORE and QRESYNC": [
        ("CREATE Q", "OK", []),
        ("APPEND Q {16+}\r\nSubject: x\r\n\r\nxx", "OK " + SAVED, None),
        ("APPEND Q {16+}\r\nSubject: y\r\n\r\nyy", "OK " + SAVED, None),
        ("SELECT Q (CONDSTORE)", "OK", None),
        ("STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)", r"OK \[MODIFIED 1\]", []),
        ("UID STORE 2 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)", r"OK \[MODIFIED 2\]", []),
        ("STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Seen)", r"OK \[MODIFIED 1\]", []),
        ("STORE 1 +FLAGS.SILENT (\\Deleted)", "OK", [r"1 FETCH \(MODSEQ \(\d+\)\)"]),
        ("STORE 2 +FLAGS (\\Flagged)", "OK", [r"2 FETCH \(FLAGS \(.*Flagged.*\) MODSEQ \(\d+\)\)"]),
        ("FETCH 1 MODSEQ", "OK", [r"1 FETCH \(MODSEQ \(\d+\)\)"]),
        ("FETCH 1:2 FLAGS (CHANGEDSINCE 99999999999999999)", "OK", []),
        ("UID FETCH 1:2 FLAGS (CHANGEDSINCE 1 VANISHED)", "BAD", []),
        ("SEARCH MODSEQ 1", "OK", [r"SEARCH 1 2 \(MODSEQ \d+\)"]),
        ("ENABLE QRESYNC", "OK", ["ENABLED QRESYNC"]),
        ("EXPUNGE", r"OK \[HIGHESTMODSEQ \d+\]", ["VANISHED 1"]),
        ("UID FETCH 1:2 FLAGS (CHANGEDSINCE 1 VANISHED)", "OK", [r"VANISHED \(EARLIER\) 1", r"1 FETCH \(UID 2 .*MODSEQ.*\)"]),
        ("CLOSE", "OK Close", []),
    ],
    "MOVE and COPY": [
        ("CREATE From", "OK", []),
        ("CREATE To", "OK", []),
        ("APPEND From {16+}\r\nSubject: x\r\n\r\nxx {16+}\r\nSubject: y\r\n\r\nyy", r"OK \[APPENDUID \d+ 1:2\]", None),
        ("SELECT From", "OK", None),
        ("COPY 1:2 To", r"OK \[COPYUID \d+ 1:2 1:2\] Copy", []),
        ("UID COPY 1 To", r"OK \[COPYUID \d+ 1 3\] Copy", []),
        ("MOVE 1 To", r"OK Move", [r"OK \[COPYUID \d+ 1 4\]", "1 EXPUNGE"]),
        ("UID MOVE 2 From", r"OK Move", [r"OK \[COPYUID \d+ 2 3\]", "1 EXPUNGE", "1 EXISTS", r"\d RECENT"]),
        ("STATUS To (MESSAGES)", "OK", [r"STATUS To \(MESSAGES 4\)"]),
        ("UNSELECT", "OK", []),
    ],
    "other commands": [
        ("NAMESPACE", "OK", [r'NAMESPACE \(\("" "\."\)\) NIL NIL']),
        ("ID NIL", "OK", ["ID .*"]),
        ('ID ("name" "x" "version" NIL)', "OK", ["ID .*"]),
        ('ID ("name")', "BAD", []),
        ("STATUS INBOX ()", "BAD", []),
        ("STATUS INBOX (NONSENSE)", "BAD", []),
        ("STATUS inbox (UIDNEXT UIDVALIDITY)", "OK", [r"STATUS INBOX \(UIDNEXT \d+ UIDVALIDITY \d+\)"]),
        ("STATUS nothing (MESSAGES)", "NO", []),
        ("ENABLE", "BAD", []),
        ("ENABLE NONSENSE", "OK", ["ENABLED"]),
        ("COMPRESS LZW", "(NO|BAD)", []),
        ('LIST "" INBOX RETURN (STATUS (MESSAGES))', "OK", [r"LIST .* INBOX", r"STATUS INBOX \(MESSAGES \d+\)"]),
        ("GETMETADATA INBOX /private/comment", "BAD", []),
    ],
}


@only_culver
class Exact(SharedCase):
    def play(self, scene):
        client = self.login()
        for command, tagged, untagged in SCENES[scene]:
            with self.subTest(command=command[:80]):
                reply = client.command(command.encode())
                said = reply.tagged.split(b" ", 1)[1].decode()
                self.assertRegex(said, "^" + tagged, reply)
                if untagged is None:
                    continue
                lines = [line[2:].decode() for line in reply.untagged]
                self.assertEqual(len(lines), len(untagged), reply)
                for line, wanted in zip(lines, untagged):
                    self.assertRegex(line, re.compile("^(%s)" % wanted, re.S), reply)


def add(scene):
    def test(self):
        self.play(scene)
    setattr(Exact, "test_" + re.sub("[^a-z0-9]+", "_", scene.lower()).strip("_"), test)


for name in SCENES:
    add(name)


@only_culver
class Others(SharedCase):
    """What one session hears of what another does, where it may (RFC 9051 section 7.5.1)."""

    def test_expunges_wait_for_a_command_that_may_tell_them(self):
        one, two = self.login(), self.login()
        name = self.fresh_mailbox(one, 3)
        two.ok("SELECT " + name)
        two.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
        two.ok("EXPUNGE")
        for command in ("FETCH 2 UID", "STORE 2 FLAGS.SILENT (\\Seen)", "SEARCH ALL"):
            self.assertEqual(one.ok(command).lines("EXPUNGE"), [], command)
        self.assertNO(one.command("FETCH 1 BODY[]"), "EXPUNGEISSUED")
        self.assertEqual(one.ok("FETCH 2 UID").untagged, [b"* 2 FETCH (UID 2)"])
        self.assertEqual(one.ok("UID FETCH 2 UID").untagged, [b"* 2 FETCH (UID 2)", b"* 1 EXPUNGE"])
        self.assertEqual(one.ok("NOOP").untagged, [])

    def test_flags_and_new_messages_are_told_at_any_command(self):
        one, two = self.login(), self.login()
        name = self.fresh_mailbox(one, 1)
        two.ok("SELECT " + name)
        self.assertOK(two.append(message("more"), name))
        two.ok("STORE 1 +FLAGS (\\Flagged)")
        lines = one.ok("SEARCH ALL").untagged
        self.assertEqual(lines[0], b"* SEARCH 1")
        self.assertIn(b"* 2 EXISTS", lines)
        self.assertTrue(any(line.startswith(b"* 1 FETCH (FLAGS (\\Flagged") for line in lines), lines)

    def test_a_keyword_that_another_session_made_is_shown_and_copied(self):
        one, two = self.login(), self.login()
        name = self.fresh_mailbox(one, 2)
        two.ok("SELECT " + name)
        two.ok("STORE 1 +FLAGS.SILENT ($Forwarded)")
        self.assertIn(b"$Forwarded", one.ok("FETCH 1 FLAGS").all())
        two.ok("STORE 2 +FLAGS.SILENT (Fresh)")
        one.ok("COPY 2 %s" % name)  # before it was told of the keyword
        self.assertRegex(one.ok("FETCH 3 FLAGS").all(), rb"\* 3 FETCH \(FLAGS \([^)]*Fresh")

    def test_a_mailbox_that_went_away_ends_the_session_and_says_why(self):
        one, two = self.login(), self.login()
        name = self.fresh_mailbox(one, 1)
        self.assertOK(two.command("DELETE " + name))
        tag = one.start("NOOP")
        self.assertRegex(one.line(), b"^\\* BYE ")
        self.assertEqual(one.rest(), b"", tag)
