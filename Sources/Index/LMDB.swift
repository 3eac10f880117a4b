internal import CLMDB
internal import Platform

/// An open LMDB environment: one file, used without LMDB's own locks and lock file (see `IndexFile`).
@safe final class LMDB {
    private let environment: OpaquePointer

    /// Address space only: the file grows as it is used, and untouched pages of the map cost nothing.
    private static let mapSize = 1 << 36

    /// Opens a file that exists, empty or complete.
    init(path: String, mode: UInt32) throws(IndexError) {
        unsafe environment = try Self.open(path, mode)
        // Sets the table's order of keys, for this process.
        let transaction = unsafe try begin(UInt32(MDB_RDONLY))
        var table: MDB_dbi = 0
        let opened = unsafe mdb_dbi_open(transaction, nil, 0, &table)
        unsafe mdb_txn_abort(transaction)
        try Self.check("mdb_dbi_open", opened)
    }

    private static func open(_ path: String, _ mode: UInt32) throws(IndexError) -> OpaquePointer {
        var created: OpaquePointer?
        try check("mdb_env_create", unsafe mdb_env_create(&created))
        guard let environment = unsafe created else { throw .unusable("mdb_env_create gave nothing") }
        var code = unsafe mdb_env_set_mapsize(environment, mapSize)
        if code == 0 {
            let flags = UInt32(MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NOSYNC)
            code = unsafe mdb_env_open(environment, path, flags, mode_t(mode))
        }
        if code != 0 {
            unsafe mdb_env_close(environment)
            try check("mdb_env_open", code)
        }
        return unsafe environment
    }

    deinit { unsafe mdb_env_close(environment) }

    /// Status of the file that was opened.
    func inode() throws(IndexError) -> UInt64 {
        var number: Int32 = -1
        try Self.check("mdb_env_get_fd", unsafe mdb_env_get_fd(environment, &number))
        guard let status = Self.status(of: number) else { throw .unusable("fstat failed") }
        return status.inode
    }

    private static func status(of number: Int32) -> FileStatus? {
        let borrowed = FileDescriptor(adopting: number)
        let status = try? borrowed.status()
        _ = borrowed.release()
        return status
    }

    /// Bytes that the file must have for every page of its newest state to be there.
    func neededSize() -> Int64 {
        var info = unsafe MDB_envinfo()
        var stat = MDB_stat()
        guard unsafe mdb_env_info(environment, &info) == 0, unsafe mdb_env_stat(environment, &stat) == 0 else { return 0 }
        return unsafe Int64(info.me_last_pgno + 1) * Int64(stat.ms_psize)
    }

    func read<R>(_ body: (IndexTransaction) throws(IndexError) -> R) throws(IndexError) -> R {
        let transaction = unsafe try begin(UInt32(MDB_RDONLY))
        defer { unsafe mdb_txn_abort(transaction) }
        return unsafe try body(IndexTransaction(.file(transaction)))
    }

    /// Nothing is written when `body` throws.
    func write<R>(_ body: (IndexTransaction) throws(IndexError) -> R) throws(IndexError) -> R {
        let transaction = unsafe try begin(0)
        let handed = unsafe IndexTransaction(.file(transaction))
        let result: R
        do throws(IndexError) { result = try body(handed) } catch {
            unsafe mdb_txn_abort(transaction)
            throw error
        }
        if handed.isChanged {
            try Self.check("mdb_txn_commit", unsafe mdb_txn_commit(transaction))
        } else {
            unsafe mdb_txn_abort(transaction)
        }
        return result
    }

    private func begin(_ flags: UInt32) throws(IndexError) -> OpaquePointer {
        var begun: OpaquePointer?
        try Self.check("mdb_txn_begin", unsafe mdb_txn_begin(environment, nil, flags, &begun))
        guard let transaction = unsafe begun else { throw .unusable("mdb_txn_begin gave nothing") }
        return unsafe transaction
    }

    static func check(_ call: StaticString, _ code: Int32) throws(IndexError) {
        guard code != 0 else { return }
        let text = unsafe "\(call) failed: \(String(cString: mdb_strerror(code)))"
        // LMDB's own numbers that speak of content; the rest is errno, or a limit.
        let damage = [MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH, MDB_PANIC, MDB_INCOMPATIBLE, MDB_BAD_VALSIZE]
        throw damage.contains(code) ? .damaged(text) : .unusable(text)
    }
}
