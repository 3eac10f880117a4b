"""One Maildir, two servers: Debian's Dovecot and Culver take it over from each other, and every client sees the same."""

import re

from suite import Case, limit, message, only_culver, only_root
from test_search import DovecotSession

FOLDERS = ["Sent", "Drafts", "Trash", "Work", "Work.2025", "Work.2025.March", "Entw&APw-rfe", "&ZeVnLIqe-", "Lists.swift-evolution",
           "With space", "&AOQ-.&APY-.&APw-", "Quote'd"]
MESSAGES = 2000


def listed(line):
    """The name in a line of LIST or LSUB."""
    return re.search(rb'\([^)]*\) "." "?(.*?)"?$', line).group(1)


def picture(client):
    """Everything that a client can know: mailboxes, subscriptions, and each message with flags, date, size and key."""
    found = {}
    names = sorted(listed(line) for line in client.command('LIST "" "*"').lines("LIST") if not re.search(rb"(?i)noselect|nonexistent", line))
    found["mailboxes"] = names
    found["subscriptions"] = sorted(listed(line) for line in client.command('LSUB "" "*"').lines("LSUB") if b"oselect" not in line.lower())
    for name in names:
        reply = client.command('EXAMINE "%s"' % name.decode()).all()
        messages = {}
        text = client.command("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-Key)])").all()
        for part in re.split(rb"(?m)^\* \d+ FETCH ", text)[1:]:
            uid = int(re.search(rb"UID (\d+)", part).group(1))
            flags = frozenset(re.search(rb"FLAGS \(([^)]*)\)", part).group(1).split()) - {b"\\Recent"}
            messages[uid] = (flags, re.search(rb'INTERNALDATE "[ 0]?([^"]*)"', part).group(1), re.search(rb"RFC822.SIZE (\d+)", part).group(1),
                             re.search(rb"X-Key: (\S+)", part).group(1))
        found[name] = (re.search(rb"UIDVALIDITY (\d+)", reply).group(1), re.search(rb"UIDNEXT (\d+)", reply).group(1), messages)
    return found


@only_culver
@only_root
class Interoperation(Case):
    def fill(self, client, name, first, count):
        """Many messages at once, with flags, keywords and dates of their own."""
        for number in range(first, first + count):
            flags = " ".join(flag for bit, flag in enumerate(("\\Seen", "\\Flagged", "$Label1", "Junk", "\\Answered")) if number >> bit & 1)
            one = b"X-Key: k%d\r\n" % number + message("Number %d" % number)
            client.send(b'f%d APPEND "%s" (%s) "%02d-Mar-2024 %02d:%02d:00 +0100" {%d+}\r\n' % (
                number, name.encode(), flags.encode(), number % 28 + 1, number % 24, number % 60, len(one)) + one + b"\r\n")
            while not (line := client.line()).startswith(b"f%d " % number):
                pass
            self.assertIn(b" OK ", line)

    def same(self, one, other):
        self.assertEqual(one["mailboxes"], other["mailboxes"])
        self.assertEqual(one["subscriptions"], other["subscriptions"])
        for name in one["mailboxes"]:
            self.assertEqual(one[name][:2], other[name][:2], "UIDVALIDITY, UIDNEXT of %r" % name)
            self.assertEqual(one[name][2], other[name][2], name)

    @limit(240)
    def test_each_takes_over_what_the_other_left(self):
        server = self.server(users=["alice"])
        turn = [0]

        def dovecot():
            turn[0] += 1
            return DovecotSession(server.path("dovecot-%d" % turn[0]), server.home("alice"))

        client = dovecot()
        for name in FOLDERS:
            self.assertOK(client.command('CREATE "%s"' % name))
            if len(name) % 2:
                self.assertOK(client.command('SUBSCRIBE "%s"' % name))
        share = MESSAGES // (len(FOLDERS) + 1)
        for index, name in enumerate(["INBOX"] + FOLDERS):
            self.fill(client, name, index * share, share)
        theirs = picture(client)
        client.close()
        self.assertEqual(sum(len(theirs[name][2]) for name in theirs["mailboxes"]), share * 13)

        # Culver serves it as it is, and goes on with it.
        with server.login("alice") as client:
            self.same(theirs, picture(client))
            self.assertOK(client.command("SELECT INBOX"))
            self.assertOK(client.command("STORE 1:20 +FLAGS (\\Deleted)"))
            self.assertOK(client.command("EXPUNGE"))
            self.assertOK(client.command("STORE 1:10 FLAGS (\\Draft $Label2)"))
            self.assertOK(client.command('COPY 1:30 "Work.2025"'))
            self.assertOK(client.command('MOVE 31:40 "With space"'))
            self.fill(client, "Sent", 5000, 20)
            self.assertOK(client.command("CREATE Archive.2026"))
            self.fill(client, "Archive.2026", 6000, 5)
            self.assertOK(client.command("RENAME Trash Bin"))
            self.assertOK(client.command("DELETE Drafts"))
            self.assertOK(client.command("SUBSCRIBE Archive.2026"))
            self.assertOK(client.command('UNSUBSCRIBE "Quote\'d"'))
            ours = picture(client)
            self.assertOK(client.logout())

        # Dovecot takes over again, changes it, and hands it back.
        client = dovecot()
        self.same(ours, picture(client))
        self.assertOK(client.command('SELECT "Work.2025"'))
        self.assertOK(client.command("STORE 5:50 +FLAGS (Junk $New)"))
        self.assertOK(client.command("STORE 60:70 +FLAGS (\\Deleted)"))
        self.assertOK(client.command("EXPUNGE"))
        self.assertOK(client.command("COPY 1:5 INBOX"))
        self.fill(client, "Bin", 7000, 10)
        theirs = picture(client)
        client.close()
        with server.login("alice") as client:
            self.same(theirs, picture(client))
            self.assertOK(client.logout())
        self.assertNotRegex(server.log(), r"imap\(alice\).*(Error|Warning)")
