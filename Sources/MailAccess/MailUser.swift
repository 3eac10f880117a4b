package import MailStore
internal import Platform
internal import Variables

/// The user whose mail it is.
package struct MailUser {
    package var name: String
    package var uid: UInt32
    package var gid: UInt32
    package var home: String?
    /// `mail=` of a 2.3 user database: the whole location, instead of the settings.
    package var location: String?
    /// `mail_path`, `quota_rule`, … of the user database, each instead of the setting of that name.
    package var fields: [String: String] = [:]

    package init(name: String, uid: UInt32, gid: UInt32, home: String? = nil) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
    }

    /// Asks auth's user database.
    package static func find(_ name: String, _ configuration: MailConfiguration) throws(AccessFailure) -> MailUser {
        try UserLookup.find(name, service: configuration.service, socket: configuration.authSocket)
    }

    /// From here on nothing can be done that the user could not do.
    package func become(_ configuration: MailConfiguration) throws(AccessFailure) {
        func number(_ name: String) -> UInt32 { UInt32(configuration.value(name)) ?? 0 }
        if Process.isRoot {
            let last = number("last_valid_uid")
            guard uid >= max(number("first_valid_uid"), 1), last == 0 || uid <= last else {
                throw AccessFailure(.temporary, "User \(name) has uid \(uid), which first_valid_uid and last_valid_uid do not permit")
            }
            guard gid >= number("first_valid_gid") else {
                throw AccessFailure(.temporary, "User \(name) has gid \(gid), which first_valid_gid does not permit")
            }
            do throws(SystemError) { try Process.become(uid: uid, gid: gid) } catch {
                throw AccessFailure(.temporary, error.description)
            }
        } else if uid != Process.effectiveUID {
            throw AccessFailure(
                .temporary,
                "User \(name) has uid \(uid), but this process runs with uid \(Process.effectiveUID): start it as root or as that user")
        }
    }

    func variables(service: String) -> [String: String] {
        UserVariables.table(user: name, home: home ?? "", uid: uid, gid: gid, service: service)
    }

    /// Where the mail is: the user database's word before the setting.
    package func mailLocation(_ configuration: MailConfiguration) throws(AccessFailure) -> MailLocation {
        var result = try configuration.location(variables(service: configuration.service))
        guard let location, !location.isEmpty else {
            result.path = fields["mail_path"] ?? result.path
            result.inboxPath = fields["mail_inbox_path"] ?? result.inboxPath
            result.controlPath = fields["mail_control_path"] ?? result.controlPath
            result.indexPath = fields["mail_index_path"] ?? result.indexPath
            if let layout = fields["mailbox_list_layout"] { result.layout = layout == "fs" ? .nested : .maildirPlusPlus }
            guard !result.path.isEmpty else { throw AccessFailure(.configuration, "mail_path is not set") }
            return result
        }
        guard let whole = MailLocation(text: location) else {
            throw AccessFailure(.temporary, "mail=\(location): only maildir:PATH is available in this version")
        }
        return whole
    }
}
