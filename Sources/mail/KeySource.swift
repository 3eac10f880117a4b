internal import MailStore
internal import MessageFormat

/// Reads what SORT, THREAD and SEARCH compare: from what the mailbox remembers, else from the header, which then is remembered.
final class KeySource {
    private let mailbox: any Mailbox
    private let buffer = ReadBuffer()

    init(_ mailbox: any Mailbox) { self.mailbox = mailbox }

    func keys(at position: Int) throws(StoreError) -> MessageKeys {
        if let known = mailbox.cached(.keys, at: position), let keys = MessageKeys(known) { return keys }
        var parser = MessageParser()
        parser.feed(try MessageReader(try mailbox.content(at: position), buffer).header()[...])
        let keys = MessageKeys(parser.finish().envelope)
        mailbox.remember(.keys, Array(keys.bytes), at: position)
        return keys
    }

    /// When it was sent, in seconds since 1970: the Date field, or else INTERNALDATE (RFC 5256 section 2.2).
    func sentDate(_ keys: MessageKeys, at position: Int) throws(StoreError) -> Int64 {
        if let date = keys.sentDate { return date }
        return try mailbox.internalDate(at: position)
    }
}
