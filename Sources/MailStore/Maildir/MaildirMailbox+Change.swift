internal import Index
internal import Platform

/// A message with its file, as the index knows them.
struct IndexedFile {
    let uid: UInt32
    let message: IndexedMessage
    let entry: NameEntry

    var name: [UInt8] { entry.name(message) }
    var place: MessagePlace { message.state == .new ? .new : .cur }
}

// Changes of flags, and removal.
extension MaildirMailbox {
    /// Files of messages (UIDs ascending); those that are gone are left out.
    func files(_ uids: [UInt32]) -> [IndexedFile] {
        var letters = KeywordSet()
        defer { if !letters.isSubset(of: view.knownKeywords) { view.learnKeywords() } }
        return index.index.read { (transaction) throws(IndexError) in
            var files: [IndexedFile] = []
            files.reserveCapacity(uids.count)
            var block: MessageBlock?
            var group: NameGroup?
            for uid in uids {
                if block?.number != MessageBlock.number(of: uid) { block = try index.block(MessageBlock.number(of: uid), transaction) }
                guard let message = block?[MessageBlock.slot(of: uid)], message.isPresent else { continue }
                if group?.number != NameGroup.number(of: uid) { group = try index.names(NameGroup.number(of: uid), transaction) }
                guard let entry = group?.entries[NameGroup.slot(of: uid)] else { throw .damaged("a message has no name") }
                files.append(IndexedFile(uid: uid, message: message, entry: entry))
                letters = letters.union(message.keywords)
            }
            return files
        } ?? []
    }

    /// What a file's new flags, place or name mean for the index.
    func update(
        _ file: IndexedFile, _ flags: MessageFlags, _ keywords: KeywordSet, isNew: Bool, suffix: ArraySlice<UInt8>
    ) -> MessageUpdate {
        let size = file.entry.size(trustsName: !store.options.distrustsNameSizes)
        var update = MessageUpdate(
            uid: file.uid, message: MessageOnDisk(uid: file.uid, flags: flags, keywords: keywords, isNew: isNew, size: size), size: size)
        let isOdd = NameEntry.suffix(flags, keywords, isNew: isNew)[...] != suffix
        if isOdd || file.message.hasOddName {
            var entry = file.entry
            entry.suffix = isOdd ? Array(suffix) : nil
            update.name = entry
        }
        return update
    }

    /// Changes files with all other sessions kept from doing so, and tells the index which messages became different. `body` gets the header as
    /// it was. Answers the header as it is, when somebody changed anything.
    @discardableResult
    func changing(_ body: (MailboxHeader) throws(StoreError) -> [MessageUpdate]) throws(StoreError) -> MailboxHeader? {
        let result = index.index.alone { () -> Result<MailboxHeader?, StoreError> in
            do throws(StoreError) {
                let disk = try folder.diskState()
                // Lost a moment ago: whoever looks next makes it anew.
                let header = index.header().flatMap { $0.uidValidity == uidValidity ? $0 : nil }
                let isKnown = header?.stamps.fit(new: disk.new, cur: disk.cur, list: disk.list) ?? false
                let updates = try body(header ?? MailboxHeader())
                guard !updates.isEmpty, let header else { return .success(nil) }
                return .success(tell(updates, header, isKnown ? disk : nil))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func tell(_ updates: [MessageUpdate], _ before: MailboxHeader, _ disk: DiskState?) -> MailboxHeader? {
        let written = index.index.write { (transaction) throws(IndexError) -> (MailboxHeader, [(segment: UInt32, sum: UInt64)])? in
            guard let header = try index.header(transaction), header == before else { return nil }
            var (updated, sums) = try index.edited(updates, header, transaction)
            if let disk { folder.settle(&updated, disk, index.index.isShared) }
            try transaction.put(index.headerKey, updated.bytes)
            return (updated, sums)
        }
        forgetNames()
        guard let written, let (header, sums) = written else { return nil }
        note(before, header, sums)
        return header
    }

    /// This session made a change: it is not to be told of it.
    func note(_ before: MailboxHeader, _ after: MailboxHeader, _ sums: [(segment: UInt32, sum: UInt64)]) {
        // What others changed in between is still to be told.
        guard before.highestModSeq == view.told, before.origin == view.origin, before.uidNext == after.uidNext else {
            if after.highestModSeq != before.highestModSeq { view.own.append(after.highestModSeq) }
            return
        }
        view.told = after.highestModSeq
        for (segment, sum) in sums {
            let place = view.uids.find(segment)
            if place.isExact { view.uids.flagSums[place.index] = sum }
        }
    }

    // MARK: flags

    func change(_ positions: [Int], _ change: FlagChange, unchangedSince: UInt64?) throws(StoreError) -> FlagResult {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        let keywords = try keywordBits(change)
        var result = FlagResult()
        for start in stride(from: 0, to: positions.count, by: Self.batch) {
            var uids: [UInt32] = []
            for position in positions[start..<min(start + Self.batch, positions.count)] { uids.append(try uid(position)) }
            if !zip(uids, uids.dropFirst()).allSatisfy({ $0 < $1 }) { uids = Array(Set(uids)).sorted() }
            try inBatch(uids) { (file) throws(SystemError) in
                if let limit = unchangedSince, file.message.modSeq > limit {
                    result.modified.append(self.view.uids.position(of: file.uid).index)
                    return nil
                }
                let old = MaildirFileName.Info(flags: file.message.flags, keywords: file.message.keywords)
                let new = Self.changed(old, change, keywords)
                guard new != old else { return nil }
                let name = file.name
                let newName = file.entry.name(file.message, with: new)
                let place = self.folder.folder(file.place)
                try place.directory.rename(name[...], to: place.directory, as: newName[...], replacing: false)
                let position = self.view.uids.position(of: file.uid).index
                result.changed.append(position)
                if new.flags.contains(.deleted), !old.flags.contains(.deleted) { result.newlyDeleted += 1 }
                if file.message.modSeq > self.view.told, !self.view.own.contains(file.message.modSeq) {
                    result.alsoByOthers.append(position)
                }
                return self.update(
                    file, new.flags, new.keywords, isNew: file.place == .new, suffix: newName[file.entry.base.count...])
            }
        }
        if store.options.durability == .always { try folder.cur.synchronize() }
        return result
    }

    /// How many messages are changed while other sessions wait.
    static let batch = 1_024

    /// Does something with the files of messages (UIDs ascending) under their present names; those whose name changed meanwhile are tried again
    /// after a look. `body` answers what the index is to know, nil for nothing.
    private func inBatch(_ uids: [UInt32], _ body: (IndexedFile) throws(SystemError) -> MessageUpdate?) throws(StoreError) {
        var rest = uids
        for attempt in 0..<StoreLimits.renameRaces {
            var moved: [UInt32] = []
            var isLost = false
            var failure: StoreError?
            try changing { (header) throws(StoreError) in
                let files = header.origin == 0 ? [] : self.files(rest)
                // Nothing is known of the messages: that is not the same as their being gone.
                isLost = header.origin == 0 || (files.count < rest.count && index.header()?.origin != header.origin)
                var updates: [MessageUpdate] = []
                for file in isLost ? [] : files {
                    do throws(SystemError) { if let update = try body(file) { updates.append(update) } } catch {
                        if error.isNotFound {
                            moved.append(file.uid)
                        } else {
                            // What was done before is told all the same.
                            failure = folder.folder(file.place).failure(error, file.name[...])
                            break
                        }
                    }
                }
                return updates
            }
            if let failure { throw failure }
            if isLost { moved = rest }
            if moved.isEmpty { return }
            rest = moved
            if attempt + 1 < StoreLimits.renameRaces { try look(force: !isLost) }
        }
    }

    private static func changed(_ old: MaildirFileName.Info, _ change: FlagChange, _ keywords: KeywordSet) -> MaildirFileName.Info {
        let flags = change.flags.intersection(.permanent)
        return switch change.operation {
        case .add: MaildirFileName.Info(flags: old.flags.union(flags), keywords: old.keywords.union(keywords))
        case .remove: MaildirFileName.Info(flags: old.flags.subtracting(flags), keywords: old.keywords.subtracting(keywords))
        case .replace: MaildirFileName.Info(flags: flags, keywords: keywords)
        }
    }

    /// Letters of the keywords; new ones get a letter, unless they are only to be removed.
    private func keywordBits(_ change: FlagChange) throws(StoreError) -> KeywordSet {
        guard !change.keywords.isEmpty else { return KeywordSet() }
        if change.operation != .remove, change.keywords.contains(where: { keywordTable.index(of: $0) == nil }) {
            let lock = try store.lock(UIDListFile.name, in: folder.control)
            keywordTable = try MaildirSave.addKeywords(change.keywords, in: folder, store: store)
            keywordStatus = try folder.control.status(of: MaildirSave.keywordsName[...])
            keywordsChanged = true
            _ = consume lock
        }
        var bits = KeywordSet()
        for keyword in change.keywords { if let index = keywordTable.index(of: keyword) { bits.insert(index) } }
        return bits
    }

    // MARK: removal

    func expunge(_ positions: [Int]) throws(StoreError) {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        var all: [UInt32] = []
        for position in positions { all.append(try uid(position)) }
        try expunge(uids: all.sorted())
    }

    func expunge(uids all: [UInt32]) throws(StoreError) {
        for start in stride(from: 0, to: all.count, by: Self.batch) {
            var removed: [UInt32] = []
            try inBatch(Array(all[start..<min(start + Self.batch, all.count)])) { (file) throws(SystemError) in
                let name = file.name
                try self.folder.folder(file.place).directory.removeFile(name[...])
                removed.append(file.uid)
                return MessageUpdate(uid: file.uid, message: nil, size: file.entry.size(trustsName: !self.store.options.distrustsNameSizes))
            }
            lose(removed)
        }
        if store.options.durability == .always { try folder.cur.synchronize() }
    }

    /// Messages that this session removed itself: the next `synchronize` reports them.
    func lose(_ uids: [UInt32]) {
        let shown = uids.filter { view.uids.contains($0) }
        guard let first = shown.first else { return }
        let isSorted = view.lost.last.map { $0 < first } ?? true
        view.lost += shown
        if !isSorted { view.lost = Array(Set(view.lost)).sorted() }
    }
}

extension MaildirFolder {
    /// Notes in `header` how the directories are after a change of ours; `before` fitted its stamps.
    func settle(_ header: inout MailboxHeader, _ before: MaildirMailbox.DiskState, _ isShared: Bool) {
        if let after = try? cur.directory.status(), after.modified != before.cur.modified || after.changed != before.cur.changed {
            if isShared, let sealed = cur.seal(after: before.cur.modified) {
                header.stamps.cur.changedByUs(before: before.cur, sealed: sealed)
            } else {
                header.stamps.cur.changedByUs(before: before.cur, after: after)
            }
        }
        guard let after = try? new.directory.status(), after.modified != before.new.modified || after.changed != before.new.changed else {
            return
        }
        // Few files are there: counting them after the seal shows whether others brought some meanwhile.
        if isShared, header.recent < 1_000, let sealed = new.seal(after: before.new.modified), new.countFiles() == Int(header.recent) {
            header.stamps.new.changedByUs(before: before.new, sealed: sealed)
        } else {
            header.stamps.new.changedByUs(before: before.new, after: after)
        }
    }
}
