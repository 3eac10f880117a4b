/// SEARCH with what it shall return.
package struct SearchCommand: Equatable, Sendable {
    /// RETURN (…) of RFC 4731, 5182, 5267 and 9394.
    package struct Returns: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let min = Returns(rawValue: 1)
        package static let max = Returns(rawValue: 2)
        package static let all = Returns(rawValue: 4)
        package static let count = Returns(rawValue: 8)
        package static let save = Returns(rawValue: 16)
        package static let partial = Returns(rawValue: 32)
        /// The client wants to hear when the result changes.
        package static let update = Returns(rawValue: 64)
        /// The client is going to ask for parts of the result: a hint.
        package static let context = Returns(rawValue: 128)
    }

    package var isUID: Bool
    /// Nil: the untagged SEARCH of RFC 3501; RETURN () means ALL.
    package var returns: Returns?
    /// In upper case; nil when none was named.
    package var charset: [UInt8]?
    package var key: SearchKey
    /// What PARTIAL asks for.
    package var partial: ResultRange?
    /// What UPDATE wants to be told of new messages (RFC 5465 section 7).
    package var updateItems: [FetchItem] = []
    /// SORT when it is not empty.
    package var order: [SortCriterion] = []
    /// ESEARCH with the mailboxes to look into (RFC 7377).
    package var sources: [MailboxFilter]?

    package init(isUID: Bool, returns: Returns?, charset: [UInt8]?, key: SearchKey) {
        self.isUID = isUID
        self.returns = returns
        self.charset = charset
        self.key = key
    }
}

/// `1:100`, or `-1:-100`, which counts from the end (RFC 9394 section 3.1).
package struct ResultRange: Equatable, Sendable {
    /// The nearer to where it is counted from; at least 1.
    package var first: UInt32
    package var last: UInt32
    package var isFromEnd: Bool

    package init(first: UInt32, last: UInt32, isFromEnd: Bool = false) {
        self.first = min(first, last)
        self.last = max(first, last)
        self.isFromEnd = isFromEnd
    }
}

/// A condition on a message. The tree is at most `Limits.depth` levels deep.
package indirect enum SearchKey: Equatable, Sendable {
    case all
    case and([SearchKey])
    case or(SearchKey, SearchKey)
    case not(SearchKey)
    case numbers(SequenceSet)
    case uids(SequenceSet)
    /// Above, or below, this UID (RFC 9738 section 3.2).
    case uidAfter(UInt32)
    case uidBefore(UInt32)
    /// One system flag is set.
    case flag(SystemFlags)
    case recent
    case keyword([UInt8])
    /// Contains the text in the header field; an empty text: the field is there.
    case header(name: [UInt8], text: [UInt8])
    case body([UInt8])
    case text([UInt8])
    case larger(Int64)
    case smaller(Int64)
    /// INTERNALDATE, without time and zone.
    case date(DateTest)
    /// The Date field, without time and zone.
    case sent(DateTest)
    /// Arrived less than, or at least, so many seconds ago (RFC 5032).
    case younger(UInt32)
    case older(UInt32)
    /// When the message came into this mailbox, without time and zone (RFC 8514).
    case saved(DateTest)
    /// RFC 8474.
    case emailID([UInt8])
    case threadID([UInt8])
    /// A search that is stored under this name (RFC 5466).
    case filter([UInt8])
    /// Changed at this modseq or later (RFC 7162).
    case modSeq(UInt64)

    /// The answer to a search for modseqs tells one.
    package var namesModSeq: Bool {
        switch self {
        case .modSeq: true
        case .and(let keys): keys.contains(where: \.namesModSeq)
        case .or(let a, let b): a.namesModSeq || b.namesModSeq
        case .not(let key): key.namesModSeq
        default: false
        }
    }

    package enum DateTest: Equatable, Sendable {
        case before(CalendarDate), on(CalendarDate), since(CalendarDate)

        package func includes(_ day: CalendarDate) -> Bool {
            switch self {
            case .before(let limit): day < limit
            case .on(let limit): day == limit
            case .since(let limit): day >= limit
            }
        }
    }
}

extension CommandParser {
    // search = "SEARCH" [search-return-opts] SP search-program
    // search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    // esearch = "ESEARCH" [SP esearch-source-opts] [search-return-opts] SP search-program      RFC 7377 section 3
    // esearch-source-opts = "IN" SP "(" source-mbox ")"
    mutating func search(isUID: Bool, mayNameMailboxes: Bool = false) throws(SyntaxError) -> Command {
        try space()
        var command = SearchCommand(isUID: isUID, returns: mayNameMailboxes ? .all : nil, charset: nil, key: .all)
        if mayNameMailboxes, takeIf(word: "IN") {
            try space()
            command.sources = try mailboxFilters()
            try space()
        }
        if takeIf(word: "RETURN") {
            try space()
            try searchReturns(&command)
            try space()
        }
        if takeIf(word: "CHARSET") {
            try space()
            command.charset = try astring("charset").map(\.upper)
            try space()
        }
        command.key = try searchKeys(depth: 1)
        return .search(command)
    }

    // search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    // modifier-update = "UPDATE" ["(" fetch-att *(SP fetch-att) ")"]               RFC 5465 section 8
    // search-return-opt =/ "PARTIAL" SP partial-range / "UPDATE" / "CONTEXT"      RFC 9394 section 4, RFC 5267 section 6
    mutating func searchReturns(_ command: inout SearchCommand) throws(SyntaxError) {
        var returns: SearchCommand.Returns = []
        var partial: ResultRange?
        var updateItems: [FetchItem] = []
        try list(atMost: 8, of: "RETURN options", allowsEmpty: true) { parser throws(SyntaxError) in
            let name = parser.take(while: .atom)
            switch name.count {
            case _ where name.isWord("MIN"): returns.insert(.min)
            case _ where name.isWord("MAX"): returns.insert(.max)
            case _ where name.isWord("ALL"): returns.insert(.all)
            case _ where name.isWord("COUNT"): returns.insert(.count)
            case _ where name.isWord("SAVE"): returns.insert(.save)
            case _ where name.isWord("UPDATE"):
                returns.insert(.update)
                guard parser.peek == 0x20, parser.index + 1 < parser.bytes.count, parser.bytes[parser.index + 1] == 0x28 else { return }
                parser.index += 1
                updateItems = try parser.fetchItems()
            case _ where name.isWord("CONTEXT"): returns.insert(.context)
            case _ where name.isWord("PARTIAL") && partial == nil:
                returns.insert(.partial)
                try parser.space()
                partial = try parser.resultRange()
            default: throw .expected("RETURN option", at: parser.index)
            }
        }
        // One of them at most (RFC 9394 section 3.1).
        guard !returns.isSuperset(of: [.all, .partial]) else { throw .expected("ALL or PARTIAL, not both", at: index) }
        command.returns = returns.isSubset(of: [.update, .context]) ? returns.union(.all) : returns
        command.partial = partial
        command.updateItems = updateItems
    }

    // partial-range = partial-range-first / partial-range-last ; partial-range-first = nz-number ":" nz-number
    // partial-range-last = MINUS nz-number ":" MINUS nz-number
    mutating func resultRange() throws(SyntaxError) -> ResultRange {
        let isFromEnd = takeIf(0x2d)
        let first = try nzNumber()
        try byte(0x3a, ":")
        if isFromEnd { try byte(0x2d, "-") }
        return ResultRange(first: first, last: try nzNumber(), isFromEnd: isFromEnd)
    }

    mutating func searchKeys(depth: Int) throws(SyntaxError) -> SearchKey {
        var keys: [SearchKey] = []
        repeat { keys.append(try searchKey(depth: depth)) } while takeIf(0x20)
        return keys.count == 1 ? keys[0] : .and(keys)
    }

    // search-key = "ALL" / "ANSWERED" / … / "NOT" SP search-key / "OR" SP search-key SP search-key /
    //              sequence-set / "(" search-key *(SP search-key) ")"
    private mutating func searchKey(depth: Int) throws(SyntaxError) -> SearchKey {
        guard depth <= limits.depth else { throw .overLimit("nested search keys") }
        searchKeys += 1
        guard searchKeys <= Limits.searchKeys else { throw .overLimit("search keys") }
        if takeIf(0x28) {
            let keys = try searchKeys(depth: depth + 1)
            try byte(0x29, ")")
            return keys
        }
        if let next = peek, next.isDigit || next == 0x2a || next == 0x24 { return .numbers(try sequenceSet()) }
        let name = take(while: .atom)
        if let key = Self.simpleKey(name) { return key }
        switch name.count {
        case _ where name.isWord("NOT"):
            try space()
            return .not(try searchKey(depth: depth + 1))
        case _ where name.isWord("OR"):
            try space()
            let first = try searchKey(depth: depth + 1)
            try space()
            return .or(first, try searchKey(depth: depth + 1))
        default: break
        }
        guard !name.isEmpty, peek == 0x20 else { throw .expected("search key", at: index) }
        index += 1
        return try keyWithArgument(name)
    }

    private static func simpleKey(_ name: ArraySlice<UInt8>) -> SearchKey? {
        switch name.count {
        case _ where name.isWord("ALL"): .all
        case _ where name.isWord("ANSWERED"): .flag(.answered)
        case _ where name.isWord("DELETED"): .flag(.deleted)
        case _ where name.isWord("DRAFT"): .flag(.draft)
        case _ where name.isWord("FLAGGED"): .flag(.flagged)
        case _ where name.isWord("SEEN"): .flag(.seen)
        case _ where name.isWord("UNANSWERED"): .not(.flag(.answered))
        case _ where name.isWord("UNDELETED"): .not(.flag(.deleted))
        case _ where name.isWord("UNDRAFT"): .not(.flag(.draft))
        case _ where name.isWord("UNFLAGGED"): .not(.flag(.flagged))
        case _ where name.isWord("UNSEEN"): .not(.flag(.seen))
        case _ where name.isWord("RECENT"): .recent
        case _ where name.isWord("NEW"): .and([.recent, .not(.flag(.seen))])
        case _ where name.isWord("OLD"): .not(.recent)
        // Every mailbox of ours knows save dates (RFC 8514 section 4.3).
        case _ where name.isWord("SAVEDATESUPPORTED"): .all
        default: nil
        }
    }

    private mutating func keyWithArgument(_ name: ArraySlice<UInt8>) throws(SyntaxError) -> SearchKey {
        switch name.count {
        case _ where name.isWord("BCC") || name.isWord("CC") || name.isWord("FROM") || name.isWord("SUBJECT") || name.isWord("TO"):
            return .header(name: Array(name), text: try astring("text"))
        case _ where name.isWord("BODY"): return .body(try astring("text"))
        case _ where name.isWord("TEXT"): return .text(try astring("text"))
        case _ where name.isWord("KEYWORD"): return .keyword(try keywordName())
        case _ where name.isWord("UNKEYWORD"): return .not(.keyword(try keywordName()))
        case _ where name.isWord("MODSEQ"): return try modSeqKey()
        case _ where name.isWord("FILTER"): return .filter(try filterName())
        case _ where name.isWord("HEADER"): return try headerKey()
        case _ where name.isWord("LARGER"): return .larger(try number64())
        case _ where name.isWord("SMALLER"): return .smaller(try number64())
        case _ where name.isWord("UID"): return .uids(try sequenceSet())
        // search-key =/ "UIDAFTER" SP uniqueid / "UIDBEFORE" SP uniqueid
        case _ where name.isWord("UIDAFTER"): return .uidAfter(try nzNumber())
        case _ where name.isWord("UIDBEFORE"): return .uidBefore(try nzNumber())
        case _ where name.isWord("BEFORE"): return .date(.before(try date()))
        case _ where name.isWord("ON"): return .date(.on(try date()))
        case _ where name.isWord("SINCE"): return .date(.since(try date()))
        case _ where name.isWord("SENTBEFORE"): return .sent(.before(try date()))
        case _ where name.isWord("SENTON"): return .sent(.on(try date()))
        case _ where name.isWord("SENTSINCE"): return .sent(.since(try date()))
        case _ where name.isWord("YOUNGER"): return .younger(try nzNumber())
        case _ where name.isWord("OLDER"): return .older(try nzNumber())
        case _ where name.isWord("SAVEDBEFORE"): return .saved(.before(try date()))
        case _ where name.isWord("SAVEDON"): return .saved(.on(try date()))
        case _ where name.isWord("SAVEDSINCE"): return .saved(.since(try date()))
        case _ where name.isWord("EMAILID"): return .emailID(try objectID())
        case _ where name.isWord("THREADID"): return .threadID(try objectID())
        default: throw .expected("search key", at: index)
        }
    }

    // search-key =/ "FILTER" SP filter-name ; filter-name = 1*<any ATOM-CHAR except "/">       RFC 5466 section 5
    private mutating func filterName() throws(SyntaxError) -> [UInt8] {
        let name = take(while: .atom)
        guard !name.isEmpty, !name.contains(0x2f) else { throw .expected("filter name", at: index) }
        guard name.count <= Limits.metadataEntry else { throw .overLimit("filter name") }
        return Array(name)
    }

    // search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer
    // entry-name = DQUOTE "/flags/" attr-flag DQUOTE ; entry-type-req = "priv" / "shared" / "all"     RFC 7162 section 7
    /// We keep one modseq for all flags of a message, so the entry may be passed over (section 3.1.5).
    private mutating func modSeqKey() throws(SyntaxError) -> SearchKey {
        if peek == 0x22 {
            _ = try quoted()
            try space()
            let type = take(while: .atom)
            guard type.isWord("PRIV") || type.isWord("SHARED") || type.isWord("ALL") else { throw .expected("entry type", at: index) }
            try space()
        }
        return .modSeq(UInt64(try number64()))
    }

    // objectid = 1*255(ALPHA / DIGIT / "_" / "-")          RFC 8474 section 7
    private mutating func objectID() throws(SyntaxError) -> [UInt8] {
        let id = take(while: .objectID)
        guard !id.isEmpty else { throw .expected("object id", at: index) }
        guard id.count <= Limits.objectID else { throw .overLimit("object id") }
        return Array(id)
    }

    private mutating func headerKey() throws(SyntaxError) -> SearchKey {
        let name = try astring("header name")
        guard name.count <= Limits.headerName else { throw .overLimit("header name") }
        try space()
        return .header(name: name, text: try astring("text"))
    }
}
