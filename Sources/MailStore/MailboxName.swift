/// A mailbox name that is safe to turn into a path; `MailDriver.name` is the only way to one.
package struct MailboxName: Hashable, Comparable, Sendable {
    /// UTF-8 text as clients see it: prefix and separators of its namespace included, INBOX in capitals.
    package let text: [UInt8]
    /// Index into `MailDriver.namespaces`.
    package let namespace: Int
    package let isInbox: Bool
    /// Bytes of the namespace's prefix in `text`.
    let prefixLength: Int
    let separator: UInt8

    /// The parts without the namespace's prefix: at least one, none empty. Made anew each time: LIST has thousands of names.
    package var parts: [[UInt8]] {
        text[prefixLength...].split(separator: separator, omittingEmptySubsequences: false).map { Array($0) }
    }

    /// Whether it has more than one part.
    var isBelowAnother: Bool { text[prefixLength...].contains(separator) }

    package static func == (left: MailboxName, right: MailboxName) -> Bool { left.text == right.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
    /// By bytes of the text, INBOX first.
    package static func < (left: MailboxName, right: MailboxName) -> Bool {
        if left.isInbox != right.isInbox { return left.isInbox }
        return left.text.lexicographicallyPrecedes(right.text)
    }

    /// For logs and error texts; goes through `LogText` before it is written.
    package var description: String { String(decoding: text, as: UTF8.self) }
}
