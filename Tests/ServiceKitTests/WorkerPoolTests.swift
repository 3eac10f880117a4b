import Platform
import Testing

@testable import ServiceKit

private func limits(minimum: Int = 0, processes: Int = 10, clients: Int = 1, requests: Int = 1) -> WorkerPool.Limits {
    var limits = WorkerPool.Limits()
    limits.minimum = minimum
    limits.processes = processes
    limits.clients = clients
    limits.requests = requests
    return limits
}

private let success = ExitStatus(code: 0, signal: nil)
private let killed = ExitStatus(code: nil, signal: 9)
private let failure = ExitStatus(code: 89, signal: nil)

private struct Order: StartOrderLimits {
    var processMinimum: UInt32 = 0
    var processLimit: UInt32 = 0
    var clientLimit: UInt32 = 0
    var requestLimit: UInt32 = 0
    var idleKillMilliseconds: UInt64 = 0
}

@Suite("The limits of a service")
struct WorkerLimitsTests {
    @Test("never fall below one process with one client") func least() {
        let limits = WorkerPool.Limits(Order())
        #expect(limits.processes == 1 && limits.clients == 1 && limits.requests == 0 && limits.idleKill == 0)
    }

    @Test("may be as large as they travel") func largest() {
        let limits = WorkerPool.Limits(
            Order(processMinimum: .max, processLimit: .max, clientLimit: .max, requestLimit: .max, idleKillMilliseconds: .max))
        #expect(limits.processes == Int(UInt32.max) && limits.idleKill == .max)
    }

    @Test(
        "give slots: client_limit, but not more than service_count",
        arguments: [(1, 0, 1), (100, 0, 100), (100, 1, 1), (100, 7, 7), (3, 7, 3)])
    func slots(_ clients: Int, _ requests: Int, _ slots: Int) {
        #expect(limits(clients: clients, requests: requests).slots == slots)
    }

    @Test(
        "are named as the one that was hit, with what raises it",
        arguments: [
            (10, 1, 1, "process_limit (10)", "service imap { process_limit = 20 }"),
            (10, 5, 0, "process_limit (10)", "service imap { process_limit = 20 }"),
            (1, 1, 1, "client_limit/service_count (1)", "service imap { process_limit = 2 }"),
            (1, 200, 0, "client_limit (200)", "service imap { client_limit = 400 }"),
        ])
    func names(_ processes: Int, _ clients: Int, _ requests: Int, _ reached: String, _ remedy: String) {
        let limits = limits(processes: processes, clients: clients, requests: requests)
        #expect(limits.reached == reached)
        #expect(limits.remedy(for: "imap") == remedy)
    }
}

@Suite("A pool of workers")
struct WorkerPoolTests {
    private func pool(_ limits: WorkerPool.Limits) -> WorkerPool { WorkerPool(service: "imap", limits: limits) }

    @Test("starts processes up to process_limit, adopted ones included") func processLimit() {
        var pool = pool(limits(processes: 3))
        pool.started(1, clients: 1, unixTime: 0)
        pool.adopt(2, unixTime: 0)
        #expect(pool.mayStart)
        pool.started(3, clients: 1, unixTime: 0)
        #expect(!pool.mayStart && pool.startedInAll == 2)
        _ = pool.ended(2, success, now: 0)
        #expect(pool.mayStart)
    }

    @Test("gives a client to the worker with the fewest, and to none that is full") func roomiest() {
        var pool = pool(limits(clients: 2, requests: 0))
        pool.started(1, clients: 1, unixTime: 0)
        pool.started(2, clients: 0, unixTime: 0)
        #expect(pool.roomiest == 2)
        pool.assigned(to: 2)
        pool.assigned(to: 2)
        #expect(pool.roomiest == 1)
        pool.assigned(to: 1)
        #expect(pool.roomiest == nil && pool.available == 0)
        let isFreed = pool.reported(2, clients: 1, unixTime: 5)
        #expect(isFreed)
        #expect(pool.roomiest == 2 && pool.hasRoom(2) && !pool.hasRoom(1) && !pool.hasRoom(9))
    }

    @Test("counts what a worker has served in its life against service_count") func serviceCount() throws {
        var pool = pool(limits(clients: 2, requests: 3))
        pool.started(1, clients: 1, unixTime: 0)
        #expect(pool.freeSlots(of: try #require(pool.workers[1])) == 1)
        _ = pool.reported(1, clients: 0, unixTime: 1)
        #expect(pool.freeSlots(of: try #require(pool.workers[1])) == 2)
        pool.assigned(to: 1)
        _ = pool.reported(1, clients: 0, unixTime: 2)
        #expect(pool.freeSlots(of: try #require(pool.workers[1])) == 1)
        pool.assigned(to: 1)
        _ = pool.reported(1, clients: 0, unixTime: 3)
        #expect(pool.roomiest == nil)
        #expect(pool.workers[1]?.served == 3)
    }

    @Test("wants idle workers up to process_min_avail, ten in one round, within process_limit") func missing() {
        var pool = pool(limits(minimum: 30, processes: 14))
        #expect(pool.missing == 10)
        for pid in 1...10 { pool.started(Int32(pid), clients: 0, unixTime: 0) }
        #expect(pool.missing == 4)
        for pid in 11...14 { pool.started(Int32(pid), clients: 0, unixTime: 0) }
        #expect(pool.missing == 0)
        #expect(self.pool(limits()).missing == 0)
    }

    @Test("wants a further idle worker when one got a client") func refill() {
        var pool = pool(limits(minimum: 2))
        pool.started(1, clients: 0, unixTime: 0)
        pool.started(2, clients: 0, unixTime: 0)
        #expect(pool.missing == 0)
        pool.assigned(to: 1)
        #expect(pool.missing == 1)
    }

    @Test("gives nothing new to adopted and retired workers") func closedWorkers() {
        var pool = pool(limits(clients: 5, requests: 0))
        pool.adopt(1, unixTime: 0)
        pool.started(2, clients: 0, unixTime: 0)
        #expect(pool.roomiest == 2)
        pool.retireAll()
        #expect(pool.roomiest == nil && pool.available == 0 && pool.idle == 0)
    }

    @Test("hears nothing of processes it does not know") func strangers() {
        var pool = pool(limits())
        let isFreed = pool.reported(7, clients: 1, unixTime: 0)
        #expect(!isFreed)
        pool.assigned(to: 7)
        pool.asked(toEnd: 7, unixTime: 0)
        let ended = pool.ended(7, failure, now: 0).worker
        #expect(ended == nil)
        #expect(pool.workers.isEmpty)
    }

    @Test("ends workers that were idle for a whole interval, the longest idle first") func idleVictims() {
        var pool = pool(limits(minimum: 1, requests: 0))
        for pid in 1...4 { pool.started(Int32(pid), clients: 0, unixTime: Int64(10 - pid)) }
        var victims = pool.idleVictims()
        #expect(victims == [], "they became idle in this interval")
        pool.assigned(to: 4)
        _ = pool.reported(4, clients: 0, unixTime: 20)
        victims = pool.idleVictims()
        #expect(victims == [3, 2], "three were always idle, one of which process_min_avail keeps")
        #expect(pool.workers[3]?.isRetired == true && pool.roomiest != 3 && pool.roomiest != 2)
    }

    @Test("keeps workers that are needed now and then") func lowWater() {
        var pool = pool(limits(requests: 0))
        for pid in 1...3 { pool.started(Int32(pid), clients: 0, unixTime: 0) }
        _ = pool.idleVictims()
        for pid in 1...3 { pool.assigned(to: Int32(pid)) }
        for pid in 1...3 { _ = pool.reported(Int32(pid), clients: 0, unixTime: 1) }
        let victims = pool.idleVictims()
        #expect(victims == [])
    }

    @Test("warns once a second, with limit, value, consequence and remedy") func warnings() {
        var pool = pool(limits(processes: 5))
        func warn(_ now: Int64, dropping: Bool = false) -> String? {
            pool.warnOfLimit(queued: 3, queueLimit: 512, dropping: dropping, now: now, unixTime: 77)?.text
        }
        #expect(
            warn(0) == "service(imap): process_limit (5) reached, client connections are being queued (3 of at most 512 waiting);"
                + " raise it: service imap { process_limit = 10 }")
        #expect(warn(999) == nil)
        #expect(
            warn(1000, dropping: true) == "service(imap): process_limit (5) reached, client connections are being dropped;"
                + " raise it: service imap { process_limit = 10 }")
        #expect(warn(1001) == nil && pool.lastWarning == 77)
    }

    @Test("does not throttle for workers that were asked to end, or that are not its own") func askedToEnd() {
        var pool = pool(limits(processes: 100))
        for pid in 1...40 {
            if pid % 2 == 0 { pool.adopt(Int32(pid), unixTime: 0) } else { pool.started(Int32(pid), clients: 1, unixTime: 0) }
            pool.asked(toEnd: Int32(pid), unixTime: 5)
            let throttled = pool.ended(Int32(pid), ExitStatus(code: nil, signal: 15), now: 0).throttled
            #expect(throttled == nil)
        }
        #expect(pool.mayStart)
    }

    @Test("throttles at once when a worker fails before its first report, by exit code or by signal", arguments: [failure, killed])
    func failsBeforeItWorks(_ status: Platform.ExitStatus) {
        var pool = pool(limits(processes: 100))
        pool.started(1, clients: 1, unixTime: 0)
        let throttled = pool.ended(1, status, now: 0).throttled
        #expect(throttled == 2_000 && !pool.mayStart)
    }

    @Test("does not throttle at once for a worker that fails after its first report, nor for one that ends well before it")
    func failsAfterItWorked() {
        var pool = pool(limits(processes: 100))
        pool.started(1, clients: 1, unixTime: 0)
        pool.reported(1)
        pool.started(2, clients: 1, unixTime: 0)
        let failed = pool.ended(1, failure, now: 0).throttled
        let ended = pool.ended(2, success, now: 0).throttled
        #expect(failed == nil && ended == nil && pool.mayStart)
    }

    @Test("takes a worker that has worked for ten seconds as proof that the service works") func proof() {
        for isProven in [false, true] {
            var pool = pool(limits(processes: 100))
            pool.started(99, clients: 1, unixTime: 0, now: 0)
            if isProven { pool.reported(99) }
            var throttled: Int64?
            for pid in Int32(1)...11 {
                pool.started(pid, clients: 1, unixTime: 0, now: 11_000)
                pool.reported(pid)
                throttled = throttled ?? pool.ended(pid, failure, now: 11_000).throttled
            }
            #expect((throttled == nil) == isProven)
        }
    }

    @Test("names workers whose first report does not come within 30 seconds, each once, and does not throttle for them") func overdue() {
        var pool = pool(limits(processes: 100))
        pool.started(1, clients: 1, unixTime: 0, now: 100)
        pool.started(2, clients: 1, unixTime: 0, now: 100)
        pool.adopt(3, unixTime: 0)
        pool.reported(2)
        #expect(pool.nextOverdue == 30_100)
        var found = pool.overdue(now: 30_099)
        #expect(found == [])
        found = pool.overdue(now: 30_100)
        #expect(found == [1] && pool.nextOverdue == nil)
        found = pool.overdue(now: 60_000)
        #expect(found == [])
        let throttled = pool.ended(1, killed, now: 30_200).throttled
        #expect(throttled == nil && pool.mayStart)
    }

    @Test("stops starting while throttled, and wants no idle workers then") func throttled() {
        var pool = pool(limits(minimum: 2))
        let delay = pool.forkFailed(now: 0)
        #expect(delay == 2_000)
        #expect(!pool.mayStart && pool.missing == 0)
        pool.unthrottle()
        #expect(pool.mayStart && pool.missing == 2)
    }
}

@Suite("Throttling of failing starts")
struct StartThrottleTests {
    /// One failure every `gap` milliseconds; answers after how many it began, and for how long it waits.
    private func fail(_ count: Int, every gap: Int64, isProven: Bool = false, _ throttle: inout StartThrottle) -> (
        after: Int, delay: Int64
    )? {
        for number in 1...count {
            if let delay = throttle.failed(isProven: isProven, now: Int64(number) * gap) { return (number, delay) }
        }
        return nil
    }

    @Test(
        "begins with the eleventh failure in one second", arguments: [(1, 11), (50, 11), (90, 11), (100, 0), (2_000, 0)] as [(Int64, Int)])
    func begins(_ gap: Int64, _ after: Int) {
        var throttle = StartThrottle()
        let found = fail(60, every: gap, &throttle)
        #expect((found?.after ?? 0) == after)
        #expect(throttle.isActive == (after > 0))
    }

    @Test("waits 2 seconds, doubling to 60") func delays() {
        var throttle = StartThrottle()
        var delays: [Int64] = []
        for _ in 0..<7 {
            delays.append(throttle.beginAfterFailure(now: 0) ?? -1)
            #expect(throttle.until == delays.last)
            throttle.end()
        }
        #expect(delays == [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    }

    @Test("does not begin after a success, which also shortens the delay again") func success() {
        var throttle = StartThrottle()
        _ = throttle.beginAfterFailure(now: 0)
        throttle.end()
        _ = throttle.beginAfterFailure(now: 0)
        throttle.end()
        throttle.succeeded()
        let begun = fail(50, every: 1, &throttle)
        #expect(begun == nil)
        let delay = throttle.beginAfterFailure(now: 0)
        #expect(delay == 2_000)
    }

    @Test("does not begin while a process that works shows that the service does") func proven() {
        var throttle = StartThrottle()
        let begun = fail(50, every: 1, isProven: true, &throttle)
        #expect(begun == nil && throttle.failuresInSecond == 50)
    }

    @Test("counts several that fail at once as one") func atOnce() {
        var throttle = StartThrottle()
        let first = throttle.beginAfterFailure(now: 0)
        let second = throttle.beginAfterFailure(now: 5)
        #expect(first == 2_000 && second == nil && throttle.until == 2_000)
        throttle.end()
        let third = throttle.beginAfterFailure(now: 2_000)
        #expect(third == 4_000)
    }

    @Test("counts the failures of this second") func counts() {
        var throttle = StartThrottle()
        for time in [0, 10, 999] as [Int64] { _ = throttle.failed(isProven: false, now: time) }
        #expect(throttle.failuresInSecond == 3)
        _ = throttle.failed(isProven: false, now: 1000)
        #expect(throttle.failuresInSecond == 1 && throttle.lastFailure > 0)
    }
}
