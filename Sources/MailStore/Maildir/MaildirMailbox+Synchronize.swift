internal import Platform

extension MaildirMailbox {
    func synchronize(reportExpunges: Bool) throws(StoreError) -> MailboxChanges {
        flushCache()
        if try isUnchanged() {
            try readKeywords()
            defer { keywordsChanged = false }
            var changes = MailboxChanges()
            changes.keywordsChanged = keywordsChanged
            changes.new = messages.count..<messages.count
            return changes
        }
        try loadTable()
        try refresh()
        var changes = MailboxChanges()
        applyToMessages(reportExpunges, &changes)
        addNewMessages(&changes)
        changes.keywordsChanged = keywordsChanged
        keywordsChanged = false
        return changes
    }

    /// Takes flags and losses from the table into the session's picture.
    private func applyToMessages(_ reportExpunges: Bool, _ changes: inout MailboxChanges) {
        var lost: [Int] = []
        var changed: [Int] = []
        for position in messages.indices {
            let slot = Int(messages[position].slot)
            if table.entries[slot].place == .gone {
                lost.append(position)
                continue
            }
            let info = table.info(of: slot)
            let flags = info.flags.union(messages[position].flags.intersection(.recent))
            if flags != messages[position].flags || info.keywords != messages[position].keywords {
                messages[position].flags = flags
                messages[position].keywords = info.keywords
                changed.append(position)
            }
        }
        if reportExpunges {
            changes.expunged = lost.reversed().map { MailboxChanges.Expunged(sequence: $0 + 1, uid: messages[$0].uid) }
            remove(lost)
        } else {
            changes.hasHiddenExpunges = !lost.isEmpty
            lost = []
        }
        var passed = 0
        changes.flagsChanged = changed.map { position in
            while passed < lost.count, lost[passed] < position { passed += 1 }
            return position - passed
        }
    }

    private func remove(_ positions: [Int]) {
        guard let first = positions.first else { return }
        var next = 0
        var target = first
        for position in first..<messages.count {
            if next < positions.count, positions[next] == position {
                next += 1
            } else {
                messages[target] = messages[position]
                target += 1
            }
        }
        messages.removeLast(messages.count - target)
    }

    private func addNewMessages(_ changes: inout MailboxChanges) {
        let before = messages.count
        var slot = table.entries.count
        // What is new is at the end, behind messages that were shown; lost and unused records may lie between.
        while slot > 0 {
            slot -= 1
            let entry = table.entries[slot]
            guard entry.place == .new || entry.place == .cur else { continue }
            if entry.uid <= highestShown { break }
            let info = table.info(of: slot)
            let isRecent = entry.place == .new || ownRecent.contains(slot)
            messages.append(
                Message(
                    uid: entry.uid, flags: isRecent ? info.flags.union(.recent) : info.flags, keywords: info.keywords, slot: UInt32(slot)))
        }
        messages[before...].sort { $0.uid < $1.uid }
        ownRecent.removeAll()
        highestShown = max(highestShown, messages.last?.uid ?? 0)
        changes.new = before..<messages.count
    }

    /// Moves the files of known messages from new/ to cur/, which makes them \Recent for this session alone.
    /// True when another session was faster with some: they are in cur/ now, \Recent there and not here, and must be found again.
    func moveNewToCur() throws(StoreError) -> Bool {
        guard table.newCount > 0, access == .readWrite || store.options.emptiesNew, !isReadOnlyStorage else { return false }
        var isOvertaken = false
        try changing { () throws(StoreError) in
            var moved: [Int] = []
            for slot in table.entries.indices where table.entries[slot].place == .new {
                let name = table.name(of: slot)
                let newName = name.contains(ASCII.colon) ? name : name + MaildirFileName.flagsMark
                do throws(SystemError) {
                    try folder.new.directory.rename(name[...], to: folder.cur.directory, as: newName[...], replacing: false)
                } catch {
                    if error.isNotFound {
                        isOvertaken = true
                    } else {
                        // No space or no permission: it is served from new/.
                        store.options.log(.warning, folder.new.failure(error, name[...]).logText)
                        break
                    }
                    continue
                }
                table.see(slot, at: .cur, info: newName[table.base(of: slot).count...], generation: generation)
                if access == .readWrite { ownRecent.insert(slot) }
                moved.append(slot)
            }
            return moved
        }
        return isOvertaken
    }

    func readKeywords() throws(StoreError) {
        let name = MaildirSave.keywordsName
        let status = try folder.control.status(of: name[...])
        guard status != keywordStatus else { return }
        let read = try folder.control.content(of: name, limit: StoreLimits.smallFileSize)
        keywordStatus = read?.status
        let table = KeywordTable(read?.bytes ?? [])
        if table != keywordTable {
            keywordTable = table
            keywordsChanged = true
        }
    }
}
