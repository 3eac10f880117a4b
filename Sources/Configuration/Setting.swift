/// Which processes get a setting.
package struct Roles: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let master = Roles(rawValue: 1)
    package static let login = Roles(rawValue: 2)
    package static let auth = Roles(rawValue: 4)
    package static let mail = Roles(rawValue: 8)
    package static let anvil = Roles(rawValue: 16)
    package static let log = Roles(rawValue: 32)
    package static let config = Roles(rawValue: 64)
    package static let every: Roles = [.master, .login, .auth, .mail, .anvil, .log, .config]
    /// The processes of a service: `imap-login`, `imap`, `auth`, `master` …; nil for an unknown name.
    package init?(service: String) {
        switch service {
        case "master": self = .master
        case "auth", "auth-worker": self = .auth
        case "anvil": self = .anvil
        case "log": self = .log
        case "config": self = .config
        case "login", "imap-login", "pop3-login", "lmtp": self = .login
        case "mail", "imap", "pop3", "deliver", "lda", "doveadm": self = .mail
        default: return nil
        }
    }

    /// Whatever opens mail or speaks with clients.
    package static let sessions: Roles = [.login, .mail]
}

/// One setting: its names, type, defaults, what it does and who gets it.
package struct Setting: Sendable {
    package enum Status: Sendable, Equatable {
        case honoured
        /// Accepted, without effect; the sentence says what happens instead.
        case ignored(String)
    }

    /// The name of Dovecot 2.4, by which the programs of the suite ask for it.
    package let name: String
    /// The name of 2.3; nil if 2.3 has no such setting.
    package let oldName: String?
    /// False: only 2.3 knows it.
    package let isIn24: Bool
    package let type: SettingType
    /// Default of 2.3, in normal form.
    package let oldDefault: String
    /// Default of 2.4, in normal form.
    package let newDefault: String
    package let roles: Roles
    package let status: Status
    /// Never printed unless asked for (passwords, keys).
    package let isSecret: Bool
    package let summary: String

    /// Name in a dialect, nil if it has none there.
    package func name(in dialect: Dialect) -> String? { dialect == .v23 ? oldName : isIn24 ? name : nil }

    /// Default in a dialect, in normal form.
    package func defaultValue(in dialect: Dialect) -> String { dialect == .v23 ? oldDefault : newDefault }

    /// - Parameters:
    ///   - old: name in 2.3; "" if it has none; the same name if left out.
    ///   - new: default in 2.4 when it differs.
    ///   - ignored: what happens instead, for a setting without effect.
    init(
        _ name: String, old: String? = nil, _ type: SettingType, _ value: String = "", new: String? = nil, _ roles: Roles = [],
        ignored: String? = nil, only23: Bool = false, secret: Bool = false, _ summary: String
    ) {
        self.name = name
        oldName = old == nil ? name : old == "" ? nil : old
        isIn24 = !only23
        self.type = type
        oldDefault = (try? type.normal(value)) ?? value
        newDefault = new.map { (try? type.normal($0)) ?? $0 } ?? oldDefault
        self.roles = roles
        status = ignored.map { .ignored($0) } ?? .honoured
        isSecret = secret
        self.summary = summary
    }
}

/// A kind of named section with settings of its own: `service`, `namespace`, `passdb` …
package struct RecordKind: Sendable {
    package let name: String
    package let fields: [Setting]
    /// Kinds of sections within it.
    package let children: [String]
    /// Maps within it: `fields { k = v }`.
    package let maps: [String]
    /// May settings of mail, auth … stand in it (2.4), and which.
    package let allowsGlobals: Bool
    package let summary: String

    package func field(_ name: String, in dialect: Dialect) -> Setting? {
        fields.first { $0.name(in: dialect) == name }
    }
}
