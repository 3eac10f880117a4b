/// Finds a text in UTF-8 that comes in pieces, without regard to case; line ends and runs of blanks count as one blank.
/// Linear: the failure table of Knuth, Morris and Pratt.
struct TextMatcher {
    private let pattern: [UInt8]
    private let failure: [Int]

    init(_ text: [UInt8]) {
        var folding = CaseFolding()
        var folded: [UInt8] = []
        folding.fold(text[...], into: &folded)
        folding.finish(into: &folded)
        var failure = [0]
        var length = 0
        for byte in folded.dropFirst() {
            while length > 0, folded[length] != byte { length = failure[length - 1] }
            if folded[length] == byte { length += 1 }
            failure.append(length)
        }
        pattern = folded
        self.failure = failure
    }

    /// Whether the text is in a value that is in memory; an empty text is in all.
    func isFound(in value: [UInt8]) -> Bool {
        var stream = Stream(self)
        return stream.feed(value[...]) || stream.feed([], isEnd: true)
    }

    /// A search that goes on over several pieces.
    struct Stream {
        private let matcher: TextMatcher
        private var folding = CaseFolding()
        private var length = 0

        init(_ matcher: TextMatcher) { self.matcher = matcher }

        /// Whether the text was found, up to the end of this piece.
        mutating func feed(_ bytes: ArraySlice<UInt8>, isEnd: Bool = false) -> Bool {
            if matcher.pattern.isEmpty { return true }
            var folded: [UInt8] = []
            folded.reserveCapacity(bytes.count + 4)
            folding.fold(bytes, into: &folded)
            if isEnd { folding.finish(into: &folded) }
            for byte in folded {
                while length > 0, matcher.pattern[length] != byte { length = matcher.failure[length - 1] }
                if matcher.pattern[length] == byte { length += 1 }
                if length == matcher.pattern.count { return true }
            }
            return false
        }
    }
}

/// Lower case, byte for byte in ASCII and by Unicode's simple mapping elsewhere; white space becomes one blank.
struct CaseFolding {
    /// Bytes of a character that is not complete yet.
    private var held: [UInt8] = []
    private var wanted = 0
    private var lastWasBlank = false

    mutating func fold(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        for byte in bytes {
            if byte < 0x80 {
                if wanted > 0 { finish(into: &output) }
                if byte <= 0x20 {
                    if !lastWasBlank { output.append(0x20) }
                    lastWasBlank = true
                } else {
                    output.append(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)
                    lastWasBlank = false
                }
                continue
            }
            lastWasBlank = false
            if byte >= 0xc0 {
                finish(into: &output)
                wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
            }
            held.append(byte)
            // A stray middle byte stands for itself.
            wanted = max(wanted, 1)
            if held.count >= wanted { finish(into: &output) }
        }
    }

    /// Writes what is held, complete or not.
    mutating func finish(into output: inout [UInt8]) {
        guard !held.isEmpty else { return }
        wanted = 0
        defer { held.removeAll(keepingCapacity: true) }
        var decoder = UTF8()
        var iterator = held.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return output.append(contentsOf: held) }
        output.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
    }
}
