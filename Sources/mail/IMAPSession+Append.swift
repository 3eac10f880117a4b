internal import IMAPSyntax
internal import MailStore

/// The announcement of a message that follows.
struct MessageLiteral {
    var size: Int64
    var isNonSynchronising: Bool
}

// APPEND (RFC 9051 section 6.3.12) of one or more messages (RFC 3502). Messages go to the store as they come.
extension IMAPSession {
    func append(_ raw: RawCommand, _ literal: MessageLiteral) throws(SessionEnd) {
        var parser = CommandParser(raw, limits: settings.limits)
        commandName = Array("APPEND".utf8)
        let tag: [UInt8]
        let command: AppendCommand
        do throws(SyntaxError) {
            tag = try parser.tag()
            command = try parser.append()
        } catch {
            try discard(literal)
            stream.out.status(raw.tagOrStar, "BAD Error in IMAP command APPEND: \(error.text).")
            return try countBad()
        }
        begin()
        try perform(tag) { () throws(CommandFailure) in try self.append(command, literal) }
    }

    private func append(_ command: AppendCommand, _ literal: MessageLiteral) throws(CommandFailure) -> Completion {
        let transaction: any SaveTransaction
        do throws(CommandFailure) {
            let name = try mailboxName(command.mailbox, for: .insert)
            transaction = try storing { () throws(StoreError) in try store.beginSave(to: name) }
        } catch {
            try ending { () throws(SessionEnd) in try discard(literal) }
            if case .store(.notFound) = error { throw .noMailbox(command.mailbox, code: "[TRYCREATE] ") }
            throw error
        }
        var count = 0
        var next: (message: AppendMessage, literal: MessageLiteral)? = (command.message, literal)
        do throws(CommandFailure) {
            while let (message, literal) = next {
                try save(message, literal, to: transaction)
                count += 1
                next = try followingMessage()
            }
            let saved = try storing { () throws(StoreError) in try transaction.commit() }
            statistics.appended += count
            var completion = Completion("Append completed.")
            completion.code.text("[APPENDUID ")
            completion.code.number(saved.uidValidity)
            completion.code.byte(0x20)
            completion.code.set(NumberSet(saved.uids))
            completion.code.byte(0x5d)
            try reportChanges(expunges: true, withUID: false)
            return completion
        } catch {
            transaction.abandon()
            throw error
        }
    }

    /// Takes one message from the client. When it fails, what is left of the command was read.
    private func save(_ message: AppendMessage, _ literal: MessageLiteral, to transaction: any SaveTransaction) throws(CommandFailure) {
        do throws(CommandFailure) {
            guard literal.size > 0 else { throw .no("Can't save a zero byte message.") }
            let keywords = try keywords(message.flags)
            let new = NewMessage(
                flags: MessageFlags(rawValue: message.flags.system.rawValue), keywords: keywords,
                internalDate: message.internalDate?.unixSeconds)
            try storing { () throws(StoreError) in try transaction.begin(new) }
        } catch {
            try ending { () throws(SessionEnd) in try discard(literal) }
            throw error
        }
        var failure: CommandFailure?
        try ending { () throws(SessionEnd) in
            try invite(literal)
            try readLiteral { bytes in
                guard failure == nil else { return }
                if !message.isBinary, bytes.contains(0) {
                    failure = .bad("NULs are not allowed outside of literal8")
                    return
                }
                do throws(StoreError) { try transaction.append(bytes) } catch { failure = .store(error) }
            }
        }
        if failure == nil {
            do throws(StoreError) { try transaction.end() } catch { failure = .store(error) }
        }
        if let failure {
            try ending { () throws(SessionEnd) in try skipRest() }
            throw failure
        }
    }

    private func invite(_ literal: MessageLiteral) throws(SessionEnd) {
        guard !literal.isNonSynchronising else { return }
        stream.out.text("+ OK")
        stream.out.newline()
        try stream.flush()
    }

    /// Hands the message's bytes to `take` as they come.
    private func readLiteral(_ take: (ArraySlice<UInt8>) -> Void) throws(SessionEnd) {
        while reader.literalRemaining > 0 {
            let bytes = reader.takeLiteral(atMost: 65_536)
            if !bytes.isEmpty {
                take(bytes)
                continue
            }
            guard try stream.wait(milliseconds: settings.pauseMilliseconds) == .input else { throw .inactivity }
            reader.feed(try stream.read())
        }
    }

    /// Refuses a message: a synchronising one is not sent then, another one has to be read.
    private func discard(_ literal: MessageLiteral) throws(SessionEnd) {
        guard literal.isNonSynchronising else { return reader.refuseLiteral() }
        try readLiteral { _ in }
        try skipRest()
    }

    /// Reads the rest of an APPEND that failed; further synchronising messages are refused.
    private func skipRest() throws(SessionEnd) {
        while true {
            switch reader.next() {
            case .needMore: try receive()
            case .continuation: break
            case .command: return
            case .appendLiteral(_, _, let nonSynchronising):
                guard nonSynchronising else { return reader.refuseLiteral() }
                try readLiteral { _ in }
            case .overLimit(let refusal):
                if refusal.mustClose { throw .unsafeInput("Literal too large.") }
                return
            }
        }
    }

    /// What comes after a message: nothing, or the next one.
    private func followingMessage() throws(CommandFailure) -> (message: AppendMessage, literal: MessageLiteral)? {
        while true {
            switch reader.next() {
            case .needMore: try ending { () throws(SessionEnd) in try receive() }
            case .continuation: break
            case .command(let rest):
                guard rest.bytes.isEmpty else { throw .bad("Expected end of command") }
                return nil
            case .appendLiteral(let raw, let size, let nonSynchronising):
                var parser = CommandParser(raw, limits: settings.limits)
                let literal = MessageLiteral(size: size, isNonSynchronising: nonSynchronising)
                do throws(SyntaxError) { return (try parser.appendMessage(), literal) } catch {
                    try ending { () throws(SessionEnd) in try discard(literal) }
                    throw .bad(error.text)
                }
            case .overLimit(let refusal):
                if refusal.mustClose { throw .end(.unsafeInput("Literal too large.")) }
                throw .bad("Too long")
            }
        }
    }
}
