@testable import MessageFormat
import Testing

@Suite("A character set")
struct CharsetTests {
    @Test(
        "is known by its names",
        arguments: [
            ("UTF-8", Charset.utf8), ("us-ascii", .utf8), ("ANSI_X3.4-1968", .utf8), ("ISO-8859-1", .table(.windows1252)),
            ("iso_8859-1:1987", .table(.windows1252)), ("Latin1", .table(.windows1252)), ("windows-1252", .table(.windows1252)),
            ("x-cp1250", .table(.windows1250)), ("ISO8859-15", .table(.latin9)), ("koi8-r", .table(.koi8R)), ("KOI8-U", .table(.koi8U)),
            ("iso-8859-8-i", .table(.hebrew)), ("tis-620", .table(.windows874)), ("IBM850", .table(.cp850)),
            ("x-mac-cyrillic", .table(.macCyrillic)), ("gb2312", .library(.gb18030)), ("GBK", .library(.gb18030)),
            ("Big5", .library(.big5)), ("Shift_JIS", .library(.shiftJIS)), ("iso-2022-jp", .library(.iso2022JP)),
            ("ks_c_5601-1987", .library(.korean)), ("EUC-KR", .library(.korean)), ("utf-16le", .library(.utf16LE)), ("", .unknown),
            ("x-unknown", .unknown),
        ])
    func names(_ name: String, _ expected: Charset) { #expect(Charset(raw(name)) == expected) }

    private static let samples: [(String, [UInt8], String)] = [
        ("windows-1252", [0x80, 0xe4, 0x41, 0x81], "€äA\u{81}"), ("iso-8859-2", [0xb1, 0xe6], "ąć"), ("iso-8859-5", [0xd0, 0xb0], "аА"),
        ("iso-8859-6", [0xc7, 0xa1], "ا\u{fffd}"), ("iso-8859-7", [0xe1], "α"), ("iso-8859-8", [0xe0], "א"), ("iso-8859-9", [0xfd], "ı"),
        ("iso-8859-13", [0xe0], "ą"), ("iso-8859-15", [0xa4], "€"), ("iso-8859-16", [0xaa], "Ș"), ("windows-1250", [0x9a], "š"),
        ("windows-1251", [0xcf], "П"), ("windows-1253", [0xe1], "α"), ("windows-1254", [0xdd], "İ"), ("windows-1255", [0xe0], "א"),
        ("windows-1256", [0xc7], "ا"), ("windows-1257", [0xe0], "ą"), ("windows-1258", [0xd0], "Đ"), ("windows-874", [0xa1], "ก"),
        ("koi8-r", [0xf0, 0xd2], "Пр"), ("koi8-u", [0xa4], "є"), ("macintosh", [0x8a], "ä"), ("x-mac-cyrillic", [0x80], "А"),
        ("cp437", [0x84], "ä"), ("cp850", [0x84], "ä"), ("cp852", [0x9f], "č"), ("cp866", [0x8f], "П"), ("hp-roman8", [0xcc], "ä"),
        ("gb2312", [0xc4, 0xe3, 0xba, 0xc3], "你好"), ("gbk", [0x87, 0xd6], "囍"), ("gb18030", [0x81, 0x30, 0x84, 0x36], "¥"),
        ("big5", [0xa7, 0x41], "你"), ("shift_jis", [0x93, 0xfa, 0xb1, 0x87, 0x40], "日ｱ①"), ("euc-jp", [0xc6, 0xfc], "日"),
        ("iso-2022-jp", [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x1b, 0x28, 0x42, 0x61], "日a"), ("euc-kr", [0xb0, 0xa1], "가"),
        ("ks_c_5601-1987", [0x8c, 0x63], "똠"), ("iso-2022-kr", [0x1b, 0x24, 0x29, 0x43, 0x0e, 0x30, 0x21, 0x0f], "가"),
        ("utf-7", raw("a+AOQ-b"), "aäb"), ("utf-16", [0xfe, 0xff, 0, 0xe4], "ä"), ("utf-16le", [0xe4, 0], "ä"),
        ("utf-8", raw("äa"), "äa"), ("utf-8", [0xff, 0x61, 0xc3], "\u{fffd}a\u{fffd}"), ("x-nobody", [0x61, 0xe4, 0x62], "a\u{fffd}b"),
        ("utf-8", [0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}"), ("utf-8", [0xe2, 0x82, 0x41], "\u{fffd}A"),
        ("shift_jis", [0x93, 0xfa, 0xff, 0x61, 0x93], "日\u{fffd}a\u{fffd}"), ("gb2312", [0xc4, 0x0a, 0x61], "\u{fffd}\na"),
        ("iso-2022-jp", [0x1b, 0x24, 0x42, 0x46], "\u{fffd}"), ("utf-16", [0xfe, 0xff, 0xd8, 0x00, 0, 0x61], "\u{fffd}a"),
    ]

    @Test("becomes UTF-8, in pieces of any size; what means nothing U+FFFD", arguments: samples)
    func converts(_ name: String, _ source: [UInt8], _ expected: String) {
        for step in [1, 2, 3, 100] {
            var decoder = CharsetDecoder(Charset(raw(name)))
            var output: [UInt8] = []
            var rest = source[...]
            while !rest.isEmpty {
                decoder.convert(rest.prefix(step), into: &output)
                rest = rest.dropFirst(step)
            }
            decoder.finish(into: &output)
            #expect(text(output) == expected, "\(name) in steps of \(step)")
        }
    }

    @Test("of long texts is converted as a whole")
    func long() {
        var source: [UInt8] = []
        for _ in 0..<20_001 { source += [0x61, 0x93, 0xfa] }
        #expect(text(Charset.library(.shiftJIS).decode(source[...])) == String(repeating: "a日", count: 20_001))
        let broken = [UInt8](repeating: 0xff, count: 50_000)
        #expect(Charset.library(.shiftJIS).decode(broken[...]).count == 150_000)
    }

    @Test("of the C library is there, each of them")
    func library() { #expect(Charset.preload() == Charset.Library.allCases.count) }
}

@Suite("Readers of text")
struct TextMutationTests {
    @Test("never trap and write valid UTF-8, whatever they read")
    func mutated() {
        #expect(fuzzCharset([]) && fuzzPreview([]))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3_000 {
            var bytes = (0..<Int.random(in: 1...60)).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(fuzzCharset(bytes), "\(bytes)")
            bytes += raw("Content-Type: text/html\n\n<p>a&amp;b</p")
            #expect(
                fuzzPreview(raw("\u{5}Content-Type: text/html; charset=gbk\nContent-Transfer-Encoding: base64\n\n") + bytes), "\(bytes)")
            #expect(fuzzPreview(raw("\u{5}Content-Type: text/html\n\n<p>a&amp;b</p") + bytes), "\(bytes)")
            fuzzCollation(bytes)
        }
    }
}

@Suite("What clients see of a part")
struct PartDecoderTests {
    private func part(_ fields: String) -> Part { parse("MIME-Version: 1.0\n" + fields + "\n\n").root }

    @Test(
        "is its content",
        arguments: [
            ("Content-Transfer-Encoding: base64", "aGVs\nbG8=\n", "hello"),
            ("Content-Transfer-Encoding: quoted-printable", "a=\nb=0Ac \nd", "ab\nc\r\nd"),
            ("Content-Transfer-Encoding: quoted-printable", "a\r\nb \r\n", "a\r\nb\r\n"),
            ("Content-Transfer-Encoding: 8bit", "a\nb\r\n", "a\r\nb\r\n"),
            ("A: b", "x=3D\n", "x=3D\r\n"), ("Content-Transfer-Encoding: BASE64 (really)", "/w==", "\u{fffd}"),
        ])
    func binary(_ fields: String, _ body: String, _ expected: String) throws {
        for step in [1, 3, 100] {
            var decoder = try #require(BinaryDecoder(part(fields)))
            var output: [UInt8] = []
            var rest = raw(body)[...]
            while !rest.isEmpty {
                decoder.decode(rest.prefix(step), into: &output)
                rest = rest.dropFirst(step)
            }
            decoder.finish(into: &output)
            #expect(text(output) == expected)
            #expect(decoder.size == Int64(output.count))
        }
    }

    @Test("is nothing in an encoding that nobody knows")
    func unknown() {
        #expect(BinaryDecoder(part("Content-Transfer-Encoding: x-uuencode")) == nil)
        #expect(TextDecoder(part("Content-Transfer-Encoding: x-uuencode")) == nil)
    }

    @Test(
        "is words in headers, whatever their senders did to them",
        arguments: [
            ("=?utf-8?B?w6Q=?=", "ä"), ("=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"), ("=?utf-8?Q?=C3?= =?UTF-8?Q?=A4?=x", "äx"),
            ("=?utf-8?Q?=C3?= =?latin1?Q?=E4?=", "\u{fffd}ä"), ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?gb2312?B?xOO6ww==?=", "你好"),
            ("=?utf-8?Q?what?_yes?=", "what? yes"), ("=?utf-8?Q??=", ""), ("(=?utf-8?Q?a?=)", "(a)"), ("=?utf-8?Q?a?=\u{e4}", "aä"),
            ("=?nobody?Q?a=E4?=", "a\u{fffd}"), ("a=?utf-8?Q?b?=c", "abc"), ("==?utf-8?Q?b?=", "=b"), ("=?utf-8?Q?=zz=4?=", "=zz=4"),
        ])
    func words(_ source: String, _ expected: String) { #expect(text(EncodedWords.decode(raw(source))) == expected) }

    private func preview(_ source: String, step: Int) -> String {
        let message = parse(source)
        for index in message.previewParts {
            let part = message.parts[index]
            var preview = PreviewText(part)
            var rest = raw(source)[Int(part.body.start)..<Int(part.body.end)]
            while !rest.isEmpty, !preview.isDone {
                preview.feed(rest.prefix(step))
                rest = rest.dropFirst(step)
            }
            let found = preview.finish()
            if !found.isEmpty { return text(found) }
        }
        return ""
    }

    @Test(
        "is a preview",
        arguments: [
            ("\n  Hello\n\n\tworld  \n", "Hello world"), ("\n", ""),
            ("MIME-Version: 1\nContent-Transfer-Encoding: base64\n\naGVsbG8=", "hello"),
            ("\n> old\n>> older\nnew\n> more", "new"), ("\n> only\n> quotes", "> only > quotes"),
            ("Content-Type: text/html; charset=latin1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Gr=FC=DFe<br>an", "Grüße an"),
            (
                "Content-Type: text/html\n\n<html><head><title>t</title><style>a>b{}</style></head><!-- <b>x</b> --><body class=\"a>b\">Hi <b>th</b>ere&nbsp;&amp;&#x263a;&#9786;&bogus; &<div>x</div>y<3 1 < 2</body>",
                "Hi there &☺☺&bogus; & x y<3 1 < 2"
            ),
            ("Content-Type: text/html\n\n<script>if (a<b) alert(\"</p>\")</script>after", "after"),
            ("Content-Type: text/html\n\n<STYLE>x</STYLE >A&zwnj;\u{ad}\u{200b}B", "AB"),
            ("Content-Type: image/png\n\nx", ""),
            ("Content-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: base64\n\nxOO6ww==", "你好"),
            (
                "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<i>html</i>\n--b\n\nplain\n--b--\n",
                "plain"
            ),
            ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>second\n--b--\n", "second"),
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\nfile\n--b\nContent-Type: message/rfc822\n\n\ninner\n--b--\n",
                ""
            ),
        ])
    func previews(_ source: String, _ expected: String) {
        for step in [1, 7, 1_000] { #expect(preview(source, step: step) == expected) }
    }

    @Test("is cut after 200 characters, not bytes")
    func cut() {
        #expect(
            preview("Content-Type: text/plain; charset=utf-8\n\n" + String(repeating: "ä", count: 300), step: 64)
                == String(repeating: "ä", count: 200))
        #expect(preview("\n" + String(repeating: "ab ", count: 300), step: 64).utf8.count == 200)
    }
}
