/// dovecot-keywords: which letter of a file name stands for which keyword (reference/storage.md 6).
///
///     line = index SP name LF          ; index 0-25 for the letters a-z
struct KeywordTable: Equatable {
    /// Index is the letter's number; nil: no line.
    private(set) var names: [Keyword?] = []

    /// Reads the file; lines that make no sense are left out, so that a letter never gets a wrong name.
    init(_ text: [UInt8] = []) {
        for line in text.split(separator: ASCII.lineFeed) {
            guard let space = line.firstIndex(of: ASCII.space), let index = Decimal.uint32(line[..<space]),
                index < StoreLimits.keywordsPerMailbox, let keyword = try? Keyword(Array(line[(space + 1)...]), maximumLength: 1_024),
                self.index(of: keyword) == nil
            else { continue }
            let position = Int(index)
            while names.count <= position { names.append(nil) }
            if names[position] == nil { names[position] = keyword }
        }
    }

    func index(of keyword: Keyword) -> Int? { names.firstIndex(of: keyword) }

    /// The letters that have a name.
    var letters: KeywordSet {
        var letters = KeywordSet()
        for index in names.indices where names[index] != nil { letters.insert(index) }
        return letters
    }

    var isFull: Bool { names.count >= StoreLimits.keywordsPerMailbox && !names.contains(nil) }

    /// Index of a keyword, which is added when it is new; nil when no letter is left.
    mutating func add(_ keyword: Keyword) -> Int? {
        if let index = index(of: keyword) { return index }
        if names.count < StoreLimits.keywordsPerMailbox {
            names.append(keyword)
            return names.count - 1
        }
        guard let hole = names.firstIndex(of: nil) else { return nil }
        names[hole] = keyword
        return hole
    }

    var text: [UInt8] {
        var output: [UInt8] = []
        for (index, keyword) in names.enumerated() {
            guard let keyword else { continue }
            Decimal.append(index, to: &output)
            output.append(ASCII.space)
            output.append(contentsOf: keyword.bytes)
            output.append(ASCII.lineFeed)
        }
        return output
    }
}
