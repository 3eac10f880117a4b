internal import Platform

/// What one look at the directories showed.
struct ScanResult {
    /// Files that the table does not know.
    var unknown = UnknownFiles()
    /// A second file with the base name of a known one.
    var duplicates: [(slot: Int, name: [UInt8], place: MessagePlace)] = []
    /// Names without a base.
    var nameless: [(name: [UInt8], place: MessagePlace)] = []
    /// Slots of known messages whose file was not seen.
    var missing: [Int] = []

    var isSettled: Bool { unknown.isEmpty && duplicates.isEmpty && nameless.isEmpty && missing.isEmpty }
    /// Something must be written under the lock.
    var needsLock: Bool { !unknown.isEmpty || !duplicates.isEmpty || !nameless.isEmpty }
}

extension FolderScan {
    /// Looks through new/ and then cur/: in this order, because messages move in this direction.
    func scan() throws(StoreError) -> ScanResult {
        generation &+= 1
        var result = ScanResult()
        let known = index.header()?.stamps
        let new = try folder.new.sealedForScan(known?.new)
        newInode = new.status.inode
        try scan(.new, into: &result)
        newState.scanned(new.status, isSealed: new.isSealed)
        let cur = try folder.cur.sealedForScan(known?.cur)
        curInode = cur.status.inode
        try scan(.cur, into: &result)
        curState.scanned(cur.status, isSealed: cur.isSealed)
        for slot in table.entries.indices {
            let entry = table.entries[slot]
            guard entry.generation != generation else { continue }
            if entry.place == .new || entry.place == .cur || (entry.place == .none && isExpected(entry.uid)) { result.missing.append(slot) }
        }
        return result
    }

    private func scan(_ place: MessagePlace, into result: inout ScanResult) throws(StoreError) {
        let directory = folder.folder(place)
        do throws(SystemError) { try directory.directory.forEachEntry { take($0.name, place, into: &result) } } catch {
            if error.isNotFound { throw .mailboxGone("Mailbox was deleted under us") }
            throw directory.failure(error)
        }
    }

    private func take(_ name: ArraySlice<UInt8>, _ place: MessagePlace, into result: inout ScanResult) {
        guard name.first != ASCII.dot else { return }
        let length = MaildirFileName.baseLength(name)
        guard length > 0 else { return result.nameless.append((Array(name), place)) }
        let base = name.prefix(length)
        guard let slot = table.find(base) else {
            if let byte = name.first(where: { $0 == 0x0a || $0 == 0x0d }) {
                return store.options.log(
                    .warning, "Ignoring a file with #0x\(byte == 0x0a ? "A" : "D"): \(String(decoding: name, as: UTF8.self))")
            }
            return result.unknown.append(name, place)
        }
        let entry = table.entries[slot]
        if entry.generation == generation, entry.place != .none, entry.place != .gone {
            if place != entry.place || !table.name(of: slot).elementsEqual(name) {
                result.duplicates.append((slot, Array(name), place))
            }
            return
        }
        // A message that clients were told is gone, or that would now appear in the middle: it is a new one.
        if entry.place == .gone || (entry.place == .none && isExpunged(entry.uid)) {
            return result.unknown.append(name, place, replaces: slot)
        }
        table.see(slot, at: place, info: name[(name.startIndex + length)...], generation: generation)
    }
}
