internal import Index

// What was derived from messages.
extension MaildirMailbox {
    func cached(_ item: CachedItem, at position: Int) -> ArraySlice<UInt8>? {
        guard let uid = try? uid(position), let tag = item.tag else { return nil }
        return cache.value(tag, of: uid, index)
    }

    func cached(_ item: CachedItem, at positions: ArraySlice<Int>, into values: inout [ArraySlice<UInt8>?]) {
        values.removeAll(keepingCapacity: true)
        cache.append(item.tag, at: positions, of: view, to: &values)
    }

    func remember(_ item: CachedItem, _ value: [UInt8], at position: Int) {
        guard let uid = try? uid(position), value.count <= MailboxIndex.cachedLimit, let tag = item.tag else { return }
        if cache.remember(tag, value, of: uid) { flushCache() }
    }

    /// What the index has of a message's size and date.
    func known(_ uid: UInt32) -> MessageNumbers {
        numbersWindow.numbers(of: uid, index, trustsNames: !store.options.distrustsNameSizes)
    }

    /// Keeps a size that was counted, or a date that was looked up.
    func remember(_ uid: UInt32, _ new: MessageNumbers) {
        var known = numbers[uid] ?? MessageNumbers()
        known.size = new.size ?? known.size
        known.date = new.date ?? known.date
        numbers[uid] = known
        if numbers.count >= 1_024 { flushCache() }
    }

    /// Writes what was learnt of messages.
    func flushCache() {
        if !numbers.isEmpty {
            index.remember(numbers, trustsNames: !store.options.distrustsNameSizes)
            numbers = [:]
            (lastName, nameGroup, numbersWindow) = (nil, nil, NumbersWindow())
        }
        cache.flush(index)
    }
}
