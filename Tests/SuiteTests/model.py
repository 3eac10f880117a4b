"""A mailbox as it must be, and what a session has been told of it: two pictures that a test holds against each other."""

import re

SYSTEM = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
WORDS = ("$Label1", "$Junk", "Work", "later")


class Message:
    """One message of the truth."""

    def __init__(self, uid, key, flags=()):
        self.uid = uid
        self.key = key
        self.flags = frozenset(flags)


class Truth:
    """A mailbox. UIDs are never given twice: `history` has all there ever were, in order."""

    def __init__(self):
        self.messages = {}
        self.history = []

    def add(self, uid, key, flags):
        if self.history and uid <= self.history[-1]:
            raise AssertionError("UID %d was given after %d" % (uid, self.history[-1]))
        self.history.append(uid)
        self.messages[uid] = Message(uid, key, flags)

    def uids(self):
        return sorted(self.messages)

    def remove(self, uids):
        return [self.messages.pop(uid) for uid in uids if uid in self.messages]

    def store(self, uids, sign, flags):
        for uid in uids:
            message = self.messages.get(uid)
            if message is not None:
                message.flags = {"+": message.flags | flags, "-": message.flags - flags, "": frozenset(flags)}[sign]


def numbers(text):
    """The numbers of a set such as 1:3,7."""
    found = []
    for part in filter(None, text.split(",")):
        low, _, high = part.partition(":")
        found += range(int(low), int(high or low) + 1)
    return found


def coded(uids):
    """A set of numbers, as short as it can be."""
    parts = []
    for uid in sorted(uids):
        if parts and parts[-1][1] + 1 == uid:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return ",".join("%d" % low if low == high else "%d:%d" % (low, high) for low, high in parts)


class Entry:
    """One message as a session knows it; None: it was not told."""

    def __init__(self, uid):
        self.uid = uid  # derived from the truth by its place: the session may not have heard it
        self.flags = None


class Session:
    """A connection and what it was told. `hear` takes in untagged responses and fails on what must not be said."""

    def __init__(self, server, truth, name, user="alice"):
        self.client = server.login(user)
        self.truth = truth
        self.name = name
        self.view = []
        self.highest = 0  # the highest UID it was ever told of
        self.selected = False
        self.readonly = False
        self.modseq = 0
        self.uidvalidity = None
        self.qresync = False
        self.heard = []  # the last answers, for the report of a failure

    def fail(self, text):
        raise AssertionError("session %s: %s\n%s" % (self.name, text, "\n".join(map(repr, self.heard))))

    def uids(self):
        return [entry.uid for entry in self.view]

    # Selecting

    def select(self, readonly=False, resync=False):
        old = {entry.uid: entry for entry in self.view}
        if resync:
            if not self.qresync:
                self.client.ok("ENABLE QRESYNC")
                self.qresync = True
            parameters = " (QRESYNC (%d %d))" % (self.uidvalidity, self.modseq)
        else:
            parameters, old = "", {}
        self.view, self.selected, self.readonly = [], True, readonly
        reply = self.client.ok(("EXAMINE INBOX" if readonly else "SELECT INBOX") + parameters)
        self.uidvalidity = int(re.search(rb"UIDVALIDITY (\d+)", reply.all()).group(1))
        exists = [int(line.split()[0]) for line in reply.lines("EXISTS")]
        if exists != [len(self.truth.messages)]:
            self.fail("EXISTS %r instead of %d" % (exists, len(self.truth.messages)))
        self.view = [Entry(uid) for uid in self.truth.uids()]
        self.take_modseq(reply.all())
        if not resync:
            return
        # What was known before, less what vanished, with what is told now, must be the truth.
        for line in reply.untagged:
            vanished = re.match(rb"\* VANISHED \(EARLIER\) (\S+)", line)
            if vanished:
                for uid in numbers(vanished.group(1).decode()):
                    if uid in self.truth.messages:
                        self.fail("VANISHED (EARLIER) names %d, which is there" % uid)
                    old.pop(uid, None)
        for uid in old:
            if uid not in self.truth.messages:
                self.fail("VANISHED (EARLIER) does not name %d" % uid)
        for entry in self.view:
            if entry.uid in old:
                entry.flags = old[entry.uid].flags
        for line in reply.untagged:
            if b" EXISTS" not in line:
                self.hear(line, True)

    def take_modseq(self, text):
        for found in re.findall(rb"HIGHESTMODSEQ (\d+)", text):
            self.modseq = max(self.modseq, int(found))

    # Commands

    def command(self, text, expunges):
        """Runs a command; `expunges`: EXPUNGE may be said. Answers the reply."""
        reply = self.client.command(text)
        self.hear_all(reply, expunges)
        return reply

    def hear_all(self, reply, expunges):
        self.heard = (self.heard + [reply])[-3:]
        for line in reply.untagged:
            self.hear(line, expunges)
        self.take_modseq(reply.all())

    def hear(self, line, expunges):
        number = re.match(rb"\* (\d+) (\S+)", line)
        if number is None:
            vanished = re.match(rb"\* VANISHED (\S+)$", line)
            if vanished and self.selected:
                if not expunges:
                    self.fail("%r where it is not allowed" % line)
                for uid in numbers(vanished.group(1).decode()):
                    self.lose(uid, line)
            return
        value, word = int(number.group(1)), number.group(2).upper()
        if word == b"EXISTS":
            self.grow(value)
        elif word == b"EXPUNGE":
            if not expunges:
                self.fail("%r where it is not allowed" % line)
            if self.qresync:
                self.fail("%r after ENABLE QRESYNC" % line)
            if not 1 <= value <= len(self.view):
                self.fail("%r of %d messages" % (line, len(self.view)))
            self.lose(self.view[value - 1].uid, line)
        elif word == b"FETCH":
            self.take(value, line, expunges)

    def lose(self, uid, line):
        if uid in self.truth.messages:
            self.fail("%r: UID %d is there" % (line, uid))
        self.view = [entry for entry in self.view if entry.uid != uid]

    def grow(self, count):
        if count < len(self.view):
            self.fail("EXISTS %d after %d messages" % (count, len(self.view)))
        last = self.view[-1].uid if self.view else 0
        known = max(last, self.highest)
        coming = [uid for uid in self.truth.history if uid > known and uid in self.truth.messages]
        wanted = count - len(self.view)
        if wanted > len(coming):
            self.fail("EXISTS %d: there are not that many" % count)
        self.view += [Entry(uid) for uid in coming[:wanted]]
        self.highest = self.view[-1].uid if self.view else known

    def take(self, number, line, expunges):
        if not 1 <= number <= len(self.view):
            self.fail("%r of %d messages" % (line, len(self.view)))
        entry = self.view[number - 1]
        uid = re.search(rb"\bUID (\d+)", line)
        if uid and int(uid.group(1)) != entry.uid:
            self.fail("%r: that place has UID %d" % (line, entry.uid))
        flags = re.search(rb"FLAGS \(([^)]*)\)", line)
        if flags:
            said = set(flags.group(1).decode().split())
            entry.flags = frozenset(said - {"\\Recent"})
        key = re.search(rb"X-Key: (\S+)", line)
        if key and entry.uid in self.truth.messages and key.group(1).decode() != self.truth.messages[entry.uid].key:
            self.fail("%r: UID %d is %s" % (line, entry.uid, self.truth.messages[entry.uid].key))
        modseq = re.search(rb"MODSEQ \((\d+)\)", line)
        # Where expunges may not be told, some with a lower modseq may be missing.
        if modseq and self.qresync and expunges:
            self.modseq = max(self.modseq, int(modseq.group(1)))

    # The comparison

    def compare(self, expunges):
        """What the session believes is the truth; without `expunges` messages that are gone may still be in its view."""
        gone = [entry.uid for entry in self.view if entry.uid not in self.truth.messages]
        if gone and expunges:
            self.fail("was not told that %s are gone" % gone)
        there = [entry.uid for entry in self.view if entry.uid in self.truth.messages]
        if there != self.truth.uids():
            self.fail("believes in %s instead of %s" % (coded(there), coded(self.truth.uids())))
        for entry in self.view:
            message = self.truth.messages.get(entry.uid)
            if message is not None and entry.flags is not None and entry.flags != message.flags:
                self.fail("believes UID %d has %s instead of %s" % (entry.uid, sorted(entry.flags), sorted(message.flags)))

    def close(self):
        self.client.close()


def appenduid(reply):
    """UIDs of APPENDUID."""
    return numbers(re.search(rb"\[APPENDUID \d+ (\S+)\]", reply.all()).group(1).decode())


def copyuid(reply):
    """Pairs of COPYUID; none where nothing was copied."""
    found = re.search(rb"\[COPYUID \d+ (\S+) (\S+)\]", reply.all())
    return list(zip(numbers(found.group(1).decode()), numbers(found.group(2).decode()))) if found else []

