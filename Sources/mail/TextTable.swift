internal import ByteScan

/// Texts with numbers: equal ones have the same. Holds all of them in one piece of memory; nobody can choose texts that make it slow.
struct TextTable {
    private var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [Int] = []
    /// Numbers by hash, -1 where none is; a power of two of them.
    private var slots: [Int32]
    private let seed = UInt64.random(in: .min ... .max)

    init(expected: Int) {
        var size = 64
        while size < 2 * expected, size < 1 << 22 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
    }

    var count: Int { ends.count }

    subscript(number: Int) -> ArraySlice<UInt8> { bytes[(number == 0 ? 0 : ends[number - 1])..<ends[number]] }

    /// The number of a text: a new one, the next, for a text that was not there.
    mutating func number(of text: ArraySlice<UInt8>) -> Int {
        var slot = Int(truncatingIfNeeded: ByteScan.hash(text, seed: seed)) & (slots.count - 1)
        while slots[slot] >= 0 {
            let number = Int(slots[slot])
            if ByteScan.compare(self[number], text) == 0 { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(ends.count)
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        if 2 * ends.count > slots.count { grow() }
        return ends.count - 1
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: 2 * slots.count)
        for number in ends.indices {
            var slot = Int(truncatingIfNeeded: ByteScan.hash(self[number], seed: seed)) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(number)
        }
    }
}
