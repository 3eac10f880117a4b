"""Mailboxes for the measurements: the same messages for both servers, as files with many names, so that a million of them is made in seconds."""

import os
import pwd
import random

WORDS = ("report meeting invoice draft review schedule budget server release holiday project customer order delivery question answer "
         "garden bridge window letter travel summer market number answerback harbour silver").split()
PEOPLE = [("%s %s" % (first, last), "%s.%s@%s" % (first.lower(), last.lower(), domain))
          for first in ("Anna", "Bert", "Carla", "Dieter", "Emma", "Frank", "Gabi", "Hugo") for last in ("Meier", "Olsen", "Rossi", "Nowak")
          for domain in ("example.org", "example.net")]
FIRST = 1_700_000_000


def text(chance, size):
    lines, length = [], 0
    while length < size:
        line = " ".join(chance.choices(WORDS, k=11))
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines)[:size] + "\n"


def make(number, chance, size, earlier):
    """One message, LF line ends: a third answers an earlier one, a quarter has parts."""
    sender, to, other = chance.sample(PEOPLE, 3)
    identity = "<%d.%d@mail.example.org>" % (FIRST + number, chance.getrandbits(40))
    subject, references = " ".join(chance.choices(WORDS, k=4)), ""
    if earlier and chance.random() < 0.35:
        root_subject, chain = chance.choice(earlier[-200:])
        subject = root_subject if root_subject.startswith("Re: ") else "Re: " + root_subject
        references = "In-Reply-To: %s\nReferences: %s\n" % (chain[-1], "\n ".join(chain[-6:]))
        chain = chain + [identity]
    else:
        chain = [identity]
    earlier.append((subject, chain))
    lines = ["Return-Path: <%s>" % sender[1]]
    for hop in range(4):
        lines.append("Received: from relay%d.example.org (relay%d.example.org [192.0.2.%d])\n\tby mx%d.example.net (Postfix) with ESMTPS id %012X\n"
                     "\tfor <%s>; Mon, 20 Nov 2023 09:%02d:%02d +0100 (CET)" % (
                         hop, hop, number % 250, hop, chance.getrandbits(48), to[1], number // 60 % 60, number % 60))
    lines += ["DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=mail;\n\th=from:to:subject:date; bh=%s;\n\tb=%s" % (
        "%064x" % chance.getrandbits(256), "%0256x" % chance.getrandbits(1024)),
        "Message-ID: " + identity, "Date: %s, %02d %s 2023 %02d:%02d:%02d +0000" % (
            ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[number % 7], number % 28 + 1, ("Sep", "Oct", "Nov", "Dec")[number // 28 % 4],
            number // 3600 % 24, number // 60 % 60, number % 60),
        "From: %s <%s>" % sender, "To: %s <%s>, \"%s\" <%s>" % (to[0], to[1], other[0], other[1]), "Subject: " + subject,
        "MIME-Version: 1.0", "User-Agent: Mozilla Thunderbird", "X-Spam-Status: No, score=-2.1"]
    header = "\n".join(lines) + "\n" + references
    if chance.random() < 0.25:
        body = text(chance, size // 2)
        return (header + 'Content-Type: multipart/alternative; boundary="=_%d"\n\nThis is a message in parts.\n--=_%d\nContent-Type: text/plain; charset=utf-8\n'
                "Content-Transfer-Encoding: 8bit\n\n%s\n--=_%d\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\n<html><body><p>%s</p></body></html>\n--=_%d--\n" % (
                    number, number, body, number, body, number)).encode()
    return (header + "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n" + text(chance, size)).encode()


class Corpus:
    """Files of messages in a folder of their own; a Maildir gets further names of them."""

    def __init__(self, folder, count, size, sizes_in_names=True):
        self.folder = folder
        self.count = count
        owner = pwd.getpwnam("vmail")
        os.makedirs(folder, exist_ok=True)
        self.files = []
        chance, earlier = random.Random(1), []
        for number in range(count):
            data = make(number, chance, size, earlier)
            path = os.path.join(folder, str(number))
            if not os.path.exists(path):
                with open(path, "wb") as file:
                    file.write(data)
                os.chown(path, owner.pw_uid, owner.pw_gid)
                os.utime(path, (FIRST + number, FIRST + number))
            self.files.append((path, len(data), len(data) + data.count(b"\n")))
        self.owner = owner

    def maildir(self, path, count, new=False):
        """A Maildir with `count` messages; `new`: as a delivery program that knows nothing of sizes left them."""
        for part in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(path, part), exist_ok=True)
            os.chown(os.path.join(path, part), self.owner.pw_uid, self.owner.pw_gid)
        self.add(path, 0, count, new)

    def add(self, path, first, count, new=False):
        target = os.open(os.path.join(path, "new" if new else "cur"), os.O_RDONLY | os.O_DIRECTORY)
        for number in range(first, first + count):
            source, size, virtual = self.files[number % self.count]
            name = "%d.M%dP1.bench" % (FIRST + number, number % 1_000_000)
            if not new:
                flags = ("S" if number % 3 else "") + ("F" if number % 10 == 5 else "")
                name += ",S=%d,W=%d:2,%s" % (size, virtual, "".join(sorted(flags)))
            os.link(source, name, dst_dir_fd=target)
        os.close(target)
