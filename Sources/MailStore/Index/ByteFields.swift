internal import Index

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
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func number<N: FixedWidthInteger>(_: N.Type = N.self) -> N? {
        let width = N.bitWidth / 8
        guard bytes.count - offset >= width else { return nil }
        defer { offset += width }
        // Nearly always eight bytes are there.
        if bytes.count - offset >= 8 { return N(truncatingIfNeeded: bytes.word(at: offset)) }
        var value: N = 0
        for index in 0..<width { value |= N(truncatingIfNeeded: bytes[offset + index]) << N(8 * index) }
        return value
    }

    mutating func text() -> [UInt8]? {
        guard let count = number(UInt32.self), bytes.count - offset >= Int(count) else { return nil }
        defer { offset += Int(count) }
        return Array(bytes[offset..<offset + Int(count)])
    }
}
