internal import ByteScan

/// Texts with numbers: equal ones have the same. Holds all of them in one piece of memory; nobody can choose texts that make it slow.
struct TextTable {
    private var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [Int] = []
    /// A power of two of places for texts, by hash: half of the hash above the text's number and one; 0 where none is.
    private var slots: [UInt64]
    private let seed = UInt64.random(in: .min ... .max)

    init(expected: Int) {
        var size = 64
        while size < 2 * expected, size < 1 << 22 { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
    }

    var count: Int { ends.count }

    private func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

    subscript(number: Int) -> ArraySlice<UInt8> { bytes[range(number)] }

    /// The number of a text: a new one, the next, for a text that was not there.
    mutating func number(of text: ArraySlice<UInt8>) -> Int {
        let hash = ByteScan.hash(text, seed: seed) >> 32
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash {
                let number = Int(slots[slot] & 0xffff_ffff) - 1
                if ByteScan.isEqual(bytes, range(number), text) { return number }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        slots[slot] = hash << 32 | UInt64(ends.count)
        if 2 * ends.count > slots.count { grow() }
        return ends.count - 1
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: 2 * old.count)
        for entry in old where entry != 0 {
            var slot = Int(entry >> 32) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
        }
    }

    /// How often `places` looks at eight further bytes of texts that are equal so far; then they are compared.
    private static let depth = 4

    /// For each text its place among all, in the order of their bytes.
    func places() -> [Int64] {
        var order = Array(0..<count)
        // In the order of numbers with a sign.
        RadixOrder.sort(&order, by: order.map { Int64(bitPattern: word(of: $0, depth: 0) ^ 1 << 63) })
        // Texts that are equal in all bytes before eight times the depth lie together.
        var runs = Self.runs(in: order.map { (word(of: $0, depth: 0), $0) }, from: 0).map { (range: $0, depth: 1) }
        var run: [(word: UInt64, number: Int)] = []
        while let (range, depth) = runs.popLast() {
            run.removeAll(keepingCapacity: true)
            for index in range { run.append((word(of: order[index], depth: depth), order[index])) }
            if depth < Self.depth {
                run.sort { $0.word < $1.word }
                for equal in Self.runs(in: run, from: range.lowerBound) { runs.append((equal, depth + 1)) }
            } else {
                run.sort { ByteScan.compare(self[$0.number], self[$1.number]) < 0 }
            }
            for index in run.indices { order[range.lowerBound + index] = run[index].number }
        }
        var places = [Int64](repeating: 0, count: count)
        for (place, number) in order.enumerated() { places[number] = Int64(place) }
        return places
    }

    /// Where several equal words lie side by side, counted from `start`.
    private static func runs(in words: [(word: UInt64, number: Int)], from start: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var first = 0
        for index in words.indices where index + 1 == words.count || words[index + 1].word != words[index].word {
            if index > first { runs.append(start + first..<start + index + 1) }
            first = index + 1
        }
        return runs
    }

    /// Eight bytes of a text, those behind its end as 0.
    private func word(of number: Int, depth: Int) -> UInt64 {
        let text = range(number)
        return ByteScan.word(bytes, min(text.upperBound, text.lowerBound + 8 * depth), before: text.upperBound)
    }
}
