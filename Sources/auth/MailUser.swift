internal import IPCProtocol
internal import Variables

/// Why a user who was found cannot be served: our fault or the administrator's, never the client's.
struct UserProblem: Error, Equatable { let text: String }

/// A user as the databases describe it, made complete with the settings: ids as numbers, home and mail location expanded.
struct MailUser: Equatable {
    var name: String
    var uid: UInt32
    var gid: UInt32
    var home: String
    /// Driver, paths and layout; empty parts are for the mail process to find out.
    var location = MailLocation("")
    /// What is left of the fields.
    var extra = FieldList()

    /// Fields that are used up here.
    private static let known: Set<String> = [
        "user", "uid", "gid", "home", "mail", "mail_driver", "mail_path", "mail_inbox_path", "mail_control_path", "mail_index_path",
        "mailbox_list_layout",
    ]

    /// - Parameter account: uid or gid of a name of the system.
    init(
        _ fields: FieldList, _ templates: MailTemplates, _ table: VariableTable, account: (String, _ isGroup: Bool) -> UInt32?
    ) throws(UserProblem) {
        var table = table
        table.userdb = fields
        name = fields["user"] ?? table.identity.user
        uid = try Self.number(fields["uid"] ?? templates.uid, "uid", { account($0, false) })
        gid = try Self.number(fields["gid"] ?? templates.gid, "gid", { account($0, true) })
        guard uid != 0 else { throw UserProblem(text: "Mail access for users with UID 0 not permitted") }
        guard templates.uids.contains(uid) else { throw UserProblem(text: "UID \(uid) is outside first_valid_uid and last_valid_uid") }
        guard templates.gids.contains(gid) else { throw UserProblem(text: "GID \(gid) is outside first_valid_gid and last_valid_gid") }
        table.uid = uid
        table.gid = gid
        home = Self.withoutChrootMark(try Self.part(fields["home"], templates.home, table))
        table.home = home
        location.driver = try Self.part(fields["mail_driver"], templates.driver, table)
        location.path = try Self.part(fields["mail_path"], templates.path, table)
        location.inboxPath = try Self.part(fields["mail_inbox_path"], templates.inboxPath, table)
        location.controlPath = try Self.part(fields["mail_control_path"], templates.controlPath, table)
        location.indexPath = try Self.part(fields["mail_index_path"], templates.indexPath, table)
        location.layout = fields["mailbox_list_layout"] ?? templates.layout
        if let old = fields["mail"] { location = MailLocation(old) }
        try beginAtHome(\.path, "mail_path")
        try beginAtHome(\.inboxPath, "mail_inbox_path")
        try beginAtHome(\.controlPath, "mail_control_path")
        try beginAtHome(\.indexPath, "mail_index_path")
        for (field, value) in fields.entries where !Self.known.contains(field) { extra.set(field, value) }
    }

    /// A field of the user, or what the settings say for everybody.
    private static func part(_ field: String?, _ template: Template?, _ table: VariableTable) throws(UserProblem) -> String {
        if let field { return field }
        guard let template else { return "" }
        do throws(TemplateError) { return try template.expand { table[$0] } } catch { throw UserProblem(text: error.message) }
    }

    private static func number(_ text: String, _ field: String, _ resolve: (String) -> UInt32?) throws(UserProblem) -> UInt32 {
        guard !text.isEmpty else { throw UserProblem(text: "userdb returned no \(field), and mail_\(field) is not set") }
        if let number = UInt32(text) { return number }
        guard let number = resolve(text) else { throw UserProblem(text: "unknown name in \(field): \(text)") }
        return number
    }

    /// `/chroot/./home` of 2.3: Culver confines without chroot, so the whole path counts.
    private static func withoutChrootMark(_ path: String) -> String {
        guard path.utf8.count >= 3 else { return path }
        return path.split(separator: "/", omittingEmptySubsequences: false).filter { $0 != "." }.joined(separator: "/")
    }

    /// `~` and `~/…` are the home of the user.
    private mutating func beginAtHome(_ part: WritableKeyPath<MailLocation, String>, _ setting: String) throws(UserProblem) {
        let path = location[keyPath: part]
        guard path == "~" || path.hasPrefix("~/") else { return }
        guard !home.isEmpty else { throw UserProblem(text: "userdb returned no home directory, but \(setting) = \(path) needs it") }
        location[keyPath: part] = home + path.dropFirst()
    }

    /// In the form that zygotes get; fields that no frame can hold are left out.
    func record(mechanism: String) -> UserRecord {
        var record = UserRecord()
        record.user = name
        record.uid = uid
        record.gid = gid
        record.home = home
        record.mailDriver = location.driver
        record.mailPath = location.path
        record.mailInboxPath = location.inboxPath
        record.mailControlPath = location.controlPath
        record.mailIndexPath = location.indexPath
        record.layout = location.layout
        record.method = mechanism
        record.extra = Array(extra.entries.map { "\($0.name)=\($0.value ?? "yes")" }.filter { $0.utf8.count <= 512 }.prefix(32))
        return record
    }

    /// The same as fields of a USER reply (auth.md 4).
    var replyFields: FieldList {
        var fields = FieldList([("uid", String(uid)), ("gid", String(gid))])
        let parts = [
            ("home", home), ("mail_driver", location.driver), ("mail_path", location.path), ("mail_inbox_path", location.inboxPath),
            ("mail_control_path", location.controlPath), ("mail_index_path", location.indexPath), ("mailbox_list_layout", location.layout),
        ]
        for (field, value) in parts where !value.isEmpty { fields.set(field, value) }
        for (field, value) in extra.entries { fields.set(field, value) }
        return fields
    }
}
