internal import Index
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
        if let size = cachedNumber(ItemTag.size, at: position) { return size }
        let wasLazy = isLazy
        let slot = try slot(position)
        let uid = messages[position].uid
        isFilling = isFilling || wasLazy
        if let size = knownSize(slot) {
            if isFilling { remember(ItemTag.size, MailboxIndex.encoded(size), of: uid) }
            return size
        }
        if let size = index.index.read({ (transaction) throws(IndexError) in try index.countedSize(of: uid, transaction) }) ?? nil {
            countedSizes[slot] = size
            return size
        }
        let content = try content(at: position)
        do throws(SystemError) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var lines = LineCounter()
            while true {
                let got = try content.descriptor.read(into: &buffer)
                if got == 0 {
                    countedSizes[slot] = lines.virtualSize
                    remember(ItemTag.size, MailboxIndex.encoded(lines.virtualSize), of: uid)
                    return lines.virtualSize
                }
                lines.count(buffer[..<got])
            }
        } catch { throw folder.cur.failure(error) }
    }

    /// Size with CR LF line ends, where it is known without reading the message.
    func knownSize(_ slot: Int) -> Int64? {
        if !store.options.distrustsNameSizes, let size = MaildirFileName.size(0x57, in: table.base(of: slot)) { return size }
        if let size = table.extensions[slot].flatMap({ Self.field(0x57, of: $0) }).flatMap({ Decimal.int64($0) }) { return size }
        return countedSizes[slot]
    }

    func internalDate(at position: Int) throws(StoreError) -> Int64 {
        if let date = cachedNumber(ItemTag.date, at: position) { return date }
        let wasLazy = isLazy
        let date = Self.seconds(try status(at: position).modified)
        isFilling = isFilling || wasLazy
        if isFilling { remember(ItemTag.date, MailboxIndex.encoded(date), of: messages[position].uid) }
        return date
    }

    func saveDate(at position: Int) throws(StoreError) -> Int64 { Self.seconds(try status(at: position).changed) }

    func guid(at position: Int) -> [UInt8] {
        guard let slot = try? slot(position) else { return [] }
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
        var changed: [Int] = []
        for start in stride(from: 0, to: positions.count, by: Self.batch) {
            let part = positions[start..<min(start + Self.batch, positions.count)]
            try inBatch(part) { (slot, place, name) throws(SystemError) in
                let info = Self.changed(self.table.info(of: slot), change, keywords)
                guard info != self.table.info(of: slot) else { return false }
                let newName = MaildirFileName.renamed(name[...], info)
                let place = self.folder.folder(place)
                try place.directory.rename(name[...], to: place.directory, as: newName[...], replacing: false)
                self.table.see(
                    slot, at: self.table.entries[slot].place, info: newName[self.table.base(of: slot).count...], generation: self.generation
                )
                return true
            }
            // Also tells of what others changed: the session hears it with its own change.
            for position in part where take(position, try slot(position)) { changed.append(position) }
        }
        if store.options.durability == .always { try folder.cur.synchronize() }
        return changed
    }

    /// How many messages are changed while other sessions wait.
    private static let batch = 256

    /// Does something with the files of messages under their present names; those whose name changed meanwhile are tried again after a look.
    /// `body` gets slot, place and name, and answers whether it changed the file's name or place.
    private func inBatch(
        _ positions: ArraySlice<Int>, _ body: (Int, MessagePlace, [UInt8]) throws(SystemError) -> Bool
    ) throws(StoreError) {
        var rest: [Int] = []
        for position in positions { rest.append(try slot(position)) }
        for attempt in 0..<StoreLimits.renameRaces {
            var moved: [Int] = []
            try changing { () throws(StoreError) in
                var different: [Int] = []
                for slot in rest {
                    let place = table.entries[slot].place
                    guard place == .new || place == .cur else { continue }
                    let name = table.name(of: slot)
                    do throws(SystemError) { if try body(slot, place, name) { different.append(slot) } } catch {
                        guard error.isNotFound else { throw folder.folder(place).failure(error, name[...]) }
                        moved.append(slot)
                    }
                }
                return different
            }
            if moved.isEmpty { return }
            rest = moved
            if attempt + 1 < StoreLimits.renameRaces { try refresh(force: true) }
        }
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
        for start in stride(from: 0, to: positions.count, by: Self.batch) {
            try inBatch(positions[start..<min(start + Self.batch, positions.count)]) { (slot, place, name) throws(SystemError) in
                try self.folder.folder(place).directory.removeFile(name[...])
                self.table.markGone(slot)
                return true
            }
        }
        if store.options.durability == .always { try folder.cur.synchronize() }
    }

    func copy(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages {
        try copy(positions, to: target, isMoved: false)
    }

    private func copy(_ positions: [Int], to target: MailboxName, isMoved: Bool) throws(StoreError) -> CopiedMessages {
        let save = try store.save(to: target)
        var sources: [UInt32] = []
        for position in positions {
            try save.add(position, of: self, isMoved: isMoved)
            sources.append(messages[position].uid)
            store.progress?(sources.count)
        }
        let saved = try save.commit()
        return CopiedMessages(uidValidity: saved.uidValidity, sources: sources, targets: saved.uids)
    }

    func move(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages {
        guard access == .readWrite else { throw .cannot("Mailbox is read-only") }
        let copied = try copy(positions, to: target, isMoved: true)
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
