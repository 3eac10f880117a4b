/// A numeric IPv4 or IPv6 address; IPv4-mapped addresses are IPv4.
struct NetworkAddress: Equatable {
    /// 4 or 16 bytes.
    let bytes: [UInt8]

    init?(_ text: some StringProtocol) {
        let all = Array(text.utf8.prefix { $0 != UInt8(ascii: "%") })
        guard all.count <= 45, let bytes = all.contains(UInt8(ascii: ":")) ? Self.six(all) : Self.four(all[...]) else { return nil }
        let isMapped = bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    // IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet          RFC 3986, section 3.2.2
    private static func four(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard !part.isEmpty, part.count <= 3, part.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let value = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(value)
        }
        return bytes
    }

    // IPv6address: groups of hexadecimal digits, one "::", and an IPv4address in place of the last two
    private static func six(_ text: [UInt8]) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.count <= 9 else { return nil }
        var head: [UInt8] = []
        var tail: [UInt8]?
        for (index, part) in parts.enumerated() {
            let isEdge = index == 0 || index == parts.count - 1
            if part.isEmpty {
                // "::" gives one empty part inside, or two at an edge.
                if isEdge {
                    let neighbour = index == 0 ? 1 : parts.count - 2
                    guard parts[neighbour].isEmpty else { return nil }
                    continue
                }
                guard tail == nil else { return nil }
                tail = []
                continue
            }
            guard let group = part.contains(UInt8(ascii: ".")) && index == parts.count - 1 ? four(part) : hexadecimal(part) else {
                return nil
            }
            if tail == nil { head += group } else { tail? += group }
        }
        guard let tail else { return head.count == 16 ? head : nil }
        guard head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func hexadecimal(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        guard part.count <= 4, part.first != UInt8(ascii: "+"), part.first != UInt8(ascii: "-"),
            let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
        else { return nil }
        return [UInt8(value >> 8), UInt8(value & 0xFF)]
    }
}

/// Addresses that share their first bits: `10.0.0.0/8`.
struct NetworkRange: Equatable {
    let address: NetworkAddress
    let bits: Int

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = NetworkAddress(first) else { return nil }
        self.address = address
        guard parts.count == 2 else {
            bits = address.bytes.count * 8
            return
        }
        // The bits of an IPv4-mapped address count from the start of the whole.
        let skipped = address.bytes.count == 4 && first.utf8.contains(UInt8(ascii: ":")) ? 96 : 0
        guard let given = Int(parts[1]), given >= skipped, given - skipped <= address.bytes.count * 8 else { return nil }
        bits = given - skipped
    }

    func contains(_ other: NetworkAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = bits / 8
        guard address.bytes[..<whole] == other.bytes[..<whole] else { return false }
        let rest = bits % 8
        if rest == 0 { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return address.bytes[whole] & mask == other.bytes[whole] & mask
    }
}
