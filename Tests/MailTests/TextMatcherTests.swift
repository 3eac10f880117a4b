import Glibc
import MessageFormat
import Testing

@testable import mail

/// Looks at each byte of the folded text: what `TextMatcher` must answer.
private func isFound(_ pattern: [UInt8], in text: [UInt8]) -> Bool {
    func folded(_ bytes: [UInt8]) -> [UInt8] {
        var blanks: [UInt8] = []
        for byte in bytes where byte > 0x20 || blanks.last != 0x20 { blanks.append(max(byte, 0x20)) }
        return UnicodeCasemap.key(blanks)
    }
    let (pattern, text) = (folded(pattern), folded(text))
    guard pattern.count <= text.count else { return false }
    return (0...(text.count - pattern.count)).contains { text[$0..<($0 + pattern.count)].elementsEqual(pattern) }
}

@Suite("Finding a text")
struct TextMatcherTests {
    private static let parts = ["ab", "AB", "a", "b", " ", "\r\n", "\t  ", "é", "e\u{301}", "ﬁ", "ß", "ſ", "x", "c"]

    private func random(_ count: Int, _ dice: inout Dice, runs: Bool) -> [UInt8] {
        var text = ""
        for _ in 0..<count {
            text += Self.parts[dice.roll(Self.parts.count)]
            // Long runs, so that the fast way is taken between the others.
            if runs, dice.roll(12) == 0 { text += String(repeating: ["x", " ", "x y", "b a"][dice.roll(4)], count: 300 + dice.roll(300)) }
        }
        return Array(text.utf8)
    }

    @Test("answers the same in one piece, in many, and byte by byte")
    func pieces() {
        var dice = Dice(11)
        var found = 0
        for _ in 0..<3_000 {
            let pattern = random(1 + dice.roll(5), &dice, runs: false)
            let text = random(dice.roll(20), &dice, runs: true)
            let expected = isFound(pattern, in: text)
            if expected { found += 1 }
            let matcher = TextMatcher(pattern)
            #expect(
                matcher.isFound(in: text) == expected,
                "\(String(decoding: pattern, as: UTF8.self)) in \(String(decoding: text, as: UTF8.self))")
            var stream = TextMatcher.Stream(matcher)
            var rest = text[...]
            var isFoundInPieces = false
            while !rest.isEmpty, !isFoundInPieces {
                let piece = rest.prefix(1 + dice.roll(700))
                isFoundInPieces = stream.feed(piece)
                rest = rest[piece.endIndex...]
            }
            #expect(isFoundInPieces || stream.feed([], isEnd: true) == expected)
        }
        #expect(found > 300 && found < 2_700)
    }

    @Test("of i;octet nothing is folded")
    func octets() {
        let text = Array((String(repeating: "x  Y", count: 200) + "z").utf8)
        for (pattern, expected) in [("x  Yz", true), ("x Yz", false), ("X  Yz", false), ("  Yz", true)] {
            #expect(TextMatcher(Array(pattern.utf8), .octet).isFound(in: text) == expected, "\(pattern)")
        }
        #expect(TextMatcher(Array("y Z".utf8), .asciiCasemap).isFound(in: Array((String(repeating: "x  Y", count: 200) + "\t\nz").utf8)))
    }

    /// What this thread computed: other tests that run do not count.
    private func threadNanoseconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    @Test("takes time by the text alone, also where nearly all of the pattern is everywhere")
    func nearlyEverywhere() {
        let run = { (text: String, count: Int) in Array(String(repeating: text, count: count).utf8) }
        for (pattern, text) in [
            (run("a", 2_000) + run("b", 1) + run("a", 2_000), run("a", 1 << 18)), (run("a ", 2_000) + run("b", 1), run("a ", 1 << 17)),
            (run("b ", 1) + run("a ", 2_000), run("a ", 1 << 17)),
        ] {
            let matcher = TextMatcher(pattern)
            // Compared everywhere, this would be a billion bytes.
            let start = threadNanoseconds()
            let found = [
                matcher.isFound(in: text), matcher.isFound(in: text + pattern), matcher.mayBeFound(inHeader: (text + pattern)[...]),
            ]
            let time = threadNanoseconds() - start
            #expect(found == [false, true, true])
            #expect(time < 3_000_000_000)
        }
    }

    @Test("leaves out no header in which it is")
    func headers() {
        let matcher = TextMatcher(Array("Harbour Silver".utf8))
        for (lines, may) in [
            ("Subject: the harbour\n silver\n", true), ("Subject: the harbor\n silver\n", false), ("Subject: =?utf-8?q?Harb?=\n", true),
            ("Subject: har\rbour silver\n", true), ("Subject: silver\r\n", false), ("Subject: hárbour\n", true), ("", false),
            ("X: a=b\r\n", false),
        ] {
            #expect(matcher.mayBeFound(inHeader: Array(lines.utf8)[...]) == may, "\(lines)")
        }
        #expect(TextMatcher([]).mayBeFound(inHeader: []))
    }
}
