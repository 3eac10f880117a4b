import Testing

@testable import ByteScan

/// Bytes of which few values occur, so that everything is found often; the same for the same seed.
private func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
    let values: [UInt8] =
        [0x0a, 0x0d, 0x2d, 0x2d, 0x2d, 0x41, 0x61, 0x62, 0x00, 0x80, 0xff] + [UInt8](repeating: 0x78, count: Int(seed % 60))
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return values[Int(state >> 33) % values.count]
    }
}

/// Slices of all lengths around a vector's, at all alignments.
private let slices: [ArraySlice<UInt8>] = (0..<600).map { seed in
    let all = bytes(seed % 211 + 70, seed: UInt64(seed))
    let start = seed % 37
    return all[start..<min(all.count, start + seed % 173)]
}

@Suite("A look at many bytes answers what a look at each would")
struct ByteScanTests {
    @Test func singleBytes() {
        for slice in slices {
            for byte: UInt8 in [0x0a, 0x0d, 0x00, 0x80, 0x79] {
                #expect(ByteScan.firstIndex(of: byte, in: slice) == slice.firstIndex(of: byte))
                #expect(ByteScan.lastIndex(of: byte, in: slice) == slice.lastIndex(of: byte))
                #expect(ByteScan.firstIndex(of: byte, or: 0x62, in: slice) == slice.firstIndex { $0 == byte || $0 == 0x62 })
            }
            #expect(ByteScan.firstNonASCII(in: slice) == slice.firstIndex { $0 >= 0x80 })
        }
    }

    @Test func dashedLines() {
        for slice in slices {
            let expected = slice.indices.first { index in
                slice[index] == 0x0a && slice[(index + 1)...].prefix(2).allSatisfy { $0 == 0x2d }
            }
            #expect(ByteScan.firstDashedLine(in: slice) == expected)
        }
    }

    @Test func lineEnds() {
        for slice in slices {
            for previous: UInt8 in [0x0d, 0x0a] {
                var expected = ByteScan.LineEnds()
                var last = previous
                for byte in slice {
                    if byte == 0x0a { expected.all += 1 }
                    if byte == 0x0a, last == 0x0d { expected.withReturn += 1 }
                    last = byte
                }
                #expect(ByteScan.lineEnds(in: slice, after: previous) == expected)
            }
        }
        let long = [UInt8](repeating: 0x0a, count: 40_000)
        #expect(ByteScan.lineEnds(in: long[...], after: 0).all == 40_000)
    }

    @Test func conversion() {
        for slice in slices + [bytes(50_000, seed: 3)[...]] {
            for afterReturn in [false, true] {
                var expected: [UInt8] = [1, 2]
                var last: UInt8 = afterReturn ? 0x0d : 0
                for byte in slice {
                    if byte == 0x0a, last != 0x0d { expected.append(0x0d) }
                    expected.append(byte)
                    last = byte
                }
                var output: [UInt8] = [1, 2]
                let result = ByteScan.appendWithCRLF(slice, afterReturn: afterReturn, to: &output)
                #expect(output == expected)
                #expect(result.hasNUL == slice.contains(0))
                #expect(result.endsInReturn == (last == 0x0d))
            }
        }
    }

    @Test func candidates() {
        for slice in slices {
            for word: [UInt8] in [[0x41], [0x41, 0x42], [0x42, 0x2d, 0x41], [0x58, 0x58, 0x58, 0x42], [0x30]] {
                let lower = { (byte: UInt8) in byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }
                let expected = slice.indices.first { index in
                    guard index + word.count <= slice.endIndex else { return false }
                    let (first, last) = (slice[index], slice[index + word.count - 1])
                    return (first == word[0] || first == lower(word[0]))
                        && (last == word[word.count - 1] || last == lower(word[word.count - 1]))
                }
                #expect(ByteScan.firstCandidate(of: word, in: slice) == expected)
            }
        }
    }

    @Test func folding() {
        for slice in slices {
            let upper = slice.map { $0 >= 0x61 && $0 <= 0x7a ? $0 - 0x20 : $0 }
            var output: [UInt8] = [7]
            ByteScan.appendUppercase(slice, to: &output)
            #expect(output == [7] + upper)
            for isAfterBlank in [false, true] {
                var expected: [UInt8] = [7]
                var wasBlank = isAfterBlank
                for byte in upper {
                    if byte > 0x20 || !wasBlank { expected.append(max(byte, 0x20)) }
                    wasBlank = byte <= 0x20
                }
                output = [7]
                #expect(ByteScan.appendFolded(slice, isAfterBlank: isAfterBlank, to: &output) == wasBlank)
                #expect(output == expected)
            }
        }
    }

    @Test func order() {
        for (one, other) in zip(slices, slices.dropFirst()) {
            for (a, b) in [(one, other), (one, one), (one, one.dropLast()), (one.prefix(8), one.prefix(9)), (one, one + [0])] {
                let order = ByteScan.compare(a, b)
                #expect((order < 0) == a.lexicographicallyPrecedes(b) && (order > 0) == b.lexicographicallyPrecedes(a))
                let (x, y) = (ByteScan.prefix(a), ByteScan.prefix(b))
                #expect(x == y || (x < y) == a.lexicographicallyPrecedes(b))
                let bytes = [1, 2] + Array(a) + [3]
                let end = bytes.count - 1
                #expect(ByteScan.word(bytes, 2, before: end) == x && ByteScan.word(bytes, end, before: end) == 0)
                #expect(ByteScan.isEqual(bytes, 2..<end, b) == (order == 0))
                #expect((ByteScan.hash(a, seed: 5) == ByteScan.hash(b, seed: 5)) == (order == 0))
            }
        }
    }
}
