internal import Index
internal import Platform

/// dovecot-uidlist as it was when its content was taken in.
struct FileStamp: Equatable {
    var inode: UInt64 = 0
    var size: Int64 = -1
    var modified: Int64 = 0
    var changed: Int64 = 0

    init() {}

    init(_ status: FileStatus) {
        (inode, size, modified, changed) = (status.inode, status.size, status.modified, status.changed)
    }
}

/// What must still be so on disk for what the index says of a mailbox to be believed.
struct MailboxStamps: Equatable {
    var new = ScannedDirectory()
    var cur = ScannedDirectory()
    var newInode: UInt64 = 0
    var curInode: UInt64 = 0
    var list = FileStamp()

    /// Whether both speak of the same state of the disk, however each came to know it.
    func isSameState(as other: MailboxStamps) -> Bool {
        new.modified == other.new.modified && cur.modified == other.cur.modified && newInode == other.newInode && curInode == other.curInode
            && list == other.list
    }

    var isSettled: Bool { new.isSettled && cur.isSettled }

    /// Whether nothing changed since: `new`, `cur` and `list` as they are now.
    func fit(new newStatus: FileStatus, cur curStatus: FileStatus, list listStatus: FileStatus?) -> Bool {
        guard let listStatus, list == FileStamp(listStatus) else { return false }
        return fit(new: newStatus, cur: curStatus)
    }

    /// Whether the messages are the same with the same flags: they are what the names in the two directories say. UIDs are in the list.
    func fit(new newStatus: FileStatus, cur curStatus: FileStatus) -> Bool {
        newInode == newStatus.inode && curInode == curStatus.inode && !new.needsScan(newStatus) && !cur.needsScan(curStatus)
    }
}

/// What the index says of a mailbox as a whole. One record, so that STATUS costs the same in every mailbox.
struct MailboxHeader: Equatable {
    var uidValidity: UInt32 = 0
    var uidNext: UInt32 = 1
    var highestModSeq: UInt64 = 1
    /// Modseq with which these records were begun: another one, and they were lost and made anew meanwhile.
    var origin: UInt64 = 0
    /// Records in dovecot-uidlist, those of messages that are gone included.
    var listRecords: UInt32 = 0
    /// Pieces of the `NameFilter`.
    var filterPieces: UInt32 = 0
    /// Expunges after this one are all in the log.
    var logFloor: UInt64 = 1
    var logEntries: UInt32 = 0
    var messages: UInt32 = 0
    var recent: UInt32 = 0
    var unseen: UInt32 = 0
    var deleted: UInt32 = 0
    /// Of messages whose size is known, with CR LF line ends.
    var size: Int64 = 0
    var deletedSize: Int64 = 0
    /// Messages whose name does not tell the size.
    var unknownSizes: UInt32 = 0
    var guid: [UInt8] = []
    var stamps = MailboxStamps()

    init() {}

    var bytes: [UInt8] {
        var out = FieldWriter()
        out.add(uidValidity)
        out.add(uidNext)
        out.add(highestModSeq)
        out.add(logFloor)
        out.add(origin)
        out.add(listRecords)
        out.add(filterPieces)
        for count in [logEntries, messages, recent, unseen, deleted, unknownSizes] { out.add(count) }
        out.add(size)
        out.add(deletedSize)
        out.add(guid)
        for directory in [stamps.new, stamps.cur] { for number in directory.numbers { out.add(number) } }
        out.add(stamps.newInode)
        out.add(stamps.curInode)
        out.add(stamps.list.inode)
        out.add(stamps.list.size)
        out.add(stamps.list.modified)
        out.add(stamps.list.changed)
        return out.bytes
    }

    /// nil: not a header.
    init?(_ bytes: Span<UInt8>) {
        var offset = 0
        func read<N: FixedWidthInteger>(_ field: inout N) -> Bool {
            let width = N.bitWidth / 8
            guard bytes.count - offset >= width else { return false }
            defer { offset += width }
            // Nearly always eight bytes are there.
            if bytes.count - offset >= 8 {
                field = N(truncatingIfNeeded: bytes.word(at: offset))
            } else {
                field = 0
                for index in 0..<width { field |= N(truncatingIfNeeded: bytes[offset + index]) << N(8 * index) }
            }
            return true
        }
        func read(_ directory: inout ScannedDirectory) -> Bool {
            var (modified, scannedAt, changedSince) = (Int64(0), Int64(0), Int64(0))
            guard read(&modified), read(&scannedAt), read(&changedSince) else { return false }
            directory = ScannedDirectory(modified: modified, scannedAt: scannedAt, changedSince: changedSince)
            return true
        }
        var guidLength: UInt32 = 0
        guard read(&uidValidity), read(&uidNext), read(&highestModSeq), read(&logFloor), read(&origin), read(&listRecords),
            read(&filterPieces), read(&logEntries), read(&messages), read(&recent), read(&unseen), read(&deleted), read(&unknownSizes),
            read(&size), read(&deletedSize), read(&guidLength), bytes.count - offset >= Int(guidLength)
        else { return nil }
        guid = Array(copying: bytes.extracting(offset..<offset + Int(guidLength)))
        offset += Int(guidLength)
        guard read(&stamps.new), read(&stamps.cur), read(&stamps.newInode), read(&stamps.curInode), read(&stamps.list.inode),
            read(&stamps.list.size), read(&stamps.list.modified), read(&stamps.list.changed), offset == bytes.count, uidValidity != 0,
            highestModSeq != 0, filterPieces & (filterPieces &- 1) == 0
        else { return nil }
    }

    /// More than a quarter of the records of dovecot-uidlist belongs to messages that are gone.
    var hasManyStaleRecords: Bool { listRecords > 16 && listRecords / 4 * 3 > messages }

    /// Adds (`by` 1) or takes away (-1) a message in the counters; `size` nil: unknown.
    mutating func count(_ message: IndexedMessage, size: Int64?, by sign: Int) {
        func change(_ counter: inout UInt32) { counter = UInt32(clamping: Int(counter) + sign) }
        change(&messages)
        if message.state == .new { change(&recent) }
        if !message.flags.contains(.seen) { change(&unseen) }
        let isDeleted = message.flags.contains(.deleted)
        if isDeleted { change(&deleted) }
        guard let bytes = size else { return change(&unknownSizes) }
        self.size &+= Int64(sign) &* bytes
        if isDeleted { deletedSize &+= Int64(sign) &* bytes }
    }
}
