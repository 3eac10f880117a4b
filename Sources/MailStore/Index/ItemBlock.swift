internal import Index

/// One derived item of the messages with UIDs `number * 64` to `number * 64 + 63` in one record: who asks for it of many messages reads few
/// records. An empty value is none.
///
///     64 ends of values (4 bytes each), counted from where the first value begins; the values
struct ItemBlock: Equatable {
    static let capacity = 64
    static let headSize = capacity * 4
    /// Of all values together, in bytes: a change of one writes all of them.
    static let limit = 512 * 1_024

    let number: UInt32
    private var ends = [UInt32](repeating: 0, count: capacity)
    private var values: [UInt8] = []

    static func number(of uid: UInt32) -> UInt32 { uid / UInt32(capacity) }
    static func slot(of uid: UInt32) -> Int { Int(uid) % capacity }

    init(_ number: UInt32) { self.number = number }

    /// nil: not a block.
    init?(_ number: UInt32, _ bytes: [UInt8]) {
        self.number = number
        guard Self.forEachEnd(in: bytes.span, { ends[$0] = $1 }) else { return nil }
        values = Array(bytes[Self.headSize...])
    }

    /// Calls `body` with each slot and where its value ends; false where the bytes are no block.
    static func forEachEnd(in bytes: Span<UInt8>, _ body: (Int, UInt32) -> Void) -> Bool {
        guard bytes.count >= headSize else { return false }
        var last: UInt32 = 0
        for pair in 0..<capacity / 2 {
            let word = bytes.word(at: 8 * pair)
            let (one, other) = (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
            guard one >= last, other >= one else { return false }
            last = other
            body(2 * pair, one)
            body(2 * pair + 1, other)
        }
        return Int(last) == bytes.count - headSize
    }

    var bytes: [UInt8] {
        var out = FieldWriter()
        for end in ends { out.add(end) }
        out.add(raw: values[...])
        return out.bytes
    }

    var isEmpty: Bool { values.isEmpty }

    private func range(_ slot: Int) -> Range<Int> { (slot == 0 ? 0 : Int(ends[slot - 1]))..<Int(ends[slot]) }

    func value(_ slot: Int) -> ArraySlice<UInt8>? {
        let range = range(slot)
        return range.isEmpty ? nil : values[range]
    }

    /// Sets a value, unless the block would get too large.
    mutating func set(_ slot: Int, _ value: ArraySlice<UInt8>) {
        let range = range(slot)
        guard values.count - range.count + value.count <= Self.limit else { return }
        values.replaceSubrange(range, with: value)
        for index in slot..<Self.capacity { ends[index] = UInt32(Int(ends[index]) + value.count - range.count) }
    }
}

/// Changes blocks of one item of a mailbox; each is written once when UIDs ascend.
struct ItemBlockEditor {
    /// What the keys of all blocks begin with.
    private let prefix: [UInt8]
    private let transaction: IndexTransaction
    private var block: ItemBlock?
    private var isChanged = false

    init(prefix: [UInt8], _ transaction: IndexTransaction) {
        self.prefix = prefix
        self.transaction = transaction
    }

    private func key(_ number: UInt32) -> [UInt8] { prefix + MailboxIndex.bigEndian(number) }

    private mutating func load(_ number: UInt32) throws(IndexError) {
        guard block?.number != number else { return }
        try finish()
        guard let bytes = try transaction.value(key(number)) else { return block = ItemBlock(number) }
        guard let known = ItemBlock(number, bytes) else { throw .damaged("a block of items makes no sense") }
        block = known
    }

    mutating func value(of uid: UInt32) throws(IndexError) -> ArraySlice<UInt8>? {
        try load(ItemBlock.number(of: uid))
        return block?.value(ItemBlock.slot(of: uid))
    }

    mutating func set(_ uid: UInt32, _ value: ArraySlice<UInt8>) throws(IndexError) {
        try load(ItemBlock.number(of: uid))
        block?.set(ItemBlock.slot(of: uid), value)
        isChanged = true
    }

    mutating func remove(_ uids: ClosedRange<UInt32>) throws(IndexError) {
        for number in ItemBlock.number(of: uids.lowerBound)...ItemBlock.number(of: uids.upperBound) {
            try load(number)
            for slot in 0..<ItemBlock.capacity where block?.value(slot) != nil {
                guard uids.contains(number * UInt32(ItemBlock.capacity) + UInt32(slot)) else { continue }
                block?.set(slot, [])
                isChanged = true
            }
        }
    }

    /// Writes what is left.
    mutating func finish() throws(IndexError) {
        if let block, isChanged {
            if block.isEmpty { try transaction.remove(key(block.number)) } else { try transaction.put(key(block.number), block.bytes) }
        }
        (block, isChanged) = (nil, false)
    }
}
