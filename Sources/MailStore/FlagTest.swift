internal import Index

/// A question about the flags of a message, asked of many at once (`Mailbox.positions`).
package indirect enum FlagTest: Equatable, Sendable {
    /// Has all of them.
    case flags(MessageFlags)
    /// Has the keyword with this index in `Mailbox.keywords`.
    case keyword(Int)
    case not(FlagTest)
    case and([FlagTest])
    case or(FlagTest, FlagTest)
}

extension FlagTest {
    /// What is the same for all messages of a segment; nil: it takes a look at each. `counters` are of exactly `count` messages, nil: not known.
    func answer(_ counters: MessageSegment.Counters?, count: Int, hasRecent: Bool) -> Bool? {
        switch self {
        case .flags(let flags):
            var isKnown = true
            func add(_ flag: MessageFlags, _ number: Int?) -> Bool {
                guard flags.contains(flag) else { return true }
                if number != count { isKnown = false }
                return number != 0
            }
            guard add(.seen, counters.map { count - Int($0.unseen) }), add(.deleted, counters.map { Int($0.deleted) }),
                add(.recent, hasRecent ? nil : 0)
            else { return false }
            return isKnown && flags.isSubset(of: [.seen, .deleted, .recent]) ? true : nil
        case .keyword: return nil
        case .not(let inner): return inner.answer(counters, count: count, hasRecent: hasRecent).map { !$0 }
        case .and(let tests):
            var isKnown = true
            for test in tests {
                let answer = test.answer(counters, count: count, hasRecent: hasRecent)
                if answer == false { return false }
                if answer == nil { isKnown = false }
            }
            return isKnown ? true : nil
        case .or(let one, let other):
            let answer = one.answer(counters, count: count, hasRecent: hasRecent)
            if answer == true { return true }
            let second = other.answer(counters, count: count, hasRecent: hasRecent)
            return second == true ? true : answer == nil ? nil : second
        }
    }

    /// The messages of a block for which the answer is yes; `recent` are those that are \Recent.
    func word(_ block: Span<UInt8>, recent: UInt64) -> UInt64 {
        switch self {
        case .flags(let flags):
            var word = flags.contains(.recent) ? recent : .max
            var rest = flags.intersection(.permanent).rawValue
            while rest != 0 {
                word &= MessageBlock.word(ofFlag: rest.trailingZeroBitCount, block)
                rest &= rest - 1
            }
            return word
        case .keyword(let index): return index >= 0 && index < 32 ? MessageBlock.word(ofKeyword: index, block) : 0
        case .not(let inner): return ~inner.word(block, recent: recent)
        case .and(let tests): return tests.reduce(.max) { $0 & $1.word(block, recent: recent) }
        case .or(let one, let other): return one.word(block, recent: recent) | other.word(block, recent: recent)
        }
    }
}

extension MessageBlock {
    /// Which messages of a block have the system flag that is this bit of `MessageFlags`.
    static func word(ofFlag bit: Int, _ block: Span<UInt8>) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 {
            let flags = (block.word(at: flagsStart + 8 * index) >> UInt64(bit)) & 0x0101_0101_0101_0101
            // One product brings the lowest bit of each of the eight bytes into the highest byte.
            word |= ((flags &* 0x0102_0408_1020_4080) >> 56) << UInt64(8 * index)
        }
        return word
    }

    /// Which messages of a block have a keyword.
    static func word(ofKeyword index: Int, _ block: Span<UInt8>) -> UInt64 {
        var word: UInt64 = 0
        for pair in 0..<capacity / 2 {
            let bits = block.word(at: keywordsStart + 8 * pair) >> UInt64(index)
            word |= ((bits & 1) | ((bits >> 31) & 2)) << UInt64(2 * pair)
        }
        return word
    }
}
