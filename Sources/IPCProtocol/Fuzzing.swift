/// Entry point for fuzzing and mutation tests: the datagram as each direction's decoder would see it, with 0 and 1 descriptors. Must never trap.
///
/// A direction that accepts must give the same bytes when it encodes again: nothing has two spellings.
package func fuzzFrames(_ datagram: [UInt8]) -> [String] {
    var disagreements: [String] = []
    for direction in ProtocolDocument.directions {
        for descriptors in 0...1 where !survives(direction, datagram, descriptors) { disagreements.append(direction.channel) }
    }
    return disagreements
}

private func survives<Direction: Message>(_ direction: Direction.Type, _ datagram: [UInt8], _ descriptors: Int) -> Bool {
    do throws(FrameError) {
        let (message, _) = try Direction.decode(datagram, descriptors: descriptors)
        return try message.encodedPayload()[...] == datagram[FrameHeader.size...]
    } catch {
        return true
    }
}

/// The same for the sealed settings image. Must never trap, nor take memory that the bytes do not pay for.
package func fuzzSettingsImage(_ bytes: [UInt8]) -> Bool {
    do throws(FrameError) {
        let image = try SettingsImage(decoding: bytes)
        return try SettingsImage(decoding: try image.encoded()) == image
    } catch {
        return true
    }
}
