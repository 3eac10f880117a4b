import Testing

@testable import mail

@Suite("CONDSTORE and QRESYNC", .serialized)
struct IMAPModSeqTests {
    /// A client on a mailbox with three messages that others have seen.
    private func start(_ mail: TestMail, _ enable: String = "") throws -> TestClient {
        let client = try mail.connect()
        _ = client.line()
        for _ in 1...3 { client.append(sample) }
        if !enable.isEmpty { #expect(client.run("ENABLE \(enable)").first == "* ENABLED \(enable)") }
        return client
    }

    private func highest(_ lines: [String]) -> UInt64 { between("[HIGHESTMODSEQ ", "]", in: lines).flatMap(UInt64.init) ?? 0 }

    private func modSeq(_ client: TestClient, _ uid: Int) -> UInt64 {
        between("MODSEQ (", ")", in: client.run("UID FETCH \(uid) (MODSEQ)")).flatMap(UInt64.init) ?? 0
    }

    @Test("modseqs grow with each change and are told to whom asked for them")
    func condStore() throws {
        let mail = try TestMail()
        let client = try start(mail)
        let selected = highest(client.run("SELECT INBOX"))
        #expect(selected > 0)
        #expect(client.run("STORE 1 +FLAGS (\\Flagged)").first?.contains("MODSEQ") == false, "nobody asked")
        let first = modSeq(client, 1)
        #expect(first > selected)
        #expect(client.run("STATUS INBOX (HIGHESTMODSEQ)").first == "* STATUS INBOX (HIGHESTMODSEQ \(first))")
        let stored = client.run("STORE 2 +FLAGS (\\Flagged)")
        #expect(between("MODSEQ (", ")", in: stored).flatMap(UInt64.init).map { $0 > first } == true, "\(stored)")
        let silent = client.run("UID STORE 3 +FLAGS.SILENT (\\Flagged)")
        #expect(silent.first?.hasPrefix("* 3 FETCH (UID 3 MODSEQ (") == true && silent.first?.contains("FLAGS") == false)
        let newest = modSeq(client, 3)
        #expect(client.run("SEARCH MODSEQ \(newest)").first == "* SEARCH 3 (MODSEQ \(newest))")
        #expect(client.run("SEARCH MODSEQ \(newest + 1)").first == "* SEARCH")
        #expect(client.run("SEARCH RETURN (MIN) MODSEQ \(first)").first?.hasSuffix(" MIN 1 MODSEQ \(first)") == true)
        #expect(client.run("SEARCH RETURN (ALL) MODSEQ \(first)").first?.hasSuffix(" ALL 1:3 MODSEQ \(newest)") == true)
        #expect(client.run("SORT (ARRIVAL) UTF-8 MODSEQ \(newest)").first == "* SORT 3 (MODSEQ \(newest))")
        let changed = client.run("FETCH 1:* (FLAGS) (CHANGEDSINCE \(first))")
        #expect(changed.count == 3 && changed[0].hasPrefix("* 2 FETCH (FLAGS") && changed[0].contains(" MODSEQ ("))
        #expect(client.run("FETCH 1 (FLAGS) (CHANGEDSINCE \(first))") == ["OK Fetch completed."])
        #expect(client.run("FETCH 1 BODY[]").contains { $0.contains("\\Seen") && $0.contains("MODSEQ (") })
        #expect(client.run("UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)").last?.hasPrefix("BAD") == true, "QRESYNC is not enabled")
        #expect(client.run("SELECT INBOX (QRESYNC (1 1))").last?.hasPrefix("BAD") == true)
    }

    @Test("UNCHANGEDSINCE leaves alone what others changed")
    func unchangedSince() throws {
        let mail = try TestMail()
        let client = try start(mail)
        let other = try mail.connect()
        _ = other.line()
        other.run("SELECT INBOX")
        let selected = highest(client.run("SELECT INBOX (CONDSTORE)"))
        other.run("STORE 2 +FLAGS (\\Answered)")
        let stored = client.run("STORE 1:3 (UNCHANGEDSINCE \(selected)) +FLAGS (\\Deleted)")
        #expect(stored.last == "OK [MODIFIED 2] Store completed.", "\(stored)")
        #expect(stored.contains { $0.hasPrefix("* 1 FETCH (FLAGS (\\Deleted") && $0.contains("MODSEQ") })
        #expect(stored.contains { $0.hasPrefix("* 2 FETCH (FLAGS (\\Answered") && !$0.contains("Deleted") })
        #expect(client.run("UID STORE 1:2 (UNCHANGEDSINCE \(selected)) FLAGS ()").last == "OK [MODIFIED 1:2] Store completed.")
        #expect(client.run("SEARCH DELETED").first == "* SEARCH 1 3")
    }

    @Test("ENABLE in a selected mailbox tells where it stands")
    func enableLater() throws {
        let mail = try TestMail()
        let client = try start(mail)
        let selected = highest(client.run("SELECT INBOX"))
        #expect(highest(client.run("ENABLE CONDSTORE")) == selected)
        #expect(highest(client.run("ENABLE CONDSTORE")) == 0)
    }

    @Test("QRESYNC tells what a client missed")
    func resync() throws {
        let mail = try TestMail()
        let client = try start(mail, "QRESYNC")
        let selected = client.run("SELECT INBOX")
        let validity = try #require(between("[UIDVALIDITY ", "]", in: selected))
        let before = highest(selected)
        client.run("UNSELECT")
        let other = try mail.connect()
        _ = other.line()
        other.run("SELECT INBOX")
        other.run("STORE 1 +FLAGS (\\Flagged)")
        other.run("STORE 2 +FLAGS (\\Deleted)")
        #expect(other.run("EXPUNGE") == ["* 2 EXPUNGE", "OK Expunge completed."])
        other.append(sample)
        let missed = client.run("SELECT INBOX (QRESYNC (\(validity) \(before)))")
        #expect(missed.contains("* VANISHED (EARLIER) 2"), "\(missed)")
        #expect(missed.contains { $0.hasPrefix("* 1 FETCH (UID 1 FLAGS (\\Flagged") && $0.contains(" MODSEQ (") })
        #expect(missed.contains { $0.hasPrefix("* 3 FETCH (UID 4 ") })
        #expect(!missed.contains { $0.hasPrefix("* 2 FETCH") })
        let some = client.run("SELECT INBOX (QRESYNC (\(validity) \(before) 3:4))")
        #expect(!some.contains { $0.hasPrefix("* VANISHED") || $0.hasPrefix("* 1 FETCH") })
        // Without a modseq that reaches back all is told that is not there; what the client knows by number and UID shortens that.
        let all = client.run("SELECT INBOX (QRESYNC (\(validity) 1))")
        #expect(all.contains("* VANISHED (EARLIER) 2"))
        for (data, isTold) in [
            ("1 1", true), ("1:2 1,3", false), ("1:3 1,3:4", false), ("2 2", true), ("2:3 3:4", false), ("1:2 1:2", true),
        ] {
            let answer = client.run("SELECT INBOX (QRESYNC (\(validity) 1 1:4 (\(data))))")
            #expect(answer.contains("* VANISHED (EARLIER) 2") == isTold, "\(data): \(answer)")
            #expect(answer.contains { $0.hasPrefix("* 1 FETCH (UID 1 FLAGS (\\Flagged") }, "flags are told all the same")
        }
        for data in ["1:2 1", "1:* 1:*", "$ 1"] {
            #expect(client.run("SELECT INBOX (QRESYNC (\(validity) 1 1:4 (\(data))))").last?.hasPrefix("BAD") == true, "\(data)")
        }
        #expect(!client.run("SELECT INBOX (QRESYNC (1 \(before)))").contains { $0.contains("VANISHED") }, "another UIDVALIDITY")
        let fetched = client.run("UID FETCH 1:3 (FLAGS) (CHANGEDSINCE \(before) VANISHED)")
        #expect(fetched.first == "* VANISHED (EARLIER) 2" && fetched.count == 3)
    }

    @Test("with QRESYNC what is expunged is told by UID")
    func vanished() throws {
        let mail = try TestMail()
        let client = try start(mail, "QRESYNC")
        client.run("SELECT INBOX")
        client.run("STORE 1:2 +FLAGS (\\Deleted)")
        let before = highest(client.run("ENABLE CONDSTORE"))
        let expunged = client.run("EXPUNGE")
        #expect(expunged.first == "* VANISHED 1:2")
        let after = highest(expunged)
        #expect(after > before && expunged.last == "OK [HIGHESTMODSEQ \(after)] Expunge completed.")
        client.run("STORE 1 +FLAGS (\\Deleted)")
        #expect(client.run("CLOSE").last?.hasPrefix("OK [HIGHESTMODSEQ ") == true)
    }
}
