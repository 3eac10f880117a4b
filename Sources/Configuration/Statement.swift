/// What one logical line says.
enum Statement {
    case setting(key: String, value: WrittenValue)
    /// `key name {`
    case open(key: String, name: String?)
    /// `group @label name {`
    case openGroup(label: String, name: String)
    case close
    case include(pattern: String, isOptional: Bool)
}

/// A value as it stands in the file.
struct WrittenValue: Sendable, Equatable {
    enum Form: Sendable, Equatable { case plain, quoted, file }

    /// Without quotes, escapes and `<`.
    var text: String
    var form: Form
}

/// Why a line is no statement.
struct LineError: Error, Equatable {
    let offset: Int
    let message: String
    var expected: String?
}

/// Takes one logical line apart.
///
///     line  := key ws* "=" ws* value | key ws+ [name ws*] "{" | "}"
///            | "!include" ws+ glob | "!include_try" ws+ glob | "group" ws+ "@"label ws+ name ws* "{"
///     value := "<" ws* path | quoted | anything
struct StatementParser {
    private let bytes: [UInt8]
    private let dialect: Dialect
    private var index = 0
    /// Where the value or the section's name begins, for error messages.
    private(set) var valueOffset = 0

    init(_ line: LogicalLine, dialect: Dialect) {
        bytes = line.bytes
        self.dialect = dialect
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func statement() throws(LineError) -> Statement {
        if current == UInt8(ascii: "}") {
            index += 1
            skipBlanks()
            if index < bytes.count {
                throw LineError(offset: index, message: "Garbage after '}'", expected: "'}' alone on its line")
            }
            return .close
        }
        if current == UInt8(ascii: "!") { return try include() }
        let key = try key()
        skipBlanks()
        valueOffset = index
        if current == UInt8(ascii: "=") {
            index += 1
            skipBlanks()
            valueOffset = min(index, max(0, bytes.count - 1))
            return .setting(key: key, value: try value())
        }
        if dialect == .v24, key == "group", current == UInt8(ascii: "@") {
            index += 1
            let label = word()
            skipBlanks()
            valueOffset = index
            guard let name = try sectionName() else {
                throw LineError(offset: index, message: "Missing name of the group", expected: "group @label name {")
            }
            return .openGroup(label: label, name: name)
        }
        return .open(key: key, name: try sectionName())
    }

    private mutating func key() throws(LineError) -> String {
        if dialect == .v24, current == 0x22 { return try quotedWord() }
        let start = index
        while let byte = current, !LineReader.isBlank(byte), byte != UInt8(ascii: "=") { index += 1 }
        guard index > start else { throw LineError(offset: index, message: "Missing name of the setting", expected: "name = value") }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// Reads `[name] {` up to the end of the line.
    private mutating func sectionName() throws(LineError) -> String? {
        guard let byte = current else {
            throw LineError(offset: max(0, index - 1), message: "Expecting '{'", expected: "'name = value' or 'name {'")
        }
        var name: String?
        if byte == 0x22 || byte == 0x27 {
            name = try quotedWord()
        } else if byte != UInt8(ascii: "{") {
            name = word()
        }
        skipBlanks()
        guard current == UInt8(ascii: "{") else {
            throw LineError(offset: min(index, max(0, bytes.count - 1)), message: "Expecting '{'", expected: "'name = value' or 'name {'")
        }
        index += 1
        skipBlanks()
        guard index >= bytes.count else {
            throw LineError(offset: index, message: "Garbage after '{'", expected: "the settings of the section on lines of their own")
        }
        return name
    }

    private mutating func include() throws(LineError) -> Statement {
        let directive = word()
        skipBlanks()
        valueOffset = index
        guard directive == "!include" || directive == "!include_try" else {
            throw LineError(offset: 0, message: "Unknown directive: \(directive)", expected: "!include or !include_try")
        }
        let pattern = String(decoding: bytes[index...], as: UTF8.self)
        guard !pattern.isEmpty else { throw LineError(offset: 0, message: "Missing file name after \(directive)") }
        return .include(pattern: Self.unquoted(pattern), isOptional: directive == "!include_try")
    }

    private mutating func value() throws(LineError) -> WrittenValue {
        let rest = bytes[min(index, bytes.count)...]
        if rest.first == UInt8(ascii: "<") {
            let path = rest.dropFirst().drop(while: LineReader.isBlank)
            return WrittenValue(text: String(decoding: path, as: UTF8.self), form: .file)
        }
        guard rest.count >= 2, let quote = rest.first, quote == 0x22 || quote == 0x27, rest.last == quote else {
            return WrittenValue(text: String(decoding: rest, as: UTF8.self), form: .plain)
        }
        return WrittenValue(text: try unescape(rest.dropFirst().dropLast()), form: .quoted)
    }

    private func unescape(_ text: ArraySlice<UInt8>) throws(LineError) -> String {
        var result: [UInt8] = []
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            position += 1
            guard byte == UInt8(ascii: "\\"), position < text.endIndex else {
                result.append(byte)
                continue
            }
            let next = text[position]
            if dialect == .v24, next != 0x22, next != 0x5c, next != 0x27 {
                throw LineError(
                    offset: position - 1, message: "Unknown escape sequence \\\(String(decoding: [next], as: UTF8.self))",
                    expected: "\\\\ or \\\" in a quoted value")
            }
            result.append(next)
            position += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private mutating func quotedWord() throws(LineError) -> String {
        let start = index
        guard let quote = current else { return "" }
        index += 1
        var result: [UInt8] = []
        while let byte = current {
            index += 1
            if byte == quote { return String(decoding: result, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), let next = current {
                result.append(next)
                index += 1
            } else {
                result.append(byte)
            }
        }
        throw LineError(offset: start, message: "Missing end of the quoted name")
    }

    private mutating func word() -> String {
        let start = index
        while let byte = current, !LineReader.isBlank(byte) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func skipBlanks() {
        while let byte = current, LineReader.isBlank(byte) { index += 1 }
    }

    private static func unquoted(_ text: String) -> String {
        guard text.utf8.count >= 2, let quote = text.utf8.first, quote == 0x22 || quote == 0x27, text.utf8.last == quote else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }
}
