import Index
import Testing

@testable import MailStore

@Suite("Questions about flags")
struct FlagTestTests {
    private static let letters: [(letter: String, flag: MessageFlags)] = [
        ("D", .draft), ("F", .flagged), ("R", .answered), ("S", .seen), ("T", .deleted),
    ]

    /// What one message answers.
    private static func answer(_ test: FlagTest, _ message: Message) -> Bool {
        switch test {
        case .flags(let flags): message.flags.contains(flags)
        case .keyword(let index): message.keywords.contains(index)
        case .not(let inner): !answer(inner, message)
        case .and(let tests): tests.allSatisfy { answer($0, message) }
        case .or(let one, let other): answer(one, message) || answer(other, message)
        }
    }

    private static func random(_ depth: Int) -> FlagTest {
        switch Int.random(in: 0..<(depth > 0 ? 6 : 3)) {
        case 0: .flags(MessageFlags(rawValue: 1 << UInt8.random(in: 0..<6)))
        case 1: .flags(MessageFlags(rawValue: UInt8.random(in: 0..<64)))
        case 2: .keyword(Int.random(in: -1...32))
        case 3: .not(random(depth - 1))
        case 4: .and((0..<Int.random(in: 0..<4)).map { _ in random(depth - 1) })
        default: .or(random(depth - 1), random(depth - 1))
        }
    }

    private func check(_ mailbox: any Mailbox) {
        let messages = mailbox.messages
        let single: [FlagTest] = (0..<6).map { .flags(MessageFlags(rawValue: 1 << UInt8($0))) }
        let pairs: [FlagTest] = [.and([.not(.flags(.seen)), .flags(.flagged)]), .or(.not(.flags(.seen)), .flags([.deleted, .recent]))]
        for test in single + single.map({ .not($0) }) + pairs + (0..<60).map({ _ in Self.random(3) }) {
            var candidates = PositionSet(CollectionOfOne(0..<messages.count), of: messages.count)
            if Bool.random() {
                candidates = PositionSet(of: messages.count)
                for _ in 0..<3 {
                    let start = Int.random(in: 0...messages.count)
                    candidates.insert(start..<Int.random(in: start...messages.count + 5))
                }
            }
            let found = mailbox.positions(test, among: candidates)
            let expected = messages.indices.filter { candidates.contains($0) && Self.answer(test, messages[$0]) }
            #expect(Array(found) == expected, "\(test)")
            #expect(found.count == expected.count && found.isEmpty == expected.isEmpty)
        }
    }

    @Test("are answered for many messages at once as one by one")
    func answers() throws {
        let scratch = try Scratch()
        try scratch.write("Maildir/dovecot-keywords", "0 one\n1 two\n25 last\n")
        for number in 0..<2_300 {
            var suffix = Self.letters.filter { _ in Bool.random() }.map(\.letter).joined()
            suffix += ["a", "b", "z"].filter { _ in Int.random(in: 0..<3) == 0 }.joined()
            // A part of the mailbox where all are alike: counters say it.
            if (1_000..<2_100).contains(number) { suffix = suffix.replacing("T", with: "").replacing("S", with: "") }
            let place =
                Int.random(in: 0..<9) == 0 && number > 2_200 ? "new/\(1_000_000 + number).x" : "cur/\(1_000_000 + number).x:2,\(suffix)"
            try scratch.write("Maildir/" + place, "")
        }
        try scratch.write("Maildir/tmp/none", "")
        let store = try scratch.store()
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.messages.count == 2_300 && mailbox.recentCount > 0)
        check(mailbox)
        let lost = mailbox.messages.indices.filter { _ in Int.random(in: 0..<5) == 0 }
        try mailbox.expunge(lost)
        // They are still shown; the counters of the index count without them.
        check(mailbox)
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(mailbox.messages.count == 2_300 - lost.count)
        check(mailbox)
        _ = try mailbox.change(Array(mailbox.messages.indices), FlagChange(.add, flags: [.seen, .deleted]), unchangedSince: nil)
        check(mailbox)
        let all = PositionSet([0..<9_999], of: mailbox.messages.count)
        #expect(mailbox.positions(.flags([.seen, .deleted]), among: all) == all && all.count == mailbox.messages.count)
        // The index is lost and made anew.
        try scratch.remove("Maildir/culver.index")
        check(mailbox)
        check(try store.opened("INBOX", .readOnly))
    }

    @Test("bits are put side by side")
    func compressed() {
        for _ in 0..<2_000 {
            let bits = UInt64.random(in: 0 ... .max)
            let mask = UInt64.random(in: 0 ... .max) | UInt64.random(in: 0 ... .max)
            var (expected, place) = (UInt64(0), 0)
            for bit in 0..<64 where mask & (1 << UInt64(bit)) != 0 {
                if bits & (1 << UInt64(bit)) != 0 { expected |= 1 << UInt64(place) }
                place += 1
            }
            #expect(bits.compressed(mask) == expected)
        }
        #expect(UInt64.max.compressed(.max) == .max && UInt64.max.compressed(0b111) == 0b111 && UInt64.max.compressed(0) == 0)
    }

    @Test("a set of positions is what its ranges say")
    func positions() {
        for size in [0, 1, 63, 64, 65, 128, 1_000] {
            var set = PositionSet(of: size)
            var expected = Set<Int>()
            for _ in 0..<6 {
                let start = Int.random(in: 0...size)
                let range = start..<Int.random(in: start...size + 3)
                set.insert(range)
                expected.formUnion(range.filter { $0 < size })
            }
            #expect(Array(set) == expected.sorted() && set.count == expected.count)
            #expect((-1..<size + 100).allSatisfy { set.contains($0) == expected.contains($0) })
            let other = PositionSet([0..<size / 2], of: size)
            var result = set
            result.formIntersection(other)
            #expect(Array(result) == expected.filter { $0 < size / 2 }.sorted())
            result = set
            result.subtract(other)
            #expect(Array(result) == expected.filter { $0 >= size / 2 }.sorted())
            result = set
            result.formUnion(other)
            #expect(Array(result) == expected.union(0..<size / 2).sorted())
        }
    }

    @Test("ranges of UIDs become bits")
    func ranges() {
        var ranges = UIDRanges()
        for uid: UInt32 in [1, 2, 3, 63, 64, 65, 200, .max - 1, .max] { ranges.insert(uid) }
        #expect(ranges.word(from: 0) == 0b1110 | 1 << 63 && ranges.word(from: 64) == 0b11 && ranges.word(from: 128) == 0)
        #expect(ranges.word(from: 192) == 1 << 8 && ranges.word(from: .max - 63) == 3 << 62)
    }
}
