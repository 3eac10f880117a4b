internal import CPlatform
internal import Glibc

/// What stat(2) says of a file.
package struct FileStatus: Equatable, Sendable {
    package enum Kind: Sendable { case regular, directory, symbolicLink, other }

    /// Bytes.
    package let size: Int64
    /// Last change of the content, in nanoseconds since 1970; of a directory: of its entries.
    package let modified: Int64
    /// Last change of content, name, links or permissions, in nanoseconds since 1970.
    package let changed: Int64
    /// Last reading as far as the file system notes it, in nanoseconds since 1970.
    package let accessed: Int64
    package let inode: UInt64
    package let device: UInt64
    /// Permission bits (0o7777).
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32
    /// Names that the file has; 0: it was deleted and is only held open.
    package let links: UInt64
    package let kind: Kind

    init(_ raw: cp_file_status) {
        size = raw.size
        modified = raw.mtime_ns
        changed = raw.ctime_ns
        accessed = raw.atime_ns
        inode = raw.inode
        device = raw.device
        mode = raw.mode & 0o7777
        uid = raw.uid
        gid = raw.gid
        links = raw.links
        kind =
            switch raw.mode & UInt32(S_IFMT) {
            case UInt32(S_IFREG): .regular
            case UInt32(S_IFDIR): .directory
            case UInt32(S_IFLNK): .symbolicLink
            default: .other
            }
    }

    /// Equal when nothing changed between the two; reading (`accessed`) is no change.
    package static func == (left: FileStatus, right: FileStatus) -> Bool {
        left.isSameFile(as: right) && left.size == right.size && left.modified == right.modified && left.changed == right.changed
            && left.links == right.links
    }

    /// Of the file that a path leads to, links followed (stat(2)).
    package init(path: String) throws(SystemError) {
        var raw = cp_file_status()
        try checked("stat(\(path))", unsafe cp_status_of_path(path, &raw))
        self.init(raw)
    }

    /// Of an open file (fstat(2)).
    package init(_ file: borrowing FileDescriptor) throws(SystemError) { self = try file.status() }

    package var isRegular: Bool { kind == .regular }

    /// Whether both describe the same file.
    package func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }
}

extension FileDescriptor {
    /// fstat(2)
    package borrowing func status() throws(SystemError) -> FileStatus {
        var raw = cp_file_status()
        try checked("fstat", unsafe cp_status_of(number, &raw))
        return FileStatus(raw)
    }

    /// Sets the modification time, in nanoseconds since 1970 (futimens(2)).
    package borrowing func setModified(_ nanoseconds: Int64) throws(SystemError) {
        try checked("futimens", cp_set_mtime(number, nanoseconds))
    }

    /// Sets the access time to now and leaves the modification time (futimens(2)).
    package borrowing func setAccessedNow() throws(SystemError) { try checked("futimens", cp_set_atime_now(number)) }

    /// fdatasync(2): the content is on disk when it returns.
    package borrowing func synchronizeData() throws(SystemError) { try checked("fdatasync", cp_fdatasync(number)) }

    /// The next read begins at the start.
    package borrowing func rewind() throws(SystemError) { try checked("lseek", cp_rewind(number)) }

    package borrowing func truncate(to size: Int64) throws(SystemError) { try checked("ftruncate", cp_truncate(number, size)) }

    /// Permission bits, whatever the umask says (fchmod(2)).
    package borrowing func setMode(_ mode: UInt32) throws(SystemError) { try checked("fchmod", cp_fchmod(number, mode)) }

    package borrowing func setGroup(_ gid: UInt32) throws(SystemError) { try checked("fchown", cp_fchown_group(number, gid)) }

    /// Waits until no other holder has the lock (flock(2)); closing the descriptor gives it back.
    package borrowing func lockExclusively() throws(SystemError) { try checked("flock", cp_flock_exclusive(number)) }

    /// The same without waiting; false when somebody else has the lock, or the file system has none.
    package borrowing func tryLockExclusively() -> Bool { cp_flock_try(number) == 0 }

    /// A lock that others may hold as well, without waiting.
    package borrowing func tryLockShared() -> Bool { cp_flock_try_shared(number) == 0 }

    package borrowing func unlock() { _ = cp_flock_release(number) }
}

extension FileDescriptor {
    /// Everything from `offset` to the end of a file, at most `limit` bytes; throws EFBIG above that.
    package borrowing func bytes(from offset: Int64, limit: Int) throws(SystemError) -> [UInt8] {
        let size = try status().size
        guard size > offset else { return [] }
        guard size - offset <= limit else { throw SystemError(call: "pread", code: EFBIG) }
        var content = [UInt8](repeating: 0, count: Int(size - offset))
        let got = try read(into: &content, at: offset)
        content.removeLast(content.count - got)
        return content
    }
}
