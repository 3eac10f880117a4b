internal import MessageFormat
internal import Platform

/// Messages on their way into a Maildir: collected in tmp/, then moved into place together (reference/storage.md 8).
final class MaildirSave: SaveTransaction {
    static let keywordsName = Array("dovecot-keywords".utf8)

    struct Item {
        /// Where the message is now.
        enum Source {
            /// In tmp/, under this name.
            case temporary([UInt8])
            /// In another mailbox (or in this one), where it stays, or which it leaves.
            case linked(IndexedFile, MaildirMailbox)
            case moved(IndexedFile, MaildirMailbox)
        }

        let source: Source
        /// Name it is to get, without flags; of a copy: that of its source, if it is free.
        var base: [UInt8]
        var flags: MessageFlags
        var keywords: [Keyword]
        /// EMAILID of a copy, which stays when it cannot keep its name.
        var guid: [UInt8]?
        /// What the index is to keep of it.
        var summary: MessageSummary?
        /// What else is known of it.
        var extensions: ArraySlice<UInt8> = []
        var countedSize: Int64?
        var date: Int64?
    }

    /// Bytes of summaries that wait for their messages to get UIDs; those of more messages are made when they are asked for.
    private static let summaryLimit = 4 << 20
    private var summaryBytes = 0

    let store: MaildirStore
    let folder: MaildirFolder
    var items: [Item] = []
    /// nil: nothing limits what is saved here.
    var allowance: QuotaAllowance?
    private var openedTmp: Folder?
    private var writer: MessageWriter?
    private var unfinished: (name: [UInt8], message: NewMessage)?
    /// Keywords of the sets that were met last in `add`.
    private var lastKeywords: (set: KeywordSet, names: [Keyword]) = (KeywordSet(), [])

    init(store: MaildirStore, folder: MaildirFolder) {
        self.store = store
        self.folder = folder
    }

    deinit { abandon() }

    func tmp() throws(StoreError) -> Folder {
        if let openedTmp { return openedTmp }
        let tmp = try folder.tmp()
        LeftoverFiles.remove(from: tmp, log: store.options.log)
        openedTmp = tmp
        return tmp
    }

    func admit(_ size: Int64) throws(StoreError) { try allowance?.admit(size) { () throws(StoreError) in try store.quotaUsage() } }

    func begin(_ message: NewMessage) throws(StoreError) {
        dropUnfinished()
        let tmp = try tmp()
        for _ in 0..<StoreLimits.renameRaces {
            let name = store.uniqueName()
            do throws(SystemError) {
                writer = MessageWriter(
                    try tmp.newFile(name, mode: folder.root.fileMode), toCRLF: store.options.savesCRLF)
            } catch {
                if error.isExists { continue }
                throw tmp.failure(error, name[...])
            }
            unfinished = (name, message)
            return
        }
        throw .lockTimeout(path: tmp.path)
    }

    func append(_ bytes: ArraySlice<UInt8>) throws(StoreError) {
        guard let writer, let unfinished else { return }
        do throws(SystemError) { try writer.append(bytes) } catch {
            dropUnfinished()
            throw try tmp().failure(error, unfinished.name[...])
        }
    }

    func end() throws(StoreError) -> Int64 {
        guard let writer, let unfinished else { return 0 }
        let (name, message) = unfinished
        let modified: Int64
        do throws(SystemError) { modified = try writer.finish(date: message.internalDate, durable: store.isDurable) } catch {
            dropUnfinished()
            throw try tmp().failure(error, name[...])
        }
        do throws(StoreError) { try admit(writer.virtualSize) } catch {
            dropUnfinished()
            throw error
        }
        allowance?.add(writer.virtualSize)
        var item = Item(
            source: .temporary(name), base: name, flags: message.flags.intersection(.permanent), keywords: message.keywords)
        item.base.append(contentsOf: Array(",S=\(writer.physicalSize),W=\(writer.virtualSize)".utf8))
        if summaryBytes < Self.summaryLimit, let summary = writer.takeSummary() {
            summaryBytes += summary.size
            item.summary = summary
        }
        item.date = MaildirMailbox.seconds(modified)
        items.append(item)
        self.unfinished = nil
        self.writer = nil
        return writer.virtualSize
    }

    private func dropUnfinished() {
        writer = nil
        if let unfinished { try? openedTmp?.remove(unfinished.name[...]) }
        unfinished = nil
    }

    func abandon() {
        dropUnfinished()
        for item in items { if case .temporary(let name) = item.source { try? openedTmp?.remove(name[...]) } }
        items = []
    }

    /// Adds a message of a mailbox: `moves` takes it from there; else it gets a second name, or is copied where `copiesData` says so.
    /// `isMoved`: it will not stay where it is.
    func add(_ file: IndexedFile, of source: MaildirMailbox, moves: Bool, copiesData: Bool, isMoved: Bool) throws(StoreError) {
        dropUnfinished()
        let allowance = try allowanceAfter(file, of: source, isMoved)
        // Asked here once: not again when the bytes are copied.
        self.allowance = nil
        defer { self.allowance = allowance }
        let flags = file.message.flags.intersection(.permanent)
        if lastKeywords.set != file.message.keywords { lastKeywords = (file.message.keywords, source.names(of: file.message.keywords)) }
        let keywords = lastKeywords.names
        guard copiesData else {
            var item = Item(
                source: moves ? .moved(file, source) : .linked(file, source), base: Array(file.entry.base), flags: flags, keywords: keywords
            )
            (item.guid, item.countedSize, item.date) = (file.entry.guid, file.entry.countedSize, file.entry.date)
            items.append(item)
            return
        }
        let content = try source.content(of: file.uid)
        try begin(NewMessage(flags: flags, keywords: keywords, internalDate: try source.internalDate(of: file.uid)))
        var buffer: [UInt8] = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got: Int
            do throws(SystemError) { got = try content.descriptor.read(into: &buffer) } catch { throw source.folder.cur.failure(error) }
            if got == 0 { break }
            try append(buffer[..<got])
        }
        _ = try end()
        items[items.count - 1].guid = file.entry.guid
    }

    private func allowanceAfter(_ file: IndexedFile, of source: MaildirMailbox, _ isMoved: Bool) throws(StoreError) -> QuotaAllowance? {
        guard let allowance, allowance.isLimited else { return allowance }
        let counts = isMoved ? store.quotaLimits(of: source.name).map { !$0.isIgnored } ?? false : false
        let size = try source.virtualSize(of: file.uid)
        if !counts { try admit(size) }
        self.allowance?.add(size, isMoved: counts)
        return self.allowance
    }
}

/// What a crash left in tmp/.
enum LeftoverFiles {
    /// Removes files that nobody can still be writing: older than 36 hours. Looks only when nobody looked for a week,
    /// which the access time of the directory tells; failures are no concern of the caller.
    static func remove(from tmp: Folder, log: (StoreOptions.Severity, String) -> Void) {
        guard let status = try? tmp.directory.status() else { return }
        let now = Clock.unixSeconds
        // A directory that changed lately was looked at when somebody saved to it, unless saving never stops.
        let lastLook = status.accessed / 1_000_000_000
        guard now - lastLook > StoreLimits.temporaryScanInterval else { return }
        var old: [[UInt8]] = []
        try? tmp.directory.forEachEntry { entry in
            guard let file = try? tmp.directory.status(of: entry.name), file.kind == .regular else { return }
            if now - max(file.changed, file.accessed) / 1_000_000_000 > StoreLimits.temporaryFileAge { old.append(Array(entry.name)) }
        }
        for name in old {
            log(.debug, "Removing a left-over of a crash: \(tmp.path)/\(String(decoding: name, as: UTF8.self))")
            try? tmp.remove(name[...])
        }
        try? tmp.directory.descriptor.setAccessedNow()
    }
}
