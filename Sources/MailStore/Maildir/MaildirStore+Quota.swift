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
        var usage = QuotaUsage()
        for mailbox in try list() where mailbox.isSelectable {
            guard let limits = quotaLimits(of: mailbox.name), !limits.isIgnored else { continue }
            do throws(StoreError) {
                let status = try status(mailbox.name, sizes: true)
                usage.storage = usage.storage.clampedSum(status.size)
                usage.messages += Int64(status.messages)
            } catch { if error != .notFound { throw error } }
        }
        return usage
    }

    func recountQuota() throws(StoreError) { _ = try quotaUsage() }
}
