internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// The mailbox that the last URL of a command named: the next one often names it too.
struct URLSource {
    var mailbox: (any Mailbox)?
}

// What CATENATE takes from messages that are here already (RFC 4469, RFC 5092).
extension IMAPSession {
    /// Appends what a URL names to a message.
    func copy(_ url: [UInt8], _ source: inout URLSource, to transaction: any SaveTransaction) throws(CommandFailure) {
        guard let place = MessageURL(url) else { throw .badURL(url) }
        do throws(CommandFailure) {
            let mailbox = try mailbox(place, &source)
            let message = mailbox.position(of: place.uid)
            guard message.isExact, place.uidValidity.map({ $0 == mailbox.uidValidity }) ?? true else { throw .badURL(url) }
            let plan = FetchPlan(mailbox, [], flagTexts(of: mailbox))
            var reader: MessageReader?
            let opened = try open(message.index, plan, &reader)
            guard try copy(place.section, message.index, plan, opened, to: transaction) else { throw .badURL(url) }
        } catch {
            switch error {
            case .noMailbox, .store(.notFound), .store(.expunged), .store(.invalidName): throw .badURL(url)
            default: throw error
            }
        }
    }

    private func mailbox(_ place: MessageURL, _ source: inout URLSource) throws(CommandFailure) -> any Mailbox {
        guard let text = place.mailbox else { return try selected() }
        let name = try storing { () throws(StoreError) in try store.name(text) }
        if let mailbox, mailbox.name == name { return mailbox }
        if let last = source.mailbox, last.name == name { return last }
        let opened = try storing { () throws(StoreError) in try store.open(name, access: .readOnly) }
        source.mailbox = opened
        return opened
    }

    /// False when the message has no such section.
    private func copy(
        _ section: BodySection, _ position: Int, _ plan: FetchPlan, _ reader: MessageReader, to transaction: any SaveTransaction
    ) throws(CommandFailure) -> Bool {
        var skip = Int64(section.partial?.first ?? 0)
        var left = section.partial.map { Int64($0.count) } ?? .max
        func append(_ bytes: ArraySlice<UInt8>) throws(CommandFailure) -> Bool {
            let skipped = Int(min(skip, Int64(bytes.count)))
            skip -= Int64(skipped)
            let taken = bytes.dropFirst(skipped).prefix(Int(min(left, Int64(bytes.count))))
            left -= Int64(taken.count)
            if !taken.isEmpty { try storing { () throws(StoreError) in try transaction.append(taken) } }
            return left > 0
        }
        switch try storing({ () throws(StoreError) in try find(section, position, plan, reader) }) {
        case .missing: return false
        case .bytes(let bytes): _ = try append(bytes[...])
        case .extent(let extent):
            var cursor: ExtentCursor?
            try reader.wireBytes(of: extent, from: 0, cursor: &cursor) { bytes throws(CommandFailure) in try append(bytes[...]) }
        }
        return true
    }
}
