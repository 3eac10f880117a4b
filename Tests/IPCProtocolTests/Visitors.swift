import IPCProtocol

/// Fills fields with random values within their limits; now and then a variable field is empty, or exactly at its limit.
struct RandomFields: FieldVisitor {
    var generator = SystemRandomNumberGenerator()
    /// Lists are kept short, so that a payload stays below the limit of a frame.
    private static let longestList = 12

    mutating func uint8(_ value: inout UInt8, _ name: String) { value = .random(in: 0 ... .max, using: &generator) }
    mutating func uint16(_ value: inout UInt16, _ name: String) { value = .random(in: 0 ... .max, using: &generator) }
    mutating func uint32(_ value: inout UInt32, _ name: String) { value = .random(in: 0 ... .max, using: &generator) }
    mutating func uint64(_ value: inout UInt64, _ name: String) { value = .random(in: 0 ... .max, using: &generator) }
    mutating func bool(_ value: inout Bool, _ name: String) { value = .random(using: &generator) }

    private mutating func size(atMost limit: Int) -> Int {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: 0
        case 1: limit
        default: Int.random(in: 0...min(limit, 100), using: &generator)
        }
    }

    mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) {
        value = (0..<size(atMost: limit)).map { _ in .random(in: 0...255, using: &generator) }
    }

    mutating func text(_ value: inout String, _ name: String, atMost limit: Int) {
        value = text(size(atMost: limit))
    }

    /// Exactly `size` bytes of UTF-8, with letters of all lengths.
    private mutating func text(_ size: Int) -> String {
        var text = String.UnicodeScalarView()
        var rest = size
        while rest > 0 {
            let scalar = (["a", "\u{0}", "\n", "é", "‮", "☃", "𝄞"] as [Unicode.Scalar]).randomElement(using: &generator) ?? "a"
            let width = UTF8.width(scalar)
            text.append(width <= rest ? scalar : "z")
            rest -= width <= rest ? width : 1
        }
        return String(text)
    }

    mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size each: Int) {
        value = (0..<min(size(atMost: limit), Self.longestList)).map { _ in text(size(atMost: each)) }
    }
}

/// Sets one variable field, the one with number `target`, to one more than its limit.
struct OneOverLimit: FieldVisitor {
    let target: Int
    private(set) var seen = 0
    private(set) var name: String?
    private(set) var limit = 0

    init(target: Int) { self.target = target }

    mutating func uint8(_ value: inout UInt8, _ name: String) {}
    mutating func uint16(_ value: inout UInt16, _ name: String) {}
    mutating func uint32(_ value: inout UInt32, _ name: String) {}
    mutating func uint64(_ value: inout UInt64, _ name: String) {}
    mutating func bool(_ value: inout Bool, _ name: String) {}

    private mutating func isTarget(_ name: String, _ limit: Int) -> Bool {
        defer { seen += 1 }
        guard seen == target else { return false }
        self.name = name
        self.limit = limit
        return true
    }

    mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) {
        if isTarget(name, limit) { value = [UInt8](repeating: 7, count: limit + 1) }
    }
    mutating func text(_ value: inout String, _ name: String, atMost limit: Int) {
        if isTarget(name, limit) { value = String(repeating: "x", count: limit + 1) }
    }
    /// Two targets: a text too many, and a text that is too long.
    mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size: Int) {
        if isTarget(name, limit) { value = [String](repeating: "", count: limit + 1) }
        if isTarget(name, size) { value = [String(repeating: "x", count: size + 1)] }
    }
}

/// Writes what the encoder would refuse.
struct LaxEncoder: FieldVisitor {
    private var encoder = FieldEncoder()

    var bytes: [UInt8] { encoder.bytes }

    mutating func uint8(_ value: inout UInt8, _ name: String) { encoder.integer(value) }
    mutating func uint16(_ value: inout UInt16, _ name: String) { encoder.integer(value) }
    mutating func uint32(_ value: inout UInt32, _ name: String) { encoder.integer(value) }
    mutating func uint64(_ value: inout UInt64, _ name: String) { encoder.integer(value) }
    mutating func bool(_ value: inout Bool, _ name: String) { encoder.integer(UInt8(value ? 1 : 0)) }
    mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) throws(FrameError) {
        try encoder.bytes(&value, name, atMost: .max)
    }
    mutating func text(_ value: inout String, _ name: String, atMost limit: Int) throws(FrameError) {
        try encoder.text(&value, name, atMost: .max)
    }
    mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size: Int) throws(FrameError) {
        try encoder.texts(&value, name, atMost: .max, size: .max)
    }
}

/// A whole datagram around a payload.
func datagram(kind: UInt16, descriptors: Int = 0, request: UInt32 = 0, payload: [UInt8]) -> [UInt8] {
    FrameHeader(
        kind: kind, descriptorCount: UInt16(truncatingIfNeeded: descriptors), request: request,
        payloadLength: UInt32(truncatingIfNeeded: payload.count)
    ).encoded() + payload
}

/// A direction as an argument of a test.
struct Direction: CustomStringConvertible, Sendable {
    let type: any Message.Type
    var description: String { type.channel }
    static let all = ProtocolDocument.directions.map { Direction(type: $0) }
}
