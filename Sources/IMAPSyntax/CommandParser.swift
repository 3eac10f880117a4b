/// Takes one complete command apart. Rules are methods with their ABNF above them; none looks back further than one byte.
package struct CommandParser {
    let bytes: [UInt8]
    let literals: [Range<Int>]
    let limits: Limits
    package internal(set) var index = 0
    var nextLiteral = 0
    /// Search keys seen so far, on all levels.
    var searchKeys = 0

    package init(_ command: RawCommand, limits: Limits) {
        bytes = command.bytes
        literals = command.literals
        self.limits = limits
    }

    // tag = 1*<any ASTRING-CHAR except "+">                     RFC 9051 section 9
    package mutating func tag() throws(SyntaxError) -> [UInt8] {
        let word = take(while: .tag)
        guard !word.isEmpty else { throw .expected("tag", at: index) }
        guard word.count <= Limits.tag else { throw .overLimit("tag") }
        return Array(word)
    }

    /// The word after the tag.
    package mutating func commandName() throws(SyntaxError) -> ArraySlice<UInt8> {
        try space()
        let name = take(while: .atom)
        guard !name.isEmpty else { throw .expected("command", at: index) }
        return name
    }

    /// Nothing may be left.
    package func end() throws(SyntaxError) {
        guard index == bytes.count else { throw peek == 0 ? .nul : .expected("end of command", at: index) }
    }

    // MARK: bytes

    /// The next byte; nil at the end.
    var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func space() throws(SyntaxError) { try byte(0x20, "space") }

    mutating func byte(_ wanted: UInt8, _ name: String) throws(SyntaxError) {
        guard takeIf(wanted) else { throw .expected(name, at: index) }
    }

    mutating func takeIf(_ wanted: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == wanted else { return false }
        index += 1
        return true
    }

    /// Takes `word` (upper case) in any case, if it comes next as a whole atom.
    mutating func takeIf(word: String) -> Bool {
        let start = index
        if take(while: .astring).isWord(word) { return true }
        index = start
        return false
    }

    mutating func take(while set: ASCIISet) -> ArraySlice<UInt8> {
        let start = index
        while index < bytes.count, set.contains(bytes[index]) { index += 1 }
        return bytes[start..<index]
    }

    /// `(` element *(SP element) `)`; the one place that counts elements.
    mutating func list(
        atMost limit: Int, of name: String, allowsEmpty: Bool = false, element: (inout CommandParser) throws(SyntaxError) -> Void
    ) throws(SyntaxError) {
        try byte(0x28, "(")
        if allowsEmpty, takeIf(0x29) { return }
        var count = 0
        repeat {
            count += 1
            guard count <= limit else { throw .overLimit(name) }
            try element(&self)
        } while takeIf(0x20)
        try byte(0x29, ")")
    }
}

// MARK: strings and numbers
extension CommandParser {
    // astring = 1*ASTRING-CHAR / string
    mutating func astring(_ name: String) throws(SyntaxError) -> [UInt8] {
        if peek == 0x22 || peek == 0x7b { return try string() }
        let word = take(while: .astring)
        guard !word.isEmpty else { throw peek == 0 ? .nul : .expected(name, at: index) }
        return Array(word)
    }

    // string = quoted / literal
    mutating func string() throws(SyntaxError) -> [UInt8] {
        switch peek {
        case 0x22: return try quoted()
        case 0x7b: return try literal()
        case 0: throw .nul
        default: throw .expected("string", at: index)
        }
    }

    // nstring = string / nil
    mutating func nstring() throws(SyntaxError) -> [UInt8]? {
        takeNil() ? nil : try string()
    }

    // nil = "NIL"
    mutating func takeNil() -> Bool { takeIf(word: "NIL") }

    // quoted = DQUOTE *QUOTED-CHAR DQUOTE
    // QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
    // Bytes above 127 are taken as they are: what they mean is for the place where the string is used.
    mutating func quoted() throws(SyntaxError) -> [UInt8] {
        try byte(0x22, "quoted string")
        var content: [UInt8] = []
        var runStart = index
        while index < bytes.count {
            switch bytes[index] {
            case 0x22:
                content.append(contentsOf: bytes[runStart..<index])
                index += 1
                return content
            case 0x5c:
                content.append(contentsOf: bytes[runStart..<index])
                index += 1
                guard let escaped = peek else { throw .expected("quoted special", at: index) }
                guard escaped != 0 else { throw .nul }
                // Only " and \ may be escaped; clients that escape more mean the byte itself.
                runStart = index
                index += 1
            case 0: throw .nul
            case 0x0d, 0x0a: throw .expected("end of quoted string", at: index)
            default: index += 1
            }
        }
        throw .expected("end of quoted string", at: index)
    }

    // literal = "{" number64 ["+"] "}" CRLF *CHAR8
    mutating func literal() throws(SyntaxError) -> [UInt8] {
        let content = try literalRange()
        guard !bytes[content].contains(0) else { throw .nul }
        return Array(bytes[content])
    }

    // literal8 = "~{" number64 ["+"] "}" CRLF *OCTET       ; the ~ was taken
    mutating func literal8() throws(SyntaxError) -> [UInt8] { Array(bytes[try literalRange()]) }

    private mutating func literalRange() throws(SyntaxError) -> Range<Int> {
        guard nextLiteral < literals.count else { throw .expected("literal", at: index) }
        let content = literals[nextLiteral]
        let announcement = content.lowerBound - index
        guard announcement >= 3, announcement <= Limits.digits + 13, bytes[index] == 0x7b, content.upperBound <= bytes.count,
            bytes[content.lowerBound - 1] == 0x7d, !bytes[(index + 1)..<content.lowerBound].contains(0x7b)
        else { throw .expected("literal", at: index) }
        nextLiteral += 1
        index = content.upperBound
        return content
    }

    // number = 1*DIGIT   ; unsigned 32-bit
    mutating func number() throws(SyntaxError) -> UInt32 {
        let digits = takeDigits()
        guard !digits.isEmpty else { throw .expected("number", at: index) }
        guard digits.count <= Limits.digits, let value = UInt32(exactly: Self.value(of: digits)) else { throw .overLimit("number") }
        return value
    }

    // nz-number = digit-nz *DIGIT   ; non-zero unsigned 32-bit
    mutating func nzNumber() throws(SyntaxError) -> UInt32 {
        let value = try number()
        guard value > 0 else { throw .expected("number above 0", at: index) }
        return value
    }

    // number64 = 1*DIGIT   ; unsigned 63-bit
    mutating func number64() throws(SyntaxError) -> Int64 {
        let digits = takeDigits()
        guard !digits.isEmpty else { throw .expected("number", at: index) }
        var value: Int64 = 0
        for digit in digits {
            let (tens, isBeyond) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = tens.addingReportingOverflow(Int64(digit - 0x30))
            guard !isBeyond, !isOver else { throw .overLimit("number") }
            value = sum
        }
        return value
    }

    /// Exactly `count` digits, at most 9.
    mutating func digits(_ count: Int) throws(SyntaxError) -> Int {
        let digits = bytes[index...].prefix(count)
        guard digits.count == count, digits.allSatisfy(\.isDigit) else { throw .expected("digit", at: index) }
        index += count
        return Int(Self.value(of: digits))
    }

    private mutating func takeDigits() -> ArraySlice<UInt8> {
        let start = index
        while index < bytes.count, bytes[index].isDigit { index += 1 }
        return bytes[start..<index]
    }

    /// At most 18 digits are given, so nothing overflows.
    private static func value(of digits: ArraySlice<UInt8>) -> Int64 {
        digits.reduce(0) { $0 &* 10 &+ Int64($1 &- 0x30) }
    }
}
