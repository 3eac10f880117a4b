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
import imap

# In the order of FETCH; SIZE stands for RFC822.SIZE.
ITEMS = ("RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE")
# Part 1 of a part that has no parts, where it is told as that part itself.
LEAF = "BODY[1.1] as BODY[1]"
# What is asked, and what the answer calls it.
SECTIONS = {"BODY[1]": "BODY.PEEK[1]", "BODY[1.MIME]": "BODY.PEEK[1.MIME]", "BODY[2]": "BODY.PEEK[2]", "BODY[2.MIME]": "BODY.PEEK[2.MIME]",
            "BODY[1.1]": "BODY.PEEK[1.1]", "BODY[1.HEADER]": "BODY.PEEK[1.HEADER]", "BODY[1.TEXT]": "BODY.PEEK[1.TEXT]",
            "BODY[HEADER.FIELDS (SUBJECT FROM X-NONE)]": "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM X-NONE)]",
            "BODY[HEADER.FIELDS.NOT (SUBJECT FROM)]": "BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT FROM)]", "BODY[TEXT]<10>": "BODY.PEEK[TEXT]<10.200>"}


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


def ask(instance, item, first, last, found):
    """Adds what is said of these messages. Where the server closes the connection, one message is found that it does not stand, and left out."""
    with instance.login("alice", timeout=120) as client:
        client.command("SELECT INBOX")
        try:
            reply = client.command("UID FETCH %d:%d (%s)" % (first, last, SECTIONS.get(item, item)))
        except imap.Closed:
            if first < last:
                middle = (first + last) // 2
                ask(instance, item, first, middle, found)
                ask(instance, item, middle + 1, last, found)
            return
        if reply.word != "OK":
            raise AssertionError("%s: %r" % (item, reply.tagged))
        for line in reply.untagged:
            match = re.match(rb"\* \d+ FETCH \(UID (\d+) " + re.escape(item.encode()) + rb" (.*)\)$", line, re.S)
            if match:
                found.setdefault(int(match[1]), {})[item] = match[2]


def answers(server, maildir, count):
    """What this server says: {uid: {item: bytes}}."""
    before, culver.SERVER = culver.SERVER, server
    try:
        with culver.Instance(users=("alice",), settings={"mail_location": "maildir:" + maildir + ":INDEX=MEMORY" if server == "dovecot" else "maildir:" + maildir}) as instance:
            found = {}
            for item in ITEMS + tuple(SECTIONS):
                for start in range(1, count + 1, 500):
                    ask(instance, item, start, min(count, start + 499), found)
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
        for item in ITEMS + tuple(SECTIONS):
            one, other = theirs.get(uid, {}).get(item), ours.get(uid, {}).get(item)
            if one != other and (one is None or other is None or tokens(one) != tokens(other)):
                if item == "BODY[1.1]" and other == b"NIL" and one == theirs[uid].get("BODY[1]"):
                    item = LEAF
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


# Where the parts of a message are others, so are their contents.
OTHER_PARTS = ("empty boundary", "boundary without quotes", "invalid Content-Type", "message/global", "header cut off by a boundary", "stray CR")


def section_reason(data, item, theirs, ours):
    """The same of a section, exactly: what one answer is when the other one is known."""
    if item == LEAF:
        return "section: part 1 of a part without parts"
    one, other = tokens(theirs)[0], tokens(ours)[0]
    if one == b"" and other == "NIL":
        return "section: there is none"
    if not isinstance(one, bytes) or not isinstance(other, bytes):
        return None
    if other == one + b"\r\n" and not re.search(rb"(^|\n)\r?\n", data):
        return "section: header cut off within a line"
    if other == one + b"\r\n" and item.endswith((".MIME]", ".HEADER]")):
        return "section: empty line before a boundary"
    if one == other + b"\r\n":
        return "section: line end before a boundary"
    return None


def explained(found):
    """({row: count}, the differences that nothing explains). What explains one answer about a message explains all."""
    rows, left, reasons = {}, [], {}
    structures = {}
    for uid, data, item, one, other in found:
        if item in ("BODY", "BODYSTRUCTURE"):
            structures[uid] = reason(data, tokens(one or b""), tokens(other or b""))
    sections = [entry for entry in found if entry[2].startswith("BODY[")]
    found = [entry for entry in found if not entry[2].startswith("BODY[")]
    for entry in sections:
        uid, data, item, one, other = entry
        why = section_reason(data, item, one, other) if one is not None and other is not None else None
        if one is None and other is not None:
            why = "section: Dovecot closes the connection"
        if why is None and structures.get(uid) in OTHER_PARTS:
            why = "section: of other parts"
        if why:
            rows[why] = rows.get(why, 0) + 1
        else:
            left.append(entry)
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
    too_much = len({entry[0] for entry in left}) > int(sys.argv[1]) // 400 or any(entry[2].startswith("BODY[") for entry in left)
    sys.exit(1 if too_much else 0)


if __name__ == "__main__":
    main()
