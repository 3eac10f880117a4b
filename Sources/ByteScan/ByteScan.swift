/// Looks at many bytes at once. What is answered is what a loop over single bytes would answer; only the time differs.
///
/// The one place of the pure libraries with pointers: a vector is only ever loaded where all of its bytes lie inside the buffer.
@safe package enum ByteScan {
    typealias Vector = SIMD32<UInt8>
    static let width = 32

    @inline(__always)
    static func load(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Vector {
        unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped).loadUnaligned(fromByteOffset: index, as: Vector.self)
    }

    /// The lanes of a comparison as four words: a lane is 0xff where it held, else 0.
    @inline(__always)
    static func words(_ mask: SIMDMask<SIMD32<Int8>>) -> SIMD4<UInt64> { unsafe unsafeBitCast(mask, to: SIMD4<UInt64>.self) }

    @inline(__always)
    static func isNone(_ words: SIMD4<UInt64>) -> Bool { (words.x | words.y) | (words.z | words.w) == 0 }

    /// The first lane that holds; some must.
    @inline(__always)
    static func first(_ words: SIMD4<UInt64>) -> Int {
        if words.x != 0 { return UInt64(littleEndian: words.x).trailingZeroBitCount >> 3 }
        if words.y != 0 { return 8 + UInt64(littleEndian: words.y).trailingZeroBitCount >> 3 }
        if words.z != 0 { return 16 + UInt64(littleEndian: words.z).trailingZeroBitCount >> 3 }
        return 24 + UInt64(littleEndian: words.w).trailingZeroBitCount >> 3
    }

    /// Index of the first byte of which `vector` or `scalar` holds, at or after `start`.
    @inline(__always)
    static func search(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, vector: (Vector) -> SIMDMask<SIMD32<Int8>>, scalar: (UInt8) -> Bool
    ) -> Int? {
        var index = start
        while index + width <= bytes.count {
            let found = unsafe words(vector(load(bytes, index)))
            if !isNone(found) { return index + first(found) }
            index += width
        }
        while index < bytes.count {
            if unsafe scalar(bytes[index]) { return index }
            index += 1
        }
        return nil
    }

    /// Index of the first such byte.
    package static func firstIndex(of byte: UInt8, in bytes: ArraySlice<UInt8>) -> Int? {
        let wanted = Vector(repeating: byte)
        let found = unsafe bytes.withUnsafeBufferPointer { unsafe search($0, from: 0, vector: { $0 .== wanted }, scalar: { $0 == byte }) }
        return found.map { bytes.startIndex + $0 }
    }

    /// Index of the first byte that is no ASCII character.
    package static func firstNonASCII(in bytes: ArraySlice<UInt8>) -> Int? {
        let least = Vector(repeating: 0x80)
        let found = unsafe bytes.withUnsafeBufferPointer { unsafe search($0, from: 0, vector: { $0 .>= least }, scalar: { $0 >= 0x80 }) }
        return found.map { bytes.startIndex + $0 }
    }

    /// Index of the first byte that is one of the two.
    package static func firstIndex(of one: UInt8, or other: UInt8, in bytes: ArraySlice<UInt8>) -> Int? {
        let (first, second) = (Vector(repeating: one), Vector(repeating: other))
        let found = unsafe bytes.withUnsafeBufferPointer {
            unsafe search($0, from: 0, vector: { ($0 .== first) .| ($0 .== second) }, scalar: { $0 == one || $0 == other })
        }
        return found.map { bytes.startIndex + $0 }
    }

    /// Index of the last such byte.
    package static func lastIndex(of byte: UInt8, in bytes: ArraySlice<UInt8>) -> Int? {
        let wanted = Vector(repeating: byte)
        let found: Int? = unsafe bytes.withUnsafeBufferPointer { buffer in
            var end = buffer.count
            while end >= width {
                if unsafe !isNone(words(load(buffer, end - width) .== wanted)) { break }
                end -= width
            }
            while end > 0 {
                end -= 1
                if unsafe buffer[end] == byte { return end }
            }
            return nil
        }
        return found.map { bytes.startIndex + $0 }
    }

    /// Index of the first LF that two `-` follow, or may follow where the bytes end.
    package static func firstDashedLine(in bytes: ArraySlice<UInt8>) -> Int? {
        let (lineFeed, dash) = (Vector(repeating: 0x0a), Vector(repeating: 0x2d))
        let found: Int? = unsafe bytes.withUnsafeBufferPointer { buffer in
            var index = 0
            while index + width + 2 <= buffer.count {
                let ends = unsafe load(buffer, index) .== lineFeed
                let dashes = unsafe (load(buffer, index + 1) .== dash) .& (load(buffer, index + 2) .== dash)
                let found = words(ends .& dashes)
                if !isNone(found) { return index + first(found) }
                index += width
            }
            while index < buffer.count {
                let isEnd = unsafe buffer[index] == 0x0a
                let mayFollow = unsafe index + 1 >= buffer.count || buffer[index + 1] == 0x2d
                let mayEnd = unsafe index + 2 >= buffer.count || buffer[index + 2] == 0x2d
                if isEnd, mayFollow, mayEnd { return index }
                index += 1
            }
            return nil
        }
        return found.map { bytes.startIndex + $0 }
    }

    /// Line ends of a run of bytes.
    package struct LineEnds: Equatable {
        /// All LF.
        package var all = 0
        /// Those with a CR before them.
        package var withReturn = 0
    }

    /// The sum of all lanes.
    private static func sum(_ vector: Vector) -> Int {
        let words = unsafe unsafeBitCast(vector, to: SIMD4<UInt64>.self)
        // Two neighbours each, then all four pairs by one product.
        let even: UInt64 = 0x00ff_00ff_00ff_00ff
        var sum = 0
        func add(_ word: UInt64) { sum += Int((((word & even) &+ (word >> 8 & even)) &* 0x0001_0001_0001_0001) >> 48) }
        add(words.x)
        add(words.y)
        add(words.z)
        add(words.w)
        return sum
    }

    /// Counts line ends; `previous` is the byte before the first one.
    package static func lineEnds(in bytes: ArraySlice<UInt8>, after previous: UInt8) -> LineEnds {
        let (lineFeed, carriageReturn) = (Vector(repeating: 0x0a), Vector(repeating: 0x0d))
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            var ends = LineEnds()
            guard let head = unsafe buffer.first else { return ends }
            if head == 0x0a { ends.all = 1 }
            if head == 0x0a, previous == 0x0d { ends.withReturn = 1 }
            var index = 1
            while index + width <= buffer.count {
                // A lane counts to 255 at most.
                var (all, returns) = (Vector(), Vector())
                for _ in 0..<min(255, (buffer.count - index) / width) {
                    let isEnd = unsafe load(buffer, index) .== lineFeed
                    let isAfterReturn = unsafe load(buffer, index - 1) .== carriageReturn
                    // True is -1.
                    all &-= unsafe unsafeBitCast(isEnd, to: Vector.self)
                    returns &-= unsafe unsafeBitCast(isEnd .& isAfterReturn, to: Vector.self)
                    index += width
                }
                ends.all += sum(all)
                ends.withReturn += sum(returns)
            }
            while index < buffer.count {
                if unsafe buffer[index] == 0x0a {
                    ends.all += 1
                    if unsafe buffer[index - 1] == 0x0d { ends.withReturn += 1 }
                }
                index += 1
            }
            return ends
        }
    }
}
