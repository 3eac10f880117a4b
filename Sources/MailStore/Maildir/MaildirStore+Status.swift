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
            let list = try control.status(of: UIDListFile.name[...]),
            let header = MailboxIndex(root.index, directory: try mail.status()).header(),
            header.stamps.fit(new: new, cur: cur, list: list), !sizes || header.unknownSizes == 0, !options.emptiesNew || header.recent == 0
        else { return nil }
        return MailboxStatus(header, sizes: sizes)
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
