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

    package init() {}

    /// The value of a parameter of Content-Type; `name` in lower case.
    package func parameter(_ name: String) -> [UInt8]? {
        parameters.first { $0.name.isName(name) }?.value
    }

    static func isField(_ name: ArraySlice<UInt8>) -> Bool { name.count > 8 && name.prefix(8).isName("content-") }

    mutating func take(_ name: ArraySlice<UInt8>, _ value: [UInt8]) {
        let field = name.dropFirst(8)
        switch field.count {
        case _ where field.isName("type"): if type == nil { takeType(value) }
        case _ where field.isName("transfer-encoding"): if encoding == nil { encoding = Tokens.first(value) }
        case _ where field.isName("id"): if id == nil { id = Self.text(value) }
        case _ where field.isName("description"): if description == nil { description = Self.text(value) }
        case _ where field.isName("md5"): if md5 == nil { md5 = Self.text(value) }
        case _ where field.isName("location"): if location == nil { location = Self.text(value) }
        case _ where field.isName("language"): if languages.isEmpty { takeLanguages(value) }
        case _ where field.isName("disposition"): if disposition == nil { takeDisposition(value) }
        default: break
        }
    }

    private static func text(_ value: [UInt8]) -> [UInt8]? {
        let text = value[...].trimmed
        return text.isEmpty ? nil : Array(text)
    }

    // content := "Content-Type" ":" type "/" subtype *(";" parameter)        RFC 2045 section 5.1
    private mutating func takeType(_ value: [UInt8]) {
        var tokens = Tokens(value)
        let main = tokens.token()
        guard !main.isEmpty, tokens.takeIf(0x2f) else { return }
        let sub = tokens.token()
        guard !sub.isEmpty else { return }
        type = main
        subtype = sub
        parameters = tokens.parameters()
    }

    // disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm)     RFC 2183 section 2
    private mutating func takeDisposition(_ value: [UInt8]) {
        var tokens = Tokens(value)
        let kind = tokens.token()
        if !kind.isEmpty { disposition = Disposition(kind: kind, parameters: tokens.parameters()) }
    }

    // Language-List = Language-Tag [CFWS] *("," [CFWS] Language-Tag [CFWS])       RFC 3282 section 2
    private mutating func takeLanguages(_ value: [UInt8]) {
        var tokens = Tokens(value)
        repeat {
            let tag = tokens.token()
            if !tag.isEmpty { languages.append(tag) }
        } while tokens.takeIf(0x2c) && languages.count < Limits.languages
    }
}

/// Tokens and parameters of MIME fields; lenient, never going back.
struct Tokens {
    private let bytes: [UInt8]
    private var index = 0

    init(_ value: [UInt8]) { bytes = value }

    static func first(_ value: [UInt8]) -> [UInt8]? {
        var tokens = Tokens(value)
        let token = tokens.token()
        return token.isEmpty ? nil : token
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
            case _ where depth == 0 && byte > 0x20: return
            default: break
            }
            index += 1
        }
        index = min(index, bytes.count)
    }

    // token := 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>; 8-bit is let through
    mutating func token() -> [UInt8] {
        skipBlanks()
        let start = index
        while let byte = peek, byte > 0x20, !Self.isSpecial(byte) { index += 1 }
        return Array(bytes[start..<index])
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x28, 0x29, 0x2c, 0x2f, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x40, 0x5b, 0x5c, 0x5d: true
        default: false
        }
    }

    // parameter := attribute "=" value ; value := token / quoted-string
    private mutating func value() -> [UInt8] {
        skipBlanks()
        guard peek == 0x22 else {
            // Bare values with characters that ought to be quoted are common: up to the next ; or blank.
            let start = index
            while let byte = peek, byte > 0x20, byte != 0x3b { index += 1 }
            return Array(bytes[start..<index])
        }
        index += 1
        var text: [UInt8] = []
        while let byte = peek {
            index += 1
            if byte == 0x22 { break }
            if byte == 0x5c, let escaped = peek {
                text.append(escaped)
                index += 1
            } else {
                text.append(byte)
            }
        }
        return text
    }

    mutating func parameters() -> [MIMEHeader.Parameter] {
        var plain: [MIMEHeader.Parameter] = []
        var pieces = ParameterPieces()
        while index < bytes.count, plain.count < Limits.parameters {
            guard takeIf(0x3b) else {
                if index < bytes.count { index += 1 }
                continue
            }
            let name = token()
            guard !name.isEmpty, takeIf(0x3d) else { continue }
            let value = value()
            if !pieces.take(name, value) { plain.append(MIMEHeader.Parameter(name: name, value: value)) }
        }
        return plain + pieces.joined(atMost: Limits.parameters - plain.count)
    }
}

/// Joins `name*0`, `name*1*`, … (RFC 2231 section 3). The joined value keeps its percent encoding and then is called `name*`.
struct ParameterPieces {
    private struct Piece {
        let name: [UInt8]
        let number: Int
        let isEncoded: Bool
        let value: [UInt8]
    }
    private var pieces: [Piece] = []

    // section := "*" ("0" / [1-9][0-9]*) ["*"]
    /// Takes a piece; false when the name is not that of one.
    mutating func take(_ name: [UInt8], _ value: [UInt8]) -> Bool {
        guard let star = name.firstIndex(of: 0x2a), star > 0, star + 1 < name.count else { return false }
        let isEncoded = name.last == 0x2a
        let digits = name[(star + 1)..<(isEncoded ? name.count - 1 : name.count)]
        guard !digits.isEmpty, digits.count <= 3, digits.allSatisfy(\.isDigit) else { return false }
        guard pieces.count < Limits.parameterPieces else { return true }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        pieces.append(Piece(name: Array(name[..<star]), number: number, isEncoded: isEncoded, value: value))
        return true
    }

    func joined(atMost limit: Int) -> [MIMEHeader.Parameter] {
        var result: [MIMEHeader.Parameter] = []
        // At most 128 pieces, sorted by name and number: the names in order of their first piece.
        let order = pieces.enumerated().sorted {
            $0.element.number != $1.element.number ? $0.element.number < $1.element.number : $0.offset < $1.offset
        }
        for piece in pieces where result.count < limit {
            let plain = piece.name
            if result.contains(where: { $0.name.prefix(plain.count).isName(plain) && $0.name.count - plain.count <= 1 }) { continue }
            var value: [UInt8] = []
            var isEncoded = false
            for (_, other) in order where other.name.isName(plain) {
                value.append(contentsOf: other.value)
                isEncoded = isEncoded || other.isEncoded
            }
            result.append(MIMEHeader.Parameter(name: isEncoded ? plain + [0x2a] : plain, value: value))
        }
        return result
    }
}
