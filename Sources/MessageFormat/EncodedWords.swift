/// Encoded words in headers (RFC 2047, RFC 2231 section 5).
package enum EncodedWords {
    /// What a word holds before its character set is looked at.
    private struct Word {
        let charset: [UInt8]
        let text: [UInt8]
        let end: Int
    }

    // encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
    /// An unfolded value as valid UTF-8; blanks between two encoded words go away. Linear: each byte is looked at a few times at most.
    package static func decode(_ value: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(value.count)
        var plain = UTF8Repair()
        var index = 0
        while index < value.count {
            guard let start = value[index...].firstIndex(of: 0x3d) else { break }
            guard let first = word(value, at: start) else {
                plain.convert(value[index...start], into: &output)
                index = start + 1
                continue
            }
            plain.convert(value[index..<start], into: &output)
            plain.finish(into: &output)
            index = words(value, first, &output)
        }
        plain.convert(value[index...], into: &output)
        plain.finish(into: &output)
        return output
    }

    /// A word and those that follow it with nothing but blanks between; answers where the last one ends. Neighbours of one character set
    /// are one text: many senders cut in the middle of a character.
    private static func words(_ value: [UInt8], _ first: Word, _ output: inout [UInt8]) -> Int {
        var current = first
        var decoder = CharsetDecoder(Charset(first.charset))
        while true {
            decoder.convert(current.text[...], into: &output)
            var next = current.end
            while next < value.count, value[next] <= 0x20 { next += 1 }
            guard next < value.count, value[next] == 0x3d, let following = word(value, at: next) else { break }
            if !following.charset.isName(current.charset) {
                decoder.finish(into: &output)
                decoder = CharsetDecoder(Charset(following.charset))
            }
            current = following
        }
        decoder.finish(into: &output)
        return current.end
    }

    private static func word(_ value: [UInt8], at start: Int) -> Word? {
        guard start + 1 < value.count, value[start + 1] == 0x3f else { return nil }
        // RFC 2047 allows 75 bytes; what is longer but on one line is understood too, up to a bound that keeps this linear.
        let window = value[(start + 2)...].prefix(1_024)
        guard let charsetEnd = window.firstIndex(of: 0x3f), charsetEnd + 2 < window.endIndex, window[charsetEnd + 2] == 0x3f else {
            return nil
        }
        let textStart = charsetEnd + 3
        guard let textEnd = endOfText(window, from: textStart) else { return nil }
        var text: [UInt8] = []
        switch window[charsetEnd + 1].lower {
        case 0x62:
            var decoder = TransferDecoder(.base64)
            decoder.decode(window[textStart..<textEnd], into: &text)
            decoder.finish(into: &text)
        case 0x71: quoted(window[textStart..<textEnd], &text)
        default: return nil
        }
        return Word(charset: Array(window[..<charsetEnd].prefix { $0 != 0x2a }), text: text, end: textEnd + 2)
    }

    /// The place of `?=`. A question mark may not stand in a word, but some senders leave it there.
    private static func endOfText(_ window: ArraySlice<UInt8>, from start: Int) -> Int? {
        var index = start
        while let mark = window[index...].firstIndex(of: 0x3f), mark + 1 < window.endIndex {
            if window[mark + 1] == 0x3d { return mark }
            index = mark + 1
        }
        return nil
    }

    // Q encoding: "=" two hexadecimal digits; "_" is a space whatever the character set (RFC 2047 section 4.2)
    private static func quoted(_ source: ArraySlice<UInt8>, _ text: inout [UInt8]) {
        var index = source.startIndex
        while index < source.endIndex {
            let byte = source[index]
            index += 1
            if byte == 0x3d, index + 1 < source.endIndex, let high = TransferDecoder.hex(source[index]),
                let low = TransferDecoder.hex(source[index + 1])
            {
                text.append(high << 4 | low)
                index += 2
            } else {
                text.append(byte == 0x5f ? 0x20 : byte)
            }
        }
    }
}
