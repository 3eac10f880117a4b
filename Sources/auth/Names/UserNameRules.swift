internal import Variables

/// Why a name that a client gave is not a user name here; a failure like a wrong password, with its own log line.
enum NameProblem: Error, Equatable {
    case disallowed(byte: UInt8, name: String)
    case empty
    case tooLong
    case notText
    case template(String)

    /// The sentence of the log line (auth.md 6).
    var text: String {
        switch self {
        case .disallowed(let byte, let name):
            "Username character disallowed by auth_username_chars: 0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16)) (username: \(name))"
        case .empty: "Empty username"
        case .tooLong: "Username is longer than \(Limits.userName) bytes"
        case .notText: "Username is not valid UTF-8"
        case .template(let problem): "auth_username_format: \(problem)"
        }
    }
}

/// How the bytes that a client sent become a user name: the one door for names from outside (auth.md 6).
struct UserNameRules: Sendable {
    /// Appended to names without `@`.
    var realm = ""
    /// Byte for byte.
    var translation: [UInt8: UInt8] = [:]
    /// Nil: every byte is allowed, as long as the whole is UTF-8 without NUL.
    var characters: Set<UInt8>?
    /// Nil: as it is.
    var format: Template?

    init() {}

    /// - Parameters:
    ///   - translation: pairs of characters, `#@` turns `#` into `@`.
    ///   - characters: empty: all.
    init(realm: String, translation: String, characters: String, format: Template?) {
        self.realm = realm
        let pairs = Array(translation.utf8)
        for index in stride(from: 0, to: pairs.count - 1, by: 2) { self.translation[pairs[index]] = pairs[index + 1] }
        self.characters = characters.isEmpty ? nil : Set(characters.utf8)
        self.format = format
    }

    func name(_ raw: [UInt8], _ lookup: (String) -> String?) throws(NameProblem) -> String {
        var bytes = raw
        guard !bytes.isEmpty else { throw .empty }
        if !realm.isEmpty, !bytes.contains(UInt8(ascii: "@")) { bytes += [UInt8(ascii: "@")] + realm.utf8 }
        if !translation.isEmpty { bytes = bytes.map { translation[$0] ?? $0 } }
        guard bytes.count <= Limits.userName else { throw .tooLong }
        if let characters, let bad = bytes.first(where: { !characters.contains($0) }) {
            throw .disallowed(byte: bad, name: String(decoding: bytes.prefix(64), as: UTF8.self))
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        guard let format else { return text }
        let formatted: String
        do throws(TemplateError) {
            formatted = try format.expand { $0 == "user" ? text : lookup($0) }
        } catch {
            throw .template(error.message)
        }
        guard !formatted.isEmpty else { throw .empty }
        guard formatted.utf8.count <= Limits.userName else { throw .tooLong }
        return formatted
    }
}

/// `username_filter`: patterns with `*`; `!` in front excludes.
struct NameFilter: Sendable, Equatable {
    private let wanted: [[UInt8]]
    private let unwanted: [[UInt8]]

    init(_ text: String) {
        let words = text.split { $0 == " " || $0 == "," }
        wanted = words.filter { !$0.hasPrefix("!") }.map { Array($0.utf8) }
        unwanted = words.filter { $0.hasPrefix("!") }.map { Array($0.dropFirst().utf8) }
    }

    func allows(_ name: String) -> Bool {
        let name = Array(name.utf8)
        if unwanted.contains(where: { Self.matches(name, $0) }) { return false }
        return wanted.isEmpty || wanted.contains { Self.matches(name, $0) }
    }

    /// `*` stands for any bytes, `?` for one; two positions to go back to are enough, so the work is bounded by the product of the lengths.
    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (n, p) = (0, 0)
        var retry: (n: Int, p: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                retry = (n, p)
                p += 1
            } else if p < pattern.count, pattern[p] == name[n] || pattern[p] == UInt8(ascii: "?") {
                n += 1
                p += 1
            } else if let last = retry {
                retry = (last.n + 1, last.p)
                (n, p) = (last.n + 1, last.p + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
