extension Schema {
    /// Limits of what a user's mail may come to. In 2.3 they are keys of `plugin { }` (`quotaKeys`).
    static let quota: [Setting] = [
        Setting("quota_storage_size", old: "", .size, "unlimited", [.mail], "Bytes that a user's messages may have together."),
        Setting("quota_storage_percentage", old: "", .uint, "100", [.mail], "How much of that holds, in per cent."),
        Setting("quota_storage_extra", old: "", .size, "0", [.mail], "What comes on top of it."),
        Setting("quota_storage_grace", old: "", .size, "10M", [.mail], "By how much the last delivery may go beyond it; clients may not."),
        Setting("quota_message_count", old: "", .uint, "unlimited", [.mail], "Number of a user's messages."),
        Setting("quota_message_percentage", old: "", .uint, "100", [.mail], "How much of that holds, in per cent."),
        Setting("quota_mail_size", old: "", .size, "unlimited", [.mail], "Bytes of one message."),
        Setting(
            "quota_exceeded_message", old: "", .string, "Quota exceeded (mailbox for user is full)", [.mail],
            "Sentence for who may not save."),
    ]

    /// Keys of `plugin { }` in 2.3 that say the same: `quota`, `quota_rule`, `quota_rule2` …
    static func isQuotaKey(_ key: String) -> Bool {
        if ["quota", "quota_grace", "quota_max_mail_size", "quota_exceeded_message", "quota_vsizes"].contains(key) { return true }
        return key.hasPrefix("quota_rule") && key.dropFirst(10).allSatisfy { $0.isASCII && $0.isNumber }
    }

    static let quotaRoot = RecordKind(
        name: "quota",
        fields: [
            Setting(
                "driver", old: "", .enumeration(["count", "maildir", "fs", "imapc"]), "count", [.mail],
                "`count` and `maildir` both count in the user's index; others are not available."),
            Setting("enforce", old: "", .bool, "yes", [.mail], "No: count and show, refuse nothing."),
            Setting("hidden", old: "", .bool, "no", [.mail], "Clients are not shown it."),
            Setting(
                "ignore_unlimited", old: "", .bool, "no", [.mail], ignored: "a root without limits is shown without resources",
                "A root without limits is not shown."),
        ], children: [], maps: [], allowsGlobals: true, summary: "A quota root: all personal mailboxes of a user.")

    /// What a mailbox changes in the limits.
    static let mailboxQuota: [Setting] = [
        Setting("quota_ignore", old: "", .bool, "no", [.mail], "Its messages do not count."),
        Setting("quota_storage_extra", old: "", .size, "0", [.mail], "Bytes on top of the limit when something is saved here."),
        Setting("quota_storage_percentage", old: "", .uint, "100", [.mail], "How much of the storage limit holds here, in per cent."),
        Setting("quota_message_percentage", old: "", .uint, "100", [.mail], "How much of the number of messages holds here, in per cent."),
    ]
}
