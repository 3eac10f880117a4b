internal import Platform

/// A directory that several objects use: closed when the last lets it go. Turns system errors into store errors with the path.
final class Folder {
    let directory: Directory
    var path: String { directory.path }

    init(_ directory: consuming Directory) { self.directory = directory }

    static func open(path: String) throws(StoreError) -> Folder {
        do throws(SystemError) { return Folder(try Directory.open(path: path)) } catch { throw StoreError(error, path: path) }
    }

    func folder(_ name: [UInt8]) throws(StoreError) -> Folder {
        do throws(SystemError) { return Folder(try directory.directory(name)) } catch { throw failure(error, name[...]) }
    }

    /// nil when it is not there, or is not a directory.
    func folderIfPresent(_ name: [UInt8]) throws(StoreError) -> Folder? {
        do throws(SystemError) { return Folder(try directory.directory(name)) } catch {
            if error.isNotFound || error.isNotDirectory { return nil }
            throw failure(error, name[...])
        }
    }

    func failure(_ error: SystemError, _ name: ArraySlice<UInt8> = []) -> StoreError {
        StoreError(error, path: name.isEmpty ? path : path + "/" + String(decoding: name, as: UTF8.self))
    }

    /// Content of a file, or nil when there is none; refuses what is not a regular file.
    func content(of name: [UInt8], limit: Int) throws(StoreError) -> (bytes: [UInt8], status: FileStatus)? {
        do throws(SystemError) {
            let file = try directory.file(name, .read)
            let status = try file.status()
            guard status.kind == .regular else { return nil }
            return (try file.readAll(limit: limit), status)
        } catch {
            if error.isNotFound { return nil }
            throw failure(error, name[...])
        }
    }

    func status(of name: ArraySlice<UInt8>) throws(StoreError) -> FileStatus? {
        do throws(SystemError) { return try directory.statusIfPresent(of: name) } catch {
            if error.isNotDirectory { return nil }
            throw failure(error, name)
        }
    }

    func status() throws(StoreError) -> FileStatus {
        do throws(SystemError) { return try directory.status() } catch { throw failure(error) }
    }

    /// Puts a whole new file in the place of `name`: written beside it, flushed, then renamed, so that readers see the old or the new one.
    func replace(_ name: [UInt8], with content: [UInt8], temporary: [UInt8], mode: UInt32, durable: Bool, notBefore: Int64 = 0)
        throws(StoreError) -> FileStatus
    {
        do throws(SystemError) {
            if try directory.statusIfPresent(of: temporary[...]) != nil { try directory.removeFile(temporary[...]) }
            let file = try newFile(temporary, mode: mode)
            do throws(SystemError) {
                try file.writeAll(content)
                if try file.status().modified < notBefore { try file.setModified(notBefore) }
                if durable { try file.synchronizeData() }
                try directory.rename(temporary[...], to: directory, as: name[...], replacing: true)
            } catch {
                try? directory.removeFile(temporary[...])
                throw error
            }
            if durable { try directory.synchronize() }
            return try file.status()
        } catch { throw failure(error, name[...]) }
    }

    func remove(_ name: ArraySlice<UInt8>) throws(StoreError) {
        do throws(SystemError) { try directory.removeFile(name) } catch {
            if !error.isNotFound { throw failure(error, name) }
        }
    }

    func synchronize() throws(StoreError) {
        do throws(SystemError) { try directory.synchronize() } catch { throw failure(error) }
    }

    /// Makes a directory unless it is there.
    func makeFolder(_ name: [UInt8], mode: UInt32) throws(StoreError) {
        do throws(SystemError) {
            try directory.makeDirectory(name[...], mode: mode)
            if mode & Self.shared != 0 { try directory.directory(name).descriptor.setMode(mode) }
        } catch {
            if !error.isExists { throw failure(error, name[...]) }
        }
    }

    /// Makes a file; throws EEXIST. Modes that let others in are set in spite of the umask: they are those of the mail root.
    func newFile(_ name: [UInt8], mode: UInt32) throws(SystemError) -> FileDescriptor {
        let file = try directory.file(name, .create(mode: mode))
        if mode & Self.shared != 0 { try file.setMode(mode) }
        return file
    }

    /// Permission bits that a umask of 077 takes away.
    private static let shared: UInt32 = 0o077
}
