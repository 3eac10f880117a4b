/// An IPv4 or IPv6 address, or `address/bits`: what settings and commands call a network.
package struct AddressRange: Equatable, Sendable {
    private let bytes: [UInt8]
    private let bits: Int

    /// nil for anything but a numeric address, perhaps in brackets, with 0 to 32 (IPv6: 128) bits.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard var first = parts.first.map({ String($0) }) else { return nil }
        if first.hasPrefix("["), first.hasSuffix("]") { first = String(first.dropFirst().dropLast()) }
        guard let bytes = Socket.addressBytes(first) else { return nil }
        self.bytes = bytes
        guard parts.count == 2 else {
            bits = bytes.count * 8
            return
        }
        // The bits of an IPv4-mapped address count from the start of the whole.
        let skipped = bytes.count == 4 && first.contains(":") ? 96 : 0
        guard parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let given = Int(parts[1]), given >= skipped,
            given - skipped <= bytes.count * 8
        else { return nil }
        bits = given - skipped
    }

    /// Whether a numeric address lies in the range; the other family never does.
    package func contains(_ address: String) -> Bool { AddressRange(address).map { contains($0) } ?? false }

    /// Whether all of another range lies in this one.
    package func contains(_ other: AddressRange) -> Bool {
        guard other.bytes.count == bytes.count, bits <= other.bits else { return false }
        for index in 0..<bits where (bytes[index / 8] ^ other.bytes[index / 8]) & (0x80 >> UInt8(index % 8)) != 0 { return false }
        return true
    }

    /// Grows with every bit that is fixed; the same for an IPv4 address and an IPv6 address: 128.
    package var precision: Int { bits + (bytes.count == 4 ? 96 : 0) }
}
