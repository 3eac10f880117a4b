import Testing

@testable import auth

private func passdb(
    _ success: ResultRule = .returnOK, _ failure: ResultRule = .goOn, _ change: (inout PassdbSettings) -> Void = { _ in }
) -> PassdbSettings {
    var block = PassdbSettings(driverName: "test", driver: .unusable(""))
    block.onSuccess = success
    block.onFailure = failure
    change(&block)
    return block
}

private let ok = PassdbAnswer.found(FieldList())

@Suite("A chain of password databases")
struct PassdbChainTests {
    /// Plays a walk; answers which databases were asked with a password (+) or for fields (-), and the result.
    private func walk(
        _ blocks: [PassdbSettings], _ answers: [PassdbAnswer], master: String? = nil, mechanism: String = "PLAIN"
    ) -> Walk {
        var settings = AuthSettings()
        settings.passdbs = blocks
        var chain = PassdbChain(settings, identity: Identity(user: "ada", original: "ada", master: master), mechanism: mechanism)
        var asked: [String] = []
        var rest = answers[...]
        var step = chain.begin()
        while true {
            switch step {
            case .ask(let index, let checksPassword):
                asked.append("\(chain.nameToAsk)\(checksPassword ? "+" : "-")\(index)")
                guard let answer = rest.popFirst() else { return Walk(asked, .temporaryFailure) }
                step = chain.receive(answer)
            case .finished(let result): return Walk(asked, result)
            }
        }
    }

    @Test("ends with the first database that says yes")
    func first() {
        #expect(walk([passdb(), passdb()], [ok]) == Walk(["ada+0"], .success(FieldList())))
        #expect(walk([passdb(), passdb()], [.unknownUser, ok]) == Walk(["ada+0", "ada+1"], .success(FieldList())))
        #expect(walk([passdb(), passdb()], [.mismatch, .mismatch]) == Walk(["ada+0", "ada+1"], .failure))
        #expect(walk([passdb(), passdb()], [.refused, ok]) == Walk(["ada+0", "ada+1"], .success(FieldList())))
        #expect(walk([], []) == Walk([], .failure))
    }

    @Test(
        "follows its rules",
        arguments: [
            (ResultRule.returnOK, ["ada+0"], true), (.returnFail, ["ada+0"], false), (.stop, ["ada+0"], false),
            (.continueOK, ["ada+0", "ada-1"], true), (.continueFail, ["ada+0", "ada+1"], false), (.goOn, ["ada+0", "ada-1"], false),
        ])
    func rules(_ rule: ResultRule, _ asked: [String], _ isSuccess: Bool) {
        let walk = walk([passdb(rule), passdb()], [ok, .unknownUser])
        #expect(walk.asked == asked)
        #expect((walk.result == .success(FieldList())) == isSuccess)
    }

    @Test("says that a failure is temporary when a database failed and none knew better")
    func temporary() {
        #expect(walk([passdb(), passdb()], [.internalFailure, .unknownUser]).result == .temporaryFailure)
        #expect(walk([passdb(), passdb()], [.internalFailure, ok]).result == .success(FieldList()))
    }

    @Test("keeps fields of databases that said yes, not of others")
    func fields() {
        let result = walk(
            [passdb(.continueOK), passdb(.continueOK), passdb()],
            [.found(FieldList([("a", "1"), ("b", "1")])), .mismatch, .found(FieldList([("b", "2")]))]
        ).result
        #expect(result == .success(FieldList([("a", "1"), ("b", "2")])))
    }

    @Test(
        "refuses who is in a deny database",
        arguments: [
            (ok, PassdbResult.disabled), (.mismatch, .disabled), (.internalFailure, .temporaryFailure),
            (.unknownUser, .success(FieldList())),
        ])
    func deny(_ answer: PassdbAnswer, _ result: PassdbResult) {
        let walk = walk([passdb { $0.isDeny = true }, passdb()], [answer, ok])
        #expect(walk.asked.first == "ada-0")
        #expect(walk.result == result)
    }

    @Test("skips what is not meant for the request")
    func skips() {
        let plainOnly = passdb { $0.mechanisms = ["PLAIN"] }
        #expect(walk([plainOnly, passdb()], [ok], mechanism: "login").asked == ["ada+1"])
        #expect(walk([plainOnly, passdb()], [ok], mechanism: "plain").asked == ["ada+0"])
        #expect(walk([passdb { $0.mechanisms = ["NONE"] }, passdb()], [ok]).asked == ["ada+1"])
        #expect(walk([passdb { $0.names = NameFilter("bob") }, passdb()], [ok]).asked == ["ada+1"])
        #expect(walk([passdb(.continueOK), passdb { $0.skip = .authenticated }], [ok]).asked == ["ada+0"])
        #expect(walk([passdb { $0.skip = .unauthenticated }, passdb()], [ok]).asked == ["ada+1"])
    }

    @Test("asks master databases for master users only")
    func masters() {
        let master = passdb { $0.isMaster = true }
        let passing = passdb(.goOn) { $0.isMaster = true }
        #expect(walk([master, passdb()], [ok]) == Walk(["ada+1"], .success(FieldList())))
        #expect(walk([master, passdb()], [ok], master: "root") == Walk(["root+0"], .success(FieldList())))
        #expect(walk([master, passdb()], [.mismatch], master: "root") == Walk(["root+0"], .failure))
        #expect(walk([passing, passdb()], [ok, ok], master: "root") == Walk(["root+0", "ada-1"], .success(FieldList())))
        #expect(walk([passing, passdb()], [ok, .unknownUser], master: "root") == Walk(["root+0", "ada-1"], .failure))
        #expect(walk([passdb()], [ok], master: "root") == Walk([], .failure))
    }
}

/// Which databases were asked, and what came of it.
private struct Walk: Equatable {
    let asked: [String]
    let result: PassdbResult

    init(_ asked: [String], _ result: PassdbResult) {
        self.asked = asked
        self.result = result
    }
}

@Suite("A chain of user databases")
struct UserdbChainTests {
    private func walk(_ blocks: [UserdbSettings], _ answers: [UserdbAnswer]) -> UserdbAnswer {
        var chain = UserdbChain(blocks)
        var rest = answers[...]
        var step = chain.begin()
        while true {
            switch step {
            case .ask:
                guard let answer = rest.popFirst() else { return .internalFailure }
                step = chain.receive(answer)
            case .finished(let answer): return answer
            }
        }
    }

    private func userdb(_ success: ResultRule = .returnOK, skip: Skip = .never) -> UserdbSettings {
        UserdbSettings(driverName: "test", driver: .prefetch, skip: skip, onSuccess: success)
    }

    @Test("ends with the first that knows the user")
    func first() {
        let found = UserdbAnswer.found(FieldList([("uid", "5")]))
        #expect(walk([userdb(), userdb()], [found]) == found)
        #expect(walk([userdb(), userdb()], [.unknownUser, found]) == found)
        #expect(walk([userdb(), userdb()], [.unknownUser, .unknownUser]) == .unknownUser)
        #expect(walk([userdb(), userdb()], [.internalFailure, .unknownUser]) == .internalFailure)
        #expect(walk([userdb(), userdb()], [.internalFailure, found]) == found)
        #expect(walk([], []) == .unknownUser)
    }

    @Test("adds what later databases know")
    func adds() {
        let answers = [UserdbAnswer.found(FieldList([("uid", "5")])), .found(FieldList([("gid", "6")]))]
        #expect(walk([userdb(.continueOK), userdb()], answers) == .found(FieldList([("uid", "5"), ("gid", "6")])))
        #expect(walk([userdb(.continueOK), userdb(skip: .found)], answers) == .found(FieldList([("uid", "5")])))
        #expect(walk([userdb(skip: .notfound), userdb()], answers) == .found(FieldList([("uid", "5")])))
    }
}

@Suite("A book of tickets")
struct TicketBookTests {
    @Test("gives each ticket back once, to who may have it")
    func once() throws {
        let book = Shelf<String>()
        let ticket = try #require(book.issue("ada", to: 7, remoteAddress: "10.0.0.1", now: 0))
        #expect(ticket.count == 16)
        #expect(book.redeem(ticket, of: 8, remoteAddress: "10.0.0.1", now: 1) == nil)
        #expect(book.redeem(Array(ticket.dropLast()), of: 7, remoteAddress: "10.0.0.1", now: 1) == nil)
        #expect(book.redeem([], of: 7, remoteAddress: "10.0.0.1", now: 1) == nil)
        #expect(book.redeem(ticket, of: 7, remoteAddress: "10.0.0.1", now: 1) == "ada")
        #expect(book.redeem(ticket, of: 7, remoteAddress: "10.0.0.1", now: 1) == nil)
        #expect(book.count == 0)
    }

    @Test("is used up by an attempt from another address")
    func address() throws {
        let book = Shelf<String>()
        let ticket = try #require(book.issue("ada", to: 7, remoteAddress: "10.0.0.1", now: 0))
        #expect(book.redeem(ticket, of: 7, remoteAddress: "10.0.0.2", now: 1) == nil)
        #expect(book.redeem(ticket, of: 7, remoteAddress: "10.0.0.1", now: 1) == nil)
    }

    @Test("forgets what is too old, and whose holder has gone")
    func forgets() throws {
        let book = Shelf<String>()
        let old = try #require(book.issue("ada", to: 7, remoteAddress: "", now: 0))
        #expect(book.redeem(old, of: 7, remoteAddress: "", now: Limits.ticketLife) == nil)
        let void = try #require(book.issue("ada", to: 7, remoteAddress: "", now: 0))
        let other = try #require(book.issue("bob", to: 8, remoteAddress: "", now: 0))
        book.void(7)
        #expect(book.redeem(void, of: 7, remoteAddress: "", now: 1) == nil)
        #expect(book.redeem(other, of: 8, remoteAddress: "", now: 1) == "bob")
        _ = book.issue("x", to: 9, remoteAddress: "", now: 0)
        book.expire(now: Limits.ticketLife)
        #expect(book.count == 0)
    }

    @Test("bounds what one login process can hold, and never makes a ticket twice")
    func bounds() {
        let book = Shelf<Int>()
        var seen: Set<[UInt8]> = []
        for number in 0..<Limits.tickets { if let ticket = book.issue(number, to: 1, remoteAddress: "", now: 0) { seen.insert(ticket) } }
        #expect(seen.count == Limits.tickets)
        #expect(book.issue(0, to: 1, remoteAddress: "", now: 1) == nil)
        #expect(book.issue(0, to: 2, remoteAddress: "", now: 1) != nil)
        #expect(book.issue(0, to: 1, remoteAddress: "", now: Limits.ticketLife) != nil)
    }
}

@Suite("Delayed answers")
struct DelayedAnswersTests {
    @Test("come in the order of their times, each once")
    func order() {
        var answers = DelayedAnswers()
        for (id, time) in [(1, 30), (2, 10), (3, 20), (4, 20)] as [(UInt32, Int64)] {
            answers.add(RequestKey(channel: UInt64(id % 2), id: id), Refusal(notBefore: time))
        }
        #expect(answers.next == 10)
        let early = answers.due(9)
        #expect(early.isEmpty)
        let due = answers.due(20)
        #expect(due.map(\.key.id) == [2, 3, 4])
        #expect(answers.holds(RequestKey(channel: 1, id: 1)))
        answers.drop(channel: 1)
        #expect(answers.count == 0 && answers.next == nil)
    }
}

/// A book that tests can call inside of expectations.
private final class Shelf<Grant> {
    private var book = TicketBook<Grant>()

    func issue(_ grant: Grant, to holder: UInt32, remoteAddress: String, now: Int64) -> [UInt8]? {
        book.issue(grant, to: holder, remoteAddress: remoteAddress, now: now)
    }

    func redeem(_ secret: [UInt8], of holder: UInt32, remoteAddress: String, now: Int64) -> Grant? {
        book.redeem(secret, of: holder, remoteAddress: remoteAddress, now: now)
    }

    func void(_ holder: UInt32) { book.void(holder) }
    func expire(now: Int64) { book.expire(now: now) }
    var count: Int { book.count }
}
