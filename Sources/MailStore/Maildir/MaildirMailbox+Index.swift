internal import Index
internal import Platform

// What this mailbox tells the index, and takes from it.
extension MaildirMailbox {
    var currentStamps: MailboxStamps {
        var stamps = MailboxStamps()
        (stamps.new, stamps.cur, stamps.newInode, stamps.curInode) = (newState, curState, newInode, curInode)
        stamps.list = list.stamp ?? FileStamp()
        return stamps
    }

    /// What is on disk of a slot; nil: nothing.
    func onDisk(_ slot: Int) -> MessageOnDisk? {
        let entry = table.entries[slot]
        guard entry.place == .new || entry.place == .cur else { return nil }
        let info = table.info(of: slot)
        return MessageOnDisk(
            uid: entry.uid, flags: info.flags, keywords: info.keywords, isNew: entry.place == .new, size: knownSize(slot))
    }

    private func header() -> MailboxHeader {
        var header = MailboxHeader()
        (header.uidValidity, header.uidNext, header.guid, header.stamps) = (uidValidity, uidNext, guid, currentStamps)
        return header
    }

    /// Brings `table` into the index, unless it is there already.
    func publish(force: Bool = false) {
        let stamps = currentStamps
        guard force || stamps != publishedStamps, uidValidity != 0, !isReadOnlyStorage || !index.index.isShared else { return }
        recentBlock = nil
        if !force, let known = index.header(), known.stamps.isSameState(as: stamps), known.stamps.isSettled || !stamps.isSettled,
            known.uidValidity == uidValidity, known.uidNext == uidNext
        {
            (publishedStamps, highestModSeq) = (stamps, known.highestModSeq)
            return
        }
        var messages: [MessageOnDisk] = []
        messages.reserveCapacity(table.entries.count)
        for slot in table.entries.indices { if let message = onDisk(slot) { messages.append(message) } }
        if !zip(messages, messages.dropFirst()).allSatisfy({ $0.uid < $1.uid }) { messages.sort { $0.uid < $1.uid } }
        let template = header()
        let written = index.index.write { (transaction) throws(IndexError) in
            // Who saw less than somebody else since must not undo what that one wrote.
            isStill(stamps) ? try index.publish(messages, template, transaction) : nil
        }
        guard let written, let header = written else { return }
        (publishedStamps, highestModSeq) = (stamps, header.highestModSeq)
    }

    private func isStill(_ stamps: MailboxStamps) -> Bool {
        guard let new = try? folder.new.directory.status(), let cur = try? folder.cur.directory.status(),
            let list = try? folder.control.directory.statusIfPresent(of: UIDListFile.name[...])
        else { return false }
        return new.modified == stamps.new.modified && cur.modified == stamps.cur.modified && stamps.list == FileStamp(list)
    }

    /// Changes files with all other sessions kept from doing so, and tells the index which messages (slots) became different.
    func changing(_ body: () throws(StoreError) -> [Int]) throws(StoreError) {
        let result = index.index.alone { () -> Result<Void, StoreError> in
            do throws(StoreError) {
                let before = (new: try checkedStatus(folder.new), cur: try checkedStatus(folder.cur))
                let stamps = currentStamps
                let isKnown =
                    stamps == publishedStamps && before.cur.modified == curState.modified && before.new.modified == newState.modified
                let slots = try body()
                guard !slots.isEmpty else { return .success(()) }
                try settleStates(before.new, before.cur)
                if isKnown { tell(slots, stamps) }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    private func settleStates(_ new: FileStatus, _ cur: FileStatus) throws(StoreError) {
        let after = try folder.cur.status()
        if after.modified != cur.modified || after.changed != cur.changed {
            if index.index.isShared, let sealed = folder.cur.seal(after: cur.modified) {
                curState.changedByUs(before: cur, sealed: sealed)
            } else {
                curState.changedByUs(before: cur, after: after)
            }
        }
        let newAfter = try folder.new.status()
        guard newAfter.modified != new.modified || newAfter.changed != new.changed else { return }
        // Few files are there: counting them after the seal shows whether others brought some meanwhile.
        if index.index.isShared, table.newCount < 1_000, let sealed = folder.new.seal(after: new.modified),
            folder.new.countFiles() == table.newCount
        {
            newState.changedByUs(before: new, sealed: sealed)
        } else {
            newState.changedByUs(before: new, after: newAfter)
        }
    }

    private func tell(_ slots: [Int], _ before: MailboxStamps) {
        let updates = slots.map { MessageUpdate(uid: table.entries[$0].uid, message: onDisk($0), size: knownSize($0)) }
        let after = currentStamps
        let written = index.index.write { (transaction) throws(IndexError) -> MailboxHeader? in
            guard let header = try index.header(transaction), header.stamps.isSameState(as: before), header.uidValidity == uidValidity
            else { return nil }
            var updated = try index.update(updates, header, transaction)
            updated.stamps = after
            try transaction.put(index.headerKey, updated.bytes)
            return updated
        }
        guard let written, let header = written else { return }
        recentBlock = nil
        (publishedStamps, highestModSeq) = (after, header.highestModSeq)
    }

    // MARK: modseqs

    func modSeq(at position: Int) -> UInt64 {
        guard messages.indices.contains(position) else { return highestModSeq }
        let uid = messages[position].uid
        let number = MessageBlock.number(of: uid)
        if recentBlock?.number != number {
            recentBlock = index.index.read { (transaction) throws(IndexError) in try index.block(number, transaction) } ?? nil
        }
        guard let message = recentBlock?[MessageBlock.slot(of: uid)], message.state != .absent else { return highestModSeq }
        // What others changed since we looked is newer than the flags that this session shows.
        return max(1, min(message.modSeq, highestModSeq))
    }

    func changed(since modSeq: UInt64) -> [Int] {
        guard modSeq < highestModSeq else { return [] }
        var positions: [Int] = []
        index.index.read { (transaction) throws(IndexError) in
            positions = []
            try index.forEachMessage(transaction) { uid, message in
                guard message.modSeq > modSeq else { return }
                let found = position(of: uid)
                if found.isExact { positions.append(found.index) }
            }
        }
        return positions
    }

    func vanished(since modSeq: UInt64) -> [ClosedRange<UInt32>] { index.vanished(since: modSeq) }
}
