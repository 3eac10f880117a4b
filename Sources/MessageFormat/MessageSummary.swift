/// Everything that an index keeps of a message. Nil: it was not at hand, and has to be made when it is asked for.
package struct MessageSummary: Sendable {
    package let envelope: [UInt8]
    package let bodyStructure: [UInt8]
    package let keys: MessageKeys
    /// See `CommonFields`.
    package let fields: [UInt8]?
    package let preview: [UInt8]?

    /// Bytes of all of it.
    package var size: Int { envelope.count + bodyStructure.count + keys.bytes.count + (fields?.count ?? 0) + (preview?.count ?? 0) }
}

/// Makes the summary of a message in the one pass in which it is saved. Memory: the parser's, and the beginning of the message.
package struct MessageSummarizer {
    private var parser = MessageParser()
    private var head: [UInt8] = []

    /// How much of a message is kept until its end, where the parts whose text is shown are known.
    package static let headSize = 65_536

    package init() {}

    /// The next bytes of the message as it is stored.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) {
        parser.feed(bytes)
        if head.count < Self.headSize { head.append(contentsOf: bytes.prefix(Self.headSize - head.count)) }
    }

    package consuming func finish() -> MessageSummary {
        let head = head
        let message = parser.finish()
        let header = message.root.header
        // A header that goes on behind the limit is cut there by the parser, but not where fields are read.
        let isWhole = header.end <= head.count && header.lines < Limits.headerLines
        return MessageSummary(
            envelope: message.envelopeText, bodyStructure: message.structureText(isExtended: true), keys: MessageKeys(message.envelope),
            fields: isWhole ? CommonFields.lines(of: head[..<Int(header.end)]) : nil, preview: Self.preview(message, head))
    }

    /// Nil where its text goes on behind the head.
    private static func preview(_ message: MessageStructure, _ head: [UInt8]) -> [UInt8]? {
        for index in message.previewParts {
            let body = message.parts[index].body
            var preview = PreviewText(message.parts[index])
            let range = min(Int(body.start), head.count)..<min(Int(body.end), head.count)
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 4_096) where !preview.isDone {
                preview.feed(head[start..<min(start + 4_096, range.upperBound)])
            }
            guard preview.isDone || range.count == Int(body.size) else { return nil }
            let text = preview.finish()
            if !text.isEmpty { return text }
        }
        return []
    }
}

/// The header fields that clients and searches ask for most, as they are stored: an answer that needs no other field comes from the index.
package enum CommonFields {
    private static let names = [
        "to", "cc", "bcc", "date", "from", "sender", "subject", "list-id", "list-post", "reply-to", "priority", "x-mailer", "user-agent",
        "importance", "message-id", "references", "newsgroups", "x-priority", "in-reply-to", "content-type", "mime-version",
        "list-unsubscribe", "disposition-notification-to",
    ]
    /// By length, which tells nearly all others apart.
    private static let byLength: [[String]] = (0..<32).map { length in names.filter { $0.utf8.count == length } }

    package static func contains(_ name: ArraySlice<UInt8>) -> Bool {
        name.count < byLength.count && byLength[name.count].contains { name.isName($0) }
    }

    package static func contains(_ name: [UInt8]) -> Bool { contains(name[...]) }

    /// The lines of these fields of a header.
    package static func lines(of header: ArraySlice<UInt8>) -> [UInt8] {
        var lines: [UInt8] = []
        for field in HeaderFields(header) where contains(field.name) { lines.append(contentsOf: field.lines) }
        return lines
    }
}
