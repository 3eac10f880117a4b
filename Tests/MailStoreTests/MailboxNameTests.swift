import Testing

@testable import MailStore

@Suite("A mailbox name")
struct MailboxNameTests {
    private func namespace(_ prefix: String, _ separator: String, inbox: Bool) -> NamespaceSettings {
        var settings = NamespaceSettings()
        settings.prefix = Array(prefix.utf8)
        settings.separator = Array(separator.utf8).first
        settings.holdsInbox = inbox
        return settings
    }

    @Test(
        "is refused with Dovecot's words",
        arguments: [
            ("", "Name is empty"), ("a/b", "Name must not have '/' characters"), ("/a", "Name must not have '/' characters"),
            ("~a", "Begins with '~'"),
            (".a", "Begins with hierarchy separator"), ("a..b", "Has adjacent hierarchy separators"),
            ("a.", "Ends with hierarchy separator"),
            ("a\u{0}b", "Control characters not allowed"), ("a\r\nb", "Control characters not allowed"),
            (String(repeating: "a", count: 255), "Mailbox name too long"),
        ])
    func refuses(_ text: String, _ reason: String) throws {
        let store = try Scratch().store()
        #expect(throws: StoreError.invalidName(reason)) { try store.named(text) }
    }

    @Test(
        "in nested directories never reaches what is the store's own",
        arguments: [
            (".", "Contains '.' part"), ("a/..", "Contains '..' part"), ("a/../b", "Contains '..' part"), ("cur", "Contains reserved name"),
            ("a/new", "Contains reserved name"),
            ("tmp/x", "Contains reserved name"), ("dovecot-uidlist", "Contains reserved name"), ("subscriptions", "Contains reserved name"),
            (".x", "Contains reserved name"),
            ("/etc/passwd", "Begins with '/'"), ("a//b", "Has adjacent hierarchy separators"),
        ])
    func refusesNested(_ text: String, _ reason: String) throws {
        let store = try Scratch().store(layout: .nested)
        #expect(throws: StoreError.invalidName(reason)) { try store.named(text) }
    }

    @Test("INBOX is the same in any case")
    func inbox() throws {
        let store = try Scratch().store()
        #expect(try store.named("iNbOx").isInbox)
        #expect(try store.named("iNbOx").description == "INBOX")
        #expect(try !store.named("INBOX.a").isInbox)
    }

    @Test("has its namespace's prefix and separator")
    func prefix() throws {
        let scratch = try Scratch()
        let store = try scratch.store { $0.namespaces = [self.namespace("INBOX/", "/", inbox: true)] }
        #expect(throws: StoreError.invalidName("Character not allowed in mailbox name: '.'")) { try store.named("INBOX/a.b") }
        #expect(throws: StoreError.self) { try store.named("other") }
        try store.create(try store.named("inbox/Work/2024"))
        #expect(try scratch.names("Maildir").contains(".Work.2024"))
        #expect(try store.listedNames() == ["INBOX", "INBOX/Work", "INBOX/Work/2024"])
        #expect(try store.list()[0].hasChildren)
        #expect(try !store.list()[1].isSelectable)
    }

    @Test(
        "cannot mean two things",
        arguments: [
            ("inbox=yes namespace missing", [("", false)]), ("There can be only one namespace with inbox=yes", [("", true), ("x.", true)]),
            ("Duplicate namespace prefix: \"\"", [("", true), ("", false)]),
            ("list=yes namespace prefix=x must end with separator", [("x", true)]),
        ] as [(String, [(String, Bool)])])
    func contradictions(_ reason: String, _ settings: [(String, Bool)]) throws {
        let scratch = try Scratch()
        #expect(throws: StoreError.unavailable(reason)) {
            try scratch.store { $0.namespaces = settings.map { self.namespace($0.0, ".", inbox: $0.1) } }
        }
    }

    @Test("needs a home where the path does")
    func home() {
        #expect(throws: StoreError.self) { try MailStore.open(location: MailLocation(path: "~/Maildir"), home: nil) }
    }
}
