internal import IMAPSyntax
internal import MailStore

// QUOTA with the resources STORAGE and MESSAGE (RFC 9208). There is one root at most, and all personal mailboxes belong to it.
extension IMAPSession {
    /// Units of STORAGE: 1,024 bytes (RFC 9208 section 5.1).
    private static let unit: Int64 = 1_024

    func getQuota(_ root: [UInt8]) throws(CommandFailure) -> Completion {
        try writeQuota(try shownQuota(root))
        return try report("Getquota completed.")
    }

    // quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
    func getQuotaRoot(_ wire: [UInt8]) throws(CommandFailure) -> Completion {
        guard let quota = store.quota, !quota.isHidden else { throw .bad("No quota is set") }
        let name = try mailboxName(wire, for: .read)
        guard try storing({ () throws(StoreError) in try store.exists(name) }) else { throw .noMailbox(wire, code: "[NONEXISTENT] ") }
        stream.out.text("* QUOTAROOT ")
        stream.out.astring(wireName(name.text))
        let counts = store.quotaLimits(of: name).map { !$0.isIgnored } ?? false
        if counts {
            stream.out.byte(0x20)
            stream.out.astring(quota.name)
        }
        stream.out.newline()
        if counts { try writeQuota(quota) }
        return try report("Getquotaroot completed.")
    }

    /// Limits are set in the configuration or the user database.
    func setQuota(_ root: [UInt8]) throws(CommandFailure) -> Completion {
        _ = try shownQuota(root)
        throw .no("[NOPERM] Limits are set by the administrator.")
    }

    private func shownQuota(_ root: [UInt8]) throws(CommandFailure) -> QuotaSettings {
        guard let quota = store.quota, !quota.isHidden else { throw .bad("No quota is set") }
        guard quota.name == root else { throw .no("[NONEXISTENT] There is no quota root of this name.") }
        return quota
    }

    // quota-response = "QUOTA" SP quota-root-name SP quota-list
    // quota-list = "(" quota-resource *(SP quota-resource) ")" ; quota-resource = resource-name SP resource-usage SP resource-limit
    /// Resources without a limit are left out.
    private func writeQuota(_ quota: QuotaSettings) throws(CommandFailure) {
        let usage = try storing { () throws(StoreError) in try store.quotaUsage() }
        stream.out.text("* QUOTA ")
        stream.out.astring(quota.name)
        stream.out.text(" (")
        if let limit = quota.storage.bytes {
            stream.out.text("STORAGE ")
            stream.out.number(usage.storage / Self.unit + (usage.storage % Self.unit > 0 ? 1 : 0))
            stream.out.byte(0x20)
            stream.out.number(limit / Self.unit)
        }
        if let limit = quota.messages.bytes {
            stream.out.text(quota.storage.bytes == nil ? "MESSAGE " : " MESSAGE ")
            stream.out.number(usage.messages)
            stream.out.byte(0x20)
            stream.out.number(limit)
        }
        stream.out.byte(0x29)
        stream.out.newline()
    }
}
