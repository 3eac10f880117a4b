package import MailStore
internal import Platform

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

    package var variables: [String: String] {
        let at = name.lastIndex(of: "@")
        return [
            "user": name, "username": at.map { String(name[..<$0]) } ?? name,
            "domain": at.map { String(name[name.index(after: $0)...]) } ?? "",
            "home": home ?? "", "uid": String(uid), "gid": String(gid), "pid": String(Process.id),
        ]
    }

    /// Where the mail is: the user database's word before the setting.
    package func mailLocation(_ configuration: MailConfiguration) throws(AccessFailure) -> MailLocation {
        var table = variables
        table["service"] = configuration.service
        var result = try configuration.location(table)
        guard let location, !location.isEmpty else {
            result.path = fields["mail_path"] ?? result.path
            result.inboxPath = fields["mail_inbox_path"] ?? result.inboxPath
            result.controlPath = fields["mail_control_path"] ?? result.controlPath
            result.indexPath = fields["mail_index_path"] ?? result.indexPath
            if let layout = fields["mailbox_list_layout"] { result.layout = layout == "fs" ? .nested : .maildirPlusPlus }
            guard !result.path.isEmpty else { throw AccessFailure(.configuration, "mail_path is not set") }
            return result
        }
        // 2.3: DRIVER:PATH[:KEY=VALUE]…
        var fields = location.split(separator: ":", omittingEmptySubsequences: false)[...]
        if let driver = fields.first, fields.count > 1, !driver.hasPrefix("/"), !driver.hasPrefix("~") {
            guard driver == "maildir" else { throw AccessFailure(.temporary, "Unknown mail storage driver \(driver)") }
            fields = fields.dropFirst()
        }
        result.path = fields.popFirst().map(String.init) ?? ""
        for field in fields {
            let pair = field.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { continue }
            switch pair[0] {
            case "INBOX": result.inboxPath = pair[1]
            case "CONTROL": result.controlPath = pair[1]
            case "INDEX": result.indexPath = pair[1]
            case "LAYOUT": result.layout = pair[1] == "fs" ? .nested : .maildirPlusPlus
            default: break
            }
        }
        return result
    }
}
