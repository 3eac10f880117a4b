@testable import MessageFormat
import Testing

@Suite("An address list")
struct AddressTests {
    @Test(
        "is read as ENVELOPE shows it",
        arguments: [
            ("a@b.c", #"((NIL NIL "a" "b.c"))"#), ("A B <a@b>", #"(("A B" NIL "a" "b"))"#), ("<a@b>", #"((NIL NIL "a" "b"))"#),
            (#""B, A" <a@b>, c@d"#, #"(("B, A" NIL "a" "b")(NIL NIL "c" "d"))"#), ("a@b (Name)", #"(("Name" NIL "a" "b"))"#),
            ("J. R. \"Q\" X <a . b@c . d>", #"(("J. R. Q X" NIL "a.b" "c.d"))"#), (#""a\"b"@c"#, #"((NIL NIL "a\"b" "c"))"#),
            ("g: a@b, c@d;", #"((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL))"#),
            ("undisclosed-recipients:;", #"((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))"#),
            ("g: a@b", #"((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL))"#),
            ("X <@r1,@r2:a@b>", #"(("X" "@r1,@r2" "a" "b"))"#), ("a@[127.0.0.1]", #"((NIL NIL "a" "[127.0.0.1]"))"#),
            ("root", #"((NIL NIL "root" "MISSING_DOMAIN"))"#), ("X <>", #"(("X" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))"#),
            ("@b", #"((NIL NIL "MISSING_MAILBOX" "b"))"#),
            ("=?utf-8?q?=C3=A4?= <a@b>", #"(("=?utf-8?q?=C3=A4?=" NIL "a" "b"))"#), ("ä <a@b>", "(({2}\r\nä NIL \"a\" \"b\"))"),
            ("a b c", #"(("a b c" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))"#), ("", "NIL"), (" , ,", "NIL"), ("(only comment)", "NIL"),
            (">", #"((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))"#), (")", #"((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))"#),
            ("a@b c@d, e@f", #"((NIL NIL "a" "b"))"#),
            ("\"open <a@b>", #"((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))"#), ("<a@b", #"((NIL NIL "a" "SYNTAX_ERROR"))"#),
            ("a@b., c@d", #"((NIL NIL "a" "MISSING_DOMAIN")(NIL NIL "c" "d"))"#),
            ("X <@a b@c>", #"(("X" "INVALID_ROUTE" "b" "c"))"#), ("\"a b\"", #"(("a b" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))"#),
            ("a . b @ c . d, \"x\".y@z", #"((NIL NIL "a.b" "c.d")(NIL NIL "x.y" "z"))"#), ("\"a  b\" <c@d>", #"(("a b" NIL "c" "d"))"#),
            ("a@b,, c@d, (x), e@f", #"((NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL "e" "f"))"#),
            ("g: ,a@b,;, c@d", #"((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)(NIL NIL "c" "d"))"#),
            ("a@[x\\]y]", #"((NIL NIL "a" "[x\\]y]"))"#), ("a@[x[y]", #"((NIL NIL "a" "MISSING_DOMAIN"))"#),
            ("a@b (x(y)z\\))", #"(("x(y)z)" NIL "a" "b"))"#),
            ("a@b (open, c@d", #"((NIL NIL "a" "MISSING_DOMAIN"))"#), ("\"\"@c", #"((NIL NIL "" "c"))"#),
            (":;", #"((NIL NIL "" NIL)(NIL NIL NIL NIL))"#),
        ])
    func reads(_ field: String, _ expected: String) {
        let message = parse("To: \(field)\n\n")
        #expect(text(message.envelopeText) == "(NIL NIL NIL NIL NIL \(expected) NIL NIL NIL NIL)")
    }

    @Test("has limits")
    func limits() {
        #expect(AddressParser.parse(raw(String(repeating: "(", count: 20) + String(repeating: ")", count: 20) + "a@b"))?.count == 1)
        #expect(AddressParser.parse(raw(String(repeating: "(", count: 21) + "a@b")) == nil)
        #expect(AddressParser.parse(raw(String(repeating: "a@b,", count: 3_000)))?.count == 1_000)
    }
}

@Suite("An envelope")
struct EnvelopeTests {
    @Test("unfolds, takes the last of two fields, fills in Sender and Reply-To")
    func fields() {
        let message = parse(
            "date: D\nSUBJECT : a\n\tb\r\n c\nFrom: x@y\nSubject: second\nMessage-ID: <1@x>\nIn-Reply-To: <0@x>\nnonsense\nBcc: q@r\n\n")
        #expect(
            text(message.envelopeText)
                == "(\"D\" \"second\" ((NIL NIL \"x\" \"y\")) ((NIL NIL \"x\" \"y\")) ((NIL NIL \"x\" \"y\")) NIL NIL ((NIL NIL \"q\" \"r\")) \"<0@x>\" \"<1@x>\")"
        )
    }

    @Test(
        "prints no foreign byte raw",
        arguments: [
            ("a\"\\b", #""a\"\\b""#), ("  a \t b\n\t c \n d ", #""a b c d""#), ("a\rb\r\r c\r", #""a b c""#), ("ä", "{2}\r\nä"),
            ("a\u{0}b", "{5}\r\na\u{fffd}b"), ("a\u{1}", "{2}\r\na\u{1}"), ("", #""""#),
        ])
    func strings(_ subject: String, _ expected: String) {
        #expect(text(parse("Subject: \(subject)\n\n").envelopeText) == "(NIL \(expected) NIL NIL NIL NIL NIL NIL NIL NIL)")
    }
}

@Suite("A Date field")
struct MessageDateTests {
    @Test(
        "is a moment",
        arguments: [
            ("Mon, 21 Nov 2026 06:00:00 +0100", 1_795_237_200 as Int64, 60), ("1 Jan 70 00:00 GMT", 0, 0),
            ("Thu, 01 Jan 1970 00:00:01 -0100 (x)", 3_601, -60),
            ("29 Feb 2000 12:00:00 EST", 951_843_600, -300), ("Fri,1-Mar-2024 0:0:0", 1_709_251_200, 0),
            ("1 January 1999 00:00:60 +0000", 915_148_860, 0),
            ("1 Jan 1970", 0, 0),
        ])
    func reads(_ field: String, _ seconds: Int64, _ zone: Int) {
        #expect(MessageDate(raw(field))?.unixSeconds == seconds)
        #expect(MessageDate(raw(field))?.zoneMinutes == zone)
    }

    @Test(
        "may be nothing",
        arguments: [
            "", "x", "32 Jan 2020", "29 Feb 2023", "1 Foo 2020", "1 Jan", "1 Jan 99999", "1 Jan 2020 25:00", "Mon", "(((",
            "1 Jan 100000000000000000000",
        ])
    func refuses(_ field: String) { #expect(MessageDate(raw(field)) == nil) }
}

@Suite("Encodings")
struct EncodingTests {
    private func decode(_ source: String, _ encoding: TransferDecoder.Encoding, step: Int) -> String {
        var decoder = TransferDecoder(encoding)
        var output: [UInt8] = []
        var rest = raw(source)[...]
        while !rest.isEmpty {
            decoder.decode(rest.prefix(step), into: &output)
            rest = rest.dropFirst(step)
        }
        decoder.finish(into: &output)
        return text(output)
    }

    @Test(
        "are undone in pieces of any size",
        arguments: [
            (TransferDecoder.Encoding.base64, "aGVs\r\nbG8=", "hello"), (.base64, "aGVsbG8=aGk=", "hellohi"), (.base64, "a-G_V", "he"),
            (.base64, "", ""),
            (.quotedPrintable, "a=3Db=\r\nc \t\r\nd=zz=4", "a=bc\nd=zz"), (.quotedPrintable, "x =\ny", "x y"),
            (.quotedPrintable, "=c3=A4", "ä"),
            (.quotedPrintable, "end  ", "end"), (.identity, "a=b", "a=b"),
        ])
    func decodes(_ encoding: TransferDecoder.Encoding, _ source: String, _ expected: String) {
        for step in [1, 2, 100] { #expect(decode(source, encoding, step: step) == expected) }
    }

    @Test(
        "of words in headers are undone",
        arguments: [
            ("=?utf-8?B?w6Q=?=", "ä"), ("=?ISO-8859-1?Q?=E4_b?=", "ä b"), ("a =?utf-8?q?b?= =?utf-8?q?c?= d", "a bc d"),
            ("=?utf-8?q?a?= b", "a b"),
            ("=?windows-1252?Q?=80?=", "€"), ("=?iso-8859-15*de?Q?=A4?=", "€"), ("=?utf-8?x?y?=", "=?utf-8?x?y?="),
            ("=?utf-8?q?open", "=?utf-8?q?open"),
            ("=?", "=?"), ("plain", "plain"), ("=?utf-8?q?a_?=", "a "), ("=?a?b?", "=?a?b?"),
        ])
    func words(_ source: String, _ expected: String) { #expect(text(EncodedWords.decode(raw(source))) == expected) }

    @Test(
        "of lines are CR LF on the wire",
        arguments: [("a\nb\n", "a\r\nb\r\n"), ("a\r\nb", "a\r\nb"), ("\n\n", "\r\n\r\n"), ("a\rb\n", "a\rb\r\n"), ("", "")])
    func lineEnds(_ source: String, _ expected: String) {
        for step in [1, 2, 100] {
            var converter = LineEndConverter()
            var output: [UInt8] = []
            var rest = raw(source)[...]
            while !rest.isEmpty {
                converter.convert(rest.prefix(step), into: &output)
                rest = rest.dropFirst(step)
            }
            #expect(text(output) == expected)
        }
    }

    @Test(
        "of a partial cut a window",
        arguments: [(0, 3, "abc"), (2, 4, "cdef"), (5, 100, "fg"), (7, 1, ""), (100, 1, "")] as [(Int64, Int64, String)])
    func window(_ first: Int64, _ count: Int64, _ expected: String) {
        var window = PartialWindow(first: first, count: count)
        var output = raw("#")
        for piece in ["abc", "de", "", "fg"] {
            let from = output.count
            output += raw(piece)
            window.trim(&output, from: from)
        }
        #expect(text(output) == "#" + expected)
    }

    @Test("of headers are filtered")
    func filter() {
        let header = raw("From: a\nTO: b\n c\nX : y\nbad line\nTo: d\n\n")
        #expect(
            text(HeaderFields.filtered(header, names: [raw("to"), raw("x")], isExcluding: false)) == "TO: b\r\n c\r\nX : y\r\nTo: d\r\n\r\n"
        )
        #expect(text(HeaderFields.filtered(header, names: [raw("to"), raw("x")], isExcluding: true)) == "From: a\r\nbad line\r\n\r\n")
        #expect(text(HeaderFields.filtered(raw("A: b\n"), names: [], isExcluding: true)) == "A: b\r\n")
        #expect(text(HeaderFields.filtered(raw("From: a"), names: [raw("from")], isExcluding: false)) == "From: a\r\n\r\n")
        #expect(HeaderFields(header).first { $0.name.isName("to") }.map { text($0.unfolded) } == " b c")
    }
}
