/// What 2.3 writes differently for the same thing: opposites, magic numbers, one line for many settings.
enum OldForm {
    /// The type of a setting as a 2.3 file writes it.
    static func type(of setting: Setting) -> SettingType {
        switch setting.name {
        case "ssl_server_prefer_ciphers": .bool
        default: setting.type
        }
    }

    /// A value of 2.3 in normal form, as a value of 2.4 in normal form. Empty: whatever is inherited.
    static func normal(_ value: String, of setting: Setting, inRecord: Bool) -> String {
        switch (setting.oldName ?? "", value) {
        case ("disable_plaintext_auth", _): value == "yes" ? "no" : "yes"
        case ("ssl_prefer_server_ciphers", _): value == "yes" ? "server" : "client"
        case ("service_count", "0"), ("vsz_limit", "0"), ("last_valid_uid", "0"), ("last_valid_gid", "0"), ("default_vsz_limit", "0"),
            ("lmtp_user_concurrency_limit", "0"):
            "unlimited"
        case ("process_limit", "0"), ("client_limit", "0"), ("idle_kill", "0"), ("vsz_limit", "18446744073709551615"): ""
        case ("idle_kill", "4294967295000"), ("default_idle_kill", "4294967295000"): "infinite"
        default: value
        }
    }

    /// The text that 2.3 prints for a value in normal form.
    static func text(of setting: Setting, normal value: String) -> String {
        switch (setting.oldName ?? "", value) {
        case ("disable_plaintext_auth", _): return value == "yes" ? "no" : "yes"
        case ("ssl_prefer_server_ciphers", _): return value == "server" ? "yes" : "no"
        case ("listen", "* ::"): return "*, ::"
        case (_, "unlimited"): return "0"
        case (_, "infinite"): return "4294967295 secs"
        default: return setting.type.printed(value)
        }
    }
}

/// `mail_location` of 2.3 (storage.md 1): driver, path, then keys, separated by colons; `::` is a colon.
enum MailLocation {
    /// The settings of 2.4 that say the same, or what is wrong.
    ///
    /// Everything that a location can say is in the result: a second location leaves nothing of the first.
    static func settings(_ text: String) throws(ValueError) -> [(name: String, value: String)] {
        var values: [String: String] = [:]
        for (_, name) in keys { values[name] = "" }
        for (_, name, value) in flags { values[name] = value == "yes" ? "no" : "yes" }
        values["mail_driver"] = ""
        values["mail_path"] = ""
        values["mailbox_directory_name_legacy"] = "no"
        values["mailbox_subscriptions_filename"] = "subscriptions"
        var fields = fields(text)
        let first = fields.isEmpty ? "" : fields.removeFirst()
        if drivers.contains(first) {
            values["mail_driver"] = first == "auto" ? "" : first == "dbox" ? "sdbox" : first
            if let path = fields.first, !isKey(path) {
                values["mail_path"] = path
                fields.removeFirst()
            }
        } else if first.hasPrefix("/") || first.hasPrefix("~") || first.hasPrefix("%") {
            values["mail_path"] = first
        } else if !first.isEmpty {
            throw ValueError("Unknown mail storage driver \(first)")
        }
        for field in fields where !field.isEmpty { try set(field, in: &values) }
        return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    private static func set(_ field: String, in values: inout [String: String]) throws(ValueError) {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        if parts.count == 2, let key = keys.first(where: { $0.0 == parts[0] }) {
            values[key.1] = parts[1]
            if parts[0] == "DIRNAME" { values["mailbox_directory_name_legacy"] = "yes" }
        } else if parts.count == 1, let flag = flags.first(where: { $0.0 == field }) {
            values[flag.1] = flag.2
        } else {
            throw ValueError("Unknown setting: \(parts[0])")
        }
    }

    static let drivers: Set<String> = ["maildir", "mbox", "sdbox", "dbox", "mdbox", "imapc", "pop3c", "auto"]

    private static let keys: [(String, String)] = [
        ("INBOX", "mail_inbox_path"), ("INDEX", "mail_index_path"), ("INDEXPVT", "mail_index_private_path"),
        ("INDEXCACHE", "mail_cache_path"),
        ("CONTROL", "mail_control_path"), ("ALT", "mail_alt_path"), ("LAYOUT", "mailbox_list_layout"),
        ("SUBSCRIPTIONS", "mailbox_subscriptions_filename"), ("FULLDIRNAME", "mailbox_directory_name"),
        ("DIRNAME", "mailbox_directory_name"),
        ("MAILBOXDIR", "mailbox_root_directory_name"), ("VOLATILEDIR", "mail_volatile_path"), ("LISTINDEX", "mailbox_list_index_prefix"),
        ("BROKENCHAR", "mailbox_list_visible_escape_char"),
    ]

    private static let flags: [(String, String, String)] = [
        ("UTF-8", "mailbox_list_utf8", "yes"), ("ITERINDEX", "mailbox_list_iter_from_index_dir", "yes"),
        ("NO-NOSELECT", "mailbox_list_drop_noselect", "yes"),
    ]

    private static func isKey(_ field: String) -> Bool {
        keys.contains { field.hasPrefix($0.0 + "=") } || flags.contains { $0.0 == field }
    }

    private static func fields(_ text: String) -> [String] {
        var fields: [[UInt8]] = [[]]
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: ":") {
                if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: ":") {
                    fields[fields.count - 1].append(bytes[index])
                    index += 1
                } else {
                    fields.append([])
                }
            } else {
                fields[fields.count - 1].append(bytes[index])
            }
            index += 1
        }
        return fields.map { String(decoding: $0, as: UTF8.self) }
    }
}
