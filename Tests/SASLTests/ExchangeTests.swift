import Testing

@testable import SASL

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private let notPlain = Failure.malformed("PLAIN message without exactly two NUL bytes")
private let longName = String(repeating: "a", count: Limits.name + 1)
private let longPassword = String(repeating: "p", count: Limits.password + 1)
private let longMessage = String(repeating: "m", count: Limits.message + 1)

@Suite("A SASL exchange")
struct ExchangeTests {
    @Test(
        "of PLAIN reads one message",
        arguments: [
            ("\0ada\0pw", Credentials(authentication: bytes("ada"), password: bytes("pw"))),
            ("bob\0ada\0pw", Credentials(authorization: bytes("bob"), authentication: bytes("ada"), password: bytes("pw"))),
            ("\0ada\0", Credentials(authentication: bytes("ada"), password: [])),
            ("\0ünï\0pä ss", Credentials(authentication: bytes("ünï"), password: bytes("pä ss"))),
        ])
    func plain(_ message: String, _ expected: Credentials) {
        var direct = Exchange(.plain)
        #expect(direct.begin(bytes(message)) == .verify(expected))
        #expect(direct.respond(bytes(message)) == .fail(.unexpected))
        var asked = Exchange(.plain)
        #expect(asked.begin(nil) == .challenge([]))
        #expect(asked.respond(bytes(message)) == .verify(expected))
    }

    @Test(
        "of PLAIN fails for other messages",
        arguments: [
            ("", notPlain),
            ("ada", notPlain),
            ("\0ada", notPlain),
            ("\0ada\0pw\0", notPlain),
            ("\0ada\0pw\0x", notPlain),
            ("\0\0pw", .emptyUsername), ("bob\0\0pw", .emptyUsername), ("\0\0", .emptyUsername),
            ("\0\(longName)\0pw", .overLimit("user name")), ("\(longName)\0a\0pw", .overLimit("user name")),
            ("\0a\0\(longPassword)", .overLimit("password")), (longMessage, .overLimit("message")),
        ] as [(String, Failure)])
    func plainFails(_ message: String, _ failure: Failure) {
        var exchange = Exchange(.plain)
        #expect(exchange.begin(bytes(message)) == .fail(failure))
        #expect(exchange.respond(bytes("\0ada\0pw")) == .fail(.unexpected))
    }

    @Test("takes fields of exactly the limit")
    func atLimit() {
        let name = [UInt8](repeating: 0x61, count: Limits.name)
        let password = [UInt8](repeating: 0x70, count: Limits.password)
        var exchange = Exchange(.plain)
        #expect(exchange.begin([0] + name + [0] + password) == .verify(Credentials(authentication: name, password: password)))
    }

    @Test("of LOGIN asks for the name and the password")
    func login() {
        var exchange = Exchange(.login)
        #expect(exchange.begin(nil) == .challenge(bytes("Username:")))
        #expect(exchange.respond(bytes("ada")) == .challenge(bytes("Password:")))
        #expect(exchange.respond(bytes("pw")) == .verify(Credentials(authentication: bytes("ada"), password: bytes("pw"))))
        #expect(exchange.respond(bytes("pw")) == .fail(.unexpected))
    }

    @Test("of LOGIN takes an initial response as the name")
    func loginInitial() {
        var exchange = Exchange(.login)
        #expect(exchange.begin(bytes("ada")) == .challenge(bytes("Password:")))
        #expect(exchange.respond([]) == .verify(Credentials(authentication: bytes("ada"), password: [])))
    }

    @Test(
        "of LOGIN fails for other messages",
        arguments: [
            ([""], Failure.emptyUsername),
            ([longName], .overLimit("user name")),
            (["a\0b", "pw"], .malformed("NUL in a field")),
            (["ada", "p\0w"], .malformed("NUL in a field")),
            (["ada", longPassword], .overLimit("password")),
        ])
    func loginFails(_ messages: [String], _ failure: Failure) {
        var exchange = Exchange(.login)
        var last = exchange.begin(nil)
        for message in messages { last = exchange.respond(bytes(message)) }
        #expect(last == .fail(failure))
        #expect(exchange.respond(bytes("ada")) == .fail(.unexpected))
    }

    @Test("answers nothing before it has begun, and begins once", arguments: Mechanism.allCases)
    func begins(_ mechanism: Mechanism) {
        var early = Exchange(mechanism)
        #expect(early.respond(bytes("\0ada\0pw")) == .fail(.unexpected))
        var twice = Exchange(mechanism)
        _ = twice.begin(nil)
        #expect(twice.begin(nil) == .fail(.unexpected))
        #expect(twice.respond(bytes("\0ada\0pw")) == .fail(.unexpected))
    }

    @Test(
        "knows its mechanism by name",
        arguments: [
            ("PLAIN", Mechanism.plain), ("plain", .plain), ("Login", .login), ("", nil), ("PLAI", nil), ("PLAIN ", nil),
            ("SCRAM-SHA-999", nil),
            ("PLAINPLAINPLAINPLAINPLAIN", nil),
        ])
    func names(_ name: String, _ mechanism: Mechanism?) {
        #expect(Mechanism(name: Array(name.utf8)) == mechanism)
    }

    @Test("leaves no password behind after wiping")
    func wipes() {
        var credentials = Credentials(authentication: bytes("ada"), password: bytes("secret"))
        credentials.wipe()
        #expect(credentials.password == [0, 0, 0, 0, 0, 0])
    }
}
