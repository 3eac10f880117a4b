internal import Index
internal import Platform

/// A message as it is on disk.
struct MessageOnDisk {
    let uid: UInt32
    var flags: MessageFlags
    var keywords: KeywordSet
    var isNew: Bool
    /// With CR LF line ends; nil: unknown without reading the message.
    var size: Int64?
}

/// What became of a message that was looked at alone.
struct MessageUpdate {
    let uid: UInt32
    /// nil: it is gone; then `size` is what it had.
    var message: MessageOnDisk?
    var size: Int64?
    /// nil: as the index knows it.
    var name: NameEntry?
}

/// Changes records of one mailbox within a transaction. UIDs come in ascending order, so that each record is written once.
struct IndexEditor {
    private let index: MailboxIndex
    private let transaction: IndexTransaction
    private(set) var header: MailboxHeader
    /// What the changes made here get.
    let modSeq: UInt64
    /// Counters and sums are made anew, from the messages that come.
    private let isRebuilding: Bool
    /// Something that clients can see is different.
    private var isVisible = false
    private var expunged: [ClosedRange<UInt32>] = []
    private var newBases: [ArraySlice<UInt8>] = []
    /// Sums of the segments that were touched.
    private(set) var flagSums: [(segment: UInt32, sum: UInt64)] = []

    private var segment: MessageSegment?
    private var isSegmentChanged = false
    private var block: MessageBlock?
    private var isBlockChanged = false
    private var names: NameGroup?
    private var areNamesChanged = false

    init(_ index: MailboxIndex, _ header: MailboxHeader, _ transaction: IndexTransaction, isRebuilding: Bool = false) {
        self.index = index
        self.header = header
        self.transaction = transaction
        self.isRebuilding = isRebuilding
        modSeq = MailboxIndex.next(after: header.highestModSeq)
        if isRebuilding { self.header.resetCounters() }
    }

    /// What is known of a UID.
    mutating func message(_ uid: UInt32) throws(IndexError) -> IndexedMessage {
        try load(uid)
        return block?[MessageBlock.slot(of: uid)] ?? IndexedMessage()
    }

    mutating func name(_ uid: UInt32) throws(IndexError) -> NameEntry? {
        try loadNames(uid)
        return names?.entries[NameGroup.slot(of: uid)]
    }

    /// A message is on disk. `name` nil: its name is known.
    mutating func put(_ message: MessageOnDisk, name: NameEntry?) throws(IndexError) {
        let uid = message.uid
        let before = try self.message(uid)
        var after = IndexedMessage(
            modSeq: before.modSeq, keywords: message.keywords, flags: message.flags, state: message.isNew ? .new : .cur,
            hasOddName: before.hasOddName)
        if let name {
            after.hasOddName = name.suffix != nil
            try loadNames(uid)
            let slot = NameGroup.slot(of: uid)
            var new = name
            if let old = names?.entries[slot] {
                if old.base == new.base {
                    new.countedSize = new.countedSize ?? old.countedSize
                    new.date = new.date ?? old.date
                } else {
                    newBases.append(new.base)
                }
            } else {
                newBases.append(new.base)
            }
            if names?.entries[slot] != new {
                names?.entries[slot] = new
                areNamesChanged = true
            }
        }
        if !before.isPresent || before.flags != after.flags || before.keywords != after.keywords {
            // A move from new/ to cur/ alone is none that a client can see.
            after.modSeq = modSeq
            isVisible = true
            segment?.modSeq = modSeq
            isSegmentChanged = true
        }
        count(uid, before, after, size: message.size)
        header.uidNext = max(header.uidNext, uid + 1)
        guard after != before else { return }
        block?[MessageBlock.slot(of: uid)] = after
        isBlockChanged = true
    }

    private mutating func count(_ uid: UInt32, _ before: IndexedMessage, _ after: IndexedMessage, size: Int64?) {
        if isRebuilding {
            segment?.replace(uid, IndexedMessage(), by: after)
            if after.isPresent { header.count(after, size: size, by: 1) }
        } else if before != after {
            segment?.replace(uid, before, by: after)
            isSegmentChanged = true
            if before.isPresent { header.count(before, size: size, by: -1) }
            if after.isPresent { header.count(after, size: size, by: 1) }
        }
    }

    /// A message is gone; `size` is what it had.
    mutating func expunge(_ uid: UInt32, size: Int64?) throws(IndexError) {
        let before = try message(uid)
        guard before.isPresent else { return }
        var after = before
        (after.state, after.modSeq, after.hasOddName) = (.gone, modSeq, false)
        if isRebuilding { isSegmentChanged = true } else { count(uid, before, after, size: size) }
        segment?.modSeq = modSeq
        block?[MessageBlock.slot(of: uid)] = after
        (isBlockChanged, isVisible) = (true, true)
        try loadNames(uid)
        names?.entries[NameGroup.slot(of: uid)] = nil
        areNamesChanged = true
        if let last = expunged.last, last.upperBound + 1 == uid {
            expunged[expunged.count - 1] = last.lowerBound...uid
        } else {
            expunged.append(uid...uid)
        }
    }

    // MARK: records

    private mutating func load(_ uid: UInt32) throws(IndexError) {
        let number = MessageBlock.number(of: uid)
        guard block?.number != number else { return }
        try writeBlock()
        if segment?.number != MessageSegment.number(of: uid) { try begin(MessageSegment.number(of: uid)) }
        block = try index.block(number, transaction) ?? MessageBlock(number)
    }

    private mutating func begin(_ number: UInt32) throws(IndexError) {
        try writeSegment()
        let known = try index.segment(number, transaction)
        var fresh = known ?? MessageSegment(number)
        if isRebuilding {
            fresh = MessageSegment(number)
            fresh.modSeq = known?.modSeq ?? 0
            fresh.firstFlagSum = known?.firstFlagSum ?? 0
        }
        (segment, isSegmentChanged) = (fresh, known == nil)
        knownSegment = known
    }

    /// As it was when it was read.
    private var knownSegment: MessageSegment?

    private mutating func loadNames(_ uid: UInt32) throws(IndexError) {
        let number = NameGroup.number(of: uid)
        guard names?.number != number else { return }
        try writeNames()
        names = try index.names(number, transaction) ?? NameGroup(number)
    }

    private mutating func writeBlock() throws(IndexError) {
        if let block, isBlockChanged { try transaction.put(index.blockKey(block.number), block.bytes) }
        (block, isBlockChanged) = (nil, false)
    }

    private mutating func writeNames() throws(IndexError) {
        if let names, areNamesChanged {
            let key = index.namesKey(names.number)
            if names.isEmpty { try transaction.remove(key) } else { try transaction.put(key, names.bytes) }
        }
        (names, areNamesChanged) = (nil, false)
    }

    private mutating func writeSegment() throws(IndexError) {
        guard var segment else { return }
        if knownSegment == nil, isFirst { segment.firstFlagSum = segment.flagSum }
        if isSegmentChanged || segment != knownSegment { try transaction.put(index.segmentKey(segment.number), segment.bytes) }
        flagSums.append((segment.number, segment.flagSum))
        self.segment = nil
    }

    /// The records of the mailbox are made now.
    private var isFirst: Bool { header.origin == 0 }

    /// Writes what is left. Answers the header, which is not written yet.
    mutating func finish() throws(IndexError) -> MailboxHeader {
        try writeBlock()
        try writeNames()
        try writeSegment()
        if isVisible || isFirst { header.highestModSeq = modSeq }
        if isFirst { (header.origin, header.logFloor) = (modSeq, modSeq) }
        try index.log(expunged, &header, transaction)
        try index.forgetCached(expunged, transaction)
        if !newBases.isEmpty, !isRebuilding {
            try NameFilter(pieces: header.filterPieces).insert(newBases, index, transaction)
        }
        return header
    }
}

/// Brings what is on disk into the index.
extension MailboxIndex {
    /// Everything that is in the mailbox, by UID: differences get a new modseq. `template` says UIDVALIDITY, UIDNEXT, GUID, stamps and the number
    /// of records in dovecot-uidlist. They are made one by one, because there can be a million: `message` gives the one with a number below `count`, `uid`
    /// its UID, `name` its name, `isOdd` whether its suffix says more than flags and keywords; with `comparesNames: false` known messages without odd names are taken to have the names they had.
    func publish(
        _ count: Int, uid: (Int) -> UInt32, message: (Int) -> MessageOnDisk, _ template: MailboxHeader, comparesNames: Bool = true,
        isOdd: (Int) -> Bool = { _ in false }, name: (Int) -> NameEntry, _ transaction: IndexTransaction
    ) throws(IndexError) -> MailboxHeader {
        var editor = IndexEditor(self, try begun(template, transaction), transaction, isRebuilding: true)
        var old = try segmentNumbers(transaction)[...]
        var next = 0
        while next < count || !old.isEmpty {
            let wanted = next < count ? MessageSegment.number(of: uid(next)) : .max
            let number = min(wanted, old.first ?? .max)
            var words = [UInt64](repeating: 0, count: MessageSegment.wordCount)
            if old.first == number {
                old.removeFirst()
                words = try segment(number, transaction)?.words ?? words
            }
            let start = next
            for word in words.indices {
                var present = words[word]
                let base = number * UInt32(MessageSegment.capacity) + UInt32(word * 64)
                while true {
                    let lost = present == 0 ? UInt32.max : base + UInt32(present.trailingZeroBitCount)
                    let wanted = next < count ? uid(next) : .max
                    let found = next < count && wanted - base < 64 ? wanted : .max
                    if lost == .max, found == .max { break }
                    if lost <= found { present &= present - 1 }
                    if found <= lost {
                        try put(message(next), next, lost == found, comparesNames, isOdd, name, &editor)
                        next += 1
                    } else {
                        try editor.expunge(lost, size: nil)
                    }
                }
            }
            // Nobody asks any more what the last flags of these were.
            if start == next { try editor.drop(number) }
        }
        return try editor.finish()
    }

    private func put(
        _ message: MessageOnDisk, _ place: Int, _ isKnown: Bool, _ comparesNames: Bool, _ isOdd: (Int) -> Bool, _ name: (Int) -> NameEntry,
        _ editor: inout IndexEditor
    ) throws(IndexError) {
        var message = message
        if message.size == nil, isKnown { message.size = try editor.name(message.uid)?.countedSize }
        var isSame = false
        if isKnown, !comparesNames, !isOdd(place) { isSame = try !editor.message(message.uid).hasOddName }
        try editor.put(message, name: isSame ? nil : name(place))
    }

    /// What became of single messages; the rest is as `header` says, which is not written. Answers also the sums of what was touched.
    func edited(_ updates: [MessageUpdate], _ header: MailboxHeader, _ transaction: IndexTransaction) throws(IndexError)
        -> (header: MailboxHeader, flagSums: [(segment: UInt32, sum: UInt64)])
    {
        var editor = IndexEditor(self, header, transaction)
        let isSorted = zip(updates, updates.dropFirst()).allSatisfy { $0.uid < $1.uid }
        for update in isSorted ? updates : updates.sorted(by: { $0.uid < $1.uid }) {
            guard var message = update.message else {
                try editor.expunge(update.uid, size: update.size)
                continue
            }
            message.size = update.size
            try editor.put(message, name: update.name)
        }
        let header = try editor.finish()
        return (header, editor.flagSums)
    }

    /// The header there is, or a new one where this is another mailbox than the index knew; with what `template` says.
    private func begun(_ template: MailboxHeader, _ transaction: IndexTransaction) throws(IndexError) -> MailboxHeader {
        var header = try self.header(transaction) ?? MailboxHeader()
        if header.uidValidity != template.uidValidity {
            try transaction.removeAll(prefix: prefix)
            header = MailboxHeader()
        }
        header.uidValidity = template.uidValidity
        header.uidNext = template.uidNext
        header.guid = template.guid
        header.stamps = template.stamps
        header.listRecords = template.listRecords
        return header
    }
}

extension IndexEditor {
    /// No message of a segment is left: forgets it.
    mutating func drop(_ number: UInt32) throws(IndexError) {
        try writeBlock()
        if segment?.number == number { segment = nil }
        for block in MessageSegment.blocks(of: number) { try transaction.remove(index.blockKey(block)) }
        try transaction.remove(index.segmentKey(number))
    }
}

extension MailboxHeader {
    fileprivate mutating func resetCounters() {
        (messages, recent, unseen, deleted, unknownSizes, size, deletedSize) = (0, 0, 0, 0, 0, 0, 0)
    }
}
