/// A place in a configuration file; line and column count from 1.
package struct SourceLocation: Sendable, Hashable {
    package let file: String
    package let line: Int
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `/etc/culver/culver.conf:12` without the column, as settings are named in messages.
    package var short: String { "\(file):\(line)" }
}

/// One thing wrong with the configuration, with all that helps to put it right.
package struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    package enum Severity: String, Sendable { case error, warning }

    package let severity: Severity
    package let file: String
    /// 0: the fault has no line (a check of the whole configuration).
    package let line: Int
    package let column: Int
    package let lineText: String
    package let message: String
    /// What would have been right: `yes or no`.
    package let expected: String?
    /// The nearest valid name.
    package let suggestion: String?

    /// `file:line:column: error: message` in one line, for logs.
    package var summary: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        var text = "\(place): \(severity.rawValue): \(message)"
        if let expected { text += " (expected \(expected))" }
        if let suggestion { text += "; did you mean '\(suggestion)'?" }
        return text
    }

    /// The same with the line itself and a caret below the column.
    package var description: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        var text = "\(place): \(severity.rawValue): \(message)\n"
        if line > 0 {
            let shown = String(decoding: lineText.utf8.prefix(500).map { $0 == 0x09 || $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
            text += "    \(shown)\n    " + String(repeating: " ", count: max(0, min(column, 500) - 1)) + "^\n"
        }
        if let expected { text += "    expected: \(expected)\n" }
        if let suggestion { text += "    did you mean '\(suggestion)'?\n" }
        return text
    }
}

/// Collects what is wrong, and knows the text of the lines.
struct DiagnosticLog {
    /// The file that is named when a fault has no line.
    var mainFile = "configuration"
    private(set) var diagnostics: [Diagnostic] = []
    private var lines: [String: SourceText] = [:]
    private var seen: Set<String> = []
    private var suggestionsLeft = Limits.suggestions

    mutating func remember(_ text: [UInt8], of file: String) { lines[file] = SourceText(text) }

    mutating func error(_ message: String, at location: SourceLocation?, expected: String? = nil, suggestion: String? = nil) {
        add(.error, message, location, expected, suggestion)
    }

    mutating func warning(_ message: String, at location: SourceLocation?, expected: String? = nil) {
        add(.warning, message, location, expected, nil)
    }

    /// The nearest of `names`, as long as not too many were asked for.
    mutating func nearest(to word: String, among names: [String]) -> String? {
        guard suggestionsLeft > 0 else { return nil }
        suggestionsLeft -= 1
        return EditDistance.nearest(to: word, among: names)
    }

    private mutating func add(
        _ severity: Diagnostic.Severity, _ message: String, _ location: SourceLocation?, _ expected: String?, _ suggestion: String?
    ) {
        guard diagnostics.count < Limits.diagnostics else { return }
        let text = location.flatMap { lines[$0.file]?.line($0.line) } ?? ""
        let diagnostic = Diagnostic(
            severity: severity, file: location?.file ?? mainFile, line: location?.line ?? 0, column: location?.column ?? 0,
            lineText: text, message: message, expected: expected, suggestion: suggestion)
        if seen.insert(diagnostic.summary).inserted { diagnostics.append(diagnostic) }
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// The lines of one file.
struct SourceText {
    private let bytes: [UInt8]
    private let starts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        starts = [0] + bytes.indices.filter { bytes[$0] == 0x0a }.map { $0 + 1 }
    }

    func line(_ number: Int) -> String? {
        guard number >= 1, number <= starts.count else { return nil }
        return String(decoding: bytes[starts[number - 1]...].prefix { $0 != 0x0a }, as: UTF8.self)
    }
}

/// How many letters must change to make one word of another.
enum EditDistance {
    /// The nearest of the names, if it is near enough to be meant.
    static func nearest(to word: String, among names: [String]) -> String? {
        let word = Array(word.utf8.prefix(64))
        let limit = max(1, min(3, word.count / 3))
        var best: (name: String, distance: Int)?
        for name in names {
            let other = Array(name.utf8)
            guard abs(other.count - word.count) <= limit else { continue }
            let distance = between(word, other)
            if distance <= limit, distance < best?.distance ?? Int.max { best = (name, distance) }
        }
        return best?.name
    }

    /// Levenshtein's distance, with swapped neighbours as one step.
    static func between(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
