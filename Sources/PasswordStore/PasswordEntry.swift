/// One line of a password file: a user, the password, and what is known about the user (auth.md 9).
package struct PasswordEntry: Equatable, Sendable {
    package var user: [UInt8]
    /// As written; empty when there is none.
    package var password: [UInt8] = []
    /// Names or numbers; empty when there is none.
    package var uid: [UInt8] = []
    package var gid: [UInt8] = []
    package var home: [UInt8] = []
    /// `name=value` words after the shell, not expanded; a word without `=` has an empty value.
    package var extra: [Field] = []

    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    // line = user [":" password [":" uid [":" gid [":" gecos [":" home [":" shell [":" extra]]]]]]]
    // extra = *SP [word *(1*SP word)]          a ":" in extra is part of it
    /// Answers nil for a line without an entry: empty, a comment, without a name, or longer than its limit.
    package init?(_ line: some Collection<UInt8>) {
        guard line.count <= Limits.line, let first = line.first, first != UInt8(ascii: "#") else { return nil }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 7, omittingEmptySubsequences: false)
        guard !parts[0].isEmpty, !line.contains(0) else { return nil }
        func part(_ index: Int) -> [UInt8] { index < parts.count ? Array(parts[index]) : [] }
        user = part(0)
        password = part(1)
        uid = part(2)
        gid = part(3)
        home = part(5)
        extra = part(7).split(separator: UInt8(ascii: " ")).map { Field(word: $0) }
    }
}

extension PasswordEntry.Field {
    /// A word of the extra part: `name=value`, or `name`.
    init(word: ArraySlice<UInt8>) {
        let parts = word.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        name = String(decoding: parts[0], as: UTF8.self)
        value = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
    }
}

/// The content of a password file, found by user name. Lines are taken apart when they are asked for.
package struct PasswordTable: Sendable {
    private let content: [UInt8]
    private let lines: [[UInt8]: Range<Int>]
    /// Names that occur more than once; the first line of each counts.
    package let duplicates: [[UInt8]]
    /// A password of this file, to be hashed in vain for users that it does not have.
    package let example: [UInt8]?

    package init(_ content: [UInt8]) {
        self.content = content
        var lines: [[UInt8]: Range<Int>] = [:]
        var duplicates: [[UInt8]] = []
        var example: [UInt8]?
        var start = 0
        while start < content.count {
            let end = content[start...].firstIndex(of: 0x0A) ?? content.count
            var line = content[start..<end]
            if line.last == 0x0D { line = line.dropLast() }
            start = end + 1
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            let name = Array(line.prefix { $0 != UInt8(ascii: ":") })
            guard lines[name] == nil else {
                if duplicates.count < 10 { duplicates.append(name) }
                continue
            }
            lines[name] = line.indices
            if example == nil, let entry = PasswordEntry(line), !entry.password.isEmpty { example = entry.password }
        }
        self.lines = lines
        self.duplicates = duplicates
        self.example = example
    }

    package subscript(user user: [UInt8]) -> PasswordEntry? { lines[user].flatMap { PasswordEntry(content[$0]) } }

    /// Every name, in no order.
    package var users: [[UInt8]] { Array(lines.keys) }
    package var count: Int { lines.count }
}
