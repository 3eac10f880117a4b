"""One Maildir, two servers: Debian's Dovecot and Culver take it over from each other, and every client sees the same."""

import os
import re
import subprocess

import culver
from suite import Case, limit, message, needs, only_culver, only_root
from test_search import DovecotSession

FOLDERS = ["Sent", "Drafts", "Trash", "Work", "Work.2025", "Work.2025.March", "Entw&APw-rfe", "&ZeVnLIqe-", "Lists.swift-evolution",
           "With space", "&AOQ-.&APY-.&APw-", "Quote'd"]
MESSAGES = 2002


def listed(line):
    """The name in a line of LIST or LSUB."""
    return re.search(rb'\([^)]*\) "[./]" "?(.*?)"?$', line).group(1)


def picture(client):
    """Everything that a client can know: mailboxes, subscriptions, and each message with flags, date, size and key."""
    found = {}
    names = sorted(listed(line) for line in client.command('LIST "" "*"').lines("LIST") if not re.search(rb"(?i)noselect|nonexistent", line))
    found["mailboxes"] = names
    # As a client shows it that opens level by level.
    found["levels"] = sorted((listed(line), b"haschildren" in line.lower()) for pattern in (b"%", b"Old/%", b"All.%", b"INBOX.%", b"*")
                             for line in client.command(b'LIST "" ' + pattern).lines("LIST"))
    found["namespaces"] = client.command("NAMESPACE").lines("NAMESPACE")
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


class TakeOver(Case):
    """What one server leaves and the other one finds."""

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
        self.assertEqual(one["namespaces"], other["namespaces"])
        self.assertEqual(one["levels"], other["levels"])
        for name in one["mailboxes"]:
            self.assertEqual(one[name][:2], other[name][:2], "UIDVALIDITY, UIDNEXT of %r" % name)
            self.assertEqual(one[name][2], other[name][2], name)


@only_culver
@only_root
class Interoperation(TakeOver):
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


# By name: what the configuration says, and what names of mailboxes begin with and are parted by.
LAYOUTS = {
    "a directory in another": ("mail_location = maildir:~/mail:LAYOUT=fs\nnamespace inbox {\n  inbox = yes\n}\n", "", "/"),
    "INBOX elsewhere": ("mail_location = maildir:~/mail:INBOX=~/inbox\nnamespace inbox {\n  inbox = yes\n  separator = /\n}\n", "", "/"),
    "control and index elsewhere": (
        "mail_location = maildir:%h/mail:CONTROL=%h/control:INDEX=%h/index\nnamespace inbox {\n  inbox = yes\n}\n", "", "."),
    "all elsewhere, a directory in another": (
        "mail_location = maildir:~/mail:LAYOUT=fs:INBOX=~/inbox:CONTROL=~/control:INDEX=~/index\nnamespace inbox {\n  inbox = yes\n}\n", "", "/"),
    "names in UTF-8": ("mail_location = maildir:~/mail:UTF-8\nnamespace inbox {\n  inbox = yes\n}\n", "", "."),
    "a prefix": ("mail_location = maildir:~/mail\nnamespace inbox {\n  inbox = yes\n  prefix = INBOX.\n  separator = .\n}\n", "INBOX.", "."),
    "a public namespace with control and index elsewhere": (
        "mail_location = maildir:~/mail\nnamespace inbox {\n  inbox = yes\n  separator = .\n}\n"
        "namespace all {\n  type = public\n  prefix = All.\n  separator = .\n  location = maildir:~/all:CONTROL=~/control:INDEX=~/index\n}\n", "All.", "."),
    "a second namespace": (
        "mail_location = maildir:~/mail\nnamespace inbox {\n  inbox = yes\n  separator = /\n}\n"
        "namespace old {\n  prefix = Old/\n  separator = /\n  location = maildir:~/old:LAYOUT=fs\n}\n", "Old/", "/"),
}


@only_culver
@only_root
class Layouts(TakeOver):
    @limit(120)
    def test_each_finds_what_the_other_made(self):
        for title, (mail, prefix, separator) in LAYOUTS.items():
            with self.subTest(title):
                self.hand_over(mail, lambda *parts: prefix + separator.join(parts))

    def test_places_of_namespaces_name_the_user(self):
        inbox = "namespace inbox {\n  inbox = yes\n  separator = /\n}\n"
        server = self.server(users=["alice", "bob"], extra=inbox + (
            "namespace old {\n  prefix = Old/\n  separator = /\n  location = maildir:~/old-%n\n}\n"
            "namespace again {\n  prefix = Again/\n  separator = /\n  alias_for = Old/\n  list = no\n}\n"
            "namespace gone {\n  prefix = Gone/\n  separator = /\n  location = maildir:/proc/gone\n  ignore_on_failure = yes\n}\n"
            "namespace users {\n  type = shared\n  prefix = Users/%%u/\n  separator = /\n  location = maildir:/proc/%%u\n  list = children\n}\n"))
        with open(server.passwd_path) as file:
            lines = file.read().splitlines()
        lines[1] += "userdb_namespace/old/location=maildir:~/elsewhere:LAYOUT=fs"
        with open(server.passwd_path, "w") as file:
            file.write("\n".join(lines) + "\n")
        for user, box in (("alice", "old-alice/.Box"), ("bob", "elsewhere/Box")):
            with server.login(user) as client:
                self.assertOK(client.command("CREATE Old/Box"))
                self.fill(client, "Old/Box", 1, 2)
                self.assertEqual([listed(line) for line in client.command('LIST "" *').lines("LIST")], [b"INBOX", b"Old", b"Old/Box"])
                self.assertIn(b"MESSAGES 2", client.command("STATUS Again/Box (MESSAGES)").all())
                self.assertEqual(client.command("NAMESPACE").lines("NAMESPACE"), [b'NAMESPACE (("" "/")("Again/" "/")("Old/" "/")) NIL NIL'])
                self.assertOK(client.logout())
            self.assertTrue(os.path.isdir(os.path.join(server.home(user), box, "cur")))
        done = subprocess.run(
            [culver.programs().lda, "-c", server.config_path, "-d", "alice", "-m", "Old/Box"], input=message("by lda"), stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with server.login("alice") as client:
            self.assertIn(b"MESSAGES 3", client.command("STATUS Old/Box (MESSAGES)").all())

    def hand_over(self, mail, name):
        server = self.server(users=["alice"], settings={"mail_location": None}, extra=mail)
        first = DovecotSession(server.path("dovecot-1"), server.home("alice"), mail)
        for parts in (("Work",), ("Work", "2025"), ("Entw&APw-rfe",), ("Entw&APw-rfe", "&ZeVnLIqe-")):
            self.assertOK(first.command('CREATE "%s"' % name(*parts)))
            self.assertOK(first.command('SUBSCRIBE "%s"' % name(*parts)))
        for index, box in enumerate(("INBOX", name("Work"), name("Work", "2025"), name("Entw&APw-rfe", "&ZeVnLIqe-"))):
            self.fill(first, box, 100 * index, 12)
        theirs = picture(first)
        first.close()
        self.assertEqual(sum(len(theirs[box][2]) for box in theirs["mailboxes"]), 48)

        with server.login("alice") as client:
            self.same(theirs, picture(client))
            self.assertOK(client.command("SELECT INBOX"))
            self.assertOK(client.command("STORE 1:3 +FLAGS (\\Deleted $Label3)"))
            self.assertOK(client.command('COPY 2:5 "%s"' % name("Work")))
            self.assertOK(client.command('MOVE 6:7 "%s"' % name("Entw&APw-rfe")))
            self.assertOK(client.command("EXPUNGE"))
            self.assertOK(client.command('CREATE "%s"' % name("New", "&AOQ-")))
            self.fill(client, name("New", "&AOQ-"), 900, 4)
            self.assertOK(client.command('RENAME "%s" "%s"' % (name("Work"), name("Done"))))
            self.assertOK(client.command('DELETE "%s"' % name("Entw&APw-rfe", "&ZeVnLIqe-")))
            self.assertOK(client.command('UNSUBSCRIBE "%s"' % name("Entw&APw-rfe", "&ZeVnLIqe-")))
            self.assertOK(client.command('SUBSCRIBE "%s"' % name("New", "&AOQ-")))
            ours = picture(client)
            self.assertOK(client.logout())

        second = DovecotSession(server.path("dovecot-2"), server.home("alice"), mail)
        self.same(ours, picture(second))
        self.assertOK(second.command('SELECT "%s"' % name("Done")))
        self.assertOK(second.command("STORE 1:2 +FLAGS (\\Deleted)"))
        self.assertOK(second.command("EXPUNGE"))
        self.assertOK(second.command('COPY 1:3 "%s"' % name("New", "&AOQ-")))
        theirs = picture(second)
        second.close()
        with server.login("alice") as client:
            self.same(theirs, picture(client))
            self.assertOK(client.logout())
        self.assertNotRegex(server.log(), r"imap\(alice\).*(Error|Warning)")


@only_culver
@only_root
@needs("procmail", "maildrop", "mutt", "script")
class OtherPrograms(Case):
    """procmail, maildrop and mutt on a Maildir that a session of Culver and one of Dovecot have open."""

    def run_as_owner(self, server, command, **arguments):
        owner = os.stat(server.home("alice"))
        environment = dict(culver.CLEAN, HOME=server.home("alice"), USER="vmail", LOGNAME="vmail", TERM="dumb", MAILDIR=server.maildir("alice"))
        done = subprocess.run(
            ["setpriv", "--reuid=%d" % owner.st_uid, "--regid=%d" % owner.st_gid, "--clear-groups", *command], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment, timeout=50, cwd=server.home("alice"), **arguments)
        self.assertEqual(done.returncode, 0, done.stdout)

    def write(self, server, name, text):
        """A file of the user."""
        path = os.path.join(server.home("alice"), name)
        with open(path, "w") as file:
            file.write(text)
        owner = os.stat(server.home("alice"))
        os.chown(path, owner.st_uid, owner.st_gid)
        os.chmod(path, 0o600)
        return path

    def keys(self, client):
        """What a session shows: key and flags by UID."""
        text = client.ok("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (X-Key)])").all()
        found = {}
        for part in re.split(rb"(?m)^\* \d+ FETCH ", text)[1:]:
            key = re.search(rb"X-Key: (\S+)", part)
            if key:
                flags = re.search(rb"FLAGS \(([^)]*)\)", part).group(1).split()
                found[int(re.search(rb"UID (\d+)", part).group(1))] = (key.group(1), frozenset(flags) - {b"\\Recent"})
        return found

    @limit(120)
    def test_deliver_and_change_while_both_servers_look(self):
        server = self.server(users=["alice"])
        root = server.maildir("alice")
        with server.login("alice") as ours:
            ours.ok("SELECT INBOX")
            theirs = DovecotSession(server.path("dovecot"), server.home("alice"))
            self.addCleanup(theirs.close)
            theirs.ok("SELECT INBOX")
            procmailrc = self.write(server, "procmailrc", "DEFAULT=%s/\nVERBOSE=no\n" % root)
            mailfilter = self.write(server, "mailfilter", "to \"%s\"\n" % root)
            programs = {
                "procmail": ["procmail", "-m", procmailrc], "maildrop": ["maildrop", mailfilter],
                "culver-lda": [culver.programs().lda, "-c", server.config_path, "-d", "alice"]}
            wanted = set()
            for number in range(30):
                name = list(programs)[number % 3]
                text = (b"X-Key: %s%d\r\n" % (name.encode(), number) + message("By " + name)).replace(b"\r\n", b"\n")
                self.run_as_owner(server, programs[name], input=text)
                wanted.add(b"%s%d" % (name.encode(), number))
                looks, other = (ours, theirs) if number % 2 else (theirs, ours)
                looks.ok("NOOP")
                self.assertEqual({key for key, _ in self.keys(looks).values()}, wanted, "seen at once")
                if number % 5 == 4:
                    other.ok("NOOP")
                    other.ok("STORE %d +FLAGS (\\Flagged)" % (number // 2 + 1))
            for client in (ours, theirs):
                client.ok("NOOP")
            self.assertEqual(self.keys(ours), self.keys(theirs))
            # mutt opens the same Maildir and answers for the fifth message, deletes the third, moves the first elsewhere
            rc = self.write(
                server, "muttrc", "set mbox_type=Maildir\nset folder=%s\nset spoolfile=%s\nset quit=yes\nset delete=yes\nset sort=mailbox-order\n"
                "set wait_key=no\nset beep=no\nset confirmcreate=no\nset confirmappend=no\nset move=no\nset mail_check=0\nset header_cache=\"\"\n"
                "push '<jump>5<enter><flag-message><jump>3<enter><delete-message><jump>1<enter><save-message><kill-line>%s/.Kept<enter><sync-mailbox><quit>'\n"
                % (root, root, root))
            ours.ok("CREATE Kept")
            before = self.keys(ours)
            self.run_as_owner(server, ["script", "-qec", "mutt -n -F %s -f %s" % (rc, root), "/dev/null"], stdin=subprocess.DEVNULL)
            for client in (ours, theirs):
                client.ok("NOOP")
            self.assertEqual(self.keys(ours), self.keys(theirs))
            self.assertEqual(len(self.keys(ours)), len(before) - 2)
            self.assertTrue(set(self.keys(ours)) < set(before), "no UID is new")
            self.assertRegex(ours.ok("STATUS Kept (MESSAGES)").all(), rb"MESSAGES 1")
        self.assertNotRegex(server.log(), r"imap\(alice\).*(Error|Warning)")
