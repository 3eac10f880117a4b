import Platform
import Glibc
import Testing

@testable import MailAccess
@testable import lda

@Suite("The command line of culver-lda")
struct LDAArgumentsTests {
    @Test("takes options apart or together")
    func reads() throws {
        let arguments = try LDAArguments([
            "-ek", "-d", "ada", "-fme@x", "-m", "Sent", "-a", "a@x", "-r", "r@x", "-c", "/c", "-o", "a=1", "-o", "b=2", "-p", "/m",
        ])
        #expect(arguments.user == "ada")
        #expect(arguments.sender == "me@x")
        #expect(arguments.mailbox == "Sent")
        #expect(arguments.originalRecipient == "a@x")
        #expect(arguments.finalRecipient == "r@x")
        #expect(arguments.configuration == "/c")
        #expect(arguments.overrides == ["a=1", "b=2"])
        #expect(arguments.messageFile == "/m")
        #expect(arguments.printsRejection)
        #expect(try LDAArguments([]).mailbox == "INBOX")
    }

    @Test("is refused with exit code 64", arguments: [["-x"], ["ada"], ["-d"], ["-"], ["-e", "-m"]])
    func refuses(_ arguments: [String]) {
        do throws(AccessFailure) {
            _ = try LDAArguments(arguments)
            Issue.record("accepted")
        } catch { #expect(error.code == .usage) }
    }
}

@Suite("The head of a message")
struct MessageHeadTests {
    @Test(
        "gives sender and fields",
        arguments: [
            ("From me@x Sat Jan 1\nSubject: a\n b\n\tc\n\nSubject: body\n", "me@x", "a b c", 20),
            ("subject:a\r\nSubject: second\r\n more\r\n\r\n", nil, "a", 0),
            ("", nil, nil, 0), ("From ", nil, nil, 0), ("no header\n\n", nil, nil, 0), ("\nSubject: body\n", nil, nil, 0),
            ("Subject: cut", nil, nil, 0),
            (" folded first\nSubject: a\n", nil, "a", 0), ("From \n\n", "", nil, 6),
        ] as [(String, String?, String?, Int)])
    func reads(_ text: String, _ sender: String?, _ subject: String?, _ skipped: Int) {
        let head = MessageHead(Array(text.utf8)[...])
        #expect(head.mboxSender == sender)
        #expect(head.fields["subject"] == subject)
        #expect(head.skipped == skipped)
    }
}

/// A user database that gives one answer: a script, because a lookup waits for it.
final class Userdb {
    let path: String
    private let pid: Int32
    private let directory: String

    init(_ answer: String) throws {
        directory = "/tmp/culver-lda-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeDirectory(directory, mode: 0o700)
        path = directory + "/s"
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1)
            c, _ = s.accept(); c.sendall(b"VERSION\\t1\\t1\\nSPID\\t1\\n"); b = b""
            while b.count(b"\\n") < 2: b += c.recv(1000)
            c.sendall(sys.argv[2].encode())
            """
        pid = try Process.spawn(
            path: "/usr/bin/python3", arguments: ["python3", "-c", script, path, answer], environment: [], descriptors: [-1, -1, 2])
        for _ in 0..<500 where (try? FileStatus(path: path)) == nil { FileLockOwner.pause(nanoseconds: 10_000_000) }
        FileLockOwner.pause(nanoseconds: 50_000_000)
    }

    /// Reaped: the runner's own wait for exit tests spins beside a child that nobody waits for.
    deinit {
        SignalQueue.send(SignalQueue.kill, to: pid)
        _ = waitpid(pid, nil, 0)
        try? FileSystem.remove(path)
        FileSystem.removeTree(directory)
    }
}

@Suite("The lookup of a user")
struct UserLookupTests {
    @Test("takes uid, gid, home and mail")
    func finds() throws {
        let userdb = try Userdb("USER\t1\tada@x\tuid=1000\tgid=1001\thome=/h/a\u{1}tb\tmail_path=~/M\tx\n")
        let user = try UserLookup.find("Ada@X", service: "lda", socket: userdb.path)
        #expect(
            user.name == "ada@x" && user.uid == 1000 && user.gid == 1001 && user.home == "/h/a\tb" && user.fields == ["mail_path": "~/M"])
    }

    @Test(
        "fails with the right exit code",
        arguments: [
            ("NOTFOUND\t1\n", AccessFailure.Code.noUser), ("FAIL\t1\treason=x\n", .temporary), ("", .temporary),
            ("USER\t1\n", .temporary), ("USER\t2\tb\n", .temporary),
        ])
    func fails(_ answer: String, _ code: AccessFailure.Code) throws {
        let userdb = try Userdb(answer)
        do throws(AccessFailure) {
            _ = try UserLookup.find("ada", service: "lda", socket: userdb.path)
            Issue.record("found")
        } catch { #expect(error.code == code) }
    }

    @Test("without auth is a temporary failure")
    func noSocket() {
        do throws(AccessFailure) { _ = try UserLookup.find("ada", service: "lda", socket: "/nonexistent/auth-userdb") } catch {
            #expect(error.code == .temporary)
        }
    }
}
