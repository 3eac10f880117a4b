internal import CPlatform
internal import Platform

/// The file of an index while it is open, and the lock that keeps its users apart.
///
/// LMDB's own lock file is a table of readers and a mutex in memory that all processes write: damage there hangs everybody. Transactions here
/// are short, so flock(2) on the file itself does: shared for readers, alone for writers; the kernel takes it back from whoever dies.
/// Somebody may remove the file at any time: then it has no name left, and is opened (made) anew.
final class IndexFile {
    private let file: FileDescriptor
    private let path: String
    /// Descriptor of its directory, which whoever opened it keeps open.
    private let directory: Int32
    private var opened: LMDB?
    /// How deep calls of `locked` are nested.
    private var depth = 0
    private var isAlone = false

    /// `culver.index`. The compiler lays these bytes out, and nobody counts references to them, in memory that sessions share with their zygote.
    static let name: [UInt8] = [0x63, 0x75, 0x6c, 0x76, 0x65, 0x72, 0x2e, 0x69, 0x6e, 0x64, 0x65, 0x78]
    /// A transaction takes milliseconds; the first of a large mailbox takes longer, and is done in pieces.
    private static let wait: Int64 = 30_000_000_000
    private static let format: UInt32 = 5
    private static let stampKey: [UInt8] = [0]

    /// Opens or makes the file in `directory`; one that is damaged, of another format or of another boot is removed first.
    /// `report` hears of what was thrown away.
    static func open(in directory: borrowing Directory, mode: UInt32, bootID: [UInt8], report: (String) -> Void) throws(IndexError)
        -> IndexFile
    {
        for _ in 0..<8 {
            let index = try IndexFile(directory, mode)
            guard try index.lock(alone: true) else { throw .unusable("\(index.path) is locked for too long") }
            defer { index.unlock() }
            guard index.hasName(in: directory) else { continue }
            do throws(IndexError) {
                try index.start(mode, bootID)
                return index
            } catch {
                guard case .damaged(let text) = error else { throw error }
                if !text.isEmpty { report("\(index.path): \(text): removed, it is made anew") }
                index.opened = nil
                do throws(SystemError) { try directory.removeFile(Self.name[...]) } catch { throw .unusable(error.description) }
            }
        }
        throw .unusable("\(directory.path)/\(String(decoding: Self.name, as: UTF8.self)) is removed again and again")
    }

    private init(_ directory: borrowing Directory, _ mode: UInt32) throws(IndexError) {
        path = directory.path + "/" + String(decoding: Self.name, as: UTF8.self)
        self.directory = directory.descriptor.number
        do throws(SystemError) { file = try Self.openedOrMade(directory, mode) } catch { throw .unusable(error.description) }
    }

    private static func openedOrMade(_ directory: borrowing Directory, _ mode: UInt32) throws(SystemError) -> FileDescriptor {
        do throws(SystemError) { return try directory.file(Self.name, .append) } catch { if !error.isNotFound { throw error } }
        do throws(SystemError) {
            let file = try directory.file(Self.name, .create(mode: mode))
            // Whatever the umask says: the mode is that of the mail.
            try file.setMode(mode)
            return file
        } catch { if !error.isExists { throw error } }
        return try directory.file(Self.name, .append)
    }

    private func hasName(in directory: borrowing Directory) -> Bool {
        guard let named = try? directory.statusIfPresent(of: Self.name[...]), let own = try? file.status() else { return false }
        return named.isSameFile(as: own)
    }

    private func status() throws(IndexError) -> FileStatus {
        do throws(SystemError) { return try file.status() } catch { throw .unusable("\(path): \(error.description)") }
    }

    /// Checks the file and opens it, or begins an empty one.
    private func start(_ mode: UInt32, _ bootID: [UInt8]) throws(IndexError) {
        let status = try status()
        guard status.isRegular else { throw .damaged("not a regular file") }
        if status.size > 0 { try IndexFileCheck.check(file, size: status.size) }
        let environment = try LMDB(path: path, mode: mode)
        guard try environment.inode() == status.inode else { throw .unusable("\(path) leads elsewhere") }
        let stamp = Array("culver index ".utf8) + [UInt8(Self.format)] + bootID
        if status.size == 0 {
            try environment.write { (transaction) throws(IndexError) in try transaction.put(Self.stampKey, stamp) }
        } else {
            let found = try environment.read { (transaction) throws(IndexError) in try transaction.value(Self.stampKey) }
            // An older format or an earlier boot: nothing that the administrator must know.
            guard found == stamp else { throw .damaged("") }
        }
        opened = environment
        try extend()
    }

    /// What LMDB allocated and never wrote is not in the file; a reader that follows a page number must not meet its end.
    private func extend() throws(IndexError) {
        let needed = opened?.neededSize() ?? 0
        guard try status().size < needed else { return }
        do throws(SystemError) { try file.truncate(to: needed) } catch { throw .unusable("\(path): \(error.description)") }
    }

    // MARK: locks

    private func lock(alone: Bool) throws(IndexError) -> Bool {
        if depth > 0 {
            depth += 1
            return true
        }
        let end = Clock.monotonicNanoseconds + Self.wait
        var pause: Int64 = 20_000
        while !(alone ? file.tryLockExclusively() : file.tryLockShared()) {
            guard Clock.monotonicNanoseconds < end else { return false }
            FileLockOwner.pause(nanoseconds: pause)
            pause = min(pause * 2, 2_000_000)
        }
        depth = 1
        isAlone = alone
        cp_guard_set(directory)
        return true
    }

    private func unlock() {
        depth -= 1
        guard depth == 0 else { return }
        cp_guard_set(-1)
        file.unlock()
    }

    /// A process that crashes while it is in an index removes it: damage that no check finds must not crash each session of its user.
    static func removeOnCrash() throws(SystemError) {
        let result = unsafe (name + [0]).withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe cp_guard_install($0.baseAddress) }
        }
        if result < 0 { throw SystemError(call: "sigaction", code: -result) }
    }

    /// Runs `body` with nobody else in the index. Answers nil when the file was removed or cut meanwhile: open it anew.
    func alone<R>(_ body: () throws(IndexError) -> R) throws(IndexError) -> R? { try locked(alone: true, body) }

    private func locked<R>(alone: Bool, _ body: () throws(IndexError) -> R) throws(IndexError) -> R? {
        guard try lock(alone: alone) else { throw .unusable("\(path) is locked for too long") }
        defer { unlock() }
        if depth == 1 {
            let status = try status()
            guard status.links > 0 else { return nil }
            guard status.size >= opened?.neededSize() ?? .max else { throw .damaged("file is shorter than its content") }
        }
        return try body()
    }

    /// nil: as for `alone`.
    func read<R>(_ body: (IndexTransaction) throws(IndexError) -> R) throws(IndexError) -> R? {
        try locked(alone: false) { () throws(IndexError) in
            guard let opened else { throw .unusable("\(path) is not open") }
            return try opened.read(body)
        }
    }

    /// nil: as for `alone`.
    func write<R>(_ body: (IndexTransaction) throws(IndexError) -> R) throws(IndexError) -> R? {
        try locked(alone: true) { () throws(IndexError) in
            guard let opened, isAlone else { throw .unusable("\(path) is not open for writing") }
            let result = try opened.write(body)
            try extend()
            return result
        }
    }
}

/// Whether a file can be given to LMDB, which believes what it reads.
enum IndexFileCheck {
    /// Looks at the two pages that say what the file holds.
    static func check(_ file: borrowing FileDescriptor, size: Int64) throws(IndexError) {
        let pageSize = Int64(Process.pageSize)
        var pages = [UInt8](repeating: 0, count: Int(2 * pageSize))
        let got: Int
        do throws(SystemError) { got = try file.read(into: &pages, at: 0) } catch { throw .unusable(error.description) }
        guard got == pages.count, size % pageSize == 0 else { throw .damaged("not an index") }
        var newest: (transaction: UInt64, lastPage: UInt64) = (0, 0)
        for start in [0, Int(pageSize)] {
            // struct MDB_page: number (8), pad (2), flags (2), bounds (4); struct MDB_meta: magic, version (4 each), address, map size (8 each),
            // two tables of 48 bytes each, of which the first begins with the page size (4); last page, transaction (8 each).
            guard number(pages, start + 10, 2) == 0x08, number(pages, start + 16, 4) == 0xbeef_c0de, number(pages, start + 20, 4) == 1,
                number(pages, start + 40, 4) == UInt64(pageSize)
            else { throw .damaged("not an index") }
            let transaction = number(pages, start + 144, 8)
            if transaction >= newest.transaction { newest = (transaction, number(pages, start + 136, 8)) }
        }
        guard newest.lastPage < UInt64(size / pageSize) else { throw .damaged("file is shorter than its content") }
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[start + index]) << UInt64(8 * index) }
        return value
    }
}
