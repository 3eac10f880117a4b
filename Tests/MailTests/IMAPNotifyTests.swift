import Foundation
import Testing

@testable import mail

@Suite("NOTIFY (RFC 5465)")
struct IMAPNotifyTests {
    private let text = "Subject: hello\n\nbody\n"

    /// A client that asks, and another one of the same user that does things.
    private func pair(adjust: @escaping @Sendable (inout IMAPSettings) -> Void = { _ in }) throws -> (TestMail, TestClient, TestClient) {
        let mail = try TestMail()
        let listener = try mail.connect(adjust: adjust)
        _ = listener.line()
        let other = try mail.connect(adjust: adjust)
        _ = other.line()
        return (mail, listener, other)
    }

    /// What is told may come in more steps than what was done: modseqs move when a message is noticed, too.
    private func heard(_ client: TestClient, _ text: String) -> Bool {
        while let line = client.line() { if line.contains(text) { return true } }
        return false
    }

    @Test(
        "refuses what no request may be",
        arguments: [
            "NOTIFY", "NOTIFY SOME", "NOTIFY SET", "NOTIFY SET (selected)", "NOTIFY SET (selected ())", "NOTIFY NONE x",
            "NOTIFY SET (selected (MessageNew))", "NOTIFY SET (selected (MessageExpunge))", "NOTIFY SET (personal (FlagChange))",
            "NOTIFY SET (personal (AnnotationChange))", "NOTIFY SET (selected (MailboxName))",
            "NOTIFY SET (selected (MessageNew MessageExpunge SubscriptionChange))",
            "NOTIFY SET (selected NONE) (selected-delayed NONE)", "NOTIFY SET (personal (MessageNew (UID) MessageExpunge))",
            "NOTIFY SET (subtree-one INBOX NONE)", "NOTIFY SET (nowhere NONE)", "NOTIFY SET (mailboxes NONE)",
            "NOTIFY SET (selected (MessageNew (NOTHING) MessageExpunge))",
        ])
    func refuses(_ command: String) throws {
        let client = try TestMail().connect()
        _ = client.line()
        #expect(client.run(command).last?.hasPrefix("BAD") == true)
        #expect(client.run("NOOP").last?.hasPrefix("OK") == true)
    }

    @Test("takes as many groups, events and mailboxes as the limits say, and no more")
    func limits() throws {
        let client = try TestMail().connect()
        _ = client.line()
        func groups(_ count: Int) -> String { "NOTIFY SET " + Array(repeating: "(personal NONE)", count: count).joined(separator: " ") }
        #expect(client.run(groups(32)).last?.hasPrefix("OK") == true)
        #expect(client.run(groups(33)).last?.hasPrefix("BAD") == true)
        func events(_ count: Int) -> String {
            "NOTIFY SET (personal (" + Array(repeating: "MailboxName", count: count).joined(separator: " ") + "))"
        }
        #expect(client.run(events(16)).last?.hasPrefix("OK") == true)
        #expect(client.run(events(17)).last?.hasPrefix("BAD") == true)
        func mailboxes(_ count: Int) -> String {
            "NOTIFY SET (mailboxes (" + (0..<count).map { "m\($0)" }.joined(separator: " ") + ") NONE)"
        }
        #expect(client.run(mailboxes(100)).last?.hasPrefix("OK") == true)
        #expect(client.run(mailboxes(101)).last?.hasPrefix("BAD") == true)
    }

    @Test("names the events that there are when it is asked for another")
    func badEvent() throws {
        let (_, client, _) = try pair()
        let known = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange"
        for event in ["AnnotationChange MessageNew MessageExpunge", "MoonRise", "ServerMetadataChange", "MailboxMetadataChange"] {
            let answer = client.run("NOTIFY SET (personal (\(event)))").last
            #expect(answer?.hasPrefix("NO [BADEVENT (\(known))]") == true, "\(event): \(answer ?? "")")
        }
        let (_, offering, _) = try pair { $0.offersMetadata = true }
        #expect(offering.run("NOTIFY SET (personal (ServerMetadataChange MailboxMetadataChange))").last?.hasPrefix("OK") == true)
        #expect(
            offering.run("NOTIFY SET (personal (MoonRise))").last?.hasPrefix(
                "NO [BADEVENT (\(known) MailboxMetadataChange ServerMetadataChange)]") == true)
    }

    @Test("tells of the selected mailbox at once, with the items that were asked for")
    func selected() throws {
        let (_, client, other) = try pair()
        client.append(text)
        client.append(text)
        client.run("SELECT INBOX")
        let set = "NOTIFY SET (selected (MessageNew (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))"
        #expect(client.run(set) == ["OK Notify completed."])
        other.append(text)
        #expect(client.line() == "* 3 EXISTS")
        #expect(client.line()?.hasSuffix("RECENT") == true)
        #expect(client.line() == "* 3 FETCH (UID 3 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {18}")
        for line in ["Subject: hello", "", ")"] { #expect(client.line() == line) }
        other.run("SELECT INBOX")
        other.run("STORE 1 +FLAGS (\\Flagged)")
        #expect(client.line() == "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))")
        other.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
        #expect(client.line() == "* 2 FETCH (UID 2 FLAGS (\\Deleted \\Recent))")
        other.run("EXPUNGE")
        #expect(client.line() == "* 2 EXPUNGE")
        // What it does itself it knows: no FETCH for its own message.
        let own = client.append(text)
        #expect(own.contains("* 3 EXISTS") && !own.contains { $0.contains("FETCH") })
    }

    @Test("puts expunges off for selected-delayed, until a command lets them through, and tells them in IDLE")
    func delayed() throws {
        let (_, client, other) = try pair()
        for _ in 0..<3 { client.append(text) }
        client.run("SELECT INBOX")
        client.run("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))")
        other.run("SELECT INBOX")
        other.run("STORE 1 +FLAGS (\\Deleted)")
        other.run("EXPUNGE")
        other.append(text)
        #expect(client.line() == "* 4 EXISTS", "the message that is gone still has its number")
        _ = client.line()
        #expect(client.run("FETCH 2 (UID)").first == "* 2 FETCH (UID 2)")
        #expect(client.run("NOOP") == ["* 1 EXPUNGE", "OK NOOP completed."])
        client.send("i IDLE\r\n")
        #expect(client.line() == "+ idling")
        other.run("STORE 1 +FLAGS (\\Deleted)")
        other.run("EXPUNGE")
        #expect(client.line() == "* 1 EXPUNGE")
        client.send("DONE\r\n")
        #expect(client.lines(until: "i ").last == "i OK Idle completed.")
    }

    @Test("tells flags only where they were asked for, and nothing after NONE")
    func withoutFlags() throws {
        let (_, client, other) = try pair()
        for _ in 0..<2 { client.append(text) }
        client.run("SELECT INBOX")
        client.run("NOTIFY SET (selected (MessageNew MessageExpunge))")
        other.run("SELECT INBOX")
        other.run("STORE 1 +FLAGS (\\Flagged)")
        other.append(text)
        #expect(client.line() == "* 3 EXISTS")
        _ = client.line()
        client.run("NOTIFY NONE")
        other.append(text)
        other.run("STORE 1 +FLAGS (\\Deleted)")
        other.run("EXPUNGE")
        // A snapshot: sequence numbers keep their meaning.
        #expect(client.run("NOOP") == ["OK NOOP completed."])
        #expect(client.run("FETCH 3 (UID)").first == "* 3 FETCH (UID 3)")
        #expect(client.run("FETCH 4 (UID)").last?.hasPrefix("BAD") == true)
        // What it does itself moves the picture, and then all is told.
        client.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
        let expunged = client.run("EXPUNGE")
        #expect(Array(expunged.prefix(3)) == ["* 2 EXPUNGE", "* 1 EXPUNGE", "* 2 EXISTS"])
        // SET tells what was missed, as NOOP does.
        other.append(text)
        #expect(client.run("NOTIFY SET (selected NONE)").first == "* 3 EXISTS")
        other.append(text)
        #expect(client.run("NOOP") == ["OK NOOP completed."])
    }

    @Test("tells the counters of other mailboxes, at first with STATUS, and not of what the client did itself")
    func otherMailboxes() throws {
        let (_, client, other) = try pair()
        for name in ["A", "A.B", "C"] { client.run("CREATE \(name)") }
        client.append(text, to: "A")
        let set = client.run(
            "NOTIFY SET STATUS (mailboxes A (MessageNew MessageExpunge)) (subtree A.B (MessageNew MessageExpunge FlagChange))")
        #expect(set.count == 3 && set[0].hasPrefix("* STATUS A (MESSAGES 1 UIDNEXT 2 UIDVALIDITY "))
        #expect(set[1].contains("* STATUS A.B (MESSAGES 0 UIDNEXT 1 UIDVALIDITY ") && set[1].contains("HIGHESTMODSEQ "))
        client.append(text, to: "A")
        other.append(text, to: "C")
        other.append(text, to: "A")
        #expect(client.line()?.hasPrefix("* STATUS A (MESSAGES 3 UIDNEXT 4 ") == true, "its own message was not told, C neither")
        other.append(text, to: "A.B")
        #expect(client.line()?.hasPrefix("* STATUS A.B (MESSAGES 1 UIDNEXT 2 ") == true)
        other.run("SELECT A.B")
        other.run("STORE 1 +FLAGS (\\Seen)")
        #expect(heard(client, "UNSEEN 0 "))
        other.run("SELECT A")
        other.run("STORE 1 +FLAGS (\\Deleted)")
        other.run("EXPUNGE")
        #expect(heard(client, "* STATUS A (MESSAGES 2 UIDNEXT 4 "))
    }

    @Test("a mailbox that is selected is told of by the group for the selected one, and by the others again when it is left")
    func leaving() throws {
        let (_, client, other) = try pair()
        client.run("CREATE A")
        client.run("NOTIFY SET (mailboxes A (MessageNew MessageExpunge))")
        client.run("SELECT A")
        other.append(text, to: "A")
        #expect(client.run("NOOP") == ["OK NOOP completed."], "nothing is wanted of the selected mailbox")
        client.run("UNSELECT")
        #expect(client.line()?.hasPrefix("* STATUS A (MESSAGES 1 ") == true)
    }

    @Test("tells names that come, go and are renamed")
    func names() throws {
        let (_, client, other) = try pair()
        client.run("CREATE Own")
        client.run("NOTIFY SET (personal (MailboxName SubscriptionChange))")
        client.run("CREATE Mine")
        client.run("SUBSCRIBE Mine")
        other.run("CREATE New")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" New")
        other.run("RENAME New Newer")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" Newer (\"OLDNAME\" (New))")
        other.run("SUBSCRIBE Newer")
        #expect(client.line() == "* LIST (\\Subscribed \\HasNoChildren) \".\" Newer")
        other.run("UNSUBSCRIBE Newer")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" Newer")
        other.run("DELETE Newer")
        #expect(client.line() == "* LIST (\\NonExistent \\HasNoChildren) \".\" Newer")
        client.run("DELETE Own")
        #expect(client.run("NOOP") == ["OK NOOP completed."], "what it did itself")
    }

    @Test("tells of parents when children come and go, and of children nothing when they are renamed with their parent")
    func families() throws {
        let (_, client, other) = try pair()
        client.run("NOTIFY SET (personal (MailboxName))")
        other.run("CREATE Top.Child")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" Top.Child")
        #expect(client.line() == "* LIST (\\NonExistent \\HasChildren) \".\" Top")
        other.run("CREATE Top")
        #expect(client.line() == "* LIST (\\HasChildren) \".\" Top")
        other.run("CREATE Top.Child.Deep")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" Top.Child.Deep")
        #expect(client.line() == "* LIST (\\HasChildren) \".\" Top.Child")
        other.run("RENAME Top New")
        #expect(client.line()?.hasSuffix(" \".\" New (\"OLDNAME\" (Top))") == true)
        #expect(client.run("NOOP") == ["OK NOOP completed."])
        other.run("RENAME New.Child New.Other")
        #expect(client.line() == "* LIST (\\HasChildren) \".\" New.Other (\"OLDNAME\" (New.Child))")
        #expect(client.run("NOOP") == ["OK NOOP completed."])
        other.run("DELETE New.Other.Deep")
        #expect(client.line() == "* LIST (\\NonExistent \\HasNoChildren) \".\" New.Other.Deep")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" New.Other")
        other.run("RENAME New Top")
        #expect(client.line()?.hasSuffix(" \".\" Top (\"OLDNAME\" (New))") == true)
        #expect(client.run("NOOP") == ["OK NOOP completed."])
    }

    @Test("tells a renamed parent with its children also when they have not been renamed yet")
    func halfRenamed() throws {
        let (mail, client, other) = try pair()
        other.run("CREATE Old")
        other.run("CREATE Old.Child")
        client.run("NOTIFY SET (personal (MailboxName))")
        let files = FileManager.default
        try files.moveItem(atPath: mail.maildir + "/.Old", toPath: mail.maildir + "/.New")
        #expect(client.line() == "* LIST (\\HasChildren) \".\" New (\"OLDNAME\" (Old))")
        try files.moveItem(atPath: mail.maildir + "/.Old.Child", toPath: mail.maildir + "/.New.Child")
        other.run("CREATE Last")
        #expect(client.line() == "* LIST (\\HasNoChildren) \".\" Last")
    }

    @Test("watches mailboxes that join a group later")
    func joining() throws {
        let (_, client, other) = try pair()
        client.run("NOTIFY SET (subscribed (MessageNew MessageExpunge))")
        other.run("CREATE A")
        other.append(text, to: "A")
        other.run("SUBSCRIBE A")
        #expect(client.line()?.hasPrefix("* STATUS A (MESSAGES 1 ") == true)
        other.append(text, to: "A")
        #expect(client.line()?.hasPrefix("* STATUS A (MESSAGES 2 ") == true)
        other.run("UNSUBSCRIBE A")
        other.append(text, to: "A")
        other.append(text, to: "INBOX")
        #expect(client.run("NOOP") == ["OK NOOP completed."])
    }

    @Test("tells which attributes changed, without their values")
    func metadata() throws {
        let (_, client, other) = try pair { $0.offersMetadata = true }
        client.run("CREATE A")
        client.run("NOTIFY SET (mailboxes A (MailboxMetadataChange)) (personal (ServerMetadataChange))")
        client.run("SETMETADATA A (/private/comment \"own\")")
        other.run("SETMETADATA A (/private/comment \"other\" /shared/comment \"x\")")
        #expect(client.line() == "* METADATA A /private/comment /shared/comment")
        other.run("SETMETADATA A (/private/comment NIL)")
        #expect(client.line() == "* METADATA A /private/comment")
        other.run("SETMETADATA \"\" (/private/x \"y\")")
        #expect(client.line() == "* METADATA \"\" /private/x")
    }

    @Test("speaks of UIDs and modseqs to whom enabled them")
    func modSeq() throws {
        let (_, client, other) = try pair()
        client.append(text)
        client.run("CREATE A")
        client.run("ENABLE QRESYNC")
        client.run("SELECT INBOX")
        client.run("NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange)) (mailboxes A (MessageNew MessageExpunge))")
        other.append(text)
        #expect(client.line() == "* 2 EXISTS")
        _ = client.line()
        #expect(client.line() == "* 2 FETCH (UID 2 FLAGS (\\Recent))")
        other.run("SELECT INBOX")
        other.run("STORE 1 +FLAGS (\\Deleted)")
        let flags = client.line() ?? ""
        #expect(flags.hasPrefix("* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent) MODSEQ ("))
        other.run("EXPUNGE")
        #expect(client.line() == "* VANISHED 1")
        other.append(text, to: "A")
        #expect(client.line()?.contains(" HIGHESTMODSEQ ") == true)
    }

    @Test("UPDATE of a search brings the items of messages that join its result")
    func contextItems() throws {
        let (_, client, other) = try pair()
        client.run("SELECT INBOX")
        client.run("NOTIFY SET (selected (MessageNew (UID) MessageExpunge FlagChange))")
        #expect(client.run("UID SEARCH RETURN (COUNT UPDATE (UID FLAGS)) SUBJECT hello").last?.hasPrefix("OK") == true)
        other.append(text)
        var lines: [String] = []
        for _ in 0..<5 { lines.append(client.line() ?? "") }
        #expect(lines[0] == "* 1 EXISTS" && lines[2] == "* 1 FETCH (UID 1)" && lines[3] == "* 1 FETCH (FLAGS (\\Recent))")
        #expect(lines[4].hasSuffix("UID ADDTO (0 1)"), "\(lines)")
        other.append("Subject: else\n\nx\n")
        #expect(client.line() == "* 2 EXISTS")
        _ = client.line()
        #expect(client.line() == "* 2 FETCH (UID 2)")
        #expect(client.run("NOOP") == ["OK NOOP completed."])
    }

    @Test("refuses more mailboxes than it can watch, and gives up when they become too many")
    func overflow() throws {
        let (mail, client, _) = try pair()
        let files = FileManager.default
        func make(_ numbers: Range<Int>) throws {
            for number in numbers {
                for part in ["new", "cur", "tmp"] {
                    try files.createDirectory(atPath: "\(mail.maildir)/.m\(number)/\(part)", withIntermediateDirectories: true)
                }
            }
        }
        // With INBOX.
        try make(0..<199)
        #expect(client.run("NOTIFY SET (personal (MessageNew MessageExpunge))") == ["OK Notify completed."])
        try make(199..<200)
        #expect(client.line()?.hasPrefix("* OK [NOTIFICATIONOVERFLOW]") == true)
        #expect(client.run("NOTIFY SET (personal (MessageNew MessageExpunge))").last?.hasPrefix("NO [NOTIFICATIONOVERFLOW]") == true)
        #expect(client.run("NOTIFY SET (personal (MailboxName))") == ["OK Notify completed."], "names take no watch for each")
    }
}
