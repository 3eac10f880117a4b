internal import Index
internal import Platform

// COPY and MOVE.
extension MaildirMailbox {
    func copy(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages {
        try transfer(try uids(positions), to: target, moves: false, isMoved: false)
            ?? CopiedMessages(uidValidity: 0, sources: [], targets: [])
    }

    func move(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        let uids = try Set(uids(positions)).sorted()
        if let moved = try transfer(uids, to: target, moves: true, isMoved: true) { return moved }
        // Another file system, or an index of its own: copied, then removed from here.
        guard let copied = try transfer(uids, to: target, moves: false, isMoved: true) else { throw .expunged }
        try expunge(uids: uids)
        return copied
    }

    private func uids(_ positions: [Int]) throws(StoreError) -> [UInt32] {
        var uids: [UInt32] = []
        uids.reserveCapacity(positions.count)
        for position in positions { uids.append(try uid(position)) }
        return uids
    }

    /// nil: it cannot be moved, only copied.
    private func transfer(_ uids: [UInt32], to target: MailboxName, moves: Bool, isMoved: Bool) throws(StoreError) -> CopiedMessages? {
        // What was learnt of the messages goes with them.
        flushCache()
        let folder = try store.folder(target)
        let isSamePlace = try folder.mail.status().device == self.folder.mail.status().device
        if moves, folder.root.index !== index.index || !isSamePlace { return nil }
        var copiesData = !moves && (!store.options.copiesWithHardLinks || !isSamePlace)
        // The index of the target then says which names are taken there.
        _ = try? MaildirMailbox(target, access: .readOnly, folder: folder, store: store).look()
        for attempt in 0..<StoreLimits.renameRaces {
            let files = files(uids)
            if files.count < uids.count {
                // The index may be lost, or say what this session was not told yet.
                guard attempt == 0 else { throw .expunged }
                try look()
                continue
            }
            let save = try store.save(to: target)
            for (number, file) in files.enumerated() {
                try save.add(file, of: self, moves: moves, copiesData: copiesData, isMoved: isMoved)
                // What comes after this is done with the index locked: no time for clients.
                store.progress?(number + 1)
            }
            switch try save.finish() {
            case .saved(let saved): return CopiedMessages(uidValidity: saved.uidValidity, sources: uids, targets: saved.uids)
            case .sourceMoved: try look(force: true)
            case .linkRefused:
                if moves { return nil }
                copiesData = true
            }
        }
        throw .expunged
    }
}

/// The mailbox that messages are moved from, while they are.
struct MovedFrom {
    private let mailbox: MaildirMailbox
    private let uids: [UInt32]
    private let sizes: [Int64?]
    private let disk: MaildirMailbox.DiskState
    private let before: MailboxHeader?
    private let isTarget: Bool

    struct Told {
        let before: MailboxHeader
        let after: MailboxHeader
        let flagSums: [(segment: UInt32, sum: UInt64)]
        /// It is the mailbox that they are moved to, too: all of it was told.
        let isTarget: Bool
    }

    /// nil: nothing is moved.
    init?(_ items: [MaildirSave.Item], _ target: MailboxIndex) throws(StoreError) {
        guard case .moved(_, let mailbox) = items.first?.source else { return nil }
        self.mailbox = mailbox
        var uids: [UInt32] = []
        var sizes: [Int64?] = []
        for item in items {
            guard case .moved(let file, _) = item.source else { continue }
            uids.append(file.uid)
            sizes.append(file.entry.size(trustsName: !mailbox.store.options.distrustsNameSizes))
        }
        (self.uids, self.sizes) = (uids, sizes)
        disk = try mailbox.folder.diskState()
        before = mailbox.index.header().flatMap { $0.uidValidity == mailbox.uidValidity ? $0 : nil }
        isTarget = target.prefix == mailbox.index.prefix
    }

    /// The messages left: waits until the disk knows. Where it cannot say so they have been moved all the same, and are safe in their new place.
    func synchronize(isDurable: Bool) {
        guard isDurable else { return }
        for place in [mailbox.folder.new, mailbox.folder.cur] {
            do throws(StoreError) { try place.synchronize() } catch {
                mailbox.store.options.log(
                    .error, "\(error.logText): messages that were moved may be here again after a crash of the system")
            }
        }
    }

    /// Tells the index. Where the target is the same mailbox: of what came as well.
    func tell(
        _ transaction: IndexTransaction, target: MailboxIndex, _ came: [MessageUpdate], _ settled: MailboxHeader?, _ list: FileStamp?
    ) throws(IndexError) -> Told? {
        let index = mailbox.index
        guard let before, try index.header(transaction) == before else { return nil }
        var updates = zip(uids, sizes).map { MessageUpdate(uid: $0, message: nil, size: $1) }
        if isTarget { updates += came }
        var (after, sums) = try index.edited(updates, before, transaction)
        if before.stamps.fit(new: disk.new, cur: disk.cur, list: disk.list) {
            mailbox.folder.settle(&after, disk, index.index.isShared)
            if isTarget, let list { after.stamps.list = list }
        }
        if isTarget { after.listRecords += UInt32(clamping: came.count) }
        try transaction.put(index.headerKey, after.bytes)
        return Told(before: before, after: after, flagSums: sums, isTarget: isTarget)
    }

    /// Tells the session.
    func note(_ told: Told?) {
        if let told { mailbox.note(told.before, told.after, told.flagSums) }
        mailbox.forgetNames()
        mailbox.lose(uids)
    }
}
