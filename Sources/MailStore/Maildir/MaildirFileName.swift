/// The name of a message file:
///
///     name   = base [ ":2," flags [ "," other ] ]
///     base   = unique *( "," key "=" value )        ; S= and W= are sizes
///     flags  = *( "D" / "F" / "R" / "S" / "T" / a-z )
///
/// (reference/storage.md 4). Names come from any program: every byte string has a meaning here, none traps.
enum MaildirFileName {
    /// What follows the base: the flags and what must be kept.
    struct Info: Equatable {
        var flags: MessageFlags = []
        var keywords = KeywordSet()
    }

    /// Bytes before the first colon: the identity of the message.
    static func baseLength(_ name: ArraySlice<UInt8>) -> Int {
        (name.firstIndex(of: ASCII.colon) ?? name.endIndex) - name.startIndex
    }

    /// Flags of a whole name, or of the part from its colon on. Only `:2,` behind the last colon counts.
    static func info(_ name: ArraySlice<UInt8>) -> Info {
        var info = Info()
        guard let start = flagsStart(name) else { return info }
        for letter in name[start...] {
            if letter == ASCII.comma { break }
            if let flag = flag(letter) {
                info.flags.insert(flag)
            } else if letter >= 0x61 && letter <= 0x7a {
                info.keywords.insert(Int(letter) - 0x61)
            }
        }
        return info
    }

    /// The name with other flags; unknown capital letters and what follows a second comma are kept.
    static func renamed(_ name: ArraySlice<UInt8>, _ info: Info) -> [UInt8] {
        var letters: [UInt8] = []
        var rest: ArraySlice<UInt8> = []
        var base = name
        if let start = flagsStart(name) {
            base = name[..<(start - 3)]
            let flagsEnd = name[start...].firstIndex(of: ASCII.comma) ?? name.endIndex
            rest = name[flagsEnd...]
            for letter in name[start..<flagsEnd] where flag(letter) == nil && !(letter >= 0x61 && letter <= 0x7a) { letters.append(letter) }
        }
        for (letter, flag) in flagLetters where info.flags.contains(flag) { letters.append(letter) }
        for index in info.keywords.indexes where index < StoreLimits.keywordsPerMailbox { letters.append(0x61 + UInt8(index)) }
        letters.sort()
        var result = Array(base)
        result.reserveCapacity(base.count + letters.count + rest.count + 3)
        result.append(contentsOf: flagsMark)
        result.append(contentsOf: letters)
        result.append(contentsOf: rest)
        return result
    }

    /// Value of `,S=` (`key` S) or `,W=` in the base; nil when it is missing or not a number that ends at `,`, `:` or the end.
    static func size(_ key: UInt8, in name: ArraySlice<UInt8>) -> Int64? { size(key, in: name.span) }

    static func size(_ key: UInt8, in name: Span<UInt8>) -> Int64? {
        var index = 0
        while true {
            while index < name.count, name[index] != ASCII.comma, name[index] != ASCII.colon { index += 1 }
            guard index < name.count, name[index] == ASCII.comma else { return nil }
            index += 1
            guard name.count - index > 2 else { return nil }
            guard name[index] == key, name[index + 1] == 0x3d else { continue }
            let start = index + 2
            var end = start
            while end < name.count, ASCII.isDigit(name[end]) { end += 1 }
            guard end == name.count || name[end] == ASCII.comma || name[end] == ASCII.colon else { continue }
            guard end > start, end - start <= 18 else { return nil }
            var value: Int64 = 0
            for place in start..<end { value = value * 10 + Int64(name[place] - 0x30) }
            return value
        }
    }

    /// Seconds and microseconds of a name, by which messages that are found at once are put in order.
    static func time(_ name: ArraySlice<UInt8>) -> (seconds: UInt64, microseconds: UInt64) {
        let digits = name.prefix { ASCII.isDigit($0) }
        let seconds = Decimal.int64(digits) ?? 0
        var rest = name[digits.endIndex...]
        guard rest.first == ASCII.dot else { return (UInt64(seconds), 0) }
        rest = rest.dropFirst()
        guard let mark = rest.firstIndex(where: { $0 == 0x4d || $0 == ASCII.dot || $0 == ASCII.comma || $0 == ASCII.colon }),
            rest[mark] == 0x4d
        else { return (UInt64(seconds), 0) }
        return (UInt64(seconds), UInt64(Decimal.int64(rest[(mark + 1)...].prefix { ASCII.isDigit($0) }) ?? 0))
    }

    /// `:2,` and the letters of flags and keywords, in order: what follows the base in a name that we give.
    static func appendSuffix(_ flags: MessageFlags, _ keywords: KeywordSet, to name: inout [UInt8]) {
        name.append(ASCII.colon)
        name.append(0x32)
        name.append(ASCII.comma)
        for (letter, flag) in flagLetters where flags.contains(flag) { name.append(letter) }
        var bits = keywords.bits
        while bits != 0 {
            let index = bits.trailingZeroBitCount
            if index < StoreLimits.keywordsPerMailbox { name.append(0x61 + UInt8(index)) }
            bits &= bits - 1
        }
    }

    static let flagsMark: [UInt8] = [ASCII.colon, 0x32, ASCII.comma]

    /// Index of the first flag letter.
    private static func flagsStart(_ name: ArraySlice<UInt8>) -> Int? {
        guard let colon = name.lastIndex(of: ASCII.colon), name.endIndex - colon >= 3,
            name[colon + 1] == 0x32, name[colon + 2] == ASCII.comma
        else { return nil }
        return colon + 3
    }

    private static let flagLetters: [(UInt8, MessageFlags)] = [
        (0x44, .draft), (0x46, .flagged), (0x52, .answered), (0x53, .seen), (0x54, .deleted),
    ]

    private static func flag(_ letter: UInt8) -> MessageFlags? {
        switch letter {
        case 0x44: .draft
        case 0x46: .flagged
        case 0x52: .answered
        case 0x53: .seen
        case 0x54: .deleted
        default: nil
        }
    }
}

/// Numbers as digits in control files.
enum Decimal {
    /// The value of 1 to 18 digits.
    static func int64(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard ASCII.isDigit(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    /// The value of digits that fits 32 bits.
    static func uint32(_ digits: ArraySlice<UInt8>) -> UInt32? { int64(digits).flatMap { UInt32(exactly: $0) } }

    /// A negative number is written as 0.
    static func append(_ value: some BinaryInteger, to output: inout [UInt8]) {
        var rest = UInt64(clamping: value)
        let start = output.count
        repeat {
            output.append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        output[start...].reverse()
    }
}
