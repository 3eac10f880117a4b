internal import Index
internal import Platform

// Single messages: content, sizes, dates, ids.
extension MaildirMailbox {
    /// The file of a message as the index knows it; throws `.expunged`.
    func file(_ uid: UInt32) throws(StoreError) -> IndexedFile {
        if let lastName, lastName.uid == uid { return IndexedFile(uid: uid, message: lastName.message, entry: lastName.entry) }
        let message = view.indexed(uid)
        let number = NameGroup.number(of: uid)
        if nameGroup?.number != number {
            nameGroup = index.index.read { (transaction) throws(IndexError) in try index.names(number, transaction) } ?? nil
        }
        guard message.isPresent, let entry = nameGroup?.entries[NameGroup.slot(of: uid)] else { throw .expunged }
        lastName = (uid, message, entry)
        return IndexedFile(uid: uid, message: message, entry: entry)
    }

    /// Does something with a message's file under its present name; when the name changed meanwhile, looks again and retries.
    func withFile<R: ~Copyable>(_ uid: UInt32, _ body: (Folder, [UInt8]) throws(SystemError) -> R) throws(StoreError) -> R {
        var failed: [UInt8]?
        for _ in 0..<StoreLimits.renameRaces {
            let file: IndexedFile
            do throws(StoreError) { file = try self.file(uid) } catch {
                // The index may have been lost, or not read again since.
                guard failed == nil else { throw error }
                failed = []
                forgetNames()
                try look()
                continue
            }
            let (place, name) = (folder.folder(file.place), file.name)
            do throws(SystemError) { return try body(place, name) } catch {
                guard error.isNotFound else { throw place.failure(error, name[...]) }
            }
            // Another session that changed the name told the index; another program did not.
            forgetNames()
            try look(force: failed == name)
            failed = name
        }
        throw .expunged
    }

    func content(at position: Int) throws(StoreError) -> MessageContent { try content(of: try uid(position)) }

    func content(of uid: UInt32) throws(StoreError) -> MessageContent {
        try withFile(uid) { (folder, name) throws(SystemError) in
            let file = try folder.directory.file(name, .read)
            let status = try file.status()
            guard status.kind == .regular else { throw SystemError(call: "open", code: SystemError.invalid) }
            return MessageContent(descriptor: file, size: status.size)
        }
    }

    private func entry(_ uid: UInt32) throws(StoreError) -> NameEntry {
        do throws(StoreError) { return try file(uid).entry } catch {
            guard error == .expunged else { throw error }
        }
        // The index may have been lost since.
        forgetNames()
        try look()
        return try file(uid).entry
    }

    func virtualSize(at position: Int) throws(StoreError) -> Int64 { try virtualSize(of: try uid(position)) }

    func virtualSize(of uid: UInt32) throws(StoreError) -> Int64 {
        if !numbers.isEmpty, let size = numbers[uid]?.size { return size }
        if let size = known(uid).size { return size }
        if let size = try entry(uid).size(trustsName: !store.options.distrustsNameSizes) { return size }
        let content = try content(of: uid)
        do throws(SystemError) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var lines = LineCounter()
            while true {
                let got = try content.descriptor.read(into: &buffer)
                if got == 0 { break }
                lines.count(buffer[..<got])
            }
            remember(uid, MessageNumbers(size: lines.virtualSize, date: nil))
            return lines.virtualSize
        } catch { throw folder.cur.failure(error) }
    }

    /// Counts sizes that no name tells; answers the header with all of them.
    func countSizes() throws(StoreError) -> MailboxHeader {
        try open()
        for position in messages.indices {
            do throws(StoreError) { _ = try virtualSize(at: position) } catch { guard error == .expunged else { throw error } }
        }
        flushCache()
        return try look()
    }

    func internalDate(at position: Int) throws(StoreError) -> Int64 { try internalDate(of: try uid(position)) }

    func internalDate(of uid: UInt32) throws(StoreError) -> Int64 {
        if !numbers.isEmpty, let date = numbers[uid]?.date { return date }
        if let date = known(uid).date { return date }
        if let date = try entry(uid).date { return date }
        let date = Self.seconds(try status(uid).modified)
        remember(uid, MessageNumbers(size: nil, date: date))
        return date
    }

    func saveDate(at position: Int) throws(StoreError) -> Int64 { Self.seconds(try status(try uid(position)).changed) }

    func guid(at position: Int) -> [UInt8] { (try? entry(try uid(position)).guid) ?? [] }

    private func status(_ uid: UInt32) throws(StoreError) -> FileStatus {
        try withFile(uid) { (folder, name) throws(SystemError) in try folder.directory.status(of: name[...]) }
    }

    static func seconds(_ nanoseconds: Int64) -> Int64 {
        nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : (nanoseconds - 999_999_999) / 1_000_000_000
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
