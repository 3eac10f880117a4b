/// APPEND or REPLACE up to its first message.
package struct AppendCommand: Equatable, Sendable {
    /// The message that goes away (RFC 8508).
    package struct Replaced: Equatable, Sendable {
        package var number: SequenceSet
        package var isUID: Bool
    }

    package var mailbox: [UInt8]
    package var replaced: Replaced?
}

/// What stands before the content of one message.
package struct AppendMessage: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// A literal, or a literal8, which may hold NULs (RFC 3516).
        case literal(isBinary: Bool)
        /// `UTF8 (` and a literal8 (RFC 6855).
        case utf8
        /// `CATENATE (`: `catenatePart` comes next (RFC 4469).
        case catenate
    }

    package var flags = FlagList()
    package var internalDate: DateTime?
    package var content = Content.literal(isBinary: false)
}

/// One piece of a message that is put together by the server.
package enum CatenatePart: Equatable, Sendable {
    case url([UInt8])
    /// A URL in a literal that follows.
    case urlLiteral
    /// Text in a literal that follows.
    case text(isBinary: Bool)
}

// APPEND and REPLACE come in pieces: the reader cuts them before each literal. A rule that ends in a literal ends at the end of the piece.
extension CommandParser {
    // append = "APPEND" SP mailbox 1*append-message                                          RFC 3502 section 6.3.11
    // replace = "REPLACE" SP seq-number SP mailbox append-message ; uid-replace = "UID" SP replace       RFC 8508 section 6
    /// What follows the tag, up to the mailbox. `name` gets the words of the command in upper case, also when it is refused.
    package mutating func append(name text: inout [UInt8]) throws(SyntaxError) -> AppendCommand {
        var name = try commandName()
        text = name.prefix(32).map(\.upper)
        let isUID = name.isWord("UID")
        if isUID {
            name = try commandName()
            text += [0x20] + name.prefix(32).map(\.upper)
        }
        try space()
        if !isUID, name.isWord("APPEND") { return AppendCommand(mailbox: try mailbox()) }
        guard name.isWord("REPLACE") else { throw .unknownCommand }
        var number = SequenceSet()
        let bound = try sequenceNumber()
        number.add(bound, bound)
        try space()
        return AppendCommand(mailbox: try mailbox(), replaced: .init(number: number, isUID: isUID))
    }

    // append-message = [SP flag-list] [SP date-time] SP append-data
    // append-data = literal / literal8 / "UTF8" SP "(" literal8 ")" / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
    package mutating func appendMessage() throws(SyntaxError) -> AppendMessage {
        var message = AppendMessage()
        try space()
        if peek == 0x28 {
            message.flags = try flagList()
            try space()
        }
        if peek == 0x22 {
            message.internalDate = try dateTime()
            try space()
        }
        if takeIf(word: "UTF8") {
            try space()
            try byte(0x28, "(")
            guard try announcedLiteral() else { throw .expected("literal8", at: index) }
            message.content = .utf8
        } else if takeIf(word: "CATENATE") {
            try space()
            try byte(0x28, "(")
            message.content = .catenate
        } else {
            message.content = .literal(isBinary: try announcedLiteral())
        }
        return message
    }

    // cat-part = text-literal / url ; text-literal = "TEXT" SP literal ; url = "URL" SP astring        RFC 4469 section 5
    package mutating func catenatePart() throws(SyntaxError) -> CatenatePart {
        if takeIf(word: "TEXT") {
            try space()
            return .text(isBinary: try announcedLiteral())
        }
        guard takeIf(word: "URL") else { throw .expected("TEXT or URL", at: index) }
        try space()
        if peek == 0x7b {
            _ = try announcedLiteral()
            return .urlLiteral
        }
        let url = try astring("URL")
        guard url.count <= Limits.url else { throw .overLimit("URL") }
        return .url(url)
    }

    /// After a part: whether another one follows.
    package mutating func catenateGoesOn() throws(SyntaxError) -> Bool {
        if takeIf(0x20) { return true }
        try closeList()
        return false
    }

    package mutating func closeList() throws(SyntaxError) { try byte(0x29, ")") }

    /// Nothing is left of this piece.
    package var isAtEnd: Bool { index == bytes.count }

    /// Takes the announcement of a literal at the end of the piece; answers whether it is a literal8.
    private mutating func announcedLiteral() throws(SyntaxError) -> Bool {
        let isBinary = takeIf(0x7e)
        guard let announcement = LiteralAnnouncement(endOf: bytes[index...]), announcement.length == bytes.count - index else {
            throw .expected("literal", at: index)
        }
        index = bytes.count
        return isBinary
    }
}

extension BodySection {
    /// A section as a URL names it, without brackets (RFC 5092 section 11: isection).
    package init?(urlText: [UInt8]) {
        var parser = CommandParser(RawCommand(bytes: [0x5b] + urlText + [0x5d]), limits: .postLogin)
        do throws(SyntaxError) {
            self = try parser.section(isPeek: true)
            try parser.end()
        } catch { return nil }
    }
}
