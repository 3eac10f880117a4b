import Testing
import Variables

@testable import mail

let sample = """
    From: Ada <ada@example.org>
    To: bob@example.org
    Subject: Hello
    Date: Mon, 21 Nov 2026 06:00:00 +0000
    Message-ID: <1@example.org>

    first line
    second line

    """

/// As `imap_logout_format` is when nobody sets it.
let logoutFormat = try? Template(IMAPStatistics.format, dialect: .letters, scope: .imapLogout)

@Suite("An IMAP session", .serialized)
struct IMAPSessionTests {
    @Test("greets with the tag of the login")
    func greeting() throws {
        let mail = try TestMail()
        let client = try mail.connect(pending: "x NOOP\r\n")
        #expect(client.line() == "L OK [CAPABILITY \(IMAPSession.capabilities)] Logged in")
        #expect(client.line() == "x OK NOOP completed.")
        let other = try mail.connect(withCapability: false)
        #expect(other.line() == "* CAPABILITY \(IMAPSession.capabilities)")
        #expect(other.line() == "L OK Logged in")
        #expect(other.run("LOGOUT") == ["* BYE Logging out", "OK Logout completed."])
        let result = try #require(other.result())
        #expect(result.end == .loggedOut)
        #expect(result.logText(format: logoutFormat).hasPrefix("Disconnected: Logged out in=11 out="))
        #expect(result.logText(format: logoutFormat).contains("deleted=0 expunged=0 trashed=0 hdr_count=0"))
    }

    @Test("answers what needs no mailbox")
    func general() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        #expect(client.run("CAPABILITY").first == "* CAPABILITY \(IMAPSession.capabilities)")
        #expect(client.run("ID (\"name\" \"x\")") == ["* ID (\"name\" \"Culver\")", "OK ID completed."])
        #expect(client.run("ENABLE X") == ["* ENABLED", "OK Enabled."])
        #expect(client.run("NAMESPACE") == ["* NAMESPACE ((\"\" \".\")) NIL NIL", "OK Namespace completed."])
        #expect(client.run("FETCH 1 FLAGS") == ["BAD Error in IMAP command FETCH: No mailbox selected."])
        #expect(client.run("LOGIN a b") == ["BAD Error in IMAP command LOGIN: Unknown command."])
        #expect(client.run("SELECT nowhere") == ["NO Mailbox doesn't exist: nowhere"])
        #expect(client.run("SELECT &bad") == ["NO Mailbox name is not valid mUTF-7"])
        #expect(client.run("") == ["BAD Error in IMAP command: Expected command."])
    }

    @Test("creates, lists, renames and deletes mailboxes")
    func mailboxes() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        #expect(client.run("LIST \"\" \"\"") == ["* LIST (\\Noselect) \".\" \"\"", "OK List completed."])
        #expect(client.run("CREATE Sent").last?.hasSuffix("Create completed.") == true)
        #expect(client.run("CREATE Work.2024.").last?.hasSuffix("Create completed.") == true)
        #expect(client.run("CREATE inbox").last == "NO [ALREADYEXISTS] Mailbox already exists")
        #expect(client.run("CREATE &AOQ-").last?.hasSuffix("Create completed.") == true)
        #expect(
            Set(client.run("LIST \"\" *")) == [
                "* LIST (\\HasNoChildren) \".\" INBOX", "* LIST (\\HasNoChildren \\Sent) \".\" Sent",
                "* LIST (\\Noselect \\HasChildren) \".\" Work",
                "* LIST (\\HasNoChildren) \".\" Work.2024", "* LIST (\\HasNoChildren) \".\" &AOQ-", "OK List completed.",
            ])
        #expect(client.run("LIST \"\" W%") == ["* LIST (\\Noselect \\HasChildren) \".\" Work", "OK List completed."])
        #expect(client.run("LIST Work. %") == ["* LIST (\\HasNoChildren) \".\" Work.2024", "OK List completed."])
        #expect(client.run("SUBSCRIBE Work.2024").last == "OK Subscribe completed.")
        #expect(client.run("SUBSCRIBE nope").last == "NO Mailbox doesn't exist: nope")
        #expect(client.run("LSUB \"\" *") == ["* LSUB () \".\" Work.2024", "OK Lsub completed."])
        #expect(client.run("LSUB \"\" %") == ["* LSUB (\\Noselect) \".\" Work", "OK Lsub completed."])
        #expect(
            client.run("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %")
                == ["* LIST (\\NonExistent \\HasChildren) \".\" Work (\"CHILDINFO\" (\"SUBSCRIBED\"))", "OK List completed."])
        #expect(
            client.run("LIST (SPECIAL-USE) \"\" * RETURN (SUBSCRIBED STATUS (MESSAGES))")
                == ["* LIST (\\HasNoChildren \\Sent) \".\" Sent", "* STATUS Sent (MESSAGES 0)", "OK List completed."])
        #expect(client.run("RENAME Work.2024 Old").last == "OK Rename completed.")
        #expect(client.run("DELETE Old").last == "OK Delete completed.")
        #expect(client.run("DELETE Old").last == "NO [NONEXISTENT] Mailbox doesn't exist: Old")
        #expect(client.run("DELETE INBOX").last == "NO [CANNOT] INBOX can't be deleted")
        #expect(client.run("UNSUBSCRIBE Work.2024").last == "OK Unsubscribe completed.")
        #expect(client.run("LSUB \"\" *") == ["OK Lsub completed."])
    }

    @Test("appends, selects and fetches")
    func fetch() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        let appended = client.append(sample, "(\\Flagged $Work) \"01-Feb-2020 10:00:00 +0100\"")
        #expect(appended.last?.hasPrefix("OK [APPENDUID ") == true)
        #expect(appended.last?.hasSuffix(" 1] Append completed.") == true)
        let selected = client.run("SELECT inbox")
        #expect(selected.contains("* 1 EXISTS"))
        #expect(selected.contains("* OK [UNSEEN 1] First unseen."))
        #expect(selected.contains("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)"))
        #expect(selected.last == "OK [READ-WRITE] Select completed.")
        let size = sample.replacing("\n", with: "\r\n").utf8.count
        let recent = selected.contains("* 1 RECENT") ? " \\Recent" : ""
        #expect(
            client.run("FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)") == [
                "* 1 FETCH (UID 1 FLAGS (\\Flagged\(recent) $Work) INTERNALDATE \" 1-Feb-2020 09:00:00 +0000\" RFC822.SIZE \(size))",
                "OK Fetch completed.",
            ])
        #expect(
            client.run("FETCH 1 ENVELOPE").first
                == "* 1 FETCH (ENVELOPE (\"Mon, 21 Nov 2026 06:00:00 +0000\" \"Hello\" ((\"Ada\" NIL \"ada\" \"example.org\")) "
                + "((\"Ada\" NIL \"ada\" \"example.org\")) ((\"Ada\" NIL \"ada\" \"example.org\")) ((NIL NIL \"bob\" \"example.org\")) NIL NIL NIL \"<1@example.org>\"))"
        )
        #expect(
            client.run("FETCH 1 (BODYSTRUCTURE BODY)").first
                == "* 1 FETCH (BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 25 2 NIL NIL NIL NIL) "
                + "BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 25 2))")
        #expect(
            client.run("FETCH 1 BODY.PEEK[HEADER.FIELDS (subject)]")
                == ["* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}", "Subject: Hello", "", ")", "OK Fetch completed."])
        #expect(client.run("FETCH 1 BODY.PEEK[TEXT]<6.10>") == ["* 1 FETCH (BODY[TEXT]<6> {10}", "line", "seco)", "OK Fetch completed."])
        #expect(client.run("FETCH 1 BODY.PEEK[1]<100.5>") == ["* 1 FETCH (BODY[1]<100> {0}", ")", "OK Fetch completed."])
        #expect(client.run("FETCH 1 BODY.PEEK[7]") == ["* 1 FETCH (BODY[7] NIL)", "OK Fetch completed."])
        let whole = client.run("UID FETCH 1 BODY[]")
        #expect(whole.first == "* 1 FETCH (UID 1 BODY[] {\(size)}")
        #expect(whole.dropFirst().prefix(5).elementsEqual(sample.split(separator: "\n").prefix(5).map(String.init)))
        #expect(whole.contains(" FLAGS (\\Flagged \\Seen\(recent) $Work))"))
        #expect(client.run("FETCH 2 FLAGS") == ["BAD Error in IMAP command FETCH: Invalid messageset."])
        #expect(client.run("UID FETCH 2:* FLAGS").count == 2)
        #expect(client.run("EXAMINE INBOX").last == "OK [READ-ONLY] Examine completed.")
        #expect(client.run("STORE 1 FLAGS (\\Seen)") == ["NO [READ-ONLY] Mailbox is read-only."])
    }

    @Test("changes flags, expunges, copies and moves")
    func change() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        for number in 1...5 { client.append("Subject: \(number)\n\nx\n") }
        client.run("CREATE Trash")
        client.run("SELECT INBOX")
        #expect(client.run("STORE 1:2 FLAGS (\\Seen new)").filter { $0.contains("FETCH") }.count == 2)
        #expect(client.run("STORE 1 -FLAGS.SILENT \\Seen") == ["OK Store completed."])
        #expect(client.run("UID STORE 2 +FLAGS (\\Deleted)").first?.hasPrefix("* 2 FETCH (UID 2 FLAGS (\\Deleted \\Seen") == true)
        #expect(client.run("STORE 4 +FLAGS.SILENT \\Deleted") == ["OK Store completed."])
        let copied = client.run("COPY 1,3 Trash")
        #expect(copied.last?.hasPrefix("OK [COPYUID ") == true)
        #expect(copied.last?.hasSuffix(" 1,3 1:2] Copy completed.") == true)
        #expect(client.run("UID EXPUNGE 4") == ["* 4 EXPUNGE", "OK Expunge completed."])
        #expect(client.run("EXPUNGE") == ["* 2 EXPUNGE", "OK Expunge completed."])
        let moved = client.run("UID MOVE 5 Trash")
        #expect(moved.count == 3)
        #expect(moved.first?.hasSuffix(" 5 3] Moved UIDs.") == true)
        #expect(moved.suffix(2) == ["* 3 EXPUNGE", "OK Move completed."])
        #expect(
            client.run("STATUS Trash (MESSAGES UIDNEXT UNSEEN RECENT)").first?.hasPrefix("* STATUS Trash (MESSAGES 3 UIDNEXT 4 UNSEEN 3 ")
                == true)
        #expect(client.run("COPY 1 nowhere") == ["NO [TRYCREATE] Mailbox doesn't exist: nowhere"])
        #expect(client.run("UID COPY 77 Trash") == ["OK No messages found."])
        #expect(client.append("x\n", to: "nowhere") == ["NO [TRYCREATE] Mailbox doesn't exist: nowhere"])
        client.run("STORE 1 +FLAGS (\\Deleted)")
        #expect(client.run("CLOSE") == ["OK Close completed."])
        #expect(client.run("STATUS INBOX (MESSAGES)").first == "* STATUS INBOX (MESSAGES 1)")
        client.run("LOGOUT")
        let statistics = try #require(client.result()).statistics
        #expect(statistics.deleted == 3)
        #expect(statistics.expunged == 4)
        #expect(statistics.trashed == 3)
        #expect(statistics.appended == 5)
    }

    @Test(
        "searches",
        arguments: [
            ("ALL", "1 2 3"), ("UNSEEN", "1 2 3"), ("FROM ada", "1"), ("SUBJECT \"Grüße\"", "2"), ("SUBJECT \"grüsse\"", ""),
            ("BODY \"second LINE\"", "1"), ("BODY \"Ünicode\"", "3"),
            ("TEXT example.org", "1"), ("HEADER Message-ID \"\"", "1"), ("OR SUBJECT hello BODY \"ünicode\"", "1 3"),
            ("NOT SUBJECT hello", "2 3"), ("2:*", "2 3"), ("UID 1,3", "1 3"),
            ("SENTON 21-Nov-2026", "1"), ("SENTBEFORE 21-Nov-2026", ""), ("LARGER 150", "1"), ("SMALLER 150", "2 3"), ("KEYWORD nope", ""),
            ("SINCE 1-Jan-2020", "1 2 3"),
            ("YOUNGER 3600", "1 2 3"), ("OLDER 3600", ""), ("FLAGGED", "2"), ("KEYWORD $k", "2"), ("BODY \"\"", "1 2 3"),
        ])
    func search(_ key: String, _ expected: String) throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.append(sample)
        client.append("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n\nx\n", "(\\Flagged $k)")
        client.append("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nein =FCni=\ncode\n")
        client.run("SELECT INBOX")
        #expect(
            client.run("SEARCH CHARSET UTF-8 \(key)") == ["* SEARCH" + (expected.isEmpty ? "" : " " + expected), "OK Search completed."])
    }

    @Test("answers extended searches and remembers their result")
    func extendedSearch() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        for _ in 1...4 { client.append("x\n") }
        client.run("SELECT INBOX")
        #expect(
            client.run("UID SEARCH RETURN (MIN MAX COUNT ALL) 2:4") == [
                "* ESEARCH (TAG \"t6\") UID MIN 2 MAX 4 ALL 2:4 COUNT 3", "OK Search completed.",
            ])
        #expect(client.run("SEARCH RETURN (SAVE) 2:3") == ["OK Search completed."])
        #expect(client.run("UID SEARCH $") == ["* SEARCH 2 3", "OK Search completed."])
        #expect(client.run("FETCH $ UID") == ["* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "OK Fetch completed."])
        #expect(client.run("SEARCH RETURN () UID 99") == ["* ESEARCH (TAG \"t10\")", "OK Search completed."])
        #expect(client.run("SEARCH CHARSET KOI8-R ALL") == ["NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset"])
    }
}
