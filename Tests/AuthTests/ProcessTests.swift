import IPCProtocol
import Platform
import Testing

@Suite("The auth process")
struct ProcessTests {
    private let users = "ada:secret:1001:1002::/home/ada\nbob:other:1003:1003::/home/bob::nologin reason=Closed\n"

    @Test("turns a right password into a ticket, and the ticket into a user, once")
    func ticket() throws {
        let auth = try AuthProcess(passwords: users)
        let login = try auth.attach(pid: 4_242)
        try auth.begin(login, "Ada", "secret")
        guard case .succeeded(let success) = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
        #expect(success.user == "ada" && success.ticket.count == 16)
        #expect(try auth.redeem(success.ticket, pid: 4_243) == .unknownTicket)
        #expect(try auth.redeem([UInt8](repeating: 0, count: 16), pid: 4_242) == .unknownTicket)
        guard case .user(let user) = try auth.redeem(success.ticket, pid: 4_242) else {
            Issue.record("no user: \(try auth.logged())"); return
        }
        #expect(user.user == "ada" && user.uid == 1_001 && user.gid == 1_002 && user.home == "/home/ada")
        #expect(user.mailDriver == "maildir" && user.mailPath == "/home/ada/Maildir" && user.method == "PLAIN")
        #expect(try auth.redeem(success.ticket, pid: 4_242) == .unknownTicket)
    }

    @Test("voids a ticket when the login process has gone")
    func void() throws {
        let auth = try AuthProcess(passwords: users)
        var login: Channel? = try auth.attach(pid: 4_242)
        let ticket: [UInt8]
        if let login {
            try auth.begin(login, "ada", "secret")
            guard case .succeeded(let success) = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
            ticket = success.ticket
        } else {
            ticket = []
        }
        // Both are read in the order of their tokens in one round, so the end of the channel has to be seen first.
        let before = auth.descriptorCount
        login = nil
        for _ in 0..<2_000 where auth.descriptorCount == before { _ = try Wait.any([], milliseconds: 5) }
        #expect(try auth.redeem(ticket, pid: 4_242) == .unknownTicket)
    }

    @Test("delays a failure, and lets nobody else wait for it")
    func delay() throws {
        let auth = try AuthProcess(passwords: users, ["auth_failure_delay": "2000"])
        let (bad, good) = (try auth.attach(pid: 1), try auth.attach(pid: 2))
        let start = Clock.milliseconds
        try auth.begin(bad, "ada", "wrong")
        try auth.begin(good, "ada", "secret")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: good) else { Issue.record("refused"); return }
        #expect(try Wait.any([.init(bad.number, .readable)], milliseconds: 0).allSatisfy(\.isEmpty))
        #expect(try auth.next(AuthToLogin.self, from: bad) == .failed(AuthFailure(code: "", reason: "", user: "ada")))
        #expect(Clock.milliseconds - start >= 2_000)
        #expect(try auth.logged().contains("passwd-file(ada,10.0.0.1): Password mismatch"))
    }

    @Test("refuses a user who may not log in, with the reason")
    func nologin() throws {
        let auth = try AuthProcess(passwords: users)
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "bob", "other")
        #expect(try auth.next(AuthToLogin.self, from: login) == .failed(AuthFailure(code: "nologin", reason: "Closed", user: "bob")))
    }

    @Test("ends the channel of a peer that breaks the rules, and no other")
    func violation() throws {
        let auth = try AuthProcess(passwords: users)
        let (bad, good) = (try auth.attach(pid: 1), try auth.attach(pid: 2))
        var begin = BeginExchange()
        begin.mechanism = "SCRAM-SHA-1"
        try bad.send(LoginToAuth.begin(begin), request: 1)
        #expect(throws: ChannelError.closed) { _ = try bad.receive(AuthToLogin.self, wait: true) }
        try auth.begin(good, "ada", "secret")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: good) else { Issue.record("refused"); return }
    }

    @Test("takes login workers from login zygotes only, and tickets from mail zygotes only; whoever breaks that loses its channel alone")
    func roles() throws {
        for isLogin in [true, false] {
            let auth = try AuthProcess(passwords: users)
            let login = try auth.attach(pid: 7)
            try auth.begin(login, "ada", "secret")
            guard case .succeeded(let success) = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
            let (bad, theirs) = (try #require(isLogin ? auth.zygote : auth.mailZygote), try SocketPair().split())
            let mine = Channel(FileDescriptor(adopting: theirs.ours))
            if isLogin {
                try bad.send(ZygoteToAuth.redeem(Redeem(ticket: success.ticket, pid: 7, remoteAddress: "10.0.0.1")), request: 1)
            } else {
                try bad.send(ZygoteToAuth.attach(Attach(pid: 8)), descriptors: [theirs.theirs])
            }
            closeDescriptor(theirs.theirs)
            #expect(throws: ChannelError.closed) { _ = try bad.receive(AuthToZygote.self, wait: true) }
            #expect(throws: ChannelError.closed) { _ = try mine.receive(AuthToLogin.self, wait: true) }
            let (role, message) = isLogin ? ("imap-login", "redeem is not for a login") : ("imap", "attach is not for a mail")
            #expect(try auth.logged().contains("zygote of \(role): message \(message) service"))
            if isLogin {
                guard case .user = try auth.redeem(success.ticket, pid: 7) else { Issue.record("no user"); return }
            }
            try auth.begin(login, "ada", "secret")
            guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
        }
    }

    @Test("ends the channel of a zygote that sends what is no frame, and no other", arguments: [true, false]) func garbage(_ isLogin: Bool)
        throws
    {
        let auth = try AuthProcess(passwords: users)
        let login = try auth.attach(pid: 7)
        let bad = try #require(isLogin ? auth.zygote : auth.mailZygote)
        try DatagramSocket.send(Array("not a frame at all".utf8), to: bad.number)
        #expect(throws: ChannelError.closed) { _ = try bad.receive(AuthToZygote.self, wait: true) }
        try auth.begin(login, "ada", "secret")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
    }

    @Test("gives no text of a database to clients that could be taken for a line of its own")
    func reason() throws {
        let auth = try AuthProcess(
            passwords: users,
            [
                "passdb/1/driver": "static", "passdb/1/args": "password=x nologin",
                "passdb/1/fields/reason": "Go\r\n* BYE\0\u{85}\u{1B}away, Zoë",
            ],
            sockets: [("auth-client", 0o600)])
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "ada", "x")
        #expect(
            try auth.next(AuthToLogin.self, from: login)
                == .failed(AuthFailure(code: "nologin", reason: "Go  * BYE   away, Zoë", user: "ada")))
        let postfix = try auth.connect("auth-client")
        _ = try postfix.lines(until: "DONE")
        try postfix.send("VERSION\t1\t1\nCPID\t77\nAUTH\t1\tPLAIN\tservice=smtp\tresp=AGFkYQB4\n")
        #expect(try postfix.line()?.contains("reason=Go  * BYE   away, Zoë") == true)
    }

    @Test("writes requests and answers with auth_debug, secrets only with auth_debug_passwords", arguments: [false, true])
    func debugLines(_ showsPasswords: Bool) throws {
        let auth = try AuthProcess(
            passwords: users, [showsPasswords ? "auth_debug_passwords" : "auth_debug": "yes", "auth_verbose": "no"],
            sockets: [("auth-client", 0o600), ("auth-userdb", 0o600)])
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "ada", "secret")
        _ = try auth.next(AuthToLogin.self, from: login)
        try auth.begin(login, "ada", "wrong")
        _ = try auth.next(AuthToLogin.self, from: login)
        let postfix = try auth.connect("auth-client")
        _ = try postfix.lines(until: "DONE")
        try postfix.send("VERSION\t1\t1\nCPID\t77\nAUTH\t9\tLOGIN\tservice=smtp\nCONT\t9\tYWRh\nCONT\t9\tc2VjcmV0\n")
        _ = try postfix.lines(until: "OK\t9\tuser=ada")
        let tool = try auth.connect("auth-userdb")
        try tool.send("VERSION\t1\t0\nUSER\t4\tada\tservice=lmtp\tmypass=x\n")
        _ = try (0..<3).map { _ in try tool.line() }
        let lines = try auth.logged()
        func shown(_ secret: String) -> String { showsPasswords ? secret : "<hidden>" }
        for line in [
            "client in: AUTH 1 PLAIN service=imap session= lip= rip=10.0.0.1 lport=0 rport=0 resp=\(shown("AGFkYQBzZWNyZXQ="))",
            "client passdb out: OK 1 user=ada", "client passdb out: FAIL 2 user=ada", "client in: AUTH 9 LOGIN service=smtp",
            "client passdb out: CONT 9 \(shown("UGFzc3dvcmQ6"))", "client in: CONT 9 \(shown("c2VjcmV0"))",
            "client passdb out: OK 9 user=ada",
            "userdb in: USER 4 ada service=lmtp mypass=\(shown("x"))", "passwd-file(ada,10.0.0.1): Password mismatch",
        ] { #expect(lines.contains(line), "\(line) is not in \(lines)") }
        #expect(lines.contains { $0.hasPrefix("userdb out: USER 4 ada uid=1001 ") })
        if !showsPasswords { #expect(!lines.contains { $0.contains("c2VjcmV0") || $0.contains("BzZWNyZXQ") || $0.contains("secret") }) }
    }

    @Test("writes no requests without auth_debug") func silent() throws {
        let auth = try AuthProcess(passwords: users)
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "ada", "secret")
        _ = try auth.next(AuthToLogin.self, from: login)
        #expect(try auth.logged() == [])
    }

    @Test("sees a password file that was replaced, although it is confined")
    func replaced() throws {
        let auth = try AuthProcess(passwords: users)
        let login = try auth.attach(pid: 1)
        try FileSystem.open(auth.folder + "/new", for: .write).writeAll(Array("ada:changed\n".utf8))
        try FileSystem.setMode(auth.folder + "/new", 0o644)
        try FileSystem.rename(auth.folder + "/new", to: auth.passwords)
        try auth.begin(login, "ada", "changed")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
    }

    @Test(
        "computes every hash within its confinement",
        arguments: [
            "{SHA512-CRYPT}$6$rounds=1000$short$6tSIGJhRDPAcVPe.fgC3tA3qgO5VzEI7WO7PAQunK6Jgsor.dcMzB/C/BHVQ.FuIJXMKXhI/oZC1yGOXB/QXp1",
            "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "{MD5-CRYPT}$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
            "{ARGON2ID}$argon2id$v=19$m=1024,t=1,p=4$c29tZXNhbHQ$/wdTcuf8KT7tenx8UHpPpyzMVSfG0G5ehOqjOQgb0FY",
            "{ARGON2I}$argon2i$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$4btq4Bd5qGJ00WSjsKcfhGLKY+16JlIWKdTcVlLD6mE",
        ])
    func hashes(_ stored: String) throws {
        let auth = try AuthProcess(passwords: "ada:\(stored):1001:1002::/home/ada\n")
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "ada", "secret")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
        try auth.begin(login, "eve", "secret")
        guard case .failed = try auth.next(AuthToLogin.self, from: login) else { Issue.record("accepted"); return }
    }

    @Test("is confined before it answers", .enabled(if: Process.isRoot, "ids change only for root"))
    func isConfined() throws {
        let auth = try AuthProcess(passwords: users)
        // /proc has no size to read ahead of: the file is read as it is.
        let status = String(decoding: FileSystem.content("/proc/\(auth.pid)/status") ?? [], as: UTF8.self)
        for line in [
            "Uid:\t65534\t65534\t65534\t65534", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2",
        ] {
            #expect(status.contains(line), "\(line)")
        }
    }

    @Test("speaks with mail servers")
    func client() throws {
        let auth = try AuthProcess(passwords: users, sockets: [("auth-client", 0o600)])
        let postfix = try auth.connect("auth-client")
        let greeting = try postfix.lines(until: "DONE")
        #expect(greeting.prefix(3) == ["VERSION\t1\t2", "MECH\tPLAIN\tplaintext", "MECH\tLOGIN\tplaintext"])
        #expect(greeting.contains("SPID\t\(auth.pid)") && greeting.contains("CUID\t1"))
        try postfix.send("VERSION\t1\t1\nCPID\t77\nAUTH\t1\tPLAIN\tservice=smtp\tnologin\tresp=AGFkYQB3cm9uZw==\n")
        try postfix.send("AUTH\t2\tPLAIN\tservice=smtp\tnologin\tresp=AGFkYQBzZWNyZXQ=\nAUTH\t3\tLOGIN\tservice=smtp\n")
        #expect(try postfix.line() == "OK\t2\tuser=ada")
        #expect(try postfix.line() == "CONT\t3\tVXNlcm5hbWU6")
        try postfix.send("CONT\t3\tYWRh\n")
        #expect(try postfix.line() == "CONT\t3\tUGFzc3dvcmQ6")
        try postfix.send("CONT\t3\tc2VjcmV0\n")
        #expect(try postfix.line() == "OK\t3\tuser=ada")
        #expect(try postfix.line() == "FAIL\t1\tuser=ada")
        try postfix.send("CONT\t9\tYWRh\nAUTH\t5\tPLAIN\tservice=smtp\tresp=%%\nAUTH\t6\tPLAIN\tservice=smtp\tresp=AGJvYgBvdGhlcg==\n")
        #expect(try postfix.line() == "FAIL\t9\treason=Authentication request timed out")
        #expect(try postfix.line() == "OK\t6\tuser=bob\tnologin\treason=Closed")
        #expect(try postfix.line() == "FAIL\t5\tcode=invalid_base64\treason=Invalid base64 data in initial response")
        let other = try auth.connect("auth-client")
        _ = try other.lines(until: "DONE")
        try postfix.send("NONSENSE\n")
        #expect(try postfix.line() == nil)
        try other.send("VERSION\t1\t2\nCPID\t1\nAUTH\t1\tPLAIN\tservice=x\tresp=AGFkYQBzZWNyZXQ=\n")
        #expect(try other.line() == "OK\t1\tuser=ada")
    }

    @Test("speaks with delivery agents and tools")
    func userdb() throws {
        let auth = try AuthProcess(passwords: users, sockets: [("auth-userdb", 0o666)])
        let tool = try auth.connect("auth-userdb")
        #expect(try tool.line() == "VERSION\t1\t1")
        #expect(try tool.line() == "SPID\t\(auth.pid)")
        try tool.send(
            "VERSION\t1\t0\nUSER\t1\tAda\tservice=lmtp\nUSER\t2\teve\tservice=lmtp\nPASS\t3\tbob\tservice=lmtp\nLIST\t4\tuser=a*\n")
        let home = "home=/home/ada\tmail_driver=maildir\tmail_path=/home/ada/Maildir"
        #expect(try tool.line() == "USER\t1\tada\tuid=1001\tgid=1002\t\(home)")
        #expect(try tool.line() == "NOTFOUND\t2")
        #expect(try tool.line() == "PASS\t3\tuser=bob\tnologin\treason=Closed")
        #expect(try tool.lines(until: "DONE\t4\t") == ["LIST\t4\tada", "DONE\t4\t"])
        try tool.send("NONSENSE\t1\n")
        #expect(try tool.line() == nil)
    }

    @Test("lets no crowd of tools keep login processes out, and serves all of them in the end")
    func crowd() throws {
        let auth = try AuthProcess(passwords: users, sockets: [("auth-userdb", 0o666)])
        var peers = try (0..<60).map { _ in try auth.connect("auth-userdb") }
        let first = peers[0]
        #expect(try first.line() == "VERSION\t1\t1")
        let login = try auth.attach(pid: 1)
        try auth.begin(login, "ada", "secret")
        guard case .succeeded = try auth.next(AuthToLogin.self, from: login) else { Issue.record("refused"); return }
        let last = peers[59]
        peers.removeFirst(50)
        peers = []
        #expect(try last.line() == "VERSION\t1\t1")
        #expect(try auth.logged().contains { $0.contains("client_limit = 100") })
    }

    @Test("answers master, and ends when it is told")
    func master() throws {
        let auth = try AuthProcess(passwords: users)
        try auth.master.send(MasterToService.statusQuery, request: 5)
        guard case .status(let status) = try auth.next(ServiceToMaster.self, from: auth.master) else { Issue.record("no status"); return }
        #expect(status.service == "auth" && status.processCount == 1)
        try auth.master.send(MasterToService.stop(StopOrder(endSessions: false)))
        #expect(throws: ChannelError.closed) { _ = try auth.master.receive(ServiceToMaster.self, wait: true) }
    }
}
