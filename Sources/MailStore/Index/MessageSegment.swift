internal import Index

/// What the index says of 1,024 UIDs together: which are there, and what a session asks of many messages at once. A mailbox is opened by
/// reading these alone: 125 KB for a million messages.
struct MessageSegment: Equatable {
    static let capacity = 1_024
    static let wordCount = capacity / 64

    let number: UInt32
    /// A bit for each UID that is there.
    private(set) var words = [UInt64](repeating: 0, count: wordCount)
    /// Of the last change.
    var modSeq: UInt64 = 0
    /// Sum of the digests of all messages: equal sums, equal flags.
    private(set) var flagSum: UInt64 = 0
    /// `flagSum` when the index was made: tells whether flags changed while there was none.
    var firstFlagSum: UInt64 = 0
    private(set) var counters = Counters()

    /// Messages without \Seen, with \Deleted, and in new/.
    struct Counters: Equatable {
        fileprivate(set) var unseen: UInt16 = 0
        fileprivate(set) var deleted: UInt16 = 0
        fileprivate(set) var new: UInt16 = 0
    }

    init(_ number: UInt32) { self.number = number }

    private static let encodedSize = wordCount * 8 + 4 * 8

    static func number(of uid: UInt32) -> UInt32 { uid / UInt32(capacity) }

    static func blocks(of number: UInt32) -> ClosedRange<UInt32> {
        let perSegment = UInt32(capacity / MessageBlock.capacity)
        return number * perSegment...number * perSegment + (perSegment - 1)
    }

    /// nil: not a segment.
    init?(_ number: UInt32, _ bytes: Span<UInt8>) {
        guard Self.isValid(bytes) else { return nil }
        self.number = number
        for index in 0..<Self.wordCount { words[index] = bytes.word(at: index * 8) }
        let start = Self.wordCount * 8
        modSeq = Self.modSeq(bytes)
        flagSum = Self.flagSum(bytes)
        firstFlagSum = bytes.word(at: start + 16)
        counters = Self.counters(bytes)
    }

    var bytes: [UInt8] {
        var out = FieldWriter()
        for word in words { out.add(word) }
        out.add(modSeq)
        out.add(flagSum)
        out.add(firstFlagSum)
        out.add(UInt64(counters.unseen) | UInt64(counters.deleted) << 16 | UInt64(counters.new) << 32)
        return out.bytes
    }

    // What is read of a segment without making one.
    static func isValid(_ bytes: Span<UInt8>) -> Bool { bytes.count == encodedSize }
    static func word(_ index: Int, _ bytes: Span<UInt8>) -> UInt64 { bytes.word(at: index * 8) }
    /// Whether every UID is there: nearly always, where nothing is ever expunged.
    static func isFull(_ bytes: Span<UInt8>) -> Bool {
        var all = UInt64.max
        for index in 0..<wordCount { all &= word(index, bytes) }
        return all == .max
    }
    static func modSeq(_ bytes: Span<UInt8>) -> UInt64 { bytes.word(at: wordCount * 8) }
    static func counters(_ bytes: Span<UInt8>) -> Counters {
        let word = bytes.word(at: wordCount * 8 + 24)
        return Counters(
            unseen: UInt16(truncatingIfNeeded: word), deleted: UInt16(truncatingIfNeeded: word >> 16),
            new: UInt16(truncatingIfNeeded: word >> 32))
    }
    static func flagSum(_ bytes: Span<UInt8>) -> UInt64 { bytes.word(at: wordCount * 8 + 8) }

    func contains(_ uid: UInt32) -> Bool { words[Int(uid / 64) % Self.wordCount] & (1 << UInt64(uid % 64)) != 0 }

    /// A message came, changed, or went.
    mutating func replace(_ uid: UInt32, _ before: IndexedMessage, by after: IndexedMessage) {
        if before.isPresent { count(uid, before, by: -1) }
        if after.isPresent { count(uid, after, by: 1) }
        let (word, bit) = (Int(uid / 64) % Self.wordCount, UInt64(1) << UInt64(uid % 64))
        if after.isPresent { words[word] |= bit } else { words[word] &= ~bit }
    }

    private mutating func count(_ uid: UInt32, _ message: IndexedMessage, by sign: Int) {
        func change(_ counter: inout UInt16) { counter = UInt16(clamping: Int(counter) + sign) }
        if !message.flags.contains(.seen) { change(&counters.unseen) }
        if message.flags.contains(.deleted) { change(&counters.deleted) }
        if message.state == .new { change(&counters.new) }
        let digest = Self.digest(uid, message)
        flagSum = sign > 0 ? flagSum &+ digest : flagSum &- digest
    }

    private static func digest(_ uid: UInt32, _ message: IndexedMessage) -> UInt64 {
        var value = UInt64(uid) << 32 ^ UInt64(message.keywords.bits) ^ UInt64(message.flags.rawValue) << 26
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
