internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

// FETCH PREVIEW (RFC 8970).
extension IMAPSession {
    // msg-att-static =/ "PREVIEW" SP nstring
    func fetchPreview(
        isLazy: Bool, _ position: Int, _ plan: FetchPlan, _ source: inout MessageReader?, to out: inout ResponseWriter
    ) throws(CommandFailure) {
        out.text("PREVIEW ")
        if let known = plan.mailbox.cached(.preview, at: position) { return out.string(known) }
        // LAZY: what is not there is not made.
        if isLazy { return out.text("NIL") }
        let reader = try open(position, plan, &source)
        let text = try storing { () throws(StoreError) in try Self.preview(reader) }
        plan.mailbox.remember(.preview, text, at: position)
        out.string(text)
    }

    private static func preview(_ reader: MessageReader) throws(StoreError) -> [UInt8] {
        let message = try reader.structure()
        for index in message.previewParts {
            let part = message.parts[index]
            var preview = PreviewText(part)
            var offset = part.body.start
            while offset < part.body.end, !preview.isDone {
                let chunk = try reader.chunk(at: offset, atMost: Int(min(16_384, part.body.end - offset)))
                if chunk.isEmpty { break }
                preview.feed(chunk)
                offset += Int64(chunk.count)
            }
            let text = preview.finish()
            if !text.isEmpty { return text }
        }
        return []
    }
}
