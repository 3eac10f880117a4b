internal import ByteScan
internal import IMAPSyntax
internal import MessageFormat

/// How texts are compared in SEARCH, SORT and THREAD (RFC 4790, RFC 5255).
enum Comparator: CaseIterable {
    /// RFC 5051.
    case unicodeCasemap
    /// RFC 4790 section 9.2.
    case asciiCasemap
    /// RFC 4790 section 9.3.
    case octet

    /// As long as the client names no other.
    static let standard = Comparator.unicodeCasemap

    var name: String {
        switch self {
        case .unicodeCasemap: "i;unicode-casemap"
        case .asciiCasemap: "i;ascii-casemap"
        case .octet: "i;octet"
        }
    }

    /// Appends the key of a text in UTF-8: texts are equal and in order as the bytes of their keys are.
    func appendKey(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        switch self {
        case .unicodeCasemap:
            var map = UnicodeCasemap()
            map.convert(text, into: &output)
            map.finish(into: &output)
        case .asciiCasemap: ByteScan.appendUppercase(text, to: &output)
        case .octet: output.append(contentsOf: text)
        }
    }

    // collation-order = "\"" collation-wild "\"" [SP collation-order] ; collation-wild = ("*" / (ALPHA ["*"])) *(collation-char ["*"])
    /// Whether a name with `*` in it, in any case of letters, is a name of this one (RFC 4790 section 3.2).
    func isNamed(by pattern: [UInt8]) -> Bool {
        if pattern.isWord("DEFAULT") { return self == .standard }
        let name = Array(name.utf8)
        let wanted = pattern.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
        // No separator: `*` stands for anything.
        return ListPattern(wanted, separator: 0)?.matches(name) ?? false
    }
}

extension IMAPSession {
    // comparator-data = "COMPARATOR" SP comp-sel-quoted [SP "(" comp-id-quoted *(SP comp-id-quoted) ")"]       RFC 5255 section 4.10
    /// The first argument that names any wins; all that are named are told when they are several (section 4.8).
    func comparator(_ names: [[UInt8]]) throws(CommandFailure) -> Completion {
        var matching: [Comparator] = []
        for name in names {
            for candidate in Comparator.allCases where !matching.contains(candidate) && candidate.isNamed(by: name) {
                matching.append(candidate)
            }
        }
        if !names.isEmpty {
            guard let first = matching.first else { throw .no("[BADCOMPARATOR] No such comparator.") }
            comparator = first
        }
        stream.out.text("* COMPARATOR \(comparator.name)")
        if matching.count > 1 { stream.out.text(" (\(matching.map(\.name).joined(separator: " ")))") }
        stream.out.newline()
        return try report("Comparator completed.")
    }
}
