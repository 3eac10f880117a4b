/// How many logins of one process are under way at the same time, from the question to auth to the answer of the mail service. More wait here,
/// first come, first served: auth keeps a ticket for each (1,024 of a process), and the queues of the channels have limits too.
struct LoginTurns {
    static let limit = 900

    private(set) var underWay = 0
    private var waiting: [UInt64] = []
    private var first = 0

    /// False: the client of this token has to wait; `end` names it when its turn has come.
    mutating func take(_ token: UInt64) -> Bool {
        guard underWay >= Self.limit else {
            underWay += 1
            return true
        }
        waiting.append(token)
        return false
    }

    /// A turn is over. Answers who has it now; clients that went away or gave up meanwhile are passed over.
    mutating func end(among isWaiting: (UInt64) -> Bool) -> UInt64? {
        while first < waiting.count {
            let token = waiting[first]
            first += 1
            if first > 1_024, first * 2 > waiting.count {
                waiting.removeFirst(first)
                first = 0
            }
            if isWaiting(token) { return token }
        }
        waiting = []
        first = 0
        underWay -= 1
        return nil
    }
}
