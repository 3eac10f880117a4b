internal import Index
internal import Platform

extension MaildirSave {
    /// What became of a commit.
    enum Outcome {
        case saved(SavedMessages)
        /// A message that was to be copied or moved has another name, or none: nothing was done.
        case sourceMoved
        /// The file system refuses a second name, or a move: nothing was done.
        case linkRefused
    }

    func commit() throws(StoreError) -> SavedMessages {
        guard case .saved(let saved) = try finish() else { throw .expunged }
        return saved
    }

    /// Puts every message into its place under the lock of dovecot-uidlist, writes the UIDs down, and waits for the disk.
    func finish() throws(StoreError) -> Outcome {
        guard !items.isEmpty else { return .saved(SavedMessages(uidValidity: 0, uids: [])) }
        var lock: DotLock? = try store.lock(UIDListFile.name, in: folder.control)
        if let allowance, allowance.isLimited {
            var usage = try store.indexedUsage()
            if usage == nil {
                // Counting may have to give UIDs to deliveries, which takes the lock; what another session saved since is in the index when it
                // lets go.
                lock = nil
                try allowance.checkAll(try store.quotaUsage())
                lock = try store.lock(UIDListFile.name, in: folder.control)
                usage = try store.indexedUsage()
            }
            if let usage { try allowance.checkAll(usage) }
        }
        let commit = try SaveCommit(self)
        let outcome = try commit.run()
        _ = consume lock
        guard case .saved(let saved) = outcome else { return outcome }
        commit.rememberSummaries(of: saved)
        items = []
        return outcome
    }

    func keywordLetters() throws(StoreError) -> KeywordTable {
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
