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

    /// Rounds of `places`, of eight bytes each; what is equal so far is compared then.
    private static let rounds = 4

    /// For each text its place among all, in the order of their bytes.
    func places() -> [Int64] {
        // Of texts that were equal up to now: the place of the first of them.
        var places = [Int64](repeating: 0, count: count)
        var words = places
        var lengths = places
        var left = Array(0..<count)
        for round in 0..<Self.rounds where left.count > 1 {
            for number in left {
                let range = range(number)
                let index = min(range.upperBound, range.lowerBound + 8 * round)
                // In the order of numbers without a sign.
                words[number] = Int64(bitPattern: ByteScan.word(bytes, index, before: range.upperBound) ^ 1 << 63)
                lengths[number] = Int64(min(9, range.upperBound - index))
            }
            RadixOrder.sort(&left, by: lengths)
            RadixOrder.sort(&left, by: words)
            RadixOrder.sort(&left, by: places)
            left = Self.split(left, &places) { words[$0] == words[$1] && lengths[$0] == lengths[$1] }
        }
        left.sort { one, other in
            if places[one] != places[other] { return places[one] < places[other] }
            return ByteScan.compare(self[one], self[other]) < 0
        }
        _ = Self.split(left, &places) { _, _ in false }
        return places
    }

    /// Gives texts, which are in order by their old places and by what was looked at, new places; answers those that have one with others.
    private static func split(_ order: [Int], _ places: inout [Int64], _ isEqual: (Int, Int) -> Bool) -> [Int] {
        var equal: [Int] = []
        var (group, start) = (Int64(-1), 0)
        var previous: (number: Int, place: Int64, isEqual: Bool)?
        for (index, number) in order.enumerated() {
            if places[number] != group { (group, start) = (places[number], index) }
            var place = group + Int64(index - start)
            var joins = false
            if let previous, index > start, isEqual(previous.number, number) {
                (place, joins) = (previous.place, true)
                if !previous.isEqual { equal.append(previous.number) }
                equal.append(number)
            }
            places[number] = place
            previous = (number, place, joins)
        }
        return equal
    }
}
