// Which rule a command name stands for.
extension CommandParser {
    // command = tag SP (command-any / command-auth / command-select) CRLF       RFC 9051 section 9
    /// What follows the tag, up to the end of the command. `name` gets the words of the command in upper case, also when it is refused.
    package mutating func command(name text: inout [UInt8]) throws(SyntaxError) -> Command {
        let name = try commandName()
        text = name.prefix(32).map(\.upper)
        let command: Command
        if name.isWord("UID") {
            try space()
            let second = take(while: .atom)
            text += [0x20] + second.prefix(32).map(\.upper)
            command = try uidCommand(second)
        } else if let simple = Self.simpleCommand(name) {
            command = simple
        } else if let named = try mailboxCommand(name) {
            command = named
        } else {
            command = try messageCommand(name)
        }
        try end()
        return command
    }

    private static func simpleCommand(_ name: ArraySlice<UInt8>) -> Command? {
        switch name.count {
        case _ where name.isWord("NOOP"): .noop
        case _ where name.isWord("IDLE"): .idle
        case _ where name.isWord("CHECK"): .check
        case _ where name.isWord("CLOSE"): .close
        case _ where name.isWord("LOGOUT"): .logout
        case _ where name.isWord("EXPUNGE"): .expunge(uids: nil)
        case _ where name.isWord("UNSELECT"): .unselect
        case _ where name.isWord("NAMESPACE"): .namespace
        case _ where name.isWord("CAPABILITY"): .capability
        default: nil
        }
    }

    private mutating func mailboxCommand(_ name: ArraySlice<UInt8>) throws(SyntaxError) -> Command? {
        switch name.count {
        case _ where name.isWord("LIST"): return try list()
        case _ where name.isWord("LSUB"): return try lsub()
        case _ where name.isWord("SELECT"): return try select(isReadOnly: false)
        case _ where name.isWord("STATUS"): return try status()
        case _ where name.isWord("CREATE"): return try create()
        case _ where name.isWord("RENAME"): return try rename()
        case _ where name.isWord("EXAMINE"): return try select(isReadOnly: true)
        case _ where name.isWord("DELETE"): return .delete(mailbox: try spaceAndMailbox())
        case _ where name.isWord("SUBSCRIBE"): return .subscribe(mailbox: try spaceAndMailbox())
        case _ where name.isWord("UNSUBSCRIBE"): return .unsubscribe(mailbox: try spaceAndMailbox())
        default: return nil
        }
    }

    private mutating func spaceAndMailbox() throws(SyntaxError) -> [UInt8] {
        try space()
        return try mailbox()
    }

    private mutating func messageCommand(_ name: ArraySlice<UInt8>) throws(SyntaxError) -> Command {
        switch name.count {
        case _ where name.isWord("ID"): return .id(try idParameters())
        case _ where name.isWord("ENABLE"): return .enable(try capabilities())
        case _ where name.isWord("GETMETADATA"): return try getMetadata()
        case _ where name.isWord("SETMETADATA"): return try setMetadata()
        case _ where name.isWord("GETQUOTA"): return try getQuota()
        case _ where name.isWord("SETQUOTA"): return try setQuota()
        case _ where name.isWord("GETQUOTAROOT"): return .getQuotaRoot(mailbox: try spaceAndMailbox())
        case _ where name.isWord("COMPRESS"):
            try space()
            return .compress(Array(take(while: .atom)))
        case _ where name.isWord("NOTIFY"): return try notify()
        case _ where name.isWord("COMPARATOR"): return .comparator(try comparators())
        case _ where name.isWord("ESEARCH"): return try search(isUID: true, mayNameMailboxes: true)
        case _ where name.isWord("CANCELUPDATE"): return .cancelUpdate(try contextTags())
        default: return try numberCommand(name, isUID: false)
        }
    }

    // uid = "UID" SP (copy / move / fetch / search / store / uid-expunge)
    // uid-expunge = "EXPUNGE" SP sequence-set
    private mutating func uidCommand(_ name: ArraySlice<UInt8>) throws(SyntaxError) -> Command {
        if name.isWord("EXPUNGE") {
            try space()
            return .expunge(uids: try sequenceSet())
        }
        return try numberCommand(name, isUID: true)
    }

    private mutating func numberCommand(_ name: ArraySlice<UInt8>, isUID: Bool) throws(SyntaxError) -> Command {
        switch name.count {
        case _ where name.isWord("FETCH"): return try fetch(isUID: isUID)
        case _ where name.isWord("STORE"): return try store(isUID: isUID)
        case _ where name.isWord("SEARCH"): return try search(isUID: isUID)
        case _ where name.isWord("SORT"): return try sort(isUID: isUID)
        case _ where name.isWord("THREAD"): return try thread(isUID: isUID)
        case _ where name.isWord("COPY"): return try copy(isUID: isUID, isMove: false)
        case _ where name.isWord("MOVE"): return try copy(isUID: isUID, isMove: true)
        default: throw .unknownCommand
        }
    }

    // copy = "COPY" SP sequence-set SP mailbox ; move = "MOVE" SP sequence-set SP mailbox
    private mutating func copy(isUID: Bool, isMove: Bool) throws(SyntaxError) -> Command {
        try space()
        let set = try sequenceSet()
        try space()
        return .copy(CopyCommand(set: set, isUID: isUID, isMove: isMove, mailbox: try mailbox()))
    }

    // store = "STORE" SP sequence-set [SP "(" store-modifier ")"] SP store-att-flags
    // store-modifier =/ "UNCHANGEDSINCE" SP mod-sequence-valzer                   RFC 7162 section 7
    // store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    private mutating func store(isUID: Bool) throws(SyntaxError) -> Command {
        try space()
        let set = try sequenceSet()
        try space()
        var unchangedSince: UInt64?
        if peek == 0x28 {
            try list(atMost: 1, of: "STORE modifiers") { parser throws(SyntaxError) in
                guard parser.takeIf(word: "UNCHANGEDSINCE") else { throw .expected("STORE modifier", at: parser.index) }
                try parser.space()
                unchangedSince = UInt64(try parser.number64())
            }
            try space()
        }
        let action: StoreCommand.Action = takeIf(0x2b) ? .add : takeIf(0x2d) ? .remove : .replace
        let name = take(while: .atom)
        let isSilent = name.isWord("FLAGS.SILENT")
        guard isSilent || name.isWord("FLAGS") else { throw .expected("FLAGS", at: index) }
        try space()
        return .store(
            StoreCommand(
                set: set, isUID: isUID, action: action, isSilent: isSilent, flags: try storeFlags(), unchangedSince: unchangedSince))
    }

    // enable = "ENABLE" 1*(SP capability)
    private mutating func capabilities() throws(SyntaxError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        repeat {
            try space()
            let name = take(while: .atom)
            guard !name.isEmpty else { throw .expected("capability", at: index) }
            guard names.count < 100 else { throw .overLimit("capabilities") }
            names.append(name.map(\.upper))
        } while peek == 0x20
        return names
    }
}
