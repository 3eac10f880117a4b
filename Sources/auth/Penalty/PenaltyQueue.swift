/// Requests that wait before they begin: first for anvil's word about their address, then for the time that it costs, while nobody else
/// waits (auth.md 13). It owns no socket and no clock.
struct PenaltyQueue {
    /// A request as it came.
    struct Request: Equatable {
        let key: RequestKey
        let mechanism: String
        let initial: [UInt8]?
        var origin: Origin
    }

    /// Place in the order of time; the serial is anvil's request number, too.
    private struct Place: Comparable {
        let time: Int64
        let serial: UInt32

        static func < (one: Place, other: Place) -> Bool { (one.time, one.serial) < (other.time, other.serial) }
    }

    private struct Waiting {
        var request: Request
        var place: Place
    }

    private var waiting: [RequestKey: Waiting] = [:]
    /// Those that anvil has not answered yet.
    private var asked: [UInt32: RequestKey] = [:]
    private var perChannel: [UInt64: Int] = [:]
    private var order: [Place] = []
    private var keys: [UInt32: RequestKey] = [:]
    private var serial: UInt32 = 0

    var count: Int { waiting.count }
    /// When the first one is due.
    var next: Int64? { order.first?.time }

    func holds(_ key: RequestKey) -> Bool { waiting[key] != nil }
    func count(channel: UInt64) -> Int { perChannel[channel, default: 0] }

    /// Keeps a request that is not held yet until anvil has answered, at most `Limits.penaltyAnswer`. Answers the number to ask under.
    mutating func ask(_ request: Request, now: Int64) -> UInt32 {
        repeat { serial &+= 1 } while keys[serial] != nil
        let place = Place(time: now + Limits.penaltyAnswer, serial: serial)
        insert(place)
        keys[serial] = request.key
        asked[serial] = request.key
        waiting[request.key] = Waiting(request: request, place: place)
        perChannel[request.key.channel, default: 0] += 1
        return serial
    }

    /// Anvil's answer; one that comes too late means nothing.
    mutating func receive(_ number: UInt32, value: UInt8, secondsAgo: UInt32, now: Int64) {
        guard let key = asked[number] else { return }
        let value = Penalty.lowered(value, secondsAgo: secondsAgo)
        waiting[key]?.request.origin.penalty = value
        release(number, at: now + Penalty.delay(value))
    }

    /// Anvil has gone: whoever waits for its word waits no more, and takes no part in penalties.
    mutating func giveUpAsking(now: Int64) {
        for number in asked.keys.sorted() { release(number, at: now) }
    }

    /// The next request whose time has come; it is no longer held. One at a time, since each may cost a hash.
    mutating func due(_ now: Int64) -> Request? {
        guard let first = order.first, first.time <= now, let key = keys[first.serial], let found = waiting[key] else { return nil }
        drop(key)
        return found.request
    }

    mutating func drop(_ key: RequestKey) {
        guard let gone = waiting.removeValue(forKey: key) else { return }
        remove(gone.place)
        keys[gone.place.serial] = nil
        asked[gone.place.serial] = nil
        let rest = count(channel: key.channel) - 1
        perChannel[key.channel] = rest > 0 ? rest : nil
    }

    mutating func drop(channel: UInt64) {
        guard perChannel[channel] != nil else { return }
        for key in waiting.keys.filter({ $0.channel == channel }) { drop(key) }
    }

    private mutating func release(_ number: UInt32, at time: Int64) {
        guard let key = asked.removeValue(forKey: number), let old = waiting[key]?.place else { return }
        remove(old)
        let place = Place(time: time, serial: number)
        insert(place)
        waiting[key]?.place = place
    }

    private mutating func insert(_ place: Place) { order.insert(place, at: index(of: place)) }

    private mutating func remove(_ place: Place) {
        let index = index(of: place)
        if index < order.count, order[index] == place { order.remove(at: index) }
    }

    /// Where this place is, or would be.
    private func index(of place: Place) -> Int {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = low + (high - low) / 2
            if order[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
