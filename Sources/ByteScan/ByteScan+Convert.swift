extension ByteScan {
    /// What `appendWithCRLF` saw.
    package struct Converted {
        /// The last byte was a CR: an LF that follows gets no other one.
        package var endsInReturn: Bool
        package var hasNUL: Bool
    }

    /// Appends bytes with CR LF for each LF that has no CR before it. `afterReturn`: the byte before the first one was a CR.
    package static func appendWithCRLF(_ bytes: ArraySlice<UInt8>, afterReturn: Bool, to output: inout [UInt8]) -> Converted {
        var result = Converted(endsInReturn: afterReturn, hasNUL: false)
        var rest = bytes
        // In pieces: the room for one must hold twice its bytes.
        while !rest.isEmpty {
            let piece = rest.prefix(16_384)
            rest = rest[piece.endIndex...]
            unsafe piece.withUnsafeBufferPointer { source in
                output.append(addingCapacity: 2 * source.count + width) { room in
                    unsafe room.withUnsafeMutableBufferPointer { target, filled in
                        unsafe filled = convert(source, to: target, &result)
                    }
                }
            }
        }
        return result
    }

    /// `target` has room for twice the source and one vector.
    private static func convert(
        _ source: UnsafeBufferPointer<UInt8>, to target: UnsafeMutableBufferPointer<UInt8>, _ result: inout Converted
    ) -> Int {
        precondition(target.count >= 2 * source.count + width)
        let lineFeed = Vector(repeating: 0x0a)
        let output = unsafe UnsafeMutableRawPointer(target.baseAddress.unsafelyUnwrapped)
        var (read, written) = (0, 0)
        let zero = Vector()
        var nul = SIMD4<UInt64>()
        while read + width <= source.count {
            let bytes = unsafe load(source, read)
            nul |= words(bytes .== zero)
            // All of it, also what comes after the line's end: that is written over.
            unsafe output.storeBytes(of: bytes, toByteOffset: written, as: Vector.self)
            let ends = words(bytes .== lineFeed)
            if isNone(ends) {
                read += width
                written += width
                continue
            }
            let length = first(ends)
            read += length
            written += length
            let hasReturn = unsafe read > 0 ? source[read - 1] == 0x0d : result.endsInReturn
            if !hasReturn {
                unsafe output.storeBytes(of: 0x0d, toByteOffset: written, as: UInt8.self)
                written += 1
            }
            unsafe output.storeBytes(of: 0x0a, toByteOffset: written, as: UInt8.self)
            written += 1
            read += 1
        }
        var hasNUL = !isNone(nul)
        while read < source.count {
            let byte = unsafe source[read]
            if byte == 0 { hasNUL = true }
            if byte == 0x0a {
                let hasReturn = unsafe read > 0 ? source[read - 1] == 0x0d : result.endsInReturn
                if !hasReturn {
                    unsafe output.storeBytes(of: 0x0d, toByteOffset: written, as: UInt8.self)
                    written += 1
                }
            }
            unsafe output.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
            read += 1
        }
        if let last = unsafe source.last { result.endsInReturn = last == 0x0d }
        if hasNUL { result.hasNUL = true }
        return written
    }

    /// Appends bytes with the letters a to z as A to Z.
    package static func appendUppercase(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { source in
            output.append(addingCapacity: source.count) { room in
                unsafe room.withUnsafeMutableBufferPointer { target, filled in
                    for index in source.indices {
                        let byte = unsafe source[index]
                        // Without a branch, so that the compiler looks at many bytes at once.
                        unsafe target[index] = byte &- (byte &- 0x61 < 26 ? 0x20 : 0)
                    }
                    filled = source.count
                }
            }
        }
    }

    /// Appends bytes with letters as above, and each run of bytes up to 0x20 as one blank; of one that goes on from before (`isAfterBlank`)
    /// nothing. Answers whether the last one was such.
    package static func appendFolded(_ bytes: ArraySlice<UInt8>, isAfterBlank: Bool, to output: inout [UInt8]) -> Bool {
        var wasBlank = isAfterBlank
        unsafe bytes.withUnsafeBufferPointer { source in
            output.append(addingCapacity: source.count) { room in
                unsafe room.withUnsafeMutableBufferPointer { target, filled in
                    var written = 0
                    for index in source.indices {
                        let byte = unsafe source[index]
                        let isBlank = byte <= 0x20
                        // There is room for it also where it is written over.
                        unsafe target[written] = isBlank ? 0x20 : byte &- (byte &- 0x61 < 26 ? 0x20 : 0)
                        written += isBlank && wasBlank ? 0 : 1
                        wasBlank = isBlank
                    }
                    filled = written
                }
            }
        }
        return wasBlank
    }

    /// Index of the first place where an ASCII word may begin in any case: its first and its last byte are there. `word` holds no lower case
    /// letter and is not empty.
    package static func firstCandidate(of word: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let head = word.first, let tail = word.last, bytes.count >= word.count else { return nil }
        let (upperHead, lowerHead) = (Vector(repeating: head), Vector(repeating: lower(head)))
        let (upperTail, lowerTail) = (Vector(repeating: tail), Vector(repeating: lower(tail)))
        let distance = word.count - 1
        let found: Int? = unsafe bytes.withUnsafeBufferPointer { buffer in
            var index = 0
            while index + distance + width <= buffer.count {
                let (first, last) = unsafe (load(buffer, index), load(buffer, index + distance))
                let isHead = (first .== upperHead) .| (first .== lowerHead)
                let isTail = (last .== upperTail) .| (last .== lowerTail)
                let found = words(isHead .& isTail)
                if !isNone(found) { return index + Self.first(found) }
                index += width
            }
            while index + distance < buffer.count {
                let (first, last) = unsafe (buffer[index], buffer[index + distance])
                if first == head || first == lower(head), last == tail || last == lower(tail) { return index }
                index += 1
            }
            return nil
        }
        return found.map { bytes.startIndex + $0 }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }
}
