/// Builds answers in one buffer; the only place that turns foreign bytes into protocol text. Nothing foreign is printed raw.
package struct ResponseWriter {
    package var bytes: [UInt8] = []
    /// Quoted strings may hold UTF-8: the client enabled IMAP4rev2 or UTF8=ACCEPT.
    package var quotesUTF8 = false

    package init() {}

    package var count: Int { bytes.count }

    /// Empties the buffer and keeps its memory for the next answers.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: bytes.capacity <= 524_288) }

    /// Our own words, never a client's.
    @inline(__always)
    package mutating func text(_ words: String) { bytes.append(contentsOf: words.utf8) }

    /// Bytes that are protocol text already: a tag that was parsed, a rendered envelope.
    package mutating func raw(_ encoded: [UInt8]) { bytes.append(contentsOf: encoded) }
    package mutating func raw(_ encoded: ArraySlice<UInt8>) { bytes.append(contentsOf: encoded) }

    @inline(__always)
    package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    /// Ends a line.
    @inline(__always)
    package mutating func newline() {
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    /// A negative number is told as 0.
    @inlinable
    package mutating func number(_ value: some BinaryInteger) { number(UInt64(clamping: value)) }

    @inlinable
    package mutating func number(_ value: Int) { number(UInt64(max(0, value))) }

    @inlinable
    package mutating func number(_ value: UInt32) { number(UInt64(value)) }

    package mutating func number(_ value: UInt64) {
        if value < 10 { return bytes.append(0x30 + UInt8(truncatingIfNeeded: value)) }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var (first, rest) = (digits.count, value)
        while rest > 0 {
            first -= 1
            digits[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        for index in first..<digits.count { bytes.append(digits[index]) }
    }

    /// `* n WORD` and the end of the line: EXISTS, RECENT, EXPUNGE.
    package mutating func untagged(_ number: some BinaryInteger, _ word: String) {
        text("* ")
        self.number(number)
        byte(0x20)
        text(word)
        newline()
    }

    /// `tag OK [CODE] text` and the end of the line; text and code are ours.
    package mutating func status(_ tag: [UInt8], _ words: String) {
        raw(tag)
        byte(0x20)
        text(words)
        newline()
    }
}

// MARK: strings
extension ResponseWriter {
    // string = quoted / literal
    /// A string that may hold any byte: quoted where the grammar allows, else a literal. A NUL becomes a space, for no literal may hold one.
    package mutating func string(_ value: some Collection<UInt8>) { anyString(value) }
    package mutating func string(_ value: [UInt8]) { anyString(value) }

    private mutating func anyString(_ value: some Collection<UInt8>) {
        if canBeQuoted(value) { return quoted(value) }
        literalHeader(value.count)
        if value.contains(0) { bytes.append(contentsOf: value.lazy.map { $0 == 0 ? 0x20 : $0 }) } else { bytes.append(contentsOf: value) }
    }

    /// `{n}` and a line end; exactly n octets have to follow.
    package mutating func literalHeader(_ size: some BinaryInteger) {
        byte(0x7b)
        number(size)
        byte(0x7d)
        newline()
    }

    // nstring = string / nil
    package mutating func nstring(_ value: [UInt8]?) {
        if let value { string(value) } else { text("NIL") }
    }

    // astring = 1*ASTRING-CHAR / string
    /// For bytes as they nearly always come: callers in other modules do not get the general form specialised.
    package mutating func astring(_ value: [UInt8]) { anyAstring(value) }
    package mutating func astring(_ value: some Collection<UInt8>) { anyAstring(value) }

    private mutating func anyAstring(_ value: some Collection<UInt8>) {
        let isAtom = !value.isEmpty && value.count <= 1_024 && value.allSatisfy { ASCIISet.astring.contains($0) } && !value.isWord("NIL")
        if isAtom { bytes.append(contentsOf: value) } else { string(value) }
    }

    /// Quoted strings stay short and plain: clients read them line by line.
    private func canBeQuoted(_ value: some Collection<UInt8>) -> Bool {
        guard value.count <= 1_000 else { return false }
        if value.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x09 }) { return true }
        return quotesUTF8 && value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 } && String(validating: value, as: UTF8.self) != nil
    }

    private mutating func quoted(_ value: some Collection<UInt8>) {
        byte(0x22)
        for character in value {
            if character == 0x22 || character == 0x5c { byte(0x5c) }
            byte(character)
        }
        byte(0x22)
    }

    /// Foreign bytes in the free text of an answer, for instance a mailbox name: control characters and 8-bit become `?`, cut at 200.
    package mutating func shown(_ foreign: some Collection<UInt8>) {
        for character in foreign.prefix(200) { byte(character >= 0x20 && character < 0x7f && character != 0x5d ? character : 0x3f) }
    }
}

// MARK: values
extension ResponseWriter {
    /// `\Answered \Seen …` with a space between; answers whether anything was written.
    @discardableResult
    package mutating func systemFlags(_ flags: SystemFlags, isRecent: Bool = false, after wasFirst: Bool = true) -> Bool {
        var isFirst = wasFirst
        func name(_ word: String, _ writer: inout ResponseWriter) {
            if !isFirst { writer.byte(0x20) }
            isFirst = false
            writer.text(word)
        }
        if flags.contains(.answered) { name("\\Answered", &self) }
        if flags.contains(.flagged) { name("\\Flagged", &self) }
        if flags.contains(.deleted) { name("\\Deleted", &self) }
        if flags.contains(.seen) { name("\\Seen", &self) }
        if flags.contains(.draft) { name("\\Draft", &self) }
        if isRecent { name("\\Recent", &self) }
        return !isFirst
    }

    /// A keyword that was read from disk is printed only if it is an atom: others cannot be said in the protocol.
    package mutating func keyword(_ name: some Collection<UInt8>, isFirst: inout Bool) {
        guard !name.isEmpty, name.allSatisfy({ ASCIISet.atom.contains($0) }) else { return }
        if !isFirst { byte(0x20) }
        isFirst = false
        bytes.append(contentsOf: name)
    }

    // uid-set = (uniqueid / uid-range) *("," uid-set)
    package mutating func set(_ numbers: NumberSet) {
        var isFirst = true
        for range in numbers.ranges {
            if !isFirst { byte(0x2c) }
            isFirst = false
            number(range.lowerBound)
            if range.count > 1 {
                byte(0x3a)
                number(range.upperBound)
            }
        }
    }

    // date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    package mutating func dateTime(_ moment: DateTime) {
        let local = moment.unixSeconds &+ Int64(moment.zoneMinutes) * 60
        let days = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let second = Int(local - days * 86_400)
        let (year, month, day) = CalendarDate(daysSince1970: days).civil
        byte(0x22)
        byte(day < 10 ? 0x20 : 0x30 + UInt8(day / 10))
        byte(0x30 + UInt8(day % 10))
        byte(0x2d)
        text(Self.months[month - 1])
        byte(0x2d)
        digits(min(max(year, 0), 9_999), 4)
        byte(0x20)
        digits(second / 3_600, 2)
        byte(0x3a)
        digits(second / 60 % 60, 2)
        byte(0x3a)
        digits(second % 60, 2)
        text(moment.zoneMinutes < 0 ? " -" : " +")
        digits(abs(moment.zoneMinutes) / 60, 2)
        digits(abs(moment.zoneMinutes) % 60, 2)
        byte(0x22)
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private mutating func digits(_ value: Int, _ width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            byte(0x30 + UInt8(truncatingIfNeeded: rest / divisor % 10))
            rest %= divisor
            divisor /= 10
        }
    }
}

// MARK: FETCH
extension ResponseWriter {
    // "BODY" section ["<" number ">"]
    /// The name of a section in a FETCH answer, as the client wrote it but for PEEK and the length of the partial.
    package mutating func section(_ section: BodySection) {
        text("BODY[")
        for (index, part) in section.part.enumerated() {
            if index > 0 { byte(0x2e) }
            number(part)
        }
        if !section.part.isEmpty, section.text != .whole { byte(0x2e) }
        switch section.text {
        case .whole: break
        case .header: text("HEADER")
        case .text: text("TEXT")
        case .mime: text("MIME")
        case .headerFields(let names): headerNames("HEADER.FIELDS (", names)
        case .headerFieldsNot(let names): headerNames("HEADER.FIELDS.NOT (", names)
        }
        byte(0x5d)
        if let partial = section.partial {
            byte(0x3c)
            number(partial.first)
            byte(0x3e)
        }
    }

    // "BINARY" section-binary ["<" number ">"], "BINARY.SIZE" section-binary         RFC 3516 section 7
    package mutating func binarySection(_ word: String, _ part: [UInt32], _ partial: Partial?) {
        text(word)
        byte(0x5b)
        for (index, number) in part.enumerated() {
            if index > 0 { byte(0x2e) }
            self.number(number)
        }
        byte(0x5d)
        guard let partial else { return }
        byte(0x3c)
        number(partial.first)
        byte(0x3e)
    }

    private mutating func headerNames(_ word: String, _ names: [[UInt8]]) {
        text(word)
        for (index, name) in names.enumerated() {
            if index > 0 { byte(0x20) }
            astring(name.map(\.upper))
        }
        byte(0x29)
    }
}
