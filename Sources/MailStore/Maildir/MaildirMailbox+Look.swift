internal import Index
internal import Platform

// Bringing the index up to date with the disk.
extension MaildirMailbox {
    /// new/, cur/ and dovecot-uidlist as they are.
    struct DiskState {
        let new: FileStatus
        let cur: FileStatus
        let list: FileStatus?
    }

    /// Looks at what changed on disk and takes it into the index. Cheap when nothing did: three stat calls and one record. `force` looks at all files
    /// whatever the stamps say. Answers the header that is true now.
    @discardableResult
    func look(force: Bool = false) throws(StoreError) -> MailboxHeader {
        var force = force
        for _ in 0..<StoreLimits.renameRaces {
            var header = try current(force: force)
            if try adopt(header) == false { continue }
            guard movesNew, header.recent > 0, refusedNew != header.stamps.new.modified else { return header }
            // Overtaken by another session: its messages are in cur/ now, and have to be found again.
            force = try moveNewToCur(&header)
            if !force { return header }
        }
        throw .lockTimeout(path: folder.cur.path)
    }

    private var movesNew: Bool { (access == .readWrite || store.options.emptiesNew) && !isReadOnlyStorage }

    /// The header of the index, brought up to date.
    private func current(force: Bool) throws(StoreError) -> MailboxHeader {
        let disk = try folder.diskState()
        if !force, let header = index.header(), header.guid.count == 32, uidValidity == 0 || header.uidValidity == uidValidity {
            if header.stamps.fit(new: disk.new, cur: disk.cur, list: disk.list) { return header }
            if !isReadOnlyStorage, let header = try takeNewFiles() { return header }
        }
        return try scan()
    }

    private func scan() throws(StoreError) -> MailboxHeader {
        for _ in 0..<StoreLimits.renameRaces {
            let context = FolderScan.Context(
                index: index, uidValidity: uidValidity, guid: guid, isReadOnlyStorage: isReadOnlyStorage, shown: view.uids,
                highestShown: view.highestShown)
            scans += 1
            defer { forgetNames() }
            switch try FolderScan.run(folder, store, context) {
            case .done(let header): return header
            case .overtaken: continue
            case .readOnlyStorage: try becomeReadOnlyStorage()
            }
        }
        throw .lockTimeout(path: folder.cur.path)
    }

    /// UIDs that cannot be written down must not be told to others: from now on this session has an index of its own.
    private func becomeReadOnlyStorage() throws(StoreError) {
        isReadOnlyStorage = true
        do throws(SystemError) {
            let own = Index(in: try folder.mail.directory.directory([ASCII.dot]), mode: 0o600) { _ in }
            own.stayInMemory()
            view.index = MailboxIndex(own, directory: try folder.mail.directory.status())
        } catch { throw folder.mail.failure(error) }
    }

    /// UIDVALIDITY must stay the same while the mailbox is open. False: the header is of no use.
    private func adopt(_ header: MailboxHeader) throws(StoreError) -> Bool {
        if uidValidity != 0, uidValidity != header.uidValidity { throw .mailboxGone("UIDVALIDITY changed under us") }
        uidValidity = header.uidValidity
        if header.guid.count == 32 { guid = header.guid }
        return header.guid.count == 32
    }

    /// The index says something else than a moment ago.
    func forgetNames() {
        view.forgetWindow()
        (lastName, nameGroup, numbersWindow) = (nil, nil, NumbersWindow())
    }

    /// Moves the files of messages from new/ to cur/, which makes them \Recent for this session alone. True when another session was faster
    /// with some.
    private func moveNewToCur(_ header: inout MailboxHeader) throws(StoreError) -> Bool {
        let uids = newUIDs()
        var isOvertaken = false
        var refusal: StoreError?
        let changed = try changing { (before) throws(StoreError) in
            var updates: [MessageUpdate] = []
            for file in self.files(uids) where file.message.state == .new {
                let name = file.name
                let newName = name.contains(ASCII.colon) ? name : name + MaildirFileName.flagsMark
                do throws(SystemError) {
                    try folder.new.directory.rename(name[...], to: folder.cur.directory, as: newName[...], replacing: false)
                } catch {
                    if error.isNotFound {
                        isOvertaken = true
                        continue
                    }
                    // No space or no permission: it is served from new/.
                    refusal = folder.new.failure(error, name[...])
                    break
                }
                if access == .readWrite { ownRecent.insert(file.uid) }
                updates.append(
                    self.update(file, file.message.flags, file.message.keywords, isNew: false, suffix: newName[file.entry.base.count...]))
            }
            return updates
        }
        if let changed { header = changed }
        if let refusal {
            store.options.log(.warning, refusal.logText)
            refusedNew = header.stamps.new.modified
        }
        return isOvertaken
    }

    /// UIDs of the messages in new/.
    func newUIDs() -> [UInt32] {
        index.index.read { (transaction) throws(IndexError) in
            var segments: [UInt32] = []
            try index.forEachSegment(transaction) { (number, bytes) throws(IndexError) in
                if MessageSegment.counters(bytes).new > 0 { segments.append(number) }
            }
            var uids: [UInt32] = []
            for segment in segments {
                try index.forEachMessage(ofSegment: segment, transaction) { uid, message in if message.state == .new { uids.append(uid) } }
            }
            return uids
        } ?? []
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
