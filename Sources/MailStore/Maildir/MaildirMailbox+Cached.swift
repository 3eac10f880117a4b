internal import Index

// What was derived from messages.
extension MaildirMailbox {
    func cached(_ item: CachedItem, at position: Int) -> ArraySlice<UInt8>? {
        guard messages.indices.contains(position), let tag = item.tag else { return nil }
        return cache.value(tag, of: messages[position].uid, index)
    }

    /// A number that spares reading the names of all files, while they are not read yet.
    func cachedNumber(_ tag: ItemTag, at position: Int) -> Int64? {
        guard isLazy, messages.indices.contains(position) else { return nil }
        return cache.value(tag, of: messages[position].uid, index).flatMap(MailboxIndex.number)
    }

    func remember(_ item: CachedItem, _ value: [UInt8], at position: Int) {
        guard messages.indices.contains(position), value.count <= MailboxIndex.cachedLimit, let tag = item.tag
        else { return }
        remember(tag, value, of: messages[position].uid)
    }

    func remember(_ tag: ItemTag, _ value: [UInt8], of uid: UInt32) {
        if cache.remember(tag, value, of: uid) { flushCache() }
    }

    func flushCache() { cache.flush(index) }
}
