"""SEARCH, SORT and THREAD: real clients use them, and Debian's Dovecot says the same of the same Maildir."""

import imaplib
import os
import pwd
import random
import shutil
import socket
import subprocess

import culver
from imap import Client
from suite import SharedCase, limit, only_culver, only_root

DOVECOT = "/usr/lib/dovecot/imap"


class DovecotSession(Client):
    """Debian's Dovecot as a session that is logged in already. `mail`: what the configuration says of locations and namespaces."""

    MAILDIR = "mail_location = maildir:~/Maildir\nnamespace inbox {\n  inbox = yes\n  separator = .\n}\n"

    def __init__(self, folder, home, mail=MAILDIR):
        owner = pwd.getpwnam("vmail")
        self.folder = folder
        os.makedirs(os.path.join(folder, "run"))
        config = os.path.join(folder, "dovecot.conf")
        with open(config, "w") as file:
            file.write("base_dir = %s/run\nstate_dir = %s/run\nlog_path = /dev/null\nssl = no\n"
                       "first_valid_uid = 1\nmail_uid = vmail\nmail_gid = vmail\n%s" % (folder, folder, mail))
        for path in (folder, os.path.join(folder, "run"), home):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            ["setpriv", "--reuid=%d" % owner.pw_uid, "--regid=%d" % owner.pw_gid, "--clear-groups", DOVECOT, "-c", config],
            stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env={"HOME": home, "USER": "vmail", "TZ": "UTC", "PATH": "/usr/bin:/bin"})
        theirs.close()
        self.socket = ours
        self.socket.settimeout(20)
        self.buffer = b""
        self.count = 0
        self.greeting = self.line()

    def close(self):
        self.socket.close()
        self.process.wait()


def corpus():
    """Messages with the same subjects, threads and people in many dresses."""
    dice = random.Random(7)
    subjects = ["lunch", "Zebra", "ähre", "Straße", "", "report 2020", "[list] plans", "apple pie"]
    people = ['"Zoe" <carl@x.org>', "Adam <dora@x.org>", "=?utf-8?q?=C3=89mile?= <Bert@x.org>", "anna@y.org", '"b, c" <e@x.org>',
              "group: a@b.org, c@d.org;", "<>", "x"]
    prefixes = ["", "", "", "Re: ", "RE: ", "Fwd: ", "Re[2]: ", "Fw: Re: ", "[fwd: %s]", "%s (fwd)", "Aw: "]
    messages = []
    ids = []
    for number in range(160):
        subject = dice.choice(subjects)
        prefix = dice.choice(prefixes)
        text = prefix % subject if "%s" in prefix else prefix + subject
        if dice.random() < 0.2:
            text = "=?utf-8?B?%s?=" % __import__("base64").b64encode(text.encode()).decode()
        lines = ["From: %s" % dice.choice(people), "To: %s" % dice.choice(people)]
        if dice.random() < 0.5:
            lines.append("Cc: %s" % dice.choice(people))
        if dice.random() < 0.95:
            lines.append("Subject: %s" % text)
        if dice.random() < 0.9:
            lines.append("Date: %d Nov 2020 %02d:%02d:00 %s" % (dice.randint(1, 28), dice.randint(0, 23), number % 60, dice.choice(["+0000", "-0800", "+0530"])))
        if dice.random() < 0.9:
            lines.append("Message-ID: <m%d@x>" % (number if dice.random() < 0.97 else max(0, number - 3)))
        if ids and dice.random() < 0.5:
            chosen = sorted(dice.sample(ids, min(len(ids), dice.randint(1, 4))))
            lines.append("References: %s" % " ".join("<m%d@x>" % one for one in chosen))
        if ids and dice.random() < 0.3:
            lines.append("In-Reply-To: <m%d@x>" % dice.choice(ids + [900 + number]))
        ids.append(number)
        body = "body %d %s\r\n" % (number, "grüße " * dice.randint(0, 30))
        messages.append(("\r\n".join(lines) + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body).encode())
    return messages


QUERIES = [
    "SORT (%s%s) UTF-8 ALL" % (way, key) for way in ("", "REVERSE ") for key in ("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO")
] + [
    "SORT (SUBJECT REVERSE DATE) UTF-8 20:140", "UID SORT (FROM TO CC SIZE) UTF-8 FLAGGED", "SORT RETURN (COUNT MIN MAX) (DATE) UTF-8 ALL",
    "THREAD ORDEREDSUBJECT UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 HEADER Date \"\"", "UID THREAD REFERENCES UTF-8 50:160",
    "SEARCH SUBJECT straSSe", 'SEARCH CHARSET UTF-8 SUBJECT {7+}\r\nstra\xc3\x9fe', 'SEARCH CHARSET UTF-8 SUBJECT {5+}\r\n\xc3\x84HRE', "SEARCH FROM zoe", "SEARCH TO x.org NOT CC anna",
    "SEARCH SENTBEFORE 12-Nov-2020 HEADER Date \"\"", "SEARCH SENTON 3-Nov-2020", "SEARCH OR SUBJECT lunch BODY \"body 7\"", "SEARCH TEXT apple", "SEARCH HEADER Message-ID m12",
    "SEARCH HEADER References \"\"", "SEARCH LARGER 300 SMALLER 500", "SEARCH RETURN (MIN MAX COUNT ALL) UNFLAGGED",
    "SEARCH CHARSET UTF-8 BODY {7+}\r\ngr\xc3\xbc\xc3\x9fe",
]


class Queries(SharedCase):
    def fill(self, client, name):
        self.assertOK(client.command("CREATE %s" % name))
        for index, content in enumerate(corpus()):
            self.assertOK(client.append(content, name, "(\\Flagged)" if index % 3 == 0 else ""))
        self.assertOK(client.command("SELECT %s" % name))

    @only_culver
    @only_root
    @limit(120)
    def test_answers_are_those_of_dovecot(self):
        client = self.login()
        self.fill(client, "Corpus")
        home = os.path.join(self.shared.folder, "dovecot-home")
        shutil.copytree(self.shared.maildir("alice"), os.path.join(home, "Maildir"))
        owner = pwd.getpwnam("vmail")
        for folder, names, files in os.walk(home):
            for name in names + files:
                os.chown(os.path.join(folder, name), owner.pw_uid, owner.pw_gid)
        dovecot = DovecotSession(os.path.join(self.shared.folder, "dovecot"), home)
        self.addCleanup(dovecot.close)
        self.assertOK(dovecot.command("SELECT Corpus"))
        for query in QUERIES:
            with self.subTest(query=query):
                raw = query.encode("latin-1")
                mine, theirs = client.command(raw), dovecot.command(raw)
                self.assertOK(mine)
                strip = [line.split(b") ", 1)[-1].strip() if b"ESEARCH" in line else line.strip() for line in mine.untagged]
                self.assertEqual(strip, [line.split(b") ", 1)[-1].strip() if b"ESEARCH" in line else line.strip() for line in theirs.untagged])

    def test_imaplib_sorts_and_threads(self):
        client = self.login()
        self.fill(client, "Library")
        with imaplib.IMAP4("127.0.0.1", self.shared.imap_port) as library:
            library.login("alice", "secret")
            library.select("Library")
            self.assertIn("SORT", library.capability()[1][0].decode().split())
            word, data = library.sort("(SUBJECT)", "UTF-8", "ALL")
            self.assertEqual(word, "OK")
            self.assertEqual(sorted(map(int, data[0].split())), list(range(1, 161)))
            word, data = library.thread("REFERENCES", "UTF-8", "ALL")
            self.assertEqual(word, "OK")
            self.assertEqual(data[0].count(b"("), data[0].count(b")"))
