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

    /// Messages whose keys are looked up at once.
    private static let batch = 256

    /// Calls `body` with the keys of each message (none without `needsKeys`); messages that are gone are left out, also where `body` finds that.
    func forEach(
        of positions: [Int], needsKeys: Bool = true, _ body: (Int, MessageKeys?) throws(StoreError) -> Void
    ) throws(StoreError) {
        var known: [ArraySlice<UInt8>?] = []
        var start = 0
        while start < positions.count {
            let batch = positions[start..<min(positions.count, start + Self.batch)]
            if needsKeys { mailbox.cached(.keys, at: batch, into: &known) }
            for index in batch.indices {
                do throws(StoreError) {
                    var keys = needsKeys ? known[index - start].flatMap(MessageKeys.init) : nil
                    if needsKeys, keys == nil { keys = try self.keys(at: positions[index]) }
                    try body(positions[index], keys)
                } catch {
                    guard case .expunged = error else { throw error }
                }
            }
            start = batch.endIndex
        }
    }

    /// When it was sent, in seconds since 1970: the Date field, or else INTERNALDATE (RFC 5256 section 2.2).
    func sentDate(_ keys: MessageKeys, at position: Int) throws(StoreError) -> Int64 {
        if let date = keys.sentDate { return date }
        return try mailbox.internalDate(at: position)
    }
}
