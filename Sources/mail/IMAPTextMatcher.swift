internal import MessageFormat

/// Finds a text in UTF-8 that comes in pieces, without regard to case; line ends and runs of blanks count as one blank.
/// Linear: the failure table of Knuth, Morris and Pratt.
struct TextMatcher {
    private let pattern: [UInt8]
    private let failure: [Int]

    private let comparator: Comparator

    init(_ text: [UInt8], _ comparator: Comparator = .standard) {
        self.comparator = comparator
        var folding = CaseFolding(comparator)
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
        private var folding: CaseFolding
        private var length = 0

        init(_ matcher: TextMatcher) {
            self.matcher = matcher
            folding = CaseFolding(matcher.comparator)
        }

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

/// The form of a text in which a comparator finds others; runs of white space and line ends become one blank, but for i;octet.
struct CaseFolding {
    private let comparator: Comparator
    private var map = UnicodeCasemap()
    private var lastWasBlank = false

    init(_ comparator: Comparator) { self.comparator = comparator }

    mutating func fold(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        guard comparator != .octet else { return output.append(contentsOf: bytes) }
        var start = bytes.startIndex
        for index in bytes.indices where bytes[index] <= 0x20 {
            if start < index {
                convert(bytes[start..<index], into: &output)
                lastWasBlank = false
            }
            start = index + 1
            if !lastWasBlank { convert([0x20], into: &output) }
            lastWasBlank = true
        }
        if start < bytes.endIndex {
            convert(bytes[start...], into: &output)
            lastWasBlank = false
        }
    }

    private mutating func convert(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        if comparator == .unicodeCasemap {
            map.convert(bytes, into: &output)
        } else {
            output.append(contentsOf: bytes.lazy.map { $0 >= 0x61 && $0 <= 0x7a ? $0 & 0xdf : $0 })
        }
    }

    /// Writes what is held of a character that has no end.
    mutating func finish(into output: inout [UInt8]) { map.finish(into: &output) }
}
