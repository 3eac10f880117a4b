internal import Index
internal import Platform

// What a commit tells the index, so that nobody has to look through the directories for what we brought there ourselves.
extension MaildirSave {
    /// What the index said of the mailbox, and the same with the stamps that the directories have after our change.
    struct Told {
        let before: MailboxHeader
        var after: MailboxHeader
    }

    /// Moves files with all other sessions kept from changing any. nil: what the index says was not true before, so that the next session has
    /// to look anyway.
    func telling(_ index: MailboxIndex, _ body: () throws(StoreError) -> [Move]) throws(StoreError) -> Told? {
        let result = index.index.alone { () -> Result<Told?, StoreError> in
            do throws(StoreError) {
                let before = (new: try folder.new.status(), cur: try folder.cur.status())
                let list = try folder.control.status(of: UIDListFile.name[...])
                let header = index.header()
                let moved = try body()
                guard let header, header.stamps.fit(new: before.new, cur: before.cur, list: list) else { return .success(nil) }
                var told = Told(before: header, after: header)
                let brought = moved.count { $0.place == .new }
                if brought < moved.count {
                    guard let sealed = folder.cur.seal(after: before.cur.modified) else { return .success(nil) }
                    told.after.stamps.cur.changedByUs(before: before.cur, sealed: sealed)
                }
                if brought > 0 {
                    // Counting after the seal shows whether others brought something meanwhile.
                    guard header.recent < 1_000, let sealed = folder.new.seal(after: before.new.modified),
                        folder.new.countFiles() == Int(header.recent) + brought
                    else { return .success(nil) }
                    told.after.stamps.new.changedByUs(before: before.new, sealed: sealed)
                }
                return .success(told)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Adds the new messages to the index, unless somebody else looked meanwhile. dovecot-uidlist has them already.
    func tell(_ index: MailboxIndex, _ told: Told, _ moved: [Move], _ firstUID: UInt32) {
        guard let list = try? folder.control.status(of: UIDListFile.name[...]) else { return }
        var updates: [MessageUpdate] = []
        for (number, move) in moved.enumerated() {
            let name = move.name[...]
            let size = store.options.distrustsNameSizes ? nil : MaildirFileName.size(0x57, in: name)
            let message = MessageOnDisk(
                uid: firstUID + UInt32(number), flags: move.info.flags, keywords: move.info.keywords, isNew: move.place == .new, size: size)
            updates.append(MessageUpdate(uid: message.uid, message: message, size: size))
        }
        index.index.write { (transaction) throws(IndexError) in
            guard try index.header(transaction) == told.before else { return }
            var updated = try index.update(updates, told.after, transaction)
            updated.stamps.list = FileStamp(list)
            try transaction.put(index.headerKey, updated.bytes)
        }
    }
}
