internal import CPlatform
internal import Glibc

/// A nameless file in memory, for what is too large for a frame (memfd_create(2)).
package enum MemoryFile {
    /// Makes a read-only file: no process, not even the maker, can change it afterwards (all four seals).
    package static func sealed(name: String, content: [UInt8]) throws(SystemError) -> FileDescriptor {
        let file = FileDescriptor(adopting: try checked("memfd_create", unsafe cp_memfd(name)))
        try file.writeAll(content)
        try checked("fcntl(F_ADD_SEALS)", cp_memfd_seal(file.number))
        return file
    }

    /// Reads a sealed file from its start; throws EPERM when it is not sealed, EFBIG above `limit` bytes.
    package static func content(of file: borrowing FileDescriptor, limit: Int) throws(SystemError) -> [UInt8] {
        guard cp_memfd_sealed(file.number) == 1 else { throw SystemError(call: "fcntl(F_GET_SEALS)", code: EPERM) }
        let size = lseek(file.number, 0, SEEK_END)
        guard size >= 0, size <= limit else { throw SystemError(call: "lseek", code: size < 0 ? errno : EFBIG) }
        var content = [UInt8](repeating: 0, count: Int(size))
        var done = 0
        while done < content.count {
            var piece = [UInt8](repeating: 0, count: min(65_536, content.count - done))
            let got = try file.read(into: &piece, at: Int64(done))
            guard got > 0 else { throw SystemError(call: "pread", code: EIO) }
            content.replaceSubrange(done..<done + got, with: piece.prefix(got))
            done += got
        }
        return content
    }
}

/// The heap of a process that is about to fork many children.
package enum Heap {
    /// Children share the pages of their zygote until they write to them. After this, what they allocate lies in fresh pages at the heap's
    /// end and not in the holes of shared ones: each hole would cost a whole page.
    package static func settle() { cp_heap_settle() }

    /// Large pieces of memory (128 KiB and more) always come as zero pages from the kernel and go back to it. First thing in a process.
    package static func prepare() { cp_heap_prepare() }

    /// Gives back what a session used and does not use any more; for a session that has become idle.
    package static func release() { cp_memory_release() }
}

/// Files and directories by path, for processes that are not confined to descriptors: master, config, log, the commands.
package enum FileSystem {
    package enum Access { case read, write, append }

    /// Opens a file; `.append` creates it with mode 0600 when missing.
    package static func open(_ path: String, for access: Access) throws(SystemError) -> FileDescriptor {
        let flags: Int32 =
            switch access {
            case .read: O_RDONLY
            case .write: O_WRONLY | O_CREAT | O_TRUNC
            case .append: O_WRONLY | O_APPEND | O_CREAT
            }
        let number = try retrying("open(\(path))") { Int(unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY, 0o600)) }
        return FileDescriptor(adopting: Int32(number))
    }

    package static func remove(_ path: String) throws(SystemError) {
        _ = try retrying("unlink(\(path))") { Int(unsafe unlink(path)) }
    }

    package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
        _ = try retrying("mkdir(\(path))") { Int(unsafe mkdir(path, mode_t(mode))) }
    }

    /// Makes a directory with all that lead to it; one that exists is left as it is.
    package static func makeDirectories(_ path: String, mode: UInt32) throws(SystemError) {
        if info(path) != nil { return }
        do throws(SystemError) { try makeDirectory(path, mode: mode) } catch {
            if error.isExists { return }
            guard error.isNotFound, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
            try makeDirectories(String(path[..<slash]), mode: mode)
            try makeDirectory(path, mode: mode)
        }
    }

    /// Removes a directory that this process made, with all in it; links are removed, not followed. What cannot be removed stays.
    package static func removeTree(_ path: String) {
        for name in names(in: path) {
            let inner = path + "/" + name
            if info(inner)?.isDirectory == true { removeTree(inner) } else { _ = unsafe unlink(inner) }
        }
        _ = unsafe rmdir(path)
    }

    package static func rename(_ from: String, to: String) throws(SystemError) {
        _ = try retrying("rename(\(from), \(to))") { Int(unsafe Glibc.rename(from, to)) }
    }

    package static func link(_ target: String, symbolicallyAt path: String) throws(SystemError) {
        _ = try retrying("symlink(\(path))") { Int(unsafe symlink(target, path)) }
    }

    /// Where a symbolic link points, or nil.
    package static func linkTarget(_ path: String) -> String? {
        var room = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink(path, &room, room.count)
        return count > 0 ? String(decoding: room.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }

    package static func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
        _ = try retrying("chmod(\(path))") { Int(unsafe chmod(path, mode_t(mode))) }
    }

    package static func setOwner(_ path: String, uid: UInt32, gid: UInt32) throws(SystemError) {
        _ = try retrying("chown(\(path))") { Int(unsafe chown(path, uid, gid)) }
    }

    package struct Info {
        package let mode: UInt32
        package let uid: UInt32
        package let gid: UInt32
        package let isDirectory: Bool
        package let isSocket: Bool
        package let size: Int64
    }

    /// lstat(2); nil when there is nothing at the path.
    package static func info(_ path: String) -> Info? {
        var found = stat()
        guard unsafe lstat(path, &found) == 0 else { return nil }
        let kind = found.st_mode & S_IFMT
        return Info(
            mode: UInt32(found.st_mode & 0o7777), uid: found.st_uid, gid: found.st_gid, isDirectory: kind == S_IFDIR,
            isSocket: kind == S_IFSOCK, size: Int64(found.st_size))
    }

    package static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    /// Names in a directory, without `.` and `..`, in no order; empty when it cannot be read.
    package static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// A whole small file (at most 16 MiB), or nil when it cannot be read.
    package static func content(_ path: String) -> [UInt8]? {
        do throws(SystemError) {
            return try open(path, for: .read).readAll(limit: 16 << 20)
        } catch {
            return nil
        }
    }
}
