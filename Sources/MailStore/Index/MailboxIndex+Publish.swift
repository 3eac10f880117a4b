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

/// What became of messages that were looked at one by one.
struct MessageUpdate {
    let uid: UInt32
    /// nil: it is gone; then `size` is what it had.
    var message: MessageOnDisk?
    var size: Int64?
}

/// Brings what is on disk into the index.
extension MailboxIndex {
    /// Everything that is in the mailbox, by UID: differences get a new modseq. `template` says UIDVALIDITY, UIDNEXT, GUID and stamps.
    func publish(
        _ messages: [MessageOnDisk], _ template: MailboxHeader, _ transaction: IndexTransaction
    ) throws(IndexError) -> MailboxHeader {
        var header = try begun(template, transaction)
        let modSeq = Self.next(after: header.highestModSeq)
        let isFirst = header.highestModSeq == 1
        var changes = Changes()
        var old = try blockNumbers(transaction)[...]
        var index = 0
        header.resetCounters()
        while index < messages.count || !old.isEmpty {
            let wanted = index < messages.count ? MessageBlock.number(of: messages[index].uid) : .max
            let number = min(wanted, old.first ?? .max)
            var block = MessageBlock(number)
            var isKnown = false
            if old.first == number {
                old.removeFirst()
                if let found = try self.block(number, transaction) { (block, isKnown) = (found, true) }
            }
            let start = index
            while index < messages.count, MessageBlock.number(of: messages[index].uid) == number { index += 1 }
            let isChanged = try merge(messages[start..<index], into: &block, modSeq, &changes, &header, transaction)
            if isChanged || !isKnown { try transaction.put(blockKey(number), block.bytes) }
        }
        if changes.isAny || isFirst { header.highestModSeq = modSeq }
        if isFirst { header.logFloor = modSeq }
        try log(changes.expunged, &header, transaction)
        try transaction.put(headerKey, header.bytes)
        return header
    }

    /// What became of single messages; the rest is as `header` says.
    func update(_ updates: [MessageUpdate], _ old: MailboxHeader, _ transaction: IndexTransaction) throws(IndexError) -> MailboxHeader {
        var header = old
        let modSeq = Self.next(after: header.highestModSeq)
        var changes = Changes()
        var block: MessageBlock?
        var isChanged = false
        for update in updates.sorted(by: { $0.uid < $1.uid }) {
            let number = MessageBlock.number(of: update.uid)
            if block?.number != number {
                if let block, isChanged { try transaction.put(blockKey(block.number), block.bytes) }
                block = try self.block(number, transaction) ?? MessageBlock(number)
                isChanged = false
            }
            let slot = MessageBlock.slot(of: update.uid)
            let before = block?[slot] ?? IndexedMessage()
            var size = update.size
            if size == nil { size = try countedSize(of: update.uid, transaction) }
            if before.isPresent { header.count(before, size: size, by: -1) }
            guard let message = update.message else {
                guard before.isPresent else { continue }
                block?[slot].state = .gone
                block?[slot].modSeq = modSeq
                changes.expunge(update.uid)
                try forgetCached(update.uid...update.uid, transaction)
                isChanged = true
                continue
            }
            var after = IndexedMessage(
                modSeq: before.modSeq, keywords: message.keywords, flags: message.flags, state: message.isNew ? .new : .cur)
            header.count(after, size: size, by: 1)
            header.uidNext = max(header.uidNext, update.uid + 1)
            if Self.isVisiblyDifferent(before, after) {
                after.modSeq = modSeq
                changes.isAny = true
            }
            if after != before {
                block?[slot] = after
                isChanged = true
            }
        }
        if let block, isChanged { try transaction.put(blockKey(block.number), block.bytes) }
        if changes.isAny { header.highestModSeq = modSeq }
        try log(changes.expunged, &header, transaction)
        return header
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
        return header
    }

    private struct Changes {
        var isAny = false
        private(set) var expunged: [ClosedRange<UInt32>] = []

        mutating func expunge(_ uid: UInt32) {
            isAny = true
            if let last = expunged.last, last.upperBound + 1 == uid {
                expunged[expunged.count - 1] = last.lowerBound...uid
            } else {
                expunged.append(uid...uid)
            }
        }
    }

    private func merge(
        _ messages: ArraySlice<MessageOnDisk>, into block: inout MessageBlock, _ modSeq: UInt64, _ changes: inout Changes,
        _ header: inout MailboxHeader, _ transaction: IndexTransaction
    ) throws(IndexError) -> Bool {
        var isChanged = false
        var next = messages.startIndex
        for slot in 0..<MessageBlock.capacity {
            let before = block[slot]
            guard next < messages.endIndex, MessageBlock.slot(of: messages[next].uid) == slot else {
                guard before.isPresent else { continue }
                block[slot].state = .gone
                block[slot].modSeq = modSeq
                changes.expunge(block.uid(of: slot))
                try forgetCached(block.uid(of: slot)...block.uid(of: slot), transaction)
                isChanged = true
                continue
            }
            let message = messages[next]
            next += 1
            var after = IndexedMessage(
                modSeq: before.modSeq, keywords: message.keywords, flags: message.flags, state: message.isNew ? .new : .cur)
            var size = message.size
            if size == nil { size = try countedSize(of: message.uid, transaction) }
            header.count(after, size: size, by: 1)
            if Self.isVisiblyDifferent(before, after) {
                after.modSeq = modSeq
                changes.isAny = true
            }
            if after != before {
                block[slot] = after
                isChanged = true
            }
        }
        return isChanged
    }

    /// A move from new/ to cur/ alone is none that a client can see.
    private static func isVisiblyDifferent(_ before: IndexedMessage, _ after: IndexedMessage) -> Bool {
        !before.isPresent || before.flags != after.flags || before.keywords != after.keywords
    }
}

extension MailboxHeader {
    fileprivate mutating func resetCounters() {
        (messages, recent, unseen, deleted, unknownSizes, size, deletedSize) = (0, 0, 0, 0, 0, 0, 0)
    }
}
