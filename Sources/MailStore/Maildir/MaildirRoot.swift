internal import Index
internal import Platform

/// The directories of one namespace: where mail is, and where control files are.
final class MaildirRoot {
    let mail: Folder
    /// INBOX when it is elsewhere.
    let inbox: Folder?
    /// Control files when they are elsewhere.
    let control: Folder?
    /// Shared by all mailboxes of the namespace.
    let index: Index
    let names: StorageNames
    /// Modes for what is made here, after those of the root.
    let directoryMode: UInt32
    let fileMode: UInt32

    /// `isMade`: what is not there is made.
    init(
        _ location: MailLocation, home: String?, isMade: Bool = true, log: @escaping (StoreOptions.Severity, String) -> Void
    ) throws(StoreError) {
        mail = try Self.open(location.path, home, isMade)
        if let path = location.inboxPath, path != location.path { inbox = try Self.open(path, home, isMade) } else { inbox = nil }
        if let path = location.controlPath, path != location.path { control = try Self.open(path, home, isMade) } else { control = nil }
        names = StorageNames(layout: location.layout, areUTF8: location.namesAreUTF8)
        directoryMode = try mail.status().mode & 0o777 | 0o700
        fileMode = directoryMode & 0o666
        let place = try Self.open(location.indexPath ?? location.path, home, isMade)
        do throws(SystemError) {
            index = Index(in: try place.directory.directory([ASCII.dot]), mode: fileMode) { log(.warning, $0) }
        } catch { throw place.failure(error) }
    }

    var controlRoot: Folder { control ?? mail }

    /// Where control files of a mailbox are below `control`; those of INBOX, too, are in a directory with its name.
    func controlPath(of name: MailboxName) -> [UInt8] { names.path(of: name.isInbox ? [Array("INBOX".utf8)] : name.parts) }

    private static func open(_ path: String, _ home: String?, _ isMade: Bool) throws(StoreError) -> Folder {
        let path = try MailLocation.absolute(path, home: home)
        do throws(SystemError) { return Folder(try Directory.open(path: path)) } catch {
            guard error.isNotFound, isMade else { throw StoreError(error, path: path) }
        }
        // The root is made on first use, with its parents.
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            do throws(SystemError) { try FileSystem.makeDirectory(made, mode: 0o700) } catch {
                // A parent may be there without our being allowed to try; the last word is the opening of the whole path.
                if !error.isExists && !error.isPermission && !error.isReadOnly { throw StoreError(error, path: made) }
            }
        }
        return try Folder.open(path: path)
    }
}

/// The directories of one mailbox.
final class MaildirFolder {
    let mail: Folder
    let new: Folder
    let cur: Folder
    /// Where dovecot-uidlist and dovecot-keywords are.
    let control: Folder
    let root: MaildirRoot

    static let newName = Array("new".utf8)
    static let curName = Array("cur".utf8)
    static let tmpName = Array("tmp".utf8)

    /// Missing new/, cur/ and tmp/ are made again: the directory itself is what makes a mailbox.
    init(_ mail: Folder, control: Folder, root: MaildirRoot) throws(StoreError) {
        self.mail = mail
        self.control = control
        self.root = root
        new = try Self.subfolder(Self.newName, of: mail, root)
        cur = try Self.subfolder(Self.curName, of: mail, root)
    }

    func tmp() throws(StoreError) -> Folder { try Self.subfolder(Self.tmpName, of: mail, root) }

    func folder(_ place: MessagePlace) -> Folder { place == .new ? new : cur }

    /// A header for dovecot-uidlist: what its file says is kept, what is known otherwise fills the gaps, and the rest is made.
    /// `uidValidity` 0 and an empty `guid`: not known.
    func completedHeader(_ list: UIDListFile, uidValidity: UInt32, guid: [UInt8], nextUID: UInt32) throws(StoreError) -> UIDListHeader {
        var header = list.header ?? UIDListHeader(uidValidity: uidValidity, nextUID: 1)
        if header.uidValidity == 0 { header.uidValidity = try UIDValidity.next(in: root.controlRoot, fileMode: root.fileMode) }
        if header.guid.isEmpty { header.guid = guid.isEmpty ? MaildirMailbox.randomGUID() : guid }
        header.isVersion1 = false
        header.nextUID = nextUID
        return header
    }

    private static func subfolder(_ name: [UInt8], of mail: Folder, _ root: MaildirRoot) throws(StoreError) -> Folder {
        if let folder = try mail.folderIfPresent(name) { return folder }
        try mail.makeFolder(name, mode: root.directoryMode)
        // Delivery programs expect all three.
        if name != tmpName { try mail.makeFolder(tmpName, mode: root.directoryMode) }
        return try mail.folder(name)
    }
}

/// Which directory a message file is in.
enum MessagePlace: UInt8 {
    /// Its file was not found (yet).
    case none
    case new
    case cur
    /// It was here and is no more.
    case gone
}
