/// A set of message numbers or UIDs as the client wrote it: merged, never expanded; `*` is resolved against a mailbox later.
package struct SequenceSet: Equatable, Sendable {
    /// A number, or `*` (written as `largest`).
    package enum Bound: Equatable, Sendable {
        case number(UInt32)
        case largest
    }

    /// Ranges without `*`, merged and ascending.
    package private(set) var numbers = NumberSet()
    /// The smallest number that stands before or after `:*`; `5:*` includes `9:*`.
    package private(set) var openStart: UInt32?
    /// Whether `*` is in the set.
    package private(set) var hasLargest = false
    /// `$`: the saved result of SEARCH (RFC 5182).
    package var isSavedResult = false

    package init() {}

    package mutating func add(_ first: Bound, _ second: Bound) {
        switch (first, second) {
        case (.number(let a), .number(let b)): numbers.insert(min(a, b)...max(a, b))
        case (.largest, .largest): hasLargest = true
        case (.number(let a), .largest), (.largest, .number(let a)):
            hasLargest = true
            openStart = min(openStart ?? a, a)
        }
    }

    /// The set with `*` replaced: by the number of messages, or the highest UID; 0 for an empty mailbox.
    /// What `9:*` names above `largest` does not exist and is left out, but `largest` itself is in it.
    package func resolved(largest: UInt32) -> NumberSet {
        guard hasLargest, largest > 0 else { return numbers }
        var result = numbers
        result.insert(min(openStart ?? largest, largest)...largest)
        return result
    }
}

/// Numbers as ascending ranges with gaps between them.
package struct NumberSet: Equatable, Sendable {
    package private(set) var ranges: [ClosedRange<UInt32>] = []

    package init() {}
    package init(_ range: ClosedRange<UInt32>) { ranges = [range] }

    /// Builds the set of ranges that come in any order.
    package init(_ ranges: some Sequence<ClosedRange<UInt32>>) {
        for range in ranges { insert(range) }
    }

    /// Builds the set of numbers that come in any order.
    package init(_ numbers: some Sequence<UInt32>) {
        for number in numbers { insert(number...number) }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    /// How many numbers there are.
    package var count: Int { ranges.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }

    package func contains(_ number: UInt32) -> Bool {
        let index = firstRange(endingAtOrAfter: number)
        return index < ranges.count && ranges[index].lowerBound <= number
    }

    /// Adds a range; appending in order costs nothing.
    package mutating func insert(_ range: ClosedRange<UInt32>) {
        let below = range.lowerBound == 0 ? 0 : range.lowerBound - 1
        if let last = ranges.last {
            if below > last.upperBound { return ranges.append(range) }
        } else {
            return ranges.append(range)
        }
        let first = firstRange(endingAtOrAfter: below)
        let above = range.upperBound == .max ? UInt32.max : range.upperBound + 1
        var end = first
        var merged = range
        while end < ranges.count, ranges[end].lowerBound <= above {
            merged = min(merged.lowerBound, ranges[end].lowerBound)...max(merged.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: CollectionOfOne(merged))
    }

    private func firstRange(endingAtOrAfter number: UInt32) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension CommandParser {
    // sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command
    // seq-range = seq-number ":" seq-number ; seq-number = nz-number / "*" ; seq-last-command = "$"
    mutating func sequenceSet() throws(SyntaxError) -> SequenceSet {
        var set = SequenceSet()
        if takeIf(0x24) {
            set.isSavedResult = true
            return set
        }
        var count = 0
        repeat {
            count += 1
            guard count <= Limits.setElements else { throw .overLimit("sequence set") }
            let first = try sequenceNumber()
            set.add(first, takeIf(0x3a) ? try sequenceNumber() : first)
        } while takeIf(0x2c)
        return set
    }

    mutating func sequenceNumber() throws(SyntaxError) -> SequenceSet.Bound {
        takeIf(0x2a) ? .largest : .number(try nzNumber())
    }
}
