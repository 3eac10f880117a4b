import Index
import Platform
import Testing

@testable import MailStore

@Suite("What a session shows")
struct ViewTests {
    @Test("positions and UIDs are counted from bits, as from a list")
    func map() throws {
        var generator = SystemRandomNumberGenerator()
        for density in [2, 40, 3_000] {
            var all = (0..<2_000).map { _ in UInt32.random(in: 1...UInt32(2_000 * density), using: &generator) }
            all = Set(all).sorted()
            var map = UIDMap()
            map.append(all)
            for round in 0..<3 {
                #expect(map.count == all.count && map.last == all.last)
                #expect(all.indices.allSatisfy { map.uid(at: $0) == all[$0] })
                #expect(all.indices.dropLast().allSatisfy { map.uid(after: all[$0]) == all[$0 + 1] })
                for _ in 0..<500 {
                    let uid = UInt32.random(in: 0...UInt32(2_100 * density), using: &generator)
                    let index = all.firstIndex { $0 >= uid } ?? all.count
                    let found = map.position(of: uid)
                    #expect(found.index == index && found.isExact == (index < all.count && all[index] == uid))
                    #expect(map.contains(uid) == found.isExact)
                }
                let lost = all.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
                map.remove(lost)
                all = all.filter { !lost.contains($0) }
                if round == 0 {
                    map.append([4_000_000_000, 4_000_000_005])
                    all += [4_000_000_000, 4_000_000_005]
                }
            }
        }
        #expect(UIDMap().last == nil && UIDMap().position(of: 7) == (0, false))
    }

    @Test("segments without a gap take no bits until one comes")
    func fullSegments() throws {
        var map = UIDMap()
        var all: [UInt32] = []
        for number: UInt32 in [0, 1, 2, 5] {
            var segment = MessageSegment(number)
            for uid in number * 1_024..<(number + 1) * 1_024 where uid > 0 && (number != 2 || uid % 3 == 0) {
                var message = IndexedMessage()
                message.state = .cur
                segment.replace(uid, IndexedMessage(), by: message)
                all.append(uid)
            }
            map.append(number, segment.bytes.span)
            #expect(MessageSegment.isFull(segment.bytes.span) == (number == 1 || number == 5))
        }
        func check() {
            #expect(map.count == all.count && map.last == all.last)
            #expect(all.indices.allSatisfy { map.uid(at: $0) == all[$0] && map.position(of: all[$0]) == ($0, true) })
            #expect(all.indices.dropLast().allSatisfy { map.uid(after: all[$0]) == all[$0 + 1] })
            #expect(map.word(3, ofSegment: 1) == (all.contains(1_220) ? .max : .max & ~(1 << 4)) && map.word(0, ofSegment: 3) == 0)
        }
        check()
        map.append([6_150, 6_151])
        all += [6_150, 6_151]
        check()
        map.remove([1_220, 5_120, 6_143])
        all.removeAll { [1_220, 5_120, 6_143].contains($0) }
        check()
    }

    @Test("ranges of UIDs join and part")
    func ranges() {
        var ranges = UIDRanges()
        for uid: UInt32 in [5, 6, 9, 7, 8, 1, 5] { ranges.insert(uid) }
        #expect(ranges.ranges == [1...1, 5...9] && ranges.count == 6)
        ranges.remove(7)
        ranges.remove(1)
        ranges.remove(2)
        #expect(ranges.ranges == [5...6, 8...9] && ranges.contains(8) && !ranges.contains(7))
    }

    @Test("records are read as they were written, and anything else is refused")
    func records() throws {
        var group = NameGroup(3)
        group.entries[0] = NameEntry(base: Array("1.a,S=3".utf8)[...])
        group.entries[15] = NameEntry(
            base: Array("2.b".utf8)[...], suffix: Array(":2,Sz".utf8), extensions: Array("W7 Gx".utf8)[...], countedSize: -1, date: 1 << 40)
        let bytes = group.bytes
        #expect(NameGroup(3, bytes)?.entries == group.entries)
        for length in 0..<bytes.count { #expect(NameGroup(3, Array(bytes[..<length])) == nil) }
        #expect(NameGroup(3, bytes + [0]) == nil)
        #expect(group.entries[15]?.size(trustsName: true) == 7 && group.entries[15]?.guid == Array("x".utf8))
        var segment = MessageSegment(2)
        let message = IndexedMessage(modSeq: 9, keywords: KeywordSet(bits: 3), flags: .deleted, state: .new)
        segment.replace(2_049, IndexedMessage(), by: message)
        segment.replace(3_071, IndexedMessage(), by: IndexedMessage(modSeq: 9, flags: .seen, state: .cur))
        segment.modSeq = 12
        #expect(MessageSegment(2, segment.bytes.span) == segment)
        #expect(
            segment.counters.unseen == 1 && segment.counters.deleted == 1 && segment.counters.new == 1 && segment.contains(3_071)
                && !segment.contains(3_070))
        segment.replace(2_049, message, by: IndexedMessage(state: .gone))
        segment.replace(3_071, IndexedMessage(modSeq: 9, flags: .seen, state: .cur), by: IndexedMessage(state: .gone))
        #expect(segment.counters == MessageSegment.Counters() && segment.flagSum == 0 && segment.words.allSatisfy { $0 == 0 })
        #expect(MessageSegment(2, Array(segment.bytes.dropLast()).span) == nil)
    }

    private func mailbox(_ store: any MailDriver, _ name: String = "INBOX") throws -> MaildirMailbox {
        try #require(try store.opened(name) as? MaildirMailbox)
    }

    @Test("deliveries, own changes, COPY and MOVE look at no file but their own")
    func looksAtNothingElse() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for number in 0..<50 { try scratch.write("Maildir/cur/\(100 + number).M\(number).x:2,S", "m\n") }
        try store.create(try store.named("B"))
        _ = try store.opened("B")
        let first = try mailbox(store)
        #expect(first.scans == 1)
        let mailbox = try mailbox(try scratch.store())
        for round in 0..<20 {
            try scratch.write("Maildir/new/\(1_000 + round).M1.x", "new\n")
            if round % 3 == 0 { try scratch.write("Maildir/new/\(2_000 + round).M1.x:2,Fa", "new\n") }
            let changes = try mailbox.synchronize(reportExpunges: true)
            #expect(changes.new.count == (round % 3 == 0 ? 2 : 1) && changes.flagsChanged.isEmpty && changes.expunged.isEmpty)
            #expect(mailbox.messages[changes.new.lowerBound].flags.contains(.recent))
            _ = try mailbox.change([round, round + 1], FlagChange(.add, flags: .flagged))
            #expect(try mailbox.text(round) == "m\n")
            _ = try mailbox.copy([round, round + 2], to: try store.named("B"))
            _ = try mailbox.move([20], to: try store.named("B"))
            #expect(try mailbox.synchronize(reportExpunges: true).expunged.count == 1)
        }
        #expect(mailbox.scans == 0)
        #expect(try self.mailbox(store, "B").scans == 0)
        // Another session sees all of it, and looks at nothing either.
        let changes = try first.synchronize(reportExpunges: true)
        #expect(changes.expunged.count == 20 && changes.new.count == 27 && first.scans == 1)
        #expect(first.uids == mailbox.uids && first.messages.map(\.flags.rawValue) != [] && first.recentCount == 0)
        // A name that is taken is no delivery: the whole folder is looked at.
        let taken = try #require(try scratch.names("Maildir/cur").first).prefix { $0 != ":" }
        try scratch.write("Maildir/new/\(taken)", "other\n")
        #expect(try mailbox.synchronize(reportExpunges: true).new.count == 1)
        #expect(mailbox.scans > 0 && scratch.log.contains { $0.contains("Fixed a duplicate") })
    }

    @Test("MOVE renames the file, also where its name is taken, and within a mailbox")
    func move() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.create(try store.named("B"))
        for number in 0..<4 { try store.save("\(number)\n", to: "INBOX", NewMessage(flags: .seen, keywords: [try keyword("k\(number)")])) }
        let inbox = try mailbox(store)
        _ = try inbox.copy([0], to: try store.named("B"))
        let guids = (0..<4).map { inbox.guid(at: $0) }
        // The id of a message is the name of its file up to the flags.
        let inodes = try guids.map { guid in
            let name = try #require(try scratch.names("Maildir/cur").first { $0.hasPrefix(String(decoding: guid, as: UTF8.self)) })
            return try #require(try scratch.status("Maildir/cur/\(name)")).inode
        }
        let moved = try inbox.move([0, 1, 3], to: try store.named("B"))
        #expect(moved.sources == [1, 2, 4] && moved.targets == [2, 3, 4])
        #expect(try inbox.synchronize(reportExpunges: true).expunged.map(\.uid) == [4, 2, 1])
        let target = try mailbox(store, "B")
        #expect(target.uids == [1, 2, 3, 4] && (1...3).map { target.guid(at: $0) } == [guids[0], guids[1], guids[3]])
        #expect((1...3).map { target.keywordTexts($0) } == [["k0"], ["k1"], ["k3"]])
        let found = Set(try scratch.names("Maildir/.B/cur").map { try #require(try scratch.status("Maildir/.B/cur/\($0)")).inode })
        #expect(found == Set([inodes[0], inodes[1], inodes[3]]))
        #expect(try scratch.names("Maildir/cur").count == 1 && scratch.names("Maildir/tmp").isEmpty)
        let own = try inbox.move([0], to: try store.named("INBOX"))
        #expect(own.sources == [3] && own.targets == [5])
        let changes = try inbox.synchronize(reportExpunges: true)
        #expect(changes.expunged.map(\.uid) == [3] && changes.new == 0..<1 && inbox.guid(at: 0) == guids[2])
        #expect(try inbox.text(0) == "2\n" && scratch.names("Maildir/cur").count == 1)
        #expect(try self.mailbox(try scratch.store(), "B").uids == [1, 2, 3, 4] && target.scans == 0 && inbox.scans < 2)
    }

    @Test("STORE with a condition looks at the modseq of now, and tells what others did")
    func conditions() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<3 { try store.save("x\n", to: "INBOX", NewMessage(flags: .seen)) }
        let (one, two) = (try mailbox(store), try mailbox(try scratch.store()))
        let start = one.highestModSeq
        _ = try two.change([1], FlagChange(.add, flags: .flagged))
        // `one` was told of nothing yet.
        let result = try one.change([0, 1, 2], FlagChange(.add, flags: .answered), unchangedSince: start)
        #expect(result.changed == [0, 2] && result.modified == [1] && result.alsoByOthers.isEmpty)
        let second = try one.change([0, 1], FlagChange(.add, flags: .deleted), unchangedSince: nil)
        #expect(second.changed == [0, 1] && second.alsoByOthers == [1] && second.newlyDeleted == 2)
        #expect(one.deleted == [0, 1])
        #expect(try one.synchronize(reportExpunges: true).isEmpty)
        #expect(try two.synchronize(reportExpunges: true).flagsChanged == [0, 1, 2])
        // By another program: its change has no modseq yet.
        let name = try #require(try scratch.names("Maildir/cur").first { $0.hasSuffix(":2,RS") })
        try scratch.rename("Maildir/cur/\(name)", "Maildir/cur/\(name.replacing("RS", with: "FRS"))")
        let third = try two.change([2], FlagChange(.add, flags: .draft), unchangedSince: two.highestModSeq)
        #expect(third.modified == [2] && third.changed.isEmpty)
    }

    @Test("keeps what it knows when the index is lost, also in the middle")
    func indexLost() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for number in 0..<40 { try store.save("x\n", to: "INBOX", NewMessage(flags: number % 2 == 0 ? .seen : .flagged)) }
        let mailbox = try mailbox(store)
        let (flags, name) = (mailbox.messages.map(\.flags), try store.named("INBOX"))
        try scratch.remove("Maildir/culver.index")
        #expect(mailbox.messages.map(\.flags) == flags && mailbox.firstUnseen == 1 && mailbox.deleted.isEmpty)
        #expect(try mailbox.synchronize(reportExpunges: true).isEmpty)
        try scratch.remove("Maildir/culver.index")
        #expect(try mailbox.text(3) == "x\n" && mailbox.virtualSize(at: 3) == 3)
        try scratch.remove("Maildir/culver.index")
        #expect(try mailbox.change([4], FlagChange(.add, flags: .deleted)) == [4] && mailbox.deleted == [4])
        try scratch.remove("Maildir/culver.index")
        try mailbox.expunge([4])
        try scratch.remove("Maildir/culver.index")
        _ = try mailbox.move([5], to: name)
        try scratch.remove("Maildir/culver.index")
        let changes = try mailbox.synchronize(reportExpunges: true)
        #expect(changes.expunged.map(\.uid) == [6, 5] && changes.new == 38..<39)
    }
}
