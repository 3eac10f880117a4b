@testable import IMAPSyntax
import Testing

@Suite("Modified UTF-7")
struct ModifiedUTF7Tests {
    @Test(
        "stands for UTF-8",
        arguments: [
            ("INBOX", "INBOX"), ("Entw&APw-rfe", "Entwürfe"), ("&U,BTFw-", "台北"), ("a&-b", "a&b"), ("&2D3eAA-", "😀"), ("", ""),
            ("&AOQA9gD8-", "äöü"),
        ])
    func codes(_ name: String, _ text: String) {
        #expect(ModifiedUTF7.decode(raw(name)) == raw(text))
        #expect(ModifiedUTF7.encode(raw(text)) == raw(name))
    }

    @Test(
        "has one form for each name; others are refused",
        arguments: [
            "&", "&A", "a&b", "&AGE-", "&AOQ-&AOQ-", "&2D0-", "&3gA-", "&AOR-", "&AO Q-", "ä", "a\u{7f}", "a\tb", "&AOQ", "&////-",
        ])
    func refuses(_ name: String) {
        #expect(ModifiedUTF7.decode(raw(name)) == nil)
    }
}

@Suite("A sequence set")
struct SequenceSetTests {
    @Test(
        "is merged and resolved",
        arguments: [
            ("1", 9 as UInt32, "1"), ("1:3,2:5", 9, "1:5"), ("5,1,3", 9, "1,3,5"), ("4,3,2,1", 9, "1:4"), ("*", 9, "9"), ("7:*", 9, "7:9"),
            ("*:7", 5, "5"), ("7:*", 0, ""), ("1:4294967295", 9, "1:4294967295"), ("1,2,3:4,9,10", 9, "1:4,9:10"), ("2:*,1", 4, "1:4"),
        ])
    func resolves(_ text: String, _ largest: UInt32, _ expected: String) throws {
        var parser = CommandParser(RawCommand(bytes: raw(text)), limits: .postLogin)
        let resolved = try parser.sequenceSet().resolved(largest: largest)
        var writer = ResponseWriter()
        writer.set(resolved)
        #expect(writer.bytes == raw(expected))
    }

    @Test("knows its members")
    func members() {
        let numbers = NumberSet([9, 1, 2, 3, 7] as [UInt32])
        #expect((0...10).filter { numbers.contains(UInt32($0)) } == [1, 2, 3, 7, 9])
        #expect(numbers.count == 5)
    }
}

@Suite("A LIST pattern")
struct ListPatternTests {
    @Test(
        "matches",
        arguments: [
            ("*", "a.b.c", true), ("%", "a", true), ("%", "a.b", false), ("%.%", "a.b", true), ("%.%", "a.b.c", false), ("a*", "a", true),
            ("a*c", "abcabc", true), ("a*c", "abcab", false), ("%b*", "ab.c", true), ("INBOX", "INBOX", true), ("inbox", "INBOX", true),
            ("inbox.*", "INBOX.a", true), ("inboxes", "inboxes", true), ("inboxes", "INBOXes", false), ("", "", true), ("", "a", false),
            ("*%*%", "x", true),
            ("a.%", "a.b", true), ("a.%", "a.", true), ("%%", "ab", true), ("in%", "INBOX", false),
        ])
    func matches(_ pattern: String, _ name: String, _ expected: Bool) {
        #expect(ListPattern(raw(pattern), separator: 0x2e)?.matches(name.utf8) == expected)
    }

    @Test("costs no more than its length times the name's")
    func cost() {
        let pattern = ListPattern(raw(String(repeating: "a*", count: 16) + "b"), separator: 0x2e)
        #expect(pattern?.matches(raw(String(repeating: "a", count: 1_000))) == false)
        #expect(ListPattern(raw(String(repeating: "a*", count: 17)), separator: 0x2e) == nil)
    }
}

@Suite("A response")
struct ResponseWriterTests {
    @Test(
        "quotes, or uses a literal",
        arguments: [
            ("abc", "\"abc\""), ("", "\"\""), ("a\"b\\", "\"a\\\"b\\\\\""), ("a\r\nb", "{4}\r\na\r\nb"), ("ä", "{2}\r\nä"),
            ("\u{0}", "{1}\r\n "),
            ("\u{7f}", "{1}\r\n\u{7f}"),
        ])
    func strings(_ value: String, _ expected: String) {
        var writer = ResponseWriter()
        writer.string(raw(value))
        #expect(writer.bytes == raw(expected))
    }

    @Test(
        "uses atoms for plain mailbox names",
        arguments: [("INBOX", "INBOX"), ("a b", "\"a b\""), ("", "\"\""), ("nil", "\"nil\""), ("a]b", "a]b"), ("a%", "\"a%\"")])
    func astrings(_ value: String, _ expected: String) {
        var writer = ResponseWriter()
        writer.astring(raw(value))
        #expect(writer.bytes == raw(expected))
    }

    @Test(
        "writes dates as they are read",
        arguments: [
            (0 as Int64, 0, "\" 1-Jan-1970 00:00:00 +0000\""), (951_782_400, 60, "\"29-Feb-2000 01:00:00 +0100\""),
            (-1, 0, "\"31-Dec-1969 23:59:59 +0000\""),
            (1_795_224_893, -330, "\"20-Nov-2026 20:04:53 -0530\""),
        ])
    func dates(_ seconds: Int64, _ zone: Int, _ expected: String) throws {
        var writer = ResponseWriter()
        writer.dateTime(DateTime(unixSeconds: seconds, zoneMinutes: zone))
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
        var parser = CommandParser(RawCommand(bytes: writer.bytes), limits: .postLogin)
        #expect(try parser.dateTime() == DateTime(unixSeconds: seconds, zoneMinutes: zone))
    }

    @Test("writes numbers and sections")
    func others() {
        var writer = ResponseWriter()
        for number in [0, 7, 10, 1_234_567_890] { writer.number(number); writer.byte(0x20) }
        writer.section(BodySection(part: [1, 2], text: .headerFields([raw("From"), raw("x\"")]), partial: Partial(first: 3, count: 4)))
        #expect(writer.bytes == raw("0 7 10 1234567890 BODY[1.2.HEADER.FIELDS (FROM \"X\\\"\")]<3>"))
    }
}
