/// The character sets that need no tables of the system. Everything else comes back as its bytes.
package enum Charset: Equatable, Sendable {
    case utf8, latin1, latin9, windows1252, unknown

    package init(_ name: some Collection<UInt8>) {
        switch name.count {
        case _ where name.isName("utf-8") || name.isName("us-ascii") || name.isName("utf8") || name.isName("ascii"): self = .utf8
        case _ where name.isName("iso-8859-1") || name.isName("latin1"): self = .latin1
        case _ where name.isName("iso-8859-15") || name.isName("latin-9"): self = .latin9
        case _ where name.isName("windows-1252") || name.isName("cp1252"): self = .windows1252
        default: self = .unknown
        }
    }

    /// Appends the bytes as UTF-8. A character is never cut, so UTF-8 may be given in pieces.
    package func convert(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        guard self != .utf8, self != .unknown else { return output.append(contentsOf: bytes) }
        for byte in bytes {
            if byte < 0x80 { output.append(byte) } else { Self.append(scalar(byte), to: &output) }
        }
    }

    private func scalar(_ byte: UInt8) -> UInt32 {
        switch (self, byte) {
        case (.windows1252, 0x80...0x9f): Self.windows[Int(byte - 0x80)]
        case (.latin9, 0xa4): 0x20ac
        case (.latin9, 0xa6): 0x160
        case (.latin9, 0xa8): 0x161
        case (.latin9, 0xb4): 0x17d
        case (.latin9, 0xb8): 0x17e
        case (.latin9, 0xbc): 0x152
        case (.latin9, 0xbd): 0x153
        case (.latin9, 0xbe): 0x178
        default: UInt32(byte)
        }
    }

    private static let windows: [UInt32] = [
        0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
        0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
    ]

    private static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalar), let encoded = UTF8.encode(scalar) else { return }
        output.append(contentsOf: encoded)
    }
}

/// Encoded words in headers (RFC 2047).
package enum EncodedWords {
    // encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
    /// An unfolded value as UTF-8; blanks between two encoded words go away. Linear: each byte is looked at a few times at most.
    package static func decode(_ value: [UInt8]) -> [UInt8] {
        guard value.contains(0x3f) else { return value }
        var output: [UInt8] = []
        var index = 0
        var endOfLastWord: Int?
        while index < value.count {
            if value[index] == 0x3d, let word = word(value, at: index) {
                if let end = endOfLastWord { output.removeLast(output.count - end) }
                word.charset.convert(word.text[...], into: &output)
                endOfLastWord = output.count
                index = word.end
                continue
            }
            if value[index] > 0x20 { endOfLastWord = nil }
            output.append(value[index])
            index += 1
        }
        return output
    }

    private static func word(_ value: [UInt8], at start: Int) -> (charset: Charset, text: [UInt8], end: Int)? {
        guard start + 1 < value.count, value[start + 1] == 0x3f else { return nil }
        // RFC 2047 allows 75 bytes; what is longer but on one line is understood too, up to a bound that keeps this linear.
        let window = value[(start + 2)...].prefix(1_024)
        guard let charsetEnd = window.firstIndex(of: 0x3f), charsetEnd + 2 < window.endIndex, window[charsetEnd + 2] == 0x3f else {
            return nil
        }
        let textStart = charsetEnd + 3
        guard let textEnd = window[textStart...].firstIndex(of: 0x3f), textEnd + 1 < value.count, value[textEnd + 1] == 0x3d else {
            return nil
        }
        let name = window[..<charsetEnd].prefix { $0 != 0x2a }
        var text: [UInt8] = []
        switch window[charsetEnd + 1].lower {
        case 0x62:
            var decoder = TransferDecoder(.base64)
            decoder.decode(window[textStart..<textEnd], into: &text)
        case 0x71:
            var decoder = TransferDecoder(.quotedPrintable)
            decoder.decode(window[textStart..<textEnd].map { $0 == 0x5f ? 0x20 : $0 }[...], into: &text)
            // A blank at the end is content here.
            text.append(contentsOf: window[textStart..<textEnd].reversed().prefix { $0 == 0x5f }.map { _ in 0x20 })
        default: return nil
        }
        return (Charset(name), text, textEnd + 2)
    }
}
