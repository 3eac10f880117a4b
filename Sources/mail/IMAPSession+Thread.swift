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
        let found = try matches(condition, in: mailbox)
        let messages = try storing { () throws(StoreError) in
            try Self.threaded(found, in: mailbox, command, comparator)
        }
        stream.out.text("* THREAD")
        if !messages.all.isEmpty { stream.out.byte(0x20) }
        ThreadBuilder(messages, command.algorithm).write(to: &stream.out)
        stream.out.newline()
        return try report("Thread completed.", expunges: command.isUID, withUID: command.isUID)
    }

    private static func threaded(
        _ positions: [Int], in mailbox: any Mailbox, _ command: ThreadCommand, _ comparator: Comparator
    ) throws(StoreError) -> ThreadedMessages {
        let source = KeySource(mailbox)
        let picture = mailbox.messages
        var messages = ThreadedMessages(expected: positions.count, comparator)
        try source.forEach(of: positions) { (position, keys) throws(StoreError) in
            guard let keys else { return }
            let number = command.isUID ? picture.uid(at: position) : UInt32(clamping: position + 1)
            messages.add(
                number, keys, sentDate: try source.sentDate(keys, at: position), withSubject: command.algorithm != .refs,
                withIDs: command.algorithm != .orderedSubject)
        }
        return messages
    }
}
