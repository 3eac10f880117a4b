internal import ByteScan
internal import MessageFormat

/// Finds a text in UTF-8 that comes in pieces, without regard to case; line ends and runs of blanks count as one blank.
/// Linear: the failure table of Knuth, Morris and Pratt. Long runs of ASCII are only looked through for a word of the text.
struct TextMatcher {
    private let pattern: [UInt8]
    private let failure: [Int]
    /// The longest run of ASCII without blanks in the pattern, and where it is there. Empty: there is none.
    private let word: [UInt8]
    private let wordStart: Int
    private let isASCII: Bool
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
        // i;octet makes no letter another one, so that it has no use for a look at many letters at once.
        let words = comparator == .octet ? [] : folded.split { $0 == 0x20 || $0 >= 0x80 }
        let longest = words.max { $0.count < $1.count } ?? []
        word = Array(longest)
        wordStart = longest.startIndex
        isASCII = folded.allSatisfy { $0 < 0x80 }
    }

    /// Whether the text is in a value that is in memory; an empty text is in all.
    func isFound(in value: [UInt8]) -> Bool {
        var stream = Stream(self)
        return stream.feed(value[...]) || stream.feed([], isEnd: true)
    }

    /// Whether the text may be in a field of these stored header lines once they are decoded: false only where it is not.
    func mayBeFound(inHeader lines: ArraySlice<UInt8>) -> Bool {
        guard !word.isEmpty, ByteScan.firstNonASCII(in: lines) == nil else { return true }
        // An encoded word, or a CR that unfolding takes away in the middle of a word.
        var rest = lines
        while let place = ByteScan.firstIndex(of: 0x3d, or: 0x0d, in: rest) {
            let next = place + 1 < lines.endIndex ? lines[place + 1] : 0
            if lines[place] == 0x3d ? next == 0x3f : next != 0x0a { return true }
            rest = rest[(place + 1)...]
        }
        var effort = Effort(lines)
        return firstWord(in: lines, &effort) != nil || effort.isSpent
    }

    /// Bytes that may be compared in vain: a text that nearly matches everywhere would be compared with the whole pattern at each place.
    private struct Effort {
        private var left: Int

        init(_ text: ArraySlice<UInt8>) { left = 4 * text.count }

        var isSpent: Bool { left < 0 }
        mutating func spend(_ bytes: Int) { left -= bytes }
    }

    /// Where the word begins first in ASCII text; nil also when the effort is spent.
    private func firstWord(in text: ArraySlice<UInt8>, _ effort: inout Effort) -> Int? {
        var rest = text
        while let place = ByteScan.firstCandidate(of: word, in: rest) {
            var count = 0
            while count < word.count, Self.upper(rest[place + count]) == word[count] { count += 1 }
            if count == word.count { return place }
            effort.spend(count)
            if effort.isSpent { return nil }
            rest = rest[(place + 1)...]
        }
        return nil
    }

    @inline(__always)
    private static func upper(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7a ? byte & 0xdf : byte }

    /// Whether the text is as a whole in ASCII text; nil when that takes too long this way.
    private func isFound(inASCII text: ArraySlice<UInt8>) -> Bool? {
        guard isASCII else { return false }
        var effort = Effort(text)
        var rest = text
        while let place = firstWord(in: rest, &effort) {
            if matches(before: place, in: text, &effort), matches(after: place + word.count, in: text, &effort) { return true }
            effort.spend(word.count)
            if effort.isSpent { return nil }
            rest = rest[(place + 1)...]
        }
        return effort.isSpent ? nil : false
    }

    private func matches(before place: Int, in text: ArraySlice<UInt8>, _ effort: inout Effort) -> Bool {
        var index = place
        defer { effort.spend(place - index) }
        for wanted in pattern[..<wordStart].reversed() {
            guard index > text.startIndex else { return false }
            index -= 1
            if wanted == 0x20 {
                guard text[index] <= 0x20 else { return false }
                while index > text.startIndex, text[index - 1] <= 0x20 { index -= 1 }
            } else if Self.upper(text[index]) != wanted {
                return false
            }
        }
        return true
    }

    private func matches(after place: Int, in text: ArraySlice<UInt8>, _ effort: inout Effort) -> Bool {
        var index = place
        defer { effort.spend(index - place) }
        for wanted in pattern[(wordStart + word.count)...] {
            guard index < text.endIndex else { return false }
            if wanted == 0x20 {
                guard text[index] <= 0x20 else { return false }
                while index < text.endIndex, text[index] <= 0x20 { index += 1 }
            } else if Self.upper(text[index]) != wanted {
                return false
            } else {
                index += 1
            }
        }
        return true
    }
}

extension TextMatcher {
    /// A search that goes on over several pieces.
    struct Stream {
        private let matcher: TextMatcher
        private var folding: CaseFolding
        /// How much of the pattern the text ends with.
        private var length = 0
        private var folded: [UInt8] = []
        /// From how many bytes on a run of ASCII is worth another look.
        private let longRun: Int

        init(_ matcher: TextMatcher) {
            self.matcher = matcher
            folding = CaseFolding(matcher.comparator)
            longRun = matcher.word.isEmpty ? .max : 256 + 8 * matcher.pattern.count
        }

        /// Whether the text was found, up to the end of this piece.
        mutating func feed(_ bytes: ArraySlice<UInt8>, isEnd: Bool = false) -> Bool {
            if matcher.pattern.isEmpty { return true }
            var rest = bytes
            while !rest.isEmpty {
                var end = ByteScan.firstNonASCII(in: rest) ?? rest.endIndex
                if end - rest.startIndex >= longRun {
                    if pass(rest[..<end]) { return true }
                } else {
                    // Up to the end of what is not ASCII, too.
                    end = rest[end...].firstIndex { $0 < 0x80 } ?? rest.endIndex
                    if step(rest[..<end]) { return true }
                }
                rest = rest[end...]
            }
            return isEnd && step([], isEnd: true)
        }

        /// Looks at each byte.
        private mutating func step(_ bytes: ArraySlice<UInt8>, isEnd: Bool = false) -> Bool {
            folded.removeAll(keepingCapacity: true)
            folding.fold(bytes, into: &folded)
            if isEnd { folding.finish(into: &folded) }
            for byte in folded {
                while length > 0, matcher.pattern[length] != byte { length = matcher.failure[length - 1] }
                if matcher.pattern[length] == byte { length += 1 }
                if length == matcher.pattern.count { return true }
            }
            return false
        }

        /// A long run of ASCII: its beginning may end a match, it may hold one, and its end may begin one.
        private mutating func pass(_ run: ArraySlice<UInt8>) -> Bool {
            // Nearly nothing but blanks: they may all belong to one match.
            guard let head = Self.place(of: matcher.pattern.count, in: run.indices, run),
                let tail = Self.place(of: matcher.pattern.count, in: run.indices.reversed(), run)
            else { return step(run) }
            if step(run[...head]) { return true }
            guard let isInside = matcher.isFound(inASCII: run) else { return step(run[(head + 1)...]) }
            if isInside { return true }
            // Only as many bytes as the pattern has decide what the next piece goes on with.
            folding = CaseFolding(matcher.comparator)
            length = 0
            return step(run[tail...])
        }

        /// Where the last one of so many bytes is that are no blanks, in some order of the places; nil where there are fewer.
        private static func place(of count: Int, in indices: some Sequence<Int>, _ run: ArraySlice<UInt8>) -> Int? {
            var left = count
            for index in indices where run[index] > 0x20 {
                left -= 1
                if left == 0 { return index }
            }
            return nil
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
        var rest = bytes
        while !rest.isEmpty {
            let end = ByteScan.firstNonASCII(in: rest) ?? rest.endIndex
            if end > rest.startIndex {
                map.finish(into: &output)
                lastWasBlank = ByteScan.appendFolded(rest[..<end], isAfterBlank: lastWasBlank, to: &output)
                rest = rest[end...]
            }
            let other = rest[..<(rest.firstIndex { $0 < 0x80 } ?? rest.endIndex)]
            if !other.isEmpty {
                if comparator == .unicodeCasemap { map.convert(other, into: &output) } else { output.append(contentsOf: other) }
                lastWasBlank = false
                rest = rest[other.endIndex...]
            }
        }
    }

    /// Writes what is held of a character that has no end.
    mutating func finish(into output: inout [UInt8]) { map.finish(into: &output) }
}
