/// Refusals that wait for their time, so that guessing passwords is slow while nobody else waits (auth.md 13).
struct DelayedAnswers {
    struct Answer: Equatable {
        let key: RequestKey
        let refusal: Refusal
    }

    /// Ordered by time.
    private var waiting: [Answer] = []

    var count: Int { waiting.count }
    /// When the first one is due.
    var next: Int64? { waiting.first?.refusal.notBefore }

    mutating func add(_ key: RequestKey, _ refusal: Refusal) {
        // Nearly always the latest of all.
        var place = waiting.count
        while place > 0, waiting[place - 1].refusal.notBefore > refusal.notBefore { place -= 1 }
        waiting.insert(Answer(key: key, refusal: refusal), at: place)
    }

    /// Those whose time has come; they are no longer kept.
    mutating func due(_ now: Int64) -> [Answer] {
        let count = waiting.prefix { $0.refusal.notBefore <= now }.count
        guard count > 0 else { return [] }
        let due = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return due
    }

    func holds(_ key: RequestKey) -> Bool { waiting.contains { $0.key == key } }

    mutating func drop(_ key: RequestKey) { waiting.removeAll { $0.key == key } }
    mutating func drop(channel: UInt64) { waiting.removeAll { $0.key.channel == channel } }
}
