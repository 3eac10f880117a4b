import SASL
import Testing

@testable import auth

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("Tab escaping")
struct TabEscapeTests {
    @Test(
        "hides what would end a parameter",
        arguments: [
            ("", ""), ("plain", "plain"), ("a\tb", "a\u{1}tb"), ("a\nb\rc", "a\u{1}nb\u{1}rc"), ("a\0b", "a\u{1}0b"),
            ("a\u{1}b", "a\u{1}1b"),
        ])
    func escapes(_ plain: String, _ escaped: String) {
        var line: [UInt8] = []
        TabEscape.append(plain.utf8, to: &line)
        #expect(line == bytes(escaped))
        #expect(TabEscape.decode(line) == bytes(plain))
    }

    @Test("takes an unknown mark as the character itself", arguments: [("a\u{1}xb", "axb"), ("a\u{1}", "a"), ("\u{1}\u{1}", "\u{1}")])
    func decodes(_ escaped: String, _ plain: String) { #expect(TabEscape.decode(escaped.utf8) == bytes(plain)) }
}

@Suite("A line buffer")
struct LineBufferTests {
    @Test("gives whole lines, however they arrive")
    func pieces() {
        for size in 1...12 {
            var buffer = LineBuffer(limit: 10)
            var lines: [String] = []
            let content = bytes("ab\n\ncdefghijkl\nx")
            for start in stride(from: 0, to: content.count, by: size) {
                buffer.add(content[start..<min(start + size, content.count)])
                while case .line(let line) = buffer.next() { lines.append(String(decoding: line, as: UTF8.self)) }
            }
            #expect(lines == ["ab", "", "cdefghijkl"])
            #expect(buffer.next() == .needsMore)
        }
    }

    @Test("has a limit, with and without a line end")
    func limit() {
        var whole = LineBuffer(limit: 3)
        whole.add(bytes("abcd\n"))
        #expect(whole.next() == .tooLong)
        var open = LineBuffer(limit: 3)
        open.add(bytes("abc"))
        #expect(open.next() == .needsMore)
        open.add(bytes("d"))
        #expect(open.next() == .tooLong)
    }
}

@Suite("The client protocol")
struct ClientProtocolTests {
    private let greeting = ClientProtocol.Greeting(processID: 3144, connection: 1, cookie: "ce39", mechanisms: [.plain, .login])
    private let offer = "MECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t3144\nCUID\t1\nCOOKIE\tce39\nDONE\n"

    private func opened(minor: Int = 2) throws -> ClientProtocol {
        var client = ClientProtocol(greeting, atOnce: true)
        #expect(try client.receive(bytes("VERSION\t1\t\(minor)")) == .nothing)
        #expect(try client.receive(bytes("CPID\t77")) == .nothing)
        return client
    }

    @Test("greets as 2.3 or as 2.4 does")
    func greets() throws {
        #expect(ClientProtocol(greeting, atOnce: true).opening == bytes("VERSION\t1\t2\n" + offer))
        var later = ClientProtocol(greeting, atOnce: false)
        #expect(later.opening == bytes("VERSION\t1\t4\n"))
        #expect(try later.receive(bytes("VERSION\t1\t2")) == .reply(bytes(offer)))
    }

    @Test(
        "reads AUTH",
        arguments: [
            ("AUTH\t1\tPLAIN\tservice=smtp\tresp=AGFkYQBwdw==", "PLAIN", Response.data(bytes("\0ada\0pw"))),
            ("AUTH\t1\tplain\tservice=smtp\tnologin\tlip=1.2.3.4\trip=::1\tsecured\tresp=AGFkYQBwdw==", "plain", .data(bytes("\0ada\0pw"))),
            ("AUTH\t1\tLOGIN\tservice=smtp", "LOGIN", .absent),
            ("AUTH\t1\tPLAIN\tservice=smtp\tresp==", "PLAIN", .data([])),
            ("AUTH\t1\tPLAIN\tservice=smtp\tresp=", "PLAIN", .data([])),
            ("AUTH\t1\tPLAIN\tservice=smtp\tresp=%", "PLAIN", .malformed),
            ("AUTH\t1\tPLAIN\tprotocol=smtp\tunknown=x\tdebug", "PLAIN", .absent),
        ])
    func authenticates(_ line: String, _ mechanism: String, _ response: Response) throws {
        var client = try opened()
        guard case .command(.authenticate(let id, let name, let initial, let origin)) = try client.receive(bytes(line)) else {
            Issue.record("not AUTH")
            return
        }
        #expect(id == 1 && name == mechanism && initial == response && origin.service == "smtp")
    }

    @Test("takes an empty resp of an old client as none")
    func oldClient() throws {
        var client = try opened(minor: 1)
        guard case .command(.authenticate(_, _, let initial, _)) = try client.receive(bytes("AUTH\t1\tPLAIN\tservice=smtp\tresp=")) else {
            Issue.record("not AUTH")
            return
        }
        #expect(initial == .absent)
    }

    @Test("knows where the request comes from")
    func origin() throws {
        var client = try opened()
        let line =
            "AUTH\t4294967295\tPLAIN\tservice=smtp\tsession=ab+/\trip=10.0.0.1\trport=5000\tlip=10.0.0.2\tlport=25\tsecured=tls\tlocal_name=m.test"
        guard case .command(.authenticate(let id, _, _, let origin)) = try client.receive(bytes(line)) else {
            Issue.record("not AUTH")
            return
        }
        #expect(id == 4_294_967_295)
        #expect(origin.session == "ab+/" && origin.remoteAddress == "10.0.0.1" && origin.remotePort == 5_000)
        #expect(origin.localAddress == "10.0.0.2" && origin.localPort == 25 && origin.localName == "m.test")
        #expect(origin.isSecured && origin.isTLS)
    }

    @Test("reads CONT and CANCEL")
    func others() throws {
        var client = try opened()
        #expect(try client.receive(bytes("CONT\t7\tcHc=")) == .command(.proceed(id: 7, .data(bytes("pw")))))
        #expect(try client.receive(bytes("CONT\t7\t")) == .command(.proceed(id: 7, .data([]))))
        #expect(try client.receive(bytes("CONT\t7\t!")) == .command(.proceed(id: 7, .malformed)))
        #expect(try client.receive(bytes("CANCEL\t7")) == .command(.cancel(id: 7)))
    }

    @Test(
        "ends with a client that breaks it",
        arguments: [
            "", "NONSENSE", "AUTH", "AUTH\t", "AUTH\t0\tPLAIN\tservice=x", "AUTH\tx\tPLAIN\tservice=x", "AUTH\t1", "AUTH\t1\t\tservice=x",
            "AUTH\t1\tPLAIN", "AUTH\t1\tPLAIN\tservice=", "AUTH\t1\tPLAIN\tresp=AAAA", "AUTH\t1\tPLAIN\tservice=x\tresp=AAAA\tnologin",
            "AUTH\t1\tAAAAAAAAAAAAAAAAAAAAA\tservice=x", "AUTH\t4294967296\tPLAIN\tservice=x", "CONT", "CONT\t1", "CONT\t0\tAAAA",
            "CONT\t1\tAAAA\tx", "CANCEL", "CANCEL\t0", "CANCEL\t-1", "VERSION\t1\t2", "CPID\t1", "AUTH\t1\tPLAIN\tservice=x" + many,
        ])
    func refuses(_ line: String) throws {
        var client = try opened()
        #expect(throws: Violation.self) { try client.receive(bytes(line)) }
    }

    private static let many = String(repeating: "\tx", count: 80)

    @Test("wants VERSION, then CPID", arguments: ["CPID\t1", "VERSION", "VERSION\t2\t0", "VERSION\t1\tx", "AUTH\t1\tPLAIN\tservice=x"])
    func handshake(_ line: String) {
        var client = ClientProtocol(greeting, atOnce: true)
        #expect(throws: Violation.self) { try client.receive(bytes(line)) }
    }

    @Test("wants a process id", arguments: ["CPID\t0", "CPID", "CPID\tx", "AUTH\t1\tPLAIN\tservice=x"])
    func processID(_ line: String) throws {
        var client = ClientProtocol(greeting, atOnce: true)
        _ = try client.receive(bytes("VERSION\t1\t1"))
        #expect(throws: Violation.self) { try client.receive(bytes(line)) }
    }

    @Test("writes replies")
    func replies() {
        #expect(ClientReply.challenge(3, bytes("Username:")) == bytes("CONT\t3\tVXNlcm5hbWU6\n"))
        #expect(ClientReply.challenge(3, []) == bytes("CONT\t3\t\n"))
        #expect(ClientReply.failure(2, Refusal(user: "ada")) == bytes("FAIL\t2\tuser=ada\n"))
        let full = Refusal(code: "temp_fail", reason: "a\tb", user: "ada")
        #expect(ClientReply.failure(2, full) == bytes("FAIL\t2\tuser=ada\tcode=temp_fail\treason=a b\n"))
        let identity = Identity(user: "ada", original: "Ada", master: "root")
        let fields = FieldList([("nologin", nil), ("reason", "no\nway"), ("userdb_uid", "5")])
        #expect(
            ClientReply.success(9, Passed(identity: identity, origin: Origin(), fields: fields))
                == bytes("OK\t9\tuser=ada\toriginal_user=Ada\tauth_user=root\tnologin\treason=no way\n"))
    }
}

@Suite("The user database protocol")
struct UserdbProtocolTests {
    private func opened(master: Bool = false) throws -> UserdbProtocol {
        var dialogue = UserdbProtocol(processID: 5, isMaster: master)
        #expect(dialogue.opening == bytes("VERSION\t1\t1\nSPID\t5\n"))
        #expect(try dialogue.receive(bytes("VERSION\t1\t0")) == nil)
        return dialogue
    }

    @Test("reads requests")
    func reads() throws {
        var dialogue = try opened()
        var origin = Origin()
        origin.service = "lmtp"
        origin.remoteAddress = "10.1.1.1"
        origin.realRemoteAddress = "10.1.1.1"
        #expect(try dialogue.receive(bytes("USER\t1\tada\tservice=lmtp\trip=10.1.1.1")) == .user(id: 1, name: bytes("ada"), origin: origin))
        origin.realRemoteAddress = "10.2.2.2"
        #expect(
            try dialogue.receive(bytes("USER\t1\tada\tservice=lmtp\trip=10.1.1.1\treal_rip=10.2.2.2"))
                == .user(id: 1, name: bytes("ada"), origin: origin))
        origin.remoteAddress = ""
        origin.realRemoteAddress = ""
        #expect(try dialogue.receive(bytes("PASS\t2\ta\u{1}tb\tservice=lmtp")) == .pass(id: 2, name: bytes("a\tb"), origin: origin))
        #expect(try dialogue.receive(bytes("LIST\t3")) == .list(id: 3, mask: []))
        #expect(try dialogue.receive(bytes("LIST\t3\tuser=a*\tservice=x")) == .list(id: 3, mask: bytes("a*")))
        #expect(try dialogue.receive(bytes("CPID\t9")) == nil)
    }

    @Test(
        "ends with a client that breaks it",
        arguments: [
            "", "X", "X\t1", "USER", "USER\t1", "USER\t1\t\tservice=x", "USER\t1\tada", "USER\tx\tada\tservice=x", "PASS\t1\tada", "LIST",
            "CACHE-FLUSH\t1", "REQUEST\t1\t2\t3\tabc",
        ])
    func refuses(_ line: String) throws {
        var dialogue = try opened()
        #expect(throws: Violation.self) { _ = try dialogue.receive(bytes(line)) }
    }

    @Test("wants VERSION first", arguments: ["USER\t1\tada\tservice=x", "VERSION", "VERSION\t2\t1", ""])
    func handshake(_ line: String) {
        var dialogue = UserdbProtocol(processID: 5, isMaster: false)
        #expect(throws: Violation.self) { _ = try dialogue.receive(bytes(line)) }
    }

    @Test("lets masters empty the cache")
    func flush() throws {
        var dialogue = try opened(master: true)
        #expect(try dialogue.receive(bytes("CACHE-FLUSH\t1\tada")) == .flushCache(id: 1))
        #expect(UserdbReply.flushed(1, count: 0) == bytes("OK\t1\t0\n"))
    }

    @Test("writes replies")
    func replies() {
        #expect(UserdbReply.notFound(1) == bytes("NOTFOUND\t1\n"))
        #expect(UserdbReply.failure(1) == bytes("FAIL\t1\n"))
        #expect(UserdbReply.failure(1, reason: "x y") == bytes("FAIL\t1\treason=x y\n"))
        #expect(UserdbReply.listed(1, "a\tb") == bytes("LIST\t1\ta\u{1}tb\n"))
        #expect(UserdbReply.listEnd(1, isComplete: true) == bytes("DONE\t1\t\n"))
        #expect(UserdbReply.listEnd(1, isComplete: false) == bytes("DONE\t1\tfail\n"))
        #expect(UserdbReply.pass(1, user: "ada", FieldList([("nologin", nil)])) == bytes("PASS\t1\tuser=ada\tnologin\n"))
    }
}

@Suite("The role of a text socket")
struct TextRoleTests {
    @Test(
        "follows from its name",
        arguments: [
            ("auth-client", TextRole.client(atOnce: false)), ("auth", .client(atOnce: false)), ("login", .client(atOnce: false)),
            ("auth-legacy", .client(atOnce: true)), ("auth-userdb", .userdb), ("userdb", .userdb), ("auth-master", .master),
            ("", .client(atOnce: false)),
        ])
    func follows(_ word: String, _ role: TextRole) { #expect(TextRole(word, greetsAtOnce: false) == role) }
}
