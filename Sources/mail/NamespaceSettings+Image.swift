internal import IMAPSyntax
internal import IPCProtocol
internal import MailStore
internal import ServiceKit

extension NamespaceSettings {
    /// The `namespace` blocks of the settings, in order; one plain one when there is none.
    ///
    /// `values`: what the settings image has beneath `namespace/`. `expand` puts the user into a path; nil: places of their own are left out.
    static func all(
        _ values: [String: String], expand: ((String) throws(StoreError) -> String)?
    ) throws(StoreError) -> [NamespaceSettings] {
        let names = Set(values.keys.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
        var made: [(order: Int, settings: NamespaceSettings)] = []
        for name in names {
            func value(_ key: String) -> String { values["\(name)/\(key)"] ?? "" }
            guard isOffered(value) else { continue }
            var namespace = NamespaceSettings(value)
            if let expand { namespace.location = try MailLocation(namespace: value, expand: expand) }
            namespace.mailboxes = mailboxes(of: name, values)
            made.append((Int(value("order")) ?? 0, namespace))
        }
        // The first one is where clients make mailboxes if nobody says otherwise.
        let sorted = made.sorted { ($0.order, $0.settings.holdsInbox ? 0 : 1) < ($1.order, $1.settings.holdsInbox ? 0 : 1) }.map(\.settings)
        return sorted.contains { $0.holdsInbox } ? sorted : [NamespaceSettings()] + sorted
    }

    private static func mailboxes(of namespace: String, _ values: [String: String]) -> [MailboxSettings] {
        let prefix = "\(namespace)/mailbox/"
        var found: [String: MailboxSettings] = [:]
        for (key, value) in values where key.hasPrefix(prefix) {
            let parts = key.dropFirst(prefix.count).split(separator: "/")
            guard parts.count == 2 else { continue }
            let name = Self.unescaped(parts[0])
            var mailbox = found[name] ?? MailboxSettings(name: Array(name.utf8))
            if parts[1] == "special_use" { mailbox.specialUse = value.split(separator: " ").map(String.init) }
            if parts[1] == "auto" { mailbox.automatic = value == "create" ? .create : value == "subscribe" ? .subscribe : .no }
            found[name] = mailbox
        }
        return found.values.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Names inside keys write `/` as `%2F` and `%` as `%25`.
    private static func unescaped(_ name: Substring) -> String {
        name.split(separator: "%", omittingEmptySubsequences: false).enumerated().reduce(into: "") { text, part in
            let piece = part.element
            if part.offset == 0 {
                text += piece
            } else if piece.hasPrefix("2F") {
                text += "/" + piece.dropFirst(2)
            } else {
                text += "%" + piece.dropFirst(2)
            }
        }
    }
}

extension IMAPSettings {
    /// What the configuration says about IMAP sessions.
    init(_ settings: Settings) {
        self.init()
        capability = settings["imap_capability"]
        serverID = ServerID.response(settings["imap_id_send"], version: Build.version)
        offersMetadata = settings.bool("imap_metadata")
        messageLimit = settings.number("imap_message_limit", default: 0)
        serverAdmin = settings["mail_server_admin"]
        serverComment = settings["mail_server_comment"]
        idleNotifyMilliseconds = settings.milliseconds("imap_idle_notify_interval", default: 120_000)
        idleCheckMilliseconds = settings.milliseconds("mailbox_idle_check_interval", default: 30_000)
        let line = settings.number("imap_max_line_length", default: limits.line)
        if settings.bool("imap_literal_minus") { limits.nonSynchronising = 4_096 }
        if line >= 1_000 { limits.line = min(line, 1 << 20) }
    }
}
