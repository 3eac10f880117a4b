/// Some messages of a mailbox, by position: a bit for each message, so that sets are combined 64 messages at a time.
package struct PositionSet: Equatable, Sendable {
    /// Messages of the mailbox.
    package let size: Int
    /// Position p is bit p % 64 of word p / 64; there is one word more than that takes, and bits from `size` on are 0.
    @usableFromInline private(set) var words: [UInt64]

    /// None of `size` messages.
    package init(of size: Int) {
        self.size = size
        words = [UInt64](repeating: 0, count: size / 64 + 2)
    }

    /// The messages in `ranges`; what is not below `size` is left out.
    package init(_ ranges: some Sequence<Range<Int>>, of size: Int) {
        self.init(of: size)
        for range in ranges { insert(range) }
    }

    /// Adds `range`, as far as it lies below `size`.
    package mutating func insert(_ range: Range<Int>) {
        let range = range.clamped(to: 0..<size)
        guard !range.isEmpty else { return }
        let (first, last) = (range.lowerBound / 64, (range.upperBound - 1) / 64)
        let head = UInt64.max << UInt64(range.lowerBound % 64)
        let tail = UInt64.max >> UInt64(63 - (range.upperBound - 1) % 64)
        if first == last { return words[first] |= head & tail }
        words[first] |= head
        for index in first + 1..<last { words[index] = .max }
        words[last] |= tail
    }

    /// Adds a position below `size`.
    package mutating func insert(_ position: Int) { words[position / 64] |= 1 << UInt64(position % 64) }

    @inlinable package func contains(_ position: Int) -> Bool {
        position >= 0 && position < size && words[position / 64] & (1 << UInt64(position % 64)) != 0
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    // Both sets are of the same mailbox.
    package mutating func formIntersection(_ other: PositionSet) { for index in words.indices { words[index] &= other.words[index] } }
    package mutating func formUnion(_ other: PositionSet) { for index in words.indices { words[index] |= other.words[index] } }
    package mutating func subtract(_ other: PositionSet) { for index in words.indices { words[index] &= ~other.words[index] } }

    // MARK: 64 messages from any position on

    /// The 64 messages from a position below `size` on.
    func word(at position: Int) -> UInt64 {
        let (index, shift) = (position / 64, UInt64(position % 64))
        return words[index] >> shift | (shift == 0 ? 0 : words[index + 1] << (64 - shift))
    }

    /// Adds those of the 64 messages from a position on whose bits are set; there are as many.
    mutating func insert(_ bits: UInt64, at position: Int) {
        let (index, shift) = (position / 64, UInt64(position % 64))
        words[index] |= bits << shift
        if shift != 0 { words[index + 1] |= bits >> (64 - shift) }
    }
}

extension PositionSet: Sequence {
    /// Ascending.
    @inlinable package func makeIterator() -> Iterator { Iterator(words) }

    package var underestimatedCount: Int { count }

    package struct Iterator: IteratorProtocol {
        @usableFromInline let words: [UInt64]
        @usableFromInline var index = 0
        @usableFromInline var rest: UInt64

        @inlinable init(_ words: [UInt64]) {
            self.words = words
            rest = words[0]
        }

        @inlinable package mutating func next() -> Int? {
            while rest == 0 {
                guard index + 1 < words.count else { return nil }
                index += 1
                rest = words[index]
            }
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            return index &* 64 &+ bit
        }
    }
}
