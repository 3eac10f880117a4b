/// Which file a message is, and what is known of it that flags do not change.
struct NameEntry: Equatable {
    /// The name up to its colon.
    var base: ArraySlice<UInt8>
    /// What follows in the name, where flags and keywords do not say it all: foreign letters, another order, no `:2,` in cur/.
    var suffix: [UInt8]?
    /// Extension fields of its record in dovecot-uidlist.
    var extensions: ArraySlice<UInt8> = []
    /// Size with CR LF line ends, where neither name nor extensions tell it and somebody counted.
    var countedSize: Int64?
    /// Seconds since 1970, once somebody asked or while we saved it.
    var date: Int64?

    /// Name of the file with these flags.
    func name(_ message: IndexedMessage) -> [UInt8] {
        if let suffix { return base + suffix }
        return name(message.flags, message.keywords, isNew: message.state == .new)
    }

    /// Name that the file gets with other flags: what we do not understand in the old one is kept.
    func name(_ message: IndexedMessage, with info: MaildirFileName.Info) -> [UInt8] {
        if suffix != nil { return MaildirFileName.renamed(name(message)[...], info) }
        return name(info.flags, info.keywords, isNew: false)
    }

    private func name(_ flags: MessageFlags, _ keywords: KeywordSet, isNew: Bool) -> [UInt8] {
        var name: [UInt8] = []
        name.reserveCapacity(base.count + 16)
        name.append(contentsOf: base)
        Self.appendSuffix(flags, keywords, isNew: isNew, to: &name)
        return name
    }

    /// What follows the base of a name that we give.
    static func suffix(_ flags: MessageFlags, _ keywords: KeywordSet, isNew: Bool) -> [UInt8] {
        var suffix: [UInt8] = []
        appendSuffix(flags, keywords, isNew: isNew, to: &suffix)
        return suffix
    }

    private static func appendSuffix(_ flags: MessageFlags, _ keywords: KeywordSet, isNew: Bool, to name: inout [UInt8]) {
        if isNew, flags.isEmpty, keywords.isEmpty { return }
        MaildirFileName.appendSuffix(flags, keywords, to: &name)
    }

    /// Size with CR LF line ends. `trustsName`: what the name says counts.
    func size(trustsName: Bool) -> Int64? {
        if trustsName, let size = MaildirFileName.size(0x57, in: base) { return size }
        if !extensions.isEmpty, let size = Self.field(0x57, of: extensions).flatMap({ Decimal.int64($0) }) { return size }
        return countedSize
    }

    /// Stable id of the content.
    var guid: [UInt8] { Array(Self.field(0x47, of: extensions) ?? base) }

    /// Value of an extension field of a uidlist record.
    static func field(_ letter: UInt8, of extensions: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        extensions.split(separator: ASCII.space).first { $0.first == letter }?.dropFirst()
    }
}

/// The names of the messages with UIDs `number * 16` to `number * 16 + 15`.
///
///     group = 16*entry
///     entry = length (2, 0: none) kinds (1) base [length (2) suffix] [length (2) extensions] [size (8)] [date (8)]
///           / %x00 %x00
struct NameGroup {
    static let capacity = 16

    let number: UInt32
    var entries = [NameEntry?](repeating: nil, count: capacity)

    static func number(of uid: UInt32) -> UInt32 { uid / UInt32(capacity) }
    static func slot(of uid: UInt32) -> Int { Int(uid) % capacity }

    init(_ number: UInt32) { self.number = number }

    struct Kinds: OptionSet {
        let rawValue: UInt8
        static let suffix = Kinds(rawValue: 1)
        static let extensions = Kinds(rawValue: 2)
        static let size = Kinds(rawValue: 4)
        static let date = Kinds(rawValue: 8)
    }

    /// nil: not a group.
    init?(_ number: UInt32, _ bytes: [UInt8]) {
        self.number = number
        var reader = SliceReader(bytes)
        for slot in 0..<Self.capacity {
            guard let length = reader.length() else { return nil }
            if length == 0 { continue }
            guard let kinds = reader.take(1)?.first.map(Kinds.init(rawValue:)), let base = reader.take(length) else { return nil }
            var entry = NameEntry(base: base)
            if kinds.contains(.suffix) {
                guard let text = reader.text() else { return nil }
                entry.suffix = Array(text)
            }
            if kinds.contains(.extensions) {
                guard let text = reader.text() else { return nil }
                entry.extensions = text
            }
            if kinds.contains(.size) {
                guard let number = reader.number() else { return nil }
                entry.countedSize = number
            }
            if kinds.contains(.date) {
                guard let number = reader.number() else { return nil }
                entry.date = number
            }
            entries[slot] = entry
        }
        guard reader.isAtEnd else { return nil }
    }

    var bytes: [UInt8] {
        var out = FieldWriter()
        for entry in entries {
            guard let entry, !entry.base.isEmpty else {
                out.add(UInt16(0))
                continue
            }
            out.add(UInt16(clamping: entry.base.count))
            var kinds: Kinds = []
            if entry.suffix != nil { kinds.insert(.suffix) }
            if !entry.extensions.isEmpty { kinds.insert(.extensions) }
            if entry.countedSize != nil { kinds.insert(.size) }
            if entry.date != nil { kinds.insert(.date) }
            out.add(kinds.rawValue)
            out.add(raw: entry.base.prefix(Int(UInt16.max)))
            if let suffix = entry.suffix { out.add(short: suffix[...]) }
            if !entry.extensions.isEmpty { out.add(short: entry.extensions) }
            if let size = entry.countedSize { out.add(size) }
            if let date = entry.date { out.add(date) }
        }
        return out.bytes
    }

    var isEmpty: Bool { entries.allSatisfy { $0 == nil } }
}

/// Cuts a value into pieces without copying them; too little is nil, never a trap.
private struct SliceReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard bytes.count - offset >= count else { return nil }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    mutating func length() -> Int? {
        guard bytes.count - offset >= 2 else { return nil }
        defer { offset += 2 }
        return Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
    }

    mutating func text() -> ArraySlice<UInt8>? { length().flatMap { take($0) } }

    mutating func number() -> Int64? {
        guard let text = take(8) else { return nil }
        return Int64(bitPattern: text.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
}
