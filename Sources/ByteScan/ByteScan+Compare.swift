extension ByteScan {
    /// The first eight bytes as a number that is ordered as they are; missing ones count as 0.
    package static func prefix(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { unsafe word($0, 0) }
    }

    /// Below, above or equal to zero, as the first is ordered bytewise before, after or as the second.
    package static func compare(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int {
        unsafe one.withUnsafeBufferPointer { one in
            unsafe other.withUnsafeBufferPointer { other in
                var index = 0
                while index < min(one.count, other.count) {
                    let (a, b) = unsafe (word(one, index), word(other, index))
                    // A missing byte counts as 0 and the next is not looked at: what is equal up to there differs in length only.
                    if a != b { return a < b ? -1 : 1 }
                    index += 8
                }
                return one.count - other.count
            }
        }
    }

    /// Eight of the bytes from `index` to `end` as such a number.
    package static func word(_ bytes: [UInt8], _ index: Int, before end: Int) -> UInt64 {
        precondition(index >= 0 && index <= end && end <= bytes.count)
        return unsafe bytes.withUnsafeBufferPointer { unsafe word(UnsafeBufferPointer(rebasing: $0[..<end]), index) }
    }

    /// Whether a part of `bytes` is what `text` is.
    package static func isEqual(_ bytes: [UInt8], _ part: Range<Int>, _ text: ArraySlice<UInt8>) -> Bool {
        guard part.count == text.count else { return false }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            let one = unsafe UnsafeBufferPointer(rebasing: bytes[part])
            return unsafe text.withUnsafeBufferPointer { other in
                var index = 0
                while index < other.count {
                    if unsafe word(one, index) != word(other, index) { return false }
                    index += 8
                }
                return true
            }
        }
    }

    /// A number that is nearly always different for different bytes. `seed` is the process's secret: nobody can choose bytes that collide.
    package static func hash(_ bytes: ArraySlice<UInt8>, seed: UInt64) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            var hash = seed ^ UInt64(bytes.count) &* 0x9e37_79b9_7f4a_7c15
            var index = 0
            while index < bytes.count {
                // Both halves of the product: every bit of the input reaches every bit of the result.
                let product = unsafe (hash ^ word(bytes, index)).multipliedFullWidth(by: 0xa076_1d64_78bd_642f ^ seed | 1)
                hash = product.high ^ product.low &+ seed
                index += 8
            }
            return hash
        }
    }

    /// Eight bytes from `index` on, the first one most significant; bytes behind the end are 0.
    @inline(__always)
    private static func word(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> UInt64 {
        if index + 8 <= bytes.count {
            let raw = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
            return unsafe UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
        var word: UInt64 = 0
        for offset in 0..<8 { word = unsafe word << 8 | (index + offset < bytes.count ? UInt64(bytes[index + offset]) : 0) }
        return word
    }
}
