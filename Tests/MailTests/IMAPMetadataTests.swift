import Testing

@testable import mail

@Suite("METADATA and special uses", .serialized)
struct IMAPMetadataTests {
    private func start(_ mail: TestMail, offers: Bool = true) throws -> TestClient {
        let client = try mail.connect {
            $0.offersMetadata = offers
            $0.serverComment = "a server"
        }
        _ = client.line()
        return client
    }

    @Test("entries are set, told, renamed and removed with their mailbox")
    func entries() throws {
        let mail = try TestMail()
        let client = try start(mail)
        #expect(client.run("CAPABILITY").first?.contains(" METADATA LIST-METADATA FILTERS") == true)
        client.run("CREATE A.B")
        #expect(
            client.run("SETMETADATA A.B (/private/Comment \"mine\" /shared/comment {6+}\r\no\r\nurs)").last == "OK Setmetadata completed.")
        #expect(client.run("GETMETADATA A.B /private/comment").first == "* METADATA A.B (/private/comment \"mine\")")
        #expect(
            client.run("GETMETADATA (DEPTH 1) A.B (/private /shared)").first
                == "* METADATA A.B (/private/comment \"mine\" /shared/comment {6}")
        #expect(client.run("SETMETADATA A.B (/private \"x\")").last?.hasPrefix("BAD") == true, "an entry has a scope and a name")
        client.run("SETMETADATA A.B (/private/vendor/x/one \"1\" /private/vendor/x/two/deep \"2\" /private/vendor/x \"0\")")
        #expect(
            client.run("GETMETADATA (DEPTH 1) A.B /private/vendor/x").first
                == "* METADATA A.B (/private/vendor/x \"0\" /private/vendor/x/one \"1\")")
        #expect(
            client.run("GETMETADATA A.B (DEPTH infinity) /private/vendor").first
                == "* METADATA A.B (/private/vendor/x/one \"1\" /private/vendor/x/two/deep \"2\" /private/vendor/x \"0\")")
        #expect(client.run("GETMETADATA A.B /private/none").first == "* METADATA A.B (/private/none NIL)")
        #expect(
            client.run("GETMETADATA (MAXSIZE 3) A.B (/private/comment /private/vendor/x)")
                == ["* METADATA A.B (/private/vendor/x \"0\")", "OK [METADATA LONGENTRIES 4] Getmetadata completed."])
        client.run("RENAME A C")
        #expect(client.run("GETMETADATA C.B /private/comment").first == "* METADATA C.B (/private/comment \"mine\")")
        #expect(client.run("GETMETADATA A.B /private/comment").last == "NO Mailbox doesn't exist: A.B")
        #expect(client.run("SETMETADATA C.B (/private/comment NIL)").last == "OK Setmetadata completed.")
        #expect(client.run("GETMETADATA C.B /private/comment").first == "* METADATA C.B (/private/comment NIL)")
        client.run("DELETE C.B")
        client.run("CREATE C.B")
        #expect(client.run("GETMETADATA C.B /shared/comment").first == "* METADATA C.B (/shared/comment NIL)")
        #expect(client.run("SETMETADATA nowhere (/private/a \"b\")").last?.hasPrefix("NO [TRYCREATE]") == true)
    }

    @Test("the server has entries of its own, some from the settings")
    func server() throws {
        let mail = try TestMail()
        let client = try start(mail)
        #expect(client.run("GETMETADATA \"\" /shared/comment").first == "* METADATA \"\" (/shared/comment \"a server\")")
        #expect(client.run("SETMETADATA \"\" (/shared/comment \"x\")").last?.hasPrefix("NO [NOPERM]") == true)
        client.run("SETMETADATA \"\" (/private/vendor/x \"y\")")
        #expect(try start(mail).run("GETMETADATA \"\" /private/vendor/x").first == "* METADATA \"\" (/private/vendor/x \"y\")")
    }

    @Test("limits: on both sides of their edge")
    func limits() throws {
        let mail = try TestMail()
        let client = try start(mail)
        let value = String(repeating: "v", count: 65_536)
        #expect(client.run("SETMETADATA INBOX (/private/a {65536+}\r\n\(value))").last == "OK Setmetadata completed.")
        #expect(client.run("SETMETADATA INBOX (/private/a {65537+}\r\n\(value)x)").last == "NO [METADATA MAXSIZE 65536] Value too long.")
        for index in 1...99 { client.run("SETMETADATA INBOX (/private/n\(index) \"x\")") }
        #expect(client.run("SETMETADATA INBOX (/private/n99 \"y\")").last == "OK Setmetadata completed.", "there already")
        #expect(client.run("SETMETADATA INBOX (/private/n100 \"x\")").last == "NO [METADATA TOOMANY] Too many entries.")
        #expect(client.run("SETMETADATA INBOX (/private/zero ~{3+}\r\na\0b)").last?.hasPrefix("NO [METADATA TOOMANY]") == true)
        client.run("SETMETADATA INBOX (/private/n1 ~{3+}\r\na\0b)")
        #expect(client.run("GETMETADATA INBOX /private/n1").prefix(2) == ["* METADATA INBOX (/private/n1 ~{3}", "a\0b)"])
    }

    @Test("LIST tells metadata (LIST-METADATA)")
    func list() throws {
        let mail = try TestMail()
        let client = try start(mail)
        client.run("CREATE A")
        client.run("SETMETADATA A (/shared/vendor/color \"red\")")
        let listed = client.run("LIST \"\" * RETURN (METADATA (/shared/vendor/color))")
        #expect(listed.contains("* METADATA A (/shared/vendor/color \"red\")"))
        #expect(listed.contains("* METADATA INBOX (/shared/vendor/color NIL)"))
    }

    @Test("is refused where it is switched off")
    func off() throws {
        let client = try start(try TestMail(), offers: false)
        #expect(client.run("CAPABILITY").first?.contains("METADATA") == false)
        for command in [
            "GETMETADATA INBOX /private/a", "SETMETADATA INBOX (/private/a \"b\")", "LIST \"\" * RETURN (METADATA (/private/a))",
        ] {
            #expect(client.run(command).last?.hasPrefix("BAD") == true, "\(command)")
        }
    }

    @Test("CREATE gives special uses")
    func specialUse() throws {
        let mail = try TestMail()
        let client = try start(mail, offers: false)
        #expect(client.run("CREATE Bin (USE (\\junk \\Archive))").last?.hasPrefix("OK") == true)
        #expect(client.run("LIST (SPECIAL-USE) \"\" *") == ["* LIST (\\HasNoChildren \\Junk \\Archive) \".\" Bin", "OK List completed."])
        #expect(client.run("CREATE Star (USE (\\Flagged))").last == "NO [USEATTR] This special use is not supported.")
        #expect(client.run("STATUS Star (MESSAGES)").last?.hasPrefix("NO") == true, "not made")
        client.run("RENAME Bin Spam")
        #expect(client.run("LIST (SPECIAL-USE) \"\" *").first == "* LIST (\\HasNoChildren \\Junk \\Archive) \".\" Spam")
        client.run("DELETE Spam")
        client.run("CREATE Spam")
        #expect(client.run("LIST (SPECIAL-USE) \"\" *") == ["OK List completed."])
        let other = try start(mail)
        #expect(other.run("SETMETADATA Spam (/private/specialuse \"\\\\Sent\")").last == "OK Setmetadata completed.")
        #expect(other.run("LIST (SPECIAL-USE) \"\" *").first == "* LIST (\\HasNoChildren \\Sent) \".\" Spam")
        #expect(other.run("SETMETADATA Spam (/private/specialuse \"nonsense\")").last?.hasPrefix("NO [USEATTR]") == true)
    }

    @Test("FILTERS: searches that are stored")
    func filters() throws {
        let mail = try TestMail()
        let client = try start(mail)
        client.append(sample)
        client.append("Subject: other\n\nx\n", to: "INBOX", "(\\Flagged)")
        client.run("SETMETADATA \"\" (/private/filters/values/greetings \"SUBJECT Hello\" /shared/filters/values/star \"FLAGGED\")")
        client.run(
            "SETMETADATA \"\" (/private/filters/values/both \"OR FILTER greetings FILTER star\" /private/filters/values/loop \"FILTER loop\")"
        )
        client.run("SETMETADATA \"\" (/private/filters/values/wrong \"NONSENSE\")")
        client.run("SELECT INBOX")
        #expect(client.run("SEARCH FILTER Greetings").first == "* SEARCH 1")
        #expect(client.run("SEARCH NOT FILTER star").first == "* SEARCH 1")
        #expect(client.run("SEARCH FILTER both").first == "* SEARCH 1 2")
        #expect(client.run("SEARCH FILTER none").last == "NO [UNDEFINED-FILTER none] No search is stored under this name.")
        #expect(client.run("SEARCH FILTER loop").last?.hasPrefix("NO [UNDEFINED-FILTER loop]") == true)
        #expect(client.run("SEARCH FILTER wrong").last?.hasPrefix("NO [UNDEFINED-FILTER") == true)
    }
}
