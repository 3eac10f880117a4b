import Platform
import Testing

@testable import MailStore

@Suite("A damaged or foreign Maildir")
struct ForeignContentTests {
    private func uidList(_ scratch: Scratch) throws -> [String] {
        try scratch.read("Maildir/dovecot-uidlist")?.split(separator: "\n").map(String.init) ?? []
    }

    @Test("keeps its UIDs when dovecot-uidlist is lost while it is open, and gets another UIDVALIDITY when it is lost for good")
    func listLost() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for _ in 0..<3 { try store.save("x\n") }
        let mailbox = try store.opened("INBOX")
        try mailbox.expunge([2])
        _ = try mailbox.synchronize(reportExpunges: true)
        try scratch.remove("Maildir/dovecot-uidlist")
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(mailbox.uids == [1, 2])
        #expect(try uidList(scratch).count == 3)
        #expect(try store.save("y\n").uids == [4])
        try scratch.remove("Maildir/dovecot-uidlist")
        let again = try store.opened("INBOX")
        #expect(again.uidValidity > mailbox.uidValidity)
        #expect(again.uids == [1, 2, 3])
        #expect(throws: StoreError.mailboxGone("UIDVALIDITY changed under us")) { try mailbox.synchronize(reportExpunges: true) }
    }

    @Test(
        "keeps the UIDs of good records and never gives one twice",
        arguments: [("garbage", 8), ("2 :again", 8), ("4294967295 :b", 8), ("4294967294 X", 8), ("9 X", 10)])
    func badLine(_ line: String, _ next: UInt32) throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/1.a:2,", "a\n")
        try scratch.write("Maildir/cur/2.b:2,", "b\n")
        try scratch.write("Maildir/cur/3.c:2,", "c\n")
        try scratch.write("Maildir/dovecot-uidlist", "3 V77 N4\n2 :1.a\n\(line)\n7 :3.c\n")
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.uidValidity == 77)
        #expect(mailbox.uids == [2, 7, next])
        #expect(try mailbox.text(2) == "b\n")
        #expect(scratch.log.contains { $0.contains("/Maildir/dovecot-uidlist line 3: ") })
        let written = try uidList(scratch)
        #expect(written[0].hasPrefix("3 V77 N\(next + 1) G"))
        #expect(Array(written.dropFirst()) == ["2 :1.a", "7 :3.c", "\(next) :2.b"])
    }

    @Test("with the same name twice in dovecot-uidlist takes the higher UID")
    func duplicateLine() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/1.a:2,", "a\n")
        try scratch.write("Maildir/dovecot-uidlist", "3 V77 N4 Gabcdefabcdefabcdefabcdefabcdefab\n1 :1.a\n2 :1.a\n")
        #expect(try store.opened("INBOX").uids == [2])
        let written = try uidList(scratch)
        #expect(written == ["3 V77 N4 Gabcdefabcdefabcdefabcdefabcdefab", "2 :1.a"])
        #expect(scratch.log.contains { $0.hasSuffix("Duplicate file entry: 1.a (uid 1 -> 2)") })
    }

    @Test("of Courier keeps its UIDs")
    func version1() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/1.a:2,", "a\n")
        try scratch.write("Maildir/dovecot-uidlist", "1 77 6\n5 1.a:2,S\n")
        #expect(try store.save("b\n").uids == [6])
        #expect(try store.opened("INBOX").uids == [5, 6])
        #expect(try uidList(scratch)[0].hasPrefix("3 V77 N"))
    }

    @Test("with half a record at the end loses nothing")
    func torn() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/1.a:2,", "a\n")
        try scratch.write("Maildir/dovecot-uidlist", "3 V77 N4 Gabcdefabcdefabcdefabcdefabcdefab\n4 :1.a\n5 :hal")
        #expect(try store.opened("INBOX").uids == [4])
        #expect(try store.save("b\n").uids == [5])
        #expect(try store.opened("INBOX").uids == [4, 5])
        #expect(try uidList(scratch).count == 3)
    }

    @Test("keeps fields of dovecot-uidlist that we do not know")
    func unknownFields() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/1.a:2,", "a\n")
        try scratch.write("Maildir/dovecot-uidlist", "3 V77 N4 P%v Gabcdefabcdefabcdefabcdefabcdefab\n1 P12 O3 :1.a\nbad\n")
        let mailbox = try store.opened("INBOX")
        #expect(try uidList(scratch) == ["3 V77 N4 Gabcdefabcdefabcdefabcdefabcdefab P%v", "1 P12 O3 :1.a"])
        #expect(mailbox.guid == Array("abcdefabcdefabcdefabcdefabcdefab".utf8))
    }

    @Test("with files of the same base name gives the second a new one")
    func duplicateFiles() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/1.a,S=2:2,", "a\n")
        _ = try store.opened("INBOX")
        try scratch.write("Maildir/cur/1.a,S=2:2,S", "b\n")
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.messages.count == 2)
        #expect(Set([try mailbox.text(0), try mailbox.text(1)]) == ["a\n", "b\n"])
        #expect(scratch.log.contains { $0.contains("Fixed a duplicate") })
        #expect(try scratch.names("Maildir/cur").allSatisfy { $0.contains(",S=2") })
    }

    @Test("with names that make no sense serves what can be served")
    func oddNames() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("Maildir/cur/:2,S", "nameless\n")
        try scratch.write("Maildir/cur/.hidden", "x\n")
        try scratch.write("Maildir/cur/a\nb", "x\n")
        try scratch.write("Maildir/new/msg.1", "mh\n")
        try scratch.write("Maildir/new/7.P1.x:2,Sa", "flagged in new\n")
        let mailbox = try store.opened("INBOX")
        #expect(mailbox.messages.count == 3)
        #expect(scratch.log.contains { $0.contains("Ignoring a file with #0xA") })
        #expect(scratch.log.contains { $0.contains("Fixed broken filename") })
        #expect(mailbox.messages.contains { $0.flags.contains(.seen) })
    }

    @Test("with links to elsewhere does not follow them")
    func links() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("secret", "secret\n")
        let mailbox = try store.opened("INBOX")
        try FileSystem.link(scratch.path + "/secret", symbolicallyAt: scratch.mail + "/cur/1.a:2,")
        try FileSystem.link("/etc", symbolicallyAt: scratch.mail + "/.Etc")
        _ = try mailbox.synchronize(reportExpunges: true)
        #expect(throws: StoreError.self) { try mailbox.text(0) }
        #expect(try store.listedNames() == ["INBOX"])
        #expect(throws: StoreError.self) { try store.opened("Etc") }
    }

    @Test("gets rid of what a crash left in tmp/, and of nothing younger")
    func leftovers() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("x\n")
        try scratch.write("Maildir/tmp/new.P1.x", "half a mess")
        #expect(try store.opened("INBOX").messages.count == 1)
        try store.save("x\n")
        #expect(try scratch.names("Maildir/tmp") == ["new.P1.x"])
    }

    @Test("takes over a lock whose owner died, and waits for one who lives")
    func staleLock() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.save("x\n")
        try scratch.write("Maildir/dovecot-uidlist.lock", "999999999:test.host")
        #expect(try store.save("x\n").uids == [2])
        #expect(try !scratch.names("Maildir").contains("dovecot-uidlist.lock"))
        // Ours, of a process that died: known by flock, without asking for the process.
        let careful = try scratch.store { $0.probesLockOwner = false }
        try scratch.write("Maildir/dovecot-uidlist.lock", "1:test.host")
        #expect(throws: StoreError.self) { try careful.save("x\n") }
        try scratch.folder.directory.file(Array("Maildir/dovecot-uidlist.lock".utf8), .read).setMode(0o700)
        #expect(try careful.save("x\n").uids == [3])
        let mail = try scratch.folder.folder(Array("Maildir".utf8))
        do {
            let held = try DotLock.take(UIDListFile.name, in: mail, DotLock.Rules(wait: 0, hostname: "test.host")) { _ in }
            #expect(throws: StoreError.self) { try careful.save("x\n") }
            _ = consume held
        }
        try scratch.write("Maildir/dovecot-uidlist.lock", "\(Process.id):test.host")
        #expect(throws: StoreError.lockTimeout(path: scratch.mail + "/dovecot-uidlist.lock")) { try store.save("x\n") }
        try scratch.remove("Maildir/dovecot-uidlist.lock")
        try scratch.write("Maildir/dovecot-uidlist.lock", "1:other.host")
        #expect(throws: StoreError.self) { try store.save("x\n") }
        #expect(try scratch.names("Maildir/new").count + scratch.names("Maildir/tmp").count == 3)
    }
}
