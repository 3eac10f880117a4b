/// The beginning of a message's text as PREVIEW shows it (RFC 8970): at most 200 characters on one line, without markup, and without quoted
/// lines where there is something else.
package struct PreviewText {
    private var decoder: TextDecoder?
    private var markup: MarkupRemover?
    private var decoded: [UInt8] = []
    private var written = Excerpt()
    private var quoted = Excerpt()
    /// A line that begins with `>` is what somebody else wrote.
    private var isAtLineStart = true
    private var isInQuote = false

    /// Reads the body of this part, one of `MessageStructure.previewParts`.
    package init(_ part: Part) {
        decoder = TextDecoder(part)
        markup = part.subtype.isName("html") ? MarkupRemover() : nil
    }

    /// Enough was read.
    package var isDone: Bool { decoder == nil || written.isFull }

    /// The next bytes of the body as they are stored.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) {
        decoded.removeAll(keepingCapacity: true)
        decoder?.decode(bytes, into: &decoded)
        take()
    }

    /// The preview in UTF-8; empty when the part holds no text.
    package mutating func finish() -> [UInt8] {
        decoded.removeAll(keepingCapacity: true)
        decoder?.finish(into: &decoded)
        take()
        return written.bytes.isEmpty ? quoted.bytes : written.bytes
    }

    private mutating func take() {
        if markup != nil {
            var text: [UInt8] = []
            markup?.convert(decoded, into: &text)
            written.append(text)
            return
        }
        for line in decoded.splitAfterLineEnds() {
            if isAtLineStart { isInQuote = line.first == 0x3e }
            if isInQuote { quoted.append(line) } else { written.append(line) }
            isAtLineStart = line.last == 0x0a
        }
    }
}

extension [UInt8] {
    fileprivate func splitAfterLineEnds() -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < count {
            let end = self[start...].firstIndex(of: 0x0a).map { $0 + 1 } ?? count
            lines.append(self[start..<end])
            start = end
        }
        return lines
    }
}

/// The first 200 characters of valid UTF-8 in pieces; runs of white space become one blank, invisible characters go.
private struct Excerpt {
    private(set) var bytes: [UInt8] = []
    private var count = 0
    private var wantsBlank = false
    private var character: [UInt8] = []

    /// RFC 8970 section 3.2: 200 characters.
    var isFull: Bool { count >= 200 }

    mutating func append(_ text: some Collection<UInt8>) {
        for byte in text where !isFull {
            character.append(byte)
            let first = character[0]
            if character.count < (first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4) { continue }
            add()
            character.removeAll(keepingCapacity: true)
        }
    }

    private mutating func add() {
        var decoder = UTF8()
        var iterator = character.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return }
        switch scalar.value {
        case 0...0x20, 0x7f...0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: wantsBlank = true
        // Advertisers fill the preview of other programs with these.
        case 0xad, 0x34f, 0x200b...0x200f, 0x202a...0x202e, 0x2060...0x206f, 0xfeff: break
        default:
            if wantsBlank, !bytes.isEmpty {
                bytes.append(0x20)
                count += 1
            }
            wantsBlank = false
            guard !isFull else { return }
            bytes += character
            count += 1
        }
    }
}

extension MessageStructure {
    /// Parts whose text may be the preview, best first: try the next where one turns out to be empty. Attachments and messages inside do not count.
    package var previewParts: [Int] {
        var found: [Int] = []
        var waiting = [0]
        while let index = waiting.popLast(), found.count < 4 {
            let part = parts[index]
            switch part.kind {
            case .message: continue
            case .multipart:
                var children = Array(part.children.prefix(100))
                // The plain form of the same text needs no guesses about markup.
                if part.subtype.isName("alternative"), let plain = children.firstIndex(where: { parts[$0].isText("plain") }) {
                    children.insert(children.remove(at: plain), at: 0)
                }
                waiting += children.reversed()
            case .single:
                let isAttached = part.mime.disposition?.kind.isName("attachment") ?? false
                if part.isText("plain") || part.isText("html"), !isAttached { found.append(index) }
            }
        }
        return found
    }
}

extension Part {
    fileprivate func isText(_ subtype: String) -> Bool { kind == .single && type.isName("text") && self.subtype.isName(subtype) }
}
