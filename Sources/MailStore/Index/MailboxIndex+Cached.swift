internal import Index
internal import Platform

extension CachedItem {
    /// How it is named in a key; nil: it is not kept.
    fileprivate var tag: [UInt8]? {
        switch self {
        case .envelope: [1]
        case .bodyStructure: [2]
        case .body: [3]
        case .preview: [4]
        case .header(let name): name.count <= 256 ? [5] + name : nil
        }
    }
}

/// What was derived from messages.
extension MailboxIndex {
    private static let sizeTag: [UInt8] = [0]
    private static let dateTag: [UInt8] = [6]
    /// Larger values are made again when they are wanted.
    static let cachedLimit = 64 * 1_024

    private func cachedPrefix(_ uid: UInt32) -> [UInt8] { prefix + [0x63] + Self.bigEndian(uid) }

    func forgetCached(_ uid: UInt32, _ transaction: IndexTransaction) throws(IndexError) {
        try transaction.removeAll(prefix: cachedPrefix(uid))
    }

    /// A size that had to be counted, because no name tells it.
    func countedSize(of uid: UInt32, _ transaction: IndexTransaction) throws(IndexError) -> Int64? {
        var reader = FieldReader(try transaction.value(cachedPrefix(uid) + Self.sizeTag) ?? [])
        return reader.number()
    }

    static func encoded(_ number: Int64) -> [UInt8] {
        var out = FieldWriter()
        out.add(number)
        return out.bytes
    }

    static func number(_ bytes: [UInt8]) -> Int64? {
        var reader = FieldReader(bytes)
        return reader.number()
    }

    /// Keys of what is cached: UID, then item.
    static func cacheKey(_ item: CachedItem, _ uid: UInt32) -> [UInt8]? { item.tag.map { bigEndian(uid) + $0 } }
    /// A size with CR LF line ends; an internal date.
    static func sizeKey(_ uid: UInt32) -> [UInt8] { bigEndian(uid) + sizeTag }
    static func dateKey(_ uid: UInt32) -> [UInt8] { bigEndian(uid) + dateTag }

    /// What is cached of messages from `uid` on: at least those of the first that has any, at most about `bytes`.
    /// Answers also up to which UID everything was read.
    func cached(from uid: UInt32, bytes: Int) -> (items: [[UInt8]: [UInt8]], through: UInt32) {
        let start = prefix + [0x63]
        return index.read { (transaction) throws(IndexError) in
            var items: [[UInt8]: [UInt8]] = [:]
            var room = bytes
            var last = uid
            var through = UInt32.max
            try transaction.forEach(prefix: start, from: cachedPrefix(uid)) { (key, value) throws(IndexError) in
                let rest = Array(key[start.count...])
                guard rest.count > 4 else { throw .damaged("a cached item has no name") }
                let owner = rest[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                if owner != last, room < 0 {
                    through = owner - 1
                    return false
                }
                last = owner
                room -= value.count + rest.count
                items[rest] = value
                return true
            }
            return (items, through)
        } ?? ([:], uid)
    }

    /// Keeps items, but for messages that are not there (any more).
    func remember(_ items: [[UInt8]: [UInt8]]) {
        index.write { (transaction) throws(IndexError) in
            for (key, value) in items {
                let uid = key.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                guard try block(MessageBlock.number(of: uid), transaction)?[MessageBlock.slot(of: uid)].isPresent == true else { continue }
                try transaction.put(prefix + [0x63] + key, value)
            }
        }
    }
}
