import Platform

@testable import MailStore

/// A directory that exists for one test.
final class Scratch {
    let path: String
    let folder: Folder
    var log: [String] = []

    init() throws {
        path = "/tmp/culver-mailstore-\(Process.id)-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeDirectory(path, mode: 0o700)
        folder = try Folder.open(path: path)
    }

    deinit {
        if let tmp = try? Folder.open(path: "/tmp") { try? FolderTree.remove(Array(path.dropFirst(5).utf8), from: tmp) }
    }

    var mail: String { path + "/Maildir" }

    /// A store in this directory; each call is another instance, as another process would have it.
    func store(_ change: (inout StoreOptions) -> Void = { _ in }, layout: MailLocation.Layout = .maildirPlusPlus) throws -> any MailDriver {
        var options = StoreOptions()
        options.hostname = "test.host"
        options.lockWait = 300_000_000
        // Keeps the directory as long as the store.
        options.log = { _, text in self.log.append(text) }
        change(&options)
        return try MailStore.open(location: MailLocation(path: "~/Maildir", layout: layout), home: path, options: options)
    }

    func write(_ file: String, _ text: String, modified: Int64? = nil) throws {
        let (directory, name) = try split(file)
        if try directory.directory.statusIfPresent(of: name[...]) != nil { try directory.remove(name[...]) }
        let descriptor = try directory.directory.file(name, .create(mode: 0o600))
        try descriptor.writeAll(Array(text.utf8))
        if let modified { try descriptor.setModified(modified * 1_000_000_000) }
    }

    func read(_ file: String) throws -> String? {
        let (directory, name) = try split(file)
        return try directory.content(of: name, limit: 1 << 26).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    func status(_ file: String) throws -> FileStatus? {
        let (directory, name) = try split(file)
        return try directory.status(of: name[...])
    }

    func remove(_ file: String) throws {
        let (directory, name) = try split(file)
        try directory.directory.removeFile(name[...])
    }

    func rename(_ file: String, _ newFile: String) throws {
        let (directory, name) = try split(file)
        let (target, newName) = try split(newFile)
        try directory.directory.rename(name[...], to: target.directory, as: newName[...], replacing: false)
    }

    func link(_ file: String, _ newFile: String) throws {
        let (directory, name) = try split(file)
        let (target, newName) = try split(newFile)
        try directory.directory.link(name[...], into: target.directory, as: newName[...])
    }

    /// Names in a directory beneath the home, sorted.
    func names(_ directory: String) throws -> [String] {
        var names: [String] = []
        try folder.folder(Array(directory.utf8)).directory.forEachEntry { names.append(String(decoding: $0.name, as: UTF8.self)) }
        return names.sorted()
    }

    private func split(_ file: String) throws -> (Folder, [UInt8]) {
        let bytes = Array(file.utf8)
        guard let slash = bytes.lastIndex(of: 0x2f) else { return (folder, bytes) }
        var directory = folder
        for part in bytes[..<slash].split(separator: 0x2f) {
            try directory.makeFolder(Array(part), mode: 0o700)
            directory = try directory.folder(Array(part))
        }
        return (directory, Array(bytes[(slash + 1)...]))
    }
}

extension MailDriver {
    func named(_ text: String) throws -> MailboxName { try name(Array(text.utf8)) }

    func opened(_ text: String, _ access: MailboxAccess = .readWrite) throws -> any Mailbox { try open(try named(text), access: access) }

    @discardableResult
    func save(_ text: String, to mailbox: String = "INBOX", _ message: NewMessage = NewMessage()) throws -> SavedMessages {
        let save = try beginSave(to: try named(mailbox))
        try save.begin(message)
        try save.append(Array(text.utf8)[...])
        try save.end()
        return try save.commit()
    }

    func listedNames() throws -> [String] { try list().map(\.name.description) }
}

extension Mailbox {
    var uids: [UInt32] { messages.map(\.uid) }

    func text(_ position: Int) throws -> String {
        let content = try content(at: position)
        return String(decoding: try content.descriptor.readAll(limit: 1 << 26), as: UTF8.self)
    }

    func keywordTexts(_ position: Int) -> [String] {
        names(of: messages[position].keywords).map { String(decoding: $0.bytes, as: UTF8.self) }
    }
}

func keyword(_ text: String) throws -> Keyword { try Keyword(Array(text.utf8)) }
