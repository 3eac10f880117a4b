import Testing
import Variables

@testable import auth

@Suite("A user name")
struct UserNameTests {
    private func rules(
        realm: String = "", translation: String = "", characters: String = "abcdefghijklmnopqrstuvwxyzABC0123.-_@#", format: String = "%Lu"
    ) throws -> UserNameRules {
        UserNameRules(
            realm: realm, translation: translation, characters: characters, format: try Template(format, dialect: .letters, scope: .auth))
    }

    @Test("is made normal")
    func normal() throws {
        #expect(try rules().name(Array("AdA@b.c".utf8)) { _ in nil } == "ada@b.c")
        #expect(try rules(realm: "x.y").name(Array("ada".utf8)) { _ in nil } == "ada@x.y")
        #expect(try rules(realm: "x.y").name(Array("ada@z".utf8)) { _ in nil } == "ada@z")
        #expect(try rules(translation: "#@").name(Array("ada#z".utf8)) { _ in nil } == "ada@z")
        #expect(try rules(format: "%n").name(Array("ada@z".utf8)) { _ in nil } == "ada")
        #expect(try rules(characters: "").name(Array("ÄdÄ %{x}".utf8)) { _ in nil } == "ÄdÄ %{x}".lowercasedASCII)
    }

    @Test("is refused when it breaks the rules")
    func refused() throws {
        #expect(throws: NameProblem.empty) { try rules().name([]) { _ in nil } }
        #expect(throws: NameProblem.disallowed(byte: 0x2A, name: "a*b")) { try rules().name(Array("a*b".utf8)) { _ in nil } }
        #expect(throws: NameProblem.disallowed(byte: 0, name: "a\0")) { try rules().name([0x61, 0]) { _ in nil } }
        #expect(throws: NameProblem.notText) { try rules(characters: "").name([0x61, 0]) { _ in nil } }
        #expect(throws: NameProblem.notText) { try rules(characters: "").name([0x61, 0xFF]) { _ in nil } }
        #expect(throws: NameProblem.tooLong) { try rules().name([UInt8](repeating: 0x61, count: Limits.userName + 1)) { _ in nil } }
        #expect(throws: NameProblem.empty) { try rules(format: "%d").name(Array("ada".utf8)) { _ in nil } }
        #expect(
            NameProblem.disallowed(byte: 0x2A, name: "a*b").text
                == "Username character disallowed by auth_username_chars: 0x2a (username: a*b)")
    }

    @Test(
        "passes a filter",
        arguments: [
            ("", "ada", true), ("ada", "ada", true), ("ada", "adam", false), ("*@x.y", "ada@x.y", true),
            ("*@x.y !root@*", "root@x.y", false),
            ("!root", "ada", true), ("!root", "root", false), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false), ("a?a", "ada", true),
            ("*", "", true),
            ("bob, ada", "ada", true), ("*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ])
    func filter(_ filter: String, _ name: String, _ passes: Bool) { #expect(NameFilter(filter).allows(name) == passes) }
}

extension String {
    fileprivate var lowercasedASCII: String {
        String(decoding: utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

@Suite("A list of fields")
struct FieldListTests {
    @Test("keeps the last value, protects and removes")
    func sets() {
        var fields = FieldList([("a", "1"), ("b", nil), ("a", "2"), ("a:protected", "3"), ("c:default", "4"), ("", "x")])
        #expect(fields["a"] == "2" && fields["b"] == "" && fields["c"] == "4" && fields["d"] == nil)
        fields.set("b:remove", nil)
        #expect(!fields.has("b") && fields.entries.count == 2)
        #expect(FieldList([("userdb_x", "1"), ("y", "2")]).beneath("userdb_") == FieldList([("x", "1")]))
        #expect(FieldList([("userdb_x", "1"), ("y", "2")]).without(prefix: "userdb_") == FieldList([("y", "2")]))
    }

    @Test("has a limit")
    func limit() {
        var fields = FieldList()
        for number in 0..<1_000 { fields.set("f\(number)", nil) }
        #expect(fields.entries.count == Limits.fields)
    }
}

@Suite("A 2.3 mail location")
struct MailLocationTests {
    @Test(
        "is taken apart",
        arguments: [
            ("maildir:~/Mail", "maildir", "~/Mail", "", "", ""),
            ("maildir:/a:INDEX=/i:CONTROL=/c:INBOX=/b", "maildir", "/a", "/b", "/c", "/i"),
            ("maildir:/a::b:INDEX=/x::y", "maildir", "/a:b", "", "", "/x:y"), ("", "", "", "", "", ""),
            ("maildir", "maildir", "", "", "", ""),
            ("MAILDIR:/a:UTF-8:NO-NOSELECT", "maildir", "/a", "", "", ""),
            ("mbox:~/m:INBOX=/var/mail/u", "mbox", "~/m", "/var/mail/u", "", ""),
        ])
    func parts(_ text: String, _ driver: String, _ path: String, _ inbox: String, _ control: String, _ index: String) {
        let location = MailLocation(text)
        #expect(location.driver == driver && location.path == path && location.inboxPath == inbox)
        #expect(location.controlPath == control && location.indexPath == index)
    }
}
