internal import CPlatform
internal import Glibc

/// What tells one version of a file from another, and who may change it (stat(2)).
package struct FileStatus: Equatable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let size: Int64
    /// Last change of the content, nanoseconds since 1970.
    package let modified: Int64
    /// Permission bits.
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32
    package let isRegular: Bool

    /// Of the file that a path leads to, links followed.
    package init(path: String) throws(SystemError) {
        var found = stat()
        _ = try retrying("stat(\(path))") { Int(unsafe stat(path, &found)) }
        self.init(found)
    }

    /// Of an open file.
    package init(_ file: borrowing FileDescriptor) throws(SystemError) {
        var found = stat()
        let number = file.number
        _ = try retrying("fstat") { Int(unsafe fstat(number, &found)) }
        self.init(found)
    }

    private init(_ found: stat) {
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        size = Int64(found.st_size)
        modified = Int64(found.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(found.st_mtim.tv_nsec)
        mode = UInt32(found.st_mode & 0o7777)
        uid = found.st_uid
        gid = found.st_gid
        isRegular = found.st_mode & S_IFMT == S_IFREG
    }
}
