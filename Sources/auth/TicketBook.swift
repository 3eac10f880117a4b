internal import PasswordStore

/// Tickets that wait to be redeemed: the only thing that login can hand on, and it says nothing (security.md 5).
///
/// Each has 128 random bits, is good once and for 60 s, only for the login process that got it and for its client's address, and is void
/// when that process goes.
struct TicketBook<Grant> {
    private struct Entry {
        let secret: [UInt8]
        let remoteAddress: String
        let expires: Int64
        let grant: Grant
    }

    private var byHolder: [UInt32: [Entry]] = [:]

    /// Makes a ticket; nil when this login process already has more waiting than can be.
    mutating func issue(_ grant: Grant, to holder: UInt32, remoteAddress: String, now: Int64) -> [UInt8]? {
        byHolder[holder, default: []].removeAll { $0.expires <= now }
        guard byHolder[holder, default: []].count < Limits.tickets else { return nil }
        var random = SystemRandomNumberGenerator()
        var secret: [UInt8] = []
        for _ in 0..<2 {
            let half: UInt64 = random.next()
            for shift in stride(from: UInt64(0), to: 64, by: 8) { secret.append(UInt8(truncatingIfNeeded: half >> shift)) }
        }
        byHolder[holder, default: []].append(
            Entry(secret: secret, remoteAddress: remoteAddress, expires: now + Limits.ticketLife, grant: grant))
        return secret
    }

    /// What the ticket stands for; it is used up. Nil: wrong, used, too old, of another process or another client.
    mutating func redeem(_ secret: [UInt8], of holder: UInt32, remoteAddress: String, now: Int64) -> Grant? {
        guard let entries = byHolder[holder] else { return nil }
        var found: Int?
        // Every ticket of this process is compared, each in constant time.
        for (index, entry) in entries.enumerated() where isEqualInConstantTime(entry.secret, secret) { found = index }
        guard let found else { return nil }
        let entry = byHolder[holder]?.remove(at: found)
        if byHolder[holder]?.isEmpty == true { byHolder[holder] = nil }
        guard let entry, entry.expires > now, entry.remoteAddress == remoteAddress else { return nil }
        return entry.grant
    }

    /// The login process has gone.
    mutating func void(_ holder: UInt32) { byHolder[holder] = nil }

    mutating func expire(now: Int64) {
        for holder in byHolder.keys {
            byHolder[holder]?.removeAll { $0.expires <= now }
            if byHolder[holder]?.isEmpty == true { byHolder[holder] = nil }
        }
    }

    var count: Int { byHolder.values.reduce(0) { $0 + $1.count } }
}
