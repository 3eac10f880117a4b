internal import Platform

extension MaildirSave {
    /// Moves every message into place under the lock of dovecot-uidlist, writes their UIDs down, and waits for the disk.
    func commit() throws(StoreError) -> SavedMessages {
        guard !items.isEmpty else { return SavedMessages(uidValidity: 0, uids: []) }
        if let allowance, allowance.isLimited { try allowance.checkAll(try store.quotaUsage()) }
        var lock = try store.lock(UIDListFile.name, in: folder.control)
        var list = UIDListFile(control: folder.control, mode: folder.root.fileMode, isDurable: store.isDurable)
        let isCopy = items.contains { $0.guid != nil }
        var records = MessageTable()
        // Only who brings names along must know all names that are there.
        var isTailEnough = false
        if !isCopy { isTailEnough = try list.readTail() }
        if !isTailEnough { records = try readAll(&list) }
        var header = list.header
        if list.needsRewrite { header = try completed(list) }
        guard let header else { throw .mailboxGone("dovecot-uidlist vanished") }
        let letters = try keywordLetters()
        lock.touch()
        let plan = try planned(header, nextUID: max(list.nextUID, header.nextUID), records)
        var moved: [Move] = []
        let index = MailboxIndex(folder.root.index, directory: try folder.mail.status())
        var told: Told?
        do throws(StoreError) {
            told = try telling(index) { () throws(StoreError) in
                for item in items.indices { moved.append(try move(item, to: plan.bases[item], letters)) }
                return moved
            }
            lock.touch()
            // First the files, then the list: a crash between the two leaves messages without UIDs, never UIDs without messages.
            if store.isDurable {
                if moved.contains(where: { $0.place == .new }) { try folder.new.synchronize() }
                if moved.contains(where: { $0.place == .cur }) { try folder.cur.synchronize() }
            }
            if list.needsRewrite {
                let kept = allRecords(records, records.entries.indices)
                try list.rewrite(
                    plan.header, records: kept + plan.lines, count: records.entries.count + items.count, highestUID: plan.lastUID)
            } else {
                try list.append(plan.lines, highestUID: plan.lastUID)
            }
        } catch {
            // What nobody was told of must not stay.
            for move in moved { try? folder.folder(move.place).remove(move.name[...]) }
            throw error
        }
        let first = plan.lastUID - UInt32(items.count - 1)
        if let told { tell(index, told, moved, first) }
        index.remember(items.map(\.summary), from: first, uidValidity: header.uidValidity)
        items = []
        _ = consume lock
        return SavedMessages(uidValidity: header.uidValidity, uids: Array(first...plan.lastUID))
    }

    struct Move {
        let place: MessagePlace
        let name: [UInt8]
        let info: MaildirFileName.Info
    }

    private struct Plan {
        var header: UIDListHeader
        var bases: [[UInt8]] = []
        var lines: [UInt8] = []
        var lastUID: UInt32
    }

    /// Names and records of the new messages.
    private func planned(_ header: UIDListHeader, nextUID: UInt32, _ records: MessageTable) throws(StoreError) -> Plan {
        guard UInt64(nextUID) + UInt64(items.count) < UInt64(UInt32.max) else { throw .limit("Mailbox has no UIDs left") }
        var plan = Plan(header: header, lastUID: nextUID - 1)
        var taken = Set<[UInt8]>()
        for item in items {
            var base = item.base
            var extensions: [UInt8] = []
            if let guid = item.guid {
                var isTaken = !taken.insert(base).inserted || records.find(base[...]) != nil
                if !isTaken { isTaken = try isInFolder(base) }
                if isTaken { base = renewed(base) }
                if guid != base { extensions = [0x47] + guid }
            }
            plan.lastUID += 1
            plan.bases.append(base)
            UIDListWriter.append(uid: plan.lastUID, extensions: extensions[...], base: base[...], to: &plan.lines)
        }
        plan.header.nextUID = plan.lastUID + 1
        return plan
    }

    /// A file of that name may be there without a record: delivered by another program, not seen by anybody yet.
    private func isInFolder(_ base: [UInt8]) throws(StoreError) -> Bool {
        if try folder.new.status(of: base[...]) != nil { return true }
        return try folder.cur.status(of: (base + MaildirFileName.flagsMark)[...]) != nil
    }

    /// A new unique name with the sizes of `base`.
    private func renewed(_ base: [UInt8]) -> [UInt8] {
        var name = store.uniqueName()
        for key: UInt8 in [0x53, 0x57] {
            guard let size = MaildirFileName.size(key, in: base[...]) else { continue }
            name.append(contentsOf: [ASCII.comma, key, 0x3d])
            Decimal.append(size, to: &name)
        }
        return name
    }

    /// To new/ when nothing distinguishes the message, so that the next session sees it as \Recent; else to cur/.
    private func move(_ index: Int, to base: [UInt8], _ letters: KeywordTable) throws(StoreError) -> Move {
        let item = items[index]
        var info = MaildirFileName.Info(flags: item.flags)
        for keyword in item.keywords { if let letter = letters.index(of: keyword) { info.keywords.insert(letter) } }
        let place: MessagePlace = info.flags.isEmpty && info.keywords.isEmpty ? .new : .cur
        let name = place == .new ? base : MaildirFileName.renamed(base[...], info)
        let tmp = try tmp()
        do throws(SystemError) {
            try tmp.directory.rename(item.temporary[...], to: folder.folder(place).directory, as: name[...], replacing: false)
        } catch { throw folder.folder(place).failure(error, name[...]) }
        return Move(place: place, name: name, info: info)
    }

    private func readAll(_ list: inout UIDListFile) throws(StoreError) -> MessageTable {
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

    private func allRecords(_ table: MessageTable, _ slots: Range<Int>) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(table.nameBytes + slots.count * 12)
        for slot in slots where !table.base(of: slot).isEmpty {
            UIDListWriter.append(
                uid: table.entries[slot].uid, extensions: (table.extensions[slot] ?? [])[...], base: table.base(of: slot), to: &lines)
        }
        return lines
    }

    private func completed(_ list: UIDListFile) throws(StoreError) -> UIDListHeader {
        var header = list.header ?? UIDListHeader(uidValidity: 0, nextUID: 1)
        if header.uidValidity == 0 {
            header.uidValidity = try UIDValidity.next(in: folder.root.controlRoot, fileMode: folder.root.fileMode)
        }
        if header.guid.isEmpty { header.guid = MaildirMailbox.randomGUID() }
        header.isVersion1 = false
        header.nextUID = list.nextUID
        return header
    }

    private func keywordLetters() throws(StoreError) -> KeywordTable {
        var wanted: [Keyword] = []
        for item in items { for keyword in item.keywords where !wanted.contains(keyword) { wanted.append(keyword) } }
        return wanted.isEmpty ? KeywordTable() : try Self.addKeywords(wanted, in: folder, store: store)
    }

    /// Gives keywords letters in dovecot-keywords; the lock of dovecot-uidlist must be held. Throws `.limit` when none is left.
    static func addKeywords(_ keywords: [Keyword], in folder: MaildirFolder, store: MaildirStore) throws(StoreError) -> KeywordTable {
        let text = try folder.control.content(of: keywordsName, limit: StoreLimits.smallFileSize)?.bytes ?? []
        let before = KeywordTable(text)
        var table = before
        for keyword in keywords {
            guard keyword.bytes.count <= store.options.maximumKeywordLength else { throw .limit(Keyword.Refusal.tooLong.rawValue) }
            guard table.add(keyword) != nil else { throw .limit("Too many keywords in mailbox") }
        }
        if table != before {
            _ = try folder.control.replace(
                keywordsName, with: table.text, temporary: keywordsName + Array(".tmp".utf8), mode: folder.root.fileMode,
                durable: store.isDurable)
        }
        return table
    }
}
