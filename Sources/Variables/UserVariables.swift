/// The variables of a user whose mail is opened, by their long names (config.md, variables): what paths of mail are made of.
package enum UserVariables {
    package static func table(user: String, home: String, uid: UInt32, gid: UInt32, service: String) -> [String: String] {
        let at = user.lastIndex(of: "@")
        return [
            "user": user, "username": at.map { String(user[..<$0]) } ?? user,
            "domain": at.map { String(user[user.index(after: $0)...]) } ?? "", "home": home, "uid": String(uid), "gid": String(gid),
            "service": service,
        ]
    }
}
