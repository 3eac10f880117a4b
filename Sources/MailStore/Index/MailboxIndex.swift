internal import Index
internal import Platform

/// The part of a user's index that belongs to one mailbox. Its keys begin with device and inode of the mailbox's directory: it moves along
/// when the mailbox is renamed; another directory with the same inode is told by its stamps and its UIDVALIDITY.
///
///     h             header (MailboxHeader)
///     m block       64 messages (MessageBlock)
///     l modseq      UID ranges that were expunged with it
///     c uid item    what was derived from a message
struct MailboxIndex {
    let index: Index
    let prefix: [UInt8]

    init(_ index: Index, directory: FileStatus) {
        self.index = index
        var key = Self.bigEndian(directory.device)
        key.append(contentsOf: Self.bigEndian(directory.inode))
        prefix = key
    }

    static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        let bits = value.bitWidth
        return (0..<bits / 8).map { UInt8(truncatingIfNeeded: value >> (bits - 8 - 8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    var headerKey: [UInt8] { prefix + [0x68] }
    var blocksPrefix: [UInt8] { prefix + [0x6d] }
    var logPrefix: [UInt8] { prefix + [0x6c] }

    func blockKey(_ number: UInt32) -> [UInt8] { blocksPrefix + Self.bigEndian(number) }

    func header(_ transaction: IndexTransaction) throws(IndexError) -> MailboxHeader? {
        guard let bytes = try transaction.value(headerKey) else { return nil }
        guard let header = MailboxHeader(bytes) else { throw .damaged("a mailbox record makes no sense") }
        return header
    }

    func header() -> MailboxHeader? { index.read { (transaction) throws(IndexError) in try header(transaction) } ?? nil }

    func block(_ number: UInt32, _ transaction: IndexTransaction) throws(IndexError) -> MessageBlock? {
        guard let bytes = try transaction.value(blockKey(number)) else { return nil }
        guard let block = MessageBlock(number, bytes) else { throw .damaged("a block of messages makes no sense") }
        return block
    }

    func blockNumbers(_ transaction: IndexTransaction) throws(IndexError) -> [UInt32] {
        try transaction.keys(prefix: blocksPrefix).map { UInt32(truncatingIfNeeded: Self.number($0.suffix(4))) }
    }

    /// Calls `body` for every message that is there, by UID.
    func forEachMessage(_ transaction: IndexTransaction, _ body: (UInt32, IndexedMessage) -> Void) throws(IndexError) {
        try transaction.forEach(prefix: blocksPrefix) { (key, value) throws(IndexError) in
            guard let block = MessageBlock(UInt32(truncatingIfNeeded: Self.number(key.suffix(4))), value) else {
                throw .damaged("a block of messages makes no sense")
            }
            for slot in 0..<MessageBlock.capacity {
                let message = block[slot]
                if message.isPresent { body(block.uid(of: slot), message) }
            }
            return true
        }
    }

    /// A modseq for the next change: from the clock, so that it does not go back when the index is lost, and above all before.
    static func next(after modSeq: UInt64) -> UInt64 {
        let now = Clock.wall
        return max(modSeq + 1, UInt64(max(0, now.seconds)) * 1_000_000 + UInt64(now.microseconds))
    }

    /// Everything about the mailbox is forgotten.
    func forget() { index.write { (transaction) throws(IndexError) in try transaction.removeAll(prefix: prefix) } }

    // MARK: expunged messages

    private static let logLimit: UInt32 = 4_096
    private static let rangesPerEntry = 8_192

    /// Notes what was expunged with `modSeq`, and forgets what is too long ago.
    func log(_ expunged: [ClosedRange<UInt32>], _ header: inout MailboxHeader, _ transaction: IndexTransaction) throws(IndexError) {
        guard !expunged.isEmpty else { return }
        if expunged.count > Self.rangesPerEntry {
            try transaction.removeAll(prefix: logPrefix)
            (header.logEntries, header.logFloor) = (0, header.highestModSeq)
            return
        }
        var out = FieldWriter()
        for range in expunged {
            out.add(range.lowerBound)
            out.add(range.upperBound)
        }
        try transaction.put(logPrefix + Self.bigEndian(header.highestModSeq), out.bytes)
        header.logEntries += 1
        guard header.logEntries > Self.logLimit else { return }
        for key in try transaction.keys(prefix: logPrefix, limit: Int(Self.logLimit / 2)) {
            try transaction.remove(key)
            header.logEntries -= min(1, header.logEntries)
            header.logFloor = Self.number(key.suffix(8))
        }
    }

    /// UIDs that were expunged after `modSeq`; where that is too long ago: all that are not there.
    func vanished(since modSeq: UInt64) -> [ClosedRange<UInt32>] {
        index.read { (transaction) throws(IndexError) in
            guard let header = try header(transaction) else { return [] }
            var ranges: [ClosedRange<UInt32>] = []
            guard modSeq >= header.logFloor else {
                var next: UInt32 = 1
                try forEachMessage(transaction) { uid, _ in
                    if uid > next { ranges.append(next...(uid - 1)) }
                    next = uid + 1
                }
                if next < header.uidNext { ranges.append(next...(header.uidNext - 1)) }
                return ranges
            }
            guard modSeq < header.highestModSeq else { return [] }
            try transaction.forEach(prefix: logPrefix, from: logPrefix + Self.bigEndian(modSeq + 1)) { (_, value) throws(IndexError) in
                var reader = FieldReader(value)
                while let low = reader.number(UInt32.self), let high = reader.number(UInt32.self), low <= high { ranges.append(low...high) }
                return true
            }
            return Self.merged(ranges)
        } ?? []
    }

    private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, UInt64(range.lowerBound) <= UInt64(last.upperBound) + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
