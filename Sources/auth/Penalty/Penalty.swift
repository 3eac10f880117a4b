internal import Platform

/// How long an address waits after failed authentications (auth.md 13).
enum Penalty {
    /// The highest value.
    static let maximum: UInt8 = 4
    /// Seconds after the last change when a value counts no more. The page lowers it by one step after 15, 15, 8 and 4 s, from the
    /// top down, whatever the value is: the first step is thus the longest, and after 15 s all four are done.
    static let memory: UInt32 = 15

    /// The value as it counts now, from what anvil has stored.
    static func lowered(_ value: UInt8, secondsAgo: UInt32) -> UInt8 { secondsAgo >= memory ? 0 : min(value, maximum) }

    /// Milliseconds to wait before the first password database is asked.
    static func delay(_ value: UInt8) -> Int64 {
        switch value {
        case 0: 0
        case 1: 4_000
        case 2: 8_000
        default: 15_000
        }
    }

    /// What a failed request makes of the value that it began with.
    static func raised(_ value: UInt8) -> UInt8 { min(value, maximum - 1) + 1 }

    /// Under which name anvil keeps the value: the IPv4 address, or the /48 prefix that one IPv6 customer has. Nil: there is none, as for
    /// clients on this host (tools, webmail: one's guessing would lock out all), trusted proxies, and requests without an address.
    static func name(_ origin: Origin) -> String? {
        guard !origin.isExempt, let bytes = Socket.addressBytes(origin.remoteAddress) else { return nil }
        if Socket.addressBytes(origin.localAddress) == bytes { return nil }
        if bytes.count == 4 { return Socket.addressText(bytes) }
        let groups = stride(from: 0, to: 6, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/48"
    }

    /// Tells a repeated user and password from a new one; never 0, which stands for none. Keyed with a secret of this process
    /// (`Hasher`), so that nobody who sees it can try passwords against it.
    static func checksum(user: [UInt8], password: [UInt8]) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(user)
        hasher.combine(password)
        return max(1, UInt32(truncatingIfNeeded: hasher.finalize()))
    }
}

/// What anvil is to remember after a request.
struct PenaltyChange: Equatable {
    let address: String
    let value: UInt8
    /// Of user and password; 0: none.
    let checksum: UInt32
}
