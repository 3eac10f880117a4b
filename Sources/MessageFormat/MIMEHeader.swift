/// The Content-* fields of a message or part (RFC 2045, 2183, 3282, 2557).
package struct MIMEHeader: Equatable, Sendable {
    package struct Parameter: Equatable, Sendable {
        package var name: [UInt8]
        package var value: [UInt8]
    }

    package struct Disposition: Equatable, Sendable {
        package var kind: [UInt8]
        package var parameters: [Parameter]
    }

    /// Nil until Content-Type was seen and understood.
    package var type: [UInt8]?
    package var subtype: [UInt8] = []
    package var parameters: [Parameter] = []
    package var id: [UInt8]?
    package var description: [UInt8]?
    package var encoding: [UInt8]?
    package var md5: [UInt8]?
    package var disposition: Disposition?
    package var languages: [[UInt8]] = []
    package var location: [UInt8]?
    /// The boundary as it stands in the body. Many senders forget the quotes: then it goes up to the next blank or semicolon.
    var boundary: [UInt8]?
    /// Seen, but not to be understood: later ones do not count.
    private var hasBrokenType = false
    var hasType: Bool { type != nil || hasBrokenType }

    package init() {}

    /// The value of a parameter of Content-Type; `name` in lower case.
    package func parameter(_ name: String) -> [UInt8]? {
        parameters.first { $0.name.isName(name) }?.value
    }

    static func isField(_ name: ArraySlice<UInt8>) -> Bool { name.count > 8 && name.prefix(8).isName("content-") }

    mutating func take(_ name: ArraySlice<UInt8>, _ value: [UInt8]) {
        let field = name.dropFirst(8)
        switch field.count {
        case _ where field.isName("type"): if type == nil, !hasBrokenType { takeType(value) }
        case _ where field.isName("transfer-encoding"): if encoding == nil { encoding = Tokens.only(value) }
        case _ where field.isName("id"): if id == nil { id = value }
        case _ where field.isName("description"): if description == nil { description = value }
        case _ where field.isName("md5"): if md5 == nil { md5 = value }
        case _ where field.isName("location"): if location == nil { location = value }
        case _ where field.isName("language"): if languages.isEmpty { takeLanguages(value) }
        case _ where field.isName("disposition"): if disposition?.parameters.isEmpty ?? true { takeDisposition(value) }
        default: break
        }
    }

    // content := "Content-Type" ":" type "/" subtype *(";" parameter)        RFC 2045 section 5.1
    private mutating func takeType(_ value: [UInt8]) {
        var tokens = Tokens(value)
        let main = tokens.token()
        hasBrokenType = true
        guard !main.isEmpty, tokens.takeIf(0x2f) else { return }
        let sub = tokens.token()
        guard !sub.isEmpty else { return }
        type = main
        subtype = sub
        parameters = tokens.parameters()
        boundary = tokens.unquotedBoundary ?? parameter("boundary")
    }

    // disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm)     RFC 2183 section 2
    private mutating func takeDisposition(_ value: [UInt8]) {
        var tokens = Tokens(value)
        let kind = tokens.token()
        disposition = Disposition(kind: kind, parameters: tokens.parameters())
    }

    // Language-List = Language-Tag [CFWS] *("," [CFWS] Language-Tag [CFWS])       RFC 3282 section 2
    private mutating func takeLanguages(_ value: [UInt8]) {
        var tokens = Tokens(value)
        repeat {
            let tag = tokens.atom()
            if tag.isEmpty { return }
            languages.append(tag)
        } while tokens.takeIf(0x2c) && languages.count < Limits.languages
    }
}

/// Tokens and parameters of MIME fields; lenient, never going back.
struct Tokens {
    private let bytes: [UInt8]
    private var index = 0
    /// The first boundary of the parameters, when it has no quotes.
    private(set) var unquotedBoundary: [UInt8]?
    private var hasBoundary = false
    /// A comment that does not end: nothing behind it means anything.
    private var isBroken = false

    init(_ value: [UInt8]) { bytes = value }

    /// The token that is the whole value; nil for anything else.
    static func only(_ value: [UInt8]) -> [UInt8]? {
        var tokens = Tokens(value)
        let token = tokens.token()
        tokens.skipBlanks()
        return token.isEmpty || tokens.isBroken || tokens.peek != nil ? nil : token
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func takeIf(_ wanted: UInt8) -> Bool {
        skipBlanks()
        guard peek == wanted else { return false }
        index += 1
        return true
    }

    /// Skips blanks and comments, however deep: only a counter grows.
    private mutating func skipBlanks() {
        var depth = 0
        while let byte = peek {
            switch byte {
            case 0x28: depth += 1
            case 0x29 where depth > 0: depth -= 1
            case 0x5c where depth > 0: index += 1
            case 0x20, 0x09, 0x0d, 0x0a: break
            default: if depth == 0 { return }
            }
            index += 1
        }
        index = min(index, bytes.count)
        isBroken = isBroken || depth > 0
    }

    // token := 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>; 8-bit is let through
    mutating func token() -> [UInt8] { word { $0 == 0x2f || $0 == 0x3d || $0 == 0x3f } }

    /// What a language tag is taken from.
    mutating func atom() -> [UInt8] { word { $0 == 0x2e } }

    private mutating func word(except isSpecial: (UInt8) -> Bool) -> [UInt8] {
        skipBlanks()
        let start = index
        while let byte = peek, byte > 0x20, !Self.isSpecial(byte), !isSpecial(byte) { index += 1 }
        return Array(bytes[start..<index])
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x28, 0x29, 0x2c, 0x3a, 0x3b, 0x3c, 0x3e, 0x40, 0x5b, 0x5c, 0x5d, 0x7f: true
        default: false
        }
    }

    private mutating func upToBlank() -> [UInt8] {
        let start = index
        while let byte = peek, byte > 0x20, byte != 0x3b { index += 1 }
        return Array(bytes[start..<index])
    }

    // value := token / quoted-string
    /// Nil for a quoted string that does not end.
    private mutating func value() -> [UInt8]? {
        skipBlanks()
        // An encoded word that nobody quoted.
        if peek == 0x3d { return upToBlank() }
        guard peek == 0x22 else { return token() }
        index += 1
        var text: [UInt8] = []
        while let byte = peek {
            index += 1
            if byte == 0x22 { return text }
            if byte == 0x5c, let escaped = peek {
                text.append(escaped)
                index += 1
            } else {
                text.append(byte)
            }
        }
        return nil
    }

    // *(";" parameter) ; parameter := attribute "=" value
    /// Where something else stands, it goes on at the next semicolon.
    mutating func parameters() -> [MIMEHeader.Parameter] {
        var plain: [MIMEHeader.Parameter] = []
        var pieces = ParameterPieces()
        while index < bytes.count, plain.count < Limits.parameters {
            index += 1
            guard bytes[index - 1] == 0x3b else { continue }
            let name = token()
            guard takeIf(0x3d) else {
                index += 1
                continue
            }
            skipBlanks()
            if !hasBoundary, name.isName("boundary") {
                hasBoundary = true
                let start = index
                if peek != 0x22 { unquotedBoundary = upToBlank() }
                index = start
            }
            guard let value = value(), !isBroken else { break }
            if !pieces.take(name, value) { plain.append(MIMEHeader.Parameter(name: name, value: value)) }
            skipBlanks()
        }
        return plain + pieces.joined(atMost: Limits.parameters - plain.count)
    }
}

/// Joins `name*0`, `name*1*`, … (RFC 2231 section 3). The joined value keeps its percent encoding and then is called `name*`. Where one is
/// missing or there twice, all stay as they are.
struct ParameterPieces {
    private struct Piece {
        let name: [UInt8]
        let number: Int
        let isEncoded: Bool
        let value: [UInt8]
        var parameter: MIMEHeader.Parameter {
            MIMEHeader.Parameter(name: name + [0x2a] + Array(String(number).utf8) + (isEncoded ? [0x2a] : []), value: value)
        }
    }
    private var pieces: [Piece] = []

    // initial-section := "*0" ; other-sections := "*" ("1" … "9") *DIGIT ; extended-parameter := attribute [initial-section] "*" "=" …
    /// Takes a piece; false when the name is not that of one.
    mutating func take(_ name: [UInt8], _ value: [UInt8]) -> Bool {
        guard let star = name.firstIndex(of: 0x2a) else { return false }
        var digits = name[(star + 1)...]
        let isEncoded = digits.isEmpty || digits.last == 0x2a
        if digits.last == 0x2a { digits = digits.dropLast() }
        guard digits.count <= 9, digits.allSatisfy(\.isDigit) else { return false }
        guard pieces.count < Limits.parameterPieces else { return true }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        pieces.append(Piece(name: Array(name[..<star]), number: number, isEncoded: isEncoded, value: value))
        return true
    }

    /// Ordered by name.
    func joined(atMost limit: Int) -> [MIMEHeader.Parameter] {
        var result: [MIMEHeader.Parameter] = []
        let ordered = pieces.enumerated().sorted {
            if $0.element.name != $1.element.name { return $0.element.name.lexicographicallyPrecedes($1.element.name) }
            return $0.element.number != $1.element.number ? $0.element.number < $1.element.number : $0.offset < $1.offset
        }.map(\.element)
        var groups: [ArraySlice<Piece>] = []
        var start = 0
        while start < ordered.count {
            let end = ordered[start...].firstIndex { !$0.name.isName(ordered[start].name) } ?? ordered.count
            groups.append(ordered[start..<end])
            start = end
        }
        for group in groups {
            guard let first = group.first, group.enumerated().allSatisfy({ $0.offset == $0.element.number }) else {
                result += group.map(\.parameter)
                continue
            }
            let isEncoded = group.contains(where: \.isEncoded)
            // An encoded piece after a plain one: the first one then has neither character set nor language.
            let value = (isEncoded && !first.isEncoded ? [0x27, 0x27] : []) + group.flatMap(\.value)
            result.append(MIMEHeader.Parameter(name: isEncoded ? first.name + [0x2a] : first.name, value: value))
        }
        return Array(result.prefix(max(0, limit)))
    }
}
