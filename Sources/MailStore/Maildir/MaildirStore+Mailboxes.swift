internal import Platform

// Making, removing and renaming mailboxes.
extension MaildirStore {
    private static let trash = Array("..DOVECOT-TRASHED".utf8)
    private static let marker = Array("maildirfolder".utf8)

    func create(_ name: MailboxName) throws(StoreError) {
        guard !name.isInbox, try !isOnDisk(name) else { throw .exists }
        try makeFolder(name)
    }

    /// Makes the directories of a mailbox.
    func makeFolder(_ name: MailboxName) throws(StoreError) {
        let root = roots[name.namespace]
        let path = root.names.path(of: name.parts)
        var mail = root.mail
        for part in path.split(separator: ASCII.slash) {
            try mail.makeFolder(Array(part), mode: root.directoryMode)
            mail = try mail.folder(Array(part))
        }
        for part in [MaildirFolder.tmpName, MaildirFolder.newName, MaildirFolder.curName] {
            try mail.makeFolder(part, mode: root.directoryMode)
        }
        if root.names.layout == .maildirPlusPlus {
            do throws(SystemError) { _ = try mail.directory.file(Self.marker, .create(mode: root.fileMode)) } catch {
                if !error.isExists { throw mail.failure(error, Self.marker[...]) }
            }
        }
        if isDurable { try root.mail.synchronize() }
    }

    func delete(_ name: MailboxName) throws(StoreError) {
        guard !name.isInbox else { throw .cannot("INBOX can't be deleted.") }
        let root = roots[name.namespace]
        guard try isOnDisk(name) else { throw .notFound }
        let path = root.names.path(of: name.parts)
        let directory = try root.mail.folderIfPresent(path)?.status()
        defer { if let directory { MailboxIndex(root.index, directory: directory).forget() } }
        switch root.names.layout {
        case .maildirPlusPlus:
            try trash(path, in: root.mail)
            if let control = root.control, try control.folderIfPresent(path) != nil { try trash(path, in: control) }
        case .nested:
            try removeOwn(path, in: root.mail)
            if let control = root.control { try removeOwn(path, in: control) }
        }
        if isDurable { try root.mail.synchronize() }
        try followAttributes(name.namespace) { $0.remove(name.parts) }
    }

    /// Renames the directory away first: from then on the mailbox is gone, however long removing its files takes.
    private func trash(_ path: [UInt8], in folder: Folder) throws(StoreError) {
        for _ in 0..<StoreLimits.renameRaces {
            try FolderTree.remove(Self.trash, from: folder)
            do throws(SystemError) {
                try folder.directory.rename(path[...], to: folder.directory, as: Self.trash[...], replacing: false)
            } catch {
                if error.isExists || error.isNotEmpty { continue }
                if error.isNotFound { throw .notFound }
                throw folder.failure(error, path[...])
            }
            return try FolderTree.remove(Self.trash, from: folder)
        }
        throw .lockTimeout(path: folder.path)
    }

    /// Nested layout: removes what belongs to the mailbox itself; directories of children stay.
    private func removeOwn(_ path: [UInt8], in folder: Folder) throws(StoreError) {
        guard let mail = try folder.folderIfPresent(path) else { return }
        for part in [MaildirFolder.curName, MaildirFolder.newName, MaildirFolder.tmpName] { try FolderTree.remove(part, from: mail) }
        try FolderTree.removeFiles(of: mail)
        let parts = path.split(separator: ASCII.slash)
        let parent = parts.count == 1 ? folder : try folder.folder(Array(path[..<(path.lastIndex(of: ASCII.slash) ?? 0)]))
        do throws(SystemError) { try parent.directory.removeDirectory(parts[parts.count - 1]) } catch {
            if !error.isNotEmpty && !error.isNotFound { throw folder.failure(error, path[...]) }
        }
    }

    func rename(_ name: MailboxName, to target: MailboxName) throws(StoreError) {
        guard name.namespace == target.namespace else { throw .cannot("Renaming not supported across namespaces.") }
        if target.isInbox { throw .exists }
        let isReal = try exists(name)
        // A parent that is only a part of its children's names can be renamed with them (RFC 9051 section 6.3.6).
        if !isReal, try !hasChildren(name) { throw .notFound }
        guard try !isOnDisk(target) else { throw .exists }
        if name.isInbox { return try renameInbox(name, to: target) }
        if target.parts.starts(with: name.parts) { throw .cannot("Can't rename mailbox under itself.") }
        let root = roots[name.namespace]
        if isReal { _ = try folder(name) }
        for folder in [root.mail] + (root.control.map { [$0] } ?? []) {
            switch root.names.layout {
            case .maildirPlusPlus: try renameWithChildren(name, to: target, in: folder, root)
            case .nested: try renameTree(name, to: target, in: folder, root)
            }
            if isDurable { try folder.synchronize() }
        }
        try followAttributes(name.namespace) { $0.rename(name.parts, to: target.parts) }
    }

    private func hasChildren(_ name: MailboxName) throws(StoreError) -> Bool {
        let root = roots[name.namespace]
        switch root.names.layout {
        case .nested: return try root.mail.folderIfPresent(root.names.path(of: name.parts)) != nil
        case .maildirPlusPlus:
            let prefix = root.names.path(of: name.parts) + [ASCII.dot]
            var isFound = false
            do throws(SystemError) { try root.mail.directory.forEachEntry { if $0.name.starts(with: prefix) { isFound = true } } } catch {
                throw root.mail.failure(error)
            }
            return isFound
        }
    }

    private func renameInbox(_ name: MailboxName, to target: MailboxName) throws(StoreError) {
        try create(target)
        let inbox = try MaildirMailbox(name, access: .readWrite, folder: try folder(name), store: self)
        _ = try inbox.synchronize(reportExpunges: true)
        _ = try inbox.move(Array(inbox.messages.indices), to: target)
    }

    /// `.A` becomes `.B`, then each `.A.x` becomes `.B.x`.
    private func renameWithChildren(_ name: MailboxName, to target: MailboxName, in folder: Folder, _ root: MaildirRoot) throws(StoreError)
    {
        let (old, new) = (root.names.path(of: name.parts), root.names.path(of: target.parts))
        let prefix = old + [ASCII.dot]
        var names = [old]
        do throws(SystemError) {
            try folder.directory.forEachEntry { if $0.name.starts(with: prefix) { names.append(Array($0.name)) } }
        } catch { throw folder.failure(error) }
        for name in names where new.count + name.count - old.count > StoreLimits.directoryNameLength {
            throw .invalidName("Mailbox name too long")
        }
        for name in names {
            let newName = new + name[old.count...]
            do throws(SystemError) {
                try folder.directory.rename(name[...], to: folder.directory, as: newName[...], replacing: false)
            } catch {
                if error.isNotFound { continue }
                if error.isExists { throw .exists }
                throw folder.failure(error, name[...])
            }
        }
    }

    private func renameTree(_ name: MailboxName, to target: MailboxName, in folder: Folder, _ root: MaildirRoot) throws(StoreError) {
        let (old, new) = (root.names.path(of: name.parts), root.names.path(of: target.parts))
        func parent(_ path: [UInt8]) throws(StoreError) -> (Folder, ArraySlice<UInt8>) {
            var parts = path.split(separator: ASCII.slash)
            let last = parts.removeLast()
            var parent = folder
            for part in parts {
                try parent.makeFolder(Array(part), mode: root.directoryMode)
                parent = try parent.folder(Array(part))
            }
            return (parent, last)
        }
        guard try folder.folderIfPresent(old) != nil else { return }
        let (from, oldName) = try parent(old)
        let (to, newName) = try parent(new)
        do throws(SystemError) {
            try from.directory.rename(oldName, to: to.directory, as: newName, replacing: false)
        } catch {
            if error.isExists || error.isNotEmpty { throw .exists }
            throw from.failure(error, oldName)
        }
    }
}

/// Removing directories with what is in them; never follows a link.
enum FolderTree {
    /// Removes a directory of `folder` and everything in it. Nothing there is no error.
    static func remove(_ name: [UInt8], from folder: Folder) throws(StoreError) {
        // The stack holds paths beneath `folder`: foreign depth never becomes ours.
        guard try folder.status(of: name[...]) != nil else { return }
        var stack: [[UInt8]] = [name]
        while let path = stack.last {
            guard let current = try folder.folderIfPresent(path) else {
                stack.removeLast()
                continue
            }
            let children = try removeFiles(of: current)
            if !children.isEmpty && path.count < 4_000 && stack.count < 10_000 {
                stack.append(contentsOf: children.map { path + [ASCII.slash] + $0 })
                continue
            }
            stack.removeLast()
            try removeEmpty(path, beneath: folder)
        }
    }

    private static func removeEmpty(_ path: [UInt8], beneath folder: Folder) throws(StoreError) {
        var parent = folder
        var last = path[...]
        if let slash = path.lastIndex(of: ASCII.slash) {
            parent = try folder.folder(Array(path[..<slash]))
            last = path[(slash + 1)...]
        }
        do throws(SystemError) { try parent.directory.removeDirectory(last) } catch {
            if !error.isNotFound { throw parent.failure(error, last) }
        }
    }

    /// Removes everything but directories; answers those.
    @discardableResult
    static func removeFiles(of folder: Folder) throws(StoreError) -> [[UInt8]] {
        var files: [[UInt8]] = []
        var directories: [[UInt8]] = []
        do throws(SystemError) {
            try folder.directory.forEachEntry { entry in
                var kind = entry.kind
                if kind == .unknown, let status = try? folder.directory.status(of: entry.name) {
                    kind = status.kind == .directory ? .directory : .regular
                }
                if kind == .directory { directories.append(Array(entry.name)) } else { files.append(Array(entry.name)) }
            }
        } catch { throw folder.failure(error) }
        for file in files { try folder.remove(file[...]) }
        return directories
    }
}
