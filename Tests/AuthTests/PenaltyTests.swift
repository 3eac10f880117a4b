import IPCProtocol
import Platform
import Testing

@testable import auth

@Suite("A penalty")
struct PenaltyTests {
    @Test(
        "is waited for, unless it is old",
        arguments: [
            (0, 0, 0), (1, 0, 4_000), (2, 14, 8_000), (3, 3, 15_000), (4, 14, 15_000), (255, 0, 15_000), (1, 15, 0), (4, 15, 0),
            (4, 4_000_000, 0),
        ] as [(UInt8, UInt32, Int64)])
    func delay(_ value: UInt8, _ age: UInt32, _ delay: Int64) {
        #expect(Penalty.delay(Penalty.lowered(value, secondsAgo: age)) == delay)
    }

    @Test("rises to four", arguments: [(0, 1), (1, 2), (3, 4), (4, 4), (255, 4)] as [(UInt8, UInt8)])
    func raised(_ value: UInt8, _ next: UInt8) { #expect(Penalty.raised(value) == next) }

    @Test(
        "belongs to an address, or to a prefix of IPv6",
        arguments: [
            ("192.0.2.1", "", "192.0.2.1"), ("::ffff:192.0.2.1", "", "192.0.2.1"), ("2001:DB8:1:2::3", "::1", "2001:db8:1::/48"),
            ("2001:db8:1:ffff::", "", "2001:db8:1::/48"), ("", "", nil), ("nonsense", "", nil), ("127.0.0.1", "127.0.0.1", nil),
            ("::1", "0::1", nil), ("192.0.2.1", "192.0.2.2", "192.0.2.1"),
        ])
    func name(_ remote: String, _ local: String, _ name: String?) {
        var origin = Origin()
        origin.remoteAddress = remote
        origin.localAddress = local
        #expect(Penalty.name(origin) == name)
        origin.isExempt = true
        #expect(Penalty.name(origin) == nil)
    }

    @Test("knows a pair of user and password again")
    func checksum() {
        let sum = Penalty.checksum(user: [1, 2], password: [3])
        #expect(sum == Penalty.checksum(user: [1, 2], password: [3]) && sum != Penalty.checksum(user: [1], password: [2, 3]) && sum != 0)
    }

    @Test(
        "is set after a failure and taken back after a success",
        arguments: [
            ("ada", "wrong", 0, 1), ("ada", "wrong", 4, 4), ("eve", "secret", 2, 3), ("a*", "x", 1, 2), ("ada", "secret", 3, 0),
            ("ada", "wrong", nil, nil), ("ada", "secret", nil, nil), ("bob", "wrong", 1, nil), ("bob", "other", 1, 0), ("eva", "x", 2, nil),
        ] as [(String, String, UInt8?, UInt8?)])
    func changes(_ user: String, _ password: String, _ before: UInt8?, _ after: UInt8?) throws {
        let file = try TestFile("ada:secret\nbob:other::::::nodelay\neva:{NO-SUCH}x\n")
        let settings = try AuthSettings.file(file.path)
        let core = Authenticator(settings, databases: Databases(settings))
        var origin = Origin()
        origin.remoteAddress = "10.0.0.1"
        origin.penalty = before
        let outcome = core.begin(
            RequestKey(channel: 1, id: 1), mechanism: "PLAIN", initial: Array("\0\(user)\0\(password)".utf8), origin: origin, now: 1_000)
        let checksum = after == 0 ? 0 : Penalty.checksum(user: Array(user.utf8), password: Array(password.utf8))
        #expect(core.penaltyChanges == (after.map { [PenaltyChange(address: "10.0.0.1", value: $0, checksum: checksum)] } ?? []))
        if user == "bob", password == "wrong" { #expect(outcome == .refused(Refusal(user: "bob", notBefore: 1_000))) }
    }
}

@Suite("Requests that wait for anvil")
struct PenaltyQueueTests {
    private func request(_ id: UInt32, channel: UInt64 = 1) -> PenaltyQueue.Request {
        PenaltyQueue.Request(key: RequestKey(channel: channel, id: id), mechanism: "PLAIN", initial: [], origin: Origin())
    }

    @Test("go on after its answer and the delay, in the order of time")
    func order() {
        var queue = PenaltyQueue()
        let numbers = (1...3).map { queue.ask(request($0), now: 0) }
        #expect(queue.next == 1_000 && queue.due(999) == nil)
        queue.receive(numbers[0], value: 2, secondsAgo: 0, now: 10)
        queue.receive(numbers[1], value: 1, secondsAgo: 0, now: 20)
        queue.receive(numbers[2], value: 3, secondsAgo: 15, now: 30)
        queue.receive(numbers[2], value: 3, secondsAgo: 0, now: 30)
        queue.receive(99, value: 3, secondsAgo: 0, now: 30)
        #expect(queue.next == 30 && queue.count == 3)
        let third = queue.due(30)
        #expect(third?.key.id == 3 && third?.origin.penalty == 0 && queue.due(4_019) == nil)
        let second = queue.due(4_020)
        #expect(second?.key.id == 2 && second?.origin.penalty == 1)
        #expect(queue.due(8_010)?.origin.penalty == 2 && queue.next == nil && queue.count == 0 && queue.count(channel: 1) == 0)
    }

    @Test("go on without it, and take no part then")
    func silence() {
        var queue = PenaltyQueue()
        let late = queue.ask(request(1), now: 0)
        let first = queue.due(1_000)
        #expect(first?.key.id == 1 && first?.origin.penalty == nil)
        queue.receive(late, value: 4, secondsAgo: 0, now: 1_001)
        #expect(queue.next == nil)
        let answered = queue.ask(request(2), now: 2_000)
        _ = queue.ask(request(3), now: 2_000)
        queue.receive(answered, value: 1, secondsAgo: 0, now: 2_000)
        queue.giveUpAsking(now: 2_001)
        #expect(queue.due(2_001)?.key.id == 3 && queue.due(2_001) == nil && queue.next == 6_000)
    }

    @Test("are forgotten with their channel")
    func drop() {
        var queue = PenaltyQueue()
        for channel in [1, 2] as [UInt64] {
            for id in 1...3 as ClosedRange<UInt32> { _ = queue.ask(request(id, channel: channel), now: 0) }
        }
        queue.drop(RequestKey(channel: 1, id: 2))
        queue.drop(RequestKey(channel: 1, id: 9))
        #expect(queue.count(channel: 1) == 2 && !queue.holds(RequestKey(channel: 1, id: 2)))
        queue.drop(channel: 1)
        #expect(queue.count == 3 && queue.count(channel: 1) == 0)
        #expect((1...3).map { _ in queue.due(1_000)?.key } == (1...3).map { RequestKey(channel: 2, id: $0) })
        #expect(queue.due(5_000) == nil)
    }
}

@Suite("The auth process with anvil")
struct PenaltyProcessTests {
    private let users = "ada:secret:1001:1002::/home/ada\n"

    /// What auth asks next, with the number to answer under.
    private func question(_ auth: AuthProcess) throws -> (message: ServiceToAnvil, request: UInt32) {
        let anvil = try #require(auth.anvil)
        for _ in 0..<50 {
            if let received = try anvil.receive(ServiceToAnvil.self) { return (received.message, received.request) }
            _ = try Wait.any([.init(anvil.number, .readable)], milliseconds: 200)
        }
        throw AuthProcess.Silence(what: "anvil is not asked")
    }

    private func isSilent(_ channel: Channel, _ milliseconds: Int32) throws -> Bool {
        try Wait.any([.init(channel.number, .readable)], milliseconds: milliseconds).allSatisfy(\.isEmpty)
    }

    @Test("asks nothing about clients from login_trusted_networks, and has nothing remembered of them") func trusted() throws {
        let auth = try AuthProcess(passwords: users, ["login_trusted_networks": "192.0.2.0/24 10.9.9.9"], hasAnvil: true)
        let login = try auth.attach(pid: 1)
        for (address, password) in [("192.0.2.77", "wrong"), ("10.9.9.9", "wrong"), ("10.9.9.9", "secret")] {
            try auth.begin(login, "ada", password, from: address)
            _ = try auth.next(AuthToLogin.self, from: login)
        }
        #expect(try isSilent(try #require(auth.anvil), 50))
        try auth.begin(login, "ada", "secret", from: "10.9.9.8")
        #expect(try question(auth).message == .penalty(AddressQuery(address: "10.9.9.8")))
    }

    @Test("asks before it looks, waits as long as it must, and lets nobody else wait")
    func waits() throws {
        let auth = try AuthProcess(passwords: users, hasAnvil: true)
        let (first, second) = (try auth.attach(pid: 1), try auth.attach(pid: 2))
        // Unknown: a failure makes it 1, after the usual delay.
        try auth.begin(first, "ada", "wrong", from: "2001:db8:1:2::3", to: "2001:db8::1")
        let (asked, number) = try question(auth)
        #expect(asked == .penalty(AddressQuery(address: "2001:db8:1::/48")))
        #expect(try isSilent(first, 100))
        #expect(try !auth.logged().contains { $0.contains("Password mismatch") })
        let start = Clock.milliseconds
        try auth.anvil?.send(AnvilToService.penalty(PenaltyAnswer(value: 0, secondsAgo: 0)), request: number)
        guard case .setPenalty(let update) = try question(auth).message else { Issue.record("nothing set"); return }
        #expect(update.address == "2001:db8:1::/48" && update.value == 1 && update.checksum != 0)
        guard case .failed = try auth.next(AuthToLogin.self, from: first) else { Issue.record("accepted"); return }
        #expect(Clock.milliseconds - start >= 300)
        // 1: four seconds, in which the right password of another, and a client on this host, are not kept waiting.
        try auth.begin(first, "ada", "secret")
        try auth.anvil?.send(AnvilToService.penalty(PenaltyAnswer(value: 1, secondsAgo: 14)), request: try question(auth).request)
        try auth.begin(second, "ada", "secret", from: "10.0.0.2")
        try auth.anvil?.send(AnvilToService.penalty(PenaltyAnswer(value: 4, secondsAgo: 15)), request: try question(auth).request)
        guard case .succeeded = try auth.next(AuthToLogin.self, from: second) else { Issue.record("refused"); return }
        #expect(try question(auth).message == .setPenalty(PenaltyUpdate(address: "10.0.0.2", value: 0, checksum: 0)))
        try auth.begin(second, "ada", "secret", from: "10.0.0.9", to: "10.0.0.9")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: second) else { Issue.record("refused"); return }
        #expect(try isSilent(first, 300))
    }

    @Test("does without an answer, without anvil, and with a new one")
    func silence() throws {
        let auth = try AuthProcess(passwords: users, hasAnvil: true)
        let login = try auth.attach(pid: 1)
        let start = Clock.milliseconds
        try auth.begin(login, "ada", "secret")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
        #expect(Clock.milliseconds - start >= 1_000)
        _ = try question(auth)
        // Sooner than the patience that it has with one that is silent: on a busy machine in one of some tries.
        let isSoon = try (0..<10).contains { _ in
            try auth.begin(login, "ada", "secret")
            _ = try question(auth)
            let end = Clock.milliseconds
            auth.anvil = nil
            guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return true }
            let milliseconds = Clock.milliseconds - end
            auth.anvil = try auth.giveAnvil()
            try auth.settle(auth.master)
            return milliseconds < 900
        }
        #expect(isSoon)
        try auth.begin(login, "ada", "secret")
        #expect(try question(auth).message == .penalty(AddressQuery(address: "10.0.0.1")))
    }

    @Test("ends the channel of a peer that answers before it was asked, or uses a number twice", arguments: [true, false])
    func premature(_ isAnswer: Bool) throws {
        let auth = try AuthProcess(passwords: users, hasAnvil: true)
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "ada", "secret")
        let message: LoginToAuth = isAnswer ? .proceed(SASLData(data: [])) : .begin(BeginExchange())
        try login.send(message, request: 1)
        #expect(throws: ChannelError.closed) { _ = try login.receive(AuthToLogin.self, wait: true) }
    }

    @Test("ends when it is retired and its last asker has gone, although anvil lives")
    func drains() throws {
        let auth = try AuthProcess(passwords: users, hasAnvil: true)
        try auth.master.send(MasterToService.retire)
        #expect(try isSilent(auth.master, 100))
        auth.zygote = nil
        auth.mailZygote = nil
        #expect(try !isSilent(auth.master, 5_000))
        #expect(throws: ChannelError.closed) { _ = try auth.master.receive(ServiceToMaster.self, wait: true) }
    }
}
