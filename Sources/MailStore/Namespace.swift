/// A part of the mailbox names with its own prefix and separator (RFC 2342).
package struct Namespace: Sendable {
    package let kind: NamespaceSettings.Kind
    /// As a client writes it, with the separator at its end; empty for the usual one.
    package let prefix: [UInt8]
    package let separator: UInt8
    package let holdsInbox: Bool
    package let isHidden: Bool
    package let listing: NamespaceSettings.Listing
    package let holdsSubscriptions: Bool
    package let mailboxes: [MailboxSettings]
}
