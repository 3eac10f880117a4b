"""Deliveries by culver-lda that end at each of their system calls, or one of whose calls fails; disks that are really full."""

import errno
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import culver
import tracer
from suite import Case, limit, message, needs, only_culver, only_root
from test_faults import Audit, keyed

DAY = 86_400
RENAMES = (tracer.NUMBERS["renameat"], tracer.NUMBERS["renameat2"])


@only_culver
@only_root
@unittest.skipUnless(tracer.AVAILABLE, "the tracer knows x86-64 only")
class DeliveryFaults(Case):
    """All of these deliver to alice; what a mailbox must hold is written down as it grows."""

    def setUp(self):
        super().setUp()
        self.made = self.server(users=["alice"], settings={"mail_max_userip_connections": "0", "lda_mailbox_autocreate": "yes"})
        self.audit = Audit(self, self.made, "alice")
        self.expected = []
        self.turn = 0

    def deliver(self, key, mailbox="INBOX"):
        done = subprocess.run([culver.programs().lda, "-c", self.made.config_path, "-d", "alice", "-m", mailbox], input=keyed(key),
                              capture_output=True, timeout=20, env=culver.CLEAN)
        self.assertEqual(done.returncode, 0, done.stderr)

    def deliver_traced(self, key, at_call, mailbox="INBOX", options=()):
        """Traces a delivery from the moment on when it has its message; answers how the trace ended, its exit code (None: killed), what it
        printed, and whether it got so far as to move the message into place. `at_call` gets the tracer and the call's number."""
        lda = subprocess.Popen([culver.programs().lda, "-c", self.made.config_path, "-d", "alice", "-m", mailbox, *options], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=culver.CLEAN)
        self.addCleanup(lda.stderr.close)

        def waits_for_message():
            with open("/proc/%d/syscall" % lda.pid) as file:
                return file.read().startswith("%d 0x0 " % tracer.NUMBERS["read"])
        self.until(waits_for_message, "the delivery reads its message")
        traced = tracer.Tracer(lda.pid)
        with lda.stdin:
            lda.stdin.write(keyed(key))
        state = {"moving": False, "moved": False}

        def note(_, call):
            state["moved"] = state["moved"] or state["moving"]
            if call in RENAMES and b",S=" in traced.text(3):
                state["moving"] = True
            return at_call(traced, call)
        how = traced.run(note, lambda: False)
        lda.returncode = traced.exit_code
        return how, traced.exit_code, lda.stderr.read(), state["moved"]

    def leftovers(self, mailbox="INBOX"):
        return os.listdir(os.path.join(self.made.maildir("alice"), *([] if mailbox == "INBOX" else ["." + mailbox]), "tmp"))

    def look(self, where, mailbox="INBOX"):
        """Keys of what is there beyond what must be there, in the same order as ever."""
        found = self.audit.look([mailbox])[mailbox] or []
        expected = self.expected if mailbox == "INBOX" else []
        self.assertEqual(found[:len(expected)], expected, where)
        return found[len(expected):]

    @limit(300)
    def test_killed_at_each_system_call(self):
        absent = present = 0
        while True:
            self.turn += 1
            key, where = "k%d" % self.turn, "killed at call %d" % self.turn
            how, code, _, moved = self.deliver_traced(key, lambda traced, _: "kill" if traced.calls == self.turn else None)
            new = self.look(where)
            if how != "killed":
                self.assertEqual((code, new), (0, [key]))
                break
            # Before the rename nothing is there and after it everything: only then does the sender's next attempt make two of it.
            self.assertEqual(new, [key] if moved else [], where)
            self.expected += new
            present, absent = present + moved, absent + (not moved)
            if not moved:
                self.deliver(key)
                self.assertEqual(self.look(where + ", once more"), [key])
                self.expected.append(key)
        self.told = "ended at %d system calls: %d before the rename, %d after it" % (self.turn - 1, absent, present)
        self.assertGreater(absent, 30)
        self.assertGreater(present, 5)
        # What it leaves in tmp/ belongs to nobody; that it goes after 36 hours is tested below.
        self.assertLessEqual(len(self.leftovers()), absent)

    @limit(300)
    def test_each_call_that_changes_files_fails(self):
        tried = 0
        for code in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            number = 0
            while True:
                number += 1
                self.turn += 1
                key, where = "f%d" % self.turn, "%s at changing call %d" % (errno.errorcode[code], number)
                state = {"matching": 0, "failed": None}

                def fail(traced, call):
                    if not traced.changes_files(call):
                        return None
                    state["matching"] += 1
                    if state["matching"] == number:
                        state["failed"] = call
                        return code
                    return None

                mark = self.made.mark()
                how, exit_code, text, _ = self.deliver_traced(key, fail)
                self.assertIn(exit_code, (0, 75), (where, text))
                new = self.look(where)
                self.assertEqual(new, [key] if exit_code == 0 else [], where)
                self.expected += new
                self.assertEqual(self.leftovers(), [], where)
                if exit_code:
                    self.made.wait_for_log(r"lda\(alice\).*Error: ", since=mark)
                    self.deliver(key)
                    self.assertEqual(self.look(where + ", once more"), [key])
                    self.expected.append(key)
                if how != "failed":
                    break
                tried += 1
        self.told = "%d calls failed" % tried
        self.assertGreater(tried, 20)

    def test_only_the_users_own_quota_sends_a_message_back(self):
        for code, expected in ((errno.EDQUOT, 77), (errno.ENOSPC, 75), (errno.EIO, 75)):
            with self.subTest(errno.errorcode[code]):
                how, exit_code, text, _ = self.deliver_traced(
                    "q", lambda traced, call: code if call == tracer.NUMBERS["write"] and traced.changes_files(call) else None, options=["-e"])
                self.assertEqual((how, exit_code), ("failed", expected), text)
        self.assertEqual(self.look("-e"), [])

    @limit(300)
    def test_killed_while_the_mailbox_is_made(self):
        while True:
            self.turn += 1
            key, mailbox, where = "m%d" % self.turn, "Lists%d" % self.turn, "killed at call %d" % self.turn
            how, code, _, moved = self.deliver_traced(key, lambda traced, _: "kill" if traced.calls == self.turn else None, mailbox)
            if how == "killed" and not moved:
                self.deliver(key, mailbox)
            self.assertEqual(self.look(where, mailbox), [key], where)
            self.assertEqual(self.look(where), [], where)
            if how != "killed":
                break
        self.assertEqual(code, 0)
        self.told = "ended at %d system calls" % (self.turn - 1)
        self.assertGreater(self.turn, 60)


@only_culver
@only_root
class Leftovers(Case):
    """What stays in tmp/ goes after 36 hours; time of inodes cannot be set, so the delivery's clock is."""

    CLOCK = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <time.h>
        int clock_gettime(clockid_t which, struct timespec *now) {
            int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
            int result = real(which, now);
            if (result == 0 && which == CLOCK_REALTIME) now->tv_sec += atol(getenv("LATER"));
            return result;
        }
    """

    @needs("cc")
    def test_old_ones_go_and_young_ones_stay(self):
        server = self.server(users=["alice"])
        folder = tempfile.mkdtemp(prefix="culver-clock-")
        self.addCleanup(shutil.rmtree, folder, True)
        os.chmod(folder, 0o755)
        library = os.path.join(folder, "clock.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-", "-ldl"], input=self.CLOCK.encode(), check=True)
        self.assertEqual(server.deliver("alice", message()).returncode, 0)
        tmp = os.path.join(server.maildir("alice"), "tmp")

        def deliver(later, looked):
            """A delivery `later` than now, in seconds, when somebody looked for left-overs at `looked` from now."""
            os.utime(tmp, (time.time() + looked, time.time()))
            done = subprocess.run([culver.programs().lda, "-c", server.config_path, "-d", "alice"], input=message(), capture_output=True,
                                  timeout=20, env=dict(culver.CLEAN, LD_PRELOAD=library, LATER=str(later)))
            self.assertEqual(done.returncode, 0, done.stderr)
            return sorted(os.listdir(tmp))

        for name, read in (("1.old", -40 * DAY), ("2.read-lately", 1.4 * DAY)):
            with open(os.path.join(tmp, name), "wb") as file:
                file.write(b"half a mess")
            os.utime(os.path.join(tmp, name), (time.time() + read, time.time()))
        self.assertEqual(deliver(35 * 3600, -8 * DAY), ["1.old", "2.read-lately"])
        self.assertEqual(deliver(37 * 3600, -5 * DAY), ["1.old", "2.read-lately"], "somebody looked less than a week ago")
        self.assertEqual(deliver(37 * 3600, -8 * DAY), ["2.read-lately"])
        self.assertEqual(deliver(72 * 3600, -8 * DAY), [])
        with server.login("alice") as client:
            self.assertIn(b"5 EXISTS", self.assertOK(client.command("SELECT INBOX")).all())


@only_culver
@only_root
class FullDisk(Case):
    """The mail of alice is on a file system of 2 MB, which is then full."""

    def full(self, *, of):
        server = self.server(start=False, users=["alice", "bob"])
        home = server.home("alice")
        owner = os.stat(home)
        options = "size=2m,nr_inodes=200,mode=700,uid=%d,gid=%d" % (owner.st_uid, owner.st_gid)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", home], capture_output=True)
        if done.returncode != 0:
            self.skipTest("cannot mount: %s" % done.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", home], capture_output=True)
        server.start()
        client = server.login("alice")
        self.addCleanup(client.close)
        for key in "abc":
            self.assertOK(client.append(keyed(key)))
        self.assertOK(client.command("CREATE Target"))
        self.assertOK(client.append(keyed("t"), "Target"))
        self.assertOK(client.command("SELECT INBOX"))
        self.ballast = []
        try:
            for number in range(1000):
                self.ballast.append(os.path.join(home, "ballast%d" % number))
                with open(self.ballast[-1], "wb", 0) as file:
                    while of == "blocks" and file.write(b"x" * 4096):
                        pass
        except OSError as error:
            self.assertEqual(error.errno, errno.ENOSPC)
        return server, client

    def free(self):
        for path in self.ballast:
            if os.path.exists(path):
                os.unlink(path)

    def keys(self, server):
        return Audit(self, server, "alice").look(["INBOX", "Target"])

    def refused(self, server, client, names):
        """Each is refused with a reason, leaves nothing behind, and the next command works."""
        for name in names:
            with self.subTest(name):
                reply = client.append(keyed("new")) if name == "APPEND" else client.command(name)
                self.assertNO(reply, "OVERQUOTA")
                self.assertRegex(reply.text, r"\[OVERQUOTA\] \w+ \w+")
                self.assertOK(client.command("NOOP"))
                self.assertEqual(len(self.assertOK(client.command("FETCH 1:* (ENVELOPE BODY.PEEK[])")).lines("FETCH")), 3)
        mark = server.mark()
        self.assertEqual(server.deliver("alice", keyed("new")).returncode, 75)
        server.wait_for_log(r"lda\(alice\).*Error: .*No space left", since=mark)
        bounced = subprocess.run([culver.programs().lda, "-c", server.config_path, "-d", "alice", "-e"], input=keyed("new"),
                                 capture_output=True, timeout=20, env=culver.CLEAN)
        self.assertEqual(bounced.returncode, 75, "a full disk is no reason to send the message back")
        self.assertEqual(os.listdir(os.path.join(server.maildir("alice"), "tmp")), [])
        self.assertEqual(self.keys(server), {"INBOX": ["a", "b", "c"], "Target": ["t"]})
        self.assertEqual(server.deliver("bob", keyed("new")).returncode, 0)

    def works_again(self, server, client):
        self.free()
        self.assertOK(client.append(keyed("d")))
        self.assertOK(client.command("COPY 1 Target"))
        self.assertEqual(server.deliver("alice", keyed("e")).returncode, 0)
        self.assertEqual(self.keys(server), {"INBOX": ["a", "b", "c", "d", "e"], "Target": ["t", "a"]})

    def test_no_block_is_free(self):
        server, client = self.full(of="blocks")
        self.refused(server, client, ["APPEND"])
        self.works_again(server, client)

    def test_no_inode_is_free(self):
        server, client = self.full(of="inodes")
        self.refused(server, client, ["APPEND", "COPY 1:2 Target", "CREATE Another"])
        self.works_again(server, client)

    def test_a_user_can_make_room(self):
        for of in ("blocks", "inodes"):
            with self.subTest(of):
                server, client = self.full(of=of)
                self.assertOK(client.command("STORE 2 +FLAGS (\\Deleted)"))
                self.assertOK(client.command("EXPUNGE"))
                self.assertEqual(self.keys(server), {"INBOX": ["a", "c"], "Target": ["t"]})
