import Platform
import Testing

@testable import MailStore

@Suite("Saving")
struct SaveTests {
    @Test(
        "converts line ends and counts sizes, however the bytes arrive",
        arguments: [
            ("a\r\nb\r\n", "a\nb\n", "a\r\nb\r\n"), ("a\nb\n", "a\nb\n", "a\r\nb\r\n"), ("a\rb\r\r\n\r", "a\rb\r\n\r", "a\rb\r\r\n\r"),
            ("", "", ""),
            ("\r", "\r", "\r"), ("\r\n", "\n", "\r\n"), ("\n\r\n\r\n", "\n\n\n", "\r\n\r\n\r\n"), ("no end", "no end", "no end"),
        ])
    func lineEnds(_ text: String, _ stored: String, _ crlf: String) throws {
        for (convert, expected) in [(false, stored.utf8.elementsEqual("a\rb\r\n\r".utf8) ? "a\rb\r\n\r" : stored), (true, crlf)] {
            let scratch = try Scratch()
            let store = try scratch.store { $0.savesCRLF = convert }
            for size in [1, 2, 3, 100] {
                let save = try store.beginSave(to: try store.named("INBOX"))
                try save.begin(NewMessage())
                var rest = Array(text.utf8)[...]
                while !rest.isEmpty {
                    try save.append(rest.prefix(size))
                    rest = rest.dropFirst(size)
                }
                let virtual = try save.end()
                _ = try save.commit()
                let mailbox = try store.opened("INBOX")
                let position = mailbox.messages.count - 1
                let content = try mailbox.text(position)
                var counter = LineCounter()
                counter.count(Array(content.utf8)[...])
                #expect(virtual == counter.virtualSize)
                #expect(try mailbox.virtualSize(at: position) == virtual)
                if !text.contains("\r\r") { #expect(content == expected) }
            }
        }
    }

    @Test("names files with their sizes and keeps the date")
    func names() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let saved = try store.save("a\r\nb\r\n", NewMessage(internalDate: 1_000_000_000))
        #expect(saved.uids == [1])
        let name = try scratch.names("Maildir/new")[0]
        #expect(name.hasSuffix(".test.host,S=4,W=6"))
        #expect(try scratch.status("Maildir/new/\(name)")?.mode == 0o600)
        #expect(try scratch.read("Maildir/dovecot-uidlist")?.hasSuffix("\n1 :\(name)\n") == true)
        let mailbox = try store.opened("INBOX")
        #expect(try mailbox.internalDate(at: 0) == 1_000_000_000)
        #expect(try mailbox.saveDate(at: 0) > 1_700_000_000)
        #expect(mailbox.guid(at: 0) == Array(name.utf8))
        #expect(mailbox.uidValidity == saved.uidValidity)
        #expect(mailbox.guid.count == 32)
    }

    @Test("shows nothing before the commit, and leaves nothing without it")
    func transaction() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        var save: (any SaveTransaction)? = try store.beginSave(to: try store.named("INBOX"))
        for index in 0..<3 {
            try save?.begin(NewMessage(flags: index == 1 ? [.seen] : []))
            try save?.append(Array("m\(index)\n".utf8)[...])
            try save?.end()
        }
        #expect(try store.opened("INBOX").messages.isEmpty)
        #expect(try scratch.names("Maildir/tmp").count == 3)
        #expect(try save?.commit().uids == [1, 2, 3])
        #expect(try store.opened("INBOX").messages.map { $0.flags.contains(.seen) } == [false, true, false])
        save = try store.beginSave(to: try store.named("INBOX"))
        try save?.begin(NewMessage())
        try save?.append(Array("lost\n".utf8)[...])
        try save?.end()
        try save?.begin(NewMessage())
        save = nil
        #expect(try scratch.names("Maildir/tmp").isEmpty)
        #expect(throws: StoreError.notFound) { try store.beginSave(to: try store.named("None")) }
    }

    @Test("goes to the end of a large list without reading it")
    func largeList() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let lines = (1...2_000).map { "\($0 * 2) :\($0).foreign\n" }.joined()
        try store.save("x\n")
        try scratch.write("Maildir/dovecot-uidlist", "3 V77 N9 Gabcdefabcdefabcdefabcdefabcdefab\n" + lines)
        #expect(try store.save("y\n").uids == [4_001])
        #expect(try store.save("y\n").uids == [4_002])
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.uids == [4_001, 4_002, 4_003])
    }

    @Test("copies with date, flags and translated keywords, as another name of the same file")
    func copy() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.create(try store.named("B"))
        try store.save("b\n", to: "B", NewMessage(keywords: [try keyword("kw1")]))
        try store.save("a\n", NewMessage(flags: [.seen], keywords: [try keyword("kw0"), try keyword("kw1")], internalDate: 1_000))
        try store.save("plain\n", NewMessage(internalDate: 2_000))
        let inbox = try store.opened("INBOX")
        let copied = try inbox.copy([0, 1], to: try store.named("B"))
        #expect(copied.sources == [1, 2] && copied.targets == [2, 3])
        let target = try store.opened("B")
        #expect(copied.uidValidity == target.uidValidity)
        #expect(target.messages[1].flags == [.seen])
        #expect(target.keywordTexts(1).sorted() == ["kw0", "kw1"])
        #expect(try target.internalDate(at: 1) == 1_000 && target.internalDate(at: 2) == 2_000)
        #expect(target.guid(at: 1) == inbox.guid(at: 0))
        #expect(try scratch.read("Maildir/.B/dovecot-keywords") == "0 kw1\n1 kw0\n")
        let name = try #require(try scratch.names("Maildir/.B/cur").first { $0.hasSuffix(":2,Sab") })
        #expect(try scratch.status("Maildir/.B/cur/\(name)")?.links == 2)
        // Again: the name is taken, the content's id stays.
        _ = try inbox.copy([0], to: try store.named("B"))
        _ = try inbox.copy([0, 0], to: try store.named("INBOX"))
        let twice = try store.opened("B")
        #expect(twice.uids == [1, 2, 3, 4])
        #expect(twice.guid(at: 3) == twice.guid(at: 1))
        #expect(Set(try store.opened("INBOX").uids) == [1, 2, 3, 4])
        #expect(throws: StoreError.notFound) { try inbox.copy([0], to: try store.named("None")) }
    }

    @Test("copies without links too, and moves")
    func copyData() throws {
        let scratch = try Scratch()
        let store = try scratch.store { $0.copiesWithHardLinks = false }
        try store.create(try store.named("B"))
        try store.save("a\r\n", NewMessage(flags: [.flagged], internalDate: 1_000))
        let inbox = try store.opened("INBOX")
        let guid = inbox.guid(at: 0)
        let moved = try inbox.move([0], to: try store.named("B"))
        #expect(moved.targets == [1])
        #expect(try inbox.synchronize(reportExpunges: true).expunged.count == 1)
        let target = try store.opened("B")
        #expect(try target.text(0) == "a\n")
        #expect(target.guid(at: 0) == guid)
        #expect(try target.internalDate(at: 0) == 1_000)
        #expect(try scratch.names("Maildir/cur").isEmpty)
    }

    @Test("by two stores at once never gives a UID twice")
    func concurrent() throws {
        let scratch = try Scratch()
        let stores = [try scratch.store(), try scratch.store()]
        let boxes = [try stores[0].opened("INBOX"), try stores[1].opened("INBOX")]
        var uids = Set<UInt32>()
        for round in 0..<60 {
            let which = round % 2
            if round % 7 == 0 { try scratch.write("Maildir/new/\(round).foreign", "f\n") }
            for uid in try stores[which].save("m\(round)\n", NewMessage(flags: round % 3 == 0 ? [.seen] : [])).uids {
                #expect(uids.insert(uid).inserted)
            }
            let changes = try boxes[1 - which].synchronize(reportExpunges: true)
            #expect(!changes.new.isEmpty)
            if round % 5 == 0, boxes[which].messages.count > 3 {
                _ = try boxes[which].change([0], FlagChange(.add, flags: [.flagged]))
                try boxes[which].expunge([2])
            }
        }
        for box in boxes { _ = try box.synchronize(reportExpunges: true) }
        #expect(boxes[0].uids == boxes[1].uids)
        #expect(boxes[0].messages.map { $0.flags.subtracting(.recent) } == boxes[1].messages.map { $0.flags.subtracting(.recent) })
        let texts = try boxes[0].messages.indices.map { try boxes[0].text($0) }
        #expect(try boxes[1].messages.indices.map { try boxes[1].text($0) } == texts)
        let fresh = try scratch.store().opened("INBOX")
        #expect(fresh.uids == boxes[0].uids)
        #expect(Set(texts).count > 40)
    }
}
