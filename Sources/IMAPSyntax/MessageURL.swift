/// A URL of a message or a part of one on this server (RFC 5092), as CATENATE takes it: a path, absolute or in the selected mailbox.
package struct MessageURL: Equatable, Sendable {
    /// UTF-8; nil: the selected mailbox.
    package var mailbox: [UInt8]?
    package var uidValidity: UInt32?
    package var uid: UInt32
    package var section: BodySection

    // ipath-absolute = "/" imessagelist-part… : "/" enc-mailbox [";UIDVALIDITY=" nz-number] "/;UID=" nz-number
    //                  ["/;SECTION=" enc-section] ["/;PARTIAL=" partial-range]
    // ipath-rootless = ";UID=" … or "/;UID=" … where a mailbox is selected
    /// Nil for what is no such path: other servers' URLs and those with URLAUTH too.
    package init?(_ text: [UInt8]) {
        guard text.count <= Limits.url else { return nil }
        var rest = text[...]
        let lead = Self.range(of: ";UID=", in: rest)
        guard let uidStart = lead else { return nil }
        var path = rest[..<uidStart]
        rest = rest[(uidStart + 5)...]
        if !path.isEmpty {
            guard path.first == 0x2f, path.last == 0x2f else { return nil }
            path = path.dropFirst()
            if !path.isEmpty {
                path = path.dropLast()
                if let validity = Self.range(of: ";UIDVALIDITY=", in: path) {
                    guard let number = Self.number(path[(validity + 13)...]) else { return nil }
                    uidValidity = number
                    path = path[..<validity]
                }
                guard let name = Self.unescaped(path), !name.isEmpty, name.count <= Limits.mailboxName else { return nil }
                mailbox = name
            }
        }
        section = BodySection(isPeek: true)
        var pieces = Self.pieces(rest)
        guard let uid = Self.number(pieces.removeFirst()) else { return nil }
        self.uid = uid
        if let piece = pieces.first, piece.prefix(8).isWord("SECTION=") {
            guard let text = Self.unescaped(piece.dropFirst(8)), let section = BodySection(urlText: text), section.partial == nil else {
                return nil
            }
            self.section = section
            pieces.removeFirst()
        }
        if let piece = pieces.first, piece.prefix(8).isWord("PARTIAL=") {
            guard let partial = Self.partial(piece.dropFirst(8)) else { return nil }
            section.partial = partial
            pieces.removeFirst()
        }
        guard pieces.isEmpty else { return nil }
    }

    /// What stands between `/;`.
    private static func pieces(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var index = start
        while index + 1 < text.endIndex, pieces.count < 4 {
            if text[index] == 0x2f, text[index + 1] == 0x3b {
                pieces.append(text[start..<index])
                start = index + 2
                index = start
            } else {
                index += 1
            }
        }
        return pieces + [text[start...]]
    }

    private static func range(of word: String, in text: ArraySlice<UInt8>) -> Int? {
        text.indices.first { text[$0] == 0x3b && text[$0...].prefix(word.utf8.count).isWord(word) }
    }

    // nz-number
    private static func number(_ digits: some Collection<UInt8>) -> UInt32? {
        guard !digits.isEmpty, digits.count <= Limits.digits, digits.allSatisfy(\.isDigit) else { return nil }
        let value = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) }
        return value > 0 ? UInt32(exactly: value) : nil
    }

    // partial-range = number ["." nz-number]
    private static func partial(_ text: ArraySlice<UInt8>) -> Partial? {
        let dot = text.firstIndex(of: 0x2e) ?? text.endIndex
        let first = text[..<dot]
        guard let start = first.allSatisfy({ $0 == 0x30 }) && !first.isEmpty ? 0 : number(first) else { return nil }
        if dot == text.endIndex { return Partial(first: start, count: .max) }
        return number(text[(dot + 1)...]).map { Partial(first: start, count: $0) }
    }

    // enc-mailbox = 1*bchar ; pct-encoded = "%" HEXDIG HEXDIG
    private static func unescaped(_ text: some Collection<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var bytes = text.makeIterator()
        while let byte = bytes.next() {
            guard byte == 0x25 else {
                output.append(byte)
                continue
            }
            guard let high = bytes.next().flatMap(hex), let low = bytes.next().flatMap(hex) else { return nil }
            output.append(high << 4 | low)
        }
        return output.contains(0) ? nil : output
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte.upper {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte.upper - 0x37
        default: nil
        }
    }
}
