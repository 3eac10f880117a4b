/// What SORT, THREAD and SEARCH by date compare of a message, in the compact form in which the index keeps it (RFC 5256, RFC 5957).
///
/// Texts are UTF-8 in the case in which they were written: which letters are equal, the client chooses (RFC 5255).
package struct MessageKeys: Equatable, Sendable {
    package enum Text: Int, CaseIterable, Sendable {
        /// The base subject.
        case subject
        /// Mailboxes of the first addresses.
        case from, to, cc
        /// What people see of them (RFC 5957 section 3): the name, or else the address.
        case displayFrom, displayTo
        case messageID
    }

    // form (1), flags (1), sent date (8), its day (8), lengths of the texts (2 each), ancestors (2), the texts, for each ancestor length (2) and id
    private static let form: UInt8 = 1
    private static let lengthsStart = 18
    private static let textsStart = lengthsStart + 2 * textCount + 2
    private static let textCount = 7

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let isReply = Flags(rawValue: 1)
        static let hasDate = Flags(rawValue: 2)
    }

    package let bytes: ArraySlice<UInt8>

    /// Reads what the index has; nil for what is not the form of today.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.textsStart, bytes[bytes.startIndex] == Self.form else { return nil }
        self.bytes = bytes
        guard end(of: Self.textCount) <= bytes.endIndex else { return nil }
    }

    private var flags: Flags { Flags(rawValue: bytes[bytes.startIndex + 1]) }

    /// Where the first `count` texts end.
    private func end(of count: Int) -> Int {
        var end = bytes.startIndex + Self.textsStart
        for index in 0..<count { end += Self.short(bytes, bytes.startIndex + Self.lengthsStart + 2 * index) }
        return end
    }

    private static func short(_ bytes: ArraySlice<UInt8>, _ index: Int) -> Int { Int(bytes[index]) | Int(bytes[index + 1]) << 8 }

    private func long(_ offset: Int) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(bytes[bytes.startIndex + offset + index]) << UInt64(8 * index) }
        return Int64(bitPattern: value)
    }

    /// Seconds since 1970; nil where Date is missing or no date.
    package var sentDate: Int64? { flags.contains(.hasDate) ? long(2) : nil }
    /// The day in the sender's zone, as days since 1970.
    package var sentDay: Int64? { flags.contains(.hasDate) ? long(10) : nil }
    /// The subject says that it is a reply or was forwarded.
    package var isReply: Bool { flags.contains(.isReply) }

    package func text(_ text: Text) -> ArraySlice<UInt8> {
        let start = end(of: text.rawValue)
        return bytes[start..<(start + Self.short(bytes, bytes.startIndex + Self.lengthsStart + 2 * text.rawValue))]
    }

    /// The message that the conversation began with.
    package var firstAncestor: ArraySlice<UInt8>? {
        var first: ArraySlice<UInt8>?
        forEachAncestor { first = first ?? $0 }
        return first
    }

    /// Message ids of the ancestors, oldest first.
    package func forEachAncestor(_ body: (ArraySlice<UInt8>) -> Void) {
        var left = Self.short(bytes, bytes.startIndex + Self.textsStart - 2)
        var index = end(of: Self.textCount)
        while left > 0, index + 2 <= bytes.endIndex {
            let end = index + 2 + Self.short(bytes, index)
            guard end <= bytes.endIndex else { return }
            body(bytes[(index + 2)..<end])
            index = end
            left -= 1
        }
    }
}

extension MessageKeys {
    /// Makes the keys of a message. Texts above 65,535 bytes are cut.
    package init(_ envelope: Envelope) {
        let subject = BaseSubject(envelope.subject ?? [])
        let date = envelope.sentDate
        var flags: Flags = subject.isReplyOrForward ? .isReply : []
        if date != nil { flags.insert(.hasDate) }
        let texts = [
            subject.text, envelope.from?.first?.mailbox ?? [], envelope.to?.first?.mailbox ?? [], envelope.cc?.first?.mailbox ?? [],
            Self.display(envelope.from?.first), Self.display(envelope.to?.first), MessageIDs.first(in: envelope.messageID ?? []) ?? [],
        ].map { $0.prefix(65_535) }
        var ancestors = MessageIDs.all(in: envelope.references ?? [], atMost: .max)
        // Of too many the first one stays, which names the conversation, and the latest.
        if ancestors.count > Limits.references { ancestors = [ancestors[0]] + ancestors.suffix(Limits.references - 1) }
        if ancestors.isEmpty, let parent = MessageIDs.first(in: envelope.inReplyTo ?? []) { ancestors = [parent] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            Self.textsStart + texts.reduce(0) { $0 + $1.count } + ancestors.reduce(0) { $0 + 2 + $1.count })
        bytes.append(Self.form)
        bytes.append(flags.rawValue)
        for number in [date?.unixSeconds ?? 0, date?.localDay ?? 0] {
            for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
        }
        for text in texts { Self.append(text.count, to: &bytes) }
        Self.append(ancestors.count, to: &bytes)
        for text in texts { bytes.append(contentsOf: text) }
        for ancestor in ancestors {
            Self.append(min(ancestor.count, 65_535), to: &bytes)
            bytes.append(contentsOf: ancestor.prefix(65_535))
        }
        self.bytes = bytes[...]
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: number))
        bytes.append(UInt8(truncatingIfNeeded: number >> 8))
    }

    private static func display(_ address: Address?) -> [UInt8] {
        guard let address else { return [] }
        if let name = address.name, !name.isEmpty { return EncodedWords.decode(Array(name[...].trimmed)) }
        guard let mailbox = address.mailbox else { return [] }
        return mailbox + (address.host.map { [0x40] + $0 } ?? [])
    }
}
