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
        // The more there are, the fewer passes.
        let digit = order.count < 1_000 ? 8 : 11
        let mask = UInt64(1) << UInt64(digit) - 1
        var other = order
        var shift = 0
        while shift < width {
            func place(_ index: Int) -> Int { Int(UInt64(bitPattern: values[index] &- least) >> UInt64(shift) & mask) }
            var starts = [Int](repeating: 0, count: 1 << digit)
            for index in order { starts[place(index)] += 1 }
            var next = 0
            for bucket in starts.indices { (starts[bucket], next) = (next, next + starts[bucket]) }
            for index in order {
                let bucket = place(index)
                other[starts[bucket]] = index
                starts[bucket] += 1
            }
            swap(&order, &other)
            shift += digit
        }
    }
}
