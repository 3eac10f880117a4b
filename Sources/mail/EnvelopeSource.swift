internal import MailStore
internal import MessageFormat

/// Reads what SORT and THREAD compare: from what the mailbox remembers, else from the header, once for each message.
final class EnvelopeSource {
    private let mailbox: any Mailbox
    private static let references = CachedItem.header(Array("REFERENCES".utf8))

    init(_ mailbox: any Mailbox) { self.mailbox = mailbox }

    func fields(at position: Int) throws(StoreError) -> EnvelopeFields {
        if let known = mailbox.cached(.envelope, at: position) { return EnvelopeFields(known) }
        let text = try MessageReader(try mailbox.content(at: position)).envelopeText()
        mailbox.remember(.envelope, text, at: position)
        return EnvelopeFields(text)
    }

    /// The same with the value of References, unfolded; empty where there is none.
    func fieldsWithReferences(at position: Int) throws(StoreError) -> (fields: EnvelopeFields, references: [UInt8]) {
        if let known = mailbox.cached(.envelope, at: position), let references = mailbox.cached(Self.references, at: position) {
            return (EnvelopeFields(known), references)
        }
        let reader = MessageReader(try mailbox.content(at: position))
        let text = try reader.envelopeText()
        let references = HeaderFields(try reader.header()).first { $0.name.isName("references") }?.unfolded ?? []
        mailbox.remember(.envelope, text, at: position)
        mailbox.remember(Self.references, references, at: position)
        return (EnvelopeFields(text), references)
    }

    /// When it was sent, in seconds since 1970: the Date field, or else INTERNALDATE (RFC 5256 section 2.2).
    func sentDate(_ fields: EnvelopeFields, at position: Int) throws(StoreError) -> Int64 {
        if let date = fields.date.flatMap({ MessageDate($0) }) { return date.unixSeconds }
        return try mailbox.internalDate(at: position)
    }
}
