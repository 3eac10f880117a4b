import Glibc
import Platform
import Testing

@testable import Index
@testable import MailStore

@Suite("The index of a mailbox")
struct MailboxIndexTests {
    private func header(_ store: any MailDriver, _ mailbox: String = "INBOX") throws -> MailboxHeader? {
        let store = try #require(store as? MaildirStore)
        let name = try store.named(mailbox)
        return MailboxIndex(store.roots[0].index, directory: try store.folder(name).mail.status()).header()
    }

    /// Whether STATUS is answered from one record, without a look at the messages.
    private func isIndexed(_ store: any MailDriver, sizes: Bool = true) throws -> Bool {
        let store = try #require(store as? MaildirStore)
        let inbox = try store.folder(try store.named("INBOX"))
        guard let header = try header(store), !sizes || header.unknownSizes == 0 else { return false }
        return header.stamps.fit(
            new: try inbox.new.status(), cur: try inbox.cur.status(), list: try inbox.control.status(of: UIDListFile.name[...]))
    }

    /// STATUS as it is without an index.
    private func truth(_ scratch: Scratch) throws -> MailboxStatus {
        try scratch.remove("Maildir/culver.index")
        let store = try scratch.store()
        return try store.status(try store.named("INBOX"), sizes: true)
    }

    private func expectTruth(_ store: any MailDriver, _ scratch: Scratch) throws {
        var status = try store.status(try store.named("INBOX"), sizes: true)
        var expected = try truth(scratch)
        #expect(expected.highestModSeq > status.highestModSeq)
        (status.highestModSeq, expected.highestModSeq) = (0, 0)
        #expect(status == expected)
    }

    @Test("a recount of the quota believes the files, not the index")
    func recount() throws {
        let scratch = try Scratch()
        let store = try scratch.store {
            $0.quota = QuotaSettings(name: [0x51])
        }
        try store.save("one\r\n")
        let right = try store.quotaUsage()
        var wrong = try #require(try header(store))
        wrong.size += 1_000
        let maildir = try #require(store as? MaildirStore)
        let index = MailboxIndex(maildir.roots[0].index, directory: try maildir.folder(try maildir.named("INBOX")).mail.status())
        index.index.write { (transaction) throws(IndexError) in try transaction.put(index.headerKey, wrong.bytes) }
        #expect(try store.quotaUsage().storage == right.storage + 1_000)
        try store.recountQuota()
        #expect(try store.quotaUsage() == right)
        #expect(right == QuotaUsage(storage: 5, messages: 1))
    }

    @Test("mailboxes that another program removed are forgotten at the next LIST, once a day")
    func forgetsAbsent() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let index = try #require(store as? MaildirStore).roots[0].index
        func indexed() throws -> Int {
            try #require(index.read { (transaction) throws(IndexError) in try MailboxIndex.mailboxes(transaction).count })
        }
        try store.save("x\n")
        for name in ["A", "B", "C"] {
            try store.create(try store.named(name))
            try store.save("x\n", to: name)
            _ = try store.opened(name)
        }
        _ = try store.opened("INBOX")
        #expect(try indexed() == 4)
        _ = try store.list()
        #expect(try indexed() == 4)
        try scratch.rename("Maildir/.B", "elsewhere")
        _ = try store.list()
        // Not looked for again today.
        #expect(try indexed() == 4)
        index.write { (transaction) throws(IndexError) in try transaction.remove([1]) }
        _ = try store.list()
        #expect(try indexed() == 3)
        #expect(try store.opened("A").uids == [1] && store.opened("INBOX").uids == [1] && store.opened("C").uids == [1])
    }

    @Test("keeps what was found out of a message that came to a mailbox that nobody has looked at")
    func firstDelivery() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("Subject: one\r\n\r\nx\r\n")
        let other = try scratch.store()
        let mailbox = try other.opened("INBOX")
        #expect(mailbox.uids == [1] && mailbox.recentCount == 1)
        #expect(mailbox.cached(.envelope, at: 0) != nil && mailbox.cached(.bodyStructure, at: 0) != nil)
        #expect(try #require(mailbox as? MaildirMailbox).scans == 0)
    }

    @Test("what we did ourselves is in it at once: STATUS needs no second look")
    func ownChanges() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("one\r\n")
        let mailbox = try store.opened("INBOX")
        #expect(try isIndexed(store))
        try store.save("two\r\n")
        #expect(try isIndexed(store))
        try store.save("three\r\n", NewMessage(flags: [.deleted, .seen]))
        #expect(try isIndexed(store))
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(mailbox.messages.count == 3)
        #expect(try isIndexed(store))
        _ = try mailbox.change([0, 1], FlagChange(.add, flags: [.seen], keywords: [try keyword("$Done")]))
        #expect(try isIndexed(store))
        try mailbox.expunge([0])
        #expect(try isIndexed(store))
        _ = try mailbox.copy([1, 2], to: try store.named("INBOX"))
        #expect(try isIndexed(store))
        let status = try store.status(try store.named("INBOX"), sizes: true)
        #expect(
            status.messages == 4 && status.unseen == 0 && status.deleted == 2 && status.size == 5 + 7 + 5 + 7 && status.deletedSize == 14)
        try expectTruth(store, scratch)
    }

    @Test("what others do is seen, also in the same tick of the clock")
    func foreignChanges() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<3 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .seen)) }
        let mailbox = try store.opened("INBOX")
        for round in 0..<40 {
            _ = try mailbox.change([round % 3], FlagChange(round % 2 == 0 ? .add : .remove, flags: .answered))
            #expect(try isIndexed(store))
            let names = try scratch.names("Maildir/cur")
            let other = try #require(names.randomElement())
            let flipped =
                other.hasSuffix("F") || other.contains("F")
                ? other.replacing(":2,F", with: ":2,").replacing("F", with: "") : other.replacing(":2,", with: ":2,F")
            try scratch.rename("Maildir/cur/\(other)", "Maildir/cur/\(flipped)")
            #expect(try !isIndexed(store))
            #expect(try mailbox.synchronize(reportExpunges: true).flagsChanged.count == 1)
        }
        try scratch.write("Maildir/new/1.x.y", "new\n")
        #expect(try store.status(try store.named("INBOX"), sizes: true).messages == 4)
        try scratch.remove("Maildir/cur/\(try #require(try scratch.names("Maildir/cur").first))")
        #expect(try store.status(try store.named("INBOX"), sizes: true).messages == 3)
        try expectTruth(store, scratch)
    }

    @Test("modseqs grow with every change, and only with changes")
    func modSeqs() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<3 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .flagged)) }
        let before = UInt64(Clock.unixSeconds) * 1_000_000
        let mailbox = try store.opened("INBOX")
        let start = mailbox.highestModSeq
        #expect(start > before - 60_000_000)
        #expect((0..<3).allSatisfy { mailbox.modSeq(at: $0) <= start && mailbox.modSeq(at: $0) > 1 })
        _ = try mailbox.change([1], FlagChange(.add, flags: .seen))
        let second = mailbox.highestModSeq
        #expect(second > start && mailbox.modSeq(at: 1) == second && mailbox.modSeq(at: 0) <= start)
        #expect(mailbox.changed(since: start) == [1] && mailbox.changed(since: second) == [])
        _ = try mailbox.change([1], FlagChange(.add, flags: .seen))
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(mailbox.highestModSeq == second)
        // Another session, and another program.
        let other = try scratch.store().opened("INBOX")
        #expect(other.highestModSeq == second && other.modSeq(at: 1) == second)
        _ = try other.change([2], FlagChange(.add, flags: .answered))
        // Flags and modseq of one moment: this session has not looked yet.
        #expect(mailbox.modSeq(at: 2) <= second)
        #expect(try mailbox.synchronize(reportExpunges: true).flagsChanged == [2])
        #expect(mailbox.highestModSeq == other.highestModSeq && mailbox.modSeq(at: 2) == other.modSeq(at: 2))
        try store.save("new\r\n")
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(mailbox.changed(since: other.highestModSeq) == [3])
        #expect(try store.status(try store.named("INBOX"), sizes: false).highestModSeq == mailbox.highestModSeq)
    }

    @Test("what was expunged since a modseq is known; from before the index was, all that is not there")
    func vanished() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<200 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .seen)) }
        let mailbox = try store.opened("INBOX")
        let start = mailbox.highestModSeq
        try mailbox.expunge([0, 1, 2, 99])
        let second = mailbox.highestModSeq
        #expect(second > start)
        try scratch.remove("Maildir/cur/\(try #require(try scratch.names("Maildir/cur").first))")
        _ = try mailbox.synchronize(reportExpunges: true)
        let foreign = mailbox.vanished(since: second)
        #expect(foreign.count == 1 && foreign[0].count == 1)
        #expect(mailbox.vanished(since: start).map(\.count).reduce(0, +) == 5)
        #expect(mailbox.vanished(since: start).contains { $0.lowerBound == 1 && $0.upperBound >= 3 })
        #expect(mailbox.vanished(since: mailbox.highestModSeq).isEmpty)
        #expect(mailbox.vanished(since: 1) == mailbox.vanished(since: start))
        try scratch.remove("Maildir/culver.index")
        let fresh = try scratch.store().opened("INBOX")
        #expect(fresh.highestModSeq > mailbox.highestModSeq)
        #expect(fresh.vanished(since: start) == mailbox.vanished(since: start))
        #expect(fresh.changed(since: start).count == 195)
    }

    @Test("the log of expunges is bounded; what it forgot is answered with all that is not there")
    func logLimit() throws {
        let scratch = try Scratch()
        let store = try #require(try scratch.store() as? MaildirStore)
        let index = MailboxIndex(store.roots[0].index, directory: try scratch.folder.status())
        var header = MailboxHeader()
        (header.uidValidity, header.uidNext) = (1, 10_001)
        let all = (1...10_000).map { MessageOnDisk(uid: $0, flags: [], keywords: KeywordSet(), isNew: false, size: 1) }
        header = try #require(
            index.index.write { (transaction) throws(IndexError) in
                try index.publish(
                    all.count, uid: { all[$0].uid }, message: { all[$0] }, header, name: { NameEntry(base: [0x61 + UInt8($0 % 26)]) },
                    transaction)
            })
        let start = header.highestModSeq
        var seen: [UInt64] = []
        for uid in UInt32(1)...5_000 {
            header = try #require(
                index.index.write { (transaction) throws(IndexError) in
                    let updated = try index.edited([MessageUpdate(uid: uid, message: nil, size: 1)], header, transaction).header
                    try transaction.put(index.headerKey, updated.bytes)
                    return updated
                })
            seen.append(header.highestModSeq)
        }
        #expect(header.logEntries <= 4_096 && header.messages == 5_000 && header.size == 5_000)
        #expect(index.vanished(since: seen[4_990]) == [4_992...5_000])
        #expect(index.vanished(since: start) == [1...5_000])
        #expect(seen == seen.sorted() && Set(seen).count == seen.count)
    }

    @Test("what was derived is kept for the next session, until its message goes")
    func cached() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        // By another program: of those that we save ourselves it is there from the beginning.
        for number in 1...5 { try scratch.write("Maildir/cur/\(number).M1P1.other:2,S", "text\n") }
        do {
            let mailbox = try store.opened("INBOX")
            for position in 0..<5 {
                #expect(mailbox.cached(.envelope, at: position) == nil)
                mailbox.remember(.envelope, [UInt8(position), 1], at: position)
                mailbox.remember(.header(Array("SUBJECT".utf8)), [UInt8(position), 2], at: position)
                #expect(mailbox.cached(.envelope, at: position) == [UInt8(position), 1])
            }
            mailbox.remember(.bodyStructure, [UInt8](repeating: 0, count: 100_000), at: 0)
        }
        let next = try scratch.store().opened("INBOX")
        for position in (0..<5).reversed() {
            #expect(next.cached(.envelope, at: position) == [UInt8(position), 1])
            #expect(next.cached(.header(Array("SUBJECT".utf8)), at: position) == [UInt8(position), 2])
            #expect(next.cached(.bodyStructure, at: position) == nil && next.cached(.header(Array("SUB".utf8)), at: position) == nil)
        }
        try next.expunge([1])
        _ = try next.synchronize(reportExpunges: true)
        #expect(next.cached(.envelope, at: 1) == [2, 1])
        let other = try #require(try scratch.store() as? MaildirStore)
        let index = MailboxIndex(other.roots[0].index, directory: try other.folder(try other.named("INBOX")).mail.status())
        let keys = index.index.read { (transaction) throws(IndexError) in try transaction.keys(prefix: index.prefix + [0x63]).count }
        #expect(keys == 8)
    }

    @Test("a size that no name tells is counted once")
    func countedSizes() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("x\r\n")
        try scratch.write("Maildir/cur/1.x.y:2,S", "a\nb\n")
        _ = try store.opened("INBOX")
        #expect(try isIndexed(store, sizes: false) && !isIndexed(store, sizes: true))
        #expect(try store.status(try store.named("INBOX"), sizes: true).size == 9)
        #expect(try isIndexed(store, sizes: true))
        #expect(try store.status(try store.named("INBOX"), sizes: true).size == 9)
        let mailbox = try store.opened("INBOX")
        _ = try mailbox.change([0, 1], FlagChange(.add, flags: .deleted))
        #expect(try isIndexed(store, sizes: true))
        #expect(try store.status(try store.named("INBOX"), sizes: true).deletedSize == 9)
        try expectTruth(store, scratch)
    }

    @Test("removed while sessions run, nothing is lost and both go on")
    func removedWhileOpen() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<10 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .seen)) }
        let (one, two) = (try store.opened("INBOX"), try scratch.store().opened("INBOX"))
        for round in 0..<5 {
            let before = one.highestModSeq
            try scratch.remove("Maildir/culver.index")
            _ = try one.change([round], FlagChange(.add, flags: .flagged))
            #expect(try two.synchronize(reportExpunges: true).flagsChanged == [round])
            try scratch.remove("Maildir/culver.index")
            #expect(one.modSeq(at: round) > 1)
            _ = try one.synchronize(reportExpunges: true)
            try two.expunge([9 - round])
            #expect(try one.synchronize(reportExpunges: true).expunged.count == 1)
            _ = try two.synchronize(reportExpunges: true)
            #expect(one.highestModSeq > before && one.uids == two.uids)
        }
        #expect(one.uids == [1, 2, 3, 4, 5])
        try expectTruth(store, scratch)
    }

    @Test("damaged in any way, it is replaced, and the administrator hears of it", arguments: 0..<12)
    func damaged(_ seed: Int) throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<100 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .seen)) }
        _ = try store.opened("INBOX")
        let size = try #require(try scratch.status("Maildir/culver.index")?.size)
        let file = try scratch.folder.directory.file(Array("Maildir/culver.index".utf8), .read)
        var content = try file.readAll(limit: 1 << 26)
        switch seed {
        case 0: content = Array("not an index at all".utf8)
        case 1: content.removeLast(Int(size) / 2)
        case 2: content = []
        default:
            // Values, not the tree: those bytes repeat only in blocks of messages.
            for start in stride(from: seed, to: content.count - 64, by: 64)
            where start > 8_192 && content[start..<start + 8] == content[(start + 16)..<(start + 24)] && content[start] != 0 {
                content[start] ^= 0x55
            }
        }
        let directory = try scratch.folder.folder(Array("Maildir".utf8))
        try directory.remove(Array("culver.index".utf8)[...])
        try directory.directory.file(Array("culver.index".utf8), .create(mode: 0o600)).writeAll(content)
        let again = try scratch.store()
        let mailbox = try again.opened("INBOX")
        #expect(mailbox.messages.count == 100)
        for position in 0..<100 {
            #expect(mailbox.modSeq(at: position) <= mailbox.highestModSeq && mailbox.messages[position].flags == .seen)
        }
        _ = try mailbox.change([3], FlagChange(.add, flags: .flagged))
        #expect(try again.status(try again.named("INBOX"), sizes: false).messages == 100)
    }

    @Test("renamed, a mailbox keeps its modseqs; made anew in the place of a deleted one, it has its own")
    func renamed() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.create(try store.named("A"))
        try store.save("x\r\n", to: "A", NewMessage(flags: .seen))
        let modSeq = try store.opened("A").modSeq(at: 0)
        try store.rename(try store.named("A"), to: try store.named("B"))
        #expect(try store.opened("B").modSeq(at: 0) == modSeq)
        try store.delete(try store.named("B"))
        try store.create(try store.named("B"))
        #expect(try store.status(try store.named("B"), sizes: true).messages == 0)
        let fresh = try store.opened("B")
        #expect(fresh.messages.isEmpty && fresh.highestModSeq > modSeq)
    }

    @Test("opened again, a mailbox shows the same, and names come from the index")
    func reopened() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for number in 0..<130 {
            try store.save(
                "text\r\n", to: "INBOX",
                NewMessage(flags: number % 3 == 0 ? .seen : [.seen, .flagged], keywords: [try keyword("k\(number % 5)")]))
        }
        let first = try store.opened("INBOX")
        try first.expunge([5, 6, 7, 64])
        _ = try first.synchronize(reportExpunges: true)
        let second = try scratch.store().opened("INBOX")
        #expect(second.uids == first.uids && second.uidNext == first.uidNext && second.guid == first.guid)
        #expect(second.messages.map(\.flags) == first.messages.map(\.flags))
        #expect((0..<126).allSatisfy { second.keywordTexts($0) == first.keywordTexts($0) })
        #expect(try second.synchronize(reportExpunges: true).isEmpty)
        #expect(second.modSeq(at: 3) == first.modSeq(at: 3))
        #expect(try second.text(100) == "text\n" && second.guid(at: 9) == first.guid(at: 9))
        #expect(try second.synchronize(reportExpunges: true).isEmpty)
    }

    @Test("sizes and dates that were asked for once are kept, also after a change of flags")
    func numbers() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for number in 0..<600 {
            try scratch.write("Maildir/cur/\(1000 + number).x.y:2,S", "\(number)\n", modified: 1_000_000 + Int64(number))
        }
        let first = try store.opened("INBOX")
        func expectNumbers(_ mailbox: any Mailbox) throws {
            for position in mailbox.messages.indices {
                let number = Int(mailbox.messages[position].uid) - 1
                #expect(try mailbox.virtualSize(at: position) == Int64("\(number)".utf8.count + 2))
                #expect(try mailbox.internalDate(at: position) == 1_000_000 + Int64(number))
            }
        }
        do {
            let second = try scratch.store().opened("INBOX")
            try expectNumbers(second)
            try expectNumbers(second)
        }
        _ = try first.change([7], FlagChange(.add, flags: .flagged))
        try first.expunge([3])
        // From now on only the index can know.
        for name in try scratch.names("Maildir/cur") {
            try scratch.folder.directory.file(Array("Maildir/cur/\(name)".utf8), .append).setModified(2_000_000_000_000_000_000)
        }
        let third = try scratch.store().opened("INBOX")
        try expectNumbers(third)
        #expect(third.messages.count == 599)
        let status = try store.status(try store.named("INBOX"), sizes: true)
        var expected: Int64 = 0
        for number in 0..<600 where number != 3 { expected += Int64("\(number)".utf8.count + 2) }
        #expect(status.size == expected)
    }

    @Test("what other programs do between opening and the first command is told")
    func changedSinceOpened() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<100 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .seen)) }
        _ = try store.opened("INBOX")
        let (one, two, three) = (
            try scratch.store().opened("INBOX"), try scratch.store().opened("INBOX"), try scratch.store().opened("INBOX")
        )
        let names = try scratch.names("Maildir/cur")
        try scratch.remove("Maildir/cur/\(names[0])")
        try scratch.rename("Maildir/cur/\(names[1])", "Maildir/cur/\(names[1])T")
        try scratch.write("Maildir/new/9.x.y", "new\n")
        let changes = try one.synchronize(reportExpunges: true)
        #expect(changes.expunged.count == 1 && changes.flagsChanged.count == 1 && changes.new == 99..<100)
        #expect(one.messages[99].flags == .recent)
        // A command on the messages comes first: positions stay.
        #expect(throws: Never.self) { try two.change([50], FlagChange(.add, flags: .flagged)) }
        #expect(two.messages.count == 100)
        let later = try two.synchronize(reportExpunges: false)
        #expect(later.expunged.isEmpty && later.hasHiddenExpunges && later.new == 100..<101)
        #expect(try two.synchronize(reportExpunges: true).expunged.count == 1)
        // The list is made again from what the index knows, with the same UIDs.
        try scratch.remove("Maildir/dovecot-uidlist")
        #expect(try three.synchronize(reportExpunges: true).expunged.count == 1)
        #expect(three.uids == two.uids && three.uidValidity == two.uidValidity)
        // New messages are \Recent for whom only looks, and stay where they are.
        try scratch.write("Maildir/new/10.x.y", "new\n")
        _ = try store.status(try store.named("INBOX"), sizes: false)
        let reader = try scratch.store().opened("INBOX", .readOnly)
        #expect(reader.recentCount == 1 && reader.messages.count { $0.flags.contains(.recent) } == 1)
        #expect(try scratch.names("Maildir/new").count == 1)
        let writer = try scratch.store().opened("INBOX")
        #expect(writer.recentCount == 1 && writer.messages.count { $0.flags.contains(.recent) } == 1)
        #expect(try scratch.names("Maildir/new").isEmpty)
    }

    @Test("killed at any moment of STORE, APPEND and EXPUNGE, it never says what is not so")
    func killed() throws {
        let scratch = try Scratch()
        do {
            let store = try scratch.store()
            for _ in 0..<30 { try store.save("text\r\n", to: "INBOX", NewMessage(flags: .seen)) }
            _ = try store.opened("INBOX")
        }
        var last: UInt64 = 0
        for round in 0..<25 {
            guard case .parent(let pid) = try Platform.Process.fork() else {
                guard let store = try? scratch.store({ $0.lockWait = 5_000_000_000 }), let mailbox = try? store.opened("INBOX") else {
                    Platform.Process.exit(1)
                }
                for number in 0... {
                    _ = try? mailbox.change([number % 20], FlagChange(number / 20 % 2 == 0 ? .add : .remove, flags: .answered))
                    _ = try? store.save("more\r\n", to: "INBOX", NewMessage(flags: number % 2 == 0 ? .seen : []))
                    _ = try? mailbox.synchronize(reportExpunges: true)
                    if mailbox.messages.count > 40 { try? mailbox.expunge([mailbox.messages.count - 1]) }
                }
                Platform.Process.exit(0)
            }
            FileLockOwner.pause(nanoseconds: Int64(15_000_000 + round * 1_371_000))
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            let store = try scratch.store({ $0.lockWait = 5_000_000_000 })
            var indexed = try store.status(try store.named("INBOX"), sizes: true)
            #expect(indexed.highestModSeq >= last)
            last = indexed.highestModSeq
            // The truth, from everything but the index.
            let own = Index(in: try Directory.open(path: scratch.path), mode: 0o600) { _ in }
            own.stayInMemory()
            let mailbox = try MaildirMailbox(
                try store.named("INBOX"), access: .readOnly, folder: try #require(store as? MaildirStore).folder(try store.named("INBOX")),
                store: try #require(store as? MaildirStore), index: own)
            try mailbox.open()
            var expected = MailboxStatus(try mailbox.countSizes(), sizes: true)
            (indexed.highestModSeq, expected.highestModSeq) = (0, 0)
            #expect(indexed == expected)
            #expect(Set(mailbox.uids).count == mailbox.messages.count)
        }
    }
}
