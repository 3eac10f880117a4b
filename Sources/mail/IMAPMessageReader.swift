internal import ByteScan
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
    /// A NUL was among the bytes so far.
    var hasSeenNUL = false

    /// The start of an extent.
    init(_ extent: Extent) {
        (self.extent, physical, virtual) = (extent.start, extent.start, 0)
        converter = LineEndConverter()
    }
}

/// Memory for the bytes of files, used again for one message after the other.
final class ReadBuffer {
    fileprivate var bytes: [UInt8] = []
}

/// One stored message while it is looked at: opened once, read and parsed once, however many items want something of it.
final class MessageReader {
    private let content: MessageContent
    let size: Int64
    private var storedHeader: [UInt8]?
    private var message: MessageStructure?
    private let buffer: ReadBuffer
    /// The part of the file that `buffer` holds.
    private var window: Range<Int64> = 0..<0

    /// Bytes of one read of the file.
    static let chunkSize = 65_536
    private static let headerChunkSize = 8_192

    init(_ content: consuming MessageContent, _ buffer: ReadBuffer) {
        size = content.size
        self.content = content
        self.buffer = buffer
    }

    /// Appends bytes of the file from `offset` on, at most `limit`; answers how many there were: fewer at its end only.
    private func read(into bytes: inout [UInt8], at offset: Int64, atMost limit: Int) throws(StoreError) -> Int {
        let count = Int(max(0, min(Int64(limit), size - offset)))
        var filled = 0
        do throws(SystemError) {
            while filled < count {
                let got = try content.descriptor.read(appendingTo: &bytes, atMost: count - filled, at: offset + Int64(filled))
                if got == 0 { break }
                filled += got
            }
        } catch { throw StoreError(error, path: "message") }
        return filled
    }

    /// Bytes of the file from `offset` on, at most `limit`; fewer at its end only.
    func bytes(at offset: Int64, atMost limit: Int) throws(StoreError) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try read(into: &bytes, at: offset, atMost: limit)
        return bytes
    }

    /// The same, of memory that the next call uses again: a small file is read once.
    func chunk(at offset: Int64, atMost limit: Int) throws(StoreError) -> ArraySlice<UInt8> {
        let limit = min(limit, Self.chunkSize)
        let end = min(size, offset + Int64(limit))
        guard offset < end else { return [] }
        if offset < window.lowerBound || end > window.upperBound {
            buffer.bytes.removeAll(keepingCapacity: true)
            window = 0..<0
            let got = try read(into: &buffer.bytes, at: offset, atMost: limit)
            window = offset..<offset + Int64(got)
        }
        let start = Int(offset - window.lowerBound)
        return buffer.bytes[start..<min(buffer.bytes.count, start + Int(end - offset))]
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
            header += try chunk(at: Int64(before), atMost: Self.headerChunkSize)
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
        while let end = ByteScan.firstIndex(of: 0x0a, in: bytes[index...]) {
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

    /// What the whole message is made of. `skipsEnvelopes`: only its parts are of interest.
    func structure(skipsEnvelopes: Bool = false) throws(StoreError) -> MessageStructure {
        if let message { return message }
        var parser = MessageParser(skipsEnvelopes: skipsEnvelopes)
        try feed { parser.feed($0) }
        let parsed = parser.finish()
        if !skipsEnvelopes { message = parsed }
        return parsed
    }

    /// Hands the whole file over, chunk by chunk.
    func feed(_ take: (ArraySlice<UInt8>) -> Void) throws(StoreError) {
        var offset: Int64 = 0
        while offset < size {
            let chunk = try chunk(at: offset, atMost: Self.chunkSize)
            if chunk.isEmpty { break }
            take(chunk)
            offset += Int64(chunk.count)
        }
    }

    /// Uses what an earlier reader of the same message found.
    func adopt(_ structure: MessageStructure) {
        if structure.size == size { message = structure }
    }

    /// Appends the next chunk of an extent as it goes on the wire; false when there is none.
    func appendWire(of extent: Extent, _ place: inout ExtentCursor, to output: inout [UInt8]) throws(StoreError) -> Bool {
        let count = Int(min(Int64(Self.chunkSize), extent.end - place.physical))
        guard count > 0 else { return false }
        let before = output.count
        let got: Int
        if extent.size == extent.virtualSize {
            got = try read(into: &output, at: place.physical, atMost: count)
            if ByteScan.firstIndex(of: 0, in: output[before...]) != nil { place.hasSeenNUL = true }
        } else {
            let chunk = try chunk(at: place.physical, atMost: count)
            got = chunk.count
            place.converter.convert(chunk, into: &output)
            if place.converter.hasSeenNUL { place.hasSeenNUL = true }
        }
        place.physical += Int64(got)
        place.virtual += Int64(output.count - before)
        return got > 0
    }

    /// Where octet `first` of an extent lies, or the chunk before it. A cursor of an earlier call saves converting what lies before.
    func place(of first: Int64, in extent: Extent, _ known: ExtentCursor?) -> ExtentCursor {
        var place = ExtentCursor(extent)
        if extent.size == extent.virtualSize {
            place.physical += first
            place.virtual = first
        } else if let known, known.extent == extent.start, known.virtual <= first {
            place = known
        }
        return place
    }

    /// Appends at most `limit` octets of an extent from octet `first` on, as they go on the wire; answers whether a NUL may be among them.
    func append(
        _ extent: Extent, from first: Int64, atMost limit: Int64, cursor: inout ExtentCursor?, to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        var place = place(of: first, in: extent, cursor)
        let start = output.count
        while Int64(output.count - start) < limit {
            cursor = place
            let (before, virtual) = (output.count, place.virtual)
            guard try appendWire(of: extent, &place, to: &output) else { break }
            if virtual < first { output.removeSubrange(before..<before + Int(min(first - virtual, Int64(output.count - before)))) }
        }
        let excess = Int64(output.count - start) - limit
        if excess > 0 { output.removeLast(Int(excess)) }
        return place.hasSeenNUL
    }

    /// Gives the bytes of an extent as they go on the wire, in pieces, from octet `first` on, until `take` answers false.
    func wireBytes(
        of extent: Extent, from first: Int64, cursor: inout ExtentCursor?, take: (inout [UInt8]) throws(CommandFailure) -> Bool
    ) throws(CommandFailure) {
        var place = place(of: first, in: extent, cursor)
        var wire: [UInt8] = []
        while true {
            cursor = place
            wire.removeAll(keepingCapacity: true)
            let start = place.virtual
            guard try storing({ () throws(StoreError) in try appendWire(of: extent, &place, to: &wire) }) else { return }
            if start < first { wire.removeFirst(Int(min(first - start, Int64(wire.count)))) }
            if try !take(&wire) { return }
        }
    }
}
