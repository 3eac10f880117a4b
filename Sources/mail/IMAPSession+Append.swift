internal import IMAPSyntax
internal import MailStore

// APPEND (RFC 9051 section 6.3.12) of one or more messages (RFC 3502), and REPLACE (RFC 8508). Messages go to the store as they come.
extension IMAPSession {
    /// Runs the command that begins with this piece; without `literal` it is the only one.
    func append(_ raw: RawCommand, _ literal: MessageLiteral?) throws(SessionEnd) {
        var input = AppendInput(raw, literal, limits: settings.limits)
        commandName = []
        let tag: [UInt8]
        let command: AppendCommand
        do throws(SyntaxError) {
            tag = try input.parser.tag()
            command = try input.parser.append(name: &commandName)
        } catch {
            try input.skip(self)
            stream.out.status(raw.tagOrStar, "BAD Error in IMAP command \(commandText): \(error.text).")
            return try countBad()
        }
        begin(tag)
        try perform(tag) { () throws(CommandFailure) in
            do throws(CommandFailure) { return try self.append(command, &input) } catch {
                if case .end = error { throw error }
                try ending { () throws(SessionEnd) in try input.skip(self) }
                throw error
            }
        }
    }

    private func append(_ command: AppendCommand, _ input: inout AppendInput) throws(CommandFailure) -> Completion {
        let replaced = try command.replaced.map { replaced throws(CommandFailure) in try position(of: replaced) }
        let transaction: any SaveTransaction
        let name: MailboxName
        do throws(CommandFailure) {
            name = try mailboxName(command.mailbox, for: .insert)
            transaction = try storing { () throws(StoreError) in try store.beginSave(to: name) }
        } catch {
            if case .store(.notFound) = error { throw .noMailbox(command.mailbox, code: "[TRYCREATE] ") }
            throw error
        }
        do throws(CommandFailure) {
            var count = 0
            repeat {
                try save(&input, to: transaction)
                count += 1
                try refuseBeyondLimit(count)
            } while command.replaced == nil && !input.parser.isAtEnd
            try understood { () throws(SyntaxError) in try input.parser.end() }
            let saved = try storing { () throws(StoreError) in try transaction.commit() }
            statistics.appended += count
            noteSaved(saved.uids, saved.uidValidity, in: name)
            if let replaced { return try finishReplace(replaced, saved) }
            var completion = Completion("Append completed.")
            Self.writeAppendUID(saved, to: &completion.code)
            try reportChanges(expunges: true, withUID: false)
            return completion
        } catch {
            transaction.abandon()
            throw error
        }
    }

    // resp-code-apnd = "APPENDUID" SP nz-number SP append-uid            RFC 4315 section 4
    private static func writeAppendUID(_ saved: SavedMessages, to out: inout ResponseWriter) {
        out.text("[APPENDUID ")
        out.number(saved.uidValidity)
        out.byte(0x20)
        out.set(NumberSet(saved.uids))
        out.byte(0x5d)
    }

    private func understood<Result>(_ body: () throws(SyntaxError) -> Result) throws(CommandFailure) -> Result {
        do throws(SyntaxError) { return try body() } catch { throw .bad(error.text) }
    }

    /// Takes one message from the client, up to the end of it in the command.
    private func save(_ input: inout AppendInput, to transaction: any SaveTransaction) throws(CommandFailure) {
        let message = try understood { () throws(SyntaxError) in try input.parser.appendMessage() }
        if message.content == .utf8, !enabled.contains(.utf8Accept) { throw .bad("UTF8 takes ENABLE UTF8=ACCEPT") }
        if message.content != .catenate, input.literal?.size == 0 { throw .no("Can't save a zero byte message.") }
        let new = NewMessage(
            flags: MessageFlags(rawValue: message.flags.system.rawValue), keywords: try keywords(message.flags),
            internalDate: message.internalDate?.unixSeconds)
        try storing { () throws(StoreError) in try transaction.begin(new) }
        switch message.content {
        case .literal(let isBinary):
            try saveLiteral(&input, to: transaction, isBinary: isBinary)
            try input.advance(self)
        case .utf8:
            try saveLiteral(&input, to: transaction, isBinary: true)
            try input.advance(self)
            try understood { () throws(SyntaxError) in try input.parser.closeList() }
        case .catenate: try catenate(&input, to: transaction)
        }
        let size = try storing { () throws(StoreError) in try transaction.end() }
        if size == 0 { throw .no("Can't save a zero byte message.") }
    }

    /// Stores a literal. All of it is read, also when it cannot be stored.
    private func saveLiteral(_ input: inout AppendInput, to transaction: any SaveTransaction, isBinary: Bool) throws(CommandFailure) {
        if let size = input.literal?.size { try storing { () throws(StoreError) in try transaction.admit(size) } }
        var failure: CommandFailure?
        try input.readLiteral(self) { bytes in
            guard failure == nil else { return }
            if !isBinary, bytes.contains(0) {
                failure = .bad("NULs are not allowed outside of literal8")
                return
            }
            do throws(StoreError) { try transaction.append(bytes) } catch { failure = .store(error) }
        }
        if let failure { throw failure }
    }

    // MARK: CATENATE

    private func catenate(_ input: inout AppendInput, to transaction: any SaveTransaction) throws(CommandFailure) {
        var source = URLSource()
        var count = 0
        repeat {
            count += 1
            guard count <= IMAPSyntax.Limits.catenateParts else { throw .no("[LIMIT] Too many parts.") }
            switch try understood({ () throws(SyntaxError) in try input.parser.catenatePart() }) {
            case .url(let url): try copy(url, &source, to: transaction)
            case .urlLiteral:
                let url = try readURL(&input)
                try input.advance(self)
                try copy(url, &source, to: transaction)
            case .text(let isBinary):
                try saveLiteral(&input, to: transaction, isBinary: isBinary)
                try input.advance(self)
            }
        } while try understood { () throws(SyntaxError) in try input.parser.catenateGoesOn() }
    }

    private func readURL(_ input: inout AppendInput) throws(CommandFailure) -> [UInt8] {
        guard let size = input.literal?.size, size <= Int64(IMAPSyntax.Limits.url) else { throw .bad("Too long: URL") }
        var url: [UInt8] = []
        try input.readLiteral(self) { url += $0 }
        return url
    }

    // MARK: REPLACE

    /// Where the message is that goes away.
    private func position(of replaced: AppendCommand.Replaced) throws(CommandFailure) -> UInt32 {
        let mailbox = try selectedForWriting()
        try requireUID(replaced.isUID)
        guard let position = try positions(replaced.number, isUID: replaced.isUID, in: mailbox).first?.first else {
            throw .no("[NONEXISTENT] No such message.")
        }
        return mailbox.messages.uid(at: position)
    }

    /// The new message is in its mailbox; now the old one goes (RFC 8508 section 3.1: APPENDUID before EXPUNGE).
    private func finishReplace(_ uid: UInt32, _ saved: SavedMessages) throws(CommandFailure) -> Completion {
        let mailbox = try selectedForWriting()
        stream.out.text("* OK ")
        Self.writeAppendUID(saved, to: &stream.out)
        stream.out.text(" Replacement message ready.")
        stream.out.newline()
        let place = mailbox.position(of: uid)
        if place.isExact {
            try storing { () throws(StoreError) in try mailbox.expunge([place.index]) }
            statistics.expunged += 1
        }
        try reportChanges(expunges: true, withUID: false, isForced: true)
        return Completion("Replace completed.")
    }
}
