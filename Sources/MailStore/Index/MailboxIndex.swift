internal import Index
internal import Platform

/// The part of a user's index that belongs to one mailbox. Its keys begin with device and inode of the mailbox's directory: it moves along
/// when the mailbox is renamed; another directory with the same inode is told by its stamps and its UIDVALIDITY.
///
///     h             header (MailboxHeader)
///     s segment     1,024 UIDs: which are there, counters (MessageSegment)
///     m block       64 messages (MessageBlock)
///     n group       names of 16 messages (NameGroup)
///     f piece       which names are taken (NameFilter)
///     l modseq      UID ranges that were expunged with it
///     c item uid    what was derived from a message
///     c item block  the same of 64 messages (ItemBlock): keys of SORT and THREAD
struct MailboxIndex {
    let index: Index
    let prefix: [UInt8]

    init(_ index: Index, directory: FileStatus) {
        self.index = index
        var key: [UInt8] = []
        key.reserveCapacity(24)
        Self.append(device: directory.device, inode: directory.inode, to: &key)
        prefix = key
    }

    private static func append(device: UInt64, inode: UInt64, to key: inout [UInt8]) {
        for index in 0..<8 { key.append(UInt8(truncatingIfNeeded: device >> UInt64(56 - 8 * index))) }
        for index in 0..<8 { key.append(UInt8(truncatingIfNeeded: inode >> UInt64(56 - 8 * index))) }
    }

    /// The header of the mailbox whose directory has this inode. `key` is room for its key, kept for the next one.
    static func header(device: UInt64, inode: UInt64, _ transaction: IndexTransaction, key: inout [UInt8]) throws(IndexError)
        -> MailboxHeader?
    {
        key.removeAll(keepingCapacity: true)
        append(device: device, inode: inode, to: &key)
        key.append(headerLetter)
        return try header(key, transaction)
    }

    private static let headerLetter: UInt8 = 0x68

    static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        let bits = value.bitWidth
        return (0..<bits / 8).map { UInt8(truncatingIfNeeded: value >> (bits - 8 - 8 * $0)) }
    }

    static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    var headerKey: [UInt8] { prefix + [Self.headerLetter] }
    var blocksPrefix: [UInt8] { prefix + [0x6d] }
    var logPrefix: [UInt8] { prefix + [0x6c] }

    func blockKey(_ number: UInt32) -> [UInt8] { blocksPrefix + Self.bigEndian(number) }

    func header(_ transaction: IndexTransaction) throws(IndexError) -> MailboxHeader? { try Self.header(headerKey, transaction) }

    private static func header(_ key: [UInt8], _ transaction: IndexTransaction) throws(IndexError) -> MailboxHeader? {
        try transaction.withValue(key) { (bytes) throws(IndexError) in
            guard let header = MailboxHeader(bytes) else { throw .damaged("a mailbox record makes no sense") }
            return header
        }
    }

    var segmentsPrefix: [UInt8] { prefix + [0x73] }
    func segmentKey(_ number: UInt32) -> [UInt8] { segmentsPrefix + Self.bigEndian(number) }
    var namesPrefix: [UInt8] { prefix + [0x6e] }
    func namesKey(_ number: UInt32) -> [UInt8] { namesPrefix + Self.bigEndian(number) }
    func filterKey(_ piece: UInt32) -> [UInt8] { prefix + [0x66] + Self.bigEndian(piece) }

    func header() -> MailboxHeader? { index.read { (transaction) throws(IndexError) in try header(transaction) } ?? nil }

    func block(_ number: UInt32, _ transaction: IndexTransaction) throws(IndexError) -> MessageBlock? {
        guard let bytes = try transaction.value(blockKey(number)) else { return nil }
        guard let block = MessageBlock(number, bytes) else { throw .damaged("a block of messages makes no sense") }
        return block
    }

    func segment(_ number: UInt32, _ transaction: IndexTransaction) throws(IndexError) -> MessageSegment? {
        guard let bytes = try transaction.value(segmentKey(number)) else { return nil }
        guard let segment = MessageSegment(number, bytes.span) else { throw .damaged("a segment makes no sense") }
        return segment
    }

    func names(_ number: UInt32, _ transaction: IndexTransaction) throws(IndexError) -> NameGroup? {
        guard let bytes = try transaction.value(namesKey(number)) else { return nil }
        guard let group = NameGroup(number, bytes) else { throw .damaged("a group of names makes no sense") }
        return group
    }

    func segmentNumbers(_ transaction: IndexTransaction) throws(IndexError) -> [UInt32] {
        try transaction.keys(prefix: segmentsPrefix).map { UInt32(truncatingIfNeeded: Self.number($0.suffix(4))) }
    }

    /// Calls `body` for every segment, ascending, or for as many as it takes.
    func forEachSegment(
        _ transaction: IndexTransaction, _ body: (UInt32, Span<UInt8>) throws(IndexError) -> Void, until isEnough: () -> Bool = { false }
    ) throws(IndexError) {
        try transaction.forEachSpan(prefix: segmentsPrefix) { (key, value) throws(IndexError) in
            guard key.count == prefix.count + 5, MessageSegment.isValid(value) else { throw .damaged("a segment makes no sense") }
            var number: UInt32 = 0
            for index in key.count - 4..<key.count { number = number << 8 | UInt32(key[index]) }
            try body(number, value)
            return !isEnough()
        }
    }

    /// Calls `body` for every message that is there with a UID in a segment, ascending.
    func forEachMessage(
        ofSegment number: UInt32, _ transaction: IndexTransaction, _ body: (UInt32, IndexedMessage) -> Void
    ) throws(IndexError) {
        let blocks = MessageSegment.blocks(of: number)
        try transaction.forEach(prefix: blocksPrefix, from: blockKey(blocks.lowerBound)) { (key, value) throws(IndexError) in
            let found = UInt32(truncatingIfNeeded: Self.number(key.suffix(4)))
            guard found <= blocks.upperBound else { return false }
            guard let block = MessageBlock(found, value) else { throw .damaged("a block of messages makes no sense") }
            for slot in 0..<MessageBlock.capacity {
                let message = block[slot]
                if message.isPresent { body(block.uid(of: slot), message) }
            }
            return true
        }
    }

    /// The UIDs that are there, with the sums of their flags.
    func uids(_ transaction: IndexTransaction) throws(IndexError) -> UIDMap {
        var map = UIDMap()
        try forEachSegment(transaction) { number, bytes in
            map.append(number, bytes)
        }
        return map
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
                let map = try uids(transaction)
                var last = map.count > 0 ? map.uid(at: 0) : nil
                while let uid = last {
                    if uid > next { ranges.append(next...(uid - 1)) }
                    next = uid + 1
                    last = map.uid(after: uid)
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
