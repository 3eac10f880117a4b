import Platform
import Testing

@testable import MailStore

@Suite("Mailboxes")
struct MailboxListTests {
    @Test("are created, listed and deleted")
    func create() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.create(try store.named("Entwürfe"))
        try store.create(try store.named("Work.2024"))
        #expect(try scratch.names("Maildir").filter { $0.hasPrefix(".") } == [".Entw&APw-rfe", ".Work.2024"])
        #expect(try scratch.names("Maildir/.Work.2024") == ["cur", "maildirfolder", "new", "tmp"])
        #expect(try scratch.status("Maildir/.Work.2024")?.mode == 0o700)
        #expect(throws: StoreError.exists) { try store.create(try store.named("Work.2024")) }
        #expect(throws: StoreError.exists) { try store.create(try store.named("inbox")) }
        #expect(try store.listedNames() == ["INBOX", "Entwürfe", "Work", "Work.2024"])
        let work = try store.list()[2]
        #expect(!work.isSelectable && work.hasChildren)
        try store.save("x\n", to: "Work.2024")
        try store.delete(try store.named("Work.2024"))
        #expect(throws: StoreError.notFound) { try store.delete(try store.named("Work.2024")) }
        #expect(throws: StoreError.notFound) { try store.opened("Work.2024") }
        #expect(try store.listedNames() == ["INBOX", "Entwürfe"])
        #expect(throws: StoreError.cannot("INBOX can't be deleted.")) { try store.delete(try store.named("INBOX")) }
        #expect(try scratch.names("Maildir").filter { $0.hasPrefix(".") } == [".Entw&APw-rfe"])
    }

    @Test("get a new UIDVALIDITY when they are made again")
    func uidValidity() throws {
        let store = try Scratch().store()
        var seen = Set<UInt32>()
        for _ in 0..<5 {
            try store.create(try store.named("A"))
            #expect(seen.insert(try store.save("x", to: "A").uidValidity).inserted)
            try store.delete(try store.named("A"))
        }
    }

    @Test("are renamed with their children", arguments: [MailLocation.Layout.maildirPlusPlus, .nested])
    func rename(_ layout: MailLocation.Layout) throws {
        let scratch = try Scratch()
        let store = try scratch.store(layout: layout)
        let dot = layout == .nested ? "/" : "."
        for name in ["A", "A\(dot)b", "A\(dot)b\(dot)c", "AB"] { try store.create(try store.named(name)) }
        let saved = try store.save("hello\n", to: "A\(dot)b")
        try store.rename(try store.named("A"), to: try store.named("X\(dot)Y"))
        #expect(try store.listedNames() == ["INBOX", "AB", "X", "X\(dot)Y", "X\(dot)Y\(dot)b", "X\(dot)Y\(dot)b\(dot)c"])
        let mailbox = try store.opened("X\(dot)Y\(dot)b")
        #expect(mailbox.uidValidity == saved.uidValidity)
        #expect(mailbox.uids == saved.uids)
        #expect(throws: StoreError.exists) { try store.rename(try store.named("AB"), to: try store.named("X\(dot)Y")) }
        #expect(throws: StoreError.notFound) { try store.rename(try store.named("A"), to: try store.named("B")) }
        #expect(throws: StoreError.self) { try store.rename(try store.named("AB"), to: try store.named("AB\(dot)c")) }
    }

    @Test("in nested directories keep their children when they are deleted")
    func deleteNested() throws {
        let store = try Scratch().store(layout: .nested)
        for name in ["A", "A/b"] { try store.create(try store.named(name)) }
        try store.delete(try store.named("A"))
        #expect(try store.listedNames() == ["INBOX", "A", "A/b"])
        #expect(throws: StoreError.notFound) { try store.opened("A") }
        try store.delete(try store.named("A/b"))
    }

    @Test("renaming INBOX moves its messages")
    func renameInbox() throws {
        let store = try Scratch().store()
        try store.save("one\n")
        try store.save("two\n", NewMessage(flags: [.seen]))
        try store.rename(try store.named("INBOX"), to: try store.named("Old"))
        #expect(try store.opened("INBOX").messages.isEmpty)
        let old = try store.opened("Old")
        #expect(old.messages.count == 2)
        #expect(old.messages[1].flags.contains(.seen))
    }

    @Test("that are automatic are listed at once and made on first use")
    func automatic() throws {
        let scratch = try Scratch()
        let store = try scratch.store {
            $0.namespaces[0].mailboxes = [
                MailboxSettings(name: Array("Sent".utf8), automatic: .subscribe, specialUse: ["\\Sent"]),
                MailboxSettings(name: Array("Junk".utf8), automatic: .create), MailboxSettings(name: Array("Never".utf8)),
            ]
        }
        #expect(try store.listedNames() == ["INBOX", "Junk", "Sent"])
        #expect(try store.list().map(\.isSubscribed) == [false, false, true])
        #expect(try store.list()[2].specialUse == ["\\Sent"])
        #expect(try !scratch.names("Maildir").contains(".Sent"))
        try store.save("x", to: "Sent")
        #expect(try scratch.names("Maildir").contains(".Sent"))
    }

    @Test("are subscribed in Dovecot's file, whichever version it has")
    func subscriptions() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.create(try store.named("Work.ä"))
        try store.subscribe(try store.named("Work.ä"))
        try store.subscribe(try store.named("INBOX"))
        #expect(try scratch.read("Maildir/subscriptions") == "V\t2\n\nWork\t&AOQ-\nINBOX\n")
        #expect(try store.subscriptions().map(\.description) == ["INBOX", "Work.ä"])
        #expect(throws: StoreError.notFound) { try store.subscribe(try store.named("None")) }
        try store.unsubscribe(try store.named("None"))
        try scratch.write("Maildir/subscriptions", "Work.&AOQ-\nGone.b\n")
        #expect(try store.subscriptions().map(\.description) == ["Gone.b", "Work.ä"])
        let listed = try store.list()
        #expect(listed.first { $0.name.description == "Gone.b" }?.isOnlySubscribed == true)
        #expect(listed.first { $0.name.description == "Work.ä" }?.isSubscribed == true)
        try store.unsubscribe(try store.named("Gone.b"))
        #expect(try scratch.read("Maildir/subscriptions") == "V\t2\n\nWork\t&AOQ-\n")
    }

    @Test("have the permissions of their root, whatever the umask")
    func permissions() throws {
        let scratch = try Scratch()
        try scratch.folder.makeFolder(Array("Maildir".utf8), mode: 0o770)
        let store = try scratch.store()
        try store.create(try store.named("A"))
        try store.save("x", to: "A")
        #expect(try scratch.status("Maildir/.A")?.mode == 0o770)
        #expect(try scratch.status("Maildir/.A/new")?.mode == 0o770)
        #expect(try scratch.status("Maildir/.A/dovecot-uidlist")?.mode == 0o660)
        #expect(try scratch.status("Maildir/.A/new/" + (try scratch.names("Maildir/.A/new")[0]))?.mode == 0o660)
    }
}
