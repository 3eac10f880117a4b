internal import Index
internal import Platform

// STATUS.
extension MaildirStore {
    func status(_ name: MailboxName, sizes: Bool) throws(StoreError) -> MailboxStatus {
        if let status = try indexedStatus(name, sizes ? [.uids, .sizes] : .uids) { return status }
        let mailbox = try MaildirMailbox(name, access: .readOnly, folder: try folder(name), store: self)
        var header = try mailbox.look()
        if sizes, header.unknownSizes > 0 { header = try mailbox.countSizes() }
        return MailboxStatus(header, sizes: sizes)
    }

    /// From one record of the index, when the directories and dovecot-uidlist are as they were when it was written.
    func indexedStatus(_ name: MailboxName, _ needs: StatusNeeds) throws(StoreError) -> MailboxStatus? {
        let root = roots[name.namespace]
        var found = quickLook(at: name, inode: 0, needs)
        if found == nil { found = try slowLook(at: name) }
        guard let look = found else { return nil }
        let header = root.index.read { (transaction) throws(IndexError) -> MailboxHeader? in
            var key: [UInt8] = []
            return try MailboxIndex.header(device: look.device, inode: look.inode, transaction, key: &key)
        }
        return (header ?? nil).flatMap { status($0, look, needs) }
    }

    func indexedStatuses(_ mailboxes: [ListedMailbox], _ needs: StatusNeeds) -> [MailboxStatus?] {
        var found = [MailboxStatus?](repeating: nil, count: mailboxes.count)
        var first = 0
        while first < mailboxes.count {
            let namespace = mailboxes[first].name.namespace
            let end = (first..<mailboxes.count).first { mailboxes[$0].name.namespace != namespace } ?? mailboxes.count
            let looks = mailboxes[first..<end].map { $0.isSelectable ? quickLook(at: $0.name, inode: $0.inode, needs) : nil }
            // All records in one transaction.
            roots[namespace].index.read { (transaction) throws(IndexError) in
                var key: [UInt8] = []
                for place in first..<end {
                    found[place] = nil
                    guard let look = looks[place - first] else { continue }
                    let header = try MailboxIndex.header(device: look.device, inode: look.inode, transaction, key: &key)
                    if let header { found[place] = status(header, look, needs) }
                }
            }
            for place in first..<end where looks[place - first] == nil && mailboxes[place].isSelectable {
                found[place] = (try? indexedStatus(mailboxes[place].name, needs)) ?? nil
            }
            first = end
        }
        return found
    }

    private func status(_ header: MailboxHeader, _ look: QuickLook, _ needs: StatusNeeds) -> MailboxStatus? {
        let isTrue =
            if needs.contains(.uids) {
                header.stamps.fit(new: look.new, cur: look.cur, list: look.list)
            } else {
                header.stamps.fit(new: look.new, cur: look.cur)
            }
        guard isTrue, !needs.contains(.sizes) || header.unknownSizes == 0, !options.emptiesNew || header.recent == 0 else { return nil }
        return MailboxStatus(header, sizes: needs.contains(.sizes))
    }

    /// What must be as the index says of a mailbox, with nothing opened.
    private struct QuickLook {
        /// Of the mailbox's directory.
        let device: UInt64
        let inode: UInt64
        let new: FileStatus
        let cur: FileStatus
        /// nil: nobody wants to know.
        let list: FileStatus?
    }

    /// nil: it is not in the root itself, or something is not there; then the long way says what is wrong. `inode` not 0: a directory
    /// of that name was there a moment ago and had it. Another one in its place has other directories, which the stamps do not fit.
    private func quickLook(at name: MailboxName, inode: UInt64, _ needs: StatusNeeds) -> QuickLook? {
        let root = roots[name.namespace]
        guard !name.isInbox, root.control == nil, root.names.layout == .maildirPlusPlus else { return nil }
        let path = root.names.path(of: name)
        var inode = inode
        if inode == 0 {
            // Not a link, behind which there is no mailbox of ours.
            guard let found = try? root.mail.directory.status(of: path[...]), found.kind == .directory else { return nil }
            inode = found.inode
        }
        guard let new = root.mail.directory.status(of: MaildirFolder.newName, in: path),
            let cur = root.mail.directory.status(of: MaildirFolder.curName, in: path)
        else { return nil }
        var list: FileStatus?
        if needs.contains(.uids) {
            list = root.mail.directory.status(of: UIDListFile.name, in: path)
            if list == nil { return nil }
        }
        return QuickLook(device: cur.device, inode: inode, new: new, cur: cur, list: list)
    }

    /// The same of a mailbox anywhere.
    private func slowLook(at name: MailboxName) throws(StoreError) -> QuickLook? {
        let root = roots[name.namespace]
        let path = root.controlPath(of: name)
        guard let mail = try name.isInbox ? root.inbox ?? root.mail : root.mail.folderIfPresent(path),
            let control = try root.control == nil ? mail : root.control?.folderIfPresent(path),
            let new = try mail.status(of: MaildirFolder.newName[...]), let cur = try mail.status(of: MaildirFolder.curName[...]),
            let list = try control.status(of: UIDListFile.name[...])
        else { return nil }
        let directory = try mail.status()
        return QuickLook(device: directory.device, inode: directory.inode, new: new, cur: cur, list: list)
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
