/// The fixed head of every frame: 16 bytes, little endian.
///
///     magic (2)  protocol version (2)  message kind (2)  descriptor count (2)  request id (4)  payload length (4)
package struct FrameHeader: Equatable, Sendable {
    package static let size = 16
    /// "CV", so that a stray text on a wrong socket is recognised at once.
    package static let magic: UInt16 = 0x5643
    /// Raised with every incompatible change; both sides must agree.
    package static let version: UInt16 = 1
    /// Largest payload. Larger things travel as a sealed memory file.
    package static let maximumPayload = 65_536

    package var kind: UInt16
    package var descriptorCount: UInt16
    /// Pairs an answer with its question; means something only together with the channel. 0: no answer expected.
    package var request: UInt32
    package var payloadLength: UInt32

    package func encoded() -> [UInt8] {
        var writer = FieldEncoder()
        writer.integer(Self.magic)
        writer.integer(Self.version)
        writer.integer(kind)
        writer.integer(descriptorCount)
        writer.integer(request)
        writer.integer(payloadLength)
        return writer.bytes
    }

    /// Reads the head of a datagram and checks it against the datagram's real length and descriptors.
    package init(datagram: [UInt8], descriptors: Int) throws(FrameError) {
        guard datagram.count >= Self.size else { throw .truncated("header") }
        var reader = FieldDecoder(datagram[..<Self.size])
        guard try reader.integer("magic", UInt16.self) == Self.magic else { throw .wrongMagic }
        let version = try reader.integer("version", UInt16.self)
        guard version == Self.version else { throw .wrongVersion(theirs: version, ours: Self.version) }
        kind = try reader.integer("kind", UInt16.self)
        descriptorCount = try reader.integer("descriptors", UInt16.self)
        request = try reader.integer("request", UInt32.self)
        payloadLength = try reader.integer("length", UInt32.self)
        guard Int(payloadLength) == datagram.count - Self.size else { throw .truncated("payload") }
        guard Int(descriptorCount) == descriptors else {
            throw .wrongDescriptors(announced: Int(descriptorCount), received: descriptors)
        }
    }

    package init(kind: UInt16, descriptorCount: UInt16, request: UInt32, payloadLength: UInt32) {
        self.kind = kind
        self.descriptorCount = descriptorCount
        self.request = request
        self.payloadLength = payloadLength
    }
}

/// Why a frame is refused; the channel it came on ends, no other.
package enum FrameError: Error, Equatable, CustomStringConvertible {
    case truncated(String)
    case wrongMagic
    /// More bytes or more descriptors than the channel carries.
    case tooLong(limit: Int, channel: String)
    case wrongVersion(theirs: UInt16, ours: UInt16)
    case unknownKind(UInt16, channel: String)
    case wrongDescriptors(announced: Int, received: Int)
    case overLimit(field: String, limit: Int)
    case invalid(field: String)
    case leftover(Int)
    case tooLarge(Int, limit: Int)

    package var description: String {
        switch self {
        case .truncated(let part): "frame cut short in \(part)"
        case .wrongMagic: "not a frame of this protocol"
        case .tooLong(let limit, let channel): "frame on channel \(channel) is longer than \(limit) bytes, or brings too many descriptors"
        case .wrongVersion(let theirs, let ours):
            "peer speaks protocol version \(theirs), this process version \(ours): executables of two builds are mixed"
        case .unknownKind(let kind, let channel): "message \(kind) does not exist on channel \(channel)"
        case .wrongDescriptors(let announced, let received): "\(announced) descriptors announced, \(received) received"
        case .overLimit(let field, let limit): "field \(field) is over its limit of \(limit)"
        case .invalid(let field): "field \(field) has no valid value"
        case .leftover(let count): "\(count) bytes after the last field"
        case .tooLarge(let size, let limit): "payload of \(size) bytes is over the limit of \(limit)"
        }
    }
}
