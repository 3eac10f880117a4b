import Platform
import Testing

@testable import MailStore

@Suite("The counters of many mailboxes")
struct ListStatusTests {
    private func listed(_ store: any MailDriver, _ name: String) throws -> ListedMailbox {
        try #require(try store.list().first { $0.name == (try store.named(name)) })
    }

    /// Messages and unseen ones as the index has them without a look at the mailbox.
    private func known(_ store: any MailDriver, _ mailbox: ListedMailbox, _ needs: StatusNeeds = []) -> [Int]? {
        store.indexedStatuses([mailbox], needs)[0].map { [$0.messages, $0.unseen] }
    }

    private func prepared(_ scratch: Scratch, _ names: [String]) throws -> any MailDriver {
        let store = try scratch.store()
        for name in names {
            try store.create(try store.named(name))
            try store.save("x\n", to: name, NewMessage(flags: [.seen]))
            try store.save("y\n", to: name, NewMessage(flags: [.flagged]))
            _ = try store.status(try store.named(name), sizes: true)
        }
        return store
    }

    @Test("come from the index, whatever is asked for")
    func known() throws {
        let scratch = try Scratch()
        let store = try prepared(scratch, ["A", "A.B", "Entwürfe"])
        let all = try store.list()
        #expect(all.map(\.inode).filter { $0 != 0 }.count == 3)
        for needs in [[], .uids, .sizes, [.uids, .sizes]] as [StatusNeeds] {
            let found = store.indexedStatuses(all.filter { !$0.name.isInbox }, needs)
            #expect(found.map { $0?.messages } == [2, 2, 2] && found.map { $0?.unseen } == [1, 1, 1])
        }
        let one = store.indexedStatuses([try listed(store, "A.B")], [.uids, .sizes])[0]
        #expect(one == (try store.status(try store.named("A.B"), sizes: true)))
    }

    @Test("are not believed after another program changed something")
    func foreignChanges() throws {
        let scratch = try Scratch()
        let store = try prepared(scratch, ["A"])
        let mailbox = try listed(store, "A")
        #expect(known(store, mailbox) == [2, 1])
        try scratch.write("Maildir/.A/new/1700000000.M1P1.other", "z\n")
        #expect(known(store, mailbox) == nil)
        #expect(try store.status(mailbox.name, sizes: false).messages == 3)
        #expect(known(store, mailbox) == [3, 2])
        let file = try #require(try scratch.names("Maildir/.A/cur").first { $0.hasSuffix(":2,F") })
        try scratch.rename("Maildir/.A/cur/" + file, "Maildir/.A/cur/" + file + "S")
        #expect(known(store, mailbox) == nil)
        #expect(try store.status(mailbox.name, sizes: false).unseen == 1)
        #expect(known(store, mailbox) == [3, 1])
    }

    @Test("are those of the directory that has the name now")
    func replacedDirectory() throws {
        let scratch = try Scratch()
        let store = try prepared(scratch, ["A", "B"])
        let mailbox = try listed(store, "A")
        try store.save("z\n", to: "B")
        _ = try store.status(try store.named("B"), sizes: true)
        try scratch.rename("Maildir/.A", "Maildir/.C")
        #expect(known(store, mailbox) == nil)
        try scratch.rename("Maildir/.B", "Maildir/.A")
        #expect(known(store, mailbox) == nil)
        #expect(known(store, try listed(store, "A")) == [3, 2])
        #expect(known(store, try listed(store, "C")) == [2, 1])
    }

    @Test("are true without dovecot-uidlist as long as nobody asks for UIDs")
    func withoutList() throws {
        let scratch = try Scratch()
        let store = try prepared(scratch, ["A"])
        let mailbox = try listed(store, "A")
        let before = try store.status(mailbox.name, sizes: true)
        try scratch.remove("Maildir/.A/dovecot-uidlist")
        #expect(known(store, mailbox) == [2, 1])
        #expect(known(store, mailbox, .uids) == nil)
        let after = try store.status(mailbox.name, sizes: true)
        #expect(after.messages == 2 && after.unseen == 1 && after.size == before.size && after.uidValidity != before.uidValidity)
    }

    @Test("belong to names that a short way finds as the long one does")
    func plainNames() throws {
        let stored = [
            "A", "a b", "A.B", "A..B", ".A", "A.", "INBOX", "inbox", "Inbox.x", "~A", "A~", "Entw&APw-rfe", "A&-B", "A&", "caf\u{e9}",
            "x/y", "x^y",
            "^", "a.b.c.d", "a\u{7f}", "a\u{1}", "", String(repeating: "a.", count: 40) + "a", String(repeating: "n", count: 253),
            String(repeating: "n", count: 254), String(repeating: "n", count: 300), "cur", "12345",
        ]
        for separator: UInt8 in [0x2e, 0x2f, 0x5e] {
            for prefix in ["", "INBOX" + String(decoding: [separator], as: UTF8.self)] {
                var settings = NamespaceSettings()
                (settings.prefix, settings.separator) = (Array(prefix.utf8), separator)
                let store = try Scratch().store { $0.namespaces = [settings] }
                let rules = try #require(store as? MaildirStore).rules
                for text in stored {
                    let bytes = Array(text.utf8)
                    guard let short = rules.plainName(stored: bytes[...], namespace: 0) else { continue }
                    let parts = bytes.split(separator: 0x2e, omittingEmptySubsequences: false).map { Array($0) }
                    let long = rules.name(storedParts: parts, namespace: 0)
                    #expect(short == long && short.parts == long?.parts && short.isInbox == long?.isInbox, "\(text)")
                    #expect(rules.layouts[0].path(of: short) == [0x2e] + bytes, "\(text)")
                }
                #expect(rules.plainName(stored: Array("A.B".utf8)[...], namespace: 0) != nil)
            }
        }
    }
}

@Suite("Files that have no record")
struct UnknownFilesTests {
    @Test("are put in the order in which they came, however many there are")
    func order() {
        var files = UnknownFiles()
        var names: [[UInt8]] = []
        // More than one piece of memory.
        for number in 0..<60_000 {
            let seconds = 1_700_000_000 + (number &* 7_919) % 60_000
            names.append(Array("\(seconds).M\(number % 7)P1.host,S=\(number)".utf8))
        }
        for (number, name) in names.enumerated() {
            files.append(name[...], number % 2 == 0 ? .cur : .new, replaces: number == 5 ? 17 : nil)
        }
        #expect(files.nameBytes == names.reduce(0) { $0 + $1.count } && files.replacesAny && !files.hasLostSome)
        files.sort()
        let sorted = names.sorted {
            let (left, right) = (MaildirFileName.time($0[...]), MaildirFileName.time($1[...]))
            return left == right ? $0.lexicographicallyPrecedes($1) : left < right
        }
        #expect(files.entries.map { Array(files.name(of: $0)) } == sorted)
        #expect(files.entries.filter { $0.replaces != nil }.map { Array(files.name(of: $0)) } == [names[5]])
        #expect(files.entries.count { $0.place == .cur } == 30_000)
    }
}

@Suite("Names with other flags")
struct RenamedTests {
    @Test("are the same, whether made of what is known or of the old name")
    func renamed() {
        let base = Array("1.M2P3.host,S=4,W=5".utf8)
        for bits: UInt8 in 0..<32 {
            for keywords: UInt32 in [0, 1, 0x200_0001, 0x3ff_ffff] {
                for isNew in [true, false] {
                    var message = IndexedMessage()
                    (message.flags, message.state) = (MessageFlags(rawValue: bits).intersection(.permanent), isNew ? .new : .cur)
                    message.keywords = KeywordSet(bits: keywords >> 1)
                    let info = MaildirFileName.Info(
                        flags: MessageFlags(rawValue: ~bits).intersection(.permanent), keywords: KeywordSet(bits: keywords))
                    for suffix in [nil, Array(":2,SZ,x".utf8), Array(":1,".utf8), []] as [[UInt8]?] {
                        let entry = NameEntry(base: base[...], suffix: suffix)
                        let name = entry.name(message)
                        #expect(entry.name(message, with: info) == MaildirFileName.renamed(name[...], info))
                        #expect(MaildirFileName.info(entry.name(message, with: info)[...]) == info)
                    }
                }
            }
        }
    }

    @Test("of flags that we understand hold what the flags say")
    func suffixes() {
        for bits: UInt8 in 0..<32 {
            let flags = MessageFlags(rawValue: bits).intersection(.permanent)
            let suffix = NameEntry.suffix(flags, KeywordSet(bits: 5), isNew: false)
            #expect(suffix == MaildirFileName.renamed([], MaildirFileName.Info(flags: flags, keywords: KeywordSet(bits: 5))))
        }
        #expect(NameEntry.suffix([], KeywordSet(), isNew: true) == [])
        #expect(NameEntry.suffix([.seen], KeywordSet(), isNew: true) == Array(":2,S".utf8))
    }
}
