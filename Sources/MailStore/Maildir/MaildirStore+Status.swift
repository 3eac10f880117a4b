internal import Index
internal import Platform

// STATUS.
extension MaildirStore {
    func status(_ name: MailboxName, sizes: Bool) throws(StoreError) -> MailboxStatus {
        if let status = try indexedStatus(name, sizes: sizes) { return status }
        let mailbox = try MaildirMailbox(name, access: .readOnly, folder: try folder(name), store: self)
        var header = try mailbox.look()
        if sizes, header.unknownSizes > 0 { header = try mailbox.countSizes() }
        return MailboxStatus(header, sizes: sizes)
    }

    /// From one record of the index, when the directories and dovecot-uidlist are as they were when it was written.
    func indexedStatus(_ name: MailboxName, sizes: Bool) throws(StoreError) -> MailboxStatus? {
        if let quick = look(at: name) {
            let header = MailboxIndex(roots[name.namespace].index, directory: quick.directory).header()
            return header.flatMap { status($0, quick, sizes: sizes) }
        }
        let root = roots[name.namespace]
        let path = root.names.path(of: name.parts)
        let mail: Folder
        let control: Folder
        if name.isInbox {
            mail = root.inbox ?? root.mail
            guard
                let found = try root.control.map({ (folder) throws(StoreError) in try folder.folderIfPresent(Array(".INBOX".utf8)) })
                    ?? mail
            else { return nil }
            control = found
        } else {
            guard let found = try root.mail.folderIfPresent(path) else { return nil }
            mail = found
            guard let found = try root.control.map({ (folder) throws(StoreError) in try folder.folderIfPresent(path) }) ?? mail else {
                return nil
            }
            control = found
        }
        guard let new = try mail.status(of: MaildirFolder.newName[...]), let cur = try mail.status(of: MaildirFolder.curName[...]),
            let list = try control.status(of: UIDListFile.name[...])
        else { return nil }
        let look = QuickLook(directory: try mail.status(), new: new, cur: cur, list: list)
        return MailboxIndex(root.index, directory: look.directory).header().flatMap { status($0, look, sizes: sizes) }
    }

    /// The same of many mailboxes, whose records are read together. Nil for one that must be looked at (`status`).
    func indexedStatuses(_ names: [MailboxName], sizes: Bool) -> [MailboxStatus?] {
        let looks = names.map { look(at: $0) }
        var found = [MailboxStatus?](repeating: nil, count: names.count)
        var first = 0
        while first < names.count {
            let namespace = names[first].namespace
            let end = (first..<names.count).first { names[$0].namespace != namespace } ?? names.count
            let index = roots[namespace].index
            let headers = index.read { (transaction) throws(IndexError) in
                var headers: [MailboxHeader?] = []
                headers.reserveCapacity(end - first)
                for place in first..<end {
                    guard let look = looks[place] else {
                        headers.append(nil)
                        continue
                    }
                    headers.append(try MailboxIndex(index, directory: look.directory).header(transaction))
                }
                return headers
            }
            for place in first..<end {
                if let look = looks[place] {
                    found[place] = headers?[place - first].flatMap { status($0, look, sizes: sizes) }
                } else {
                    found[place] = (try? indexedStatus(names[place], sizes: sizes)) ?? nil
                }
            }
            first = end
        }
        return found
    }

    private func status(_ header: MailboxHeader, _ look: QuickLook, sizes: Bool) -> MailboxStatus? {
        guard header.stamps.fit(new: look.new, cur: look.cur, list: look.list), !sizes || header.unknownSizes == 0,
            !options.emptiesNew || header.recent == 0
        else { return nil }
        return MailboxStatus(header, sizes: sizes)
    }

    /// What must be as the index says of a mailbox, with nothing opened.
    private struct QuickLook {
        let directory: FileStatus
        let new: FileStatus
        let cur: FileStatus
        let list: FileStatus
    }

    /// nil: it is not in the root itself, or something is not there; then the long way says what is wrong.
    private func look(at name: MailboxName) -> QuickLook? {
        let root = roots[name.namespace]
        guard !name.isInbox, root.control == nil, root.names.layout == .maildirPlusPlus else { return nil }
        let path = root.names.path(of: name.parts)
        // Not a link, behind which there is no mailbox of ours.
        guard let found = try? root.mail.directory.status(of: path[...]), found.kind == .directory,
            let new = root.mail.directory.status(of: MaildirFolder.newName, in: path),
            let cur = root.mail.directory.status(of: MaildirFolder.curName, in: path),
            let list = root.mail.directory.status(of: UIDListFile.name, in: path)
        else { return nil }
        return QuickLook(directory: found, new: new, cur: cur, list: list)
    }
}

extension MailboxStatus {
    init(_ header: MailboxHeader, sizes: Bool) {
        messages = Int(header.messages)
        recent = Int(header.recent)
        unseen = Int(header.unseen)
        deleted = Int(header.deleted)
        uidNext = header.uidNext
        uidValidity = header.uidValidity
        guid = header.guid
        highestModSeq = header.highestModSeq
        if sizes { (size, deletedSize) = (header.size, header.deletedSize) }
    }
}
