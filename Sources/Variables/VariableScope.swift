/// Which notation a template is written in: the percent letters of Dovecot 2.3 or the pipelines of 2.4.
package enum TemplateDialect: Sendable, Equatable {
    /// `%u`, `%Lu`, `%{user}`, `%2.256Nu`, `%{if;…}` (config.md 7).
    case letters
    /// `%{user | username | lower}` (config.md 8).
    case pipelines
}

/// What the single letters of a 2.3 template stand for; they differ between log lines, logins, lookups and mail.
package struct VariableScope: Sendable, Equatable {
    package let letters: [UInt8: String]

    package init(letters: [Character: String]) {
        var table: [UInt8: String] = [:]
        for (letter, name) in letters {
            if let byte = letter.asciiValue { table[byte] = name }
        }
        self.letters = table
    }

    private static let user: [Character: String] = ["u": "user", "n": "username", "d": "domain", "s": "service"]
    private static let connection: [Character: String] = [
        "l": "local_ip", "r": "remote_ip", "a": "local_port", "b": "remote_port", "p": "pid",
    ]

    /// Before login: `login_log_format_elements`, greeting and the like.
    package static let login = VariableScope(
        letters: user.merging(connection) { $1 }.merging([
            "m": "mechanism", "c": "secured", "k": "ssl_security", "e": "mail_pid", "$": "message", "i": "uid", "h": "home",
        ]) { $1 })

    /// Password and user lookups.
    package static let auth = VariableScope(
        letters: user.merging(connection) { $1 }.merging([
            "m": "mechanism", "c": "secured", "k": "cert", "w": "password", "p": "client_pid", "!": "db_id", "h": "home", "i": "uid",
        ]) { $1 })

    /// A known user: mail locations, plugin settings, `mail_log_prefix`.
    package static let mail = VariableScope(
        letters: user.merging(connection) { $1 }.merging(["h": "home", "i": "uid", "$": "message"]) { $1 })

    /// `login_log_format`: the sentence and the elements after it.
    package static let loginLog = VariableScope(letters: ["$": "message", "s": "elements"])

    /// `imap_logout_format`.
    package static let imapLogout = VariableScope(letters: ["i": "input", "o": "output"])

    /// `pop3_logout_format`.
    package static let pop3Logout = VariableScope(letters: [
        "i": "input", "o": "output", "t": "top_count", "p": "top_bytes", "r": "retr_count", "b": "retr_bytes",
        "d": "deleted_count", "m": "message_count", "s": "message_bytes", "u": "uidl_change",
    ])

    /// `deliver_log_format`.
    package static let deliver = VariableScope(letters: [
        "$": "message", "m": "msgid", "s": "subject", "f": "from", "e": "from_envelope", "p": "size", "w": "vsize",
    ])

    /// Old spellings of long names; the caller's table needs only the names on the right.
    static let aliases: [String: String] = [
        "lip": "local_ip", "rip": "remote_ip", "lport": "local_port", "rport": "remote_port", "mech": "mechanism",
        "real_lip": "real_local_ip", "real_rip": "real_remote_ip", "real_lport": "real_local_port", "real_rport": "real_remote_port",
        "orig_user": "original_user", "orig_username": "original_username", "orig_domain": "original_domain",
    ]

    /// The text of a variable: what the caller gives, else what follows from another name that it gives.
    static func value(of name: String, _ lookup: (String) -> String?) -> String? {
        let name = aliases[name] ?? name
        if let value = lookup(name) { return value }
        if name == "secured" || name == "ssl_security" { return lookup("user") == nil ? nil : "" }
        for (suffix, filter) in derivations where name.hasSuffix(suffix) {
            let prefix = name.dropLast(suffix.count)
            if let address = lookup(prefix + "user") { return filter(address) }
        }
        return nil
    }

    private static let derivations: [(String, @Sendable (String) -> String)] = [
        ("username", { localPart($0) }),
        ("domain_first", { domains($0).first.map { String($0) } ?? "" }),
        ("domain_last", { domains($0).last.map { String($0) } ?? "" }),
        ("domain", { domainPart($0) }),
    ]

    /// What stands before the first `@`.
    static func localPart(_ address: String) -> String {
        String(decoding: address.utf8.prefix { $0 != UInt8(ascii: "@") }, as: UTF8.self)
    }

    /// What stands after the first `@`; empty without one.
    static func domainPart(_ address: String) -> String {
        guard let at = address.utf8.firstIndex(of: UInt8(ascii: "@")) else { return "" }
        return String(decoding: address.utf8[address.utf8.index(after: at)...], as: UTF8.self)
    }

    private static func domains(_ address: String) -> [Substring] {
        Array(address.split(separator: "@", omittingEmptySubsequences: false).dropFirst())
    }
}
