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
}
