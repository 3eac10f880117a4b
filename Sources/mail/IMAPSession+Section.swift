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
        let reader = try open(position, plan, &source)
        let before = stream.bytesOut + Int64(out.count)
        let content: Content = try storing { () throws(StoreError) in try find(section, position, plan, reader) }
        switch content {
        case .missing: out.text("NIL")
        case .bytes(let bytes): write(bytes, section.partial, to: &out)
        case .extent(let extent): try write(extent, section.partial, reader, uid: plan.messages[position].uid, plan.mailbox, to: &out)
        }
        count(section, bytes: stream.bytesOut + Int64(out.count) - before)
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
        remember(message, plan.messages[position].uid, plan.mailbox)
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
            return .bytes(HeaderFields.filtered(try reader.header(), names: names, isExcluding: Self.isExcluding(text)))
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
        var left = size
        try reader.wireBytes(of: extent, from: first, cursor: &cursor) { bytes throws(CommandFailure) in
            if Int64(bytes.count) > left { bytes.removeLast(bytes.count - Int(left)) }
            Self.replaceNULs(in: &bytes, from: 0)
            out.raw(bytes)
            left -= Int64(bytes.count)
            if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
            return left > 0
        }
        // The size was promised and cannot be kept: the rest of the session would be read as message text.
        guard left == 0 else { throw .end(.inconsistent("a message is smaller than its stored size (UID \(uid))")) }
    }

    /// Collects the section before its size is told.
    private func writeCounted(
        _ extent: Extent, _ first: Int64, _ wanted: Int64, _ reader: MessageReader, _ cursor: inout ExtentCursor?,
        to out: inout ResponseWriter
    ) throws(CommandFailure) {
        var content: [UInt8] = []
        try reader.wireBytes(of: extent, from: first, cursor: &cursor) { bytes throws(CommandFailure) in
            let left = wanted - Int64(content.count)
            content += bytes.prefix(Int(min(left, Int64(bytes.count))))
            return Int64(content.count) < wanted
        }
        Self.replaceNULs(in: &content, from: 0)
        out.literalHeader(content.count)
        out.raw(content)
    }

    /// No literal may hold a NUL (RFC 9051 section 9, CHAR8): it is shown as 0x80, as Dovecot does.
    private static func replaceNULs(in bytes: inout [UInt8], from start: Int) {
        // Without an early end, so that the compiler looks at many bytes at once.
        var least = UInt8.max
        for byte in bytes[start...] { least = min(least, byte) }
        guard least == 0 else { return }
        for index in start..<bytes.count where bytes[index] == 0 { bytes[index] = 0x80 }
    }
}
