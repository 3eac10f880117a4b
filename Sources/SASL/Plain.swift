/// PLAIN: one message with everything (RFC 4616).
enum Plain {
    // message = [authzid] UTF8NUL authcid UTF8NUL passwd                    RFC 4616, section 2
    static func read(_ message: [UInt8]) -> Action {
        let parts = message.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return .fail(.malformed("PLAIN message without exactly two NUL bytes")) }
        let credentials = Credentials(authorization: Array(parts[0]), authentication: Array(parts[1]), password: Array(parts[2]))
        return credentials.checked()
    }
}

extension Credentials {
    /// Applies the limits and rules that every mechanism with a password shares.
    func checked() -> Action {
        guard authorization.count <= Limits.name, authentication.count <= Limits.name else { return .fail(.overLimit("user name")) }
        guard password.count <= Limits.password else { return .fail(.overLimit("password")) }
        guard !authentication.isEmpty else { return .fail(.emptyUsername) }
        guard !authentication.contains(0), !password.contains(0) else { return .fail(.malformed("NUL in a field")) }
        return .verify(self)
    }
}
