import Platform
import Testing

@testable import MailStore

@Suite("A mailbox")
struct MailboxTests {
    @Test("sees what other programs deliver, in the order in which it came")
    func delivery() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.messages.isEmpty)
        try scratch.write("Maildir/new/200.M1P1.x", "b\n")
        try scratch.write("Maildir/new/100.M2P1.x", "a\n")
        try scratch.write("Maildir/cur/300.M1P1.x:2,FS", "c\n")
        let changes = try mailbox.synchronize(reportExpunges: true)
        #expect(changes.new == 0..<3)
        #expect(mailbox.uids == [1, 2, 3])
        #expect(try mailbox.text(0) == "a\n")
        #expect(mailbox.messages[0].flags == [.recent])
        #expect(mailbox.messages[2].flags == [.flagged, .seen])
        #expect(try scratch.names("Maildir/new").isEmpty)
        #expect(try scratch.names("Maildir/cur") == ["100.M2P1.x:2,", "200.M1P1.x:2,", "300.M1P1.x:2,FS"])
        #expect(try mailbox.synchronize(reportExpunges: true).isEmpty)
        #expect(try store.opened("INBOX").messages[0].flags == [])
    }

    @Test("leaves new messages recent when it is only examined or asked for its status")
    func examine() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("x\n")
        #expect(try store.status(try store.named("INBOX"), sizes: true).recent == 1)
        #expect(try store.opened("INBOX", .readOnly).messages[0].flags == [.recent])
        #expect(try scratch.names("Maildir/cur").isEmpty)
        #expect(try store.opened("INBOX").messages[0].flags == [.recent])
        let status = try store.status(try store.named("INBOX"), sizes: true)
        #expect(status.recent == 0 && status.messages == 1 && status.unseen == 1 && status.uidNext == 2 && status.size == 3)
        #expect(throws: StoreError.cannot("Mailbox is read-only")) { try store.opened("INBOX", .readOnly).expunge([0]) }
    }

    @Test("sees flags and losses from outside")
    func outside() throws {
        let scratch = try Scratch()
        let mailbox = try scratch.store().opened("INBOX")
        for index in 1...4 { try scratch.write("Maildir/cur/\(index).M1P1.x:2,", "m\(index)\n") }
        _ = try mailbox.synchronize(reportExpunges: true)
        try scratch.rename("Maildir/cur/3.M1P1.x:2,", "Maildir/cur/3.M1P1.x:2,S")
        try scratch.remove("Maildir/cur/2.M1P1.x:2,")
        try scratch.remove("Maildir/cur/4.M1P1.x:2,")
        let hidden = try mailbox.synchronize(reportExpunges: false)
        #expect(hidden.flagsChanged == [2] && hidden.hasHiddenExpunges && hidden.expunged.isEmpty)
        #expect(mailbox.messages.count == 4)
        #expect(throws: StoreError.expunged) { try mailbox.text(1) }
        let changes = try mailbox.synchronize(reportExpunges: true)
        #expect(changes.expunged == [.init(sequence: 4, uid: 4), .init(sequence: 2, uid: 2)])
        #expect(changes.flagsChanged.isEmpty)
        #expect(mailbox.uids == [1, 3])
    }

    @Test("numbers changed flags as they are after the losses")
    func positions() throws {
        let scratch = try Scratch()
        let mailbox = try scratch.store().opened("INBOX")
        for index in 1...5 { try scratch.write("Maildir/cur/\(index).M1P1.x:2,", "m\n") }
        _ = try mailbox.synchronize(reportExpunges: true)
        try scratch.remove("Maildir/cur/1.M1P1.x:2,")
        try scratch.remove("Maildir/cur/4.M1P1.x:2,")
        try scratch.rename("Maildir/cur/5.M1P1.x:2,", "Maildir/cur/5.M1P1.x:2,T")
        try scratch.write("Maildir/new/6.M1P1.x", "m\n")
        let changes = try mailbox.synchronize(reportExpunges: true)
        #expect(changes.expunged.map(\.sequence) == [4, 1])
        #expect(changes.flagsChanged == [2])
        #expect(changes.new == 3..<4)
        #expect(mailbox.uids == [2, 3, 5, 6])
    }

    @Test("opens a message whose name was changed meanwhile")
    func renamedUnderneath() throws {
        let scratch = try Scratch()
        let mailbox = try scratch.store().opened("INBOX")
        try scratch.write("Maildir/cur/1.M1P1.x:2,", "m\n", modified: 1_000_000)
        _ = try mailbox.synchronize(reportExpunges: true)
        try scratch.rename("Maildir/cur/1.M1P1.x:2,", "Maildir/cur/1.M1P1.x:2,F")
        #expect(try mailbox.text(0) == "m\n")
        try scratch.rename("Maildir/cur/1.M1P1.x:2,F", "Maildir/cur/1.M1P1.x:2,FR")
        #expect(try mailbox.change([0], FlagChange(.add, flags: [.seen])) == [0])
        #expect(try scratch.names("Maildir/cur") == ["1.M1P1.x:2,FRS"])
        #expect(mailbox.messages[0].flags == [.flagged, .answered, .seen])
        #expect(try mailbox.internalDate(at: 0) == 1_000_000)
        #expect(try mailbox.synchronize(reportExpunges: true).isEmpty)
    }

    @Test("adds, removes and replaces flags and keywords")
    func flags() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("x\n", NewMessage(flags: [.draft], keywords: [try keyword("Junk")]))
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.messages[0].flags == [.draft])
        #expect(mailbox.keywordTexts(0) == ["Junk"])
        _ = try mailbox.change([0], FlagChange(.add, flags: [.seen], keywords: [try keyword("$Forwarded"), try keyword("junk")]))
        #expect(mailbox.keywordTexts(0) == ["Junk", "$Forwarded"])
        #expect(try scratch.read("Maildir/dovecot-keywords") == "0 Junk\n1 $Forwarded\n")
        #expect(try mailbox.synchronize(reportExpunges: true).keywordsChanged)
        #expect(
            try mailbox.change([0], FlagChange(.remove, flags: [.draft], keywords: [try keyword("JUNK"), try keyword("other")])) == [0])
        #expect(try scratch.names("Maildir/cur")[0].hasSuffix(":2,Sb"))
        #expect(try mailbox.change([0], FlagChange(.remove, keywords: [try keyword("other")])).isEmpty)
        _ = try mailbox.change([0], FlagChange(.replace, flags: [.deleted]))
        #expect(try scratch.names("Maildir/cur")[0].hasSuffix(":2,T"))
        try mailbox.expunge([0])
        #expect(mailbox.messages.count == 1)
        #expect(try mailbox.synchronize(reportExpunges: true).expunged == [.init(sequence: 1, uid: 1)])
        #expect(try scratch.names("Maildir/cur").isEmpty)
        #expect(try store.save("y\n").uids == [2])
    }

    @Test("has no more keywords than letters")
    func keywordLimit() throws {
        let store = try Scratch().store()
        try store.save("x\n", NewMessage(keywords: try (0..<26).map { try keyword("k\($0)") }))
        let mailbox = try store.opened("INBOX")
        #expect(!mailbox.acceptsNewKeywords)
        #expect(throws: StoreError.limit("Too many keywords in mailbox")) {
            try mailbox.change([0], FlagChange(.add, keywords: [try keyword("k27")]))
        }
        #expect(throws: StoreError.self) { try store.save("x\n", NewMessage(keywords: [try keyword("k27")])) }
        #expect(try store.opened("INBOX").messages.count == 1)
    }

    @Test("gives a message that comes back after it was lost a new UID")
    func reappears() throws {
        let scratch = try Scratch()
        let mailbox = try scratch.store().opened("INBOX")
        try scratch.write("Maildir/cur/1000.foreign:2,", "m\n")
        try scratch.write("Maildir/cur/1001.foreign:2,", "m\n")
        _ = try mailbox.synchronize(reportExpunges: true)
        try scratch.rename("Maildir/cur/1000.foreign:2,", "hidden")
        #expect(try mailbox.synchronize(reportExpunges: true).expunged.count == 1)
        try scratch.rename("hidden", "Maildir/cur/1000.foreign:2,")
        #expect(try mailbox.synchronize(reportExpunges: true).new == 1..<2)
        #expect(mailbox.uids == [2, 3])
        #expect(scratch.log.contains { $0.hasSuffix("Expunged message reappeared, giving a new UID (old uid=1, file=1000.foreign:2,)") })
        #expect(try scratch.read("Maildir/dovecot-uidlist")?.contains("1 :1000") == false)
    }

    @Test("forgets the records of lost messages when they have become many, never their UIDs")
    func staleRecords() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<20 { try store.save("x\n") }
        let mailbox = try store.opened("INBOX")
        try mailbox.expunge(Array(5..<20))
        _ = try mailbox.synchronize(reportExpunges: true)
        try scratch.write("Maildir/new/1.foreign", "m\n")
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(mailbox.uids == [1, 2, 3, 4, 5, 21])
        let lines = try scratch.read("Maildir/dovecot-uidlist")?.split(separator: "\n") ?? []
        #expect(lines.count == 7 && lines[0].contains(" N22 "))
        #expect(try store.opened("INBOX").uids == mailbox.uids)
    }

    @Test("says when it was deleted underneath")
    func deleted() throws {
        let store = try Scratch().store()
        try store.create(try store.named("A"))
        let mailbox = try store.opened("A")
        try store.delete(try store.named("A"))
        #expect(throws: StoreError.mailboxGone("Mailbox was deleted under us")) { try mailbox.synchronize(reportExpunges: true) }
    }

    @Test("makes its directories again when they are missing")
    func directories() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.folder.folder(Array("Maildir".utf8)).makeFolder(Array(".X".utf8), mode: 0o700)
        #expect(try store.opened("X").messages.isEmpty)
        #expect(try store.save("x", to: "X").uids == [1])
    }

    @Test("tells through a descriptor that something changed")
    func watching() throws {
        let scratch = try Scratch()
        let mailbox = try scratch.store().opened("INBOX")
        guard let number = mailbox.startWatching() else { return }
        var poller = [UInt8](repeating: 0, count: 64)
        let copy = try FileDescriptor(adopting: number).duplicateKeeping()
        #expect(throws: SystemError.self) { try copy.read(into: &poller) }
        try scratch.write("Maildir/new/1.x", "m\n")
        #expect(try copy.read(into: &poller) > 0)
        mailbox.watchWasRead()
        #expect(try mailbox.synchronize(reportExpunges: true).new == 0..<1)
        mailbox.stopWatching()
    }
}

extension FileDescriptor {
    /// A second descriptor, while the first stays with its owner.
    fileprivate consuming func duplicateKeeping() throws -> FileDescriptor {
        let copy = try duplicate()
        _ = release()
        return copy
    }
}
