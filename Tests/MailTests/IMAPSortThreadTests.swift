import Foundation
import IMAPSyntax
import MessageFormat
import Testing

@testable import mail

@Suite("SORT and THREAD", .serialized)
struct IMAPSortThreadTests {
    private func message(
        _ subject: String, from: String = "a@x", date: String = "Mon, 2 Nov 2020 10:00:00 +0000", id: String = "", extra: String = "",
        body: String = "x"
    ) -> String {
        "From: \(from)\nTo: t@y\nSubject: \(subject)\nDate: \(date)\n\(id.isEmpty ? "" : "Message-ID: <\(id)@x>\n")\(extra)\n\(body)\n"
    }

    private func client(_ messages: [String], _ mail: TestMail) throws -> TestClient {
        let client = try mail.connect()
        _ = client.line()
        for text in messages { client.append(text) }
        client.run("SELECT INBOX")
        return client
    }

    @Test("sorts by each key, ties in mailbox order")
    func sort() throws {
        let mail = try TestMail()
        let client = try client(
            [
                message("Re: zebra", from: "\"Zoe\" <carl@x>", date: "Mon, 2 Nov 2020 10:00:00 +0000", body: "xx"),
                message("apple", from: "Adam <dora@x>", date: "Mon, 2 Nov 2020 12:00:00 +0500", extra: "Cc: q@x\n"),
                message("=?utf-8?q?=C3=84pfel?=", from: "=?utf-8?q?=C3=89mile?= <Bert@x>", date: "nonsense", body: "xxxx"),
                message("Fwd: ZEBRA", from: "anna@x", date: "Sun, 1 Nov 2020 10:00:00 +0000", extra: "Cc: P@x\n"),
            ], mail)
        #expect(client.run("SORT (SUBJECT) UTF-8 ALL").first == "* SORT 2 3 1 4")
        #expect(client.run("SORT (REVERSE SUBJECT) UTF-8 ALL").first == "* SORT 1 4 3 2")
        #expect(client.run("SORT (FROM) US-ASCII ALL").first == "* SORT 4 3 1 2")
        #expect(client.run("SORT (DATE) utf-8 ALL").first == "* SORT 4 2 1 3", "3 has INTERNALDATE only")
        #expect(client.run("SORT (CC SUBJECT) UTF-8 ALL").first == "* SORT 3 1 4 2")
        #expect(client.run("SORT (REVERSE SIZE) UTF-8 1:3").last == "OK Sort completed.")
        #expect(client.run("SORT (DISPLAYFROM) UTF-8 ALL").first == "* SORT 2 4 3 1")
        #expect(client.run("SORT (DISPLAYTO REVERSE ARRIVAL) UTF-8 2:4").last == "OK Sort completed.")
        #expect(client.run("UID SORT (SUBJECT) UTF-8 SUBJECT pf").first == "* SORT 3")
        #expect(client.run("SORT (SUBJECT) KOI8-R ALL").last == "NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset")
        #expect(client.run("SORT (SUBJECT) UTF-8 SUBJECT nothing") == ["* SORT", "OK Sort completed."])
        #expect(client.run("SORT (SUBJECT) ALL").last?.hasPrefix("BAD") == true)
    }

    @Test("tells sorted and partial results (ESORT, PARTIAL)")
    func extended() throws {
        let mail = try TestMail()
        let client = try client(["d", "b", "c", "a", "e"].map { message($0) }, mail)
        #expect(
            client.run("SORT RETURN (MIN MAX ALL COUNT) (SUBJECT) UTF-8 ALL").first
                == "* ESEARCH (TAG \"t7\") MIN 4 MAX 5 ALL 4,2:3,1,5 COUNT 5")
        #expect(client.run("UID SORT RETURN () (SUBJECT) UTF-8 3:5").first == "* ESEARCH (TAG \"t8\") UID ALL 4,3,5")
        #expect(client.run("SORT RETURN (PARTIAL 2:3) (SUBJECT) UTF-8 ALL").first == "* ESEARCH (TAG \"t9\") PARTIAL (2:3 2:3)")
        #expect(client.run("SEARCH RETURN (PARTIAL 1:2 COUNT) ALL").first == "* ESEARCH (TAG \"t10\") PARTIAL (1:2 1:2) COUNT 5")
        #expect(client.run("SEARCH RETURN (PARTIAL -1:-2) ALL").first == "* ESEARCH (TAG \"t11\") PARTIAL (-1:-2 4:5)")
        #expect(client.run("SEARCH RETURN (PARTIAL -4:-9) ALL").first == "* ESEARCH (TAG \"t12\") PARTIAL (-4:-9 1:2)")
        #expect(client.run("SEARCH RETURN (PARTIAL 6:9) ALL").first == "* ESEARCH (TAG \"t13\") PARTIAL (6:9 NIL)")
        #expect(client.run("SEARCH RETURN (SAVE PARTIAL -1:-1) ALL").first == "* ESEARCH (TAG \"t14\") PARTIAL (-1:-1 5)")
        #expect(client.run("SEARCH $").first == "* SEARCH 5")
        #expect(client.run("UID FETCH 1,3:5 FLAGS (PARTIAL -2:-3)").dropLast().map { $0.prefix(5) } == ["* 3 F", "* 4 F"])
        #expect(client.run("UID FETCH 1,3:* FLAGS (PARTIAL 1:2)").dropLast().map { $0.prefix(5) } == ["* 1 F", "* 3 F"])
        #expect(client.run("UID FETCH 1:* FLAGS (PARTIAL 9:10)") == ["OK Fetch completed."])
        #expect(client.run("FETCH 1:* FLAGS (PARTIAL 1:2)").last?.hasPrefix("BAD") == true)
        for wrong in ["(PARTIAL 1:2 ALL)", "(PARTIAL 0:1)", "(PARTIAL -1:2)", "(PARTIAL 1)", "(PARTIAL 1:2 PARTIAL 1:2)"] {
            #expect(client.run("SEARCH RETURN \(wrong) ALL").last?.hasPrefix("BAD") == true, "\(wrong)")
        }
    }

    @Test("threads by references, subjects and both")
    func thread() throws {
        let mail = try TestMail()
        func at(_ day: Int) -> String { "\(day) Nov 2020 10:00:00 +0000" }
        let client = try client(
            [
                message("A", date: at(1), id: "1"),
                message("Re: A", date: at(4), id: "2", extra: "In-Reply-To: <1@x>\n"),
                message("B", date: at(2), id: "3"),
                message("Re: A", date: at(3), id: "4", extra: "References: <1@x>\n"),
                message("Re: A", date: at(6), id: "5", extra: "References: <1@x> <2@x>\n"),
                message("Re: B", date: at(9), id: "6"),
                message("lost", date: at(7), id: "7", extra: "References: <gone@x>\n"),
                message("Re: lost", date: at(8), id: "8", extra: "References: <gone@x>\n"),
            ], mail)
        #expect(client.run("THREAD REFERENCES UTF-8 ALL").first == "* THREAD (1 (4)(2 5))(3 6)((7)(8))")
        #expect(client.run("THREAD ORDEREDSUBJECT UTF-8 ALL").first == "* THREAD (1 (4)(2)(5))(3 6)(7 8)")
        #expect(client.run("THREAD REFS UTF-8 ALL").first == "* THREAD (3)(1 (4)(2 5))((7)(8))(6)")
        #expect(client.run("UID THREAD REFERENCES UTF-8 2,5").first == "* THREAD (2 5)")
        #expect(client.run("THREAD REFERENCES UTF-8 SUBJECT none") == ["* THREAD", "OK Thread completed."])
        #expect(client.run("THREAD SUBJECT UTF-8 ALL").last?.hasPrefix("BAD") == true)
    }

    @Test("stands loops, twins and very long chains")
    func hostileThreads() {
        typealias Numbered = (number: Int, keys: MessageKeys)
        func message(_ number: Int, _ id: String, _ ancestors: [String]) -> Numbered {
            var envelope = Envelope()
            envelope.subject = Array("s\(number)".utf8)
            envelope.messageID = Array("<\(id)@x>".utf8)
            envelope.references = Array(ancestors.map { "<\($0)@x>" }.joined(separator: " ").utf8)
            return (number, MessageKeys(envelope))
        }
        func text(_ messages: [Numbered]) -> String {
            var all = ThreadedMessages(expected: messages.count)
            for (number, keys) in messages { all.add(UInt32(number), keys, sentDate: Int64(number), withSubject: true, withIDs: true) }
            var out = ResponseWriter()
            ThreadBuilder(all, .references).write(to: &out)
            return String(decoding: out.bytes, as: UTF8.self)
        }
        #expect(text([message(1, "a", ["b"]), message(2, "b", ["a"])]) == "(2 1)")
        #expect(text([message(1, "a", ["a"])]) == "(1)")
        #expect(text([message(1, "a", []), message(2, "a", []), message(3, "c", ["a"])]) == "(1 3)(2)")
        let count = 200_000
        let chain = (1...count).map { message($0, "m\($0)", $0 == 1 ? [] : ["m\($0 - 1)"]) }
        #expect(text(chain).hasPrefix("(1 2 3 4 "))
        #expect(text(chain.reversed()).hasPrefix("(1 2 3 4 "))
    }

    @Test("gives equal texts one number, however many there are")
    func texts() {
        var table = TextTable(expected: 1)
        for round in 0..<2 {
            for number in 0..<20_000 {
                let text = Array("text \(number) with more than one word".utf8).prefix(number % 30 + 6) + Array(String(number).utf8)
                let found = table.number(of: text)
                #expect(found == number, "\(round)")
            }
        }
        #expect(table.count == 20_000 && table.number(of: []) == 20_000)
    }

    @Test("knows the order of texts, however long they are equal")
    func places() {
        for length in [0, 3, 8, 9, 16, 33, 70] {
            var table = TextTable(expected: 1)
            var texts: Set<[UInt8]> = []
            for _ in 0..<2_000 {
                let start = [UInt8](repeating: 0x61, count: Int.random(in: 0...length))
                texts.insert(start + (0..<Int.random(in: 0...3)).map { _ in [0, 0x61, 0x62, 0xff].randomElement() ?? 0 })
            }
            let all = texts.shuffled()
            for text in all { _ = table.number(of: text[...]) }
            let sorted = all.indices.sorted { all[$0].lexicographicallyPrecedes(all[$1]) }
            let places = table.places()
            #expect(places.count == all.count)
            #expect(sorted.enumerated().allSatisfy { places[$1] == Int64($0) })
        }
        #expect(TextTable(expected: 1).places().isEmpty)
    }

    @Test("takes message ids apart")
    func ids() {
        func all(_ text: String) -> [String] { MessageIDs.all(in: Array(text.utf8), atMost: 3).map { String(decoding: $0, as: UTF8.self) } }
        #expect(all("<a@b> <c@d>") == ["a@b", "c@d"])
        #expect(all("your mail of Monday <\"a b\"@c>, <no-at> <x@y") == ["a b@c"])
        #expect(all("<1@a><2@a> <3@a>\t<4@a>") == ["2@a", "3@a", "4@a"])
        #expect(all("< a @ b > <<c@d>") == ["a@b", "c@d"])
        #expect(all("") == [])
    }

    @Test("compares texts by i;unicode-casemap")
    func casemap() throws {
        let mail = try TestMail()
        let client = try client([message("=?utf-8?q?Stra=C3=9Fe_=C3=89T=C3=89?="), message("x")], mail)
        for text in ["straße", "ÉTÉ", "été", "e\u{301}te\u{301}", "STRAßE É"] {
            #expect(client.run("SEARCH SUBJECT \"\(text)\"").first == "* SEARCH 1", "\(text)")
        }
        #expect(client.run("SEARCH SUBJECT \"ös\"").first == "* SEARCH")
    }
}

@Suite("Searches that go on", .serialized)
struct IMAPContextTests {
    private func subject(_ text: String) -> String { "Subject: \(text)\n\nx\n" }

    @Test("CONTEXT: changes of results are told until they are cancelled")
    func updates() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        for text in ["b", "d", "a"] { client.append(subject(text)) }
        client.run("SELECT INBOX")
        client.send("s UID SEARCH RETURN (UPDATE ALL) UNFLAGGED\r\n")
        #expect(client.lines(until: "s ").first == "* ESEARCH (TAG \"s\") UID ALL 1:3")
        client.send("o SORT RETURN (CONTEXT UPDATE COUNT) (SUBJECT) UTF-8 UNDELETED\r\n")
        #expect(client.lines(until: "o ").first == "* ESEARCH (TAG \"o\") COUNT 3")
        #expect(client.run("STORE 2 +FLAGS.SILENT \\Flagged").first == "* ESEARCH (TAG \"s\") UID REMOVEFROM (0 2)")
        #expect(client.run("STORE 2 -FLAGS.SILENT \\Flagged").first == "* ESEARCH (TAG \"s\") UID ADDTO (0 2)")
        let appended = client.append(subject("c"))
        #expect(appended.contains("* ESEARCH (TAG \"s\") UID ADDTO (0 4)"))
        #expect(appended.contains("* ESEARCH (TAG \"o\") ADDTO (3 4)"), "a b c d")
        #expect(client.run("STORE 1,4 +FLAGS.SILENT \\Deleted").first == "* ESEARCH (TAG \"o\") REMOVEFROM (3 4 2 1)")
        #expect(client.run("STORE 1 -FLAGS.SILENT \\Deleted").first == "* ESEARCH (TAG \"o\") ADDTO (2 1)")
        let expunged = client.run("EXPUNGE")
        #expect(expunged.prefix(2) == ["* ESEARCH (TAG \"s\") UID REMOVEFROM (0 4)", "* 4 EXPUNGE"])
        #expect(client.run("CANCELUPDATE \"x\"").last?.hasPrefix("BAD") == true)
        #expect(client.run("CANCELUPDATE \"s\" \"o\"").last == "OK Cancelupdate completed.")
        #expect(client.run("STORE 2 +FLAGS.SILENT \\Flagged") == ["OK Store completed."])
    }

    @Test("CONTEXT: too many are refused, and the search is answered")
    func limit() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.append(subject("a"))
        client.run("SELECT INBOX")
        for _ in 0..<8 { #expect(client.run("SEARCH RETURN (UPDATE) ALL").count == 2) }
        let refused = client.run("SEARCH RETURN (UPDATE) ALL")
        #expect(refused.contains { $0.hasPrefix("* OK [NOUPDATE \"t11\"]") } && refused.last == "OK Search completed.")
        client.run("SELECT INBOX")
        #expect(client.run("SEARCH RETURN (UPDATE) ALL").count == 2, "they end with the mailbox")
        // A number that goes out of range ends it.
        #expect(client.run("SEARCH RETURN (UPDATE) 1").count == 2)
    }

    @Test("MULTISEARCH: ESEARCH looks into many mailboxes")
    func multiSearch() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        for name in ["A", "A.B", "A.B.C", "D"] { client.run("CREATE \(name)") }
        for name in ["INBOX", "A", "A.B", "A.B.C", "D"] { client.append(subject("in \(name)"), to: name) }
        client.append(subject("other"), to: "D")
        func names(_ filter: String, _ rest: String = "SUBJECT in") -> [String] {
            client.run("ESEARCH IN (\(filter)) \(rest)").compactMap { between("MAILBOX ", " UIDVALIDITY", in: [$0]) }
        }
        #expect(names("mailboxes D") == ["D"])
        #expect(names("mailboxes (D INBOX nowhere)") == ["INBOX", "D"])
        #expect(names("subtree A") == ["A", "A.B", "A.B.C"])
        #expect(names("subtree-one A") == ["A", "A.B"])
        #expect(names("personal") == ["INBOX", "A", "A.B", "A.B.C", "D"])
        #expect(names("inboxes") == names("personal"), "who delivers where is not known")
        client.run("SUBSCRIBE D")
        #expect(names("subscribed mailboxes INBOX") == ["INBOX", "D"])
        #expect(names("personal", "SUBJECT other") == ["D"])
        let counted = client.run("ESEARCH IN (mailboxes D) RETURN (COUNT ALL) ALL")
        #expect(counted.first?.hasSuffix(") UID ALL 1:2 COUNT 2") == true)
        #expect(names("selected") == [])
        client.run("SELECT A")
        #expect(names("selected") == ["A"])
        #expect(client.run("ESEARCH SUBJECT in").first?.contains("UID ALL 1") == true, "the selected one")
        #expect(client.run("ESEARCH IN (mailboxes D) RETURN (SAVE) ALL").last?.hasPrefix("BAD") == true)
        #expect(client.run("ESEARCH IN () ALL").last?.hasPrefix("BAD") == true)
    }
}
