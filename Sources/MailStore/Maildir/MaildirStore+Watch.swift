internal import Platform

extension MaildirStore {
    func watch() throws(StoreError) -> any StoreWatch {
        do throws(SystemError) {
            let changes: any ChangeWatch = if let made = options.makeWatch() { made } else { try OwnWatch() }
            return MaildirStoreWatch(self, changes)
        } catch { throw StoreError(error, path: "inotify") }
    }
}

/// Watches the directories of many mailboxes, and those that hold names, subscriptions and attributes.
final class MaildirStoreWatch: StoreWatch {
    private enum Subject: Hashable {
        case mailbox(MailboxName)
        case names
    }

    private let store: MaildirStore
    private let changes: any ChangeWatch
    private var subjects: [Int32: Set<Subject>] = [:]
    private var mailboxes: Set<MailboxName> = []
    /// Directories that hold names in the nested layout and are watched.
    private var places: Set<MailboxName> = []
    private var watchesRoots = false

    init(_ store: MaildirStore, _ changes: any ChangeWatch) {
        self.store = store
        self.changes = changes
    }

    var number: Int32 { changes.number }
    var hasMore: Bool { changes.hasMore }

    func watch(_ name: MailboxName) throws(StoreError) {
        guard !mailboxes.contains(name) else { return }
        let folder = try store.folder(name)
        try add(folder.new, .mailbox(name))
        try add(folder.cur, .mailbox(name))
        mailboxes.insert(name)
    }

    func forget(_ name: MailboxName) {
        guard mailboxes.remove(name) != nil else { return }
        for number in Array(subjects.keys) { subjects[number]?.remove(.mailbox(name)) }
    }

    func watchNames() throws(StoreError) {
        if !watchesRoots {
            for root in store.roots {
                try add(root.mail, .names)
                if let control = root.control { try add(control, .names) }
            }
            watchesRoots = true
        }
        guard store.roots.contains(where: { $0.names.layout == .nested }) else { return }
        for listed in try store.list() {
            let root = store.roots[listed.name.namespace]
            guard root.names.layout == .nested, !listed.name.isInbox, !places.contains(listed.name),
                let folder = try root.mail.folderIfPresent(root.names.path(of: listed.name.parts))
            else { continue }
            try add(folder, .names)
            places.insert(listed.name)
        }
    }

    private func add(_ folder: Folder, _ subject: Subject) throws(StoreError) {
        let number: Int32
        do throws(SystemError) { number = try changes.watch(folder.directory.descriptor.number) } catch {
            if error.isOutOfSpace { throw .limit("Too many directories are watched.") }
            throw StoreError(error, path: folder.path)
        }
        subjects[number, default: []].insert(subject)
    }

    func read() -> StoreChanges? {
        guard let changed = changes.wasRead() else { return nil }
        var found = StoreChanges()
        found.isEverything = changed.isEverything
        for number in changed.numbers {
            for subject in subjects[number] ?? [] {
                switch subject {
                case .mailbox(let name): found.mailboxes.insert(name)
                case .names: found.names = true
                }
            }
        }
        return found
    }
}
