internal import IPCProtocol

/// Every session of the suite: who, from where, in which process. A value without I/O.
struct SessionTable {
    /// A service's channel; sessions belong to the one that announced them.
    typealias Owner = UInt64

    struct Key: Hashable {
        let owner: Owner
        let id: UInt64
    }

    private struct Group: Hashable {
        let user: String
        let address: String
        let service: String
    }

    private(set) var sessions: [Key: SessionRequest] = [:]
    private var counts: [Group: Int] = [:]
    /// Sessions whose zygote died: their processes may live on, and a new zygote asks for them by pid.
    private var orphans: [UInt32: (session: SessionRequest, since: Int64)] = [:]

    /// How long an orphan counts, in milliseconds. A zygote that keeps failing is tried again after 60 s at the latest; a process that nobody
    /// has adopted by then died together with its zygote.
    static let orphanPatience: Int64 = 120_000

    /// Sessions, orphans included: what `who` shows.
    var all: [SessionRequest] { Array(sessions.values) + orphans.values.map(\.session) }

    /// Counts a session if its user and address may have one more; answers the count that was too many otherwise (operations.md 9).
    mutating func admit(_ request: SessionRequest, of owner: Owner) -> Int? {
        let group = Self.group(request)
        let count = counts[group, default: 0]
        if request.limit > 0, !request.address.isEmpty, count >= request.limit { return count }
        insert(request, of: owner)
        return nil
    }

    /// Counts a session that already runs.
    mutating func insert(_ request: SessionRequest, of owner: Owner) {
        let key = Key(owner: owner, id: request.id)
        if let before = sessions.updateValue(request, forKey: key) { release(before) }
        counts[Self.group(request), default: 0] += 1
    }

    mutating func started(_ id: UInt64, pid: UInt32, of owner: Owner) {
        sessions[Key(owner: owner, id: id)]?.pid = pid
    }

    mutating func left(_ id: UInt64, of owner: Owner) {
        if let gone = sessions.removeValue(forKey: Key(owner: owner, id: id)) { release(gone) }
    }

    /// The owner's channel closed. Its sessions keep counting until a successor adopts them, or for `orphanPatience`.
    mutating func orphan(_ owner: Owner, now: Int64) {
        for (key, session) in sessions where key.owner == owner {
            sessions[key] = nil
            guard session.pid != 0 else {
                release(session)
                continue
            }
            if let before = orphans.updateValue((session, now), forKey: session.pid) { release(before.session) }
        }
    }

    /// A successor took over a process; answers its session under the new owner's id.
    mutating func adopt(_ pid: UInt32, of owner: Owner) -> SessionRequest? {
        guard var session = orphans.removeValue(forKey: pid)?.session else { return nil }
        release(session)
        session.id = UInt64(pid) | 1 << 63  // ids of a zygote count from 1 and never get there
        insert(session, of: owner)
        return session
    }

    /// Forgets orphans that nobody adopted in time.
    mutating func dropOrphans(now: Int64) {
        for (pid, orphan) in orphans where now - orphan.since >= Self.orphanPatience {
            orphans[pid] = nil
            release(orphan.session)
        }
    }

    /// When `dropOrphans` is wanted next, or nil.
    var firstOrphanEnds: Int64? { orphans.values.map(\.since).min().map { $0 + Self.orphanPatience } }

    private mutating func release(_ session: SessionRequest) {
        let group = Self.group(session)
        guard let count = counts[group] else { return }
        counts[group] = count > 1 ? count - 1 : nil
    }

    private static func group(_ session: SessionRequest) -> Group {
        Group(user: session.user, address: session.address, service: session.service)
    }
}

/// Penalties of addresses after failed authentications (auth.md 13). Times are monotonic milliseconds.
struct PenaltyTable {
    private struct Entry {
        var value: UInt8
        var changed: Int64
        var recent: [UInt32]
    }

    /// An entry is forgotten this long after its last change: 2 + 4 + 8 + 15 s.
    private static let lifetime: Int64 = 29_000
    /// Addresses remembered at most; beyond that the oldest make room.
    private static let capacity = 100_000
    private static let rememberedPairs = 10

    private var entries: [String: Entry] = [:]

    /// The penalty, and how many seconds ago it changed.
    mutating func value(of address: String, now: Int64) -> (value: UInt8, secondsAgo: UInt32) {
        guard let entry = entries[address] else { return (0, 0) }
        guard now - entry.changed < Self.lifetime else {
            entries[address] = nil
            return (0, 0)
        }
        return (entry.value, UInt32(clamping: (now - entry.changed) / 1000))
    }

    /// Sets a penalty; a user and password pair seen before only renews its time.
    mutating func set(_ address: String, value: UInt8, checksum: UInt32, now: Int64) {
        guard value > 0 else {
            entries[address] = nil
            return
        }
        var entry = entries[address] ?? Entry(value: 0, changed: now, recent: [])
        entry.changed = now
        if checksum == 0 || !entry.recent.contains(checksum) {
            entry.value = min(value, 4)
            if checksum != 0 { entry.recent = [checksum] + entry.recent.prefix(Self.rememberedPairs - 1) }
        }
        if entries.count >= Self.capacity && entries[address] == nil { expire(now) }
        entries[address] = entry
    }

    private mutating func expire(_ now: Int64) {
        entries = entries.filter { now - $0.value.changed < Self.lifetime }
        guard entries.count >= Self.capacity else { return }
        // Forget rather than grow, the older half: a flood of addresses must not wipe out what has just been learned.
        let times = entries.values.map(\.changed).sorted()
        let middle = times[times.count / 2]
        entries = entries.filter { $0.value.changed > middle }
    }
}
