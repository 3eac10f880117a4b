/// Puts numbers in order digit by digit, without comparing any two: its time grows with how far they lie apart, not with how they lie.
enum RadixOrder {
    /// Puts indexes of `values` in the order of these; of equal ones the order stays.
    static func sort(_ order: inout [Int], by values: [Int64]) {
        guard let first = order.first else { return }
        var (least, greatest) = (values[first], values[first])
        for index in order {
            least = min(least, values[index])
            greatest = max(greatest, values[index])
        }
        let width = UInt64.bitWidth - UInt64(bitPattern: greatest &- least).leadingZeroBitCount
        guard width > 0 else { return }
        // The more there are, the fewer passes.
        let digit = order.count < 1_000 ? 8 : 11
        let mask = UInt64(1) << UInt64(digit) - 1
        var entries = order.map { (value: UInt64(bitPattern: values[$0] &- least), index: $0) }
        var other = entries
        var starts = [Int](repeating: 0, count: 1 << digit)
        for shift in stride(from: UInt64(0), to: UInt64(width), by: digit) {
            for bucket in starts.indices { starts[bucket] = 0 }
            for entry in entries { starts[Int(entry.value >> shift & mask)] += 1 }
            var next = 0
            for bucket in starts.indices { (starts[bucket], next) = (next, next + starts[bucket]) }
            for entry in entries {
                let bucket = Int(entry.value >> shift & mask)
                other[starts[bucket]] = entry
                starts[bucket] += 1
            }
            swap(&entries, &other)
        }
        for place in order.indices { order[place] = entries[place].index }
    }
}
