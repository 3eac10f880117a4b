internal import Index
internal import Platform

// Opening a mailbox that the index knows: flags come from there, and names of files are read when the first of them is needed.
extension MaildirMailbox {
    /// Takes `messages` from the index. False: the disk is not as the index says, or the messages in new/ are to be taken.
    func openFromIndex() throws(StoreError) -> Bool {
        let (new, cur) = (try checkedStatus(folder.new), try checkedStatus(folder.cur))
        let list = try folder.control.status(of: UIDListFile.name[...])
        let mayStay = access == .readOnly && !store.options.emptiesNew
        let read = index.index.read { (transaction) throws(IndexError) -> (MailboxHeader, [Message])? in
            guard let header = try index.header(transaction), header.stamps.fit(new: new, cur: cur, list: list),
                header.recent == 0 || mayStay
            else { return nil }
            var messages: [Message] = []
            messages.reserveCapacity(Int(header.messages))
            try index.forEachMessage(transaction) { uid, message in
                let flags = message.state == .new ? message.flags.union(.recent) : message.flags
                messages.append(Message(uid: uid, flags: flags, keywords: message.keywords, slot: .max))
            }
            guard messages.count == Int(header.messages) else { throw .damaged("messages and their number differ") }
            return (header, messages)
        }
        guard let read, let (header, picture) = read, header.guid.count == 32 else { return false }
        (uidValidity, guid) = (header.uidValidity, header.guid)
        (publishedStamps, highestModSeq) = (header.stamps, header.highestModSeq)
        messages = picture
        highestShown = picture.last?.uid ?? 0
        indexedUIDNext = header.uidNext
        try readKeywords()
        keywordsChanged = false
        return true
    }

    /// The names of files are not read yet.
    var isLazy: Bool { indexedUIDNext != nil }

    /// Nothing changed since the index was read.
    func isUnchanged() throws(StoreError) -> Bool {
        guard isLazy, let publishedStamps else { return false }
        return publishedStamps.fit(
            new: try checkedStatus(folder.new), cur: try checkedStatus(folder.cur),
            list: try folder.control.status(of: UIDListFile.name[...]))
    }

    /// Reads the names of all files. What changed meanwhile is in `table` afterwards, and is told by the next `synchronize`.
    func loadTable() throws(StoreError) {
        guard isLazy else { return }
        indexedUIDNext = nil
        // Until the files are known, none of them is one that comes too late.
        let shown = highestShown
        highestShown = 0
        defer { highestShown = shown }
        do throws(StoreError) { try refresh() } catch {
            indexedUIDNext = shown + 1
            throw error
        }
        var slots = table.entries.indices.filter { table.entries[$0].baseLength != 0 }
        if !zip(slots, slots.dropFirst()).allSatisfy({ table.entries[$0].uid < table.entries[$1].uid }) {
            slots.sort { table.entries[$0].uid < table.entries[$1].uid }
        }
        var next = 0
        for position in messages.indices {
            let uid = messages[position].uid
            while next < slots.count, table.entries[slots[next]].uid < uid { next += 1 }
            if next < slots.count, table.entries[slots[next]].uid == uid {
                messages[position].slot = UInt32(slots[next])
                // Without a file: it was expunged.
                if table.entries[slots[next]].place == .none { table.markGone(slots[next]) }
            } else {
                // Not even a record is left.
                guard let slot = table.add(uid: uid, base: []) else { throw .limit("Mailbox has too many messages") }
                table.markGone(slot)
                messages[position].slot = UInt32(slot)
            }
        }
    }
}
