/// What the index says of one message, besides what its file's name says.
struct IndexedMessage: Equatable {
    enum State: UInt8 {
        case absent, cur, new
        /// Expunged.
        case gone
    }

    var modSeq: UInt64 = 0
    var keywords = KeywordSet()
    var flags: MessageFlags = []
    var state = State.absent

    var isPresent: Bool { state == .cur || state == .new }
}

/// The messages with UIDs `number * 64` to `number * 64 + 63`: a change of flags writes one of these, however large the mailbox is.
struct MessageBlock {
    static let capacity = 64
    private static let recordSize = 16

    let number: UInt32
    private(set) var bytes: [UInt8]

    init(_ number: UInt32) {
        self.number = number
        bytes = [UInt8](repeating: 0, count: Self.capacity * Self.recordSize)
    }

    /// nil: not a block.
    init?(_ number: UInt32, _ bytes: [UInt8]) {
        guard bytes.count == Self.capacity * Self.recordSize else { return nil }
        self.number = number
        self.bytes = bytes
    }

    static func number(of uid: UInt32) -> UInt32 { uid / UInt32(capacity) }

    static func slot(of uid: UInt32) -> Int { Int(uid) % capacity }

    func uid(of slot: Int) -> UInt32 { number &* UInt32(Self.capacity) &+ UInt32(slot) }

    // modseq (8), keywords (4), flags, state, unused (2)
    subscript(slot: Int) -> IndexedMessage {
        get {
            let start = slot * Self.recordSize
            var modSeq: UInt64 = 0
            for index in 0..<8 { modSeq |= UInt64(bytes[start + index]) << UInt64(8 * index) }
            var keywords: UInt32 = 0
            for index in 0..<4 { keywords |= UInt32(bytes[start + 8 + index]) << UInt32(8 * index) }
            return IndexedMessage(
                modSeq: modSeq, keywords: KeywordSet(bits: keywords), flags: MessageFlags(rawValue: bytes[start + 12]),
                state: IndexedMessage.State(rawValue: bytes[start + 13]) ?? .absent)
        }
        set {
            let start = slot * Self.recordSize
            for index in 0..<8 { bytes[start + index] = UInt8(truncatingIfNeeded: newValue.modSeq >> UInt64(8 * index)) }
            for index in 0..<4 { bytes[start + 8 + index] = UInt8(truncatingIfNeeded: newValue.keywords.bits >> UInt32(8 * index)) }
            bytes[start + 12] = newValue.flags.rawValue
            bytes[start + 13] = newValue.state.rawValue
        }
    }
}
