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
    /// It shows the mail of another one, which LIST shows there.
    let isAlias: Bool
    package let mailboxes: [MailboxSettings]

    init(_ settings: NamespaceSettings, storageSeparator: UInt8) {
        kind = settings.kind
        prefix = settings.prefix
        separator = settings.separator ?? storageSeparator
        holdsInbox = settings.holdsInbox
        isHidden = settings.isHidden
        listing = settings.listing
        holdsSubscriptions = settings.holdsSubscriptions
        isAlias = settings.aliasOf != nil
        mailboxes = settings.mailboxes
    }

    /// Refuses sets of namespaces in which a name could mean two things (reference/storage.md 12).
    static func check(_ all: [Namespace]) throws(StoreError) {
        let inboxes = all.filter(\.holdsInbox).count
        guard inboxes > 0 else { throw .unavailable("inbox=yes namespace missing") }
        guard inboxes == 1 else { throw .unavailable("There can be only one namespace with inbox=yes") }
        for (index, namespace) in all.enumerated() {
            let text = String(decoding: namespace.prefix, as: UTF8.self)
            guard !all[..<index].contains(where: { $0.prefix == namespace.prefix }) else {
                throw .unavailable("Duplicate namespace prefix: \"\(text)\"")
            }
            guard namespace.prefix.isEmpty || namespace.listing == .no || namespace.prefix.last == namespace.separator else {
                throw .unavailable("list=yes namespace prefix=\(text) must end with separator")
            }
            guard namespace.prefix.first != namespace.separator else {
                throw .unavailable("list=yes namespace prefix=\(text) must not start with separator")
            }
        }
        let listed = all.filter { $0.listing != .no }
        guard listed.allSatisfy({ $0.separator == listed[0].separator }) else {
            throw .unavailable("All list=yes namespaces must use the same separator")
        }
        guard !listed.isEmpty else { throw .unavailable("list=yes namespace missing") }
        guard all.contains(where: { !$0.isHidden }) else { throw .unavailable("hidden=no namespace missing") }
        guard all.contains(where: \.holdsSubscriptions) else { throw .unavailable("subscriptions=yes namespace missing") }
    }
}
