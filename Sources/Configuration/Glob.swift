/// File name patterns of `!include`: `*`, `?`, `[a-z]` and `{a,b}`.
enum Glob {
    static func hasWildcard(_ text: String) -> Bool { text.utf8.contains { "*?[{".utf8.contains($0) } }

    /// The files that a pattern with an absolute path names, sorted; a plain path is answered as it is.
    static func files(_ pattern: String, in source: some FileSource) -> [String] {
        var result: Set<String> = []
        for alternative in braces(pattern, depth: 0) {
            guard hasWildcard(alternative) else {
                result.insert(alternative)
                continue
            }
            var directories = [""]
            let parts = alternative.split(separator: "/", omittingEmptySubsequences: true)
            for part in parts {
                directories = directories.flatMap { directory -> [String] in
                    guard hasWildcard(String(part)) else { return [directory + "/" + part] }
                    let names = source.names(in: directory.isEmpty ? "/" : directory)
                    return names.filter {
                        ($0.utf8.first != UInt8(ascii: ".") || part.hasPrefix(".")) && matches(Array($0.utf8), pattern: Array(part.utf8))
                    }
                    .map { directory + "/" + $0 }
                }
                if directories.count > Limits.fileCount { break }
            }
            result.formUnion(directories)
        }
        return result.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// `a{b,c}` becomes `ab` and `ac`.
    private static func braces(_ pattern: String, depth: Int) -> [String] {
        guard depth < 8, let open = pattern.firstIndex(of: "{"), let close = pattern[open...].firstIndex(of: "}") else { return [pattern] }
        let words = pattern[pattern.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
        let (before, after) = (String(pattern[..<open]), String(pattern[pattern.index(after: close)...]))
        let results = words.flatMap { braces(before + String($0) + after, depth: depth + 1) }
        return Array(results.prefix(1000))
    }

    /// Does a name match `*`, `?` and `[…]`?
    static func matches(_ text: [UInt8], pattern: [UInt8]) -> Bool {
        var (t, p, steps) = (0, 0, 0)
        var retry: (text: Int, pattern: Int)?
        while t < text.count {
            steps += 1
            if steps > Limits.globSteps { return false }
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                retry = (t, p)
                p += 1
            } else if p < pattern.count, let next = single(text[t], pattern, p) {
                t += 1
                p = next
            } else if let last = retry {
                retry = (last.text + 1, last.pattern)
                t = last.text + 1
                p = last.pattern + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The place behind what one byte matched, or nil.
    private static func single(_ byte: UInt8, _ pattern: [UInt8], _ position: Int) -> Int? {
        if pattern[position] == UInt8(ascii: "?") || (pattern[position] == byte && byte != UInt8(ascii: "[")) { return position + 1 }
        guard pattern[position] == UInt8(ascii: "["), let end = pattern[position...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
        var set = pattern[(position + 1)..<end]
        let isNegated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
        if isNegated { set = set.dropFirst() }
        var isIn = false
        var index = set.startIndex
        while index < set.endIndex {
            if index + 2 < set.endIndex, set[index + 1] == UInt8(ascii: "-") {
                if set[index] <= byte, byte <= set[index + 2] { isIn = true }
                index += 3
            } else {
                if set[index] == byte { isIn = true }
                index += 1
            }
        }
        return isIn != isNegated ? end + 1 : nil
    }
}
