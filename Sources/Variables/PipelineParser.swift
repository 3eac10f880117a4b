/// Reads the 2.4 notation.
struct PipelineParser {
    private let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    private var current: UInt8? { index < text.count ? text[index] : nil }

    // template = *( text / "%%{" / "%{" pipeline "}" )
    mutating func template() throws(TemplateError) -> [Template.Part] {
        var parts: [Template.Part] = []
        var literal: [UInt8] = []
        while let byte = current {
            if text[index...].starts(with: Array("%%{".utf8)) {
                literal += Array("%{".utf8)
                index += 3
            } else if text[index...].starts(with: Array("%{".utf8)) {
                if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
                literal = []
                index += 2
                parts.append(.pipeline(try pipeline()))
            } else {
                literal.append(byte)
                index += 1
            }
        }
        if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
        return parts
    }

    // pipeline = source *( "|" filter / operator number )
    private mutating func pipeline() throws(TemplateError) -> Pipeline {
        let start = index - 2
        skipBlanks()
        let source = try source()
        var steps: [Pipeline.Step] = []
        while true {
            skipBlanks()
            guard let byte = current else { throw TemplateError(offset: start, message: "missing '}' after '%{'") }
            index += 1
            switch byte {
            case UInt8(ascii: "}"): return Pipeline(source: source, steps: steps)
            case UInt8(ascii: "|"):
                skipBlanks()
                let position = index
                let name = word()
                guard Pipeline.filters.contains(name) else {
                    throw TemplateError(offset: position, message: "the filter '\(name)' is unknown or not supported", isUnsupported: true)
                }
                steps.append(.filter(Pipeline.Call(name: name, arguments: try arguments())))
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "%"):
                skipBlanks()
                guard let operand = Int64(word()) else { throw TemplateError(offset: index, message: "a number must follow the operator") }
                steps.append(.arithmetic(byte, operand))
            default: throw TemplateError(offset: index - 1, message: "expected '|' or '}'")
            }
        }
    }

    // source = quoted / number / name / function "(" arguments ")"
    private mutating func source() throws(TemplateError) -> Pipeline.Source {
        if let quote = current, quote == 0x22 || quote == 0x27 { return .constant(try quoted()) }
        let position = index
        let name = word()
        guard !name.isEmpty else { throw TemplateError(offset: position, message: "expected the name of a variable") }
        if Int64(name) != nil { return .constant(name) }
        guard current == UInt8(ascii: "(") else { return .variable(name) }
        guard ["literal", "lookup", "concat", "if"].contains(name) else {
            throw TemplateError(offset: position, message: "the function '\(name)' is unknown or not supported", isUnsupported: true)
        }
        return .call(Pipeline.Call(name: name, arguments: try arguments()))
    }

    // arguments = [ "(" [ argument *( "," argument ) ] ")" ]
    private mutating func arguments() throws(TemplateError) -> [Pipeline.Argument] {
        guard current == UInt8(ascii: "(") else { return [] }
        index += 1
        var result: [Pipeline.Argument] = []
        while true {
            skipBlanks()
            guard let byte = current else { throw TemplateError(offset: index, message: "missing ')'") }
            if byte == UInt8(ascii: ")") {
                index += 1
                return result
            }
            if byte == UInt8(ascii: ",") {
                index += 1
                continue
            }
            if byte == 0x22 || byte == 0x27 {
                result.append(.text(try quoted()))
                continue
            }
            let argument = word(alsoDash: true)
            guard !argument.isEmpty else { throw TemplateError(offset: index, message: "unexpected character in the arguments") }
            result.append(Int64(argument).map { .number($0) } ?? .variable(argument))
        }
    }

    // quoted = (DQUOTE / "'") *( char / "\" any ) the same quote
    private mutating func quoted() throws(TemplateError) -> String {
        let start = index
        let quote = text[index]
        index += 1
        var result: [UInt8] = []
        while let byte = current {
            index += 1
            if byte == quote { return String(decoding: result, as: UTF8.self) }
            if byte == 0x5c, let next = current {
                result.append(next)
                index += 1
            } else {
                result.append(byte)
            }
        }
        throw TemplateError(offset: start, message: "the quoted text has no end")
    }

    private mutating func word(alsoDash: Bool = false) -> String {
        let start = index
        while let byte = current, Self.isWord(byte) || (byte == UInt8(ascii: "-") && (alsoDash || index > start && hasColon(start))) {
            index += 1
        }
        return String(decoding: text[start..<index], as: UTF8.self)
    }

    /// `system:os-version`: a dash belongs to a name only behind a provider.
    private func hasColon(_ start: Int) -> Bool { text[start..<index].contains(UInt8(ascii: ":")) }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x3a) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".") || byte >= 0x80
    }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x09 { index += 1 }
    }
}
