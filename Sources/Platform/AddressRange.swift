/// An IPv4 or IPv6 address, or `address/bits`: what settings and commands call a network.
package struct AddressRange: Equatable, Sendable {
    private let bytes: [UInt8]
    private let bits: Int

    /// nil for anything but a numeric address with 0 to 32 (IPv6: 128) bits.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let bytes = Socket.addressBytes(String(first)) else { return nil }
        self.bytes = bytes
        guard parts.count == 2 else {
            bits = bytes.count * 8
            return
        }
        guard let bits = Int(parts[1]), bits >= 0, bits <= bytes.count * 8 else { return nil }
        self.bits = bits
    }

    /// Whether a numeric address lies in the range; the other family never does.
    package func contains(_ address: String) -> Bool {
        guard let other = Socket.addressBytes(address), other.count == bytes.count else { return false }
        for index in 0..<bits where (bytes[index / 8] ^ other[index / 8]) & (0x80 >> UInt8(index % 8)) != 0 { return false }
        return true
    }
}
