import Testing

@testable import MailStore

@Suite("The name of a message file")
struct MaildirFileNameTests {
    @Test(
        "gives flags and keywords",
        arguments: [
            ("1.M2P3.h:2,", MessageFlags(), 0), ("1.M2P3.h:2,S", [.seen], 0), ("1.M2P3.h,S=1,W=2:2,DFRST", .permanent, 0),
            ("1.h:2,Sab", [.seen], 3), ("1.h:2,PS", [.seen], 0), ("1.h:2,S,ab", [.seen], 0), ("1.h", [], 0), ("1.h:1,S", [], 0),
            ("1.h:2", [], 0),
            ("a:b:2,F", [.flagged], 0), ("", [], 0), (":", [], 0), (":2,", [], 0), ("1.h:2,z", [], UInt32(1) << 25),
        ] as [(String, MessageFlags, UInt32)])
    func flags(_ name: String, _ flags: MessageFlags, _ keywords: UInt32) {
        let info = MaildirFileName.info(Array(name.utf8)[...])
        #expect(info.flags == flags)
        #expect(info.keywords.bits == keywords)
    }

    @Test(
        "keeps what it does not understand when flags change",
        arguments: [
            ("1.h", "1.h:2,S"), ("1.h:2,", "1.h:2,S"), ("1.h:2,PZ", "1.h:2,PSZ"), ("1.h:2,F", "1.h:2,S"),
            ("1.h:2,F,other", "1.h:2,S,other"),
            ("1.h:1,x", "1.h:1,x:2,S"), ("1.h,S=5:2,a", "1.h,S=5:2,S"),
        ])
    func renames(_ name: String, _ expected: String) {
        let renamed = MaildirFileName.renamed(Array(name.utf8)[...], MaildirFileName.Info(flags: [.seen]))
        #expect(String(decoding: renamed, as: UTF8.self) == expected)
    }

    @Test(
        "tells sizes only when they are numbers",
        arguments: [
            ("1.h,S=12,W=34:2,S", 12, 34), ("1.h,W=34,S=12", 12, 34), ("1.h,S=", nil, nil), ("1.h,S=12x,W=3", nil, 3),
            ("1.h,S=99999999999999999999", nil, nil),
            ("1.h:2,S=5", nil, nil), ("1.h,X=1,S=2", 2, nil), (",S=0", 0, nil), ("S=1", nil, nil), ("1.h,", nil, nil), ("1.h,S", nil, nil),
        ] as [(String, Int64?, Int64?)])
    func sizes(_ name: String, _ size: Int64?, _ virtual: Int64?) {
        #expect(MaildirFileName.size(0x53, in: Array(name.utf8)[...]) == size)
        #expect(MaildirFileName.size(0x57, in: Array(name.utf8)[...]) == virtual)
    }

    @Test(
        "tells when it came",
        arguments: [
            ("12.M34P5.h", 12, 34), ("12.R34.h", 12, 0), ("12", 12, 0), ("x", 0, 0), ("12.M", 12, 0), ("12.5_1M7.h", 12, 7), ("", 0, 0),
        ] as [(String, UInt64, UInt64)])
    func time(_ name: String, _ seconds: UInt64, _ microseconds: UInt64) {
        let time = MaildirFileName.time(Array(name.utf8)[...])
        #expect(time.seconds == seconds)
        #expect(time.microseconds == microseconds)
    }

    @Test("of a new message is never the same twice")
    func unique() {
        var names = UniqueNames(hostname: "a/b:c")
        var seen = Set<[UInt8]>()
        for _ in 0..<10_000 { #expect(seen.insert(names.next()).inserted) }
        #expect(seen.allSatisfy { !$0.contains(0x2f) && !$0.contains(0x3a) })
    }
}

@Suite("dovecot-uidlist")
struct UIDListTests {
    private func read(_ text: String) throws -> UIDListReader {
        var reader = UIDListReader()
        try reader.read(Array(text.utf8))
        return reader
    }

    @Test("gives header and records")
    func reads() throws {
        let text = "3 V17 N5 Z9 G00112233445566778899aabbccddeeff\n1 :a,S=1:2,S\n3 G77 W5 :b c\n"
        let reader = try read(text)
        #expect(
            reader.header
                == UIDListHeader(
                    uidValidity: 17, nextUID: 5, guid: Array("00112233445566778899aabbccddeeff".utf8), others: [Array("Z9".utf8)]))
        let bytes = Array(text.utf8)
        #expect(reader.records.map(\.uid) == [1, 3])
        #expect(reader.records.map { String(decoding: bytes[$0.base], as: UTF8.self) } == ["a,S=1", "b c"])
        #expect(reader.records.map { String(decoding: bytes[$0.extensions], as: UTF8.self) } == ["", "G77 W5"])
    }

    @Test("of version 1 is read")
    func readsVersion1() throws {
        let reader = try read("1 17 3\n1 a:2,S\n2 b\n")
        #expect(reader.header?.isVersion1 == true)
        #expect(reader.records.map(\.uid) == [1, 2])
    }

    @Test(
        "without a good header is refused",
        arguments: [
            ("", "Corrupted header (invalid version number)"), ("3 V1 N1", "Corrupted header (invalid version number)"),
            ("x\n", "Corrupted header (invalid version number)"), ("2 V1 N1\n", "Unsupported version 2"),
            ("3 V0 N1\n", "Broken header (uidvalidity = 0, next_uid=1)"),
            ("3 V1\n", "Broken header (uidvalidity = 1, next_uid=0)"),
            ("3 V99999999999 N1\n", "Broken header (uidvalidity = 0, next_uid=1)"),
            ("1 5\n", "Broken header (uidvalidity = 0, next_uid=0)"),
        ])
    func refusesHeader(_ text: String, _ reason: String) {
        #expect(throws: UIDListDamage(line: 1, text: reason)) { try read(text) }
    }

    @Test(
        "names damaged records and keeps the others",
        arguments: [
            ("x\n", "Invalid data: x"), ("0 :a\n", "Invalid data: 0 :a"), ("5\n", "Invalid data: 5"),
            ("4294967295 :a\n", "UID too high (4294967295)"),
            ("1 :a\n", "UIDs not ordered (1 >= 1)"), ("5 a\n", "Invalid extended fields: 5"), ("5 W1 a\n", "Invalid extended fields: 5"),
            ("5 :\n", "Broken filename at line 3: "), ("5 :a/b\n", "Broken filename at line 3: a/b"), ("5 : \n", nil),
            ("99999999999999999999 :a\n", "Invalid data: 99999999999999999999 :a"),
        ] as [(String, String?)])
    func damage(_ line: String, _ text: String?) throws {
        let reader = try read("3 V1 N1\n1 :one\n" + line + "9 :nine\n")
        #expect(reader.damages.map(\.text) == (text.map { [$0] } ?? []))
        #expect(reader.records.first?.uid == 1)
        #expect(reader.records.last?.uid == 9)
        #expect(reader.reservedUID == 9)
    }

    @Test("drops extension fields that make no sense, not their record")
    func badExtensions() throws {
        let reader = try read("3 V1 N1\n5 w1 :a\n6 X\n")
        #expect(reader.records.map(\.uid) == [5])
        #expect(reader.records[0].extensions.isEmpty)
        #expect(reader.damages.map(\.text) == ["Invalid extended fields: 5", "Invalid extended fields: 6"])
        #expect(reader.reservedUID == 6)
    }

    @Test("cut short gives its complete lines only")
    func cut() throws {
        let text = "3 V1 N1\n1 :one\n2 :two\n"
        for count in 8...text.utf8.count {
            let reader = try read(String(text.prefix(count)))
            #expect(reader.damages.isEmpty)
            #expect(reader.records.count == (count >= 22 ? 2 : count >= 15 ? 1 : 0))
            #expect(reader.consumed == (count >= 22 ? 22 : count >= 15 ? 15 : 8))
        }
    }

    @Test("survives any bytes")
    func mutations() {
        let seed = Array("3 V17 N5 G00112233445566778899aabbccddeeff\n1 :a,S=1:2,S\n3 G77 W5 :b c\n9 :x\n".utf8)
        for bytes in Mutations(of: seed, count: 20_000) where !fuzzUIDList(bytes) {
            Issue.record("not kept: \(bytes)")
        }
        for bytes in Mutations(of: Array("0 Junk\n1 $Label\n3 Ä\n".utf8), count: 5_000) where !fuzzKeywords(bytes) {
            Issue.record("not kept: \(bytes)")
        }
        for seed in ["V\t2\n\nWork\t&AOQ-\nIN\u{1}tBOX\n", "Work.&AOQ-\nGone.b\n"] {
            for bytes in Mutations(of: Array(seed.utf8), count: 5_000) where !fuzzSubscriptions(bytes) {
                Issue.record("not kept: \(bytes)")
            }
        }
        var group = NameGroup(0)
        group.entries[2] = NameEntry(base: Array("1.a,S=3".utf8)[...], suffix: Array(":2,Sz".utf8), countedSize: 7)
        group.entries[9] = NameEntry(base: Array("2.b".utf8)[...], extensions: Array("W7 Gx".utf8)[...], date: 9)
        for bytes in Mutations(of: group.bytes, count: 5_000) where !fuzzNameGroup(bytes) { Issue.record("not kept: \(bytes)") }
        var block = ItemBlock(0)
        for slot in [0, 5, 63] { block.set(slot, Array("value \(slot)".utf8)[...]) }
        for bytes in Mutations(of: block.bytes, count: 5_000) where !fuzzItemBlock(bytes) { Issue.record("not kept: \(bytes)") }
        for bytes in Mutations(of: Array("a&AOQ-b&-c&2D3eAA-".utf8), count: 5_000) where !fuzzModifiedUTF7(bytes) {
            Issue.record("not kept: \(bytes)")
        }
        for bytes in Mutations(of: Array("12.M34P5.h,S=12,W=34:2,FSab,x".utf8), count: 20_000) where !fuzzMaildirName(bytes) {
            Issue.record("not kept: \(bytes)")
        }
    }
}

@Test("A subscription that is an escape of nothing is no name: written again it would be gone")
func subscriptionOfNothing() {
    let file = SubscriptionFile(Array("V\t2\n\nWork\n\u{1}\nINBOX\n".utf8), separator: 0x2e)
    #expect(file.names == [[Array("Work".utf8)], [Array("INBOX".utf8)]])
    #expect(fuzzSubscriptions(file.text))
}

/// Changed copies of a text, always the same ones.
struct Mutations: Sequence, IteratorProtocol {
    let seed: [UInt8]
    var count: Int
    var state: UInt64 = 88_172_645_463_325_252

    init(of seed: [UInt8], count: Int) {
        self.seed = seed
        self.count = count
    }

    mutating func random(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    mutating func next() -> [UInt8]? {
        guard count > 0 else { return nil }
        count -= 1
        var bytes = seed
        for _ in 0...random(4) where !bytes.isEmpty {
            let position = random(bytes.count)
            switch random(5) {
            case 0: bytes.remove(at: position)
            case 1: bytes.insert(UInt8(random(256)), at: position)
            case 2: bytes[position] = UInt8(random(256))
            case 3: bytes[position] = Array("0129 :,=\n\r/.\0VNG".utf8)[random(16)]
            default: bytes.removeSubrange(position..<Swift.min(bytes.count, position + random(9)))
            }
        }
        return bytes
    }
}

@Suite("dovecot-keywords")
struct KeywordTableTests {
    @Test(
        "gives letters their names",
        arguments: [
            ("0 Junk\n1 $Forwarded\n", ["Junk", "$Forwarded"]), ("1 b\n", [nil, "b"]), ("0 a\n0 b\n", ["a"]), ("0 a\n1 A\n", ["a"]),
            ("x\n26 z\n-1 q\n0\n", []),
            ("0 a b\n", []), ("", []), ("0 last", ["last"]),
        ] as [(String, [String?])])
    func reads(_ text: String, _ names: [String?]) {
        let table = KeywordTable(Array(text.utf8))
        #expect(table.names.map { $0.map { String(decoding: $0.bytes, as: UTF8.self) } } == names)
    }

    @Test("gives new keywords the next letter until there is none")
    func adds() throws {
        var table = KeywordTable(Array("1 b\n".utf8))
        #expect(table.add(try keyword("B")) == 1)
        for index in 2..<26 { #expect(table.add(try keyword("k\(index)")) == index) }
        #expect(!table.isFull)
        #expect(table.add(try keyword("hole")) == 0)
        #expect(table.isFull)
        #expect(table.add(try keyword("more")) == nil)
        #expect(KeywordTable(table.text) == table)
    }

    @Test(
        "refuses what is no keyword",
        arguments: [
            ("", Keyword.Refusal.empty), (String(repeating: "k", count: 51), .tooLong), ("a b", .invalidCharacters),
            ("a\\b", .invalidCharacters),
            ("a(", .invalidCharacters), ("ä", .eightBit), ("a\n", .invalidCharacters),
        ])
    func refuses(_ text: String, _ refusal: Keyword.Refusal) {
        #expect(throws: refusal) { try keyword(text) }
    }
}

@Suite("Modified UTF-7")
struct ModifiedUTF7Tests {
    @Test(
        "is written and read",
        arguments: [
            ("Sent", "Sent"), ("Entwürfe", "Entw&APw-rfe"), ("A&B", "A&-B"), ("日本語", "&ZeVnLIqe-"), ("😀", "&2D3eAA-"), ("台北", "&U,BTFw-"),
            ("a\u{7f}", "a&AH8-"), ("", ""),
        ])
    func roundTrip(_ text: String, _ encoded: String) {
        #expect(String(decoding: ModifiedUTF7.encode(Array(text.utf8)), as: UTF8.self) == encoded)
        #expect(ModifiedUTF7.decode(Array(encoded.utf8)[...]) == Array(text.utf8))
    }

    @Test("has one form only", arguments: ["&", "&A", "&AGE-", "&APw", "&2D0-", "&APw-&APw-", "a\u{e4}", "&AP_-", "&APx-", "&AP-"])
    func refuses(_ text: String) {
        #expect(ModifiedUTF7.decode(Array(text.utf8)[...]) == nil)
    }
}
