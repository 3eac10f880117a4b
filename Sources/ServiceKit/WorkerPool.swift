package import Platform

/// The accounting of one service's workers: limits, free slots, failing starts, idle ones (services.md 7–10). A value without I/O: the zygote
/// reports what happened and carries out what it answers. Times are monotonic milliseconds.
package struct WorkerPool {
    /// The limits of a service.
    package struct Limits: Equatable, Sendable {
        package var minimum = 0
        package var processes = 1
        /// Clients per process at once.
        package var clients = 1
        /// Clients per process in its life; 0: unlimited.
        package var requests = 1
        /// Interval of the idle reaper; 0: never.
        package var idleKill: Int64 = 60_000

        package init() {}

        package init(_ order: some StartOrderLimits) {
            minimum = Int(order.processMinimum)
            processes = max(1, Int(order.processLimit))
            clients = max(1, Int(order.clientLimit))
            requests = Int(order.requestLimit)
            idleKill = Int64(clamping: order.idleKillMilliseconds)
        }

        /// client_limit, but never more than the process may serve in its life.
        package var slots: Int { requests == 0 ? clients : min(clients, requests) }

        /// The limit that a full service has hit, as services.md 8 names it.
        package var reached: String {
            if processes > 1 { return "process_limit (\(processes))" }
            return requests == 1 ? "client_limit/service_count (1)" : "client_limit (\(clients))"
        }

        /// What to write into the configuration to raise it.
        package func remedy(for service: String) -> String {
            if processes > 1 || requests == 1 { return "service \(service) { process_limit = \(max(2, processes * 2)) }" }
            return "service \(service) { client_limit = \(clients * 2) }"
        }
    }

    /// What is known of one worker.
    package struct Worker: Equatable, Sendable {
        package let pid: Int32
        package var clients: Int
        package var served: Int
        /// Unix seconds.
        package var started: Int64
        package var lastUpdate: Int64
        package var lastKill: Int64 = 0
        /// Unix seconds since which it has no client, or nil.
        package var idleSince: Int64?
        /// Of a dead predecessor: it counts, but takes nothing new.
        package var isAdopted = false
        /// Takes nothing new: its life's requests are used up, or a reload retired it.
        package var isRetired = false
        /// It has told that it works: its first report (services.md 7.1).
        package var hasReported = false
        /// Monotonic milliseconds of its start.
        package var since: Int64 = 0
        /// It was killed because its first report did not come.
        package var isOverdue = false
    }

    package let service: String
    package let limits: Limits
    package private(set) var workers: [Int32: Worker] = [:]
    package private(set) var startedInAll = 0
    package private(set) var throttle = StartThrottle()
    package private(set) var lastWarning: Int64 = 0
    private var warnedAt: Int64 = .min
    /// Fewest idle workers since the last idle round; none were idle before the first.
    private var idleLow = 0
    /// A worker must tell that it works within this time, in milliseconds (services.md 7.1).
    package static let startPatience: Int64 = 30_000
    /// A worker that reported and lives this long shows that the service works (services.md 10), in milliseconds.
    private static let provenAfter: Int64 = 10_000

    package init(service: String, limits: Limits) {
        self.service = service
        self.limits = limits
    }

    package func freeSlots(of worker: Worker) -> Int {
        guard !worker.isAdopted, !worker.isRetired else { return 0 }
        let rest = limits.requests == 0 ? Int.max : max(0, limits.requests - worker.served)
        return min(max(0, limits.slots - worker.clients), rest)
    }

    /// Whether a worker is known and takes one more client.
    package func hasRoom(_ pid: Int32) -> Bool { workers[pid].map { freeSlots(of: $0) > 0 } ?? false }

    /// Workers with at least one free slot.
    package var available: Int { workers.values.count { freeSlots(of: $0) > 0 } }
    /// Workers without clients that still take some.
    package var idle: Int { workers.values.count { $0.clients == 0 && freeSlots(of: $0) > 0 } }

    package var mayStart: Bool { workers.count < limits.processes && !throttle.isActive }

    /// How many idle workers process_min_avail still wants; at most 10 in one round.
    package var missing: Int {
        guard limits.minimum > 0, !throttle.isActive else { return 0 }
        return max(0, min(limits.minimum - available, limits.processes - workers.count, 10))
    }

    /// The worker with a free slot and the fewest clients.
    package var roomiest: Int32? {
        var best: Worker?
        for worker in workers.values where freeSlots(of: worker) > 0 {
            if best.map({ worker.clients < $0.clients }) ?? true { best = worker }
        }
        return best?.pid
    }

    package mutating func started(_ pid: Int32, clients: Int, unixTime: Int64, now: Int64 = 0) {
        startedInAll += 1
        var worker = Worker(
            pid: pid, clients: clients, served: clients, started: unixTime, lastUpdate: unixTime, idleSince: clients == 0 ? unixTime : nil)
        worker.since = now
        workers[pid] = worker
    }

    /// A worker said something for the first time: it works.
    package mutating func reported(_ pid: Int32) { workers[pid]?.hasReported = true }

    /// Workers whose first report is overdue, each once: they are to be killed.
    package mutating func overdue(now: Int64) -> [Int32] {
        let found = workers.values.filter {
            !$0.hasReported && !$0.isAdopted && !$0.isOverdue && now - $0.since >= Self.startPatience
        }
        for worker in found { workers[worker.pid]?.isOverdue = true }
        return found.map(\.pid)
    }

    /// When `overdue` should be asked next; nil: every worker has reported.
    package var nextOverdue: Int64? {
        workers.values.filter { !$0.hasReported && !$0.isAdopted && !$0.isOverdue }.map { $0.since + Self.startPatience }.min()
    }

    package mutating func adopt(_ pid: Int32, unixTime: Int64) {
        var worker = Worker(pid: pid, clients: 1, served: 1, started: unixTime, lastUpdate: unixTime)
        worker.isAdopted = true
        workers[pid] = worker
    }

    package mutating func assigned(to pid: Int32) {
        workers[pid]?.clients += 1
        workers[pid]?.served += 1
        workers[pid]?.idleSince = nil
        idleLow = min(idleLow, idle)
    }

    /// A worker reported its clients; answers whether a slot became free.
    package mutating func reported(_ pid: Int32, clients: Int, unixTime: Int64) -> Bool {
        guard var worker = workers[pid] else { return false }
        let freed = clients < worker.clients
        worker.clients = clients
        worker.lastUpdate = unixTime
        if clients > 0 { worker.idleSince = nil } else if worker.idleSince == nil { worker.idleSince = unixTime }
        workers[pid] = worker
        return freed
    }

    package mutating func retireAll() {
        for pid in workers.keys { workers[pid]?.isRetired = true }
    }

    package mutating func asked(toEnd pid: Int32, unixTime: Int64) { workers[pid]?.lastKill = unixTime }

    /// A worker ended; answers what is known of it, and for how long starts are throttled from now on (milliseconds), if they are.
    package mutating func ended(_ pid: Int32, _ status: ExitStatus, now: Int64) -> (worker: Worker?, throttled: Int64?) {
        let worker = workers.removeValue(forKey: pid)
        guard let worker, !worker.isAdopted else { return (worker, nil) }
        if status.isSuccess {
            throttle.succeeded()
            return (worker, nil)
        }
        if worker.lastKill > 0 { return (worker, nil) }  // neither: it ended because it was told to
        // What fails before it has said that it works will fail again. One that we killed for its silence may only have been slow.
        if !worker.hasReported && !worker.isOverdue { return (worker, throttle.beginAfterFailure(now: now)) }
        let isProven = workers.values.contains { $0.hasReported && now - $0.since > Self.provenAfter }
        return (worker, throttle.failed(isProven: isProven, now: now))
    }

    /// fork(2) failed: wait before the next try; answers for how long, or nil when waiting has begun already.
    package mutating func forkFailed(now: Int64) -> Int64? { throttle.beginAfterFailure(now: now) }

    package mutating func unthrottle() { throttle.end() }

    /// At most one warning per second (services.md 8); nil when it is too early.
    package mutating func warnOfLimit(queued: Int, queueLimit: Int, dropping: Bool, now: Int64, unixTime: Int64) -> LogText? {
        guard warnedAt == .min || now - warnedAt >= 1000 else { return nil }
        warnedAt = now
        lastWarning = unixTime
        let consequence = dropping ? "dropped" : "queued (\(queued) of at most \(queueLimit) waiting)"
        return LogText(
            trusted: "service(\(service)): \(limits.reached) reached, client connections are being \(consequence);"
                + " raise it: \(limits.remedy(for: service))")
    }

    /// Called once per idle interval: the workers to end, those idle for longest: as many as were never
    /// needed, less process_min_avail. They take nothing new from now on.
    package mutating func idleVictims() -> [Int32] {
        let low = min(idleLow, idle)
        idleLow = idle
        let count = low - limits.minimum
        guard count > 0 else { return [] }
        let idlers = workers.values.filter { $0.clients == 0 && freeSlots(of: $0) > 0 }
        let victims = idlers.sorted { ($0.idleSince ?? 0) < ($1.idleSince ?? 0) }.prefix(count).map(\.pid)
        // A client given to one of them now would be lost with it.
        for pid in victims { workers[pid]?.isRetired = true }
        return victims
    }
}

/// The numbers of a start order that make up a service's limits.
package protocol StartOrderLimits {
    var processMinimum: UInt32 { get }
    var processLimit: UInt32 { get }
    var clientLimit: UInt32 { get }
    var requestLimit: UInt32 { get }
    var idleKillMilliseconds: UInt64 { get }
}

/// Slows down a service whose processes keep failing: 2 s, doubling to 60 s; one success resets it (services.md 10).
package struct StartThrottle: Equatable, Sendable {
    /// Failures within one second before starts are throttled, while there has been no success.
    package static let tolerated = 10
    private static let first: Int64 = 2_000
    private static let longest: Int64 = 60_000

    private var delay = first
    private var hasSucceeded = false
    private var windowStart: Int64 = .min
    package private(set) var failuresInSecond = 0
    /// Unix seconds of the last failure, 0: never.
    package private(set) var lastFailure: Int64 = 0
    /// Monotonic milliseconds until which nothing is started, or nil.
    package private(set) var until: Int64?

    package init() {}

    package var isActive: Bool { until != nil }

    /// A process ended well.
    package mutating func succeeded() {
        hasSucceeded = true
        delay = Self.first
    }

    /// A process that had worked failed; answers the delay in milliseconds when that was one failure too many. `isProven`: another process
    /// has worked for long, so the service as such does.
    package mutating func failed(isProven: Bool, now: Int64) -> Int64? {
        count(now)
        guard !hasSucceeded, !isProven, failuresInSecond > Self.tolerated else { return nil }
        return begin(now: now)
    }

    /// A process failed before it worked, or could not be made at all: starts waiting now, whatever happened before; answers for how long,
    /// or nil when waiting has begun already.
    package mutating func beginAfterFailure(now: Int64) -> Int64? {
        count(now)
        return begin(now: now)
    }

    private mutating func count(_ now: Int64) {
        lastFailure = Clock.unixSeconds
        if windowStart == .min || now - windowStart >= 1000 {
            windowStart = now
            failuresInSecond = 0
        }
        failuresInSecond += 1
    }

    private mutating func begin(now: Int64) -> Int64? {
        // Several processes that fail at once are one failure: the waiting that has begun goes on.
        guard until == nil else { return nil }
        let current = delay
        until = now + current
        delay = min(delay * 2, Self.longest)
        return current
    }

    package mutating func end() { until = nil }
}
