/// Everything one side of a channel may say: an enum per direction. A frame of any other shape ends the channel.
package protocol Message: Equatable, Sendable {
    /// Name of the direction in docs and errors, `LoginToAuth`.
    static var channel: String { get }
    /// The message of this number with default fields, or nil: not permitted here.
    static func prototype(_ kind: UInt16) -> Self?
    /// Number on the wire.
    var kind: UInt16 { get }
    /// Name in docs and logs.
    var name: String { get }
    /// How many descriptors travel with it.
    var descriptorCount: Int { get }
    /// Largest frame of this direction, head included: the receiver takes no more, whatever the head announces.
    static var maximumFrame: Int { get }
    mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError)
}

extension Message {
    package var descriptorCount: Int { 0 }
    package static var maximumFrame: Int { FrameHeader.size + FrameHeader.maximumPayload }
    /// Of directions in which a login process speaks, which talks with strangers (security.md 5).
    package static var maximumFrameFromLogin: Int { 16_384 }

    /// Numbers above this are not in use on any channel.
    package static var highestKind: UInt16 { 40 }

    /// Each message of this direction, with default fields, in order of number.
    package static var all: [Self] { (1...highestKind).compactMap { prototype($0) } }

    /// The payload alone; throws when a field is over the limit that its reader has.
    package func encodedPayload() throws(FrameError) -> [UInt8] {
        var encoder = FieldEncoder()
        var copy = self
        try copy.visit(&encoder)
        let limit = Self.maximumFrame - FrameHeader.size
        guard encoder.bytes.count <= limit else { throw .tooLarge(encoder.bytes.count, limit: limit) }
        return encoder.bytes
    }

    /// Header and payload in one piece, without descriptors: for what does not go through a `Channel`.
    package func encodedFrame() throws(FrameError) -> [UInt8] {
        let payload = try encodedPayload()
        return FrameHeader(kind: kind, descriptorCount: 0, request: 0, payloadLength: UInt32(payload.count)).encoded() + payload
    }

    /// Decodes everything, refuses leftovers, and only then hands out a value.
    package static func decode(_ datagram: [UInt8], descriptors: Int) throws(FrameError) -> (message: Self, request: UInt32) {
        let header = try FrameHeader(datagram: datagram, descriptors: descriptors)
        guard var message = prototype(header.kind) else { throw .unknownKind(header.kind, channel: channel) }
        guard message.descriptorCount == descriptors else {
            throw .wrongDescriptors(announced: message.descriptorCount, received: descriptors)
        }
        var decoder = FieldDecoder(datagram[FrameHeader.size...])
        try message.visit(&decoder)
        try decoder.finish()
        return (message, header.request)
    }
}
