// What the personal mailboxes come to.
extension MaildirStore {
    var quota: QuotaSettings? { options.quota }

    func quotaLimits(of name: MailboxName) -> MailboxLimits? {
        guard let quota, namespaces[name.namespace].kind == .personal else { return nil }
        return quota.limits(of: ruleName(name))
    }

    /// As rules call a mailbox: without the prefix of its namespace.
    private func ruleName(_ name: MailboxName) -> [UInt8] {
        name.isInbox ? name.text : Array(name.text.dropFirst(namespaces[name.namespace].prefix.count))
    }

    func quotaUsage() throws(StoreError) -> QuotaUsage {
        try usage { (name) throws(StoreError) in try status(name, sizes: true) } ?? QuotaUsage()
    }

    /// The same without looking at any mailbox, and so without a lock; nil where the index does not know it all.
    func indexedUsage() throws(StoreError) -> QuotaUsage? {
        try usage { (_) in nil }
    }

    /// `count` is asked for mailboxes of which the index does not know enough.
    private func usage(_ count: (MailboxName) throws(StoreError) -> MailboxStatus?) throws(StoreError) -> QuotaUsage? {
        var usage = QuotaUsage()
        let counted = try countedMailboxes()
        for (mailbox, known) in zip(counted, indexedStatuses(counted, .sizes)) {
            do throws(StoreError) {
                let found = if let known { MailboxStatus?.some(known) } else { try count(mailbox.name) }
                guard let status = found else { return nil }
                usage.storage = usage.storage.clampedSum(status.size)
                usage.messages += Int64(status.messages)
            } catch { if error != .notFound { throw error } }
        }
        return usage
    }

    private func countedMailboxes() throws(StoreError) -> [ListedMailbox] {
        try list().filter { $0.isSelectable && quotaLimits(of: $0.name)?.isIgnored == false }
    }

    func recountQuota() throws(StoreError) {
        // What the index says is not believed: it is made anew from the files.
        for mailbox in try countedMailboxes() {
            guard let folder = try folderIfPresent(mailbox.name) else { continue }
            MailboxIndex(folder.root.index, directory: try folder.mail.status()).forget()
        }
        _ = try quotaUsage()
    }
}
