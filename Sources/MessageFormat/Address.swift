/// One entry of an address list as ENVELOPE shows it (RFC 9051 section 7.5.2). A group is a start with only a mailbox, its members, and an empty end.
package struct Address: Equatable, Sendable {
    /// The display name, still with encoded words.
    package var name: [UInt8]?
    /// `@a,@b` of an old source route.
    package var route: [UInt8]?
    package var mailbox: [UInt8]?
    package var host: [UInt8]?

    package init(name: [UInt8]? = nil, route: [UInt8]? = nil, mailbox: [UInt8]? = nil, host: [UInt8]? = nil) {
        self.name = name
        self.route = route
        self.mailbox = mailbox
        self.host = host
    }

    /// What stands for a missing half of an address: NIL there would mean a group.
    package static let missingMailbox = Array("MISSING_MAILBOX".utf8)
    package static let missingHost = Array("MISSING_DOMAIN".utf8)
    /// What is told in place of what cannot be read, in the words that clients know from Dovecot.
    package static let brokenHost = Array("SYNTAX_ERROR".utf8)
    package static let brokenRoute = Array("INVALID_ROUTE".utf8)
}
