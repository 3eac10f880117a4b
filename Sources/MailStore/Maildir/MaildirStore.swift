internal import Index
internal import Platform

/// A user's mail in Maildir++ (or nested Maildir) folders, kept so that Dovecot and any other Maildir program can use it
/// at the same time and take over at any moment (reference/storage.md).
final class MaildirStore: MailDriver {
    let namespaces: [Namespace]
    let options: StoreOptions
    let rules: MailboxNameRules
    /// One for each namespace.
    let roots: [MaildirRoot]
    private var uniqueNames: UniqueNames
    var progress: ((_ done: Int) -> Void)?
    private let hostname: String

    init(location: MailLocation, home: String?, options: StoreOptions) throws(StoreError) {
        hostname = options.hostname.isEmpty ? Account.hostName : options.hostname
        uniqueNames = UniqueNames(hostname: hostname)
        self.options = options
        let shared = try MaildirRoot(location, home: home, log: options.log)
        var found: [(settings: NamespaceSettings, root: MaildirRoot)] = []
        for settings in options.namespaces {
            do throws(StoreError) {
                found.append(
                    (
                        settings,
                        try settings.location.map { own throws(StoreError) in
                            try MaildirRoot(own, home: home, isMade: !settings.ignoresFailure, log: options.log)
                        } ?? shared
                    ))
            } catch {
                guard settings.ignoresFailure, !settings.holdsInbox else { throw error }
                options.log(.debug, "namespace \(String(decoding: settings.prefix, as: UTF8.self)) is left out: \(error.logText)")
            }
        }
        for (index, one) in found.enumerated() {
            guard let prefix = one.settings.aliasOf else { continue }
            guard let other = found.first(where: { $0.settings.prefix == prefix }), other.settings.aliasOf == nil else {
                throw .unavailable("Invalid namespace alias_for: \(String(decoding: prefix, as: UTF8.self))")
            }
            found[index].root = other.root
        }
        roots = found.map(\.root)
        namespaces = found.map { Namespace($0.settings, storageSeparator: $0.root.names.separator) }
        try Namespace.check(namespaces)
        rules = MailboxNameRules(namespaces: namespaces, layouts: roots.map(\.names))
    }

    func name(_ text: [UInt8]) throws(StoreError) -> MailboxName { try rules.name(text) }

    func uniqueName() -> [UInt8] { uniqueNames.next() }

    /// A new unique name with the sizes that another one tells.
    func uniqueName(sizesOf name: [UInt8]) -> [UInt8] {
        var newName = uniqueName()
        for key: UInt8 in [0x53, 0x57] {
            guard let size = MaildirFileName.size(key, in: name[...]) else { continue }
            newName.append(contentsOf: [ASCII.comma, key, 0x3d])
            Decimal.append(size, to: &newName)
        }
        return newName
    }

    var isDurable: Bool { options.durability != .never }

    /// The lock of a control file.
    func rest() { for root in roots { root.index.rest() } }

    func lock(_ file: [UInt8], in folder: Folder) throws(StoreError) -> DotLock {
        let rules = DotLock.Rules(wait: options.lockWait, probesOwner: options.probesLockOwner, hostname: hostname)
        return try DotLock.take(file, in: folder, rules) { options.log(.warning, $0) }
    }

    /// Directories of a mailbox; nil when it does not exist. Automatic mailboxes are made.
    func folderIfPresent(_ name: MailboxName) throws(StoreError) -> MaildirFolder? {
        let root = roots[name.namespace]
        if name.isInbox { return try inbox(name, root) }
        let path = root.names.path(of: name.parts)
        guard let mail = try root.mail.folderIfPresent(path) else {
            guard settings(of: name)?.automatic ?? .no != .no else { return nil }
            try makeFolder(name)
            return MaildirFolder?.some(try folder(name))
        }
        if root.names.layout == .nested, try mail.folderIfPresent(MaildirFolder.curName) == nil { return nil }
        return try MaildirFolder(mail, control: try control(path, root), root: root)
    }

    /// Throws `.notFound`.
    func folder(_ name: MailboxName) throws(StoreError) -> MaildirFolder {
        guard let folder = try folderIfPresent(name) else { throw .notFound }
        return folder
    }

    private func inbox(_ name: MailboxName, _ root: MaildirRoot) throws(StoreError) -> MaildirFolder {
        let mail = root.inbox ?? root.mail
        guard let control = root.control else { return try MaildirFolder(mail, control: mail, root: root) }
        return try MaildirFolder(mail, control: try subfolder(root.controlPath(of: name), of: control, root), root: root)
    }

    private func control(_ path: [UInt8], _ root: MaildirRoot) throws(StoreError) -> Folder {
        guard let control = root.control else { return try root.mail.folder(path) }
        var folder = control
        for part in path.split(separator: ASCII.slash) { folder = try subfolder(Array(part), of: folder, root) }
        return folder
    }

    private func subfolder(_ name: [UInt8], of folder: Folder, _ root: MaildirRoot) throws(StoreError) -> Folder {
        if let found = try folder.folderIfPresent(name) { return found }
        try folder.makeFolder(name, mode: root.directoryMode)
        return try folder.folder(name)
    }

    /// What the settings say about a mailbox.
    func settings(of name: MailboxName) -> MailboxSettings? {
        let namespace = namespaces[name.namespace]
        let rest = name.isInbox ? name.text[...] : name.text.dropFirst(namespace.prefix.count)
        return namespace.mailboxes.first { $0.name[...] == rest }
    }

    func exists(_ name: MailboxName) throws(StoreError) -> Bool {
        if name.isInbox || settings(of: name)?.automatic ?? .no != .no { return true }
        return try isOnDisk(name)
    }

    func isOnDisk(_ name: MailboxName) throws(StoreError) -> Bool {
        let root = roots[name.namespace]
        guard let mail = try root.mail.folderIfPresent(root.names.path(of: name.parts)) else { return false }
        if root.names.layout == .maildirPlusPlus { return true }
        return try mail.folderIfPresent(MaildirFolder.curName) != nil
    }

    func open(_ name: MailboxName, access: MailboxAccess) throws(StoreError) -> any Mailbox {
        let mailbox = try MaildirMailbox(name, access: access, folder: try folder(name), store: self)
        try mailbox.open()
        return mailbox
    }

    func beginSave(to name: MailboxName) throws(StoreError) -> any SaveTransaction { try save(to: name) }

    func save(to name: MailboxName) throws(StoreError) -> MaildirSave {
        let save = MaildirSave(store: self, folder: try folder(name))
        if let quota, let limits = quotaLimits(of: name) { save.allowance = QuotaAllowance(quota, limits) }
        return save
    }
}
