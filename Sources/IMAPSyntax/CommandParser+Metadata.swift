/// GETMETADATA (RFC 5464).
package struct GetMetadataCommand: Equatable, Sendable {
    package enum Depth: Equatable, Sendable { case entry, children, all }

    /// Empty: the server.
    package var mailbox: [UInt8] = []
    package var entries: [[UInt8]] = []
    package var depth = Depth.entry
    /// Values longer than this many octets are left out.
    package var maximumSize: UInt32?

    package init(mailbox: [UInt8] = [], entries: [[UInt8]] = [], depth: Depth = .entry, maximumSize: UInt32? = nil) {
        self.mailbox = mailbox
        self.entries = entries
        self.depth = depth
        self.maximumSize = maximumSize
    }
}

/// SETMETADATA: entries with their new values; nil removes.
package struct SetMetadataCommand: Equatable, Sendable {
    package struct Change: Equatable, Sendable {
        package var entry: [UInt8]
        package var value: [UInt8]?
    }

    package var mailbox: [UInt8]
    package var changes: [Change]
}

extension CommandParser {
    // getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries                RFC 5464 section 5
    // entries = entry / "(" entry *(SP entry) ")"
    // Its examples have the options after the mailbox: so they may stand there too.
    mutating func getMetadata() throws(SyntaxError) -> Command {
        var command = GetMetadataCommand()
        try space()
        if peek == 0x28 {
            try metadataOptions(&command)
            try space()
        }
        command.mailbox = try mailbox()
        try space()
        if peek == 0x28, startsWithOption {
            try metadataOptions(&command)
            try space()
        }
        command.entries = try metadataEntries()
        return .getMetadata(command)
    }

    private var startsWithOption: Bool {
        let rest = bytes[(index + 1)...]
        return rest.prefix(8).isWord("MAXSIZE ") || rest.prefix(6).isWord("DEPTH ")
    }

    // getmetadata-option = "MAXSIZE" SP number / "DEPTH" SP ("0" / "1" / "infinity")
    private mutating func metadataOptions(_ command: inout GetMetadataCommand) throws(SyntaxError) {
        var options = command
        try list(atMost: 2, of: "METADATA options") { parser throws(SyntaxError) in
            if parser.takeIf(word: "MAXSIZE") {
                try parser.space()
                options.maximumSize = try parser.number()
            } else {
                guard parser.takeIf(word: "DEPTH") else { throw .expected("METADATA option", at: parser.index) }
                try parser.space()
                let depth = parser.take(while: .atom)
                switch depth.count {
                case _ where depth.isWord("0"): options.depth = .entry
                case _ where depth.isWord("1"): options.depth = .children
                case _ where depth.isWord("INFINITY"): options.depth = .all
                default: throw .expected("depth", at: parser.index)
                }
            }
        }
        command = options
    }

    mutating func metadataEntries() throws(SyntaxError) -> [[UInt8]] {
        guard peek == 0x28 else { return [try metadataEntry(mayBeScope: true)] }
        var entries: [[UInt8]] = []
        try list(atMost: Limits.metadataEntries, of: "entries") { parser throws(SyntaxError) in
            entries.append(try parser.metadataEntry(mayBeScope: true))
        }
        return entries
    }

    // entry = astring      ; a path with / at its start and between its parts; no *, no %, no control characters
    /// In lower case, for entries are compared without case. With a depth, a whole scope can be asked for.
    private mutating func metadataEntry(mayBeScope: Bool) throws(SyntaxError) -> [UInt8] {
        let name = try astring("entry")
        guard name.count <= Limits.metadataEntry else { throw .overLimit("entry") }
        let isPath = name.first == 0x2f && name.last != 0x2f && !zip(name, name.dropFirst()).contains { $0 == 0x2f && $1 == 0x2f }
        guard isPath, name.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x2a && $0 != 0x25 }) else { throw .expected("entry", at: index) }
        let lower = name.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
        if mayBeScope, lower.isWord("/PRIVATE") || lower.isWord("/SHARED") { return lower }
        guard lower.starts(with: "/private/".utf8) || lower.starts(with: "/shared/".utf8) else {
            throw .expected("/private/ or /shared/", at: index)
        }
        return lower
    }

    // setmetadata = "SETMETADATA" SP mailbox SP entry-values
    // entry-values = "(" entry-value *(SP entry-value) ")" ; entry-value = entry SP value ; value = nstring / literal8
    mutating func setMetadata() throws(SyntaxError) -> Command {
        try space()
        let name = try mailbox()
        try space()
        var changes: [SetMetadataCommand.Change] = []
        try list(atMost: Limits.metadataEntries, of: "entries") { parser throws(SyntaxError) in
            let entry = try parser.metadataEntry(mayBeScope: false)
            try parser.space()
            changes.append(.init(entry: entry, value: try parser.metadataValue()))
        }
        return .setMetadata(SetMetadataCommand(mailbox: name, changes: changes))
    }

    private mutating func metadataValue() throws(SyntaxError) -> [UInt8]? {
        if takeIf(0x7e) { return try literal8() }
        return try nstring()
    }
}

extension SearchKey {
    /// A search that was stored as a filter (RFC 5466 section 3.1): what may stand after SEARCH, without RETURN. Nil when it is none.
    package init?(filter text: [UInt8]) {
        var parser = CommandParser(RawCommand(bytes: text), limits: .postLogin)
        do throws(SyntaxError) {
            if parser.takeIf(word: "CHARSET") {
                try parser.space()
                _ = try parser.astring("charset")
                try parser.space()
            }
            self = try parser.searchKeys(depth: 1)
            try parser.end()
        } catch { return nil }
    }
}
