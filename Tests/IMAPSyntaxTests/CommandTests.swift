@testable import IMAPSyntax
import Testing

private func set(_ ranges: ClosedRange<UInt32>...) -> SequenceSet {
    var set = SequenceSet()
    for range in ranges { set.add(.number(range.lowerBound), .number(range.upperBound)) }
    return set
}

private func fetch(_ items: FetchItem...) -> Command { .fetch(FetchCommand(set: set(1...1), isUID: false, items: items)) }
private func search(_ key: SearchKey) -> Command { .search(SearchCommand(isUID: false, returns: nil, charset: nil, key: key)) }

@Suite("A command after login")
struct CommandTests {
    private func parse(_ text: String) throws(SyntaxError) -> Command? {
        guard var parser = parser(text) else { return nil }
        _ = try parser.tag()
        var name: [UInt8] = []
        return try parser.command(name: &name)
    }

    @Test(
        "is understood",
        arguments: [
            ("a noop", Command.noop), ("a IDLE", .idle), ("a namespace", .namespace), ("a UNSELECT", .unselect),
            ("a SELECT inbox", .select(SelectCommand(mailbox: raw("inbox"), isReadOnly: false))),
            ("a EXAMINE \"a b\"", .select(SelectCommand(mailbox: raw("a b"), isReadOnly: true))),
            ("a SELECT x (CONDSTORE)", .select(SelectCommand(mailbox: raw("x"), isReadOnly: false, wantsModSeq: true))),
            ("a CREATE x", .create(mailbox: raw("x"), specialUse: [])),
            ("a CREATE x (USE (\\Sent))", .create(mailbox: raw("x"), specialUse: [raw("\\Sent")])),
            ("a RENAME x {1+}\r\ny", .rename(from: raw("x"), to: raw("y"))),
            ("a LIST \"\" *", .list(ListCommand(reference: [], patterns: [raw("*")]))),
            ("a LIST \"\" \"\"", .list(ListCommand(reference: [], patterns: [[]]))),
            (
                "a LIST (SUBSCRIBED) \"\" (INBOX a%) RETURN (CHILDREN STATUS (UNSEEN MESSAGES))",
                .list(
                    ListCommand(
                        reference: [], patterns: [raw("INBOX"), raw("a%")], selection: .subscribed, returns: .children,
                        status: [.unseen, .messages], isExtended: true))
            ),
            ("a LSUB \"\" %", .lsub(reference: [], pattern: raw("%"))),
            ("a STATUS x (MESSAGES UIDNEXT)", .status(mailbox: raw("x"), items: [.messages, .uidNext])),
            ("a EXPUNGE", .expunge(uids: nil)), ("a UID EXPUNGE 1:3,2:5", .expunge(uids: set(1...5))),
            ("a UID COPY 7 x", .copy(CopyCommand(set: set(7...7), isUID: true, isMove: false, mailbox: raw("x")))),
            ("a MOVE 3:1 x", .copy(CopyCommand(set: set(1...3), isUID: false, isMove: true, mailbox: raw("x")))),
            (
                "a STORE 1 +FLAGS.SILENT (\\Seen $Junk)",
                .store(
                    StoreCommand(
                        set: set(1...1), isUID: false, action: .add, isSilent: true,
                        flags: FlagList(system: .seen, keywords: [raw("$Junk")])))
            ),
            (
                "a STORE 1 FLAGS \\Deleted \\Draft",
                .store(
                    StoreCommand(
                        set: set(1...1), isUID: false, action: .replace, isSilent: false, flags: FlagList(system: [.deleted, .draft])))
            ),
            (
                "a SELECT x (QRESYNC (67890007 90060115194045000 41,43:211 (1:3 4:6)))",
                .select(
                    SelectCommand(
                        mailbox: raw("x"), isReadOnly: false,
                        resync: .init(
                            uidValidity: 67_890_007, modSeq: 90_060_115_194_045_000, knownUIDs: set(41...41, 43...211),
                            matches: .init(numbers: NumberSet(1...3), uids: NumberSet(4...6)))))
            ),
            (
                "a SELECT x (CONDSTORE QRESYNC (1 2))",
                .select(
                    SelectCommand(
                        mailbox: raw("x"), isReadOnly: false, wantsModSeq: true, resync: .init(uidValidity: 1, modSeq: 2)))
            ),
            ("a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338", search(.modSeq(620_162_338))), ("a SEARCH MODSEQ 0", search(.modSeq(0))),
            (
                "a UID STORE 1 (UNCHANGEDSINCE 12) FLAGS.SILENT ()",
                .store(StoreCommand(set: set(1...1), isUID: true, action: .replace, isSilent: true, flags: FlagList(), unchangedSince: 12))
            ),
            (
                "a GETMETADATA (MAXSIZE 10 DEPTH infinity) \"\" (/Shared/A /private/b)",
                .getMetadata(GetMetadataCommand(entries: [raw("/shared/a"), raw("/private/b")], depth: .all, maximumSize: 10))
            ),
            (
                "a GETMETADATA x (DEPTH 1) /private/c",
                .getMetadata(GetMetadataCommand(mailbox: raw("x"), entries: [raw("/private/c")], depth: .children))
            ),
            (
                "a SETMETADATA x (/private/c NIL /shared/d ~{3+}\r\na\0b /shared/e \"v\")",
                .setMetadata(
                    SetMetadataCommand(
                        mailbox: raw("x"),
                        changes: [
                            .init(entry: raw("/private/c"), value: nil), .init(entry: raw("/shared/d"), value: raw("a\0b")),
                            .init(entry: raw("/shared/e"), value: raw("v")),
                        ]))
            ),
            ("a GETQUOTA \"User quota\"", .getQuota(root: raw("User quota"))),
            ("a GETQUOTAROOT inbox", .getQuotaRoot(mailbox: raw("inbox"))),
            ("a SETQUOTA \"\" (STORAGE 512 MESSAGE 9223372036854775807)", .setQuota(root: [])),
            ("a SETQUOTA x ()", .setQuota(root: raw("x"))),
            ("a SEARCH FILTER f1 SEEN", search(.and([.filter(raw("f1")), .flag(.seen)]))),
            ("a CANCELUPDATE \"x\" \"y\"", .cancelUpdate([raw("x"), raw("y")])),
            (
                "a UID THREAD refs utf-8 ALL",
                .thread(ThreadCommand(isUID: true, algorithm: .refs, charset: raw("UTF-8"), key: .all))
            ),
            ("a SEARCH SAVEDON 1-Feb-2020", search(.saved(.on(CalendarDate(daysSince1970: 18_293))))),
            ("a SEARCH SAVEDATESUPPORTED", search(.all)), ("a SEARCH EMAILID M12-_a", search(.emailID(raw("M12-_a")))),
            ("a SEARCH THREADID T1", search(.threadID(raw("T1")))),
            ("a SEARCH UIDAFTER 5 UIDBEFORE 4294967295", search(.and([.uidAfter(5), .uidBefore(.max)]))),
            ("a ENABLE condstore X", .enable([raw("CONDSTORE"), raw("X")])),
            ("a FETCH 1 FAST", fetch(.flags, .internalDate, .rfc822Size)),
            ("a FETCH 1 (UID body BODYSTRUCTURE)", fetch(.uid, .body, .bodyStructure)),
            ("a FETCH 1 BODY[]", fetch(.section(BodySection()))),
            (
                "a FETCH 1 (BODY.PEEK[1.2.MIME]<0.10>)",
                fetch(.section(BodySection(part: [1, 2], text: .mime, isPeek: true, partial: Partial(first: 0, count: 10))))
            ),
            ("a FETCH 1 BODY[3]", fetch(.section(BodySection(part: [3])))),
            (
                "a FETCH 1 BODY.PEEK[HEADER.FIELDS (From \"X-A\")]",
                fetch(.section(BodySection(text: .headerFields([raw("From"), raw("X-A")]), isPeek: true)))
            ),
            ("a FETCH 1 BODY[1.HEADER.FIELDS.NOT (a)]", fetch(.section(BodySection(part: [1], text: .headerFieldsNot([raw("a")]))))),
            ("a FETCH 1 RFC822.HEADER", fetch(.rfc822Header)), ("a FETCH 1 BINARY.SIZE[1]", fetch(.binarySize(part: [1]))),
            ("a FETCH 1 (PREVIEW (LAZY) UID)", fetch(.preview(isLazy: true), .uid)),
            ("a UID FETCH 1 FLAGS", .fetch(FetchCommand(set: set(1...1), isUID: true, items: [.uid, .flags]))),
            ("a SEARCH ALL", search(.all)),
            ("a SEARCH UNSEEN FROM x", search(.and([.not(.flag(.seen)), .header(name: raw("FROM"), text: raw("x"))]))),
            ("a SEARCH OR (1 2:*) NOT UID 5", search(.or(.and([.numbers(set(1...1)), .numbers(open(2))]), .not(.uids(set(5...5)))))),
            ("a SEARCH SINCE 1-Feb-1994", search(.date(.since(CalendarDate(daysSince1970: 8797))))),
            ("a SEARCH HEADER X-Y \"\"", search(.header(name: raw("X-Y"), text: []))),
            (
                "a UID SEARCH RETURN (MIN COUNT) CHARSET utf-8 TEXT {2}\r\nab",
                .search(SearchCommand(isUID: true, returns: [.min, .count], charset: raw("UTF-8"), key: .text(raw("ab"))))
            ),
        ])
    func understood(_ text: String, _ expected: Command) throws {
        #expect(try parse(text) == expected)
    }

    @Test(
        "is refused",
        arguments: [
            "a", "a X", "a UID", "a UID NOOP", "a LOGIN x y", "a SELECT", "a SELECT x y", "a SELECT x (Y)", "a CREATE x (USE (Sent))",
            "a LIST \"\"", "a LIST x", "a LIST (X) \"\" *", "a LIST \"\" * RETURN", "a LIST (RECURSIVEMATCH) \"\" *", "a STATUS x",
            "a STATUS x ()",
            "a STATUS x (Y)", "a STATUS x (MESSAGES", "a FETCH 1", "a FETCH 0 FLAGS", "a FETCH 1: FLAGS", "a FETCH 1, FLAGS",
            "a FETCH 4294967296 FLAGS",
            "a FETCH 1 ()", "a FETCH 1 BODY[", "a FETCH 1 BODY[1.]", "a FETCH 1 BODY[MIME]", "a FETCH 1 BODY[1HEADER]",
            "a FETCH 1 BODY[HEADER.FIELDS ()]",
            "a FETCH 1 BODY[]<1>", "a FETCH 1 BODY[]<0.0>", "a FETCH 1 (FLAGS", "a FETCH 1 BODY[0]",
            "a FETCH 1 BODY[HEADER.FIELDS (\"a:\")]",
            "a STORE 1 FLAGS", "a STORE 1 FLAGS \\Foo", "a STORE 1 FLAGS (a", "a STORE 1 X (a)", "a SEARCH", "a SEARCH X",
            "a SEARCH OR ALL", "a SELECT x (QRESYNC)", "a SELECT x (QRESYNC (1))", "a SELECT x (QRESYNC (0 1))",
            "a SELECT x (QRESYNC (1 1 1 1))", "a SELECT x (QRESYNC (1 1 (1)))", "a STORE 1 (X 1) FLAGS ()",
            "a STORE 1 (UNCHANGEDSINCE) FLAGS ()",
            "a STORE 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS ()", "a FETCH 1 FLAGS (CHANGEDSINCE)",
            "a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
            "a UID FETCH 1 FLAGS (VANISHED)", "a SEARCH MODSEQ", "a SEARCH MODSEQ \"x\" 1", "a GETMETADATA x", "a GETQUOTA",
            "a GETQUOTAROOT", "a SETQUOTA x", "a SETQUOTA x (STORAGE)", "a SETQUOTA x (STORAGE -1)",
            "a SETQUOTA x (STORAGE 9223372036854775808)", "a GETMETADATA x y",
            "a GETMETADATA x /private/a*", "a GETMETADATA x /private//a",
            "a GETMETADATA x /private/", "a GETMETADATA x /other/a", "a GETMETADATA (DEPTH 2) x /private/a", "a SETMETADATA x ()",
            "a SETMETADATA x (/private/a)", "a SETMETADATA x (/private/a b)", "a SEARCH FILTER", "a SEARCH FILTER a/b",
            "a LIST \"\" * RETURN (METADATA)",
            "a SORT UTF-8 ALL", "a SORT () UTF-8 ALL",
            "a SORT (REVERSE) UTF-8 ALL", "a SORT (X) UTF-8 ALL",
            "a SORT (DATE) UTF-8",
            "a SORT (DATE DATE DATE DATE DATE DATE DATE DATE DATE DATE DATE) UTF-8 ALL", "a THREAD", "a THREAD X UTF-8 ALL",
            "a THREAD REFS UTF-8", "a CANCELUPDATE", "a CANCELUPDATE x", "a ESEARCH IN ALL", "a ESEARCH IN (mailboxes) ALL",
            "a ESEARCH IN (x) ALL", "a FETCH 1 FLAGS (PARTIAL 1:2)", "a UID FETCH 1 FLAGS (PARTIAL 1)", "a UID FETCH 1 FLAGS ()",
            "a SEARCH EMAILID", "a SEARCH EMAILID a.b", "a SEARCH SAVEDON x",
            "a SEARCH SINCE 31-Feb-2020", "a SEARCH SINCE 1-Foo-2020", "a SEARCH (ALL", "a SEARCH LARGER x", "a SEARCH NOT", "a COPY 1",
            "a COPY x y",
            "a ENABLE", "a APPEND x", "a EXPUNGE 1", "a IDLE x", "a SEARCH FROM \u{0}",
        ])
    func refused(_ text: String) {
        #expect(throws: SyntaxError.self) { _ = try parse(text) }
    }

    @Test("may not nest search keys deeper than 32")
    func depth() throws {
        #expect(try parse("a SEARCH " + String(repeating: "(", count: 31) + "ALL" + String(repeating: ")", count: 31)) == search(.all))
        for text in [
            String(repeating: "(", count: 32) + "ALL" + String(repeating: ")", count: 32), String(repeating: "NOT ", count: 9_000) + "ALL",
        ] {
            #expect(throws: SyntaxError.overLimit("nested search keys")) { _ = try parse("a SEARCH " + text) }
        }
    }

    @Test("counts what may be many")
    func counts() throws {
        #expect(throws: SyntaxError.overLimit("search keys")) { _ = try parse("a SEARCH" + String(repeating: " ALL", count: 1_001)) }
        #expect(throws: SyntaxError.overLimit("FETCH items")) {
            _ = try parse("a FETCH 1 (UID" + String(repeating: " UID", count: 100) + ")")
        }
        #expect(try parse("a FETCH 1 (UID" + String(repeating: " UID", count: 99) + ")") != nil)
        #expect(throws: SyntaxError.overLimit("sequence set")) {
            _ = try parse("a FETCH 1" + String(repeating: ",1", count: 10_000) + " UID")
        }
        #expect(throws: SyntaxError.overLimit("keyword")) { _ = try parse("a STORE 1 FLAGS " + String(repeating: "k", count: 51)) }
    }

    @Test("APPEND has flags and a date before its message")
    func append() throws {
        func parsed(_ text: String) throws(SyntaxError) -> (command: AppendCommand, message: AppendMessage)? {
            guard case .appendLiteral(let raw, _, _) = events(text).first(where: { if case .continuation = $0 { false } else { true } })
            else { return nil }
            var parser = CommandParser(raw, limits: .postLogin)
            _ = try parser.tag()
            var name: [UInt8] = []
            return (try parser.append(name: &name), try parser.appendMessage())
        }
        let plain = try #require(try parsed("a APPEND x {3}\r\n"))
        #expect(plain.command == AppendCommand(mailbox: raw("x")) && plain.message == AppendMessage())
        let binary = try #require(try parsed("a APPEND {3}\r\na b ~{3+}\r\n"))
        #expect(binary.command.mailbox == raw("a b") && binary.message.content == .literal(isBinary: true))
        let full = try #require(try parsed("a APPEND x (\\Seen k) \" 1-Jan-1970 01:00:01 +0100\" {3}\r\n"))
        #expect(full.message.flags == FlagList(system: .seen, keywords: [raw("k")]))
        #expect(full.message.internalDate == DateTime(unixSeconds: 1, zoneMinutes: 60))
        #expect(try parsed("a APPEND x UTF8 (~{3}\r\n")?.message.content == .utf8)
        #expect(try parsed("a APPEND x (\\Draft) CATENATE (TEXT {3}\r\n")?.message.content == .catenate)
        let replace = try #require(try parsed("a UID REPLACE 7 {3+}\r\nbox (\\Seen) {3}\r\n"))
        #expect(replace.command == AppendCommand(mailbox: raw("box"), replaced: .init(number: set(7...7), isUID: true)))
        #expect(try parsed("a REPLACE 7 box {3}\r\n")?.command.replaced?.isUID == false)
        for wrong in [
            "a APPEND x y {3}\r\n", "a APPEND x (\\Foo) {3}\r\n", "a APPEND x \"1-Jan-1970\" {3}\r\n", "a APPEND x  {3}\r\n",
            "a REPLACE x y {3}\r\n",
            "a REPLACE 1:2 y {3}\r\n", "a REPLACE 1 {3}\r\nabc{3}\r\n", "a APPEND x UTF8 {3}\r\n", "a APPEND x UTF8 ({3}\r\n",
            "a APPEND x CATENATE {3}\r\n",
        ] {
            #expect(throws: SyntaxError.self) { _ = try parsed(wrong) }
        }
    }

    private static func mutations() -> [String] {
        [
            "a FETCH 1:*,3 (BODY.PEEK[1.2.HEADER.FIELDS (a b)]<1.2> FLAGS)\r\n", "a LOGIN {3}\r\nabc {3+}\r\ndef\r\n",
            "a SEARCH CHARSET UTF-8 OR (SINCE 1-Jan-2020 2:3) NOT HEADER \"a\" b\r\n",
            "a APPEND x (\\Seen) {3+}\r\nabc\r\nb CREATE &AOQ-\r\n",
            "a LIST (SUBSCRIBED) \"\" (\"*%\" a.%) RETURN (STATUS (UNSEEN))\r\n", "a STORE 1:2,$ -FLAGS.SILENT (\\Seen x)\r\n",
            "a SORT RETURN (PARTIAL -1:-9 COUNT UPDATE) (REVERSE DATE DISPLAYFROM) UTF-8 MODSEQ \"/flags/x\" all 7 FILTER f\r\n",
            "a UID THREAD REFERENCES UTF-8 NOT EMAILID M1 SAVEDON 1-Jan-2020\r\na CANCELUPDATE \"a\" \"b\"\r\n",
            "a ESEARCH IN (subtree-one (a \"b\") selected) RETURN (MIN) TEXT {1+}\r\nx\r\n",
            "a APPEND x (\\Seen) CATENATE (URL \"/a;UIDVALIDITY=1/;UID=2/;SECTION=1.MIME/;PARTIAL=1.2\" TEXT ~{3+}\r\nabc URL {2+}\r\n/x)\r\n",
            "a UID REPLACE 4 {1+}\r\nb UTF8 (~{1+}\r\na)\r\na SUBSCRIBE \"/x%20y;UIDVALIDITY=1/;UID=2/;SECTION=1.TEXT\"\r\n",
            "a SELECT x (QRESYNC (1 2 3:4 (1 2)))\r\na UID FETCH 1 (FLAGS PREVIEW (LAZY)) (CHANGEDSINCE 1 VANISHED PARTIAL 1:2)\r\n",
            "a SETMETADATA x (/private/a ~{3+}\r\na\0b /shared/b NIL)\r\na GETMETADATA (DEPTH infinity MAXSIZE 3) \"\" (/private/a /shared)\r\n",
        ]
    }

    @Test("never traps, whatever is changed in it", arguments: mutations())
    func mutated(_ seed: String) {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1_500 {
            var bytes = raw(seed)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(contentsOf: raw("(){}[]\"\\*%<>.,:0+~\r\n").shuffled().prefix(2), at: at)
                case 2: if bytes.count > 2 { bytes.remove(at: at) }
                default: bytes.append(contentsOf: bytes[at...].prefix(20))
                }
            }
            fuzzIMAPCommand(bytes)
        }
    }
}

private func open(_ start: UInt32) -> SequenceSet {
    var set = SequenceSet()
    set.add(.number(start), .largest)
    return set
}
