/// Numbers of fixed width in the values of an index, least significant byte first.
struct FieldWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ value: some FixedWidthInteger) {
        for index in 0..<(value.bitWidth / 8) { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    mutating func add(raw text: ArraySlice<UInt8>) { bytes.append(contentsOf: text) }

    /// At most 65,535 bytes, behind their number.
    mutating func add(short text: ArraySlice<UInt8>) {
        let text = text.prefix(Int(UInt16.max))
        add(UInt16(text.count))
        bytes.append(contentsOf: text)
    }

    mutating func add(_ text: [UInt8]) {
        add(UInt32(clamping: text.count))
        bytes.append(contentsOf: text)
    }
}

/// Reads what `FieldWriter` wrote; too little is nil, never a trap.
struct FieldReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number<N: FixedWidthInteger>(_: N.Type = N.self) -> N? {
        guard rest.count >= N.bitWidth / 8 else { return nil }
        var value: N = 0
        for (index, byte) in rest.prefix(N.bitWidth / 8).enumerated() { value |= N(truncatingIfNeeded: byte) << N(8 * index) }
        rest = rest.dropFirst(N.bitWidth / 8)
        return value
    }

    mutating func text() -> [UInt8]? {
        guard let count = number(UInt32.self), rest.count >= Int(count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }
}
