internal import Index

/// What the index keeps of messages that are copied or moved: it goes with them, so that nobody reads the copies to make it again.
struct CarriedItems {
    let source: MailboxIndex
    /// UIDVALIDITY that the source must still have.
    let uidValidity: UInt32
    /// UIDs in the source, and what each becomes.
    let uids: [(from: UInt32, to: UInt32)]

    /// Keys and values are made in these, again and again.
    private struct Buffers {
        var from: [UInt8] = []
        var to: [UInt8] = []
        var value: [UInt8] = []
    }

    /// Writes it for the target, whose index is the same. Before the messages are gone from the source.
    func write(to target: MailboxIndex, _ transaction: IndexTransaction) throws(IndexError) {
        guard try source.header(transaction)?.uidValidity == uidValidity else { return }
        var named = try target.headerTags(transaction)
        var buffers = Buffers()
        try carryBlocks(.keys, to: target, transaction)
        for tag in ItemTag.plain { try carry(tag, to: target, transaction, &buffers) }
        for tag in try source.headerTags(transaction) {
            let isKnown = named.contains(tag)
            guard isKnown || named.count < MailboxIndex.headerNames else { continue }
            let count = try carry(tag, to: target, transaction, &buffers)
            if !isKnown, count > 0 { named.append(tag) }
        }
    }

    private func carryBlocks(_ tag: ItemTag, to target: MailboxIndex, _ transaction: IndexTransaction) throws(IndexError) {
        var known = source.blocks(of: tag, transaction)
        var new = target.blocks(of: tag, transaction)
        for (from, to) in uids { if let value = try known.value(of: from) { try new.set(to, value) } }
        try new.finish()
    }

    /// Answers how many messages had it.
    @discardableResult
    private func carry(
        _ tag: ItemTag, to target: MailboxIndex, _ transaction: IndexTransaction, _ buffers: inout Buffers
    ) throws(IndexError) -> Int {
        buffers.from = source.cachedKey(tag, 0)
        buffers.to = target.cachedKey(tag, 0)
        var count = 0
        for (from, to) in uids {
            buffers.from.setSuffix(from)
            guard try transaction.read(buffers.from, into: &buffers.value) else { continue }
            buffers.to.setSuffix(to)
            try transaction.put(buffers.to, buffers.value)
            count += 1
        }
        return count
    }
}

extension Array where Element == UInt8 {
    /// The last four bytes become a number, most significant byte first.
    fileprivate mutating func setSuffix(_ number: UInt32) {
        for index in 0..<4 { self[count - 4 + index] = UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * index)) }
    }
}
