@testable import MessageFormat
import Testing

@Suite("i;unicode-casemap")
struct UnicodeCasemapTests {
    private func scalars(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in Unicode.Scalar(value).map { Array(String($0).utf8) } ?? [] }
    }

    @Test(
        "gives keys in titlecase, decomposed",
        arguments: [
            ([0x61], [0x41]), ([0x7a, 0x5b, 0x30], [0x5a, 0x5b, 0x30]), ([0xe4], [0x41, 0x308]), ([0xc4], [0x41, 0x308]),
            ([0x61, 0x308], [0x41, 0x308]),
            // Simple mappings only: sharp s has none. A titlecase digraph decomposes; its second letter stays.
            ([0xdf], [0xdf]), ([0x1c6], [0x44, 0x7a, 0x30c]), ([0x1f80], [0x391, 0x313, 0x345]), ([0x1fb2], [0x3b1, 0x300, 0x345]),
            // Compatibility decompositions, recursive ones, Hangul, a character outside of the first plane.
            ([0xfb01], [0x66, 0x69]), ([0xff41], [0x41]), ([0x1e69], [0x53, 0x323, 0x307]), ([0xac00], [0x1100, 0x1161]),
            ([0xd4db], [0x1111, 0x1171, 0x11b6]), ([0x10428], [0x10400]), ([0x1f600], [0x1f600]), ([0x2fa1d], [0x2a600]),
            ([0x3c3], [0x3a3]), ([0x3c2], [0x3a3]), ([0x131], [0x49]),
        ] as [([UInt32], [UInt32])])
    func keys(_ source: [UInt32], _ expected: [UInt32]) { #expect(UnicodeCasemap.key(scalars(source)) == scalars(expected)) }

    @Test(
        "makes U+FFFD of what is no UTF-8",
        arguments: [
            ([0xff, 0x61], "\u{fffd}A"), ([0xc3], "\u{fffd}"), ([0xc3, 0x61], "\u{fffd}A"), ([0x80, 0x80], "\u{fffd}\u{fffd}"),
            ([0xc0, 0x80], "\u{fffd}\u{fffd}"), ([0xed, 0xa0, 0x80], "\u{fffd}"), ([0xe0, 0x80, 0x80], "\u{fffd}"),
            ([0xf4, 0x90, 0x80, 0x80], "\u{fffd}"), ([0xe2, 0xc3, 0xa4], "\u{fffd}A\u{308}"),
        ] as [([UInt8], String)])
    func invalid(_ source: [UInt8], _ expected: String) {
        #expect(text(UnicodeCasemap.key(source)).unicodeScalars.elementsEqual(expected.unicodeScalars))
    }

    @Test("does not depend on how the text is cut")
    func pieces() {
        let source = raw("Straße Ǆ 각 \u{1d400} x") + [0xc3]
        for step in 1...5 {
            var map = UnicodeCasemap()
            var key: [UInt8] = []
            var rest = source[...]
            while !rest.isEmpty {
                map.convert(rest.prefix(step), into: &key)
                rest = rest.dropFirst(step)
            }
            map.finish(into: &key)
            #expect(key == UnicodeCasemap.key(source))
        }
    }
}

@Suite("A base subject")
struct BaseSubjectTests {
    @Test(
        "is what RFC 5256 says",
        arguments: [
            ("Hello", "Hello", false), ("Re: Hello", "Hello", true), ("RE : Hello", "Hello", true), ("Fwd: Hello", "Hello", true),
            ("fw: Hello", "Hello", true), ("Re:Re: Fw: Hello", "Hello", true), ("Re[2]: Hello", "Hello", true),
            ("re [2] : Hello", "Hello", true), ("Hello (fwd)", "Hello", true), ("Hello (FWD) (fwd) ", "Hello", true),
            ("[list] Hello", "Hello", false), ("[list] Re: Hello", "Hello", true), ("[a] [b]Re: [c] Hello", "Hello", true),
            ("Re: [list] Re: Hello", "Hello", true), ("[list]", "[list]", false), ("[a] [b]", "[b]", false), ("[a][b] x", "x", false),
            ("[Fwd: Hello]", "Hello", true), ("[fwd: Re: [x] Hello (fwd)]", "Hello", true), ("[fwd: [fwd: a]]", "a", true),
            ("[fwd:]", "", true), ("Re: [fwd: a] b", "b", true), ("Re", "Re", false), ("Report: x", "Report: x", false),
            ("Re: ", "", true), ("", "", false), (" \t a \t\r\n b ", "a b", false), ("[open Re: x", "[open Re: x", false),
            ("Re: =?utf-8?q?Re=3A_=C3=A4?=", "ä", true), ("=?utf-8?q?[x]?= y", "y", false), ("fwd [a] [b]: c", "fwd [a] [b]: c", false),
            ("[a[b] c", "[a[b] c", false), ("a (fwd) b", "a (fwd) b", false), ("(fwd)", "", true), ("[a] ", "[a]", false),
        ])
    func extracts(_ subject: String, _ expected: String, _ isReply: Bool) {
        let base = BaseSubject(raw(subject))
        #expect(text(base.text) == expected)
        #expect(base.isReplyOrForward == isReply)
    }

    @Test("of very long subjects costs no more than their length")
    func long() {
        for piece in ["[a]", "Re: ", "[fwd:", "[", "(fwd)", "re[", "[a] re "] {
            #expect(BaseSubject(raw(String(repeating: piece, count: 200_000))).text.count <= piece.utf8.count * 200_000)
        }
    }
}
