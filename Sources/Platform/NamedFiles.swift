internal import CPlatform
internal import Glibc

/// Files and directories by path, for what an administrator names in the configuration (never for mail).
package enum NamedFiles {
    /// The whole content of a file of at most `limit` bytes (open(2), read(2)); throws EFBIG above that.
    package static func content(of path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard number >= 0 else { throw SystemError(call: "open(\(path))", code: errno) }
        let file = FileDescriptor(adopting: number)
        return try file.readAll(limit: limit)
    }

    /// The names in a directory without `.` and `..`, in no order (opendir(3)).
    package static func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw SystemError(call: "opendir(\(directory))", code: errno) }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
