internal import Index
internal import Platform

// Deliveries: new/ and the end of dovecot-uidlist differ, cur/ does not. The work is that of what is in new/, however large the mailbox is.
extension MaildirMailbox {
    /// Takes in what came to new/. nil: all files have to be looked at.
    func takeNewFiles() throws(StoreError) -> MailboxHeader? {
        // Held until this returns.
        var lock: DotLock?
        for _ in 0..<4 {
            guard var found = try NewFiles(self) else { return nil }
            if !found.unknown.isEmpty {
                guard lock != nil else {
                    do throws(StoreError) { lock = try store.lock(UIDListFile.name, in: folder.control) } catch {
                        guard case .permission = error else { throw error }
                        return nil
                    }
                    continue
                }
                guard try found.giveUIDs(self) else { return nil }
            }
            if let header = publish(found) { return header }
        }
        return nil
    }

    private func publish(_ found: NewFiles) -> MailboxHeader? {
        let written = index.index.write { (transaction) throws(IndexError) -> MailboxHeader? in
            guard try index.header(transaction) == found.before, isStill(found) else { return nil }
            var header = found.before
            header.uidNext = max(header.uidNext, found.uidNext)
            header.listRecords += found.records
            header = try index.edited(found.updates, header, transaction).header
            try NameFilter(pieces: header.filterPieces).insert(found.otherBases, index, transaction)
            header.stamps.new.scanned(found.new.status, isSealed: found.new.isSealed)
            header.stamps.list = found.list
            try transaction.put(index.headerKey, header.bytes)
            return header
        }
        forgetNames()
        return written ?? nil
    }

    private func isStill(_ found: NewFiles) -> Bool {
        guard let now = try? folder.diskState(), let list = now.list else { return false }
        return now.new.modified == found.new.status.modified && !found.before.stamps.cur.needsScan(now.cur) && FileStamp(list) == found.list
    }
}

/// One look at new/ and at what was appended to dovecot-uidlist.
struct NewFiles {
    /// The header that all this adds to.
    let before: MailboxHeader
    let new: (status: FileStatus, isSealed: Bool)
    private(set) var list: FileStamp
    private(set) var uidNext: UInt32
    /// Records that came.
    private(set) var records: UInt32 = 0
    private(set) var updates: [MessageUpdate] = []
    /// Files without a record.
    private(set) var unknown = UnknownFiles()
    /// Names in records without a file.
    private(set) var otherBases: [ArraySlice<UInt8>] = []

    /// nil: this is not enough.
    init?(_ mailbox: MaildirMailbox) throws(StoreError) {
        let folder = mailbox.folder
        let cur = try folder.cur.checkedStatus()
        guard let header = mailbox.index.header(), mailbox.uidValidity == 0 || header.uidValidity == mailbox.uidValidity,
            header.filterPieces > 0, !header.hasManyStaleRecords, header.stamps.curInode == cur.inode, !header.stamps.cur.needsScan(cur)
        else { return nil }
        guard let appended = try Self.appended(header, folder.control) else { return nil }
        before = header
        (list, records, uidNext) = (appended.stamp, UInt32(clamping: appended.records.count), max(header.uidNext, appended.uidNext))
        new = try folder.new.sealedForScan(header.stamps.new)
        guard new.status.inode == header.stamps.newInode else { return nil }
        guard try look(mailbox, appended) else { return nil }
    }

    private struct Appended {
        var stamp: FileStamp
        var text: [UInt8] = []
        var records: [UIDListRecord] = []
        var uidNext: UInt32 = 1
    }

    /// Records that came to dovecot-uidlist since the header was written; nil when it is not as it was, or damaged.
    private static func appended(_ header: MailboxHeader, _ control: Folder) throws(StoreError) -> Appended? {
        guard let status = try control.status(of: UIDListFile.name[...]) else { return nil }
        let known = header.stamps.list
        if FileStamp(status) == known { return Appended(stamp: known) }
        guard status.inode == known.inode, status.size > known.size, known.size > 0 else { return nil }
        do throws(SystemError) {
            let file = try control.directory.file(UIDListFile.name, .read)
            let status = try file.status()
            guard status.inode == known.inode else { return nil }
            // With the end of the line before.
            let text = try file.bytes(from: known.size - 1, limit: StoreLimits.controlFileSize)
            guard text.first == ASCII.lineFeed, text.last == ASCII.lineFeed, Int64(text.count) == status.size - known.size + 1 else {
                return nil
            }
            let list = UIDListHeader(uidValidity: header.uidValidity, nextUID: header.uidNext)
            var reader = UIDListReader(continuing: list, after: header.uidNext - 1)
            do throws(UIDListDamage) { try reader.read(text, from: 1) } catch { return nil }
            guard reader.damages.isEmpty, reader.consumed == text.count else { return nil }
            return Appended(stamp: FileStamp(status), text: text, records: reader.records, uidNext: reader.highestUID + 1)
        } catch {
            if error.isNotFound { return nil }
            throw control.failure(error, UIDListFile.name[...])
        }
    }

    private mutating func look(_ mailbox: MaildirMailbox, _ appended: Appended) throws(StoreError) -> Bool {
        var known: [ArraySlice<UInt8>: IndexedFile] = [:]
        for file in mailbox.files(mailbox.newUIDs()) { known[file.entry.base] = file }
        guard known.count == Int(before.recent) else { return false }
        var records: [ArraySlice<UInt8>: UIDListRecord] = [:]
        for record in appended.records { records[appended.text[record.base]] = record }
        guard records.count == appended.records.count else { return false }
        var bases = Set<ArraySlice<UInt8>>()
        var isOdd = false
        var strangers: [ArraySlice<UInt8>] = []
        let trusts = !mailbox.store.options.distrustsNameSizes
        var changes: [MessageUpdate] = []
        var others = UnknownFiles()
        do throws(SystemError) {
            try mailbox.folder.new.directory.forEachEntry { entry in
                let name = Array(entry.name)[...]
                guard name.first != ASCII.dot, !isOdd else { return }
                let base = name.prefix(MaildirFileName.baseLength(name))
                guard !base.isEmpty, !name.contains(where: { $0 == 0x0a || $0 == 0x0d }), bases.insert(base).inserted else {
                    isOdd = true
                    return
                }
                let info = MaildirFileName.info(name)
                if let file = known.removeValue(forKey: base) {
                    guard !file.name.elementsEqual(name) else { return }
                    changes.append(mailbox.update(file, info.flags, info.keywords, isNew: true, suffix: name[base.endIndex...]))
                } else if let record = records.removeValue(forKey: base) {
                    strangers.append(base)
                    changes.append(Self.update(record.uid, name, base, appended.text[record.extensions], trusts))
                } else {
                    strangers.append(base)
                    others.append(name, .new)
                }
            }
        } catch { throw mailbox.folder.new.failure(error) }
        if isOdd { return false }
        for file in known.values { changes.append(MessageUpdate(uid: file.uid, message: nil, size: file.entry.size(trustsName: trusts))) }
        otherBases = Array(records.keys)
        (updates, unknown) = (changes, others)
        return areFree(strangers + otherBases, mailbox.index)
    }

    /// Whether no older record has any of these names.
    private func areFree(_ bases: [ArraySlice<UInt8>], _ index: MailboxIndex) -> Bool {
        if bases.isEmpty { return true }
        let filter = NameFilter(pieces: before.filterPieces)
        return index.index.read { (transaction) throws(IndexError) in
            for base in bases { if try filter.mayContain(base, index, transaction) { return false } }
            return true
        } ?? false
    }

    private static func update(
        _ uid: UInt32, _ name: ArraySlice<UInt8>, _ base: ArraySlice<UInt8>, _ extensions: ArraySlice<UInt8>, _ trusts: Bool
    ) -> MessageUpdate {
        let info = MaildirFileName.info(name)
        var entry = NameEntry(base: base, extensions: extensions)
        let suffix = Array(name[base.endIndex...])
        if suffix != NameEntry.suffix(info.flags, info.keywords, isNew: true) { entry.suffix = suffix }
        let size = entry.size(trustsName: trusts)
        let message = MessageOnDisk(uid: uid, flags: info.flags, keywords: info.keywords, isNew: true, size: size)
        return MessageUpdate(uid: uid, message: message, size: size, name: entry)
    }

    /// Writes UIDs of the unknown files down, in the order in which they came; the lock must be held. False: this is not enough.
    mutating func giveUIDs(_ mailbox: MaildirMailbox) throws(StoreError) -> Bool {
        var file = UIDListFile(control: mailbox.folder.control, mode: mailbox.folder.root.fileMode, isDurable: mailbox.store.isDurable)
        if try !file.readTail() { _ = try file.read { mailbox.store.options.log(.error, $0) } }
        guard !file.needsRewrite, file.stamp == list, file.header?.uidValidity == before.uidValidity else { return false }
        var uid = max(file.nextUID, uidNext)
        guard UInt64(uid) + UInt64(unknown.entries.count) < UInt64(UInt32.max) else { throw .limit("Mailbox has no UIDs left") }
        var lines: [UInt8] = []
        unknown.sort()
        for stranger in unknown.entries {
            let name = unknown.name(of: stranger)
            let base = name.prefix(MaildirFileName.baseLength(name))
            UIDListWriter.append(uid: uid, extensions: [], base: base, to: &lines)
            updates.append(Self.update(uid, name, base, [], !mailbox.store.options.distrustsNameSizes))
            uid += 1
        }
        try file.append(lines, highestUID: uid - 1)
        records += UInt32(clamping: unknown.entries.count)
        (uidNext, list, unknown) = (uid, file.stamp ?? list, UnknownFiles())
        return true
    }
}
