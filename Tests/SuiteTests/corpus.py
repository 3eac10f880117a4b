"""Messages with everything that is found in real mail and much that should not be: the same ones for the same seed.

    python3 corpus.py COUNT DIRECTORY     writes them as files
"""

import base64
import os
import random
import sys

WORDS = "alpha beta gamma delta Epsilon ZETA eta-theta iota_kappa lambda42 mu xi pi rho sigma tau".split()
ATOMS = ["joe", "a.b", "x+y", "o'neil", "first.last", "a_b", "=?utf-8?q?=C3=A4?=", "J.", "ü", "\u65e5\u672c", "a..b", ".dot", "42", "!#$%&*"]
DOMAINS = ["example.org", "a.b.c", "[127.0.0.1]", "[IPv6:::1]", "localhost", "ex ample.org", "a . b", "münchen.de", "EXAMPLE.COM", "a.b.", ""]
TYPES = ["text/plain", "text/html", "TEXT/Plain", "image/png", "application/pdf", "application/octet-stream", "message/rfc822", "message/delivery-status",
         "message/partial", "message/external-body", "multipart/mixed", "multipart/alternative", "multipart/digest",
         "multipart/related", "multipart/report", "audio/x", "x-token/y", "font/woff2", "model/a+b.c"]
LANGUAGES = ["en", "de, en", "en-US , fr (french)", "", "(none)", "x;y", "a,b,c,d"]
ENCODINGS = ["7bit", "8bit", "base64", "BASE64", "quoted-printable", "Quoted-Printable (really)", "binary", "x-uuencode", '"7bit"', "7 bit", "", ";", "base64;x"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.boundaries = 0

    def one(self, *choices):
        return self.random.choice(choices)

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def words(self, most=6):
        return " ".join(self.random.choice(WORDS) for _ in range(self.random.randint(1, most)))

    # Header fields

    def comment(self, depth=0):
        inner = self.words(2)
        if depth < 4 and self.chance(30):
            inner += self.comment(depth + 1)
        if self.chance(15):
            inner += self.one("\\)", "\\(", '"', "\\\\", "\t")
        return "(" + inner + ")"

    def space(self):
        return self.one("", "", "", "", " ", "  ", "\t", " " + self.comment() + " ", self.comment(), "\n ", "\n\t", " \n  ") if self.chance(25) else ""

    def quoted(self, text=None):
        text = text if text is not None else self.words(3)
        if self.chance(25):
            text += self.one('\\"', "\\\\", "\\a", ", x", "; y", "<z>", "@", "\n folded", "é", "  two", "\t", "(c)", "=?x?")
        return '"' + text + '"'

    def local(self):
        return self.quoted(self.one("a b", "joe", "", "a@b")) if self.chance(12) else self.random.choice(ATOMS)

    def spec(self):
        return self.local() + self.space() + "@" + self.space() + self.random.choice(DOMAINS)

    def address(self):
        kind = self.random.randrange(16)
        if kind < 4:
            return self.spec()
        if kind < 9:
            name = self.one(self.words(3), self.quoted(), "=?utf-8?q?=C3=A4_b?=", "=?x?", "Ä Ö", "a.b c", self.words(1) + " " + self.quoted(), "")
            return name + self.space() + self.one(" ", "") + "<" + self.space() + self.spec() + self.space() + ">" + self.space()
        if kind == 9:
            return self.spec() + " " + self.comment()
        if kind == 10:
            return self.words(2) + ":" + ",".join(self.one("", self.spec(), " " + self.words(1) + " <" + self.spec() + ">") for _ in range(self.random.randint(0, 3))) + ";"
        if kind == 11:
            return self.words(1) + " <" + self.one("@a.b:", "@a.b,@c.d:", "@a:", "@ a . b :", "@") + self.spec() + ">"
        if kind == 12:
            return self.one("root", self.words(3), self.quoted(), "", "undisclosed-recipients:;", "(just a comment)", "<>", "X <>", self.comment())
        if kind == 13:
            return self.one("a@b c@d", "a b@c", "<a@b", "a@b>", '"open', "a@", "@b", "<@>", "<a>", "a@@b", "a<b@c>d", "<a@b> c", "x:y:z;", "a;b", ":;",
                            "<a,b@c>", "a@b(", "(((((((", "x <a@b> <c@d>", "<<a@b>>", "a \\b@c", "[a@b]", "a@b.", "a.@b", '"a"b@c', 'x "y" z <a@b>', "a@[x", "\x01@b")
        if kind == 14:
            return self.spec() + self.one(",", ", ,", ",,", ";", " ,")
        return self.space() + self.spec() + self.space()

    def addresses(self):
        return self.one(", ", ",", ",\n ", " , ").join(self.address() for _ in range(self.random.choice([1, 1, 1, 2, 3, 5])))

    def text(self):
        text = self.words(8)
        if self.chance(40):
            text += self.one(" =?utf-8?b?w6Q=?=", "\n folded", "\n\tfolded", " \n \n x", "é", "\t", '"', "\\", "  ", "\x01", "\x7f", "\r", " " * 30, "\n " + "x" * 300, "[a] Re:", "\n  ")
        return text

    def parameter(self):
        name = self.one("name", "charset", "format", "x-y", "NAME", "filename", "type", "n a", "delsp")
        kind = self.random.randrange(12)
        value = self.one("utf-8", "a.png", "x", "us-ascii", "flowed", "1", "a/b")
        if kind < 4:
            return name + self.space() + "=" + self.space() + value
        if kind < 6:
            return name + "=" + self.quoted()
        if kind == 6:
            return name + "*=utf-8'en'%41%C3%A4" + value
        if kind == 7:
            return "; ".join(self.random.sample([name + "*0=one", name + "*1=two", name + "*2*=%20three", name + "*3=\"fo ur\""], self.random.randint(1, 4)))
        if kind == 8:
            return name + "*0*=iso-8859-1''%E4; " + name + "*1*=%E5; " + name + "*2=z"
        if kind == 9:
            return self.one(name, name + "=", "=" + value, "=", name + "=a b", name + "=a=b", name + "=é", name + "=\"", name + "='x'", name + "=\"a\"b", name + "=(c)", name + "=<x>", name + "=a;;b=c", name + "=a,b=c",
                            name + "**=x", name + "*x=y", name + "*01=y", "*0=y", name + "=a@b", name + "=[x]", name + "=a:b", name + "=?", "\"name\"=x")
        if kind == 10:
            return self.comment() + name + self.comment() + "=" + self.comment() + value + self.comment()
        return name + "=" + value + "; " + name + "=" + value

    def parameters(self):
        count = self.random.choice([0, 0, 1, 1, 2, 3])
        parameters = "".join(self.one("; ", ";", ";\n ", " ; ", ";;") + self.parameter() for _ in range(count))
        return parameters + (self.one("", "", "", ";", "; ", " x") if count else self.one("", "", ";"))

    def case(self, name):
        return self.one(name, name, name, name, name.lower(), name.upper())

    def colon(self):
        return self.one(": ", ": ", ": ", ": ", ":", ":\t", " : ", ":\n ", ":  ", " :")

    def field(self, name, value):
        return self.case(name) + self.colon() + value + "\n"

    def envelope(self):
        fields = []
        add = lambda percent, name, make: fields.extend(self.field(name, make()) for _ in range(2 if self.chance(4) else 1) if self.chance(percent))
        add(80, "Date", lambda: self.one("Fri, 20 Nov 2026 09:15:00 +0100", "Fri, 20 Nov 2026 09:15:00 +0100 (CET)", "yesterday", "", " ", "20 Nov 26", "Fri,\n 20 Nov 2026"))
        add(85, "Subject", self.text)
        add(90, "From", self.addresses)
        add(20, "Sender", self.address)
        add(20, "Reply-To", self.addresses)
        add(80, "To", self.addresses)
        add(30, "Cc", self.addresses)
        add(15, "Bcc", self.addresses)
        add(70, "Message-ID", lambda: self.one("<1@x>", "<a b@c>", " <x@y> ", "none", "", "<1@\n x>", "<é@x>", "(c) <1@x>", "<1@x> <2@x>"))
        add(30, "In-Reply-To", lambda: self.one("<0@x>", "<0@x>\n <1@x>", "your mail of today", "", "\"q\" <1@x>"))
        add(20, "X-Other", self.text)
        add(10, "Received", lambda: "from a by b; " + self.words() + "\n\twith more")
        if self.chance(6):
            fields.append(self.one("no colon here\n", ": no name\n", "From someone\n", ">From x\n", " starts folded\n", "X\x00Y: z\n", "Bad Name: x\n", "é: x\n", "To:\n", "Subject:\n \n"))
        self.random.shuffle(fields)
        return "".join(fields)

    def content(self, type_, parameters=""):
        fields = []
        if type_ is not None:
            shown = type_
            if self.chance(1):
                shown = "message/global"
            if self.chance(2):
                shown = self.one("nonsense", "", "/", "text/", "/plain", "text", "text plain", "text/plain/x", "te xt/plain", "text / plain", "(c)text(c)/(c)plain(c)",
                                 "text/plain charset=x", "\"text\"/plain", "text/\"plain\"", "multipart/mixed", "é/x", "a;b", "text/plain,x", "text/plain:x", "text\\/plain")
            fields.append(self.field("Content-Type", shown + parameters + self.parameters()))
        add = lambda percent, name, make: fields.extend(self.field(name, make()) for _ in range(2 if self.chance(5) else 1) if self.chance(percent))
        add(35, "Content-Transfer-Encoding", lambda: self.random.choice(ENCODINGS))
        add(25, "Content-Disposition", lambda: self.one("attachment", "inline", "INLINE", "x-y", "", "(c)", "a/b", "\"inline\"", "form-data (c)", "attachment,x", "é") + self.parameters())
        add(15, "Content-ID", lambda: self.one("<1@x>", " <2@x> ", "x", "", "<1@\n x>", "(c) <1@x>", "é"))
        add(15, "Content-Description", self.text)
        add(8, "Content-MD5", lambda: self.one("Q2hlY2sgSW50ZWdyaXR5IQ==", "", " x ", "(c) abc", "a b"))
        add(10, "Content-Language", lambda: self.random.choice(LANGUAGES))
        add(8, "Content-Location", lambda: self.one("http://a/b", "", "a b", "\"x\"", "http://a/\n b", "é"))
        self.random.shuffle(fields)
        return "".join(fields)

    # Bodies

    def lines(self, most=8):
        kinds = lambda: self.one(self.words(), self.words(12), "", "", "> quoted", "From here", "--", "-- ", "--x", ".", "é ü ß", "x" * self.random.choice([10, 990, 1200]), "\x00nul\x00", "=41=", "a\rb", "\tt ", "--" + "b" * 70)
        return "".join(kinds() + "\n" for _ in range(self.random.randint(0, most))) + self.one("", "", "", "no line end")

    def boundary(self):
        self.boundaries += 1
        number = self.boundaries
        return self.one("b%d" % number, "=_%d" % number, "b", "x y%d" % number, "-%d-" % number, "b" * (number % 5 + 1), "a'()+_,-./:=?%d" % number, "B%d" % number, "x" * 75 + str(number), "é%d" % number, "%d " % number)

    def delimiter(self, boundary, end=False):
        line = "--" + boundary + ("--" if end else "")
        if self.chance(8):
            line += self.one(" ", "\t ", "x", "-", "--", " --", "\r")
        return line

    def body(self, type_, boundary, depth):
        if type_ == "message/rfc822" or type_ == "message/global":
            return self.message(depth + 1) if self.chance(90) else self.lines()
        if boundary is None:
            if self.chance(20):
                return base64.b64encode(self.words(20).encode()).decode() + "\n"
            return self.lines()
        out = self.lines(3) if self.chance(30) else ""
        if out and not out.endswith("\n"):
            out += "\n"
        for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 5])):
            out += self.delimiter(boundary) + "\n"
            out += self.part(depth + 1)
            if not out.endswith("\n") or self.chance(60):
                out += "\n"
        if self.chance(80):
            out += self.delimiter(boundary, True) + self.one("\n", "\n", "\n", "")
            if self.chance(30):
                out += self.one("\n", "") + self.lines(3)
        return out

    def entity(self, depth):
        """Fields of content, an empty line, a body."""
        type_ = self.random.choice(TYPES) if self.chance(85) else None
        if depth > 5 and type_ and type_.startswith(("multipart", "message")):
            type_ = "text/plain"
        boundary, parameters = None, ""
        if type_ and type_.startswith("multipart/"):
            boundary = self.boundary()
            shown = boundary if self.chance(30) else '"%s"' % boundary
            parameters = self.one("; ", ";\n\t", "; x=y; ") + self.one("boundary", "Boundary", "boundary") + self.one("=", "=", "=", " = ") + shown
            if self.chance(4):
                parameters = self.one("", "; boundary=", '; boundary=""', "; boundary*0=%s; boundary*1=" % boundary, '; boundary="%s"; boundary=other' % boundary)
        head = self.content(type_, parameters)
        empty = "\n" if self.chance(96) else ""
        return head, empty, self.body(type_, boundary, depth)

    def part(self, depth):
        head, empty, body = self.entity(depth)
        if self.chance(10):
            head = self.envelope() + head
        return head + empty + body

    def message(self, depth=0):
        head, empty, body = self.entity(depth)
        mime = self.one("", "MIME-Version: 1.0\n", "MIME-Version: 1.0\n")
        fields = [self.envelope(), mime, head]
        self.random.shuffle(fields)
        return "".join(fields) + empty + body

    # What is done to whole messages

    def line_ends(self, data):
        kind = self.random.randrange(10)
        if kind < 6:
            return data.replace(b"\n", b"\r\n")
        if kind < 9:
            return data
        return b"".join(part + self.one(b"\n", b"\r\n", b"\r\n", b"\r") for part in data.split(b"\n"))

    def damage(self, data):
        data = bytearray(data)
        for _ in range(self.random.randint(1, 5)):
            at = self.random.randrange(len(data) + 1)
            kind = self.random.randrange(5)
            if kind == 0 and data:
                data[at % len(data)] = self.random.choice(b'()<>@,;:\\"[]/=?* \t\r\n-\x00\x80\xff')
            elif kind == 1:
                data[at:at] = bytes(self.random.choice(b'()<>@,;:\\"[]/=?* \t\r\n-') for _ in range(self.random.randint(1, 3)))
            elif kind == 2:
                del data[at:at + self.random.randint(1, 20)]
            elif kind == 3:
                data[at:at] = data[max(0, at - 60):at]
            else:
                del data[max(at, len(data) // 2):]
        return bytes(data)

    def special(self, number):
        """Extremes, each once in a while."""
        wide = "Content-Type: multipart/mixed; boundary=b\n\n"
        deep = "".join("Content-Type: multipart/mixed; boundary=b%d.\n\n--b%d.\n" % (n, n) for n in range(60))
        choices = ["", "\n", "x", "\n\n", "\r\n", "A", "A:", ":", "From me Mon Jan  1 00:00:00 2026\nSubject: x\n\nbody\n", ">From x\nSubject: y\n\n",
                   "Subject: x", "Subject: x\n", "body without header\n\nmore\n", wide + "--b\n\n" * 300, wide + "--b\n--b\n--b--\n", wide + "--b--\n", wide + "\n--b",
                   deep, "Content-Type: message/rfc822\n\n" * 50, "To: " + "(" * 100 + "\n\n", "To: " + ",".join("a%d@b" % n for n in range(300)) + "\n\n",
                   "To: " + "(a " * 15 + ")" * 15 + " x@y\n\n", "Subject: " + "x" * 5000 + "\n\n", "Subject:" + "\n x" * 500 + "\n\n", "\x00\x00\n\n\x00",
                   "Content-Type: text/plain" + "".join("; p%d=v" % n for n in range(90)) + "\n\n", "Content-Type: multipart/mixed; boundary=" + "x" * 900 + "\n\n--" + "x" * 900 + "\n\na\n",
                   wide + "--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\ninner\n--b\n\nouter\n--bb--\n--b--\n",
                   wide + "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n--b--\n", wide + "--bx\n\nno\n--b\n\nyes\n--b--x\n",
                   wide + "--b\nContent-Type: message/rfc822\n\n--b\n\nx\n--b--\n", wide + "--b\nContent-Type: message/rfc822\n--b--\n", "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: in\n\nx\n--d\nContent-Type: text/plain\n\ny\n--d--\n"]
        return choices[number % len(choices)]


def messages(count, seed=1):
    """So many messages, as bytes."""
    for number in range(count):
        maker = Maker(seed * 1_000_003 + number)
        if number % 25 == 24:
            text = maker.special(number // 25)
        else:
            text = maker.message()
        data = text.encode("latin-1" if maker.chance(10) and all(ord(c) < 256 for c in text) else "utf-8")
        data = maker.line_ends(data)
        yield maker.damage(data) if number % 4 == 3 else data


if __name__ == "__main__":
    for number, data in enumerate(messages(int(sys.argv[1])), 1):
        with open(os.path.join(sys.argv[2], "%05d.eml" % number), "wb") as file:
            file.write(data)
