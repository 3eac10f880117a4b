@testable import MessageFormat
import Testing

func raw(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// Parses a text in pieces of `step` bytes.
func parse(_ source: String, step: Int = .max) -> MessageStructure {
    var parser = MessageParser()
    var rest = raw(source)[...]
    while !rest.isEmpty {
        parser.feed(rest.prefix(step))
        rest = rest.dropFirst(step)
    }
    return parser.finish()
}

let mixed = """
    From: a@b.c
    Content-Type: multipart/mixed; boundary="x y"

    preamble
    --x y
    Content-Type: text/plain; charset=utf-8

    one
    two
    --x y
    Content-Type: message/rfc822

    Subject: inner
    From: i@n.n
    Content-Type: multipart/alternative; boundary=in

    --in

    plain
    --in
    Content-Type: text/html
    Content-Transfer-Encoding: quoted-printable

    <b>
    --in--
    --x y
    Content-Type: image/png; name="a b.png"
    Content-Disposition: attachment; filename=a.png
    Content-ID: <1@x>
    Content-Transfer-Encoding: base64

    aGVsbG8=

    --x y--
    epilogue

    """

@Suite("The structure of a message")
struct StructureTests {
    @Test(
        "is told as BODYSTRUCTURE",
        arguments: [
            ("Subject: x\n\nhello\n", #"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)"#),
            ("", #"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)"#),
            ("\n", #"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)"#),
            ("Content-Type: text/HTML\r\n\r\nx", #"("text" "HTML" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)"#),
            ("Content-Type: nonsense\n\nx", #"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)"#),
            (
                "Content-Type: application/pdf (c;omm\\)ent) ; name = \"a\\\"b\" ; x=y z; =; q\nContent-Language: de, en\nContent-Location: u\nContent-MD5: m\n\n",
                #"("application" "pdf" ("name" "a\"b" "x" "y" "" "") NIL NIL "7bit" 0 "m" NIL ("de" "en") "u")"#
            ),
            (
                "Content-Type: a/b; n*1=two; n*0=one; f*0*=utf-8''%41; f*1*=%42; p*=x\n\n",
                #"("a" "b" ("f*" "utf-8''%41%42" "n" "onetwo" "p*" "x") NIL NIL "7bit" 0 NIL NIL NIL NIL)"#
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\n\n",
                #"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)"#
            ),
            (
                "Content-Type: multipart/mixed\n\nx\n",
                #"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" NIL NIL NIL NIL)"#
            ),
            (
                "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: d\n\nx\n--b--\n",
                #"(("message" "rfc822" NIL NIL NIL "7bit" 15 (NIL "d" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) "digest" ("boundary" "b") NIL NIL NIL)"#
            ),
            // Fields without MIME-Version or Content-Type; invalid values; cut within the boundary.
            (
                "Content-ID: <x>\nContent-Transfer-Encoding: base64\n\nx",
                #"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)"#
            ),
            (
                "MIME-Version: 1.0\nContent-Transfer-Encoding: base64 x\nContent-Description:\n a \n\tb\n\nx",
                #"("text" "plain" ("charset" "us-ascii") NIL " a \tb" "7bit" 1 0 NIL NIL NIL NIL)"#.replacing("\\t", with: "\t")
            ),
            (
                "Content-Type: a/b; x=1;; y=2; z=3=4; q=<x>; r=(c)s(d); t=\"u\nv: w\n\nx",
                #"("a" "b" ("x" "1" "z" "3" "q" "" "r" "s") NIL NIL "7bit" 1 NIL NIL NIL NIL)"#
            ),
            (
                "Content-Type: a/b; n*0=x; n*2=y; m*0=p; m*1*=%41\nContent-Disposition: one\nContent-Disposition: ;f=g\nContent-Language: a,,b\n\n",
                #"("a" "b" ("m*" "''p%41" "n*0" "x" "n*2" "y") NIL NIL "7bit" 0 NIL ("" ("f" "g")) ("a") NIL)"#
            ),
            (
                "Content-Type: multipart/a; boundary=--=x; boundary=y\n\n----=x\nContent-Type: u/v\n\nabc\n----=x",
                #"(("u" "v" NIL NIL NIL "7bit" 3 NIL NIL NIL NIL) "a" ("boundary" "--" "boundary" "y") NIL NIL NIL)"#
            ),
            // No end boundary, an inner multipart cut by the outer boundary, a header cut by a boundary, padding.
            (
                "Content-Type: multipart/a; boundary=o\n\n--o\nContent-Type: multipart/b; boundary=i\n\n--i\nContent-Type: x/y\n--o \t\n\nend",
                #"((("x" "y" NIL NIL NIL "7bit" 0 NIL NIL NIL NIL) "b" ("boundary" "i") NIL NIL NIL)("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0 NIL NIL NIL NIL) "a" ("boundary" "o") NIL NIL NIL)"#
            ),
        ])
    func structure(_ source: String, _ expected: String) {
        for step in [1, 3, 1_000] {
            #expect(text(parse(source, step: step).structureText(isExtended: true)) == expected)
        }
    }

    @Test("a multipart whose parts cannot be told has none to fetch either", arguments: ["", "; boundary=x"])
    func withoutParts(_ parameter: String) {
        let message = parse("MIME-Version: 1.0\nContent-Type: multipart/mixed\(parameter)\n\ntext\n")
        #expect(message.target([1]) == nil && message.target([1, 1]) == nil)
        #expect(message.target([]).map { message.body($0).size } == message.size)
        #expect(parse("Content-Type: text/plain\n\ntext\n").target([1]) != nil)
    }

    @Test("bodies are the same whole and in pieces, whatever their lines end with")
    func piecewise() {
        let lines = ["-- ", "--b", "--bx", "-", "", "text of some length that is more than one vector of bytes holds", "--", "\r", "x\r"]
        var state: UInt64 = 3
        for _ in 0..<300 {
            var source = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                source += lines[Int(state >> 40) % lines.count] + (state >> 33 & 1 == 0 ? "\n" : "\r\n")
            }
            let byBytes = parse(source, step: 1)
            #expect(parse(source) == byBytes && parse(source, step: 17) == byBytes && parse(source, step: 100) == byBytes, "\(source)")
        }
    }

    @Test("BODY leaves the extensions out")
    func body() {
        #expect(
            text(parse(mixed).structureText(isExtended: false))
                == #"(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 8 1)("message" "rfc822" NIL NIL NIL "7bit" 185 "#
                + #"(NIL "inner" ((NIL NIL "i" "n.n")) ((NIL NIL "i" "n.n")) ((NIL NIL "i" "n.n")) NIL NIL NIL NIL NIL) "#
                + #"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0)("text" "html" ("charset" "us-ascii") NIL NIL "quoted-printable" 3 0) "alternative") 12)"#
                + #"("image" "png" ("name" "a b.png") "<1@x>" NIL "base64" 10) "mixed")"#)
    }

    @Test(
        "finds sections, in LF and CR LF files alike",
        arguments: [
            ([1], "one\ntwo"), ([2, 1], "plain"), ([2, 2], "<b>"), ([3], "aGVsbG8=\n"),
        ] as [([UInt32], String)])
    func sections(_ numbers: [UInt32], _ expected: String) throws {
        for source in [mixed, mixed.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")] {
            let message = parse(source, step: 5)
            let extent = message.body(try #require(message.target(numbers)))
            var wire: [UInt8] = []
            var converter = LineEndConverter()
            converter.convert(raw(source)[Int(extent.start)..<Int(extent.end)], into: &wire)
            #expect(text(wire) == expected.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n"))
            #expect(extent.virtualSize == Int64(wire.count))
        }
    }

    @Test("tells headers of parts and of messages inside")
    func headers() throws {
        let message = parse(mixed)
        func cut(_ extent: Extent?) -> String? { extent.map { text(raw(mixed)[Int($0.start)..<Int($0.end)]) } }
        let inner = try #require(message.target([2]))
        #expect(cut(message.mimeHeader(inner)) == "Content-Type: message/rfc822\n\n")
        #expect(cut(message.header(inner))?.hasPrefix("Subject: inner\n") == true)
        #expect(cut(message.text(inner))?.hasPrefix("--in\n") == true)
        let first = try #require(message.target([1]))
        #expect(message.header(first) == nil)
        #expect(cut(message.mimeHeader(first)) == "Content-Type: text/plain; charset=utf-8\n\n")
        for numbers in [[0], [4], [1, 1], [2, 3], [3, 1], [2, 1, 1]] as [[UInt32]] { #expect(message.target(numbers) == nil) }
        let plain = parse("A: b\n\ntext")
        #expect(plain.target([1]).map { plain.body($0).size } == 4)
        #expect(plain.target([1, 1]) == nil)
        #expect(plain.target([2]) == nil)
    }

    @Test("stays flat where it is too deep or too wide")
    func limits() {
        var deep = ""
        for level in 0..<150 { deep += "Content-Type: multipart/x; boundary=b\(level).\n\n--b\(level).\n" }
        #expect(parse(deep).parts.count == Limits.depth)
        _ = parse(deep).structureText(isExtended: true)
        let nested = String(repeating: "Content-Type: message/rfc822\n\n", count: 300)
        #expect(parse(nested).parts.count == Limits.depth)
        _ = parse(nested).structureText(isExtended: true)
        let wide = "Content-Type: multipart/x; boundary=b\n\n" + String(repeating: "--b\n\n", count: 12_000)
        #expect(parse(wide).parts.count == Limits.parts)
        let long = "Subject: " + String(repeating: "x", count: 2_000_000) + "\n\nbody"
        #expect(parse(long).root.body.size == 4)
        let lines = String(repeating: "A: b\n", count: 10_001) + "\nbody\n"
        #expect(parse(lines).root.header.lines == 10_000)
    }

    private static func deep(_ count: Int) -> [UInt8] {
        var source = ""
        let dashes = String(repeating: "-", count: 800)
        for level in 0..<90 { source += "Content-Type: multipart/x; boundary=\"\(dashes)\(level)\"\n\n--\(dashes)\(level)\n" }
        return raw(source + "\n" + String(repeating: "--\(dashes)x\n", count: count))
    }

    /// Messages that grow, each with something that could be looked at again and again.
    private static let growing: [@Sendable (Int) -> [UInt8]] = [
        deep,
        { raw("Content-Type: multipart/x; boundary=b\n\n" + String(repeating: "--b\nA: b\n\ntext\n", count: $0)) },
        { raw("To: " + String(repeating: "a (b(c)) <d@e>, ", count: $0) + "\n\n") },
        { raw("To: " + String(repeating: "(", count: $0) + "\n\n") }, { raw("To: " + String(repeating: "a:", count: $0) + "\n\n") },
        { raw("To: " + String(repeating: "\"", count: $0) + "\n\n") }, { raw("To: x" + String(repeating: "\n y", count: $0) + "\n\n") },
        { raw("Content-Type: a/b" + String(repeating: "; n*1=x", count: $0) + "\n\n") },
        { raw(String(repeating: "A: b\n", count: $0) + "\n") }, { raw(String(repeating: "-", count: $0)) },
    ]

    @Test("is work in proportion to its length", arguments: growing.indices)
    func linear(_ index: Int) {
        for step in [64, 65_536] {
            func work(_ count: Int) -> Int {
                var parser = MessageParser()
                var rest = Self.growing[index](count)[...]
                while !rest.isEmpty {
                    parser.feed(rest.prefix(step))
                    rest = rest.dropFirst(step)
                }
                return parser.finish(work: ())
            }
            let (one, two, four) = (work(1_000), work(2_000), work(4_000))
            #expect(two <= one * 2 + 1_000 && four <= two * 2 + 1_000, "\(one) \(two) \(four) in steps of \(step)")
        }
    }

    private static let seeds = [
        mixed,
        "From: a (b (c) d) <x@y>, g: u@v, w;, \"q\\\"\" <@r:z@z>\nDate: Mon, 21 Nov 2026 06:00:00 +0100 (x)\nSubject: =?utf-8?Q?a_b=3D?= =?x?B?YQ==?=\n\nx",
        "Content-Type: a/b; n*1=two; n*0*=one; f=\"x\n y\"\nContent-Disposition: x; y=z\n\n=41=\n=4",
    ]

    @Test("never traps, whatever is changed in it", arguments: seeds)
    func mutated(_ seed: String) {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1_500 {
            var bytes = raw(seed)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(contentsOf: raw("()<>@,;:\"\\\r\n-=?* ").shuffled().prefix(2), at: at)
                case 2: if bytes.count > 2 { bytes.remove(at: at) }
                default: bytes.append(contentsOf: bytes[at...].prefix(40))
                }
            }
            fuzzMessage(bytes)
        }
    }
}
