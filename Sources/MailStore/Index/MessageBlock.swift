internal import Index

/// What the index says of one message, besides its file's name.
struct IndexedMessage: Equatable {
    enum State: UInt8 {
        case absent, cur, new
        /// Expunged; flags are the last it had.
        case gone
    }

    var modSeq: UInt64 = 0
    var keywords = KeywordSet()
    var flags: MessageFlags = []
    var state = State.absent
    /// What follows the base of its name is not what flags and keywords make of it: see `NameEntry.suffix`.
    var hasOddName = false

    var isPresent: Bool { state == .cur || state == .new }
}

/// The messages with UIDs `number * 64` to `number * 64 + 63`: a change of flags writes one of these, however large the mailbox is.
///
///     modseqs (8 bytes each), keywords (4), flags (1), states (1: two bits of state, one for an odd name)
struct MessageBlock {
    static let capacity = 64
    static let size = capacity * 14
    static let keywordsStart = capacity * 8
    static let flagsStart = capacity * 12
    private static let statesStart = capacity * 13

    let number: UInt32
    private(set) var bytes: [UInt8]

    init(_ number: UInt32) {
        self.number = number
        bytes = [UInt8](repeating: 0, count: Self.size)
    }

    /// nil: not a block.
    init?(_ number: UInt32, _ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.number = number
        self.bytes = bytes
    }

    static func number(of uid: UInt32) -> UInt32 { uid / UInt32(capacity) }

    static func slot(of uid: UInt32) -> Int { Int(uid) % capacity }

    func uid(of slot: Int) -> UInt32 { number &* UInt32(Self.capacity) &+ UInt32(slot) }

    /// The message of a slot in the bytes of a block, which begin at `start`.
    static func message(_ slot: Int, in bytes: [UInt8], from start: Int = 0) -> IndexedMessage {
        let state = bytes[start + statesStart + slot]
        var message = IndexedMessage()
        message.modSeq = bytes.word(at: start + slot * 8)
        // The flags follow the keywords: eight bytes are there.
        message.keywords = KeywordSet(bits: UInt32(truncatingIfNeeded: bytes.word(at: start + keywordsStart + slot * 4)))
        message.flags = MessageFlags(rawValue: bytes[start + flagsStart + slot])
        message.state = IndexedMessage.State(rawValue: state & 3) ?? .absent
        message.hasOddName = state & 4 != 0
        return message
    }

    subscript(slot: Int) -> IndexedMessage {
        get { Self.message(slot, in: bytes) }
        set {
            for index in 0..<8 { bytes[slot * 8 + index] = UInt8(truncatingIfNeeded: newValue.modSeq >> UInt64(8 * index)) }
            let start = Self.keywordsStart + slot * 4
            for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: newValue.keywords.bits >> UInt32(8 * index)) }
            bytes[Self.flagsStart + slot] = newValue.flags.rawValue
            bytes[Self.statesStart + slot] = newValue.state.rawValue | (newValue.hasOddName ? 4 : 0)
        }
    }
}
