package import Platform

/// Why a password file cannot be used: an internal failure, never an unknown user.
package enum PasswordFileError: Error, Equatable, CustomStringConvertible {
    case system(SystemError)
    case notRegular(String)
    /// Whoever may write the file can log in as anybody (security.md 7).
    case writableByOthers(String, mode: UInt32)

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .notRegular(let path): "\(path) is not a regular file"
        case .writableByOthers(let path, let mode):
            "\(path) is writable by its group or by everybody (mode 0\(String(mode, radix: 8))); not used until: chmod go-w \(path)"
        }
    }

    /// Nothing at this path: with variables in the path, a domain that does not exist.
    package var isMissing: Bool { if case .system(let error) = self { error.isNotFound } else { false } }
}

/// A password file that is read again whenever it has changed (time of change, size, mode or inode).
package final class PasswordFile {
    package let path: String
    private var status: FileStatus?
    private var table = PasswordTable([])

    package init(path: String) { self.path = path }

    /// The content as it is now; costs one stat(2) when nothing has changed.
    package func current() throws(PasswordFileError) -> PasswordTable {
        let now = try ask { () throws(SystemError) in try FileStatus(path: path) }
        if now == status { return table }
        status = nil
        table = PasswordTable([])
        guard now.isRegular else { throw .notRegular(path) }  // before opening: a fifo would block
        let (opened, content) = try ask { () throws(SystemError) in
            let file = try FileSystem.open(path, for: .read)
            let opened = try FileStatus(file)
            return (opened, opened.mode & 0o022 == 0 ? try file.readAll(limit: Limits.file) : [])
        }
        guard opened.mode & 0o022 == 0 else { throw .writableByOthers(path, mode: opened.mode) }
        table = PasswordTable(content)
        status = opened
        return table
    }

    private func ask<Answer>(_ body: () throws(SystemError) -> Answer) throws(PasswordFileError) -> Answer {
        do throws(SystemError) { return try body() } catch { throw .system(error) }
    }
}

/// The password files of one database; several when its path holds variables (one file per domain).
package final class PasswordFiles {
    private var files: [String: PasswordFile] = [:]

    package init() {}

    /// The content of the file at a path, kept in memory until the file changes.
    package func table(at path: String) throws(PasswordFileError) -> PasswordTable {
        if let file = files[path] { return try file.current() }
        let file = PasswordFile(path: path)
        let table = try file.current()
        // What comes from user names must not fill the memory: forget all and begin again.
        if files.count >= Limits.files { files.removeAll() }
        files[path] = file
        return table
    }
}
