internal import Index
internal import Platform

/// The end of a save, with dovecot-uidlist locked: files go to their places, then their UIDs are written down. A crash between the two leaves
/// messages without UIDs, which get some from who looks next; never UIDs without messages. A file that is moved from another mailbox is in
/// one of both at any moment.
final class SaveCommit {
    private let save: MaildirSave
    private let folder: MaildirFolder
    private let store: MaildirStore
    private let index: MailboxIndex
    private var list: UIDListFile
    private var header: UIDListHeader
    private let letters: KeywordTable
    /// All records, once they were needed.
    private var records: MessageTable?
    private var placed: [Placed] = []
    private var lines: [UInt8] = []
    private var lastUID: UInt32
    private var names = Set<[UInt8]>()
    /// What the index said of the mailbox before, where that is true.
    private var before: MailboxHeader?

    /// A message in its new place.
    private struct Placed {
        let item: Int
        let place: MessagePlace
        let name: [UInt8]
        var update: MessageUpdate
    }

    init(_ save: MaildirSave) throws(StoreError) {
        self.save = save
        (folder, store) = (save.folder, save.store)
        index = MailboxIndex(folder.root.index, directory: try folder.mail.status())
        list = UIDListFile(control: folder.control, mode: folder.root.fileMode, isDurable: store.isDurable)
        var records: MessageTable?
        if try !list.readTail() { records = try Self.readAll(&list, store) }
        self.records = records
        guard
            let header = list.needsRewrite ? try folder.completedHeader(list, uidValidity: 0, guid: [], nextUID: list.nextUID) : list.header
        else {
            throw .mailboxGone("dovecot-uidlist vanished")
        }
        self.header = header
        letters = try save.keywordLetters()
        lastUID = max(list.nextUID, header.nextUID) - 1
        guard UInt64(lastUID) + UInt64(save.items.count) < UInt64(UInt32.max) - 1 else { throw .limit("Mailbox has no UIDs left") }
    }

    private var isMove: Bool {
        if case .moved = save.items.first?.source { return true }
        return false
    }

    func run() throws(StoreError) -> MaildirSave.Outcome {
        var after: MailboxHeader?
        let result = index.index.alone { () -> Result<MaildirSave.Outcome?, StoreError> in
            do throws(StoreError) {
                let disk = try folder.diskState()
                before = index.header().flatMap {
                    $0.uidValidity == header.uidValidity && $0.stamps.fit(new: disk.new, cur: disk.cur, list: disk.list) ? $0 : nil
                }
                let sources = try isMove ? MovedFrom(save.items, index) : nil
                do throws(StoreError) {
                    if let setback = try placeAll() {
                        undo()
                        return .success(setback)
                    }
                    after = settled(disk)
                    guard let sources else { return .success(nil) }
                    try writeList()
                    tell(after, sources)
                } catch {
                    undo()
                    throw error
                }
                sources?.synchronize(isDurable: store.isDurable)
                return .success(nil)
            } catch { return .failure(error) }
        }
        if let setback = try result.get() { return setback }
        if !isMove {
            do throws(StoreError) { try writeList() } catch {
                // What nobody was told of must not stay.
                undo()
                throw error
            }
            tell(after, nil)
        }
        let first = lastUID - UInt32(save.items.count - 1)
        return .saved(SavedMessages(uidValidity: header.uidValidity, uids: Array(first...lastUID)))
    }

    /// Messages of a mailbox that the index does not know up to which it is looked at, so that what was found out of a new one is kept.
    private static let fewMessages = 1_000

    /// What was found while the messages were saved goes to the index. The lock must be free again: a mailbox that the index does not know
    /// is looked at first, if that is little work.
    func rememberSummaries(of saved: SavedMessages) {
        guard let first = saved.uids.first, save.items.contains(where: { $0.summary != nil }) else { return }
        if records != nil, list.recordCount <= Self.fewMessages, index.header() == nil {
            let context = FolderScan.Context(
                index: index, uidValidity: header.uidValidity, guid: header.guid, isReadOnlyStorage: false, shown: UIDMap(), highestShown: 0
            )
            // Where that cannot be, the summaries are made again when they are wanted.
            _ = try? FolderScan.run(folder, store, context)
        }
        index.remember(save.items.map(\.summary), from: first, uidValidity: header.uidValidity)
    }

    // MARK: files

    /// Puts the files where they belong; answers why that could not be.
    private func placeAll() throws(StoreError) -> MaildirSave.Outcome? {
        for number in save.items.indices {
            let item = save.items[number]
            var base = item.base
            if item.guid != nil, try isTaken(base) { base = store.uniqueName(sizesOf: base) }
            var info = MaildirFileName.Info(flags: item.flags)
            for keyword in item.keywords { if let letter = letters.index(of: keyword) { info.keywords.insert(letter) } }
            // To new/ when nothing distinguishes the message, so that the next session sees it as \Recent.
            let isNew = info.flags.isEmpty && info.keywords.isEmpty
            for attempt in 0..<StoreLimits.renameRaces {
                let name = base + NameEntry.suffix(info.flags, info.keywords, isNew: isNew)
                do throws(SystemError) {
                    try place(item, folder.folder(isNew ? .new : .cur), name)
                } catch {
                    switch item.source {
                    case .temporary: throw folder.folder(isNew ? .new : .cur).failure(error, name[...])
                    case .linked, .moved:
                        if error.isNotFound { return .sourceMoved }
                        if error.isExists, attempt + 1 < StoreLimits.renameRaces {
                            base = store.uniqueName(sizesOf: base)
                            continue
                        }
                        if error.isLinkRefused { return .linkRefused }
                        throw folder.folder(isNew ? .new : .cur).failure(error, name[...])
                    }
                }
                note(number, item, base, info, isNew, name)
                break
            }
        }
        return nil
    }

    private func place(_ item: MaildirSave.Item, _ target: Folder, _ name: [UInt8]) throws(SystemError) {
        switch item.source {
        case .temporary(let temporary):
            guard let tmp = try? save.tmp() else { throw SystemError(call: "open", code: SystemError.invalid) }
            try tmp.directory.rename(temporary[...], to: target.directory, as: name[...], replacing: false)
        case .linked(let file, let mailbox):
            try mailbox.folder.folder(file.place).directory.link(file.name[...], into: target.directory, as: name[...])
        case .moved(let file, let mailbox):
            try mailbox.folder.folder(file.place).directory.rename(file.name[...], to: target.directory, as: name[...], replacing: false)
        }
    }

    /// A message has its place: what is to be written of it.
    private func note(
        _ number: Int, _ item: MaildirSave.Item, _ base: [UInt8], _ info: MaildirFileName.Info, _ isNew: Bool, _ name: [UInt8]
    ) {
        lastUID += 1
        if item.guid != nil { names.insert(base) }
        var entry = NameEntry(base: base[...], extensions: item.extensions, countedSize: item.countedSize, date: item.date)
        if let guid = item.guid, guid != base { entry.extensions = [0x47] + guid }
        let size = entry.size(trustsName: !store.options.distrustsNameSizes)
        let message = MessageOnDisk(uid: lastUID, flags: info.flags, keywords: info.keywords, isNew: isNew, size: size)
        UIDListWriter.append(uid: lastUID, extensions: entry.extensions, base: base[...], to: &lines)
        placed.append(
            Placed(
                item: number, place: isNew ? .new : .cur, name: name,
                update: MessageUpdate(uid: lastUID, message: message, size: size, name: entry)))
    }

    /// Takes everything back.
    private func undo() {
        for file in placed.reversed() {
            let place = folder.folder(file.place)
            if case .moved(let old, let mailbox) = save.items[file.item].source {
                try? place.directory.rename(
                    file.name[...], to: mailbox.folder.folder(old.place).directory, as: old.name[...], replacing: false)
            } else {
                try? place.remove(file.name[...])
            }
        }
        placed = []
    }

    /// Whether a message of the mailbox, or one that was here, has this name.
    private func isTaken(_ base: [UInt8]) throws(StoreError) -> Bool {
        if names.contains(base) { return true }
        if let before {
            let filter = NameFilter(pieces: before.filterPieces)
            let mayBe = index.index.read { (transaction) throws(IndexError) in try filter.mayContain(base[...], index, transaction) }
            if mayBe == false { return false }
        }
        if records == nil { records = try Self.readAll(&list, store) }
        if records?.find(base[...]) != nil { return true }
        // A file may be there without a record: delivered by another program, not seen by anybody yet.
        if try folder.new.status(of: base[...]) != nil { return true }
        return try folder.cur.status(of: (base + MaildirFileName.flagsMark)[...]) != nil
    }

    // MARK: the list

    private func writeList() throws(StoreError) {
        if store.isDurable {
            if placed.contains(where: { $0.place == .new }) { try folder.new.synchronize() }
            if placed.contains(where: { $0.place == .cur }) { try folder.cur.synchronize() }
        }
        guard list.needsRewrite || before?.hasManyStaleRecords == true else { return try list.append(lines, highestUID: lastUID) }
        if records == nil { records = try Self.readAll(&list, store) }
        header.nextUID = lastUID + 1
        let bytes = (records.map { $0.nameBytes + $0.entries.count * 12 } ?? 0) + lines.count
        try list.rewrite(header, highestUID: lastUID, bytes: bytes) { content in
            let kept = addKeptRecords(to: &content)
            content += lines
            return kept + save.items.count
        }
    }

    /// Records that stay: where the index knows which messages are there, only theirs. Answers their number.
    private func addKeptRecords(to kept: inout [UInt8]) -> Int {
        guard let records else { return 0 }
        var present: UIDMap?
        if before != nil { present = index.index.read { (transaction) throws(IndexError) in try index.uids(transaction) } }
        var count = 0
        for slot in records.entries.indices where !records.base(of: slot).isEmpty {
            let uid = records.entries[slot].uid
            if let present, !present.contains(uid) { continue }
            count += 1
            UIDListWriter.append(uid: uid, extensions: records.fields(of: slot), base: records.base(of: slot), to: &kept)
        }
        return count
    }

    private static func readAll(_ list: inout UIDListFile, _ store: MaildirStore) throws(StoreError) -> MessageTable {
        list = UIDListFile(control: list.control, mode: list.mode, isDurable: list.isDurable)
        var table = MessageTable()
        if case .replaced(let text, let records) = try list.read(report: { store.options.log(.error, $0) }) {
            table.reserve(records.count, text: text.count)
            for record in records {
                if let old = table.find(text[record.base]) { table.forgetName(of: old) }
                table.add(uid: record.uid, base: text[record.base], extensions: text[record.extensions])
            }
        }
        return table
    }

    // MARK: the index

    /// The header with the stamps that the directories have after our change, so that nobody has to look through them for what we brought there
    /// ourselves. nil: what the index said was not true before, so that the next session has to look anyway.
    private func settled(_ disk: MaildirMailbox.DiskState) -> MailboxHeader? {
        guard var after = before else { return nil }
        let brought = placed.count { $0.place == .new }
        if brought < placed.count {
            guard let sealed = folder.cur.seal(after: disk.cur.modified) else { return nil }
            after.stamps.cur.changedByUs(before: disk.cur, sealed: sealed)
        }
        if brought > 0 {
            // Counting after the seal shows whether others brought something meanwhile.
            guard after.recent < 1_000, let sealed = folder.new.seal(after: disk.new.modified),
                folder.new.countFiles() == Int(after.recent) + brought
            else { return nil }
            after.stamps.new.changedByUs(before: disk.new, sealed: sealed)
        }
        return after
    }

    /// What the index keeps of messages that come from another mailbox in it.
    private var carried: CarriedItems? {
        var source: MaildirMailbox?
        var uids: [(from: UInt32, to: UInt32)] = []
        for file in placed {
            switch save.items[file.item].source {
            case .linked(let old, let mailbox), .moved(let old, let mailbox):
                guard mailbox.index.index === index.index, source == nil || source === mailbox else { return nil }
                source = mailbox
                uids.append((old.uid, file.update.uid))
            case .temporary: continue
            }
        }
        guard let source else { return nil }
        return CarriedItems(source: source.index, uidValidity: source.uidValidity, uids: uids)
    }

    /// Tells the index of the new messages, unless somebody else looked meanwhile, and of those that left another mailbox.
    private func tell(_ after: MailboxHeader?, _ sources: MovedFrom?) {
        let stamp = ((try? folder.control.status(of: UIDListFile.name[...])) ?? nil).map { FileStamp($0) }
        let records = UInt32(clamping: list.recordCount)
        let hasCounted = self.records != nil
        let updates = placed.map(\.update)
        let carried = carried
        let told = index.index.write { (transaction) throws(IndexError) -> MovedFrom.Told? in
            try carried?.write(to: index, transaction)
            let told = try sources?.tell(transaction, target: index, updates, after, stamp)
            if told?.isTarget == true { return told }
            if let after, let before, let stamp, try index.header(transaction) == before {
                var updated = try index.edited(updates, after, transaction).header
                updated.stamps.list = stamp
                updated.listRecords = hasCounted ? records : updated.listRecords + UInt32(clamping: updates.count)
                try transaction.put(index.headerKey, updated.bytes)
            }
            return told
        }
        sources?.note(told ?? nil)
    }
}

extension MaildirFolder {
    /// new/, cur/ and dovecot-uidlist as they are.
    func diskState() throws(StoreError) -> MaildirMailbox.DiskState {
        MaildirMailbox.DiskState(
            new: try new.checkedStatus(), cur: try cur.checkedStatus(), list: try control.status(of: UIDListFile.name[...]))
    }
}
