// Commands that name mailboxes.
extension CommandParser {
    // mailbox = "INBOX" / astring
    mutating func mailbox() throws(SyntaxError) -> [UInt8] {
        let name = try astring("mailbox name")
        guard name.count <= Limits.mailboxName else { throw .overLimit("mailbox name") }
        return name
    }

    // select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]
    // select-param =/ condstore-param / "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
    mutating func select(isReadOnly: Bool) throws(SyntaxError) -> Command {
        try space()
        var command = SelectCommand(mailbox: try mailbox(), isReadOnly: isReadOnly)
        if takeIf(0x20) {
            try list(atMost: 2, of: "SELECT parameters") { parser throws(SyntaxError) in
                if parser.takeIf(word: "CONDSTORE") {
                    command.wantsModSeq = true
                } else {
                    guard command.resync == nil, parser.takeIf(word: "QRESYNC") else {
                        throw .expected("SELECT parameter", at: parser.index)
                    }
                    try parser.space()
                    command.resync = try parser.resynchronization()
                }
            }
        }
        return .select(command)
    }

    // known-sequence-set = sequence-set ; known-uid-set = sequence-set          ; "*" is not allowed
    private mutating func knownSet() throws(SyntaxError) -> NumberSet {
        let set = try sequenceSet()
        guard !set.hasLargest, !set.isSavedResult else { throw .expected("numbers", at: index) }
        return set.numbers
    }

    // seq-match-data = "(" known-sequence-set SP known-uid-set ")"                RFC 7162 section 7
    private mutating func resynchronization() throws(SyntaxError) -> SelectCommand.Resynchronization {
        try byte(0x28, "(")
        let uidValidity = try nzNumber()
        try space()
        var resync = SelectCommand.Resynchronization(uidValidity: uidValidity, modSeq: UInt64(try number64()))
        var hasMore = takeIf(0x20)
        if hasMore, peek != 0x28 {
            resync.knownUIDs = try sequenceSet()
            hasMore = takeIf(0x20)
        }
        if hasMore {
            // It helps where it was forgotten what was expunged, and all is told that is not there.
            try byte(0x28, "(")
            let numbers = try knownSet()
            try space()
            let uids = try knownSet()
            guard numbers.count == uids.count else { throw .expected("as many UIDs as message numbers", at: index) }
            resync.matches = .init(numbers: numbers, uids: uids)
            try byte(0x29, ")")
        }
        try byte(0x29, ")")
        return resync
    }

    // create = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]
    // create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"        RFC 6154 section 6
    mutating func create() throws(SyntaxError) -> Command {
        try space()
        let name = try mailbox()
        var uses: [[UInt8]] = []
        if takeIf(0x20) {
            try list(atMost: 1, of: "CREATE parameters") { parser throws(SyntaxError) in
                guard parser.takeIf(word: "USE") else { throw .expected("USE", at: parser.index) }
                try parser.space()
                try parser.list(atMost: 8, of: "special uses", allowsEmpty: true) { parser throws(SyntaxError) in
                    try parser.byte(0x5c, "\\")
                    let use = parser.take(while: .atom)
                    guard !use.isEmpty else { throw .expected("special use", at: parser.index) }
                    uses.append([0x5c] + use)
                }
            }
        }
        return .create(mailbox: name, specialUse: uses)
    }

    // rename = "RENAME" SP mailbox SP mailbox
    mutating func rename() throws(SyntaxError) -> Command {
        try space()
        let from = try mailbox()
        try space()
        return .rename(from: from, to: try mailbox())
    }

    // list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    // mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")"     RFC 5258 section 6
    mutating func list() throws(SyntaxError) -> Command {
        try space()
        var command = ListCommand(reference: [], patterns: [])
        if peek == 0x28 {
            command.isExtended = true
            command.selection = try listSelection()
            try space()
        }
        command.reference = try mailbox()
        try space()
        if peek == 0x28 {
            command.isExtended = true
            try list(atMost: Limits.listPatterns, of: "patterns") { parser throws(SyntaxError) in
                command.patterns.append(try parser.listMailbox())
            }
        } else {
            command.patterns = [try listMailbox()]
        }
        if takeIf(0x20) { try listReturns(&command) }
        if command.selection == .recursiveMatch || command.selection == [.recursiveMatch, .remote] {
            throw .expected("selection option besides RECURSIVEMATCH", at: index)
        }
        return .list(command)
    }

    // lsub = "LSUB" SP mailbox SP list-mailbox
    mutating func lsub() throws(SyntaxError) -> Command {
        try space()
        let reference = try mailbox()
        try space()
        return .lsub(reference: reference, pattern: try listMailbox())
    }

    // list-mailbox = 1*list-char / string ; list-char = ATOM-CHAR / list-wildcards / resp-specials
    private mutating func listMailbox() throws(SyntaxError) -> [UInt8] {
        let pattern: [UInt8]
        if peek == 0x22 || peek == 0x7b {
            pattern = try string()
        } else {
            pattern = Array(take(while: .list))
            guard !pattern.isEmpty else { throw .expected("mailbox pattern", at: index) }
        }
        guard pattern.count <= Limits.mailboxName else { throw .overLimit("mailbox pattern") }
        return pattern
    }

    // list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
    private mutating func listSelection() throws(SyntaxError) -> ListCommand.Selection {
        var selection: ListCommand.Selection = []
        try list(atMost: 8, of: "LIST options", allowsEmpty: true) { parser throws(SyntaxError) in
            let name = parser.take(while: .atom)
            switch name.count {
            case _ where name.isWord("SUBSCRIBED"): selection.insert(.subscribed)
            case _ where name.isWord("REMOTE"): selection.insert(.remote)
            case _ where name.isWord("RECURSIVEMATCH"): selection.insert(.recursiveMatch)
            case _ where name.isWord("SPECIAL-USE"): selection.insert(.specialUse)
            default: throw .expected("LIST selection option", at: parser.index)
            }
        }
        return selection
    }

    // list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
    // status-option = "STATUS" SP "(" status-att *(SP status-att) ")"         RFC 5819 section 4
    // return-option =/ "METADATA" SP "(" entry *(SP entry) ")"                 RFC 9590 section 4
    private mutating func listReturns(_ command: inout ListCommand) throws(SyntaxError) {
        guard takeIf(word: "RETURN") else { throw .expected("RETURN", at: index) }
        try space()
        command.isExtended = true
        var returns: ListCommand.Return = []
        var status: [StatusItem] = []
        var metadata: [[UInt8]] = []
        try list(atMost: 8, of: "RETURN options", allowsEmpty: true) { parser throws(SyntaxError) in
            let name = parser.take(while: .atom)
            switch name.count {
            case _ where name.isWord("SUBSCRIBED"): returns.insert(.subscribed)
            case _ where name.isWord("CHILDREN"): returns.insert(.children)
            case _ where name.isWord("SPECIAL-USE"): returns.insert(.specialUse)
            case _ where name.isWord("STATUS"):
                try parser.space()
                status = try parser.statusItems()
            case _ where name.isWord("METADATA"):
                try parser.space()
                metadata = try parser.metadataEntries()
            default: throw .expected("LIST return option", at: parser.index)
            }
        }
        command.returns = returns
        command.status = status
        command.metadata = metadata
    }

    // status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    mutating func status() throws(SyntaxError) -> Command {
        try space()
        let name = try mailbox()
        try space()
        return .status(mailbox: name, items: try statusItems())
    }

    private mutating func statusItems() throws(SyntaxError) -> [StatusItem] {
        var items: [StatusItem] = []
        try list(atMost: Limits.statusItems, of: "STATUS items") { parser throws(SyntaxError) in
            let name = parser.take(while: .atom)
            guard let item = StatusItem.all.first(where: { name.isWord($0.name) })?.item else {
                throw .expected("STATUS item", at: parser.index)
            }
            if !items.contains(item) { items.append(item) }
        }
        return items
    }
}
