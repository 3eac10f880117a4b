/// Tickets that wait to be redeemed: the only thing that login can hand on, and it says nothing (security.md 5).
///
/// Each has 128 random bits, is good once and for 60 s, only for the login process that got it and for its client's address, and is void
/// when that process goes.
struct TicketBook<Grant> {
    private struct Entry {
        let remoteAddress: String
        let expires: Int64
        let grant: Grant
    }

    /// The bits of a ticket. Found by a hash with a key of this process (SipHash) and compared in constant time: how long a lookup takes says
    /// nothing about the tickets there are.
    private struct Secret: Hashable {
        let high: UInt64
        let low: UInt64

        static func == (a: Secret, b: Secret) -> Bool { (a.high ^ b.high) | (a.low ^ b.low) == 0 }

        static func random() -> Secret {
            var source = SystemRandomNumberGenerator()
            return Secret(high: source.next(), low: source.next())
        }

        private init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }

        init?(_ bytes: [UInt8]) {
            guard bytes.count == 16 else { return nil }
            high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
            low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
        }

        var bytes: [UInt8] {
            [high, low].flatMap { half in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> UInt64($0)) } }
        }
    }

    private var byHolder: [UInt32: [Secret: Entry]] = [:]

    /// Makes a ticket; nil when this login process already has more waiting than can be.
    mutating func issue(_ grant: Grant, to holder: UInt32, remoteAddress: String, now: Int64) -> [UInt8]? {
        if byHolder[holder, default: [:]].count >= Limits.tickets { expire(now: now) }
        guard byHolder[holder, default: [:]].count < Limits.tickets else { return nil }
        let secret = Secret.random()
        byHolder[holder, default: [:]][secret] = Entry(remoteAddress: remoteAddress, expires: now + Limits.ticketLife, grant: grant)
        return secret.bytes
    }

    /// What the ticket stands for; it is used up. Nil: wrong, used, too old, of another process or another client.
    mutating func redeem(_ ticket: [UInt8], of holder: UInt32, remoteAddress: String, now: Int64) -> Grant? {
        guard let secret = Secret(ticket), let entry = byHolder[holder]?.removeValue(forKey: secret) else { return nil }
        if byHolder[holder]?.isEmpty == true { byHolder[holder] = nil }
        guard entry.expires > now, entry.remoteAddress == remoteAddress else { return nil }
        return entry.grant
    }

    /// The login process has gone.
    mutating func void(_ holder: UInt32) { byHolder[holder] = nil }

    mutating func expire(now: Int64) {
        byHolder = byHolder.compactMapValues { entries in
            let kept = entries.filter { $0.value.expires > now }
            return kept.isEmpty ? nil : kept
        }
    }

    var count: Int { byHolder.values.reduce(0) { $0 + $1.count } }
}
