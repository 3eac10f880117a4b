/// The system flags of a message (RFC 9051 section 2.3.2).
package struct MessageFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let answered = MessageFlags(rawValue: 1)
    package static let flagged = MessageFlags(rawValue: 2)
    package static let deleted = MessageFlags(rawValue: 4)
    package static let seen = MessageFlags(rawValue: 8)
    package static let draft = MessageFlags(rawValue: 16)
    /// Only this session was told of the message first; never stored by a client.
    package static let recent = MessageFlags(rawValue: 32)

    /// What a client may set and clear.
    package static let permanent: MessageFlags = [.answered, .flagged, .deleted, .seen, .draft]
}

/// The keywords of one message, as indexes into its mailbox's `keywords` table.
package struct KeywordSet: Hashable, Sendable {
    package var bits: UInt32

    package init(bits: UInt32 = 0) { self.bits = bits }

    package var isEmpty: Bool { bits == 0 }

    /// Whether the keyword with this index in `Mailbox.keywords` is set; an index out of range is not.
    package func contains(_ index: Int) -> Bool { index >= 0 && index < 32 && bits & (1 << UInt32(index)) != 0 }

    package mutating func insert(_ index: Int) { if index >= 0 && index < 32 { bits |= 1 << UInt32(index) } }

    package mutating func remove(_ index: Int) { if index >= 0 && index < 32 { bits &= ~(1 << UInt32(index)) } }

    package func union(_ other: KeywordSet) -> KeywordSet { KeywordSet(bits: bits | other.bits) }

    package func subtracting(_ other: KeywordSet) -> KeywordSet { KeywordSet(bits: bits & ~other.bits) }

    package func isSubset(of other: KeywordSet) -> Bool { bits & ~other.bits == 0 }

    /// The indexes that are set, ascending.
    package var indexes: [Int] { (0..<32).filter { bits & (1 << UInt32($0)) != 0 } }
}

/// A client's own flag such as `$Forwarded` or `Junk`: an IMAP atom that does not begin with a backslash.
/// Two keywords are equal when they differ in ASCII case only; the first spelling is kept.
package struct Keyword: Hashable, Sendable {
    package let bytes: [UInt8]

    /// Why a keyword was refused; the text is the one that Dovecot's clients know.
    package enum Refusal: String, Error {
        case empty = "Empty keywords not allowed", tooLong = "Keyword length too long",
            invalidCharacters = "Invalid characters in keyword", eightBit = "8bit characters in keyword"
    }

    /// Takes an atom of at most `maximumLength` bytes (`mail_max_keyword_length`).
    package init(_ bytes: [UInt8], maximumLength: Int = StoreLimits.keywordLength) throws(Refusal) {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= maximumLength else { throw .tooLong }
        for byte in bytes {
            if byte >= 0x80 { throw .eightBit }
            if byte <= 0x20 || byte == 0x7f || Self.specials.contains(byte) { throw .invalidCharacters }
        }
        self.bytes = bytes
    }

    // atom-specials of RFC 9051 that are not controls: ( ) { % * " \ ]
    private static let specials: [UInt8] = [0x28, 0x29, 0x7b, 0x25, 0x2a, 0x22, 0x5c, 0x5d]

    package static func == (left: Keyword, right: Keyword) -> Bool {
        guard left.bytes.count == right.bytes.count else { return false }
        for index in left.bytes.indices where ASCII.lower(left.bytes[index]) != ASCII.lower(right.bytes[index]) { return false }
        return true
    }

    package func hash(into hasher: inout Hasher) { for byte in bytes { hasher.combine(ASCII.lower(byte)) } }
}
