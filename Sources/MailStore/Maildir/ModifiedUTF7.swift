/// Modified UTF-7 (RFC 3501 section 5.1.3), in which Maildir++ keeps directory names.
enum ModifiedUTF7 {
    private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    /// Encodes UTF-8 text; invalid UTF-8 becomes U+FFFD, which a `MailboxName` never holds.
    static func encode(_ text: [UInt8]) -> [UInt8] {
        if isPlain(text[...]) { return text }
        var output: [UInt8] = []
        output.reserveCapacity(text.count + 8)
        var pending: [UInt16] = []
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0x20 && scalar.value <= 0x7e {
                flush(&pending, into: &output)
                output.append(UInt8(scalar.value))
                if scalar.value == 0x26 { output.append(0x2d) }
            } else {
                pending.append(contentsOf: UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter)
            }
        }
        flush(&pending, into: &output)
        return output
    }

    /// Both forms are the same.
    private static func isPlain(_ text: ArraySlice<UInt8>) -> Bool { text.allSatisfy { $0 >= 0x20 && $0 <= 0x7e && $0 != 0x26 } }

    private static func flush(_ units: inout [UInt16], into output: inout [UInt8]) {
        guard !units.isEmpty else { return }
        output.append(0x26)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for unit in units {
            bits = bits << 16 | UInt32(unit)
            count += 16
            while count >= 6 {
                count -= 6
                output.append(alphabet[Int(bits >> count & 0x3f)])
            }
            bits &= 0xffff
        }
        if count > 0 { output.append(alphabet[Int(bits << (6 - count) & 0x3f)]) }
        output.append(0x2d)
        units.removeAll(keepingCapacity: true)
    }

    /// Decodes to UTF-8; nil for anything that `encode` would not have written the same way.
    static func decode(_ encoded: ArraySlice<UInt8>) -> [UInt8]? {
        if isPlain(encoded) { return Array(encoded) }
        var output: [UInt8] = []
        output.reserveCapacity(encoded.count)
        var index = encoded.startIndex
        while index < encoded.endIndex {
            let byte = encoded[index]
            index += 1
            guard byte == 0x26 else {
                guard byte >= 0x20 && byte <= 0x7e else { return nil }
                output.append(byte)
                continue
            }
            guard let end = encoded[index...].firstIndex(of: 0x2d) else { return nil }
            if end == index {
                output.append(0x26)
            } else {
                guard decodeBase64(encoded[index..<end], into: &output) else { return nil }
            }
            index = end + 1
        }
        return encode(output)[...] == encoded ? output : nil
    }

    private static func decodeBase64(_ digits: ArraySlice<UInt8>, into output: inout [UInt8]) -> Bool {
        var units: [UInt16] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { return false }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 16 {
                count -= 16
                units.append(UInt16(truncatingIfNeeded: bits >> count))
                bits &= (1 << count) - 1
            }
        }
        var decoder = UTF16()
        var source = units.makeIterator()
        while true {
            switch decoder.decode(&source) {
            case .scalarValue(let scalar): output.append(contentsOf: Array(String(Character(scalar)).utf8))
            case .emptyInput: return true
            case .error: return false
            }
        }
    }
}
