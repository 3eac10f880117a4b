/// What kind of value a setting takes; reads it, checks it, and writes it as people like to see it.
///
/// *Normal form* is what other programs of the suite get: `yes`/`no`, decimal numbers, bytes, milliseconds, lists with one
/// blank between the words, `unlimited`, `infinite`.
package enum SettingType: Sendable, Equatable {
    case bool
    /// 0…4294967295, or `unlimited`.
    case uint
    /// A leading 0 means octal.
    case octal
    case port
    /// Bytes with an optional K, M, G, T.
    case size
    /// Kept in milliseconds; must be whole seconds.
    case time
    /// Kept in milliseconds.
    case timeMilliseconds
    case enumeration([String])
    case string
    /// Text with variables that are expanded later.
    case template
    /// Words separated by blanks or commas.
    case list
    /// A path; in 2.3 the value itself, or `<path`.
    case file
    /// Names with values of their own.
    case map

    /// `yes or no`: for error messages and documentation.
    package var expectation: String {
        switch self {
        case .bool: "yes or no"
        case .uint: "a number from 0 to 4294967295 or unlimited"
        case .octal: "an octal number such as 0600"
        case .port: "a port from 0 to 65535"
        case .size: "a size such as 512k, 10M, 1G or unlimited"
        case .time: "a time such as 30s, 5 mins, 2h, 7 days or infinite"
        case .timeMilliseconds: "a time such as 500ms, 30s, 5 mins or infinite"
        case .enumeration(let words): words.filter { !$0.isEmpty }.joined(separator: ", ")
        case .string: "text"
        case .template: "text with variables"
        case .list: "a list of words"
        case .file: "the path of a file"
        case .map: "names with values"
        }
    }

    /// The value in normal form; throws what is wrong with it.
    func normal(_ text: String) throws(ValueError) -> String {
        switch self {
        case .bool: try Self.bool(text)
        case .uint: try Self.uint(text)
        case .octal: try Self.octal(text)
        case .port: try Self.port(text)
        case .size: try Self.size(text)
        case .time: try Self.time(text, wholeSeconds: true)
        case .timeMilliseconds: try Self.time(text, wholeSeconds: false)
        case .enumeration(let words): try Self.word(text, of: words)
        case .list: Self.words(text).joined(separator: " ")
        case .string, .template, .file, .map: text
        }
    }

    /// A value in normal form as it is printed: in the largest unit that divides it.
    func printed(_ normal: String) -> String {
        guard let number = UInt64(normal) else { return normal }
        switch self {
        case .octal: return number == 0 ? "0" : "0" + Self.padded(String(number, radix: 8), to: 3)
        case .size:
            for (unit, factor) in [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("k", 1 << 10)] as [(String, UInt64)]
            where number > 0 && number % factor == 0 {
                return "\(number / factor) \(unit)"
            }
            return number == 0 ? "0" : "\(number) B"
        case .time, .timeMilliseconds:
            for (unit, factor) in [("weeks", 604_800_000), ("days", 86_400_000), ("hours", 3_600_000), ("mins", 60_000), ("secs", 1000)]
                as [(String, UInt64)] where number > 0 && number % factor == 0
            {
                return "\(number / factor) \(unit)"
            }
            return number == 0 ? "0" : "\(number) msecs"
        default: return normal
        }
    }

    private static func padded(_ text: String, to width: Int) -> String {
        String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    private static func bool(_ text: String) throws(ValueError) -> String {
        switch text.lowercased() {
        case "yes", "y", "1": return "yes"
        case "no": return "no"
        default: throw ValueError("Invalid boolean value: \(text)")
        }
    }

    private static func uint(_ text: String) throws(ValueError) -> String {
        if text == "unlimited" { return text }
        guard !text.isEmpty, text.utf8.allSatisfy(isDigit) else { throw ValueError("Invalid number \(text)") }
        guard let number = UInt32(text) else { throw ValueError("Invalid number \(text): Number too large") }
        return String(number)
    }

    private static func octal(_ text: String) throws(ValueError) -> String {
        guard text.utf8.first == UInt8(ascii: "0"), text.utf8.allSatisfy(isDigit) else { return try uint(text) }
        guard let number = UInt32(text, radix: 8) else { throw ValueError("Invalid number \(text)") }
        return String(number)
    }

    private static func port(_ text: String) throws(ValueError) -> String {
        guard text.utf8.allSatisfy(isDigit), let port = UInt16(text) else { throw ValueError("Invalid port number \(text)") }
        return String(port)
    }

    /// `10 M`, `64k`, `512`, `1 GiB` without the last `B` being needed.
    private static func size(_ text: String) throws(ValueError) -> String {
        if text == "unlimited" { return text }
        let (digits, unit) = split(text)
        guard !digits.isEmpty else { throw ValueError("Invalid size: \(text)") }
        guard let number = UInt64(digits) else { throw ValueError("Size is too large: \(text)") }
        let powers: [String: UInt64] = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        var letters = unit.lowercased()
        if letters.utf8.count == 3, letters.hasSuffix("ib") { letters = String(letters.prefix(1)) }
        if letters.utf8.count == 2, letters.hasSuffix("b") || letters.hasSuffix("i") { letters = String(letters.prefix(1)) }
        guard let power = powers[letters] else { throw ValueError("Invalid size: \(text)") }
        let (result, isOver) = number.multipliedReportingOverflow(by: 1 << power)
        guard !isOver else { throw ValueError("Size is too large: \(text)") }
        return String(result)
    }

    /// `30s`, `5 mins`, `1 w`; a bare number other than 0 lacks its unit.
    private static func time(_ text: String, wholeSeconds: Bool) throws(ValueError) -> String {
        if text == "infinite" { return text }
        let (digits, unit) = split(text)
        guard !digits.isEmpty else { throw ValueError("Invalid time interval: \(text)") }
        guard let number = UInt64(digits) else { throw ValueError("Time interval is too large: \(text)") }
        if unit.isEmpty {
            guard number == 0 else {
                throw ValueError("Time interval '\(text)' is missing units (add e.g. 's' for seconds)")
            }
            return "0"
        }
        guard let factor = milliseconds(in: unit.lowercased()) else { throw ValueError("Invalid time interval: \(text)") }
        let (result, isOver) = number.multipliedReportingOverflow(by: factor)
        guard !isOver, result <= UInt64(Int64.max) else { throw ValueError("Time interval is too large: \(text)") }
        if wholeSeconds, result % 1000 != 0 { throw ValueError("Time interval '\(text)' is not a whole number of seconds") }
        return String(result)
    }

    /// Units may be cut short: `h`, `ho`, … `hours`; `m` means minutes.
    private static func milliseconds(in unit: String) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("secs", 1000), ("seconds", 1000), ("mins", 60_000), ("minutes", 60_000), ("hours", 3_600_000), ("days", 86_400_000),
            ("weeks", 604_800_000), ("msecs", 1), ("mseconds", 1), ("milliseconds", 1), ("millisecs", 1),
        ]
        if "mins".hasPrefix(unit) { return 60_000 }
        return units.first { $0.0.hasPrefix(unit) }?.1
    }

    private static func word(_ text: String, of words: [String]) throws(ValueError) -> String {
        guard words.contains(text) else { throw ValueError("Invalid value: \(text)") }
        return text
    }

    /// Words separated by blanks or commas; `"two words"` is one.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var isQuoted = false
        for byte in text.utf8 {
            if byte == 0x22 {
                isQuoted.toggle()
            } else if !isQuoted, byte == 0x20 || byte == 0x09 || byte == 0x2c {
                if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
                word = []
            } else {
                word.append(byte)
            }
        }
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    private static func split(_ text: String) -> (digits: String, unit: String) {
        let digits = text.utf8.prefix(while: isDigit)
        let unit = text.utf8.dropFirst(digits.count).drop { $0 == 0x20 || $0 == 0x09 }
        return (String(decoding: digits, as: UTF8.self), String(decoding: unit, as: UTF8.self))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}

/// A value that its type does not allow.
struct ValueError: Error, Equatable {
    let message: String
    init(_ message: String) { self.message = message }
}
