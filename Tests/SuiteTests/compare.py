"""Serves one Maildir of generated messages with Culver and with Debian's Dovecot, and compares what they say about each message.

    compare.py COUNT [SEED]     prints every difference that is not explained, with the message; needs root and the release build
"""

import os
import pwd
import re
import sys
import tempfile

import corpus
import culver

# In the order of FETCH; SIZE stands for RFC822.SIZE.
ITEMS = ("RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE")


def write_maildir(folder, messages):
    """A Maildir whose UIDs are given: both servers call each message by the same number."""
    owner = pwd.getpwnam("vmail")
    for part in ("", "cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    lines = []
    for number, data in enumerate(messages, 1):
        name = "1763600000.M%dP1.corpus" % number
        with open(os.path.join(folder, "cur", name + ":2,"), "wb") as file:
            file.write(data)
        lines.append("%d :%s\n" % (number, name))
    with open(os.path.join(folder, "dovecot-uidlist"), "w") as file:
        file.write("3 V1763600000 N%d G%s\n" % (len(lines) + 1, "5" * 32) + "".join(lines))
    for root, _, names in os.walk(folder):
        for path in [root] + [os.path.join(root, name) for name in names]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
            os.chmod(path, 0o700 if path == root else 0o600)
    return len(lines)


def answers(server, maildir, count):
    """What this server says: {uid: {item: bytes}}."""
    before, culver.SERVER = culver.SERVER, server
    try:
        with culver.Instance(users=("alice",), settings={"mail_location": "maildir:" + maildir + ":INDEX=MEMORY" if server == "dovecot" else "maildir:" + maildir}) as instance:
            with instance.login("alice", timeout=120) as client:
                client.command("SELECT INBOX")
                found = {}
                for item in ITEMS:
                    for start in range(1, count + 1, 500):
                        reply = client.command("UID FETCH %d:%d (%s)" % (start, min(count, start + 499), item))
                        if reply.word != "OK":
                            raise AssertionError("%s: %r" % (server, reply.tagged))
                        for line in reply.untagged:
                            match = re.match(rb"\* \d+ FETCH \(UID (\d+) ([A-Z0-9.]+) (.*)\)$", line, re.S)
                            if match and match[2].decode() == item:
                                found.setdefault(int(match[1]), {})[item] = match[3]
                return found
    finally:
        culver.SERVER = before


def tokens(text):
    """The parts of an answer; a quoted string and a literal of the same bytes are the same (RFC 9051 section 4.3)."""
    found, index = [], 0
    while index < len(text):
        byte = text[index:index + 1]
        if byte in b"()":
            found.append(byte.decode())
            index += 1
        elif byte == b" ":
            index += 1
        elif byte == b'"':
            value, index = bytearray(), index + 1
            while text[index:index + 1] != b'"':
                if text[index:index + 1] == b"\\":
                    index += 1
                value += text[index:index + 1]
                index += 1
            found.append(bytes(value))
            index += 1
        elif byte == b"{":
            end = text.index(b"}\r\n", index)
            count = int(text[index + 1:end])
            found.append(text[end + 3:end + 3 + count])
            index = end + 3 + count
        else:
            word = re.compile(rb"[^ ()]+").match(text, index)
            found.append(word[0].decode())
            index = word.end()
    return found


def differences(count, seed=1):
    """[(uid, message, item, what Dovecot said, what Culver said)] of all that is not the same."""
    culver.programs()  # staged before Dovecot takes their place
    messages = list(corpus.messages(count, seed))
    with tempfile.TemporaryDirectory(prefix="culver-corpus-") as parent:
        os.chmod(parent, 0o755)
        maildir = os.path.join(parent, "Maildir")
        write_maildir(maildir, messages)
        theirs = answers("dovecot", maildir, count)
        ours = answers("culver", maildir, count)
    found = []
    for uid, data in enumerate(messages, 1):
        for item in ITEMS:
            one, other = theirs.get(uid, {}).get(item), ours.get(uid, {}).get(item)
            if one != other and (one is None or other is None or tokens(one) != tokens(other)):
                found.append((uid, data, item, one, other))
    return found


# What is meant to differ: the table of docs/imap.md

NOBODY = ["(", "NIL", "NIL", b"MISSING_MAILBOX", b"MISSING_DOMAIN", ")"]


def without_gaps(found):
    """Leaves out what stands for an empty element of an address list, and lists of nothing else."""
    shown = []
    for token in found:
        shown.append(token)
        if shown[-6:] == NOBODY:
            del shown[-6:]
        elif shown[-2:] == ["(", ")"]:
            shown[-2:] = ["NIL"]
    return shown


def is_near(one, other):
    """Equal, or an octet count that differs by a line end and a line count that differs by one."""
    numbers = all(isinstance(value, str) and value.isdigit() for value in (one, other))
    return one == other or numbers and abs(int(one) - int(other)) <= 2


def reason(data, theirs, ours):
    """Why these two answers about a message may differ, by the name of the row in docs/imap.md; None when nothing explains it."""
    one, other = without_gaps(theirs), without_gaps(ours)
    if one == other:
        return "empty element"
    if re.search(rb"message\s*/\s*global", data, re.I):
        return "message/global"
    if any(a == "(" and isinstance(b, bytes) and c == b"" and d in ("NIL", "(") for a, b, c, d in zip(one, one[1:], one[2:], one[3:])):
        return "invalid Content-Type"
    if re.search(rb"boundary(\*0)?\*?\s*=\s*(\"\"|[;\s]|$)", data, re.I):
        return "empty boundary"
    if re.search(rb"boundary\s*=\s*[^\"\s;]*[()<>@,:\\/\[\]?=']", data, re.I):
        return "boundary without quotes"
    if len(one) == len(other) and all(map(is_near, one, other)):
        return "header cut off by a boundary"
    if re.search(rb"[^\s;]\*=", data):
        return "lone extended parameter"
    if [token.replace(b"\r", b" ") if isinstance(token, bytes) else token for token in one] == other:
        return "stray CR"
    if len(one) == len(other) and all(a == b or a == b"MISSING_MAILBOX" and b"." in b for a, b in zip(one, other)):
        return "blanks around dots"
    head = re.split(rb"\r?\n\r?\n", data)[0]
    if head.count(b"(") != head.count(b")") or head.count(b'"') % 2:
        return "comment or string without end"
    return None


def explained(found):
    """({row: count}, the differences that nothing explains). What explains one answer about a message explains all."""
    rows, left, reasons = {}, [], {}
    for uid, data, item, one, other in found:
        why = reason(data, tokens(one or b""), tokens(other or b""))
        if why:
            reasons[uid, item == "ENVELOPE"] = why
    for entry in found:
        why = reasons.get((entry[0], entry[2] == "ENVELOPE"))
        if why:
            rows[why] = rows.get(why, 0) + 1
        else:
            left.append(entry)
    return rows, left


def main():
    found = differences(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    rows, left = explained(found)
    for uid, data, item, one, other in left:
        print("== %d %s\n%s\n-- dovecot\n%s\n-- culver\n%s" % (uid, item, *(("(nothing)" if value is None else value.decode("latin-1")) for value in (data, one, other))))
    for row in sorted(rows):
        print("%5d  %s" % (rows[row], row))
    print("%d differences are meant, %d in %d messages are not" % (sum(rows.values()), len(left), len({entry[0] for entry in left})))
    sys.exit(1 if len({entry[0] for entry in left}) > int(sys.argv[1]) // 400 else 0)


if __name__ == "__main__":
    main()
