internal import CPlatform
internal import Glibc

/// An open directory: the only door to what is in it. Names are bytes, never paths that could lead elsewhere:
/// `..`, symbolic links and absolute paths are refused by the kernel (openat2(2), RESOLVE_BENEATH).
package struct Directory: ~Copyable {
    package let descriptor: FileDescriptor
    /// How it was reached; only for the log.
    package let path: String

    package init(adopting descriptor: consuming FileDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a root that the configuration names; its path may lead over symbolic links.
    package static func open(path: String) throws(SystemError) -> Directory {
        let number = try checked("open", unsafe cp_open_directory(path))
        return Directory(adopting: FileDescriptor(adopting: number), path: path)
    }

    /// Opens a directory beneath this one; `path` is one name or several with `/` between them.
    package borrowing func directory(_ path: [UInt8]) throws(SystemError) -> Directory {
        let number = try openBeneath(path[...], cp_o_read_directory)
        return Directory(adopting: FileDescriptor(adopting: number), path: self.path + "/" + String(decoding: path, as: UTF8.self))
    }

    package enum Access: Sendable {
        case read
        /// Existing file, reading anywhere, writing at its end.
        case append
        /// New file for reading and writing; throws EEXIST when the name is taken.
        case create(mode: UInt32)
    }

    /// Opens a file beneath this directory. Never waits: a FIFO does not block.
    package borrowing func file(_ path: ArraySlice<UInt8>, _ access: Access) throws(SystemError) -> FileDescriptor {
        let number =
            switch access {
            case .read: try openBeneath(path, cp_o_read_file)
            case .append: try openBeneath(path, cp_o_append_file)
            case .create(let mode): try openBeneath(path, cp_o_create_file, mode)
            }
        return FileDescriptor(adopting: number)
    }

    package borrowing func file(_ path: [UInt8], _ access: Access) throws(SystemError) -> FileDescriptor { try file(path[...], access) }

    private borrowing func openBeneath(_ path: ArraySlice<UInt8>, _ flags: UInt64, _ mode: UInt32 = 0) throws(SystemError) -> Int32 {
        let number = descriptor.number
        let result = unsafe path.withUnsafeBufferPointer { unsafe cp_open_beneath(number, $0.baseAddress, $0.count, flags, mode) }
        return try checked("openat2", result)
    }

    /// Status of the directory itself (fstat(2)).
    package borrowing func status() throws(SystemError) -> FileStatus { try descriptor.status() }

    /// Status of an entry, not following a symbolic link (fstatat(2)).
    package borrowing func status(of name: ArraySlice<UInt8>) throws(SystemError) -> FileStatus {
        let number = descriptor.number
        var raw = cp_file_status()
        let result = unsafe name.withUnsafeBufferPointer { unsafe cp_status_at(number, $0.baseAddress, $0.count, &raw) }
        try checked("fstatat", result)
        return FileStatus(raw)
    }

    /// Status of an entry of the directory `folder` in this one, which is not opened: one system call. Where `folder` is a symbolic link it is
    /// followed; who must not do that asks for its status first. Nil when it cannot be had, whatever the reason.
    package borrowing func status(of name: [UInt8], in folder: [UInt8]) -> FileStatus? {
        let number = descriptor.number
        var raw = cp_file_status()
        let result = unsafe folder.withUnsafeBufferPointer { folder in
            unsafe name.withUnsafeBufferPointer {
                unsafe cp_status_in(number, folder.baseAddress, folder.count, $0.baseAddress, $0.count, &raw)
            }
        }
        return result < 0 ? nil : FileStatus(raw)
    }

    /// Status of an entry, or nil when there is none.
    package borrowing func statusIfPresent(of name: ArraySlice<UInt8>) throws(SystemError) -> FileStatus? {
        do throws(SystemError) { return try status(of: name) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// Renames an entry, into another directory too. `replacing: false`: throws EEXIST when the target is there.
    package borrowing func rename(
        _ name: ArraySlice<UInt8>, to target: borrowing Directory, as newName: ArraySlice<UInt8>, replacing: Bool
    ) throws(SystemError) {
        let (from, to) = (descriptor.number, target.descriptor.number)
        let result = unsafe name.withUnsafeBufferPointer { old in
            unsafe newName.withUnsafeBufferPointer { new in
                unsafe cp_rename_at(from, old.baseAddress, old.count, to, new.baseAddress, new.count, replacing ? 1 : 0)
            }
        }
        try checked("rename", result)
    }

    /// Makes a second name for a file (linkat(2)); throws EEXIST when the name is taken.
    package borrowing func link(
        _ name: ArraySlice<UInt8>, into target: borrowing Directory, as newName: ArraySlice<UInt8>
    ) throws(SystemError) {
        let (from, to) = (descriptor.number, target.descriptor.number)
        let result = unsafe name.withUnsafeBufferPointer { old in
            unsafe newName.withUnsafeBufferPointer { new in
                unsafe cp_link_at(from, old.baseAddress, old.count, to, new.baseAddress, new.count)
            }
        }
        try checked("link", result)
    }

    package borrowing func removeFile(_ name: ArraySlice<UInt8>) throws(SystemError) {
        let number = descriptor.number
        try checked("unlink", unsafe name.withUnsafeBufferPointer { unsafe cp_unlink_at(number, $0.baseAddress, $0.count, 0) })
    }

    /// Removes an empty directory.
    package borrowing func removeDirectory(_ name: ArraySlice<UInt8>) throws(SystemError) {
        let number = descriptor.number
        try checked("rmdir", unsafe name.withUnsafeBufferPointer { unsafe cp_unlink_at(number, $0.baseAddress, $0.count, 1) })
    }

    package borrowing func makeDirectory(_ name: ArraySlice<UInt8>, mode: UInt32) throws(SystemError) {
        let number = descriptor.number
        try checked("mkdir", unsafe name.withUnsafeBufferPointer { unsafe cp_mkdir_at(number, $0.baseAddress, $0.count, mode) })
    }

    /// fsync(2): names that were made, renamed or removed are so on disk when it returns.
    package borrowing func synchronize() throws(SystemError) { try checked("fsync", cp_fsync(descriptor.number)) }
}
