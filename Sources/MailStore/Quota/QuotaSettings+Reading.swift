/// How the settings of Dovecot 2.3 and 2.4 say it (reference/storage.md 16, config.md). Programs hand over what they know as keys and values:
/// `plugin/quota`, `quota_storage_size`, `quota/User quota/driver`, `namespace/inbox/mailbox/Trash/quota_ignore`.
extension QuotaSettings {
    /// Nil where no quota is configured, or where `mail_plugins` leaves it out.
    ///
    /// - Parameters:
    ///   - values: settings by key; `config_dialect` tells the dialect.
    ///   - fields: what the user database says of this user: each replaces the setting of its name.
    ///   - complain: hears of a value that cannot be read; what it would say is left out.
    package init?(values: [String: String], fields: [String: String], complain: (String) -> Void) {
        let plugins = (values["mail_plugins"] ?? "").split { $0 == " " || $0 == "," }
        guard plugins.contains("quota") else { return nil }
        if values["config_dialect"] == "2.4" {
            self.init(new: values, fields, complain)
        } else {
            self.init(old: values, fields, complain)
        }
    }

    /// Backends that count what is stored; others are refused by the check of the configuration.
    package static let drivers: Set<String> = ["count", "maildir", "dirsize"]

    // MARK: 2.3

    // quota = driver [":" name *(":" argument)]
    private init?(old values: [String: String], _ fields: [String: String], _ complain: (String) -> Void) {
        func value(_ key: String) -> String? { fields[key] ?? values["plugin/" + key] }
        guard let root = value("quota"), !root.isEmpty else { return nil }
        let parts = root.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard Self.drivers.contains(parts[0]) else {
            complain("quota = \(root): this driver is not available, nothing is counted")
            return nil
        }
        self.init(name: Array((parts.count > 1 ? parts[1] : "").utf8))
        for argument in parts.dropFirst(2) {
            switch argument {
            case "noenforcing": isEnforced = false
            case "hidden": isHidden = true
            default: break
            }
        }
        var number = 1
        while let rule = value(number == 1 ? "quota_rule" : "quota_rule\(number)") {
            if !rule.isEmpty, !take(rule: rule) { complain("quota_rule = \(rule) makes no sense: it is not used") }
            number += 1
        }
        if let text = value("quota_grace"), !text.isEmpty {
            if let change = Self.change(text, unit: 1) { grace = change.asGrace } else { complain("quota_grace = \(text) makes no sense") }
        }
        if let text = value("quota_max_mail_size"), let size = Self.number(text, unit: 1), size > 0 { mailSize = size }
        if let text = value("quota_exceeded_message"), !text.isEmpty { exceededMessage = text }
    }

    // quota_rule = mailbox ":" ("ignore" / limit *(":" limit))
    // limit = ("storage" / "bytes" / "messages") "=" ["+" / "-"] number [unit] / … "%"
    /// `storage` counts in kilobytes unless it has a unit.
    private mutating func take(rule: String) -> Bool {
        guard let colon = rule.firstIndex(of: ":") else { return false }
        let mailbox = String(rule[..<colon])
        var own = MailboxQuota(mask: Array((mailbox == "?" ? "*" : mailbox).utf8))
        for part in rule[rule.index(after: colon)...].split(separator: ":") {
            if part == "ignore" {
                own.isIgnored = true
                continue
            }
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.first == "backend" { continue }
            guard pair.count == 2, let change = Self.change(pair[1], unit: pair[0] == "storage" ? 1_024 : 1) else { return false }
            switch pair[0] {
            case "storage", "bytes": own.storage = change
            case "messages": own.messages = change
            default: return false
            }
        }
        guard mailbox == "*" || mailbox == "?" else {
            mailboxes.append(own)
            return true
        }
        if case .absolute(let number)? = own.storage { storage.number = number }
        if case .absolute(let number)? = own.messages { messages.number = number }
        if own.isIgnored { mailboxes.append(own) }
        return true
    }

    // MARK: 2.4

    private init?(new values: [String: String], _ fields: [String: String], _ complain: (String) -> Void) {
        let roots = Set(
            values.keys.filter { $0.hasPrefix("quota/") }.compactMap { $0.split(separator: "/").dropFirst().first.map(String.init) })
        guard let root = roots.sorted().first else { return nil }
        func value(_ key: String) -> String? {
            fields["quota/\(root)/\(key)"] ?? fields[key] ?? values["quota/\(root)/\(key)"].flatMap { $0.isEmpty ? nil : $0 } ?? values[key]
        }
        let driver = value("driver") ?? "count"
        guard Self.drivers.contains(driver) else {
            complain("quota \(root): driver \(driver) is not available, nothing is counted")
            return nil
        }
        self.init(name: Array(root.utf8))
        storage.number = value("quota_storage_size").flatMap { Self.number($0, unit: 1) }
        storage.percentage = value("quota_storage_percentage").flatMap { Int64($0) } ?? 100
        storage.extra = value("quota_storage_extra").flatMap { Self.number($0, unit: 1) } ?? 0
        messages.number = value("quota_message_count").flatMap { Self.number($0, unit: 1) }
        messages.percentage = value("quota_message_percentage").flatMap { Int64($0) } ?? 100
        grace = .plus(value("quota_storage_grace").flatMap { Self.number($0, unit: 1) } ?? 10 << 20)
        mailSize = value("quota_mail_size").flatMap { Self.number($0, unit: 1) }
        if let text = value("quota_exceeded_message"), !text.isEmpty { exceededMessage = text }
        isEnforced = value("enforce") != "no"
        isHidden = value("hidden") == "yes"
        takeMailboxes(values)
    }

    /// Settings in `namespace N { mailbox M { … } }`.
    private mutating func takeMailboxes(_ values: [String: String]) {
        var found: [String: MailboxQuota] = [:]
        for (key, value) in values where key.hasPrefix("namespace/") && !value.isEmpty {
            let parts = key.split(separator: "/")
            guard parts.count == 5, parts[2] == "mailbox" else { continue }
            let name = String(parts[3]).replacing("%2F", with: "/").replacing("%25", with: "%")
            var own = found[name] ?? MailboxQuota(mask: Array(name.utf8))
            switch parts[4] {
            case "quota_ignore": own.isIgnored = value == "yes"
            case "quota_storage_extra": if let extra = Self.number(value, unit: 1), extra > 0 { own.storage = .plus(extra) }
            case "quota_storage_percentage": if let percent = Int64(value), percent != 100 { own.storage = .percent(percent - 100) }
            case "quota_message_percentage": if let percent = Int64(value), percent != 100 { own.messages = .percent(percent - 100) }
            default: continue
            }
            found[name] = own
        }
        mailboxes += found.values.filter { $0.isIgnored || $0.storage != nil || $0.messages != nil }.sorted {
            $0.mask.lexicographicallyPrecedes($1.mask)
        }
    }

    // MARK: numbers

    // number = 1*DIGIT ["B" / "K" / "M" / "G" / "T"] / "unlimited"
    /// Nil: no limit, or not a number. 0 means no limit too.
    private static func number(_ text: String, unit: Int64) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let value = Int64(digits), value > 0 else { return nil }
        let shift: Int64
        switch text.dropFirst(digits.count).lowercased() {
        case "": shift = unit
        case "b": shift = 1
        case "k", "kb": shift = 1 << 10
        case "m", "mb": shift = 1 << 20
        case "g", "gb": shift = 1 << 30
        case "t", "tb": shift = 1 << 40
        default: return nil
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: shift)
        return overflow ? nil : product
    }

    private static func change(_ text: String, unit: Int64) -> QuotaChange? {
        let isNegative = text.hasPrefix("-")
        let isRelative = isNegative || text.hasPrefix("+")
        let rest = String(isRelative ? text.dropFirst() : text[...])
        if rest.hasSuffix("%"), let percent = Int64(rest.prefix { $0.isASCII && $0.isNumber }) {
            return .percent(isRelative ? (isNegative ? -percent : percent) : percent - 100)
        }
        if rest == "0" || rest == "unlimited" { return isRelative ? .plus(0) : .absolute(nil) }
        guard let value = number(rest, unit: unit) else { return nil }
        return isRelative ? .plus(isNegative ? -value : value) : .absolute(value)
    }
}

extension QuotaChange {
    /// `10%` of a grace is that much of the limit, not 90 % less.
    fileprivate var asGrace: QuotaChange {
        switch self {
        case .absolute(let value): .plus(value ?? 0)
        case .percent(let value): .percent(value < 0 ? value + 100 : value)
        case .plus: self
        }
    }
}
