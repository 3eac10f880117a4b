import Foundation
import IMAPSyntax
import Testing

@testable import mail

/// What stands between `start` and `end` in the line that holds `start`.
func between(_ start: String, _ end: String, in lines: [String]) -> String? {
    for line in lines {
        guard let from = line.range(of: start), let to = line.range(of: end, range: from.upperBound..<line.endIndex) else { continue }
        return String(line[from.upperBound..<to.lowerBound])
    }
    return nil
}

@Suite("IMAP4rev2 and the extensions that belong to it", .serialized)
struct IMAPRevision2Tests {
    @Test("begins with ENABLE")
    func enable() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.append(sample)
        let before = client.run("SELECT INBOX")
        #expect(before.contains("* 1 RECENT"))
        #expect(before.contains { $0.hasPrefix("* OK [UNSEEN 1]") })
        #expect(client.run("SEARCH ALL") == ["* SEARCH 1", "OK Search completed."])
        client.run("UNSELECT")
        client.append(sample)
        #expect(client.run("ENABLE X imap4rev2 Y") == ["* ENABLED IMAP4rev2", "OK Enabled."])
        let after = client.run("SELECT inbox")
        #expect(!after.contains { $0.hasSuffix("RECENT") || $0.contains("UNSEEN") })
        #expect(after.contains("* LIST () \".\" INBOX"))
        #expect(client.run("FETCH 2 FLAGS").first == "* 2 FETCH (FLAGS ())", "no \\Recent")
        #expect(client.run("SEARCH ALL") == ["* ESEARCH (TAG \"t9\") ALL 1:2", "OK Search completed."])
        #expect(client.run("UID SEARCH UID 9") == ["* ESEARCH (TAG \"t10\") UID", "OK Search completed."])
    }

    @Test("names mailboxes in UTF-8")
    func names() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.run("CREATE &AOQ-")
        client.run("ENABLE IMAP4rev2")
        #expect(client.run("LIST \"\" \"ä*\"") == ["* LIST (\\HasNoChildren) \".\" \"ä\"", "OK List completed."])
        #expect(client.run("CREATE \"R&D.ö\"").last?.hasPrefix("OK") == true)
        #expect(
            client.run("LIST \"\" \"R&D*\"") == [
                "* LIST (\\NonExistent \\HasChildren) \".\" R&D", "* LIST (\\HasNoChildren) \".\" \"R&D.ö\"", "OK List completed.",
            ])
        #expect(client.run("STATUS \"R&D.ö\" (MESSAGES)").first == "* STATUS \"R&D.ö\" (MESSAGES 0)")
        #expect(client.run("SELECT {2+}\r\n\u{e4}").last == "OK [READ-WRITE] Select completed.")
        #expect(client.run("CREATE {1+}\r\n" + "x").last?.hasPrefix("OK") == true)
        client.send(Array("z CREATE \"".utf8) + [0xff, 0xfe] + Array("\"\r\n".utf8))
        #expect(client.lines(until: "z ").last?.hasPrefix("z NO [CANNOT] Invalid mailbox name") == true)
        let other = try mail.connect()
        _ = other.line()
        #expect(other.run("LIST \"\" R*").contains("* LIST (\\HasNoChildren) \".\" R&-D.&APY-"))
    }

    @Test("knows mailboxes and messages by id")
    func objectIDs() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        let created = try #require(between("[MAILBOXID (", ")]", in: client.run("CREATE a")))
        #expect(created.wholeMatch(of: /F[0-9a-f]{32}/) != nil)
        #expect(client.run("STATUS a (MAILBOXID APPENDLIMIT)").first == "* STATUS a (MAILBOXID (\(created)) APPENDLIMIT NIL)")
        client.run("RENAME a b")
        #expect(between("[MAILBOXID (", ")]", in: client.run("SELECT b")) == created)
        #expect(between("(MAILBOXID (", ")", in: client.run("STATUS INBOX (MAILBOXID)")) != created)
        client.append(sample, to: "b")
        client.append(sample, to: "b")
        let fetched = client.run("FETCH 1:* (EMAILID THREADID)")
        let ids = fetched.compactMap { between("EMAILID (", ") THREADID (", in: [$0]) }
        #expect(ids.count == 2 && ids[0] != ids[1])
        #expect(ids.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{1,255}/) != nil })
        #expect(client.run("SEARCH EMAILID \(ids[1])").first == "* SEARCH 2")
        #expect(client.run("SEARCH THREADID \(ids[1])").first == "* SEARCH", "another kind of id")
        client.run("COPY 2 INBOX")
        client.run("SELECT INBOX")
        #expect(between("EMAILID (", ")", in: client.run("FETCH 1 EMAILID")) == ids[1], "a copy is the same email")
    }

    @Test("gives a conversation one id, made of the message it began with")
    func threadIDs() throws {
        let client = try TestMail().connect()
        _ = client.line()
        for header in [
            "Message-ID: <a@x>", "Message-ID: <b@x>\nIn-Reply-To: <a@x>", "Message-ID: <c@x>\nReferences: <a@x> <b@x>\nIn-Reply-To: <b@x>",
            "Message-ID: <d@x>", "Subject: none", "Subject: none", "References: (broken\nIn-Reply-To: <d@x>",
        ] { client.append("\(header)\n\ntext\n") }
        client.run("SELECT INBOX")
        let ids = client.run("FETCH 1:* THREADID").compactMap { between("THREADID (", ")", in: [$0]) }
        #expect(ids.count == 7 && ids.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{1,255}/) != nil })
        #expect(ids[0] == "Ta_40x" && ids[1] == ids[0] && ids[2] == ids[0])
        #expect(Set(ids).count == 4 && ids[6] == ids[3])
        #expect(client.run("SEARCH THREADID \(ids[0])").first == "* SEARCH 1 2 3")
        #expect(client.run("SEARCH THREADID \(ids[4])").first == "* SEARCH 5")
        client.run("CREATE other")
        client.run("COPY 2 other")
        client.run("SELECT other")
        #expect(between("THREADID (", ")", in: client.run("FETCH 1 THREADID")) == ids[0], "wherever it is")
    }

    @Test("makes ids of any file name, and different ones of different names")
    func encodedIDs() {
        #expect(ObjectID.email(Array("1.M2_P3.host,x".utf8)) == Array("M1_2eM2_5fP3_2ehost_2cx".utf8))
        let long = [UInt8](repeating: 0x2e, count: 200)
        #expect(ObjectID.email(long).count <= 255)
        #expect(ObjectID.email(long) != ObjectID.email(Array(long.dropLast())))
        #expect(ObjectID.email([UInt8](repeating: 0x61, count: 254)).count <= 255)
    }

    @Test("tells when a message was saved")
    func saveDate() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.append(sample, "\"01-Feb-2020 10:00:00 +0000\"")
        client.run("SELECT INBOX")
        let date = try #require(between("SAVEDATE \"", "\"", in: client.run("FETCH 1 SAVEDATE")))
        #expect(!date.contains("2020"))
        let day = String(date.prefix(11)).trimmingCharacters(in: .whitespaces)
        #expect(client.run("SEARCH SAVEDON \(day)").first == "* SEARCH 1")
        #expect(client.run("SEARCH SAVEDBEFORE \(day)").first == "* SEARCH")
        #expect(client.run("SEARCH SAVEDSINCE \(day) SAVEDATESUPPORTED").first == "* SEARCH 1")
    }

    private static let parts = """
        From: a@example.org
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=x

        --x
        Content-Type: text/plain
        Content-Transfer-Encoding: quoted-printable

        caf=C3=A9=
         au lait
        --x
        Content-Type: application/octet-stream
        Content-Transfer-Encoding: base64

        AAECAwQF
        --x
        Content-Type: text/plain
        Content-Transfer-Encoding: x-uuencode

        begin
        --x--

        """

    @Test("decodes parts")
    func binary() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.append(Self.parts)
        client.append(sample)
        client.run("SELECT INBOX")
        #expect(client.run("FETCH 1 BINARY.SIZE[1]").first == "* 1 FETCH (BINARY.SIZE[1] 13)")
        #expect(client.run("FETCH 1 BINARY.PEEK[1]").prefix(2) == ["* 1 FETCH (BINARY[1] {13}", "café au lait)"])
        #expect(client.run("FETCH 1 BINARY.PEEK[1]<3.4>").prefix(2) == ["* 1 FETCH (BINARY[1]<3> {4}", "é a)"])
        #expect(client.run("FETCH 1 FLAGS").first == "* 1 FETCH (FLAGS (\\Recent))", "PEEK")
        #expect(
            client.run("FETCH 1 BINARY[2]").prefix(2)
                == ["* 1 FETCH (BINARY[2] ~{6}", "\0\u{1}\u{2}\u{3}\u{4}\u{5} FLAGS (\\Seen \\Recent))"])
        #expect(client.run("FETCH 1 BINARY.PEEK[2]<1.2>").prefix(2) == ["* 1 FETCH (BINARY[2]<1> {2}", "\u{1}\u{2})"])
        #expect(client.run("FETCH 1 (BINARY.PEEK[9] BINARY.SIZE[9])").first == "* 1 FETCH (BINARY[9] NIL BINARY.SIZE[9] 0)")
        #expect(
            client.run("FETCH 1:2 BINARY.SIZE[3]").last == "NO [UNKNOWN-CTE] The encoding of this part is not known.")
        #expect(client.run("FETCH 1:2 (UID BINARY.PEEK[3])").contains("* 2 FETCH (UID 2 BINARY[3] NIL)"), "others are told")
        let whole = client.run("FETCH 2 (RFC822.SIZE BINARY.SIZE[])")
        #expect(between("RFC822.SIZE ", " ", in: whole) == between("BINARY.SIZE[] ", ")", in: whole))
    }

    @Test("decodes what is larger than its buffers without holding it")
    func largeBinary() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        let content = Data((0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let text = content.base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
        client.append("Content-Type: application/x\nContent-Transfer-Encoding: base64\n\n\(text)\n")
        client.run("SELECT INBOX")
        #expect(client.run("FETCH 1 BINARY.SIZE[1]").first == "* 1 FETCH (BINARY.SIZE[1] 600000)")
        #expect(
            client.run("FETCH 1 BINARY.PEEK[1]<500000.5>").first == "* 1 FETCH (BINARY[1]<500000> ~{5}"
                || client.run("FETCH 1 BINARY.PEEK[1]<500000.5>").first == "* 1 FETCH (BINARY[1]<500000> {5}")
        #expect(client.run("FETCH 1 BINARY.PEEK[1]").first == "* 1 FETCH (BINARY[1] ~{600000}")
        #expect(client.run("NOOP") == ["OK NOOP completed."])
    }

    @Test("refuses long literals that nobody waited for where LITERAL- is offered")
    func literalMinus() throws {
        let mail = try TestMail()
        let client = try mail.connect { $0.limits.nonSynchronising = 4_096 }
        let greeting = client.line() ?? ""
        #expect(greeting.contains(" LITERAL- ") && !greeting.contains("LITERAL+"))
        #expect(client.run("APPEND INBOX {4096+}\r\n" + String(repeating: "a", count: 4_096)).last?.hasPrefix("OK") == true)
        client.send("z APPEND INBOX {4097+}\r\n")
        #expect(client.line() == "* BYE Literal too large.")
        #expect(client.line() == nil)
    }
}
