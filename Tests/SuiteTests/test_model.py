"""Eight sessions do random things to one mailbox; after each, what every one of them was told is compared with what must be true."""

import os
import random
import re

from model import SYSTEM, WORDS, Session, Truth, appenduid, coded, copyuid, numbers
from suite import Case, limit, message, only_culver, only_root
from test_search import DovecotSession

SESSIONS = 8
COMMANDS = int(os.environ.get("MODEL_COMMANDS", "20000"))
SEED = int(os.environ.get("MODEL_SEED", "1"))
FULL = 120  # messages beyond which nothing is added


class Play:
    """The random steps; all chance comes from one seed."""

    def __init__(self, server, seed):
        self.server = server
        self.dice = random.Random(seed)
        self.truth = Truth()
        self.other = Truth()  # the mailbox that messages are copied and moved to
        self.count = 0
        self.keys = 0
        self.done = {}
        self.trace = []
        self.lost = set()  # sessions that may know modseqs of an index that was removed
        with server.login("alice") as client:
            client.ok("CREATE Other")
        self.sessions = [Session(server, self.truth, "%d" % number) for number in range(SESSIONS)]
        for session in self.sessions:
            session.select()

    # Choice

    def key(self):
        self.keys += 1
        return "k%d" % self.keys

    def flags(self, least=0):
        names = self.dice.sample(SYSTEM + WORDS, self.dice.randint(least, 3))
        return frozenset(names)

    def some(self, uids, most=6):
        uids = list(uids)
        return sorted(self.dice.sample(uids, min(len(uids), self.dice.randint(1, most)))) if uids else []

    def text(self, key):
        return message("Message " + key, headers="X-Key: %s\r\n" % key)

    def say(self, session, what):
        self.trace.append("%s: %s" % (session.name, what))
        del self.trace[:-60]
        self.done[what.split()[0]] = self.done.get(what.split()[0], 0) + 1

    # Steps; each leaves the truth as it is afterwards and compares the session that acted.

    def append(self, session):
        if len(self.truth.messages) > FULL:
            return self.expunge(session)
        keys = [self.key() for _ in range(self.dice.choice((1, 1, 1, 3)))]
        flags = [self.flags() for _ in keys]
        parts = [(" (%s) {%d+}\r\n" % (" ".join(sorted(chosen)), len(self.text(key)))).encode() for key, chosen in zip(keys, flags)]
        texts = [self.text(key) for key in keys]
        parts = [re.sub(rb"\{\d+\+\}", b"{%d+}" % len(text), part) for part, text in zip(parts, texts)]
        self.say(session, "APPEND %d" % len(keys))
        reply = session.client.command(b"APPEND INBOX" + b"".join(part + text for part, text in zip(parts, texts)))
        for uid, key, chosen in zip(appenduid(reply), keys, flags):
            self.truth.add(uid, key, chosen)
        session.hear_all(reply, True)
        session.compare(True)

    def deliver(self, session):
        """Another program puts a file into new/; the next session that looks gives it its UID."""
        if len(self.truth.messages) > FULL:
            return self.noop(session)
        key, folder = self.key(), self.server.maildir("alice")
        name = "17000%05d.M%dP1.host" % (self.keys, self.keys)
        path = os.path.join(folder, "tmp", name)
        with open(path, "wb") as file:
            file.write(self.text(key).replace(b"\r\n", b"\n"))
        owner = os.stat(folder)
        os.chown(path, owner.st_uid, owner.st_gid)
        os.rename(path, os.path.join(folder, "new", name))
        self.say(session, "deliver")
        self.truth.add(self.uidnext(), key, ())
        session.command("NOOP", True)
        session.compare(True)

    def uidnext(self):
        return self.truth.history[-1] + 1 if self.truth.history else 1

    def store(self, session):
        targets = self.some(session.uids(), 8)
        if not targets or session.readonly:
            return self.fetch(session)
        sign, flags, silent = self.dice.choice("+-") if self.dice.random() < 0.8 else "", self.flags(1), self.dice.random() < 0.4
        by_uid = self.dice.random() < 0.5
        places = [place + 1 for place, uid in enumerate(session.uids()) if uid in set(targets)]
        chosen = coded(targets) if by_uid else coded(places)
        what = "%sSTORE %s %sFLAGS%s (%s)" % ("UID " if by_uid else "", chosen, sign, ".SILENT" if silent else "", " ".join(sorted(flags)))
        self.say(session, what)
        self.truth.store(targets, sign, flags)
        session.command(what, by_uid)
        if silent:
            # What was said before the tagged line may be of before the change: a client adds its own.
            for entry in session.view:
                if entry.uid in set(targets) and entry.flags is not None:
                    entry.flags = {"+": entry.flags | flags, "-": entry.flags - flags, "": flags}[sign]
        session.compare(by_uid)

    def conditional(self, session):
        """STORE with UNCHANGEDSINCE: what changed since is left alone, and named."""
        targets = [uid for uid in self.some(session.uids()) if uid in self.truth.messages]
        if not targets or session.readonly:
            return self.fetch(session)
        reply = session.command("UID FETCH %s (MODSEQ FLAGS)" % coded(targets), True)
        found = {}
        for line in reply.untagged:
            uid, modseq = re.search(rb"\bUID (\d+)", line), re.search(rb"MODSEQ \((\d+)\)", line)
            if uid and modseq:
                found[int(uid.group(1))] = int(modseq.group(1))
        known = {uid: modseq for uid, modseq in found.items() if uid in targets}
        if sorted(known) != targets:
            session.fail("MODSEQ of %s instead of %s: %r" % (sorted(known), targets, reply))
        border = self.dice.choice(sorted(known.values()))
        flags = self.flags(1)
        what = "UID STORE %s (UNCHANGEDSINCE %d) +FLAGS (%s)" % (coded(targets), border, " ".join(sorted(flags)))
        self.say(session, what)
        reply = session.client.command(what)
        found = re.search(rb"\[MODIFIED (\S+)\]", reply.tagged)
        refused = numbers(found.group(1).decode()) if found else []
        expected = [uid for uid in targets if known[uid] > border]
        # Without the old index every message counts as changed.
        isLost = session in self.lost and set(refused) >= set(expected)
        if refused != expected and not isLost:
            session.fail("%r with %r" % (reply, known))
        self.lost.discard(session)
        self.truth.store([uid for uid in targets if uid not in refused], "+", flags)
        session.hear_all(reply, True)
        session.compare(True)

    def fetch(self, session):
        targets = self.some(session.uids(), 20)
        by_uid = self.dice.random() < 0.5
        places = [place + 1 for place, uid in enumerate(session.uids()) if uid in set(targets)]
        items = self.dice.choice(("FLAGS", "(UID FLAGS)", "(FLAGS MODSEQ)", "(FLAGS BODY.PEEK[HEADER.FIELDS (X-Key)])", "(RFC822.SIZE FLAGS INTERNALDATE)"))
        if not targets:
            return self.noop(session)
        what = "%sFETCH %s %s" % ("UID " if by_uid else "", coded(targets if by_uid else places), items)
        self.say(session, what)
        session.command(what, by_uid)
        session.compare(by_uid)

    def learn(self, session):
        """Everything that the session does not know yet."""
        if not session.view:
            return self.noop(session)
        self.say(session, "FETCH all")
        session.command("FETCH 1:* (UID FLAGS)", False)
        session.compare(False)

    def search(self, session):
        by_uid, negated = self.dice.random() < 0.5, self.dice.random() < 0.3
        flag = self.dice.choice(SYSTEM + WORDS)
        criterion = flag[1:].upper() if flag.startswith("\\") else "KEYWORD " + flag
        what = "%sSEARCH %s%s" % ("UID " if by_uid else "", "NOT " if negated else "", criterion)
        self.say(session, what)
        before = {entry.uid: entry.flags for entry in session.view}
        reply = session.client.command(what)
        line = [found for found in reply.untagged if found.startswith(b"* SEARCH")][0]
        said = {int(number) for number in line.split()[2:] if number.isdigit()}
        said = said if by_uid else {list(before)[number - 1] for number in said}
        for uid, known in before.items():
            # The answer may be that of what the session was told last, or of what is true now.
            if known is None or uid not in self.truth.messages:
                continue
            flags = self.truth.messages[uid].flags
            if (uid in said) not in {(flag in known) != negated, (flag in flags) != negated}:
                session.fail("%s answers %s: UID %d has %s, was told %s" % (what, sorted(said), uid, sorted(flags), sorted(known)))
        session.hear_all(reply, by_uid)
        session.compare(by_uid)

    def expunge(self, session):
        if session.readonly:
            return self.noop(session)
        deleted = [uid for uid, found in self.truth.messages.items() if "\\Deleted" in found.flags]
        if self.dice.random() < 0.5:
            chosen = self.some(session.uids(), 30)
            if not chosen:
                return self.noop(session)
            what, gone = "UID EXPUNGE " + coded(chosen), [uid for uid in deleted if uid in chosen]
        else:
            # Only what the session knows of can go.
            what, gone = "EXPUNGE", [uid for uid in deleted if uid in session.uids()]
        self.say(session, what)
        self.truth.remove(gone)
        session.command(what, True)
        session.compare(True)

    def transfer(self, session, what, targets):
        """COPY or MOVE: all of it or, where a message is gone already, nothing."""
        reply = session.client.command(what)
        gone = [uid for uid in targets if uid not in self.truth.messages]
        pairs = copyuid(reply)
        if reply.word == "NO":
            isRight = gone and "EXPUNGEISSUED" in reply.text and not pairs
        else:
            isRight = not gone and [source for source, _ in pairs] == targets
        if not isRight:
            session.fail("%r with %s gone" % (reply, gone))
        if gone:
            session.hear_all(reply, True)
            session.command("NOOP", True)
        return reply, pairs

    def copy(self, session):
        targets = self.some(session.uids(), 5)
        if not targets:
            return self.noop(session)
        here = self.dice.random() < 0.3 and len(self.truth.messages) <= FULL
        what = "UID COPY %s %s" % (coded(targets), "INBOX" if here else "Other")
        self.say(session, what)
        reply, pairs = self.transfer(session, what, targets)
        for source, target in pairs:
            found = self.truth.messages[source]
            (self.truth if here else self.other).add(target, found.key, found.flags)
        session.hear_all(reply, True)
        session.compare(reply.word == "OK")

    def move(self, session):
        targets = self.some(session.uids(), 4)
        if not targets or session.readonly:
            return self.noop(session)
        what = "UID MOVE %s Other" % coded(targets)
        self.say(session, what)
        reply, pairs = self.transfer(session, what, targets)
        for (_, target), found in zip(pairs, self.truth.remove([source for source, _ in pairs])):
            self.other.add(target, found.key, found.flags)
        session.hear_all(reply, True)
        session.compare(reply.word == "OK")

    def back(self, session):
        """Another session brings messages back from the other mailbox."""
        if not self.other.messages or len(self.truth.messages) > FULL:
            return self.noop(session)
        chosen = self.some(self.other.messages, 4)
        what = "UID MOVE %s INBOX" % coded(chosen)
        self.say(session, "back " + what)
        with self.server.login("alice") as client:
            client.ok("SELECT Other")
            pairs = copyuid(client.ok(what))
        if [source for source, _ in pairs] != chosen:
            session.fail("%r instead of %s" % (pairs, chosen))
        for (_, target), found in zip(pairs, self.other.remove(chosen)):
            self.truth.add(target, found.key, found.flags)
        session.command("NOOP", True)
        session.compare(True)

    def noop(self, session):
        self.say(session, "NOOP")
        session.command(self.dice.choice(("NOOP", "CHECK")), True)
        session.compare(True)

    def reselect(self, session):
        """Leaves the mailbox and comes back, in one of the ways there are."""
        how = self.dice.choice(("UNSELECT", "CLOSE", "again", "QRESYNC"))
        self.say(session, "reselect " + how)
        if how == "QRESYNC" and not session.qresync:
            # From here on it knows each flag with a modseq that is at least as high.
            session.client.ok("ENABLE QRESYNC")
            session.qresync = True
            session.select(readonly=False)
            return self.learn(session)
        if how == "CLOSE" and not session.readonly:
            known = session.uids()
            self.truth.remove([uid for uid, found in self.truth.messages.items() if "\\Deleted" in found.flags and uid in known])
        if how in ("UNSELECT", "CLOSE"):
            session.client.ok(how)
        if how == "QRESYNC":
            session.client.ok("UNSELECT")
        session.select(readonly=self.dice.random() < 0.2, resync=how == "QRESYNC")
        session.compare(True)

    def status(self, session):
        self.say(session, "STATUS")
        reply = session.command("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)", True)
        unseen = sum("\\Seen" not in found.flags for found in self.truth.messages.values())
        wanted = b"(MESSAGES %d UNSEEN %d UIDNEXT %d)" % (len(self.truth.messages), unseen, self.uidnext())
        if wanted not in reply.all():
            session.fail("%r instead of %r" % (reply, wanted))
        session.compare(True)

    def idle(self, session):
        """Another session changes something while this one waits in IDLE."""
        other = self.dice.choice([one for one in self.sessions if one is not session])
        self.settle([session])
        self.say(session, "IDLE")
        tag = session.client.start("IDLE")
        while True:
            line = session.client.line()
            if line.startswith(b"+"):
                break
            session.hear(line, True)
        self.dice.choice((self.append, self.store, self.expunge))(other)
        session.client.send(b"DONE\r\n")
        session.hear_all(session.client.finish(tag), True)
        session.command("NOOP", True)
        session.compare(True)

    def foreign(self, session):
        """Another program changes flags in a file's name, or removes a file."""
        if not self.truth.messages:
            return self.noop(session)
        uid = self.dice.choice(sorted(self.truth.messages))
        folder, base = self.server.maildir("alice"), self.bases()[uid]
        found = [(part, name) for part in ("cur", "new") for name in os.listdir(os.path.join(folder, part)) if name.split(":")[0] == base]
        if len(found) != 1:
            session.fail("files of UID %d: %s" % (uid, found))
        path = os.path.join(folder, *found[0])
        if self.dice.random() < 0.3:
            self.say(session, "foreign unlink")
            os.unlink(path)
            self.truth.remove([uid])
        else:
            flags = frozenset(name for name in self.truth.messages[uid].flags if name in WORDS) | frozenset(self.dice.sample(SYSTEM, 2))
            letters = "".join(sorted({"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Deleted": "T", "\\Draft": "D"}[name]
                                     for name in flags if name in SYSTEM))
            kept = re.sub(r"[A-Z]", "", found[0][1].partition(":2,")[2])
            self.say(session, "foreign flags")
            os.rename(path, os.path.join(folder, "cur", base + ":2," + letters + kept))
            self.truth.messages[uid].flags = flags
        session.command("NOOP", True)
        session.compare(True)

    def bases(self):
        """Base names by UID, as dovecot-uidlist has them."""
        found = {}
        with open(os.path.join(self.server.maildir("alice"), "dovecot-uidlist"), encoding="latin-1") as file:
            for line in list(file)[1:]:
                uid, _, rest = line.rstrip("\n").partition(" ")
                found[int(uid)] = rest[rest.index(":") + 1:].split(":2,")[0]
        return found

    def lose_index(self, session):
        """The index is only a cache."""
        path = os.path.join(self.server.maildir("alice"), "culver.index")
        if os.path.exists(path):
            os.unlink(path)
        self.say(session, "lose-index")
        self.lost = set(self.sessions)
        session.command("NOOP", True)
        session.compare(True)

    def reconnect(self, session):
        """A new connection in place of an old one."""
        place = self.sessions.index(session)
        session.close()
        self.say(session, "reconnect")
        self.sessions[place] = Session(self.server, self.truth, session.name)
        self.sessions[place].select()
        self.learn(self.sessions[place])

    STEPS = (("append", 8), ("deliver", 4), ("store", 24), ("conditional", 4), ("fetch", 14), ("learn", 6), ("search", 8), ("expunge", 6), ("copy", 4),
             ("move", 3), ("back", 2), ("noop", 8), ("reselect", 3), ("status", 3), ("idle", 2), ("foreign", 3), ("lose_index", 0.3), ("reconnect", 0.5))

    def settle(self, sessions):
        """Nobody is to meet messages for the first time while others remove them: then nobody could say which ones a number counts."""
        for session in sessions:
            session.command("NOOP", True)
            session.compare(True)

    def step(self):
        names, weights = zip(*self.STEPS)
        self.count += 1
        getattr(self, self.dice.choices(names, weights)[0])(self.dice.choice(self.sessions))

    def at_once(self):
        """Several sessions act at the same time, each on messages of its own, and say no earlier than all have acted what they heard."""
        self.settle(self.sessions)
        writers = [one for one in self.sessions if not one.readonly]
        group = self.dice.sample(writers, min(len(writers), self.dice.randint(2, 5)))
        uids = self.truth.uids()
        self.dice.shuffle(uids)
        waiting, effects = [], []
        for session in group:
            mine = sorted(uid for uid in uids[:6] if uid in session.uids())
            del uids[:6]
            kind = self.dice.choice(("store", "append", "move", "fetch"))
            self.count += 1
            if kind == "append" or not mine:
                key, flags = self.key(), self.flags()
                text = self.text(key)
                what = b"APPEND INBOX (%s) {%d+}\r\n" % (" ".join(sorted(flags)).encode(), len(text)) + text
                effects.append((session, "append", [(key, flags)], None))
            elif kind == "store":
                flags = self.flags(1)
                what = "UID STORE %s +FLAGS (%s)" % (coded(mine), " ".join(sorted(flags)))
                self.truth.store(mine, "+", flags)
                effects.append((session, "store", mine, None))
            elif kind == "move":
                what = "UID MOVE %s Other" % coded(mine)
                effects.append((session, "move", mine, [(m.key, m.flags) for m in self.truth.remove(mine)]))
            else:
                what = "UID FETCH %s (FLAGS)" % coded(mine)
                effects.append((session, "fetch", mine, None))
            self.say(session, "at-once " + (what if isinstance(what, str) else "APPEND"))
            waiting.append(session.client.start(what))
        replies = [session.client.finish(tag) for session, tag in zip(group, waiting)]
        appended, moved = [], []
        for (session, kind, mine, extra), reply in zip(effects, replies):
            if reply.word != "OK":
                session.fail("%s: %r" % (kind, reply))
            if kind == "append":
                appended += [(uid, *what) for uid, what in zip(appenduid(reply), mine)]
            elif kind == "move":
                pairs = copyuid(reply)
                if [source for source, _ in pairs] != mine:
                    session.fail("%r instead of %s" % (reply, mine))
                moved += [(target, *what) for (_, target), what in zip(pairs, extra)]
        for uid, key, flags in sorted(appended):
            self.truth.add(uid, key, flags)
        for uid, key, flags in sorted(moved):
            self.other.add(uid, key, flags)
        for session, reply in zip(group, replies):
            session.hear_all(reply, True)
        for session in self.sessions:
            session.command("NOOP", True)
            session.compare(True)


@only_culver
@only_root
class Model(Case):
    def audit(self, server, truth, name, folder):
        """What is on disk, and what Culver without an index and Dovecot say of it, is the truth."""
        files = [found for part in ("cur", "new") for found in os.listdir(os.path.join(folder, part))]
        self.assertEqual(len(files), len(truth.messages), "files of " + name)
        self.assertEqual(os.listdir(os.path.join(folder, "tmp")), [])

    def shown(self, client, name):
        client.ok("EXAMINE " + name)
        text = client.command("FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-Key)])").all()
        found = {}
        for part in re.split(rb"(?m)^\* \d+ FETCH ", text)[1:]:
            flags = frozenset(re.search(rb"FLAGS \(([^)]*)\)", part).group(1).decode().split()) - {"\\Recent"}
            found[int(re.search(rb"UID (\d+)", part).group(1))] = (re.search(rb"X-Key: (\S+)", part).group(1).decode(), flags)
        return found

    @limit(300)
    def test_eight_sessions_believe_what_is_true(self):
        server = self.server(users=["alice"], settings={"mail_max_userip_connections": "0"})
        play = Play(server, SEED)
        try:
            while play.count < COMMANDS:
                if play.dice.random() < 0.02:
                    play.at_once()
                else:
                    play.step()
        except Exception as error:
            raise AssertionError("seed %d, step %d: %s\n%s" % (SEED, play.count, error, "\n".join(play.trace[-25:]))) from error
        for session in play.sessions:
            session.command("NOOP", True)
            session.command("FETCH 1:* (UID FLAGS)", False)
            session.compare(True)
        for session in play.sessions:
            session.close()
        root = server.maildir("alice")
        self.audit(server, play.truth, "INBOX", root)
        self.audit(server, play.other, "Other", os.path.join(root, ".Other"))
        wanted = [{uid: (found.key, found.flags) for uid, found in truth.messages.items()} for truth in (play.truth, play.other)]
        with server.login("alice") as client:
            self.assertEqual([self.shown(client, name) for name in ("INBOX", "Other")], wanted, "with the index")
        os.unlink(os.path.join(root, "culver.index"))
        with server.login("alice") as client:
            self.assertEqual([self.shown(client, name) for name in ("INBOX", "Other")], wanted, "without an index")
        self.assertGreater(min(play.done.get(name, 0) for name in ("APPEND", "deliver", "EXPUNGE", "at-once", "IDLE", "foreign", "lose-index")), 20 * COMMANDS // 20000)
        theirs = DovecotSession(server.path("dovecot"), server.home("alice"))
        self.addCleanup(theirs.close)
        self.assertEqual([self.shown(theirs, name) for name in ("INBOX", "Other")], wanted, "Dovecot")
