internal import Platform

// Single messages: content, sizes, dates, flags, removal.
extension MaildirMailbox {
    /// Does something with a message's file under its present name; when the name changed meanwhile, looks again and retries.
    func withFile<R: ~Copyable>(
        at position: Int, _ body: (Folder, [UInt8]) throws(SystemError) -> R
    ) throws(StoreError) -> R {
        let slot = try slot(position)
        for _ in 0..<StoreLimits.renameRaces {
            let place = table.entries[slot].place
            guard place == .new || place == .cur else { throw .expunged }
            let name = table.name(of: slot)
            do throws(SystemError) { return try body(folder.folder(place), name) } catch {
                guard error.isNotFound else { throw folder.folder(place).failure(error, name[...]) }
            }
            try refresh(force: true)
        }
        throw .expunged
    }

    func content(at position: Int) throws(StoreError) -> MessageContent {
        try withFile(at: position) { (folder, name) throws(SystemError) in
            let file = try folder.directory.file(name, .read)
            let status = try file.status()
            guard status.kind == .regular else { throw SystemError(call: "open", code: SystemError.invalid) }
            return MessageContent(descriptor: file, size: status.size)
        }
    }

    func virtualSize(at position: Int) throws(StoreError) -> Int64 {
        let slot = try slot(position)
        if !store.options.distrustsNameSizes, let size = MaildirFileName.size(0x57, in: table.base(of: slot)) { return size }
        if let size = table.extensions[slot].flatMap({ Self.field(0x57, of: $0) }).flatMap({ Decimal.int64($0) }) { return size }
        if let size = countedSizes[slot] { return size }
        let content = try content(at: position)
        do throws(SystemError) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var lines = LineCounter()
            while true {
                let got = try content.descriptor.read(into: &buffer)
                if got == 0 {
                    countedSizes[slot] = lines.virtualSize
                    return lines.virtualSize
                }
                lines.count(buffer[..<got])
            }
        } catch { throw folder.cur.failure(error) }
    }

    func internalDate(at position: Int) throws(StoreError) -> Int64 { Self.seconds(try status(at: position).modified) }

    func saveDate(at position: Int) throws(StoreError) -> Int64 { Self.seconds(try status(at: position).changed) }

    func guid(at position: Int) -> [UInt8] {
        guard messages.indices.contains(position) else { return [] }
        let slot = Int(messages[position].slot)
        return table.extensions[slot].flatMap { Self.field(0x47, of: $0) }.map { Array($0) } ?? Array(table.base(of: slot))
    }

    private func status(at position: Int) throws(StoreError) -> FileStatus {
        try withFile(at: position) { (folder, name) throws(SystemError) in try folder.directory.status(of: name[...]) }
    }

    private static func seconds(_ nanoseconds: Int64) -> Int64 {
        nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : (nanoseconds - 999_999_999) / 1_000_000_000
    }

    /// Value of an extension field of a uidlist record.
    static func field(_ letter: UInt8, of extensions: [UInt8]) -> ArraySlice<UInt8>? {
        extensions.split(separator: ASCII.space).first { $0.first == letter }?.dropFirst()
    }

    func change(_ positions: [Int], _ change: FlagChange) throws(StoreError) -> [Int] {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        let keywords = try keywordBits(change)
        let before = try checkedStatus(folder.cur)
        var changed: [Int] = []
        for position in positions {
            let slot = try slot(position)
            var renamed: [UInt8]?
            do throws(StoreError) {
                renamed = try withFile(at: position) { (folder, name) throws(SystemError) in
                    let info = Self.changed(self.table.info(of: slot), change, keywords)
                    guard info != self.table.info(of: slot) else { return nil }
                    let newName = MaildirFileName.renamed(name[...], info)
                    try folder.directory.rename(name[...], to: folder.directory, as: newName[...], replacing: false)
                    return newName
                }
            } catch {
                if error == .expunged { continue }
                throw error
            }
            if let renamed {
                table.see(slot, at: table.entries[slot].place, info: renamed[table.base(of: slot).count...], generation: generation)
            }
            // Also tells of what others changed: the session hears it with its own change.
            if take(position, slot) { changed.append(position) }
        }
        curState.changedByUs(before: before, after: try folder.cur.status())
        if store.options.durability == .always { try folder.cur.synchronize() }
        return changed
    }

    /// Takes a message's flags from the table; true when they were different.
    private func take(_ position: Int, _ slot: Int) -> Bool {
        let info = table.info(of: slot)
        let flags = info.flags.union(messages[position].flags.intersection(.recent))
        guard flags != messages[position].flags || info.keywords != messages[position].keywords else { return false }
        messages[position].flags = flags
        messages[position].keywords = info.keywords
        return true
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

    func expunge(_ positions: [Int]) throws(StoreError) {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        let before = try checkedStatus(folder.cur)
        for position in positions {
            do throws(StoreError) {
                try withFile(at: position) { (folder, name) throws(SystemError) in try folder.directory.removeFile(name[...]) }
            } catch {
                if error == .expunged { continue }
                throw error
            }
            table.markGone(try slot(position))
        }
        curState.changedByUs(before: before, after: try folder.cur.status())
        if store.options.durability == .always { try folder.cur.synchronize() }
    }

    func copy(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages {
        let save = try store.save(to: target)
        var sources: [UInt32] = []
        for position in positions {
            try save.add(position, of: self)
            sources.append(messages[position].uid)
        }
        let saved = try save.commit()
        return CopiedMessages(uidValidity: saved.uidValidity, sources: sources, targets: saved.uids)
    }

    func move(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        let copied = try copy(positions, to: target)
        try expunge(positions)
        return copied
    }
}

/// Counts what a message's size is when every line ends with CR LF.
struct LineCounter {
    private(set) var virtualSize: Int64 = 0
    private var lastWasReturn = false

    mutating func count(_ bytes: ArraySlice<UInt8>) {
        virtualSize += Int64(bytes.count)
        var previous: UInt8 = lastWasReturn ? 0x0d : 0
        for byte in bytes {
            if byte == ASCII.lineFeed && previous != 0x0d { virtualSize += 1 }
            previous = byte
        }
        lastWasReturn = previous == 0x0d
    }
}
