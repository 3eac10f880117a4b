import Testing

@testable import login

@Suite("Turns of logins")
struct LoginTurnsTests {
    @Test("are given up to the limit, then in order, and not to those who left")
    func order() {
        var turns = LoginTurns()
        let taken = (0..<UInt64(LoginTurns.limit)).map { turns.take($0) }
        #expect(taken.allSatisfy { $0 })
        let refused = (1_000..<UInt64(1_005)).map { turns.take($0) }
        #expect(!refused.contains(true))
        var next = [turns.end { _ in true }, turns.end { $0 != 1_001 }]
        #expect(next == [1_000, 1_002])
        #expect(turns.underWay == LoginTurns.limit)
        next = [turns.end { _ in true }, turns.end { _ in true }, turns.end { _ in true }]
        #expect(next == [1_003, 1_004, nil])
        #expect(turns.underWay == LoginTurns.limit - 1)
        let again = [turns.take(7), turns.take(8)]
        #expect(again == [true, false])
    }

    @Test("do not keep those who were served")
    func memory() {
        var turns = LoginTurns()
        for token in 0..<UInt64(LoginTurns.limit) { _ = turns.take(token) }
        for token in 0..<UInt64(100_000) {
            let isTaken = turns.take(token)
            let next = turns.end { _ in true }
            #expect(!isTaken && next == token)
        }
    }
}
