/// One `%{ source | filter | … }` of the 2.4 notation.
struct Pipeline: Sendable {
    let source: Source
    let steps: [Step]

    enum Source: Sendable {
        case variable(String)
        case constant(String)
        /// `%{if(…)}` and other functions that start a pipeline.
        case call(Call)
    }

    enum Step: Sendable {
        case filter(Call)
        /// `+ - * / %` with a number.
        case arithmetic(UInt8, Int64)
    }

    struct Call: Sendable {
        let name: String
        let arguments: [Argument]
    }

    enum Argument: Sendable {
        case text(String)
        case number(Int64)
        case variable(String)
    }

    var sourceName: String? { if case .variable(let name) = source { name } else { nil } }

    func value(_ lookup: (String) -> String?) throws(TemplateError) -> String {
        var state = State(bytes: nil, isBinary: false, missing: "")
        switch source {
        case .variable(let name):
            state.bytes = VariableScope.value(of: name, lookup).map { Array($0.utf8) }
            state.missing = name
        case .constant(let text): state.bytes = Array(text.utf8)
        case .call(let call): try state.apply(call, lookup)
        }
        for step in steps {
            switch step {
            case .filter(let call): try state.apply(call, lookup)
            case .arithmetic(let sign, let operand): try state.calculate(sign, operand)
            }
        }
        guard let bytes = state.bytes else { throw state.missingError }
        return String(decoding: state.isBinary ? TextFilter.hexadecimal(bytes) : bytes, as: UTF8.self)
    }

    /// What flows through the pipeline: bytes, or the name of the variable that is missing.
    struct State {
        var bytes: [UInt8]?
        var isBinary: Bool
        var missing: String

        var missingError: TemplateError { TemplateError(offset: nil, message: "Unknown variable '\(missing)'") }

        func present() throws(TemplateError) -> [UInt8] {
            guard let bytes else { throw missingError }
            return bytes
        }
    }

    static let filters: Set<String> = [
        "upper", "lower", "username", "domain", "default", "concat", "index", "substr", "truncate", "lfill", "rfill", "reverse",
        "hex", "unhex", "hexlify", "md5", "ldap_dn", "list", "if", "literal", "lookup", "text", "safe", "domain_first", "domain_last",
    ]
}

extension Pipeline.State {
    mutating func apply(_ call: Pipeline.Call, _ lookup: (String) -> String?) throws(TemplateError) {
        let arguments = Arguments(call, lookup)
        switch call.name {
        case "default": if bytes == nil { bytes = try arguments.text(0, orElse: "") }
        case "literal": bytes = try arguments.text(0)
        case "lookup":
            missing = String(decoding: try arguments.text(0), as: UTF8.self)
            bytes = VariableScope.value(of: missing, lookup).map { Array($0.utf8) }
        case "concat": bytes = try (bytes ?? []) + arguments.all()
        case "if": try choose(arguments)
        default: try transform(call.name, arguments)
        }
    }

    private mutating func transform(_ name: String, _ arguments: Arguments) throws(TemplateError) {
        let value = try present()
        let text = { (change: (String) -> String) in Array(change(String(decoding: value, as: UTF8.self)).utf8) }
        switch name {
        case "upper": bytes = TextFilter.upper(value)
        case "lower": bytes = TextFilter.lower(value)
        case "username": bytes = text(VariableScope.localPart)
        case "domain": bytes = text(VariableScope.domainPart)
        case "reverse": bytes = value.reversed()
        case "text", "safe": isBinary = false
        case "ldap_dn": bytes = TextFilter.distinguishedName(value)
        case "md5": (bytes, isBinary) = (MD5.digest(value), true)
        case "substr": bytes = TextFilter.substring(value, offset: try arguments.number(0), length: try arguments.number(1, orElse: nil))
        case "truncate": bytes = Array(value.prefix(max(0, try arguments.number(0))))
        case "lfill": bytes = try filling(value, arguments) + value
        case "rfill": bytes = value + (try filling(value, arguments))
        case "hexlify": (bytes, isBinary) = (TextFilter.hexadecimal(value), false)
        case "hex":
            let written = TextFilter.hexNumber(value)
            let digits = try arguments.number(0, orElse: 0) ?? 0
            bytes = Array(repeating: UInt8(ascii: "0"), count: max(0, min(digits, Limits.width) - written.count)) + written
        case "unhex": bytes = text { String(UInt64($0, radix: 16) ?? 0) }
        case "index":
            let separator = try arguments.text(0).first ?? UInt8(ascii: " ")
            let fields = value.split(separator: separator, omittingEmptySubsequences: false)
            let wanted = try arguments.number(1)
            let index = wanted < 0 ? fields.count &+ wanted : wanted
            guard fields.indices.contains(index) else {
                throw TemplateError(offset: nil, message: "index: position \(wanted) is outside the value")
            }
            bytes = Array(fields[index])
        case "list":
            let separator = try arguments.text(0, orElse: ",")
            bytes = Array(value.split(separator: UInt8(ascii: "\t")).joined(separator: separator))
        default: throw TemplateError(offset: nil, message: "the filter '\(name)' is not supported")
        }
    }

    private func filling(_ value: [UInt8], _ arguments: Arguments) throws(TemplateError) -> [UInt8] {
        let fill = try arguments.text(1, orElse: " ").first ?? 0x20
        return Array(repeating: fill, count: max(0, min(try arguments.number(0), Limits.width) - value.count))
    }

    /// As a filter `if(op, right, then, else)`, at the start `if(left, op, right, then, else)`.
    private mutating func choose(_ arguments: Arguments) throws(TemplateError) {
        let shift = arguments.count >= 5 ? 1 : 0
        let left = shift == 1 ? try arguments.text(0) : try present()
        let holds = try Comparison.holds(
            String(decoding: left, as: UTF8.self), String(decoding: try arguments.text(shift), as: UTF8.self),
            String(decoding: try arguments.text(shift + 1), as: UTF8.self))
        bytes = try arguments.text(shift + (holds ? 2 : 3))
    }

    mutating func calculate(_ sign: UInt8, _ operand: Int64) throws(TemplateError) {
        let value = try present()
        if isBinary, sign == UInt8(ascii: "%"), operand > 0 {
            let divisor = UInt64(operand)
            guard divisor <= 1 << 32 else { throw TemplateError(offset: nil, message: "the divisor is too large") }
            bytes = Array(String(value.reduce(UInt64(0)) { ($0 << 8 | UInt64($1)) % divisor }).utf8)
            isBinary = false
            return
        }
        guard let number = Int64(String(decoding: value, as: UTF8.self)) else {
            throw TemplateError(offset: nil, message: "a number is needed for arithmetic")
        }
        let (result, isOverflow) =
            switch sign {
            case UInt8(ascii: "+"): number.addingReportingOverflow(operand)
            case UInt8(ascii: "-"): number.subtractingReportingOverflow(operand)
            case UInt8(ascii: "*"): number.multipliedReportingOverflow(by: operand)
            case UInt8(ascii: "/"): number.dividedReportingOverflow(by: operand)
            default: number.remainderReportingOverflow(dividingBy: operand)
            }
        guard !isOverflow else { throw TemplateError(offset: nil, message: "the result of the arithmetic is not a number") }
        bytes = Array(String(result).utf8)
        isBinary = false
    }
}

/// The arguments of one filter, with variables among them looked up.
private struct Arguments {
    let name: String
    private let values: [Result<[UInt8], TemplateError>]

    var count: Int { values.count }

    init(_ call: Pipeline.Call, _ lookup: (String) -> String?) {
        name = call.name
        values = call.arguments.map { argument in
            switch argument {
            case .text(let text): return .success(Array(text.utf8))
            case .number(let number): return .success(Array(String(number).utf8))
            case .variable(let name):
                guard let value = VariableScope.value(of: name, lookup) else {
                    return .failure(TemplateError(offset: nil, message: "Unknown variable '\(name)'"))
                }
                return .success(Array(value.utf8))
            }
        }
    }

    func text(_ index: Int, orElse fallback: String? = nil) throws(TemplateError) -> [UInt8] {
        if let value = values[safe: index] { return try value.get() }
        guard let fallback else { throw TemplateError(offset: nil, message: "'\(name)' needs more arguments") }
        return Array(fallback.utf8)
    }

    func all() throws(TemplateError) -> [UInt8] {
        var result: [UInt8] = []
        for value in values { result += try value.get() }
        return result
    }

    func number(_ index: Int) throws(TemplateError) -> Int {
        guard let number = try number(index, orElse: nil) else {
            throw TemplateError(offset: nil, message: "'\(name)' needs a number")
        }
        return number
    }

    func number(_ index: Int, orElse fallback: Int?) throws(TemplateError) -> Int? {
        guard index < count else { return fallback }
        guard let number = Int32(String(decoding: try text(index), as: UTF8.self)) else {
            throw TemplateError(offset: nil, message: "'\(name)' needs a number")
        }
        return Int(number)
    }
}
