/// A line for the log that came up in the core, which writes none itself.
struct Note: Equatable {
    enum Level: Equatable { case debug, info, error }

    let level: Level
    /// `passwd-file(ada,127.0.0.1,<session>): Password mismatch`; holds foreign text, so it must be cleaned before it is written.
    let text: String

    /// - Parameter driver: the database, or `auth` for what concerns none.
    init(_ level: Level, _ driver: String, _ origin: Origin, _ identity: Identity, _ text: String) {
        self.level = level
        var parts = [identity.authenticated.isEmpty ? "?" : String(decoding: identity.authenticated.utf8.prefix(64), as: UTF8.self)]
        if !origin.remoteAddress.isEmpty { parts.append(origin.remoteAddress) }
        if identity.master != nil { parts.append("master") }
        if !origin.session.isEmpty { parts.append("<\(origin.session)>") }
        self.text = "\(driver)(\(parts.joined(separator: ","))): \(text)"
    }
}
