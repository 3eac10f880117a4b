internal import MessageFormat
internal import Platform

/// Messages on their way into a Maildir: collected in tmp/, then moved into place together (reference/storage.md 8).
final class MaildirSave: SaveTransaction {
    static let keywordsName = Array("dovecot-keywords".utf8)

    struct Item {
        /// Name in tmp/.
        let temporary: [UInt8]
        /// Name it is to get, without flags; of a copy: that of its source, if it is free.
        var base: [UInt8]
        var flags: MessageFlags
        var keywords: [Keyword]
        /// EMAILID of a copy, which stays when it cannot keep its name.
        var guid: [UInt8]?
        /// What the index is to keep of it.
        var summary: MessageSummary?
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
    private var unfinished: (item: Item, date: Int64?)?

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
            let item = Item(temporary: name, base: name, flags: message.flags.intersection(.permanent), keywords: message.keywords)
            unfinished = (item, message.internalDate)
            return
        }
        throw .lockTimeout(path: tmp.path)
    }

    func append(_ bytes: ArraySlice<UInt8>) throws(StoreError) {
        guard let writer, let unfinished else { return }
        do throws(SystemError) { try writer.append(bytes) } catch {
            dropUnfinished()
            throw try tmp().failure(error, unfinished.item.temporary[...])
        }
    }

    func end() throws(StoreError) -> Int64 {
        guard let writer, let unfinished else { return 0 }
        var item = unfinished.item
        do throws(SystemError) { try writer.finish(date: unfinished.date, durable: store.isDurable) } catch {
            dropUnfinished()
            throw try tmp().failure(error, item.temporary[...])
        }
        do throws(StoreError) { try admit(writer.virtualSize) } catch {
            dropUnfinished()
            throw error
        }
        allowance?.add(writer.virtualSize)
        item.base.append(contentsOf: Array(",S=\(writer.physicalSize),W=\(writer.virtualSize)".utf8))
        if summaryBytes < Self.summaryLimit, let summary = writer.takeSummary() {
            summaryBytes += summary.size
            item.summary = summary
        }
        items.append(item)
        self.unfinished = nil
        self.writer = nil
        return writer.virtualSize
    }

    private func dropUnfinished() {
        writer = nil
        if let unfinished { try? openedTmp?.remove(unfinished.item.temporary[...]) }
        unfinished = nil
    }

    func abandon() {
        dropUnfinished()
        for item in items { try? openedTmp?.remove(item.temporary[...]) }
        items = []
    }

    /// Adds a copy of a message: a second name of the same file where that is possible. `isMoved`: it will not stay where it is.
    func add(_ position: Int, of source: MaildirMailbox, isMoved: Bool = false) throws(StoreError) {
        dropUnfinished()
        let allowance = try allowanceAfter(position, of: source, isMoved)
        // Asked here once: not again when the bytes are copied.
        self.allowance = nil
        defer { self.allowance = allowance }
        _ = try source.slot(position)
        let info = source.messages[position]
        if store.options.copiesWithHardLinks, try link(position, of: source, info) { return }
        let content = try source.content(at: position)
        let date = try source.internalDate(at: position)
        try begin(NewMessage(flags: info.flags, keywords: source.names(of: info.keywords), internalDate: date))
        var buffer: [UInt8] = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got: Int
            do throws(SystemError) { got = try content.descriptor.read(into: &buffer) } catch { throw source.folder.cur.failure(error) }
            if got == 0 { break }
            try append(buffer[..<got])
        }
        _ = try end()
        items[items.count - 1].guid = source.guid(at: position)
    }

    private func allowanceAfter(_ position: Int, of source: MaildirMailbox, _ isMoved: Bool) throws(StoreError) -> QuotaAllowance? {
        guard let allowance, allowance.isLimited else { return allowance }
        let counts = isMoved ? store.quotaLimits(of: source.name).map { !$0.isIgnored } ?? false : false
        let size = try source.virtualSize(at: position)
        if !counts { try admit(size) }
        self.allowance?.add(size, isMoved: counts)
        return self.allowance
    }

    private func link(_ position: Int, of source: MaildirMailbox, _ info: Message) throws(StoreError) -> Bool {
        let tmp = try tmp()
        let name = store.uniqueName()
        let isLinked = try source.withFile(at: position) { (folder, file) throws(SystemError) in
            do throws(SystemError) { try folder.directory.link(file[...], into: tmp.directory, as: name[...]) } catch {
                if error.isLinkRefused || error.isExists { return false }
                throw error
            }
            return true
        }
        guard isLinked else { return false }
        let base = Array(source.table.base(of: Int(info.slot)))
        items.append(
            Item(
                temporary: name, base: base, flags: info.flags.intersection(.permanent), keywords: source.names(of: info.keywords),
                guid: source.guid(at: position)))
        return true
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
