/// One `%` variable of the 2.3 notation with its modifiers and its cut.
struct LetterVariable: Sendable {
    let name: String
    /// How it was written, for `UNSUPPORTED_VARIABLE_`.
    let written: String
    /// Text for an unset variable: `%{userdb:quota:none}`.
    var fallback: String?
    var modifiers: [Modifier] = []
    var offset = 0
    var width = 0
    var padsWithZero = false

    enum Modifier: UInt8, Sendable {
        case lower = 0x4c, upper = 0x55, escape = 0x45, hex = 0x58, reverse = 0x52, hash = 0x4e, md5 = 0x4d, dn = 0x44, trim = 0x54
    }

    func value(_ lookup: (String) -> String?) -> String {
        guard let found = VariableScope.value(of: name, lookup) ?? fallback else { return "UNSUPPORTED_VARIABLE_" + written }
        if modifiers.isEmpty && width == 0 && offset == 0 { return found }
        var text = Array(found.utf8)
        var isCut = false
        for modifier in modifiers {
            if modifier == .hash {
                text = TextFilter.hash(text, modulo: UInt64(clamping: width), digits: offset)
                isCut = true
            } else {
                text = modifier.apply(text)
            }
        }
        return String(decoding: isCut ? text : cut(text), as: UTF8.self)
    }

    /// `%[offset.][-][0]width`: an offset from the start or, negative, from the end; then a width, or zeros in front up to it.
    private func cut(_ text: [UInt8]) -> [UInt8] {
        var rest = text[...]
        if offset > 0 { rest = rest.dropFirst(offset) }
        if offset < 0 { rest = rest.suffix(-offset) }
        if padsWithZero {
            return Array(repeating: UInt8(ascii: "0"), count: max(0, abs(width) - rest.count)) + rest
        }
        if width > 0 { rest = rest.prefix(width) }
        if width < 0 { rest = rest.dropLast(-width) }
        return Array(rest)
    }
}

extension LetterVariable.Modifier {
    func apply(_ text: [UInt8]) -> [UInt8] {
        switch self {
        case .lower: TextFilter.lower(text)
        case .upper: TextFilter.upper(text)
        case .escape: TextFilter.escape(text)
        case .hex: TextFilter.hexNumber(text)
        case .reverse: text.reversed()
        case .md5: TextFilter.hexadecimal(MD5.digest(text))
        case .dn: TextFilter.distinguishedName(text)
        case .trim: TextFilter.trim(text)
        case .hash: text
        }
    }
}

/// `%{if;left;OP;right;then;else}`.
struct LetterCondition: Sendable {
    let left: [Template.Part]
    let comparison: String
    let right: [Template.Part]
    let then: [Template.Part]
    let otherwise: [Template.Part]

    func value(escaping: (String) -> String, _ lookup: (String) -> String?) throws(TemplateError) -> String {
        let a = try Template.expand(left, escaping: { $0 }, lookup)
        let b = try Template.expand(right, escaping: { $0 }, lookup)
        let holds = try Comparison.holds(a, comparison, b)
        return try Template.expand(holds ? then : otherwise, escaping: escaping, lookup)
    }
}

/// Reads the 2.3 notation.
struct LetterParser {
    private let text: [UInt8]
    private let scope: VariableScope
    private var index = 0

    init(_ text: [UInt8], scope: VariableScope) {
        self.text = text
        self.scope = scope
    }

    private var current: UInt8? { index < text.count ? text[index] : nil }

    // template = *( text / "%%" / variable )
    mutating func parts(until ends: Set<UInt8>, depth: Int) throws(TemplateError) -> [Template.Part] {
        var parts: [Template.Part] = []
        var literal: [UInt8] = []
        while let byte = current {
            if ends.contains(byte) { break }
            index += 1
            if byte == UInt8(ascii: "\\"), depth > 0, let next = current {
                literal.append(next)
                index += 1
            } else if byte != UInt8(ascii: "%") || current == nil {
                literal.append(byte)
            } else if current == UInt8(ascii: "%") {
                literal.append(byte)
                index += 1
            } else {
                if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
                literal = []
                parts.append(try variable(depth: depth))
            }
        }
        if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
        return parts
    }

    // variable = "%" [[["-"] number "."] ["-"] ["0"] number] *modifier (letter / "{" name "}")
    private mutating func variable(depth: Int) throws(TemplateError) -> Template.Part {
        let start = index - 1
        var offset = 0
        var (width, isPadded) = try number()
        if current == UInt8(ascii: ".") {
            index += 1
            offset = width
            (width, isPadded) = try number()
        }
        var modifiers: [LetterVariable.Modifier] = []
        while let byte = current, let modifier = LetterVariable.Modifier(rawValue: byte) {
            modifiers.append(modifier)
            index += 1
        }
        guard let byte = current else { throw TemplateError(offset: start, message: "the template ends inside a variable") }
        index += 1
        if byte == UInt8(ascii: "H") {
            throw TemplateError(offset: start, message: "the modifier H (old hash) is not supported; use N", isUnsupported: true)
        }
        if byte == UInt8(ascii: "{") {
            if text[index...].starts(with: Array("if;".utf8)) {
                index += 3
                return .condition(try condition(depth: depth, start: start))
            }
            return .variable(try named(modifiers, offset, width, isPadded, start))
        }
        let letter = String(decoding: [byte], as: UTF8.self)
        let name = scope.letters[byte] ?? letter
        return .variable(
            LetterVariable(
                name: name, written: letter, modifiers: modifiers, offset: offset, width: width, padsWithZero: isPadded))
    }

    private mutating func number() throws(TemplateError) -> (Int, Bool) {
        var isNegative = false
        if current == UInt8(ascii: "-") {
            isNegative = true
            index += 1
        }
        let isPadded = current == UInt8(ascii: "0")
        var value = 0
        while let byte = current, byte >= 0x30, byte <= 0x39 {
            value = value * 10 + Int(byte - 0x30)
            guard value <= Limits.width else { throw TemplateError(offset: index, message: "the width is above \(Limits.width)") }
            index += 1
        }
        return (isNegative ? -value : value, isPadded && value > 0)
    }

    // name = 1*(any but "}")     env:HOME, userdb:quota:default, md5:user
    private mutating func named(
        _ modifiers: [LetterVariable.Modifier], _ offset: Int, _ width: Int, _ isPadded: Bool, _ start: Int
    ) throws(TemplateError) -> LetterVariable {
        guard let end = text[index...].firstIndex(of: UInt8(ascii: "}")) else {
            throw TemplateError(offset: start, message: "missing '}' after '%{'")
        }
        let name = String(decoding: text[index..<end], as: UTF8.self)
        index = end + 1
        var variable = LetterVariable(
            name: name, written: name, modifiers: modifiers, offset: offset, width: width, padsWithZero: isPadded)
        let fields = name.split(separator: ":", omittingEmptySubsequences: false)
        let provider = fields[0].split(separator: ";")[safe: 0] ?? ""
        if ["md4", "md5", "sha1", "sha256", "sha384", "sha512", "sha3-256", "pkcs5"].contains(provider), fields.count == 2 {
            guard fields[0] == "md5" else {
                throw TemplateError(
                    offset: start, message: "the hash \(fields[0]) is not supported in templates; use md5", isUnsupported: true)
            }
            variable = LetterVariable(
                name: String(fields[1]), written: name, modifiers: [.md5] + modifiers, offset: offset, width: width,
                padsWithZero: isPadded)
        } else if provider == "userdb" || provider == "passdb", fields.count > 2 {
            variable = LetterVariable(
                name: "\(provider):\(fields[1])", written: name, fallback: fields.dropFirst(2).joined(separator: ":"),
                modifiers: modifiers, offset: offset, width: width, padsWithZero: isPadded)
        }
        return variable
    }

    // condition = "%{if;" template ";" operator ";" template ";" template ";" template "}"
    private mutating func condition(depth: Int, start: Int) throws(TemplateError) -> LetterCondition {
        guard depth < Limits.depth else { throw TemplateError(offset: start, message: "conditions are nested too deeply") }
        let left = try field(depth, start)
        let word = try field(depth, start)
        guard word.count == 1, case .literal(let comparison) = word[0], Comparison.isKnown(comparison) else {
            throw TemplateError(offset: start, message: "unknown or unsupported comparison in %{if;…}", isUnsupported: true)
        }
        let right = try field(depth, start)
        let then = try field(depth, start)
        let otherwise = try parts(until: [UInt8(ascii: "}")], depth: depth + 1)
        guard current == UInt8(ascii: "}") else { throw TemplateError(offset: start, message: "missing '}' after '%{if;'") }
        index += 1
        return LetterCondition(left: left, comparison: comparison, right: right, then: then, otherwise: otherwise)
    }

    private mutating func field(_ depth: Int, _ start: Int) throws(TemplateError) -> [Template.Part] {
        let result = try parts(until: [UInt8(ascii: ";"), UInt8(ascii: "}")], depth: depth + 1)
        guard current == UInt8(ascii: ";") else { throw TemplateError(offset: start, message: "%{if;…} needs five fields") }
        index += 1
        return result
    }
}

extension Array {
    /// The element, or nil outside the bounds.
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
