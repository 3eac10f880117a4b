/// What one transaction may still save: asked before bytes are taken, and again when all of it is about to become visible.
struct QuotaAllowance {
    let settings: QuotaSettings
    let limits: MailboxLimits
    /// Of this transaction, not counted in the usage yet.
    private var pending = QuotaUsage()
    /// As it was when it was asked first.
    private var usage: QuotaUsage?

    init(_ settings: QuotaSettings, _ limits: MailboxLimits) {
        self.settings = settings
        self.limits = limits
    }

    /// Throws `.tooBig` and `.overQuota` when a message of `size` bytes (lines ending with CR LF) may not come on top.
    mutating func admit(_ size: Int64, _ count: () throws(StoreError) -> QuotaUsage) throws(StoreError) {
        if let most = settings.mailSize, size > most { throw .tooBig("Message is larger than \(most) bytes") }
        guard isLimited else { return }
        let before = if let usage { usage } else { try count() }
        usage = before
        try check(before, QuotaUsage(storage: pending.storage.clampedSum(size), messages: pending.messages + 1))
    }

    /// A message is ready. One that comes from a mailbox that counts already changes nothing.
    mutating func add(_ size: Int64, isMoved: Bool = false) {
        guard !isMoved else { return }
        pending.storage = pending.storage.clampedSum(size)
        pending.messages += 1
    }

    var isLimited: Bool { settings.isEnforced && !limits.isIgnored && (limits.storage != nil || limits.messages != nil) }

    /// The last look, with what others saved meanwhile.
    func checkAll(_ usage: QuotaUsage) throws(StoreError) {
        guard isLimited, pending.messages > 0 else { return }
        try check(usage, pending)
    }

    private func check(_ usage: QuotaUsage, _ coming: QuotaUsage) throws(StoreError) {
        if var most = limits.storage {
            if settings.hasGrace, usage.storage < most { most = settings.grace.extended(most) }
            guard coming.storage == 0 || usage.storage.clampedSum(coming.storage) <= most else {
                throw .overQuota(settings.exceededMessage)
            }
        }
        if let most = limits.messages, usage.messages.clampedSum(coming.messages) > most { throw .overQuota(settings.exceededMessage) }
    }
}

extension QuotaChange {
    /// A limit with the grace that this is.
    func extended(_ limit: Int64) -> Int64 {
        switch self {
        case .absolute(let value): limit.clampedSum(value ?? 0)
        case .plus, .percent: applied(to: limit) ?? limit
        }
    }
}
