internal import MailStore
internal import MessageFormat
internal import Platform

/// Where in an extent a partial ended: a chunk of the file and what it is on the wire.
struct ExtentCursor {
    /// Start of the extent in the file.
    let extent: Int64
    var physical: Int64
    var virtual: Int64
    var converter: LineEndConverter
}

/// One stored message while it is looked at: opened once, read and parsed once, however many items want something of it.
final class MessageReader {
    private let content: MessageContent
    let size: Int64
    private var storedHeader: [UInt8]?
    private var message: MessageStructure?

    /// Bytes of one read of the file.
    private static let chunkSize = 65_536
    private static let headerChunkSize = 8_192

    init(_ content: consuming MessageContent) {
        size = content.size
        self.content = content
    }

    /// Bytes of the file from `offset` on, at most `count`; fewer at its end only.
    func bytes(at offset: Int64, atMost limit: Int) throws(StoreError) -> [UInt8] {
        let count = Int(max(0, min(Int64(limit), size - offset)))
        guard count > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        do throws(SystemError) {
            filled = try content.descriptor.read(into: &buffer, at: offset)
            while filled < count, filled > 0 {
                var rest = [UInt8](repeating: 0, count: count - filled)
                let got = try content.descriptor.read(into: &rest, at: offset + Int64(filled))
                if got == 0 { break }
                buffer.replaceSubrange(filled..<filled + got, with: rest[..<got])
                filled += got
            }
        } catch { throw StoreError(error, path: "message") }
        if filled < count { buffer.removeLast(count - filled) }
        return buffer
    }

    /// The header as stored, with the empty line at its end.
    func header() throws(StoreError) -> [UInt8] {
        if let storedHeader { return storedHeader }
        if let message {
            let extent = message.root.header
            let bytes = try bytes(at: extent.start, atMost: Int(extent.size))
            storedHeader = bytes
            return bytes
        }
        var header: [UInt8] = []
        while header.count < MessageFormat.Limits.header {
            let before = header.count
            header += try bytes(at: Int64(before), atMost: Self.headerChunkSize)
            if let end = Self.endOfHeader(header, from: max(0, before - 2)) {
                header.removeLast(header.count - end)
                break
            }
            if header.count - before < Self.headerChunkSize { break }
        }
        storedHeader = header
        return header
    }

    /// Index after the first empty line.
    private static func endOfHeader(_ bytes: [UInt8], from start: Int) -> Int? {
        if start == 0, bytes.first == 0x0a { return 1 }
        if start == 0, bytes.starts(with: [0x0d, 0x0a]) { return 2 }
        var index = start
        while let end = bytes[index...].firstIndex(of: 0x0a) {
            if end + 1 < bytes.count, bytes[end + 1] == 0x0a { return end + 2 }
            if end + 2 < bytes.count, bytes[end + 1] == 0x0d, bytes[end + 2] == 0x0a { return end + 3 }
            index = end + 1
        }
        return nil
    }

    /// The envelope, from the header alone when nothing else was read.
    func envelopeText() throws(StoreError) -> [UInt8] {
        if let message { return message.envelopeText }
        var parser = MessageParser()
        parser.feed(try header()[...])
        return parser.finish().envelopeText
    }

    /// What the whole message is made of.
    func structure() throws(StoreError) -> MessageStructure {
        if let message { return message }
        var parser = MessageParser()
        var offset: Int64 = 0
        while offset < size {
            let chunk = try bytes(at: offset, atMost: Self.chunkSize)
            if chunk.isEmpty { break }
            parser.feed(chunk[...])
            offset += Int64(chunk.count)
        }
        let parsed = parser.finish()
        message = parsed
        return parsed
    }

    /// Uses what an earlier reader of the same message found.
    func adopt(_ structure: MessageStructure) {
        if structure.size == size { message = structure }
    }

    /// Gives the bytes of an extent as they go on the wire, in pieces, from octet `first` on, until `take` answers false.
    /// A cursor of an earlier call saves converting what lies before.
    func wireBytes(
        of extent: Extent, from first: Int64, cursor: inout ExtentCursor?, take: (inout [UInt8]) throws(CommandFailure) -> Bool
    ) throws(CommandFailure) {
        let isPlain = extent.size == extent.virtualSize
        var place = ExtentCursor(extent: extent.start, physical: extent.start, virtual: 0, converter: LineEndConverter())
        if isPlain {
            place.physical += first
            place.virtual = first
        } else if let known = cursor, known.extent == extent.start, known.virtual <= first {
            place = known
        }
        var wire: [UInt8] = []
        while place.physical < extent.end {
            cursor = place
            let count = Int(min(Int64(Self.chunkSize), extent.end - place.physical))
            let offset = place.physical
            let chunk = try storing { () throws(StoreError) in try bytes(at: offset, atMost: count) }
            if chunk.isEmpty { return }
            if isPlain {
                wire = chunk
            } else {
                wire.removeAll(keepingCapacity: true)
                place.converter.convert(chunk[...], into: &wire)
            }
            place.physical += Int64(chunk.count)
            let start = place.virtual
            place.virtual += Int64(wire.count)
            if start < first { wire.removeFirst(Int(min(first - start, Int64(wire.count)))) }
            if try !take(&wire) { return }
        }
    }
}
