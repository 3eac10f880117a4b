"""What lies on the disk: a Maildir that Dovecot and any other program can take over."""

import glob
import os
import pwd
import re
import subprocess
import time

import culver
from suite import SharedCase, message, needs


class OnDisk(SharedCase):
    def box(self, name=None):
        return os.path.join(self.shared.maildir("alice"), "." + name if name else "")

    def files(self, name):
        return sorted(os.path.basename(path) for part in ("cur", "new") for path in glob.glob(os.path.join(self.box(name), part, "*")))

    def test_folders_and_files_are_private_and_belong_to_the_mail_user(self):
        client = self.login()
        name = self.fresh_mailbox(client, 2)
        owner = pwd.getpwnam("vmail").pw_uid
        for folder, _, names in os.walk(self.box(name)):
            self.assertEqual(os.stat(folder).st_mode & 0o077, 0, folder)
            self.assertEqual(os.stat(folder).st_uid, owner, folder)
            for entry in names:
                status = os.stat(os.path.join(folder, entry))
                self.assertEqual(status.st_mode & 0o077, 0, entry)
                self.assertEqual(status.st_uid, owner, entry)

    def test_flags_stand_in_file_names(self):
        client = self.login()
        name = self.fresh_mailbox(client, 1)
        self.assertOK(client.command("STORE 1 FLAGS (\\Seen \\Flagged \\Answered \\Draft)"))
        self.assertRegex(self.files(name)[0], r":2,DFRS$")
        self.assertOK(client.command("STORE 1 -FLAGS (\\Draft \\Answered)"))
        self.assertRegex(self.files(name)[0], r":2,FS$")

    def test_keywords_stand_in_letters_and_their_file(self):
        client = self.login()
        name = self.fresh_mailbox(client, 1)
        self.assertOK(client.command("STORE 1 +FLAGS (First Second)"))
        with open(os.path.join(self.box(name), "dovecot-keywords")) as file:
            self.assertEqual(sorted(line.split()[1] for line in file), ["First", "Second"])
        self.assertRegex(self.files(name)[0], r":2,ab$")

    def test_uids_stand_in_the_uidlist(self):
        client = self.login()
        name = self.fresh_mailbox(client, 3)
        reply = client.command("STATUS %s (UIDVALIDITY UIDNEXT)" % name)
        validity = re.search(rb"UIDVALIDITY (\d+)", reply.all()).group(1).decode()
        with open(os.path.join(self.box(name), "dovecot-uidlist")) as file:
            lines = file.read().splitlines()
        self.assertRegex(lines[0], r"^3 V%s N[1-4] G[0-9a-f]{32}" % validity)
        self.assertEqual([line.split()[0] for line in lines[1:]], ["1", "2", "3"])

    def test_names_carry_the_sizes(self):
        client = self.login()
        name = self.fresh_mailbox(client, 1)
        size = int(re.search(rb"RFC822.SIZE (\d+)", client.command("FETCH 1 RFC822.SIZE").all()).group(1))
        file = self.files(name)[0]
        path = glob.glob(os.path.join(self.box(name), "*", glob.escape(file)))[0]
        self.assertIn(",S=%d," % os.stat(path).st_size, file.replace(":", ","))
        self.assertIn(",W=%d" % size, file)

    def put(self, name, file, data=None, part="new"):
        path = os.path.join(self.box(name), part, file)
        with open(path, "wb") as out:
            out.write(data or message("By hand").replace(b"\r\n", b"\n"))
        owner = pwd.getpwnam("vmail")
        os.chown(path, owner.pw_uid, owner.pw_gid)
        os.chmod(path, 0o600)
        return path

    def test_what_others_put_there_gets_a_new_uid(self):
        client = self.login()
        name = self.fresh_mailbox(client, 2)
        self.put(name, "%d.M1P1.other" % time.time())
        self.assertIn(b"* 3 EXISTS", client.command("NOOP").all())
        self.assertIn(b"UID 3", client.command("FETCH 3 UID").all())
        self.assertIn(b"Subject: By hand", client.command("FETCH 3 BODY.PEEK[HEADER]").all())

    def test_what_others_take_away_is_expunged(self):
        client = self.login()
        name = self.fresh_mailbox(client, 3)
        victim = [path for path in glob.glob(os.path.join(self.box(name), "*", "*")) if "/cur/" in path or "/new/" in path]
        victim.sort(key=lambda path: os.path.basename(path))
        uids = {}
        for number in (1, 2, 3):
            uids[number] = client.command("FETCH %d (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])" % number).all()
        os.unlink(victim[0])
        time.sleep(1.1)
        reply = client.command("NOOP")
        self.assertRegex(reply.all(), rb"\* \d EXPUNGE")
        self.assertRegex(client.command("STATUS %s (MESSAGES)" % name).all(), rb"MESSAGES 2")

    def test_flags_that_others_set_are_seen(self):
        client = self.login()
        name = self.fresh_mailbox(client, 1)
        client.command("STORE 1 FLAGS ()")
        path = glob.glob(os.path.join(self.box(name), "cur", "*"))[0]
        os.rename(path, path.split(":2,")[0] + ":2,FS")
        time.sleep(1.1)
        client.command("NOOP")
        text = client.command("FETCH 1 FLAGS").all()
        self.assertIn(b"\\Flagged", text)
        self.assertIn(b"\\Seen", text)

    def test_line_ends_do_not_matter(self):
        client = self.login()
        name = self.fresh_mailbox(client)
        data = message("Line ends", "one\r\ntwo\r\n")
        self.put(name, "%d.M2P1.lf" % time.time(), data.replace(b"\r\n", b"\n"))
        self.put(name, "%d.M3P1.crlf" % time.time(), data)
        client.command("NOOP")
        for number in (1, 2):
            reply = client.command("FETCH %d (RFC822.SIZE BODY.PEEK[])" % number).all()
            self.assertIn(b"RFC822.SIZE %d" % len(data), reply)
            self.assertIn(data, reply)


@needs("doveadm")
class TakenOverByDovecot(SharedCase):
    def test_dovecot_sees_the_same_uids_flags_and_keywords(self):
        client = self.login()
        name = self.fresh_mailbox(client, 4)
        self.assertOK(client.command("STORE 2 +FLAGS (\\Seen Work)"))
        self.assertOK(client.command("STORE 1 +FLAGS (\\Deleted)"))
        self.assertOK(client.command("EXPUNGE"))
        status = client.command("STATUS %s (UIDVALIDITY UIDNEXT)" % name).all()
        ours = {}
        for line in client.command("UID FETCH 1:* (UID FLAGS)").lines("FETCH"):
            uid = int(re.search(rb"UID (\d+)", line).group(1))
            flags = re.search(rb"FLAGS \(([^)]*)\)", line).group(1).split()
            ours[uid] = sorted(flag.decode() for flag in flags if flag != b"\\Recent")
        client.logout()
        config = self.shared.path("dovecot.conf")
        with open(config, "w") as file:
            file.write("base_dir = %s\nmail_location = maildir:%s\nfirst_valid_uid = 1\nssl = no\nlog_path = /dev/stderr\n"
                       "service stats {\n  unix_listener stats-writer {\n    mode = 0\n  }\n}\n"
                       % (self.shared.path("dovecot-run"), self.shared.maildir("alice")))

        def doveadm(*arguments):
            return subprocess.run(["setpriv", "--reuid", "vmail", "--regid", "vmail", "--clear-groups", "doveadm", "-c", config, *arguments],
                                  capture_output=True, text=True, env=dict(culver.CLEAN, USER="alice", HOME=self.shared.home("alice")), timeout=20)
        os.chmod(config, 0o644)
        done = doveadm("-f", "tab", "fetch", "uid flags", "mailbox", name)
        theirs = {}
        for line in done.stdout.splitlines()[1:]:
            uid, flags = line.split("\t")
            theirs[int(uid)] = sorted(flag for flag in flags.split() if flag != "\\Recent")
        self.assertEqual(theirs, ours, done.stderr)
        done = doveadm("-f", "tab", "mailbox", "status", "uidvalidity uidnext", name)
        head, row = [line.split("\t") for line in done.stdout.splitlines()[:2]]
        found = dict(zip(head, row))
        self.assertIn(b"UIDVALIDITY %s" % found["uidvalidity"].encode(), status)
        self.assertIn(b"UIDNEXT %s" % found["uidnext"].encode(), status)
