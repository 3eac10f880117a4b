/// Mailbox names on the wire of IMAP4rev1 (RFC 3501 section 5.1.3).
package enum ModifiedUTF7 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5a: UInt32(byte - 0x41)
        case 0x61...0x7a: UInt32(byte - 0x61) + 26
        case 0x30...0x39: UInt32(byte - 0x30) + 52
        case 0x2b: 62
        case 0x2c: 63
        default: nil
        }
    }

    /// A name as UTF-8; nil unless encoding the answer again gives exactly these bytes, so that a name has one form only.
    package static func decode(_ name: [UInt8]) -> [UInt8]? {
        if !name.contains(where: { $0 == 0x26 || $0 < 0x20 || $0 > 0x7e }) { return name }
        guard let text = decodeUnchecked(name), encode(text) == name else { return nil }
        return text
    }

    private static func decodeUnchecked(_ name: [UInt8]) -> [UInt8]? {
        var text: [UInt8] = []
        var index = 0
        while index < name.count {
            let byte = name[index]
            index += 1
            guard byte == 0x26 else {
                guard byte >= 0x20, byte <= 0x7e else { return nil }
                text.append(byte)
                continue
            }
            guard let end = name[index...].firstIndex(of: 0x2d) else { return nil }
            if end == index {
                text.append(0x26)
            } else {
                guard let units = utf16(name[index..<end]), let scalars = utf8(units) else { return nil }
                text.append(contentsOf: scalars)
            }
            index = end + 1
        }
        return text
    }

    private static func utf16(_ run: ArraySlice<UInt8>) -> [UInt16]? {
        var units: [UInt16] = []
        var buffer: UInt32 = 0
        var bits = 0
        for byte in run {
            guard let digit = value(byte) else { return nil }
            buffer = (buffer << 6 | digit) & 0x3f_ffff
            bits += 6
            if bits >= 16 {
                bits -= 16
                units.append(UInt16(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return units
    }

    private static func utf8(_ units: [UInt16]) -> [UInt8]? {
        var text: [UInt8] = []
        var decoder = UTF16()
        var iterator = units.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            case .emptyInput: return text
            case .error: return nil
            }
        }
    }

    /// UTF-8 as a name for the wire; nil for what is not UTF-8.
    package static func encode(_ text: [UInt8]) -> [UInt8]? {
        if !text.contains(where: { $0 == 0x26 || $0 < 0x20 || $0 > 0x7e }) { return text }
        var name: [UInt8] = []
        var run: [UInt16] = []
        var decoder = UTF8()
        var iterator = text.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar) where scalar.value >= 0x20 && scalar.value <= 0x7e:
                flush(&run, into: &name)
                name.append(UInt8(truncatingIfNeeded: scalar.value))
                if scalar.value == 0x26 { name.append(0x2d) }
            case .scalarValue(let scalar):
                run.append(contentsOf: UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter)
            case .emptyInput:
                flush(&run, into: &name)
                return name
            case .error: return nil
            }
        }
    }

    private static func flush(_ run: inout [UInt16], into name: inout [UInt8]) {
        guard !run.isEmpty else { return }
        name.append(0x26)
        var buffer: UInt32 = 0
        var bits = 0
        for unit in run {
            buffer = buffer << 16 | UInt32(unit)
            bits += 16
            while bits >= 6 {
                bits -= 6
                name.append(alphabet[Int(buffer >> UInt32(bits) & 63)])
            }
            buffer &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { name.append(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
        name.append(0x2d)
        run.removeAll(keepingCapacity: true)
    }
}
