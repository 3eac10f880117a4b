"""Serves one Maildir of generated messages with Culver and with Debian's Dovecot, and compares what they say about each message.

    compare.py COUNT [SEED]     prints every difference that is not explained, with the message; needs root and the release build
"""

import base64
import collections
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
SECTIONS = {"BINARY.SIZE[1]": "BINARY.SIZE[1]", "BINARY[1]": "BINARY.PEEK[1]", "BODY[1]": "BODY.PEEK[1]", "BODY[1.MIME]": "BODY.PEEK[1.MIME]", "BODY[2]": "BODY.PEEK[2]", "BODY[2.MIME]": "BODY.PEEK[2.MIME]",
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
    try:
        with instance.login("alice", timeout=120) as client:
            client.command("SELECT INBOX")
            ask_on(client, item, first, last, found)
    except imap.Closed:
        if first < last:
            middle = (first + last) // 2
            ask(instance, item, first, middle, found)
            ask(instance, item, middle + 1, last, found)


def ask_on(client, item, first, last, found):
    """The same in one session. A message whose BINARY is refused is told with the response code alone."""
    reply = client.command("UID FETCH %d:%d (%s)" % (first, last, SECTIONS.get(item, item)))
    if reply.word == "NO" and item.startswith("BINARY"):
        if first == last:
            found.setdefault(first, {})[item] = re.search(rb"\[?([A-Z-]*)", reply.tagged.split(b" ", 2)[2])[1] or b"NO"
        else:
            middle = (first + last) // 2
            ask_on(client, item, first, middle, found)
            ask_on(client, item, middle + 1, last, found)
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
        elif text.startswith((b"{", b"~{"), index):
            end = text.index(b"}\r\n", index)
            count = int(text[index:end].lstrip(b"~{"))
            found.append(text[end + 3:end + 3 + count])
            index = end + 3 + count
        else:
            word = re.compile(rb"[^ ()]+").match(text, index)
            found.append(word[0].decode())
            index = word.end()
    return found


class Difference(collections.namedtuple("Difference", "uid data item theirs ours them us")):
    """An answer about a message that is not the same: message from 1, its bytes, what was asked, what Dovecot and Culver
    said (None: nothing), and all that each said of this message by what was asked."""


def differences(messages):
    """Every Difference."""
    culver.programs()  # staged before Dovecot takes their place
    with tempfile.TemporaryDirectory(prefix="culver-corpus-") as parent:
        os.chmod(parent, 0o755)
        maildir = os.path.join(parent, "Maildir")
        count = write_maildir(maildir, messages)
        theirs = answers("dovecot", maildir, count)
        ours = answers("culver", maildir, count)
    found = []
    for uid, data in enumerate(messages, 1):
        for item in ITEMS + tuple(SECTIONS):
            one, other = theirs.get(uid, {}).get(item), ours.get(uid, {}).get(item)
            if item.startswith("BINARY") and not is_leaf(ours[uid]["BODY"]):
                continue
            if one != other and (one is None or other is None or tokens(one) != tokens(other)):
                if item == "BODY[1.1]" and other == b"NIL" and one == theirs[uid].get("BODY[1]"):
                    item = LEAF
                found.append(Difference(uid, data, item, one, other, theirs.get(uid, {}), ours.get(uid, {})))
    return found


def is_leaf(structure):
    """Part 1 has no parts: Dovecot decodes what is in the parts of it, too, and writes their headers anew."""
    return re.match(rb'\(\(?"(?!message")', structure, re.I) is not None


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


def exact_reason(found):
    """The row in docs/imap.md that says, octet for octet, what one answer is when the other one is known; None: there is none."""
    _, data, item, theirs, ours, them, us = found
    if item == "BINARY.SIZE[1]":
        # Where each is the size of what the same server says the content is, its row is the one of the content.
        if ours != binary_size(us.get("BINARY[1]")):
            return None
        if theirs != binary_size(them.get("BINARY[1]")):
            return "binary: Dovecot says no size where another part is damaged" if not (theirs or b"").isdigit() else None
        return binary_reason(data, them.get("BINARY[1]"), us.get("BINARY[1]"), us)
    if item == "BINARY[1]":
        return binary_reason(data, theirs, ours, us)
    if item.startswith("BODY["):
        return section_reason(data, item, theirs, ours)
    if theirs is None or ours is None:
        return None
    one, other = without_gaps(tokens(theirs)), without_gaps(tokens(ours))
    if one == other:
        return "empty element"
    one = [token.replace(b"\r", b" ") if isinstance(token, bytes) else token for token in one]
    if one == other:
        return "stray CR"
    # What has no name either would be taken for a gap.
    for one, other in ((one, other), (tokens(theirs), tokens(ours))):
        if len(one) == len(other) and all(a == b or a == b"MISSING_MAILBOX" and b"." in b for a, b in zip(one, other)):
            return "blanks around dots"
    return None


def section_reason(data, item, theirs, ours):
    if item == LEAF:
        return "section: part 1 of a part without parts"
    if theirs is None:
        return "section: Dovecot closes the connection" if ours is not None else None
    if ours is None:
        return None
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
    if item.endswith("<10>") and any(one[:-count] == other[count:len(one)] for count in range(1, 1 + len(re.findall(rb"\r(?!\n)", data)))):
        return "section: offset behind a lone CR"
    return None


def binary_size(answer):
    """BINARY.SIZE of this content; what was refused is refused, and nothing has no octets."""
    if answer is None or re.fullmatch(rb"[A-Z-]+", answer) and answer != b"NIL":
        return answer
    content = tokens(answer)[0]
    return b"%d" % (len(content) if isinstance(content, bytes) else 0)


def binary_reason(data, theirs, ours, us):
    if theirs == b"UNKNOWN-CTE" and shown(ours) == shown(us["BODY[1]"]) and b'"7bit"' in us["BODY"]:
        return "binary: encoding that is none"
    if theirs == b"PARSE" and ours is not None and shown(ours) == leniently_decoded(shown(us["BODY[1]"]), us["BODY"]):
        return "binary: damaged content"
    if theirs in (b"UNKNOWN-CTE", b"PARSE", b"NO"):
        return None
    return section_reason(data, "BODY[1]", theirs, ours)


def shown(answer):
    """The content in an answer, as BODY shows it: a NUL, which BINARY can carry, is 0x80 there."""
    content = tokens(answer)[0] if answer is not None else None
    return content.replace(b"\x00", b"\x80") if isinstance(content, bytes) else content


def leniently_decoded(content, structure):
    """What can be read, as BODY would show it: of base64 what is of its alphabet, of quoted-printable the rest as it is."""
    if not isinstance(content, bytes):
        return content
    encoding = re.search(rb'"(7bit|8bit|binary|base64|quoted-printable)"', structure, re.I)
    if encoding and encoding[1].lower() == b"base64":
        groups = re.sub(rb"[^A-Za-z0-9+/=]", b"", content).split(b"=")
        whole = (group[:len(group) - (len(group) % 4 == 1)] for group in groups)
        return b"".join(base64.b64decode(group + b"=" * (-len(group) % 4)) for group in whole).replace(b"\x00", b"\x80")
    content = re.sub(rb"[ \t\r]+(?=\n|$)", lambda blanks: b"\r"[:blanks[0].count(b"\r")], content)
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), re.sub(rb"=[ \t]*\r\n", b"", content))


# What is the reason of a difference must be gone with it: each row has what takes it out of a message.

FIELD = re.compile(rb"(?im)^(to|cc|bcc|from|sender|reply-to|content-[a-z-]+)[ \t]*:((?:[^\n]|\n(?=[ \t]))*)")


def is_open(value):
    """A quoted string or a comment in this field has no end (RFC 5322 section 3.2)."""
    depth, quoted, index = 0, False, 0
    while index < len(value):
        byte = value[index:index + 1]
        if byte == b"\\":
            index += 1
        elif quoted:
            quoted = byte != b'"'
        elif byte == b'"' and depth == 0:
            quoted = True
        elif byte == b"(":
            depth += 1
        elif byte == b")" and depth:
            depth -= 1
        index += 1
    return quoted or depth > 0


def without_open(data):
    def closed(match):
        return match[0] if not is_open(match[2]) else match[1] + b":" + re.sub(rb"[\"()\\]", b"", match[2])
    return FIELD.sub(closed, data)


TYPE = re.compile(rb"(?im)^(content-type[ \t]*):((?:[^\n]|\n(?=[ \t]))*)")
TOKEN = rb"[^\s()<>@,;:\\\"/\[\]?=\x00-\x1f\x7f-\xff]+"
BLANK = rb"(?:\s|\([^()]*\))*"


def without_invalid_type(data):
    """Gives a type that can be read: what stands before the rest of it, or text/plain."""
    def valid(match):
        kind, _, parameters = match[2].partition(b";")
        if re.fullmatch(BLANK + TOKEN + BLANK + b"/" + BLANK + TOKEN + BLANK, kind):
            return match[0]
        read = re.match(BLANK + b"(" + TOKEN + b")" + BLANK + b"/" + BLANK + b"(" + TOKEN + b")", kind)
        if read:
            return match[1] + b": " + read[1] + b"/" + read[2]
        return match[1] + b": text/plain"
    return TYPE.sub(valid, data)


REWRITES = {
    "message/global": lambda data: re.sub(rb"(?i)(message\s*/\s*)global", rb"\1rfc822", data),
    "invalid Content-Type": without_invalid_type,
    "binary: encoding on the next line": lambda data: re.sub(rb"(?im)^(content-transfer-encoding[ \t]*:)[ \t]*\r?\n[ \t]+(?=\S)", rb"\1", data),
    "binary: encoding with more behind it": lambda data: re.sub(rb"(?im)^(content-transfer-encoding[ \t]*:[ \t]*[\w-]+)[^\r\n]+", rb"\1", data),
    "binary: encoding without MIME-Version": lambda data: b"MIME-Version: 1.0\r\n" + data if not re.search(rb"(?im)^mime-version[ \t]*:", data) else data,
    "binary: two encodings": lambda data: re.sub(rb"(?im)^(content-transfer-encoding[^\n]*\n(?:[^\r\n]+\r?\n)*?)content-transfer-encoding[^\n]*\n", rb"\1", data),
    "empty boundary": lambda data: re.sub(rb"(?im)(boundary(\*0)?\*?[ \t]*=[ \t]*)(\"\"|(?=[;\s]|$))", rb'\1"never"', data),
    "boundary without quotes": lambda data: re.sub(rb"(?i)(boundary\s*=\s*)([^\"\s;]*[()<>@,:\\/\[\]?='][^\"\s;]*)", rb'\1"\2"', data),
    "lone extended parameter": lambda data: re.sub(rb"([^\s;*])\*(\d*)\*?(\s*=)", rb"\1\2\3", data),
    "comment or string without end": without_open,
    "header cut off by a boundary": lambda data: re.sub(rb"([^\r\n])(\r?\n)(?=--)", rb"\1\2\2", data),
}


def explained(messages):
    """({row: count of answers}, the differences that nothing explains)."""
    rows, left, found, begun = {}, [], differences(messages), {}
    for _ in range(2 * len(REWRITES)):
        unclear = {}
        for entry in found:
            row = exact_reason(entry)
            if row is None:
                unclear.setdefault(entry.uid, []).append(entry)
            elif entry.uid not in begun:
                rows[row] = rows.get(row, 0) + 1
        for uid, (first, tried) in begun.items():
            if uid not in unclear:
                for entry in first:
                    name = "section: of other parts" if "[" in entry.item and not tried[-1].startswith("binary") else tried[-1]
                    rows[name] = rows.get(name, 0) + 1
        following, origins = [], []
        for uid, entries in unclear.items():
            data = entries[0].data
            first, tried = begun.get(uid, (entries, ()))
            row = next((row for row, rewrite in REWRITES.items() if row not in tried and rewrite(data) != data), None)
            if row is None:
                left += first
                continue
            following.append(REWRITES[row](data))
            origins.append((first, tried + (row,)))
        begun = dict(enumerate(origins, 1))
        if not following:
            break
        # Messages are numbered anew.
        found = differences(following)
    return rows, left


def main():
    rows, left = explained(list(corpus.messages(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
    for found in left:
        texts = ("(nothing)" if value is None else value.decode("latin-1") for value in (found.data, found.theirs, found.ours))
        print("== %d %s\n%s\n-- dovecot\n%s\n-- culver\n%s" % (found.uid, found.item, *texts))
    for row in sorted(rows):
        print("%5d  %s" % (rows[row], row))
    print("%d differences are meant, %d in %d messages are not" % (sum(rows.values()), len(left), len({found.uid for found in left})))
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
