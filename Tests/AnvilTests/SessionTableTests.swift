import IPCProtocol
import Testing

@testable import anvil

private func session(
    _ id: UInt64, user: String = "ada", address: String = "192.0.2.1", service: String = "imap", pid: UInt32 = 0, limit: UInt32 = 2
) -> SessionRequest {
    var request = SessionRequest()
    request.id = id
    request.user = user
    request.address = address
    request.service = service
    request.pid = pid
    request.limit = limit
    return request
}

@Suite("The table of sessions")
struct SessionTableTests {
    /// Admits, and answers what anvil would: nil for yes, else the count that was too many.
    private func admit(_ table: inout SessionTable, _ request: SessionRequest, of owner: UInt64 = 1) -> Int? {
        table.admit(request, of: owner)
    }

    @Test("admits up to the limit of user, address and service together") func limit() {
        var table = SessionTable()
        let answers = [
            admit(&table, session(1)), admit(&table, session(2)), admit(&table, session(3)),
            admit(&table, session(4, user: "bob")), admit(&table, session(5, address: "192.0.2.2")),
            admit(&table, session(6, service: "pop3")), admit(&table, session(7)),
        ]
        #expect(answers == [nil, nil, 2, nil, nil, nil, 2])
        #expect(table.all.count == 5)
    }

    @Test("counts across the zygotes of one service") func owners() {
        var table = SessionTable()
        let answers = [admit(&table, session(1), of: 1), admit(&table, session(1), of: 2), admit(&table, session(2), of: 2)]
        #expect(answers == [nil, nil, 2])
    }

    @Test("has no limit for 0 and for sessions without an address") func unlimited() {
        var table = SessionTable()
        for id in 0..<50 {
            let answers = [admit(&table, session(UInt64(id), limit: 0)), admit(&table, session(UInt64(100 + id), address: ""))]
            #expect(answers == [nil, nil])
        }
    }

    @Test("has room again when a session left; what it does not know leaves nothing") func left() {
        var table = SessionTable()
        _ = admit(&table, session(1))
        _ = admit(&table, session(2))
        table.left(9, of: 1)
        table.left(1, of: 2)
        #expect(admit(&table, session(3)) == 2)
        table.left(1, of: 1)
        table.left(1, of: 1)
        let answers = [admit(&table, session(3)), admit(&table, session(4))]
        #expect(answers == [nil, 2])
    }

    @Test("counts a session once that is announced twice") func announcedTwice() {
        var table = SessionTable()
        table.insert(session(1, pid: 7), of: 1)
        table.insert(session(1, pid: 7), of: 1)
        #expect(table.all.count == 1)
        #expect(admit(&table, session(2)) == nil)
        #expect(admit(&table, session(3)) == 2)
    }

    @Test("moves the count when a session is announced as another user's") func renamed() {
        var table = SessionTable()
        table.insert(session(1), of: 1)
        table.insert(session(1, user: "bob"), of: 1)
        let answers = [admit(&table, session(2)), admit(&table, session(3)), admit(&table, session(4, user: "bob"))]
        #expect(answers == [nil, nil, nil])
    }

    @Test("knows the process once it has started") func started() {
        var table = SessionTable()
        _ = admit(&table, session(1))
        table.started(1, pid: 77, of: 1)
        table.started(1, pid: 88, of: 2)
        #expect(table.all.map(\.pid) == [77])
    }

    @Test("keeps sessions whose zygote died until a successor adopts them, and forgets those that never had a process") func adopt() {
        var table = SessionTable()
        _ = admit(&table, session(1))
        _ = admit(&table, session(2))
        table.started(1, pid: 77, of: 1)
        table.orphan(1, now: 0)
        #expect(table.all.map(\.pid) == [77])
        #expect(admit(&table, session(1), of: 2) == nil)
        #expect(admit(&table, session(2), of: 2) == 2)
        #expect(table.adopt(99, of: 2) == nil)
        let adopted = table.adopt(77, of: 2)
        #expect(adopted?.user == "ada" && adopted?.pid == 77 && (adopted?.id ?? 0) > 1 << 62)
        #expect(table.adopt(77, of: 2) == nil)
        #expect(table.all.count == 2 && table.firstOrphanEnds == nil)
        table.left(adopted?.id ?? 0, of: 2)
        #expect(admit(&table, session(3), of: 2) == nil)
    }

    @Test("touches nobody else's sessions when a zygote dies") func otherOwners() {
        var table = SessionTable()
        table.insert(session(1, pid: 5), of: 1)
        table.insert(session(1, user: "bob", pid: 6), of: 2)
        table.orphan(1, now: 0)
        table.dropOrphans(now: SessionTable.orphanPatience)
        #expect(table.all.map(\.user) == ["bob"])
    }

    @Test("forgets orphans that nobody adopts, and only them") func dropOrphans() {
        var table = SessionTable()
        table.insert(session(1, pid: 5), of: 1)
        table.insert(session(2, pid: 6), of: 2)
        table.orphan(1, now: 1_000)
        table.orphan(2, now: 5_000)
        #expect(table.firstOrphanEnds == 1_000 + SessionTable.orphanPatience)
        table.dropOrphans(now: 999 + SessionTable.orphanPatience)
        #expect(table.all.count == 2)
        table.dropOrphans(now: 1_000 + SessionTable.orphanPatience)
        #expect(table.all.map(\.pid) == [6])
        #expect(admit(&table, session(3), of: 3) == nil)
        #expect(admit(&table, session(4), of: 3) == 2)
    }

    @Test("counts an orphan once whose pid is an orphan already") func samePID() {
        var table = SessionTable()
        table.insert(session(1, pid: 5), of: 1)
        table.orphan(1, now: 0)
        table.insert(session(1, pid: 5), of: 2)
        table.orphan(2, now: 0)
        #expect(admit(&table, session(3), of: 3) == nil)
        #expect(admit(&table, session(4), of: 3) == 2)
        table.dropOrphans(now: .max)
        #expect(admit(&table, session(4), of: 3) == nil)
    }
}

@Suite("The table of penalties")
struct PenaltyTableTests {
    private func value(_ table: inout PenaltyTable, _ now: Int64, _ address: String = "a") -> [UInt32] {
        let found = table.value(of: address, now: now)
        return [UInt32(found.value), found.secondsAgo]
    }

    @Test("knows value and age, and forgets after 29 seconds") func age() {
        var table = PenaltyTable()
        #expect(value(&table, 0) == [0, 0])
        table.set("a", value: 2, checksum: 0, now: 1_000)
        #expect(value(&table, 1_999) == [2, 0])
        #expect(value(&table, 2_000) == [2, 1])
        #expect(value(&table, 29_999) == [2, 28])
        #expect(value(&table, 5_000, "b") == [0, 0])
        #expect(value(&table, 30_000) == [0, 0])
    }

    @Test("never holds more than 4", arguments: [4, 5, 255] as [UInt8])
    func highest(_ given: UInt8) {
        var table = PenaltyTable()
        table.set("a", value: given, checksum: 0, now: 0)
        #expect(value(&table, 0) == [4, 0])
    }

    @Test("is cleared by success") func success() {
        var table = PenaltyTable()
        table.set("a", value: 3, checksum: 9, now: 0)
        table.set("a", value: 0, checksum: 0, now: 1)
        #expect(value(&table, 2) == [0, 0])
        table.set("a", value: 1, checksum: 9, now: 3)
        #expect(value(&table, 3) == [1, 0])
    }

    @Test("only renews the time for a pair of user and password that it has seen") func repeated() {
        var table = PenaltyTable()
        table.set("a", value: 1, checksum: 9, now: 0)
        table.set("a", value: 2, checksum: 9, now: 5_000)
        #expect(value(&table, 5_000) == [1, 0])
        table.set("a", value: 2, checksum: 8, now: 6_000)
        #expect(value(&table, 6_000) == [2, 0])
        table.set("a", value: 3, checksum: 0, now: 6_000)
        #expect(value(&table, 6_000) == [3, 0])
    }

    @Test("remembers the last ten pairs") func ten() {
        var table = PenaltyTable()
        for checksum in 1...11 as ClosedRange<UInt32> { table.set("a", value: 1, checksum: checksum, now: 0) }
        table.set("a", value: 2, checksum: 2, now: 0)
        #expect(value(&table, 0) == [1, 0])
        table.set("a", value: 3, checksum: 1, now: 0)
        #expect(value(&table, 0) == [3, 0])
    }

    @Test("does not grow without limit, and lets old addresses go before young ones") func capacity() {
        var table = PenaltyTable()
        for number in 0..<100_000 { table.set("a\(number)", value: 1, checksum: 0, now: Int64(number) / 10) }
        table.set("new", value: 1, checksum: 0, now: 10_000)
        #expect(value(&table, 10_000, "new") == [1, 0])
        #expect(value(&table, 10_000, "a99999") == [1, 0])
        #expect(value(&table, 10_000, "a0") == [0, 0])
    }
}
