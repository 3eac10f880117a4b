@testable import IMAPSyntax
import Testing

/// Parses the one command of a text, literals included.
func parser(_ text: String, limits: Limits = .postLogin) -> CommandParser? {
    for event in events(text + "\r\n", limits: limits) {
        if case .command(let command) = event { return CommandParser(command, limits: limits) }
    }
    return nil
}

@Suite("A command before login")
struct PreLoginCommandTests {
    private func parse(_ text: String) throws(SyntaxError) -> PreLoginCommand? {
        guard var parser = parser(text, limits: .preLogin) else { return nil }
        _ = try parser.tag()
        return try parser.preLoginCommand()
    }

    @Test(
        "is understood",
        arguments: [
            ("a CAPABILITY", PreLoginCommand.capability), ("a noop", .noop), ("a Logout", .logout), ("a STARTTLS", .startTLS),
            ("a ID NIL", .id([])), ("a ID ()", .id([])),
            ("a ID (\"name\" \"x\" \"os\" NIL)", .id([IDField(key: raw("name"), value: raw("x")), IDField(key: raw("os"), value: nil)])),
            ("a LOGIN alice demo", .login(user: raw("alice"), password: raw("demo"))),
            ("a LOGIN \"a b\" \"q\\\"\\\\x\"", .login(user: raw("a b"), password: raw("q\"\\x"))),
            ("a LOGIN {2}\r\nab {3}\r\nc}d", .login(user: raw("ab"), password: raw("c}d"))),
            ("a LOGIN \"\" \"\"", .login(user: [], password: [])),
            ("a login nil ]x", .login(user: raw("nil"), password: raw("]x"))),
            ("a AUTHENTICATE plain", .authenticate(mechanism: raw("PLAIN"), initialResponse: nil)),
            ("a AUTHENTICATE PLAIN =", .authenticate(mechanism: raw("PLAIN"), initialResponse: [])),
            ("a AUTHENTICATE PLAIN AGFiYwB4eQ==", .authenticate(mechanism: raw("PLAIN"), initialResponse: raw("AGFiYwB4eQ=="))),
        ])
    func understood(_ text: String, _ expected: PreLoginCommand) throws {
        #expect(try parse(text) == expected)
    }

    @Test(
        "is refused",
        arguments: [
            "a", "a ", " NOOP", "a SELECT INBOX", "a NOOP x", "a NOOP ", "a LOGIN", "a LOGIN x", "a LOGIN x ", "a LOGIN x y z",
            "a LOGIN \"x y", "a LOGIN \"x\"y", "a LOGIN (x) y", "a LOGIN x\u{0} y", "a LOGIN \"x\\\u{0}\" y", "a LOGIN {1}\r\n\u{0} y",
            "a AUTHENTICATE", "a AUTHENTICATE PLAIN a b", "a AUTHENTICATE PLAIN \u{1}", "a AUTHENTICATE AAAAAAAAAAAAAAAAAAAAAAAAA",
            "a ID", "a ID (", "a ID (\"a\")", "a ID (\"a\" \"b\"", "a ID x", "+ NOOP", "a+ NOOP", "a\u{0} NOOP", "\u{0}", "",
            "a LOGIN {3}xyz y", "a LOGIN x\\y z",
        ])
    func refused(_ text: String) {
        #expect(throws: SyntaxError.self) { _ = try parse(text) }
    }

    @Test("has a tag of at most 64 bytes")
    func tags() throws {
        #expect(try parse(String(repeating: "a", count: 64) + " NOOP") == .noop)
        #expect(throws: SyntaxError.overLimit("tag")) { _ = try parse(String(repeating: "a", count: 65) + " NOOP") }
    }
}
