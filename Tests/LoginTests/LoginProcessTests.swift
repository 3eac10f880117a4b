import Base64
import IPCProtocol
import Platform
import Testing

@Suite("A login process", .serialized)
struct LoginProcessTests {
    /// A client that has been challenged.
    private func challenged(_ process: LoginProcess) throws -> (client: Client, exchange: UInt32) {
        let client = try process.connect()
        _ = try client.line()
        try client.send("a AUTHENTICATE LOGIN\r\n")
        let auth = try #require(client.auth)
        let (begin, exchange, _) = try process.next(LoginToAuth.self, from: auth)
        guard case .begin(let fields) = begin else { throw LoginProcess.Silence(what: "\(begin)") }
        #expect(fields.mechanism == "LOGIN" && !fields.hasInitialResponse && fields.service == "imap")
        try auth.send(AuthToLogin.challenge(SASLData(data: Array("User:".utf8))), request: exchange)
        #expect(try client.line() == "+ VXNlcjo=")
        return (client, exchange)
    }

    @Test("hands a client over with its ticket, its tag and what it sent ahead") func handOver() throws {
        let process = try LoginProcess()
        let client = try process.connect()
        #expect(try client.line()?.hasPrefix("* OK [CAPABILITY IMAP4rev1 ") == true)
        try client.send("a1 LOGIN ada secret\r\nb NOOP\r\n")
        let auth = try #require(client.auth)
        let (begin, exchange, _) = try process.next(LoginToAuth.self, from: auth)
        guard case .begin(let fields) = begin else { throw LoginProcess.Silence(what: "\(begin)") }
        #expect(fields.mechanism == "PLAIN" && fields.initialResponse == Array("\0ada\0secret".utf8) && exchange != 0)
        let ticket = [UInt8](repeating: 7, count: 16)
        try auth.send(AuthToLogin.succeeded(.init(ticket: ticket, user: "ada")), request: exchange)
        let (message, request, descriptors) = try process.next(LoginToMail.self, from: client.mail)
        guard case .handOver(let handOver) = message else { throw LoginProcess.Silence(what: "\(message)") }
        #expect(handOver.ticket == ticket && handOver.tag == Array("a1".utf8) && handOver.input == Array("b NOOP\r\n".utf8))
        #expect(handOver.wantsCapability && !handOver.isTLS && handOver.session == fields.session)
        try client.mail.send(MailToLogin.queued(.init(position: 1, why: "process_limit (1) reached")), request: request)
        try client.mail.send(MailToLogin.accepted(.init(pid: 4711)), request: request)
        let session = FileDescriptor(adopting: try #require(descriptors.first))
        try session.writeAll(Array("a1 OK Logged in\r\n".utf8))
        #expect(try client.line() == "a1 OK Logged in")
        let texts = try (0..<2).map { _ in
            guard case .line(let line) = try process.message(ServiceToLog.self, from: process.log) else { return "" }
            return line.text
        }
        #expect(texts[0] == "Login of ada waits at position 1: process_limit (1) reached")
        #expect(texts[1].hasPrefix("Login: user=<ada>, method=PLAIN, ") && texts[1].contains("mpid=4711"))
    }

    @Test(
        "answers at once when the client gives up, and tells auth",
        arguments: [
            ("*\r\n", "a BAD Authentication aborted by client."), ("not base64\r\n", "a BAD Invalid base64 data in continued response"),
        ])
    func cancelled(_ response: String, _ answer: String) throws {
        let process = try LoginProcess()
        let (client, exchange) = try challenged(process)
        try client.send(response + "b NOOP\r\n")
        #expect(try client.line() == answer)
        #expect(try client.line() == "b OK NOOP completed.")
        let (message, request, _) = try process.next(LoginToAuth.self, from: try #require(client.auth))
        #expect(message == .cancel && request == exchange)
    }

    @Test("tells auth when a client leaves between challenge and response") func left() throws {
        let process = try LoginProcess()
        let auth: Channel
        do {
            let (client, _) = try challenged(process)
            auth = try #require(client.auth)
        }
        #expect(try process.message(LoginToAuth.self, from: auth) == .cancel)
    }

    @Test("tells a client when auth ends between challenge and response, and uses its successor") func authEnded() throws {
        let process = try LoginProcess()
        let (client, _) = try challenged(process)
        client.auth = nil
        #expect(try client.line() == "a NO [UNAVAILABLE] Temporary authentication failure.")
        let (ours, theirs) = try SocketPair().split()
        try process.master.send(MasterToService.peer(Peer(role: "auth")), descriptors: [theirs])
        closeDescriptor(theirs)
        let auth = Channel(FileDescriptor(adopting: ours))
        let (attach, _, ends) = try process.next(ZygoteToAuth.self, from: auth)
        #expect(attach == .attach(.init(pid: client.worker)))
        client.auth = Channel(FileDescriptor(adopting: try #require(ends.first)))
        try client.send("b LOGIN u p\r\n")
        let (begin, exchange, _) = try process.next(LoginToAuth.self, from: try #require(client.auth))
        guard case .begin = begin else { throw LoginProcess.Silence(what: "\(begin)") }
        try client.auth?.send(AuthToLogin.failed(.init(code: "", reason: "", user: "u")), request: exchange)
        #expect(try client.line() == "b NO [AUTHENTICATIONFAILED] Authentication failed.")
    }

    @Test("tells a client that the mail service refused, and lets it try again") func refused() throws {
        let process = try LoginProcess()
        let client = try process.connect()
        _ = try client.line()
        for tag in ["a", "b"] {
            try client.send("\(tag) LOGIN u p\r\n")
            let auth = try #require(client.auth)
            let (_, exchange, _) = try process.next(LoginToAuth.self, from: auth)
            try auth.send(AuthToLogin.succeeded(.init(ticket: [1], user: "u")), request: exchange)
            let (_, request, descriptors) = try process.next(LoginToMail.self, from: client.mail)
            for number in descriptors { closeDescriptor(number) }
            try client.mail.send(MailToLogin.refused(.init(code: "UNAVAILABLE", why: "Full.", logText: "limit")), request: request)
            #expect(try client.line() == "\(tag) NO [UNAVAILABLE] Full.")
        }
    }

    @Test("ends the channel of auth when it says what it may not, and works on") func garbage() throws {
        let process = try LoginProcess()
        let (client, _) = try challenged(process)
        try DatagramSocket.send(Array("not a frame at all".utf8), to: try #require(client.auth).number)
        #expect(try client.line() == "a NO [UNAVAILABLE] Temporary authentication failure.")
        try client.send("b NOOP\r\n")
        #expect(try client.line() == "b OK NOOP completed.")
    }

    @Test("loses no request while auth does not read, and needs no answer to go on") func fullChannel() throws {
        // 80 exchanges of 6 KB are more than the kernel keeps for a socket (net.core.wmem_default, 208 KB).
        let process = try LoginProcess(clientLimit: 100)
        let first = try process.connect()
        _ = try first.line()
        let password = String(repeating: "x", count: 6_000)
        let message = Base64.encode(Array("\0u\0\(password)".utf8))
        var others: [Int32] = []
        defer { for number in others { closeDescriptor(number) } }
        for _ in 0..<80 {
            others.append(try process.connectAnother())
            let client = FileDescriptor(adopting: try duplicateDescriptor(others[others.count - 1]))
            try client.writeAll(Array("a AUTHENTICATE PLAIN\r\n".utf8) + message + [13, 10])
        }
        // All are with the worker when the last of them was greeted.
        _ = try Wait.any([.init(others[79], .readable)], milliseconds: 10_000)
        _ = try Wait.any([], milliseconds: 200)
        let auth = try #require(first.auth)
        var requests: Set<UInt32> = []
        for _ in 0..<80 {
            let (begin, exchange, _) = try process.next(LoginToAuth.self, from: auth)
            guard case .begin(let fields) = begin else { throw LoginProcess.Silence(what: "\(begin)") }
            #expect(fields.initialResponse.count == 6_003)
            requests.insert(exchange)
        }
        #expect(requests.count == 80)
    }

    @Test("spends no time on what a client sends ahead while auth thinks") func sentAhead() throws {
        let process = try LoginProcess()
        let client = try process.connect()
        _ = try client.line()
        try client.send("a LOGIN u p\r\n" + String(repeating: "x NOOP\r\n", count: 2_000))
        let (_, exchange, _) = try process.next(LoginToAuth.self, from: try #require(client.auth))
        func ticks() -> Int {
            let fields = String(decoding: FileSystem.content("/proc/\(client.worker)/stat") ?? [], as: UTF8.self).split(separator: " ")
            return fields.count > 14 ? (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0) : 0
        }
        let before = ticks()
        _ = try Wait.any([], milliseconds: 500)
        #expect(ticks() - before < 10, "of 50")
        try client.auth?.send(AuthToLogin.failed(.init(code: "", reason: "", user: "u")), request: exchange)
        #expect(try client.line() == "a NO [AUTHENTICATIONFAILED] Authentication failed.")
        for _ in 0..<2_000 { #expect(try client.line() == "x OK NOOP completed.") }
    }
}
