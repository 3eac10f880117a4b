internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

// THREAD (RFC 5256).
extension IMAPSession {
    func thread(_ command: ThreadCommand) throws(CommandFailure) -> Completion {
        try check(charset: command.charset)
        let mailbox = try selected()
        try requireUID(command.isUID)
        let condition = try SearchCondition(command.key, self, mailbox, saved: savedSearch)
        _ = try limited(condition, in: mailbox, isWhole: true)
        let found = try matches(condition, among: mailbox.messages.indices, in: mailbox)
        let messages = try storing { () throws(StoreError) in
            try Self.threaded(found, in: mailbox, command, comparator)
        }
        stream.out.text("* THREAD")
        if !messages.isEmpty { stream.out.byte(0x20) }
        ThreadBuilder(messages, command.algorithm).write(to: &stream.out)
        stream.out.newline()
        return try report("Thread completed.", expunges: command.isUID, withUID: command.isUID)
    }

    private static func threaded(
        _ positions: [Int], in mailbox: any Mailbox, _ command: ThreadCommand, _ comparator: Comparator
    ) throws(StoreError) -> [ThreadedMessage] {
        let source = EnvelopeSource(mailbox)
        let picture = mailbox.messages
        var messages: [ThreadedMessage] = []
        messages.reserveCapacity(positions.count)
        for position in positions {
            do throws(StoreError) {
                let number = command.isUID ? picture[position].uid : UInt32(clamping: position + 1)
                messages.append(try message(at: position, number, command.algorithm, source, comparator))
            } catch {
                guard case .expunged = error else { throw error }
            }
        }
        return messages
    }

    private static func message(
        at position: Int, _ number: UInt32, _ algorithm: ThreadCommand.Algorithm, _ source: EnvelopeSource,
        _ comparator: Comparator
    ) throws(StoreError) -> ThreadedMessage {
        var fields: EnvelopeFields
        var references: [UInt8] = []
        if algorithm == .orderedSubject {
            fields = try source.fields(at: position)
        } else {
            (fields, references) = try source.fieldsWithReferences(at: position)
        }
        let base = BaseSubject(algorithm == .refs ? [] : fields.subject ?? [])
        var message = ThreadedMessage(
            number: number, sentDate: try source.sentDate(fields, at: position), subject: comparator.key(base.text),
            isReply: base.isReplyOrForward, messageID: nil, ancestors: [])
        guard algorithm != .orderedSubject else { return message }
        message.messageID = MessageIDs.first(in: fields.messageID ?? [])
        message.ancestors = MessageIDs.all(in: references, atMost: ThreadBuilder.ancestors)
        if message.ancestors.isEmpty, let parent = MessageIDs.first(in: fields.inReplyTo ?? []) { message.ancestors = [parent] }
        return message
    }
}
