/// What the client switched on with ENABLE (RFC 5161), or by using it.
struct EnabledExtensions: OptionSet {
    let rawValue: UInt8

    /// RFC 9051: no \Recent, ESEARCH answers, UTF-8 names.
    static let imap4rev2 = EnabledExtensions(rawValue: 1)
    /// RFC 6855.
    static let utf8Accept = EnabledExtensions(rawValue: 2)

    /// RFC 9586: messages are named by UID only, in both directions.
    static let uidOnly = EnabledExtensions(rawValue: 4)

    /// RFC 7162: changes come with their modseq.
    static let condStore = EnabledExtensions(rawValue: 8)
    /// RFC 7162: what is expunged is told by UID, also what went away before.
    static let qresync = EnabledExtensions(rawValue: 16)

    /// What ENABLE knows, by the name of the capability.
    static let names: [(name: String, value: EnabledExtensions)] = [
        ("IMAP4rev2", .imap4rev2), ("UTF8=ACCEPT", .utf8Accept), ("UIDONLY", .uidOnly),
        ("CONDSTORE", .condStore), ("QRESYNC", [.condStore, .qresync]),
    ]

    /// Mailbox names are UTF-8 in both directions, and quoted strings may be.
    var speaksUTF8: Bool { !isDisjoint(with: [.imap4rev2, .utf8Accept]) }
}
