/// What a user's mail may come to (reference/storage.md 16): a quota root that holds all personal mailboxes.
package struct QuotaSettings: Sendable, Equatable {
    /// Name of the root, as GETQUOTA shows it: `User quota`.
    package var name: [UInt8]
    /// Limits of all mailboxes together, before the rules of single ones.
    package var storage = QuotaLimit()
    package var messages = QuotaLimit()
    /// What is different in single mailboxes; the last one that matches counts.
    package var mailboxes: [MailboxQuota] = []
    /// What a delivery may go beyond the storage limit when that is not yet reached (`quota_grace`).
    package var grace = QuotaChange.percent(10)
    /// Whether this process has the grace: deliveries do, clients do not.
    package var hasGrace = false
    /// Bytes of one message; nil: any.
    package var mailSize: Int64?
    /// Sentence for who is refused.
    package var exceededMessage = "Quota exceeded (mailbox for user is full)"
    /// False: counted and shown, never refused.
    package var isEnforced = true
    /// Not shown to clients.
    package var isHidden = false

    package init(name: [UInt8]) { self.name = name }

    /// The limits when something is saved in this mailbox. `name` is that of the namespace, UTF-8.
    package func limits(of name: [UInt8]) -> MailboxLimits {
        var limits = MailboxLimits(storage: storage.bytes, messages: messages.bytes)
        for rule in mailboxes where rule.matches(name) {
            limits.isIgnored = rule.isIgnored
            if let change = rule.storage { limits.storage = change.applied(to: storage.bytes) }
            if let change = rule.messages { limits.messages = change.applied(to: messages.bytes) }
        }
        return limits
    }
}

/// A limit of the root; nil: none. `percentage` comes on top of a number that was given elsewhere (2.4: `quota_storage_percentage`).
package struct QuotaLimit: Sendable, Equatable {
    package var number: Int64?
    package var percentage: Int64 = 100
    package var extra: Int64 = 0

    package init() {}

    /// The limit that holds.
    package var bytes: Int64? {
        number.map { $0.share(percent: max(0, percentage)).clampedSum(extra) }
    }
}

/// What holds for saving in one mailbox.
package struct MailboxLimits: Sendable, Equatable {
    /// Bytes, lines ending with CR LF; nil: no limit.
    package var storage: Int64?
    package var messages: Int64?
    /// Its messages do not count, and are never refused.
    package var isIgnored = false
}

/// How a mailbox's limit differs from that of the root.
package enum QuotaChange: Sendable, Equatable {
    /// Instead of it; nil: none.
    case absolute(Int64?)
    case plus(Int64)
    /// This much of it on top.
    case percent(Int64)

    package func applied(to limit: Int64?) -> Int64? {
        switch self {
        case .absolute(let value): return value
        case .plus(let value): return limit.map { $0.clampedSum(value) }
        case .percent(let value): return limit.map { $0.clampedSum($0.share(percent: value)) }
        }
    }
}

/// The rule of one mailbox, or of several by a mask with `*` and `?`.
package struct MailboxQuota: Sendable, Equatable {
    package var mask: [UInt8]
    package var isIgnored = false
    package var storage: QuotaChange?
    package var messages: QuotaChange?

    package init(mask: [UInt8]) { self.mask = mask }

    func matches(_ name: [UInt8]) -> Bool {
        if mask.count == 5, name.count == 5, Self.isInbox(mask), Self.isInbox(name) { return true }
        return WildcardMask.matches(mask, name)
    }

    private static func isInbox(_ name: [UInt8]) -> Bool { name.map { $0 & 0xdf } == Array("INBOX".utf8) }
}

/// `*` stands for any bytes, `?` for one; time grows with the product of the lengths at most.
package enum WildcardMask {
    package static func matches(_ mask: [UInt8], _ name: [UInt8]) -> Bool {
        var (position, index) = (0, 0)
        var star: (mask: Int, name: Int)?
        while index < name.count {
            if position < mask.count, mask[position] == 0x2a {
                star = (position, index)
                position += 1
            } else if position < mask.count, mask[position] == 0x3f || mask[position] == name[index] {
                position += 1
                index += 1
            } else if let last = star {
                position = last.mask + 1
                index = last.name + 1
                star = (last.mask, index)
            } else {
                return false
            }
        }
        return mask[position...].allSatisfy { $0 == 0x2a }
    }
}

/// How much there is.
package struct QuotaUsage: Sendable, Equatable {
    /// Bytes, lines ending with CR LF.
    package var storage: Int64 = 0
    package var messages: Int64 = 0

    package init(storage: Int64 = 0, messages: Int64 = 0) {
        self.storage = storage
        self.messages = messages
    }
}

extension Int64 {
    /// That many hundredths, at the end of the range when it is beyond.
    func share(percent: Int64) -> Int64 {
        let (whole, overflow) = (self / 100).multipliedReportingOverflow(by: percent)
        let (rest, restOverflow) = (self % 100).multipliedReportingOverflow(by: percent)
        if overflow || restOverflow { return percent < 0 ? .min : .max }
        let (sum, sumOverflow) = whole.addingReportingOverflow(rest / 100)
        return sumOverflow ? (percent < 0 ? .min : .max) : sum
    }

    /// At the ends of the range it stays there; never below 0.
    func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : 0) : Swift.max(0, sum)
    }
}
