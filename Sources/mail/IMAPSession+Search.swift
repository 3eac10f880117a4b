internal import IMAPSyntax
internal import MailStore

// SEARCH (RFC 9051 section 6.4.4, RFC 4731, RFC 5182).
extension IMAPSession {
    func search(_ command: SearchCommand, _ tag: [UInt8]) throws(CommandFailure) -> Completion {
        let mailbox = try selected()
        if let charset = command.charset, !charset.isWord("UTF-8"), !charset.isWord("US-ASCII") {
            throw .no("[BADCHARSET (US-ASCII UTF-8)] Unknown charset")
        }
        // Until it succeeds there is no saved result (RFC 5182 section 2.1).
        let saved = savedSearch
        if command.returns?.contains(.save) == true { savedSearch = NumberSet() }
        let messages = mailbox.messages
        let condition = try SearchCondition(command.key, self, mailbox, saved: saved)
        let search = MessageSearch(mailbox)
        var found: [Int] = []
        for position in messages.indices {
            do throws(StoreError) {
                if try search.matches(position, messages[position], condition) { found.append(position) }
            } catch {
                // Gone meanwhile: it matches nothing.
                guard case .expunged = error else { throw .store(error) }
            }
        }
        let numbers = found.map { command.isUID ? messages[$0].uid : UInt32(clamping: $0 + 1) }
        // IMAP4rev2 has no untagged SEARCH (RFC 9051 section 6.4.4).
        if let returns = command.returns ?? (enabled.contains(.imap4rev2) ? .all : nil) {
            if returns.contains(.save) { savedSearch = Self.saved(found.map { messages[$0].uid }, returns) }
            writeExtended(numbers, command, returns, tag)
        } else {
            stream.out.text("* SEARCH")
            for number in numbers {
                stream.out.byte(0x20)
                stream.out.number(number)
            }
            stream.out.newline()
        }
        return try report("Search completed.", expunges: command.isUID, withUID: command.isUID)
    }

    /// What SAVE keeps: with MIN or MAX alone only those (RFC 5182 section 2.4).
    private static func saved(_ uids: [UInt32], _ returns: SearchCommand.Returns) -> NumberSet {
        guard returns.isDisjoint(with: [.all, .count]), !returns.isDisjoint(with: [.min, .max]) else { return NumberSet(uids) }
        var kept: [UInt32] = []
        if returns.contains(.min), let first = uids.first { kept.append(first) }
        if returns.contains(.max), let last = uids.last { kept.append(last) }
        return NumberSet(kept)
    }

    // esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    // search-correlator = SP "(" "TAG" SP tag-string ")"
    private func writeExtended(_ numbers: [UInt32], _ command: SearchCommand, _ returns: SearchCommand.Returns, _ tag: [UInt8]) {
        guard returns != .save else { return }
        stream.out.text("* ESEARCH (TAG ")
        stream.out.string(tag)
        stream.out.byte(0x29)
        if command.isUID { stream.out.text(" UID") }
        if let first = numbers.first, let last = numbers.last {
            if returns.contains(.min) {
                stream.out.text(" MIN ")
                stream.out.number(first)
            }
            if returns.contains(.max) {
                stream.out.text(" MAX ")
                stream.out.number(last)
            }
            if returns.contains(.all) {
                stream.out.text(" ALL ")
                stream.out.set(NumberSet(numbers))
            }
        }
        if returns.contains(.count) {
            stream.out.text(" COUNT ")
            stream.out.number(numbers.count)
        }
        stream.out.newline()
    }
}
