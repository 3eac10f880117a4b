internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

// FETCH of decoded parts (RFC 3516, RFC 9051 section 6.4.5).
extension IMAPSession {
    /// The content of a part without its transfer encoding, as it passes by.
    private struct DecodedPart {
        let extent: Extent
        /// The part; nil for what has no encoding of its own.
        let part: Part?

        /// Gives the decoded bytes piece by piece until `take` answers false.
        func read(_ reader: MessageReader, take: (inout [UInt8]) throws(CommandFailure) -> Bool) throws(CommandFailure) {
            guard let part else {
                var cursor: ExtentCursor?
                return try reader.wireBytes(of: extent, from: 0, cursor: &cursor, take: take)
            }
            guard var decoder = BinaryDecoder(part) else { throw .no("[UNKNOWN-CTE] The encoding of this part is not known.") }
            var offset = extent.start
            while offset < extent.end {
                let place = offset
                let chunk = try storing { () throws(StoreError) in
                    try reader.chunk(at: place, atMost: Int(min(65_536, extent.end - place)))
                }
                if chunk.isEmpty { break }
                offset += Int64(chunk.count)
                var decoded: [UInt8] = []
                decoder.decode(chunk, into: &decoded)
                if try !take(&decoded) { return }
            }
            var decoded: [UInt8] = []
            decoder.finish(into: &decoded)
            if !decoded.isEmpty { _ = try take(&decoded) }
        }
    }

    /// Nil when the message has no such part.
    private func decodedPart(
        _ numbers: [UInt32], _ position: Int, _ plan: FetchPlan, _ source: inout MessageReader?
    ) throws(CommandFailure) -> (reader: MessageReader, part: DecodedPart)? {
        let reader = try open(position, plan, &source)
        let message = try storing { () throws(StoreError) in try reader.structure() }
        remember(message, plan.messages.uid(at: position), plan.mailbox)
        guard let target = message.target(numbers) else { return nil }
        let extent = message.body(target)
        let part = message.parts[target.part]
        // The message itself, multiparts and messages inside have no encoding (RFC 2045 section 6.4).
        return (reader, DecodedPart(extent: extent, part: target.isWhole || part.kind != .single ? nil : part))
    }

    // "BINARY.SIZE" section-binary SP number
    func fetchBinarySize(
        _ numbers: [UInt32], _ position: Int, _ plan: FetchPlan, _ source: inout MessageReader?, to out: inout ResponseWriter
    ) throws(CommandFailure) {
        var size: Int64 = 0
        if let (reader, part) = try decodedPart(numbers, position, plan, &source) {
            try part.read(reader) { bytes in
                size += Int64(bytes.count)
                return true
            }
        }
        out.binarySection("BINARY.SIZE", numbers, nil)
        out.byte(0x20)
        out.number(size)
    }

    // "BINARY" section-binary ["<" number ">"] SP (nstring / literal8)
    /// Decodes twice, first to learn size and NULs: so memory does not grow with the part.
    func fetchBinary(
        _ numbers: [UInt32], _ partial: Partial?, _ position: Int, _ plan: FetchPlan, _ source: inout MessageReader?,
        to out: inout ResponseWriter
    ) throws(CommandFailure) {
        guard let (reader, part) = try decodedPart(numbers, position, plan, &source) else {
            out.binarySection("BINARY", numbers, partial)
            return out.text(" NIL")
        }
        let before = stream.bytesOut + Int64(out.count)
        var window = Window(partial)
        var size: Int64 = 0
        var hasNUL = false
        try part.read(reader) { bytes in
            window.cut(&bytes)
            size += Int64(bytes.count)
            hasNUL = hasNUL || bytes.contains(0)
            return window.isOpen
        }
        out.binarySection("BINARY", numbers, partial)
        out.byte(0x20)
        if hasNUL { out.byte(0x7e) }
        out.literalHeader(size)
        window = Window(partial)
        var left = size
        try part.read(reader) { bytes throws(CommandFailure) in
            window.cut(&bytes)
            if Int64(bytes.count) > left { bytes.removeLast(bytes.count - Int(left)) }
            out.raw(bytes)
            left -= Int64(bytes.count)
            if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
            return left > 0
        }
        // The size was promised: what follows would be read as message text.
        guard left == 0 else { throw .end(.inconsistent("a message changed while it was read (UID \(plan.messages.uid(at: position)))")) }
        statistics.fetchedBodies += 1
        statistics.fetchedBodyBytes += stream.bytesOut + Int64(out.count) - before
    }

    /// The octets of a partial, while all go by.
    private struct Window {
        private var skip: Int64
        private var left: Int64

        init(_ partial: Partial?) {
            skip = Int64(partial?.first ?? 0)
            left = partial.map { Int64($0.count) } ?? .max
        }

        var isOpen: Bool { left > 0 }

        mutating func cut(_ bytes: inout [UInt8]) {
            let skipped = Int(min(skip, Int64(bytes.count)))
            bytes.removeFirst(skipped)
            skip -= Int64(skipped)
            if Int64(bytes.count) > left { bytes.removeLast(bytes.count - Int(left)) }
            left -= Int64(bytes.count)
        }
    }
}
