/// One key of SORT (RFC 5256 section 3, RFC 5957).
package struct SortCriterion: Equatable, Sendable {
    package enum Key: Equatable, Sendable { case arrival, cc, date, from, size, subject, to, displayFrom, displayTo }

    package var key: Key
    package var isReverse: Bool

    package init(_ key: Key, isReverse: Bool = false) {
        self.key = key
        self.isReverse = isReverse
    }
}

/// THREAD (RFC 5256 section 3).
package struct ThreadCommand: Equatable, Sendable {
    package enum Algorithm: Equatable, Sendable {
        case orderedSubject, references
        /// REFERENCES without the subjects; the thread with the latest message comes last.
        case refs
    }

    package var isUID: Bool
    package var algorithm: Algorithm
    package var charset: [UInt8]
    package var key: SearchKey
}

/// Which mailboxes a command is about (RFC 5465 section 6, RFC 7377 section 2.2).
package enum MailboxFilter: Equatable, Sendable {
    case selected, selectedDelayed, inboxes, personal, subscribed
    case subtree([[UInt8]]), subtreeOne([[UInt8]]), mailboxes([[UInt8]])
}

extension CommandParser {
    // sort = "SORT" [search-return-opts] SP sort-criteria SP search-criteria            RFC 5256 section 5, RFC 5267 section 6
    // sort-criteria = "(" sort-criterion *(SP sort-criterion) ")" ; sort-criterion = ["REVERSE" SP] sort-key
    // search-criteria = charset 1*(SP search-key)
    mutating func sort(isUID: Bool) throws(SyntaxError) -> Command {
        try space()
        var command = SearchCommand(isUID: isUID, returns: nil, charset: nil, key: .all)
        if takeIf(word: "RETURN") {
            try space()
            try searchReturns(&command)
            try space()
        }
        var order: [SortCriterion] = []
        try list(atMost: Limits.sortCriteria, of: "sort criteria") { parser throws(SyntaxError) in
            let isReverse = parser.takeIf(word: "REVERSE")
            if isReverse { try parser.space() }
            order.append(SortCriterion(try parser.sortKey(), isReverse: isReverse))
        }
        command.order = order
        try space()
        command.charset = try charset()
        try space()
        command.key = try searchKeys(depth: 1)
        return .search(command)
    }

    // sort-key = "ARRIVAL" / "CC" / "DATE" / "FROM" / "SIZE" / "SUBJECT" / "TO" / "DISPLAYFROM" / "DISPLAYTO"
    private mutating func sortKey() throws(SyntaxError) -> SortCriterion.Key {
        let name = take(while: .atom)
        switch name.count {
        case _ where name.isWord("ARRIVAL"): return .arrival
        case _ where name.isWord("CC"): return .cc
        case _ where name.isWord("DATE"): return .date
        case _ where name.isWord("FROM"): return .from
        case _ where name.isWord("SIZE"): return .size
        case _ where name.isWord("SUBJECT"): return .subject
        case _ where name.isWord("TO"): return .to
        case _ where name.isWord("DISPLAYFROM"): return .displayFrom
        case _ where name.isWord("DISPLAYTO"): return .displayTo
        default: throw .expected("sort key", at: index)
        }
    }

    private mutating func charset() throws(SyntaxError) -> [UInt8] { try astring("charset").map(\.upper) }

    // thread = "THREAD" SP thread-alg SP search-criteria
    // thread-alg = "ORDEREDSUBJECT" / "REFERENCES" / thread-alg-ext
    mutating func thread(isUID: Bool) throws(SyntaxError) -> Command {
        try space()
        let name = take(while: .atom)
        let algorithm: ThreadCommand.Algorithm
        switch name.count {
        case _ where name.isWord("REFERENCES"): algorithm = .references
        case _ where name.isWord("ORDEREDSUBJECT"): algorithm = .orderedSubject
        case _ where name.isWord("REFS"): algorithm = .refs
        default: throw .expected("thread algorithm", at: index)
        }
        try space()
        let charset = try charset()
        try space()
        return .thread(ThreadCommand(isUID: isUID, algorithm: algorithm, charset: charset, key: try searchKeys(depth: 1)))
    }

    // comparator-cmd = "COMPARATOR" *(SP comp-order-quoted) ; comp-order-quoted = astring            RFC 5255 section 4.10
    mutating func comparators() throws(SyntaxError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        while takeIf(0x20) {
            guard names.count < Limits.comparators else { throw .overLimit("comparators") }
            let name = peek == 0x22 || peek == 0x7b ? try string() : Array(take(while: .list))
            guard !name.isEmpty else { throw .expected("comparator", at: index) }
            guard name.count <= Limits.comparator else { throw .overLimit("comparator") }
            names.append(name)
        }
        return names
    }

    // cancelupdate = "CANCELUPDATE" 1*(SP quoted)                                        RFC 5267 section 6
    mutating func contextTags() throws(SyntaxError) -> [[UInt8]] {
        var tags: [[UInt8]] = []
        repeat {
            try space()
            guard tags.count < Limits.contextTags else { throw .overLimit("tags") }
            tags.append(try quoted())
        } while peek == 0x20
        return tags
    }

    // source-mbox = filter-mailboxes *(SP filter-mailboxes)                              RFC 7377 section 3
    mutating func mailboxFilters() throws(SyntaxError) -> [MailboxFilter] {
        var filters: [MailboxFilter] = []
        try list(atMost: 8, of: "mailbox filters") { parser throws(SyntaxError) in filters.append(try parser.mailboxFilter()) }
        return filters
    }

    // filter-mailboxes-selected = "selected" / "selected-delayed"                        RFC 5465 section 8
    // filter-mailboxes-other = "inboxes" / "personal" / "subscribed" / ("subtree" SP one-or-more-mailbox) /
    //                          ("mailboxes" SP one-or-more-mailbox)
    mutating func mailboxFilter() throws(SyntaxError) -> MailboxFilter {
        let name = take(while: .atom)
        switch name.count {
        case _ where name.isWord("SELECTED"): return .selected
        case _ where name.isWord("SELECTED-DELAYED"): return .selectedDelayed
        case _ where name.isWord("INBOXES"): return .inboxes
        case _ where name.isWord("PERSONAL"): return .personal
        case _ where name.isWord("SUBSCRIBED"): return .subscribed
        case _ where name.isWord("SUBTREE"): return .subtree(try oneOrMoreMailboxes())
        case _ where name.isWord("SUBTREE-ONE"): return .subtreeOne(try oneOrMoreMailboxes())
        case _ where name.isWord("MAILBOXES"): return .mailboxes(try oneOrMoreMailboxes())
        default: throw .expected("mailbox filter", at: index)
        }
    }

    // one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
    private mutating func oneOrMoreMailboxes() throws(SyntaxError) -> [[UInt8]] {
        try space()
        guard peek == 0x28 else { return [try mailbox()] }
        var names: [[UInt8]] = []
        try list(atMost: Limits.mailboxFilters, of: "mailboxes") { parser throws(SyntaxError) in names.append(try parser.mailbox()) }
        return names
    }
}
