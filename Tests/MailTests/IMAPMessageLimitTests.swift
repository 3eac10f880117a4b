import Testing

@testable import mail

@Suite("MESSAGELIMIT (RFC 9738)")
struct IMAPMessageLimitTests {
    /// Five messages, of which one command may work on three.
    private func limited(to limit: Int = 3) throws -> TestClient {
        let client = try TestMail().connect {
            $0.messageLimit = limit
            $0.offersMetadata = true
        }
        _ = client.line()
        for number in 1...5 { client.append("Subject: m\(number)\n\nx\n") }
        client.run("CREATE Other")
        client.run("SELECT INBOX")
        return client
    }

    @Test("is offered where it is set")
    func offered() throws {
        #expect(try limited().run("CAPABILITY").first?.contains(" MESSAGELIMIT=3") == true)
        let client = try TestMail().connect()
        _ = client.line()
        #expect(client.run("CAPABILITY").first?.contains("MESSAGELIMIT") == false)
    }

    @Test("FETCH tells the highest ones, from the last to the first, and where it ended")
    func fetch() throws {
        let client = try limited()
        #expect(client.run("FETCH 3:5 (UID)") == ["* 3 FETCH (UID 3)", "* 4 FETCH (UID 4)", "* 5 FETCH (UID 5)", "OK Fetch completed."])
        let cut = ["* 5 FETCH (UID 5)", "* 4 FETCH (UID 4)", "* 3 FETCH (UID 3)", "OK [MESSAGELIMIT 3 3] Fetch completed."]
        #expect(client.run("FETCH 2:5 (UID)") == cut)
        #expect(client.run("UID FETCH 1:* (UID)") == cut)
        #expect(client.run("FETCH 1,3,4,5 (UID)") == cut)
        #expect(client.run("UID FETCH 1:* (UID) (PARTIAL 1:3)").count == 4)
        #expect(client.run("UID FETCH 1:* (UID) (PARTIAL 1:4)") == ["NO [MESSAGELIMIT 3] Too many messages for one command."])
    }

    @Test("STORE, MOVE and UID EXPUNGE work on the highest ones; EXPUNGE and CLOSE know no limit")
    func change() throws {
        let client = try limited()
        let stored = client.run("STORE 1:* +FLAGS (\\Deleted)")
        #expect(stored.count == 4 && stored.last == "OK [MESSAGELIMIT 3 3] Store completed.")
        #expect(client.run("SEARCH UIDBEFORE 4 DELETED").first == "* SEARCH 3")
        client.run("STORE 1:2 +FLAGS (\\Deleted)")
        #expect(client.run("UID EXPUNGE 1:*") == ["* 5 EXPUNGE", "* 4 EXPUNGE", "* 3 EXPUNGE", "OK [MESSAGELIMIT 3 3] Expunge completed."])
        for number in 6...9 { client.append("Subject: m\(number)\n\nx\n") }
        let moved = client.run("MOVE 1:* Other")
        #expect(moved.first?.hasPrefix("* OK [COPYUID ") == true && moved.last == "OK [MESSAGELIMIT 3 7] Move completed.")
        client.run("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        #expect(client.run("EXPUNGE").last == "OK Expunge completed.")
    }

    @Test("says it in a line of its own where the answer has another code")
    func otherCode() throws {
        let client = try limited()
        client.run("ENABLE QRESYNC")
        client.run("STORE 3:5 +FLAGS.SILENT (\\Deleted)")
        client.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
        let expunged = client.run("UID EXPUNGE 1:*")
        #expect(expunged.contains { $0.hasPrefix("* NO [MESSAGELIMIT 3 3]") } && expunged.last?.hasPrefix("OK [HIGHESTMODSEQ ") == true)
    }

    @Test("COPY, MULTIAPPEND, SORT and THREAD do all or nothing")
    func whole() throws {
        let client = try limited()
        #expect(client.run("COPY 2:5 Other") == ["NO [MESSAGELIMIT 3 3] Too many messages for one command."])
        #expect(client.run("STATUS Other (MESSAGES)").first == "* STATUS Other (MESSAGES 0)")
        #expect(client.run("COPY 3:5 Other").last?.hasPrefix("OK [COPYUID ") == true)
        #expect(client.run("SORT (SIZE) UTF-8 ALL").last?.hasPrefix("NO [MESSAGELIMIT 3]") == true)
        #expect(client.run("SORT (SIZE) UTF-8 UIDAFTER 2").last == "OK Sort completed.")
        #expect(client.run("THREAD REFS UTF-8 ALL").last?.hasPrefix("NO [MESSAGELIMIT 3]") == true)
        #expect(client.run("THREAD REFS UTF-8 3:5").last == "OK Thread completed.")
        let message = "{15+}\r\nSubject: x\r\n\r\nx"
        #expect(client.run("APPEND Other \(message) \(message) \(message)").last?.hasPrefix("OK [APPENDUID ") == true)
        #expect(client.run("APPEND Other \(message) \(message) \(message) \(message)").last?.hasPrefix("NO [MESSAGELIMIT 3]") == true)
        #expect(client.run("STATUS Other (MESSAGES)").first == "* STATUS Other (MESSAGES 6)")
    }

    @Test("SEARCH counts what it looks at, not what it finds")
    func search() throws {
        let client = try limited()
        #expect(client.run("SEARCH 1:3 SUBJECT m") == ["* SEARCH 1 2 3", "OK Search completed."])
        #expect(client.run("SEARCH SUBJECT m1") == ["* SEARCH", "OK [MESSAGELIMIT 3 3] Search completed."])
        #expect(client.run("SEARCH SUBJECT m") == ["* SEARCH 3 4 5", "OK [MESSAGELIMIT 3 3] Search completed."])
        #expect(client.run("UID SEARCH UIDBEFORE 3 SUBJECT m") == ["* SEARCH 1 2", "OK Search completed."])
        #expect(client.run("SEARCH RETURN (SAVE COUNT) ALL").last == "OK [MESSAGELIMIT 3 3] Search completed.")
        #expect(client.run("SEARCH $").first == "* SEARCH 3 4 5")
        #expect(client.run("ESEARCH IN (mailboxes INBOX) ALL").last?.hasPrefix("NO [MESSAGELIMIT 3]") == true)
        #expect(client.run("ESEARCH IN (mailboxes INBOX) UIDAFTER 2").last == "OK Esearch completed.")
    }
}

@Suite("Comparators (I18NLEVEL=2, RFC 5255)")
struct IMAPComparatorTests {
    private func client() throws -> TestClient {
        let client = try TestMail().connect()
        _ = client.line()
        for subject in ["=?utf-8?Q?=C3=84pfel?=", "apfel", "Birne", "=?utf-8?Q?=C3=A4pfel?="] {
            client.append("Subject: \(subject)\n\nText\n")
        }
        client.run("SELECT INBOX")
        return client
    }

    @Test("COMPARATOR tells and changes the one that is used")
    func command() throws {
        let client = try client()
        #expect(client.run("COMPARATOR") == ["* COMPARATOR i;unicode-casemap", "OK Comparator completed."])
        #expect(client.run("COMPARATOR i;octet").first == "* COMPARATOR i;octet")
        #expect(client.run("COMPARATOR \"cz;*\" i;ascii-casemap").first == "* COMPARATOR i;ascii-casemap")
        #expect(client.run("COMPARATOR i;*casemap").first == "* COMPARATOR i;unicode-casemap (i;unicode-casemap i;ascii-casemap)")
        #expect(client.run("COMPARATOR cz;basic").last?.hasPrefix("NO [BADCOMPARATOR]") == true)
        #expect(client.run("COMPARATOR I;OCTET").first == "* COMPARATOR i;octet")
        #expect(client.run("COMPARATOR \"default\"").first == "* COMPARATOR i;unicode-casemap")
        #expect(client.run("COMPARATOR " + Array(repeating: "x", count: 32).joined(separator: " ")).last?.hasPrefix("NO") == true)
        #expect(client.run("COMPARATOR " + Array(repeating: "x", count: 33).joined(separator: " ")).last?.hasPrefix("BAD") == true)
        #expect(client.run("COMPARATOR " + String(repeating: "x", count: 254)).last?.hasPrefix("NO") == true)
        #expect(client.run("COMPARATOR " + String(repeating: "x", count: 255)).last?.hasPrefix("BAD") == true)
        #expect(client.run("CAPABILITY").first?.contains(" I18NLEVEL=2 ") == true)
    }

    @Test(
        "decides what SEARCH finds and how SORT and THREAD order",
        arguments: [
            ("i;unicode-casemap", "1 4", "2", "2 1 4 3"),
            ("i;ascii-casemap", "4", "2", "2 3 1 4"),
            ("i;octet", "4", "2", "3 2 1 4"),
        ])
    func semantics(_ row: (name: String, umlaut: String, plain: String, sorted: String)) throws {
        let client = try client()
        client.run("COMPARATOR \(row.name)")
        func found(_ command: String) -> String { client.run(command).first.map { String($0.dropFirst("* SEARCH".count)) } ?? "" }
        func list(_ text: String) -> String { text.isEmpty ? "" : " " + text }
        #expect(found("SEARCH CHARSET UTF-8 SUBJECT {6+}\r\näpfel") == list(row.umlaut))
        #expect(found("SEARCH SUBJECT apfel") == list(row.plain))
        #expect(client.run("SEARCH BODY text").first == (row.name == "i;octet" ? "* SEARCH" : "* SEARCH 1 2 3 4"))
        #expect(client.run("SEARCH BODY Text").first == "* SEARCH 1 2 3 4")
        #expect(client.run("SORT (SUBJECT) UTF-8 ALL").first == "* SORT \(row.sorted)")
        #expect(client.run("THREAD ORDEREDSUBJECT UTF-8 ALL").first?.contains("(1 4)") == (row.name == "i;unicode-casemap"))
    }
}
