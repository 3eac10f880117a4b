internal import ByteScan
internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

// BODY[…] and its older names.
extension IMAPSession {
    /// What a section stands for.
    enum Content {
        /// Bytes as they go on the wire.
        case bytes([UInt8])
        case extent(Extent)
        /// The message has no such part.
        case missing
    }

    /// Above this many octets a section is streamed; below it is counted after conversion, so that a wrong size in a file name does no harm.
    static let streamedSize: Int64 = 262_144

    func fetchSection(
        _ item: FetchItem, _ position: Int, _ plan: FetchPlan, _ source: inout MessageReader?, to out: inout ResponseWriter
    ) throws(CommandFailure) {
        let section: BodySection
        switch item {
        case .section(let wanted):
            section = wanted
            out.section(wanted)
        case .rfc822:
            section = BodySection()
            out.text("RFC822")
        case .rfc822Header:
            section = BodySection(text: .header)
            out.text("RFC822.HEADER")
        case .rfc822Text:
            section = BodySection(text: .text)
            out.text("RFC822.TEXT")
        default: return
        }
        out.byte(0x20)
        let before = stream.bytesOut + Int64(out.count)
        defer { count(section, bytes: stream.bytesOut + Int64(out.count) - before) }
        if let fields = commonFields(section, position, plan) { return write(fields, section.partial, to: &out) }
        let reader = try open(position, plan, &source)
        let content: Content = try storing { () throws(StoreError) in try find(section, position, plan, reader) }
        switch content {
        case .missing: out.text("NIL")
        case .bytes(let bytes): write(bytes, section.partial, to: &out)
        case .extent(let extent): try write(extent, section.partial, reader, uid: plan.messages.uid(at: position), plan.mailbox, to: &out)
        }
    }

    /// HEADER.FIELDS of the message itself, as far as the index has these fields.
    private func commonFields(_ section: BodySection, _ position: Int, _ plan: FetchPlan) -> [UInt8]? {
        guard case .headerFields(let names) = section.text, section.part.isEmpty, names.allSatisfy({ CommonFields.contains($0) }),
            let lines = plan.mailbox.cached(.fields, at: position)
        else { return nil }
        return HeaderFields.filtered(lines, names: names, isExcluding: false)
    }

    private func count(_ section: BodySection, bytes: Int64) {
        switch section.text {
        case .whole, .text:
            statistics.fetchedBodies += 1
            statistics.fetchedBodyBytes += bytes
        default:
            statistics.fetchedHeaders += 1
            statistics.fetchedHeaderBytes += bytes
        }
    }

    func find(_ section: BodySection, _ position: Int, _ plan: FetchPlan, _ reader: MessageReader) throws(StoreError) -> Content {
        if section.part.isEmpty { return try findInWhole(section.text, position, plan, reader) }
        let message = try reader.structure()
        remember(message, plan.messages.uid(at: position), plan.mailbox)
        guard let target = message.target(section.part) else { return .missing }
        switch section.text {
        case .whole: return .extent(message.body(target))
        case .header: return message.header(target).map { .extent($0) } ?? .missing
        case .text: return message.text(target).map { .extent($0) } ?? .missing
        case .mime: return message.mimeHeader(target).map { .extent($0) } ?? .missing
        case .headerFields(let names), .headerFieldsNot(let names):
            guard let extent = message.header(target) else { return .missing }
            let header = try reader.bytes(at: extent.start, atMost: Int(extent.size))
            return .bytes(HeaderFields.filtered(header, names: names, isExcluding: Self.isExcluding(section.text)))
        }
    }

    /// Sections of the message itself need no look at its parts.
    private func findInWhole(_ text: BodySection.Text, _ position: Int, _ plan: FetchPlan, _ reader: MessageReader) throws(StoreError)
        -> Content
    {
        switch text {
        case .whole:
            let size = try plan.mailbox.virtualSize(at: position)
            return .extent(Extent(start: 0, end: reader.size, virtualSize: size, lines: 0))
        case .header: return .bytes(Self.wire(try reader.header()))
        case .text, .mime:
            let header = try reader.header()
            let size = try plan.mailbox.virtualSize(at: position)
            let rest = max(0, size - Int64(Self.wire(header).count))
            return .extent(Extent(start: Int64(header.count), end: reader.size, virtualSize: rest, lines: 0))
        case .headerFields(let names), .headerFieldsNot(let names):
            let header = try reader.header()
            if case .headerFields = text, names.allSatisfy({ CommonFields.contains($0) }) {
                plan.mailbox.remember(.fields, CommonFields.lines(of: header[...]), at: position)
            }
            return .bytes(HeaderFields.filtered(header, names: names, isExcluding: Self.isExcluding(text)))
        }
    }

    private static func isExcluding(_ text: BodySection.Text) -> Bool {
        if case .headerFieldsNot = text { return true }
        return false
    }

    private static func wire(_ stored: [UInt8]) -> [UInt8] {
        var wire: [UInt8] = []
        wire.reserveCapacity(stored.count + stored.count / 32)
        var converter = LineEndConverter()
        converter.convert(stored[...], into: &wire)
        return wire
    }

    func remember(_ message: MessageStructure, _ uid: UInt32, _ mailbox: any Mailbox) {
        if let last = lastStructure, last.uid == uid, last.mailbox == ObjectIdentifier(mailbox) { return }
        lastStructure = LastStructure(mailbox: ObjectIdentifier(mailbox), uid: uid, message: message)
    }

    /// A literal of bytes in memory, or the piece of them that the partial names.
    private func write(_ bytes: [UInt8], _ partial: Partial?, to out: inout ResponseWriter) {
        let start = min(bytes.count, Int(partial?.first ?? 0))
        let count = min(bytes.count - start, partial.map { Int($0.count) } ?? bytes.count)
        out.literalHeader(count)
        let from = out.count
        out.raw(bytes[start..<start + count])
        Self.replaceNULs(in: &out.bytes, from: from)
    }

    private func write(
        _ extent: Extent, _ partial: Partial?, _ reader: MessageReader, uid: UInt32, _ mailbox: any Mailbox, to out: inout ResponseWriter
    ) throws(CommandFailure) {
        let first = min(extent.virtualSize, Int64(partial?.first ?? 0))
        let wanted = partial.map { Int64($0.count) } ?? Int64.max
        // A partial's start is found again by the next one.
        let isSame = lastStructure?.uid == uid && lastStructure?.mailbox == ObjectIdentifier(mailbox)
        var cursor = isSame ? lastStructure?.cursor : nil
        defer { if isSame, partial != nil { lastStructure?.cursor = cursor } }
        if extent.size <= Self.streamedSize || wanted <= Self.streamedSize {
            return try writeCounted(extent, first, wanted, reader, &cursor, to: &out)
        }
        let size = min(wanted, extent.virtualSize - first)
        out.literalHeader(size)
        var place = reader.place(of: first, in: extent, cursor)
        var left = size
        while left > 0 {
            cursor = place
            let (from, virtual) = (out.count, place.virtual)
            guard try storing({ () throws(StoreError) in try reader.appendWire(of: extent, &place, to: &out.bytes) }) else { break }
            if virtual < first { out.bytes.removeSubrange(from..<from + Int(min(first - virtual, Int64(out.count - from)))) }
            if Int64(out.count - from) > left { out.bytes.removeLast(out.count - from - Int(left)) }
            if place.hasSeenNUL { Self.replaceNULs(in: &out.bytes, from: from) }
            left -= Int64(out.count - from)
            if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
        }
        // The size was promised and cannot be kept: the rest of the session would be read as message text.
        guard left == 0 else { throw .end(.inconsistent("a message is smaller than its stored size (UID \(uid))")) }
    }

    /// Collects the section before its size is told: with the size that it should have, which is corrected where it has another one.
    private func writeCounted(
        _ extent: Extent, _ first: Int64, _ wanted: Int64, _ reader: MessageReader, _ cursor: inout ExtentCursor?,
        to out: inout ResponseWriter
    ) throws(CommandFailure) {
        let expected = min(wanted, extent.virtualSize - first)
        let before = out.count
        out.literalHeader(expected)
        let from = out.count
        let hasNUL = try storing { () throws(StoreError) in
            try reader.append(extent, from: first, atMost: wanted, cursor: &cursor, to: &out.bytes)
        }
        if hasNUL { Self.replaceNULs(in: &out.bytes, from: from) }
        guard Int64(out.count - from) != expected else { return }
        var header = ResponseWriter()
        header.literalHeader(out.count - from)
        out.bytes.replaceSubrange(before..<from, with: header.bytes)
    }

    /// No literal may hold a NUL (RFC 9051 section 9, CHAR8): it is shown as 0x80, as Dovecot does.
    private static func replaceNULs(in bytes: inout [UInt8], from start: Int) {
        var index = start
        while let found = ByteScan.firstIndex(of: 0, in: bytes[index...]) {
            bytes[found] = 0x80
            index = found + 1
        }
    }
}
