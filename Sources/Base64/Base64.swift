/// Base64 of RFC 4648, section 4, strict: no line ends, no other characters, exact padding, unused bits zero.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var pending: UInt32 = 0
        var count = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            count += 1
            guard count == 3 else { continue }
            text.append(alphabet[Int(pending >> 18)])
            text.append(alphabet[Int(pending >> 12 & 63)])
            text.append(alphabet[Int(pending >> 6 & 63)])
            text.append(alphabet[Int(pending & 63)])
            pending = 0
            count = 0
        }
        if count == 1 {
            text += [alphabet[Int(pending >> 2)], alphabet[Int(pending << 4 & 63)], 0x3D, 0x3D]
        } else if count == 2 {
            text += [alphabet[Int(pending >> 10)], alphabet[Int(pending >> 4 & 63)], alphabet[Int(pending << 2 & 63)], 0x3D]
        }
        return text
    }

    // base64 = *(4base64-CHAR) [2base64-CHAR "==" / 3base64-CHAR "="]      RFC 9051, section 9
    /// Answers nil for anything that `encode` would not have written.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var pending: UInt32 = 0
        var digits = 0
        var padding = 0
        for character in text {
            if character == 0x3D {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(of: character) else { return nil }
            pending = pending << 6 | value
            digits += 1
            guard digits == 4 else { continue }
            bytes += [
                UInt8(truncatingIfNeeded: pending >> 16), UInt8(truncatingIfNeeded: pending >> 8), UInt8(truncatingIfNeeded: pending),
            ]
            pending = 0
            digits = 0
        }
        switch (digits, padding) {
        case (0, 0): return bytes
        case (2, 2) where pending & 0xF == 0: return bytes + [UInt8(truncatingIfNeeded: pending >> 4)]
        case (3, 1) where pending & 0x3 == 0:
            return bytes + [UInt8(truncatingIfNeeded: pending >> 10), UInt8(truncatingIfNeeded: pending >> 2)]
        default: return nil
        }
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 0x41...0x5A: UInt32(character - 0x41)
        case 0x61...0x7A: UInt32(character - 0x61) + 26
        case 0x30...0x39: UInt32(character - 0x30) + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
