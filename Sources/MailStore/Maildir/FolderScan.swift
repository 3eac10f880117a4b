internal import Index
internal import Platform

/// One look at all files and all records of a folder: it gives UIDs to unknown files, notes missing ones, repairs, and brings the result into
/// the index. It knows all names, and is let go of when it is done.
final class FolderScan {
    let folder: MaildirFolder
    let store: MaildirStore
    /// What the session knows of the mailbox.
    let context: Context
    var uidValidity: UInt32
    var guid: [UInt8]
    var table = MessageTable()
    var list: UIDListFile
    var newState = ScannedDirectory()
    var curState = ScannedDirectory()
    var newInode: UInt64 = 0
    var curInode: UInt64 = 0
    var generation: UInt32 = 0
    /// UIDs that the index had before, where it is this mailbox's.
    private var indexed: (header: MailboxHeader, uids: UIDMap)?

    struct Context {
        let index: MailboxIndex
        /// 0 and empty: any.
        var uidValidity: UInt32
        var guid: [UInt8]
        /// Nothing can be written here; UIDs of new messages are only in memory, and so is `index`.
        var isReadOnlyStorage: Bool
        /// UIDs that the session shows, and the highest one it ever did.
        var shown: UIDMap
        var highestShown: UInt32
    }

    enum Outcome {
        case done(MailboxHeader)
        /// Something changed meanwhile.
        case overtaken
        /// What has to be written cannot be: UIDs must be kept in memory.
        case readOnlyStorage
    }

    private init(_ folder: MaildirFolder, _ store: MaildirStore, _ context: Context) {
        self.folder = folder
        self.store = store
        self.context = context
        (uidValidity, guid) = (context.uidValidity, context.guid)
        list = UIDListFile(control: folder.control, mode: folder.root.fileMode, isDurable: store.isDurable)
    }

    var index: MailboxIndex { context.index }

    /// Looks until nothing changes while it does; in the end with all other sessions kept out.
    static func run(_ folder: MaildirFolder, _ store: MaildirStore, _ context: Context) throws(StoreError) -> Outcome {
        for _ in 0..<3 {
            let outcome = try FolderScan(folder, store, context).look(lock: nil)
            if case .overtaken = outcome { continue }
            return outcome
        }
        if context.isReadOnlyStorage { return try FolderScan(folder, store, context).look(lock: nil, isAlone: true) }
        let scan = FolderScan(folder, store, context)
        guard let lock = try scan.lockUnlessReadOnly() else { return .readOnlyStorage }
        var held: DotLock? = consume lock
        var result: Result<Outcome, StoreError>?
        context.index.index.alone {
            result = Result { () throws(StoreError) in try scan.look(lock: held.take(), isAlone: true) }
        }
        return try result?.get() ?? .overtaken
    }

    private func look(lock held: consuming DotLock?, isAlone: Bool = false) throws(StoreError) -> Outcome {
        indexed =
            index.index.read { (transaction) throws(IndexError) -> (MailboxHeader, UIDMap)? in
                guard let header = try index.header(transaction), context.uidValidity == 0 || header.uidValidity == context.uidValidity
                else {
                    return nil
                }
                return (header, try index.uids(transaction))
            } ?? nil
        _ = try readList()
        var lock = held.take()
        if list.mustBeRewritten, !context.isReadOnlyStorage, lock == nil {
            // The lock is needed anyway: a look without it would only be one more.
            lock = try lockUnlessReadOnly()
            if lock == nil { return .readOnlyStorage }
            _ = try readList()
        }
        try restoreRecords()
        let mustRewrite = list.mustBeRewritten && !context.isReadOnlyStorage
        var result = try scan()
        // Whoever moved a file in may have written its record since: a look at the list is cheaper than the lock.
        if !result.unknown.isEmpty, try readList() { result = try scan() }
        if !result.isSettled || mustRewrite {
            guard try settle(&result, lock.take()) else { return .readOnlyStorage }
        }
        return publish(isAlone: isAlone)
    }

    /// UIDs that only the index knows: the list was lost while the mailbox is in use, or nothing can be written.
    private func restoreRecords() throws(StoreError) {
        guard context.uidValidity != 0, let indexed, list.header == nil || context.isReadOnlyStorage else { return }
        index.index.read { (transaction) throws(IndexError) in
            var position = 0
            while position < indexed.uids.count {
                let number = NameGroup.number(of: indexed.uids.uid(at: position))
                let group = try index.names(number, transaction)
                while position < indexed.uids.count, NameGroup.number(of: indexed.uids.uid(at: position)) == number {
                    let uid = indexed.uids.uid(at: position)
                    position += 1
                    guard let entry = group?.entries[NameGroup.slot(of: uid)], table.find(entry.base) == nil else { continue }
                    table.add(uid: uid, base: entry.base, extensions: entry.extensions)
                }
            }
        }
        restoredUIDNext = indexed.header.uidNext
    }

    /// UIDs below this one were given before.
    private(set) var restoredUIDNext: UInt32 = 1

    /// Whether a record's message was expunged: its file, when there is one again, is a new message.
    func isExpunged(_ uid: UInt32) -> Bool {
        if let indexed, indexed.header.uidValidity == uidValidity, uid < indexed.header.uidNext { return !indexed.uids.contains(uid) }
        return uid <= context.highestShown && !context.shown.contains(uid)
    }

    /// Whether somebody knows of a message with this UID.
    func isExpected(_ uid: UInt32) -> Bool {
        if let indexed, indexed.header.uidValidity == uidValidity { return indexed.uids.contains(uid) }
        return context.shown.contains(uid)
    }

    /// The header of dovecot-uidlist was read or made: its UIDVALIDITY must stay the same while the mailbox is open.
    func adopt(_ header: UIDListHeader) throws(StoreError) {
        if context.uidValidity != 0, context.uidValidity != header.uidValidity { throw .mailboxGone("UIDVALIDITY changed under us") }
        uidValidity = header.uidValidity
        if !header.guid.isEmpty { guid = header.guid }
    }

    func completedHeader() throws(StoreError) -> UIDListHeader {
        try folder.completedHeader(list, uidValidity: restoredUIDNext > 1 ? uidValidity : 0, guid: guid, nextUID: nextUID)
    }

    var nextUID: UInt32 { max(list.nextUID, restoredUIDNext) }

    func lockUnlessReadOnly() throws(StoreError) -> DotLock? {
        do throws(StoreError) { return try store.lock(UIDListFile.name, in: folder.control) } catch {
            guard case .permission = error else { throw error }
            store.options.log(.warning, "\(error.logText): mailbox is served without writing")
            return nil
        }
    }

    func report(_ text: String) { store.options.log(.error, text) }

    // MARK: the result

    private var currentStamps: MailboxStamps {
        var stamps = MailboxStamps()
        (stamps.new, stamps.cur, stamps.newInode, stamps.curInode) = (newState, curState, newInode, curInode)
        stamps.list = list.stamp ?? FileStamp()
        return stamps
    }

    /// Brings `table` into the index, unless it is out of date: who saw less than somebody else since must not undo what that one wrote.
    private func publish(isAlone: Bool) -> Outcome {
        var slots: [UInt32] = []
        slots.reserveCapacity(table.entries.count)
        for slot in table.entries.indices {
            if isHere(table.entries[slot]) { slots.append(UInt32(slot)) }
        }
        if !zip(slots, slots.dropFirst()).allSatisfy({ table.entries[Int($0)].uid < table.entries[Int($1)].uid }) {
            slots.sort { table.entries[Int($0)].uid < table.entries[Int($1)].uid }
        }
        var template = MailboxHeader()
        (template.uidValidity, template.uidNext, template.guid, template.stamps) = (uidValidity, nextUID, knownGUID, currentStamps)
        template.listRecords = UInt32(clamping: list.recordCount)
        let isSameList =
            indexed.map { $0.header.uidValidity == uidValidity && $0.header.stamps.list.inode == template.stamps.list.inode } ?? false
        let written = index.index.write { (transaction) throws(IndexError) -> MailboxHeader? in
            guard isAlone || isStill(template.stamps) else { return nil }
            var header = try index.publish(
                slots.count, uid: { self.table.entries[Int(slots[$0])].uid }, message: { self.onDisk(Int(slots[$0])) }, template,
                comparesNames: !isSameList, isOdd: { self.table.isOdd(Int(slots[$0])) }, name: { self.name(of: Int(slots[$0])) },
                transaction)
            let bases = table.entries.indices.lazy.filter { self.table.entries[$0].baseLength > 0 }.map { self.table.base(of: $0) }
            header.filterPieces = try NameFilter.rebuild(bases, known: header.filterPieces, index, transaction).pieces
            try transaction.put(index.headerKey, header.bytes)
            return header
        }
        guard let written, let header = written else { return .overtaken }
        return .done(header)
    }

    /// Only where nothing can be written there may be none.
    private var knownGUID: [UInt8] { guid.count == 32 ? guid : [UInt8](repeating: 0x30, count: 32) }

    private func isStill(_ stamps: MailboxStamps) -> Bool {
        guard let new = try? folder.new.directory.status(), let cur = try? folder.cur.directory.status() else { return false }
        guard new.modified == stamps.new.modified, cur.modified == stamps.cur.modified else { return false }
        let list = (try? folder.control.directory.statusIfPresent(of: UIDListFile.name[...])) ?? nil
        return stamps.list == (list.map { FileStamp($0) } ?? FileStamp())
    }

    private func onDisk(_ slot: Int) -> MessageOnDisk {
        let entry = table.entries[slot]
        let info = table.info(of: slot)
        return MessageOnDisk(uid: entry.uid, flags: info.flags, keywords: info.keywords, isNew: entry.place == .new, size: size(slot))
    }

    /// Size with CR LF line ends, where names or records tell it.
    private func size(_ slot: Int) -> Int64? {
        if !store.options.distrustsNameSizes, let size = MaildirFileName.size(0x57, in: table.base(of: slot)) { return size }
        let fields = table.fields(of: slot)
        return fields.isEmpty ? nil : NameEntry.field(0x57, of: fields).flatMap { Decimal.int64($0) }
    }

    private func name(of slot: Int) -> NameEntry {
        var name = NameEntry(base: table.base(of: slot), extensions: table.fields(of: slot))
        if table.isOdd(slot) { name.suffix = table.suffix(of: slot) }
        return name
    }
}
