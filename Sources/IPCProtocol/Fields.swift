/// Walks through the fields of a message, always in the same order: encoding, decoding and describing are three visitors of one function,
/// so they cannot disagree.
package protocol FieldVisitor {
    mutating func uint8(_ value: inout UInt8, _ name: String) throws(FrameError)
    mutating func uint16(_ value: inout UInt16, _ name: String) throws(FrameError)
    mutating func uint32(_ value: inout UInt32, _ name: String) throws(FrameError)
    mutating func uint64(_ value: inout UInt64, _ name: String) throws(FrameError)
    mutating func bool(_ value: inout Bool, _ name: String) throws(FrameError)
    /// A variable field: a 4 byte length, at most `limit`, then the bytes.
    mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) throws(FrameError)
    /// Like `bytes`, in UTF-8.
    mutating func text(_ value: inout String, _ name: String, atMost limit: Int) throws(FrameError)
    /// A list of at most `limit` texts of at most `size` bytes each.
    mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size: Int) throws(FrameError)
}

/// The payload of one message: default values, and one walk through them.
package protocol Fields: Equatable, Sendable {
    init()
    mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError)
}

/// A message without fields.
package struct NoFields: Fields {
    package init() {}
    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {}
}

/// Writes fields behind each other; refuses what the receiver would refuse.
package struct FieldEncoder: FieldVisitor {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func integer(_ value: some FixedWidthInteger & UnsignedInteger) {
        var rest = value
        for _ in 0..<(type(of: value).bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = rest >> 8
        }
    }

    package mutating func uint8(_ value: inout UInt8, _ name: String) throws(FrameError) { integer(value) }
    package mutating func uint16(_ value: inout UInt16, _ name: String) throws(FrameError) { integer(value) }
    package mutating func uint32(_ value: inout UInt32, _ name: String) throws(FrameError) { integer(value) }
    package mutating func uint64(_ value: inout UInt64, _ name: String) throws(FrameError) { integer(value) }
    package mutating func bool(_ value: inout Bool, _ name: String) throws(FrameError) { bytes.append(value ? 1 : 0) }

    package mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) throws(FrameError) {
        guard value.count <= limit else { throw .overLimit(field: name, limit: limit) }
        integer(UInt32(value.count))
        bytes += value
    }

    package mutating func text(_ value: inout String, _ name: String, atMost limit: Int) throws(FrameError) {
        let utf8 = value.utf8
        guard utf8.count <= limit else { throw .overLimit(field: name, limit: limit) }
        integer(UInt32(utf8.count))
        bytes += utf8
    }

    package mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size: Int) throws(FrameError) {
        guard value.count <= limit else { throw .overLimit(field: name, limit: limit) }
        integer(UInt16(value.count))
        for index in value.indices { try text(&value[index], name, atMost: size) }
    }
}

/// Reads fields one by one, each with its limit; `finish` refuses a single byte too many.
package struct FieldDecoder: FieldVisitor {
    private var rest: ArraySlice<UInt8>

    package init(_ payload: ArraySlice<UInt8>) { rest = payload }

    package mutating func integer<Number: FixedWidthInteger & UnsignedInteger>(
        _ name: String, _ type: Number.Type
    ) throws(FrameError) -> Number {
        let size = Number.bitWidth / 8
        guard rest.count >= size else { throw .truncated(name) }
        var value: Number = 0
        var shift = 0
        for byte in rest.prefix(size) {
            value |= Number(byte) << Number(shift)
            shift += 8
        }
        rest = rest.dropFirst(size)
        return value
    }

    package func finish() throws(FrameError) {
        guard rest.isEmpty else { throw .leftover(rest.count) }
    }

    package mutating func uint8(_ value: inout UInt8, _ name: String) throws(FrameError) { value = try integer(name, UInt8.self) }
    package mutating func uint16(_ value: inout UInt16, _ name: String) throws(FrameError) { value = try integer(name, UInt16.self) }
    package mutating func uint32(_ value: inout UInt32, _ name: String) throws(FrameError) { value = try integer(name, UInt32.self) }
    package mutating func uint64(_ value: inout UInt64, _ name: String) throws(FrameError) { value = try integer(name, UInt64.self) }

    package mutating func bool(_ value: inout Bool, _ name: String) throws(FrameError) {
        switch try integer(name, UInt8.self) {
        case 0: value = false
        case 1: value = true
        default: throw .invalid(field: name)
        }
    }

    private mutating func piece(_ name: String, atMost limit: Int) throws(FrameError) -> ArraySlice<UInt8> {
        let count = Int(try integer(name, UInt32.self))
        guard count <= limit else { throw .overLimit(field: name, limit: limit) }
        guard count <= rest.count else { throw .truncated(name) }  // never index + count: a foreign number is compared, not added
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    package mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) throws(FrameError) {
        value = Array(try piece(name, atMost: limit))
    }

    package mutating func text(_ value: inout String, _ name: String, atMost limit: Int) throws(FrameError) {
        let bytes = try piece(name, atMost: limit)
        let text = String(decoding: bytes, as: UTF8.self)
        // What is not UTF-8 was replaced. `String(validating:)` says so, too, but finds its types out at run time.
        guard text.utf8.elementsEqual(bytes) else { throw .invalid(field: name) }
        value = text
    }

    package mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size: Int) throws(FrameError) {
        let count = Int(try integer(name, UInt16.self))
        guard count <= limit else { throw .overLimit(field: name, limit: limit) }
        value = []
        for _ in 0..<count {
            var each = ""
            try text(&each, name, atMost: size)
            value.append(each)
        }
    }
}

/// Collects names and limits of fields, for docs/ipc-protocol.md.
package struct FieldDescriber: FieldVisitor {
    package private(set) var fields: [String] = []

    package init() {}

    package mutating func uint8(_ value: inout UInt8, _ name: String) { fields.append("\(name): u8") }
    package mutating func uint16(_ value: inout UInt16, _ name: String) { fields.append("\(name): u16") }
    package mutating func uint32(_ value: inout UInt32, _ name: String) { fields.append("\(name): u32") }
    package mutating func uint64(_ value: inout UInt64, _ name: String) { fields.append("\(name): u64") }
    package mutating func bool(_ value: inout Bool, _ name: String) { fields.append("\(name): bool") }
    package mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) { fields.append("\(name): bytes ≤ \(limit)") }
    package mutating func text(_ value: inout String, _ name: String, atMost limit: Int) { fields.append("\(name): text ≤ \(limit)") }
    package mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size: Int) {
        fields.append("\(name): ≤ \(limit) texts ≤ \(size)")
    }
}
