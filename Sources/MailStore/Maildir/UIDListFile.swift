internal import Platform

/// dovecot-uidlist on disk: reading what changed, appending, replacing. Changes need the lock `dovecot-uidlist.lock`.
struct UIDListFile {
    /// `dovecot-uidlist`. The compiler lays these bytes out, and nobody counts references to them, in memory that sessions share with their zygote.
    static let name: [UInt8] = [
        0x64, 0x6f, 0x76, 0x65, 0x63, 0x6f, 0x74, 0x2d, 0x75, 0x69, 0x64, 0x6c, 0x69, 0x73, 0x74,
    ]
    private static let temporaryName = Array("dovecot-uidlist.tmp".utf8)

    let control: Folder
    let mode: UInt32
    let isDurable: Bool
    /// nil until the file was read or written.
    private(set) var header: UIDListHeader?
    private(set) var highestUID: UInt32 = 0
    /// File as it was read last; nil: it was not there.
    private var known: FileStatus?
    var stamp: FileStamp? { known.map { FileStamp($0) } }
    /// Records in the file, those of messages that are gone included.
    private(set) var recordCount = 0
    /// Bytes that were taken in, all in complete lines.
    private var consumed = 0
    /// Only a rewrite can put it right: damage, an old version, half a line at the end, or no GUID.
    var needsRewrite: Bool { isDamaged || known.map { Int($0.size) != consumed } ?? true }
    private var isDamaged = true
    /// Not only half a line that its writer may be about to complete: somebody has to rewrite it now.
    var mustBeRewritten: Bool { isDamaged || known == nil }
    mutating func markDamaged() { isDamaged = true }

    init(control: Folder, mode: UInt32, isDurable: Bool) {
        self.control = control
        self.mode = mode
        self.isDurable = isDurable
    }

    /// The UID that the next message gets.
    var nextUID: UInt32 { max(header?.nextUID ?? 1, highestUID < .max ? highestUID + 1 : .max, 1) }

    /// What reading found.
    enum Changes {
        case none
        case missing
        /// Records that came at the end.
        case appended(text: [UInt8], records: [UIDListRecord])
        /// Everything: the file is another one than before.
        case replaced(text: [UInt8], records: [UIDListRecord])
    }

    /// Reads what was not read before. `report` hears of damage.
    mutating func read(report: (String) -> Void) throws(StoreError) -> Changes {
        guard let status = try control.status(of: Self.name[...]) else {
            known = nil
            isDamaged = true
            return .missing
        }
        if let known, known == status { return .none }
        if let known, known.isSameFile(as: status), status.size >= known.size, let header, !isDamaged {
            return try readAppended(header, report: report)
        }
        return try readAll(report: report)
    }

    private mutating func readAppended(_ header: UIDListHeader, report: (String) -> Void) throws(StoreError) -> Changes {
        let text: [UInt8]
        let status: FileStatus
        do throws(SystemError) {
            let file = try control.directory.file(Self.name, .read)
            status = try file.status()
            text = try file.bytes(from: Int64(consumed), limit: StoreLimits.controlFileSize)
        } catch {
            if error.isNotFound { return try readAll(report: report) }
            throw control.failure(error, Self.name[...])
        }
        guard let known, known.isSameFile(as: status) else { return try readAll(report: report) }
        var reader = UIDListReader(continuing: header, after: highestUID)
        do throws(UIDListDamage) { try reader.read(text) } catch { return try readAll(report: report) }
        if !reader.damages.isEmpty { return try readAll(report: report) }
        highestUID = reader.highestUID
        recordCount += reader.records.count
        consumed += reader.consumed
        self.known = status
        return .appended(text: text, records: reader.records)
    }

    private mutating func readAll(report: (String) -> Void) throws(StoreError) -> Changes {
        guard let (text, status) = try control.content(of: Self.name, limit: StoreLimits.controlFileSize) else {
            known = nil
            isDamaged = true
            return .missing
        }
        var reader = UIDListReader()
        do throws(UIDListDamage) { try reader.read(text) } catch {
            report("Broken file \(control.path)/dovecot-uidlist line \(error.line): \(error.text)")
            isDamaged = true
            known = status
            return .missing
        }
        for damage in reader.damages { report("Broken file \(control.path)/dovecot-uidlist line \(damage.line): \(damage.text)") }
        if let before = header, let now = reader.header, before.uidValidity == now.uidValidity,
            max(now.nextUID, reader.highestUID) < highestUID
        {
            report("\(control.path)/dovecot-uidlist: next_uid header was lowered (\(nextUID) -> \(now.nextUID))")
            isDamaged = true
        } else {
            isDamaged = !reader.damages.isEmpty
            highestUID = max(reader.highestUID, reader.reservedUID)
        }
        if reader.header?.isVersion1 == true || reader.header?.guid.isEmpty == true { isDamaged = true }
        header = reader.header
        recordCount = reader.records.count
        consumed = reader.consumed
        known = status
        return .replaced(text: text, records: reader.records)
    }

    /// Takes only header and last UID from the file, for who wants to append: constant work in a mailbox of any size.
    /// False: it must be read as a whole.
    mutating func readTail() throws(StoreError) -> Bool {
        do throws(SystemError) {
            let file = try control.directory.file(Self.name, .read)
            let status = try file.status()
            guard status.kind == .regular, status.size >= 16_384 else { return false }
            var head = [UInt8](repeating: 0, count: 4_096)
            var tail = [UInt8](repeating: 0, count: 8_192)
            let (headCount, tailCount) = (try file.read(into: &head, at: 0), try file.read(into: &tail, at: status.size - 8_192))
            guard headCount > 0, tailCount == tail.count, tail.last == ASCII.lineFeed, let headEnd = head.firstIndex(of: ASCII.lineFeed),
                let start = tail.firstIndex(of: ASCII.lineFeed)
            else { return false }
            var reader = UIDListReader()
            try reader.readOrFail(Array(head[...headEnd]))
            guard let header = reader.header, !header.isVersion1, !header.guid.isEmpty else { return false }
            var records = UIDListReader(continuing: header, after: 0)
            try records.readOrFail(Array(tail[(start + 1)...]))
            guard records.damages.isEmpty, let last = records.records.last else { return false }
            (self.header, highestUID, known, consumed, isDamaged) = (header, last.uid, status, Int(status.size), false)
            return true
        } catch {
            if error.isNotFound || error.code == SystemError.invalid { return false }
            throw control.failure(error, Self.name[...])
        }
    }

    /// Writes records at the end and flushes them; on failure the file is as before.
    mutating func append(_ lines: [UInt8], highestUID uid: UInt32) throws(StoreError) {
        do throws(SystemError) {
            let file = try control.directory.file(Self.name, .append)
            let before = try file.status()
            guard Int(before.size) == consumed else { throw SystemError(call: "file size changed unexpectedly", code: SystemError.invalid) }
            do throws(SystemError) {
                try file.writeAll(lines)
                if isDurable { try file.synchronizeData() }
            } catch {
                try? file.truncate(to: before.size)
                throw error
            }
            known = try file.status()
            consumed = Int(before.size) + lines.count
            recordCount += Int(uid - min(uid, highestUID))
            highestUID = uid
        } catch { throw control.failure(error, Self.name[...]) }
    }

    /// Puts a new file in the place of the old one, with the records that `append` adds (about so many bytes); it answers their number.
    mutating func rewrite(_ header: UIDListHeader, highestUID uid: UInt32, bytes: Int, _ append: (inout [UInt8]) -> Int) throws(StoreError)
    {
        var content: [UInt8] = []
        content.reserveCapacity(bytes + 128)
        UIDListWriter.append(header, to: &content)
        let count = append(&content)
        known = try control.replace(
            Self.name, with: content, temporary: Self.temporaryName, mode: mode, durable: isDurable, notBefore: known?.modified ?? 0)
        self.header = header
        consumed = content.count
        recordCount = count
        highestUID = uid
        isDamaged = false
    }

    /// Keeps UIDs in memory only, where nothing may be written.
    mutating func pretend(_ header: UIDListHeader, highestUID uid: UInt32) {
        self.header = header
        highestUID = max(highestUID, uid)
    }
}

extension UIDListReader {
    /// As `read`, with a system error that stands for "not usable".
    fileprivate mutating func readOrFail(_ text: [UInt8]) throws(SystemError) {
        do throws(UIDListDamage) { try read(text) } catch { throw SystemError(call: "dovecot-uidlist", code: SystemError.invalid) }
    }
}
