internal import Index
internal import MessageFormat
internal import Platform

/// How a cached item is named in a key.
struct ItemTag: Hashable {
    /// Below `kinds`.
    let kind: UInt8
    /// Of a header field.
    let name: [UInt8]

    static let kinds = 9
    static let headerKind: UInt8 = 5
    /// All but header fields, of which each message has a record of its own.
    static let plain = [1, 2, 3, 4, 8].map { ItemTag(kind: $0, name: []) }
    /// What is asked of many messages at once: a record for each `ItemBlock`.
    static let keys = ItemTag(kind: 7, name: [])
    var isInBlocks: Bool { kind == Self.keys.kind }

    var bytes: [UInt8] { kind == Self.headerKind ? [kind, UInt8(name.count)] + name : [kind] }
}

extension CachedItem {
    /// Nil: it is not kept.
    var tag: ItemTag? {
        switch self {
        case .envelope: ItemTag(kind: 1, name: [])
        case .bodyStructure: ItemTag(kind: 2, name: [])
        case .body: ItemTag(kind: 3, name: [])
        case .preview: ItemTag(kind: 4, name: [])
        case .header(let name): name.isEmpty || name.count > 64 ? nil : ItemTag(kind: ItemTag.headerKind, name: name)
        case .keys: .keys
        case .fields: ItemTag(kind: 8, name: [])
        }
    }
}

/// What had to be looked up of a message.
struct MessageNumbers {
    var size: Int64?
    var date: Int64?
}

/// What was derived from messages. Keys are ordered by item, then by UID: who reads one item of many messages passes over nothing else.
extension MailboxIndex {
    /// Larger values are made again when they are wanted.
    static let cachedLimit = 64 * 1_024
    /// Header fields of which something is kept, besides the common ones.
    static let headerNames = 32

    private var cachedPrefix: [UInt8] { prefix + [0x63] }

    func cachedKey(_ tag: ItemTag, _ uid: UInt32) -> [UInt8] { cachedPrefix + tag.bytes + Self.bigEndian(uid) }

    /// Changes an item that is kept in blocks.
    func blocks(of tag: ItemTag, _ transaction: IndexTransaction) -> ItemBlockEditor {
        ItemBlockEditor(prefix: cachedPrefix + tag.bytes, transaction)
    }

    /// Forgets what was derived from messages that are gone.
    func forgetCached(_ uids: [ClosedRange<UInt32>], _ transaction: IndexTransaction) throws(IndexError) {
        guard !uids.isEmpty else { return }
        var blocks = blocks(of: .keys, transaction)
        for range in uids { try blocks.remove(range) }
        try blocks.finish()
        let tags = try ItemTag.plain + headerTags(transaction)
        for range in uids { try forgetRecords(range, tags, transaction) }
    }

    private func forgetRecords(_ uids: ClosedRange<UInt32>, _ tags: [ItemTag], _ transaction: IndexTransaction) throws(IndexError) {
        for tag in tags {
            let start = cachedPrefix + tag.bytes
            let last = start + Self.bigEndian(uids.upperBound)
            var keys: [[UInt8]] = []
            try transaction.forEachSpan(prefix: start, from: start + Self.bigEndian(uids.lowerBound)) { (key, _) throws(IndexError) in
                let key = Array(copying: key)
                guard key.count == last.count, !last.lexicographicallyPrecedes(key) else { return false }
                keys.append(key)
                return true
            }
            for key in keys { try transaction.remove(key) }
        }
    }

    /// The tags of all header fields of which something is kept.
    func headerTags(_ transaction: IndexTransaction) throws(IndexError) -> [ItemTag] {
        let start = cachedPrefix + [ItemTag.headerKind]
        var tags: [ItemTag] = []
        var next = start
        while tags.count <= Self.headerNames {
            var found: [UInt8]?
            try transaction.forEachSpan(prefix: start, from: next) { (key, _) throws(IndexError) in
                found = Array(copying: key)
                return false
            }
            guard let found else { break }
            guard found.count > start.count + 5 else { throw .damaged("a cached item has no name") }
            tags.append(ItemTag(kind: ItemTag.headerKind, name: Array(found[(start.count + 1)..<(found.count - 4)])))
            next = found.dropLast(4) + [0xff, 0xff, 0xff, 0xff, 0]
        }
        return tags
    }

    /// Keeps sizes that were counted and dates that were looked up, but for messages that are not there (any more).
    func remember(_ numbers: [UInt32: MessageNumbers], trustsNames: Bool) {
        index.write { (transaction) throws(IndexError) in
            guard var header = try header(transaction) else { return }
            var group: NameGroup?
            for uid in numbers.keys.sorted() {
                guard let known = numbers[uid] else { continue }
                let number = NameGroup.number(of: uid)
                if group?.number != number {
                    if let group { try transaction.put(namesKey(group.number), group.bytes) }
                    group = try names(number, transaction)
                }
                guard var entry = group?.entries[NameGroup.slot(of: uid)] else { continue }
                entry.date = known.date ?? entry.date
                if let size = known.size, entry.size(trustsName: trustsNames) == nil,
                    let message = try block(MessageBlock.number(of: uid), transaction)?[MessageBlock.slot(of: uid)], message.isPresent
                {
                    entry.countedSize = size
                    header.count(message, size: nil, by: -1)
                    header.count(message, size: size, by: 1)
                }
                group?.entries[NameGroup.slot(of: uid)] = entry
            }
            if let group { try transaction.put(namesKey(group.number), group.bytes) }
            try transaction.put(headerKey, header.bytes)
        }
    }

    /// One item of the messages from `uid` on: about `bytes` of it, and up to which UID that is all there is.
    func cached(_ tag: ItemTag, from uid: UInt32, bytes: Int, into window: inout CachedWindow) {
        let start = cachedPrefix + tag.bytes
        let done: Void? = index.read { (transaction) throws(IndexError) in
            window.restart(from: uid)
            let first = tag.isInBlocks ? ItemBlock.number(of: uid) : uid
            try transaction.forEachSpan(prefix: start, from: start + Self.bigEndian(first)) { (key, value) throws(IndexError) in
                guard key.count == start.count + 4 else { throw .damaged("a cached item has a wrong name") }
                var owner: UInt32 = 0
                for index in start.count..<key.count { owner = owner << 8 | UInt32(key[index]) }
                if tag.isInBlocks { return try window.append(block: owner, value, limit: bytes) }
                return window.append(value, of: owner, limit: bytes)
            }
        }
        if done == nil { window.restart(from: uid) }
    }

    /// Keeps items by tag and UID, but for messages that are not there (any more).
    func remember(_ items: [ItemTag: [UInt32: [UInt8]]]) {
        index.write { (transaction) throws(IndexError) in
            let known = try headerTags(transaction)
            for (tag, values) in items {
                if tag.kind == ItemTag.headerKind, known.count >= Self.headerNames, !known.contains(tag) { continue }
                // In order: neighbours in a block, and in the tree, are found together.
                var block: MessageBlock?
                var blocks = blocks(of: tag, transaction)
                for uid in values.keys.sorted() {
                    let number = MessageBlock.number(of: uid)
                    if block?.number != number { block = try self.block(number, transaction) }
                    guard block?[MessageBlock.slot(of: uid)].isPresent == true, let value = values[uid] else { continue }
                    if tag.isInBlocks { try blocks.set(uid, value[...]) } else { try transaction.put(cachedKey(tag, uid), value) }
                }
                try blocks.finish()
            }
        }
    }

    /// Keeps what was found while messages were saved; they have their UIDs, but the index may not know them yet.
    func remember(_ summaries: [MessageSummary?], from firstUID: UInt32, uidValidity: UInt32) {
        guard summaries.contains(where: { $0 != nil }) else { return }
        index.write { (transaction) throws(IndexError) in
            guard try header(transaction)?.uidValidity == uidValidity else { return }
            for item in [CachedItem.envelope, .bodyStructure, .keys, .fields, .preview] {
                guard let tag = item.tag else { continue }
                var blocks = blocks(of: tag, transaction)
                for (number, summary) in summaries.enumerated() {
                    guard let value = summary?[item], value.count <= Self.cachedLimit else { continue }
                    let uid = firstUID + UInt32(number)
                    if tag.isInBlocks { try blocks.set(uid, value[...]) } else { try transaction.put(cachedKey(tag, uid), value) }
                }
                try blocks.finish()
            }
        }
    }
}

extension MessageSummary {
    fileprivate subscript(item: CachedItem) -> [UInt8]? {
        switch item {
        case .envelope: envelope
        case .bodyStructure: bodyStructure
        case .keys: Array(keys.bytes)
        case .fields: fields
        case .preview: preview
        default: nil
        }
    }
}
