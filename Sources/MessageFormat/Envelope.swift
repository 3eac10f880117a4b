/// The header fields of a message that ENVELOPE shows (RFC 9051 section 7.5.2): unfolded, blanks and encoded words left as they are.
package struct Envelope: Equatable, Sendable {
    package var date: [UInt8]?
    package var subject: [UInt8]?
    package var from: [Address]?
    package var sender: [Address]?
    package var replyTo: [Address]?
    package var to: [Address]?
    package var cc: [Address]?
    package var bcc: [Address]?
    package var inReplyTo: [UInt8]?
    package var messageID: [UInt8]?
    /// Not shown: threads are made by it. The first field of that name.
    package var references: [UInt8]?

    package init() {}

    /// Takes a field if it belongs here; of fields that are there twice the last one counts, but addresses add up. `value` is unfolded.
    mutating func take(_ name: ArraySlice<UInt8>, _ value: [UInt8]) {
        switch name.count {
        case 2 where name.isName("to"): Self.add(value, to: &to)
        case 2 where name.isName("cc"): Self.add(value, to: &cc)
        case 3 where name.isName("bcc"): Self.add(value, to: &bcc)
        case 4 where name.isName("date"): date = value
        case 4 where name.isName("from"): Self.add(value, to: &from)
        case 6 where name.isName("sender"): Self.add(value, to: &sender)
        case 7 where name.isName("subject"): subject = value
        case 8 where name.isName("reply-to"): Self.add(value, to: &replyTo)
        case 10 where name.isName("message-id"): messageID = value
        case 10 where name.isName("references"): references = references ?? value
        case 11 where name.isName("in-reply-to"): inReplyTo = value
        default: break
        }
    }

    static func isField(_ name: ArraySlice<UInt8>) -> Bool {
        switch name.count {
        case 2: name.isName("to") || name.isName("cc")
        case 3: name.isName("bcc")
        case 4: name.isName("date") || name.isName("from")
        case 6: name.isName("sender")
        case 7: name.isName("subject")
        case 8: name.isName("reply-to")
        case 10: name.isName("message-id") || name.isName("references")
        case 11: name.isName("in-reply-to")
        default: false
        }
    }

    private static func add(_ value: [UInt8], to field: inout [Address]?) {
        guard let more = AddressParser.parse(value), (field?.count ?? 0) + more.count <= Limits.addresses * 2 else { return }
        field = (field ?? []) + more
    }

    /// The date of the Date field.
    package var sentDate: MessageDate? { date.flatMap { MessageDate($0) } }
}
