internal import IMAPSyntax
internal import MailStore

// SEARCH (RFC 9051 section 6.4.4, RFC 4731, RFC 5182, RFC 9394) and SORT (RFC 5256, RFC 5267).
extension IMAPSession {
    func search(_ command: SearchCommand, _ tag: [UInt8]) throws(CommandFailure) -> Completion {
        try check(charset: command.charset)
        if command.sources != nil { return try searchMailboxes(command, tag) }
        let mailbox = try selected()
        try requireUID(command.isUID)
        let namesModSeq = command.key.namesModSeq
        if namesModSeq { enableModSeq() }
        // Until it succeeds there is no saved result (RFC 5182 section 2.1).
        let saved = savedSearch
        if command.returns?.contains(.save) == true { savedSearch = NumberSet() }
        let messages = mailbox.messages
        let isSort = !command.order.isEmpty
        let condition = try SearchCondition(command.key, self, mailbox, saved: saved)
        let limited = try limited(condition, in: mailbox, isWhole: isSort)
        let matching = try matches(condition, among: PositionSet(limited.ranges, of: messages.count), in: mailbox)
        let found = try ordered(matching, command.order, in: mailbox)
        let modSeq = namesModSeq ? Self.highestModSeq(found, command.returns, mailbox) : nil
        // IMAP4rev2 has no untagged SEARCH (RFC 9051 section 6.4.4).
        if let returns = command.returns ?? (enabled.contains(.imap4rev2) && !isSort ? .all : nil) {
            if returns.contains(.save) {
                savedSearch = Self.saved(found.map(messages.uid(at:)), returns, command.partial)
            }
            if returns.contains(.update) { beginUpdates(command, tag, found.map(messages.uid(at:)), saved) }
            let numbers = found.map { command.isUID ? messages.uid(at: $0) : UInt32(clamping: $0 + 1) }
            let result = SearchResult(numbers: numbers, isUID: command.isUID, isSorted: isSort, modSeq: modSeq)
            writeExtended(result, returns, command.partial, tag)
        } else {
            stream.out.text(isSort ? "* SORT" : "* SEARCH")
            for position in found {
                stream.out.byte(0x20)
                stream.out.number(command.isUID ? messages.uid(at: position) : UInt32(clamping: position + 1))
            }
            if let modSeq {
                stream.out.text(" (MODSEQ ")
                stream.out.number(modSeq)
                stream.out.byte(0x29)
            }
            stream.out.newline()
        }
        var completion = try report(
            isSort ? "Sort completed." : "Search completed.", expunges: command.isUID, withUID: command.isUID)
        tellLimit(limited.lowestUID, in: &completion)
        return completion
    }

    /// What of a mailbox is searched; with `isWhole` (SORT, THREAD) all or nothing.
    func limited(_ condition: SearchCondition, in mailbox: any Mailbox, isWhole: Bool) throws(CommandFailure) -> Limited {
        guard settings.messageLimit > 0 else { return Limited(ranges: [0..<mailbox.messages.count]) }
        let ranges = candidates(condition, in: mailbox)
        if isWhole { try refuseBeyondLimit(ranges, in: mailbox, tellsUID: false) }
        return limited(ranges, in: mailbox)
    }

    func check(charset: [UInt8]?) throws(CommandFailure) {
        guard let charset else { return }
        // RFC 6855 section 3: the charset is always UTF-8 then.
        if enabled.contains(.utf8Accept), !charset.isWord("UTF-8"), !charset.isWord("US-ASCII") {
            throw .bad("Charset is always UTF-8 now")
        }
        guard charset.isWord("UTF-8") || charset.isWord("US-ASCII") else { throw .no("[BADCHARSET (US-ASCII UTF-8)] Unknown charset") }
    }

    /// Positions of the messages that match, ascending.
    func matches(_ key: SearchKey, in mailbox: any Mailbox, saved: NumberSet) throws(CommandFailure) -> [Int] {
        try matches(try SearchCondition(key, self, mailbox, saved: saved), in: mailbox)
    }

    func matches(_ condition: SearchCondition, in mailbox: any Mailbox) throws(CommandFailure) -> [Int] {
        let count = mailbox.messages.count
        return try matches(condition, among: PositionSet(CollectionOfOne(0..<count), of: count), in: mailbox)
    }

    func matches(_ condition: SearchCondition, among positions: PositionSet, in mailbox: any Mailbox) throws(CommandFailure) -> [Int] {
        let (rest, candidates) = SetSearch(mailbox: mailbox).prepared(condition, among: positions)
        if case .all = rest { return Array(candidates) }
        let search = MessageSearch(mailbox)
        var found: [Int] = []
        var progress = Progress(self, total: positions.size)
        for position in candidates {
            try progress.step(self, done: position)
            do throws(StoreError) {
                if try search.matches(position, rest) { found.append(position) }
            } catch {
                // Gone meanwhile: it matches nothing.
                guard case .expunged = error else { throw .store(error) }
            }
        }
        return found
    }

    func ordered(_ positions: [Int], _ order: [SortCriterion], in mailbox: any Mailbox) throws(CommandFailure) -> [Int] {
        if order.isEmpty { return positions }
        return try storing { () throws(StoreError) in try MessageSorter(mailbox, order, comparator).sorted(positions) }
    }

    /// What SAVE keeps: with MIN, MAX or PARTIAL alone only those (RFC 5182 section 2.4, RFC 9394 section 3.1).
    private static func saved(_ uids: [UInt32], _ returns: SearchCommand.Returns, _ partial: ResultRange?) -> NumberSet {
        guard returns.isDisjoint(with: [.all, .count]), !returns.isDisjoint(with: [.min, .max, .partial]) else { return NumberSet(uids) }
        var kept: [UInt32] = []
        if returns.contains(.min), let first = uids.first { kept.append(first) }
        if returns.contains(.max), let last = uids.last { kept.append(last) }
        if let partial { kept += uids[partial.indexes(in: uids.count)] }
        return NumberSet(kept)
    }
}

/// What a search found, as it is told.
struct SearchResult {
    /// In the order of the result.
    var numbers: [UInt32]
    var isUID: Bool
    var isSorted: Bool
    /// Where the search was for modseqs.
    var modSeq: UInt64?
    /// For a search over many mailboxes: which one, and its UIDVALIDITY.
    var mailbox: (name: [UInt8], uidValidity: UInt32)?
}

extension ResultRange {
    /// The part of a result of `count` messages that it names.
    func indexes(in count: Int) -> Range<Int> {
        let from = min(count, Int(first) - 1)
        let to = min(count, Int(last))
        return isFromEnd ? count - to..<count - from : from..<to
    }
}

extension IMAPSession {
    // esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    // search-correlator = SP "(" "TAG" SP tag-string ")"
    // RFC 7377: one-correlator = ("TAG" SP tag-string) / ("MAILBOX" SP astring) / ("UIDVALIDITY" SP nz-number)
    func writeExtended(_ result: SearchResult, _ returns: SearchCommand.Returns, _ partial: ResultRange?, _ tag: [UInt8]) {
        guard returns != .save else { return }
        beginExtended(tag, result.mailbox)
        if result.isUID { stream.out.text(" UID") }
        let numbers = result.numbers
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
                writeNumbers(numbers[...], isSorted: result.isSorted)
            }
        }
        if let partial, returns.contains(.partial) { writePartial(result, partial) }
        if returns.contains(.count) {
            stream.out.text(" COUNT ")
            stream.out.number(numbers.count)
        }
        if let modSeq = result.modSeq {
            stream.out.text(" MODSEQ ")
            stream.out.number(modSeq)
        }
        stream.out.newline()
    }

    func beginExtended(_ tag: [UInt8], _ mailbox: (name: [UInt8], uidValidity: UInt32)? = nil) {
        stream.out.text("* ESEARCH (TAG ")
        stream.out.string(tag)
        if let mailbox {
            stream.out.text(" MAILBOX ")
            stream.out.astring(mailbox.name)
            stream.out.text(" UIDVALIDITY ")
            stream.out.number(mailbox.uidValidity)
        }
        stream.out.byte(0x29)
    }

    // ret-data-partial = "PARTIAL" SP "(" partial-range SP partial-results ")" ; partial-results = sequence-set / "NIL"
    private func writePartial(_ result: SearchResult, _ partial: ResultRange) {
        let sign = partial.isFromEnd ? "-" : ""
        stream.out.text(" PARTIAL (\(sign)\(partial.first):\(sign)\(partial.last) ")
        let part = result.numbers[partial.indexes(in: result.numbers.count)]
        if part.isEmpty { stream.out.text("NIL") } else { writeNumbers(part, isSorted: result.isSorted) }
        stream.out.byte(0x29)
    }

    /// A sequence-set; of a sorted result in its order, where only runs of ascending numbers become ranges.
    func writeNumbers(_ numbers: ArraySlice<UInt32>, isSorted: Bool) {
        guard isSorted else { return stream.out.set(NumberSet(numbers)) }
        var index = numbers.startIndex
        while index < numbers.endIndex {
            var end = index
            while end + 1 < numbers.endIndex, numbers[end + 1] == numbers[end] &+ 1 { end += 1 }
            if index > numbers.startIndex { stream.out.byte(0x2c) }
            stream.out.number(numbers[index])
            if end > index {
                stream.out.byte(0x3a)
                stream.out.number(numbers[end])
            }
            index = end + 1
        }
    }
}
