import Glibc
import Testing
import Variables

@testable import mail

@Suite("An IMAP session among others", .serialized)
struct IMAPSessionEndTests {
    @Test("sees what other sessions do")
    func changes() throws {
        let mail = try TestMail()
        let (a, b) = (try mail.connect(), try mail.connect())
        for client in [a, b] {
            _ = client.line()
            client.run("SELECT INBOX")
        }
        a.append("x\n")
        a.append("y\n")
        #expect(b.run("NOOP").filter { $0.hasSuffix("EXISTS") } == ["* 2 EXISTS"])
        a.run("NOOP")
        a.run("STORE 1 +FLAGS (\\Deleted)")
        #expect(b.run("NOOP").contains { $0.hasPrefix("* 1 FETCH (FLAGS (\\Deleted") })
        a.run("EXPUNGE")
        // No EXPUNGE during FETCH with sequence numbers; the lost message is named with NO or as it was.
        let fetched = b.run("FETCH 1:2 UID")
        #expect(!fetched.contains { $0.contains("EXPUNGE") && !$0.contains("EXPUNGEISSUED") })
        #expect(b.run("FETCH 1:2 BODY.PEEK[]").last?.hasPrefix("NO [EXPUNGEISSUED]") == true)
        #expect(b.run("NOOP") == ["* 1 EXPUNGE", "OK NOOP completed."])
        #expect(b.run("FETCH 1 UID").first == "* 1 FETCH (UID 2)")
    }

    @Test("hears of a delivery while it idles")
    func idle() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        client.run("SELECT INBOX")
        client.send("i IDLE\r\n")
        #expect(client.line() == "+ idling")
        try mail.deliver("Subject: x\n\ny\n", name: "1.M1P1.host")
        #expect(client.line() == "* 1 EXISTS")
        #expect(client.line() == "* 1 RECENT")
        client.send("DONE\r\n")
        #expect(client.line() == "i OK Idle completed.")
        client.send("i IDLE\r\nDONE\r\nj IDLE\r\nnonsense\r\n")
        #expect(
            client.lines(until: "j") == [
                "+ idling", "i OK Idle completed.", "+ idling", "j BAD Error in IMAP command IDLE: Expected DONE.",
            ])
    }

    @Test("says that it is alive while it idles")
    func stillHere() throws {
        let client = try TestMail().connect { $0.idleNotifyMilliseconds = 50 }
        _ = client.line()
        client.send("i IDLE\r\n")
        #expect(client.line() == "+ idling")
        #expect(client.line() == "* OK Still here")
        #expect(client.line() == "* OK Still here")
    }

    @Test(
        "ends when it is told to, also while it idles",
        arguments: [
            ("s", SessionEnd.shuttingDown, "* BYE Server shutting down."), ("k", .kicked, "* BYE Disconnected by the administrator."),
        ])
    func control(_ byte: String, _ end: SessionEnd, _ bye: String) throws {
        for command in ["", "i IDLE\r\n"] {
            let client = try TestMail().connect()
            _ = client.line()
            client.send(command)
            if !command.isEmpty { #expect(client.line() == "+ idling") }
            let bytes = Array(byte.utf8)
            _ = unsafe bytes.withUnsafeBytes { unsafe write(client.control, $0.baseAddress, 1) }
            #expect(client.line() == bye)
            #expect(client.line() == nil)
            #expect(client.result()?.end == end)
        }
    }

    @Test("ends when the client is silent or gone")
    func silence() throws {
        let silent = try TestMail().connect { $0.inactivityMilliseconds = 50 }
        _ = silent.line()
        #expect(silent.line() == "* BYE Disconnected for inactivity.")
        #expect(
            silent.result()?.logText(format: logoutFormat).hasPrefix("Disconnected: Disconnected for inactivity (No commands sent) in=0")
                == true)
        let slow = try TestMail().connect { $0.pauseMilliseconds = 50 }
        _ = slow.line()
        slow.send("a APPEND INBOX {10+}\r\nabc")
        #expect(slow.line() == "* BYE Disconnected for inactivity.")
    }

    @Test("ends after 20 bad commands in a row")
    func badCommands() throws {
        let client = try TestMail().connect()
        _ = client.line()
        for _ in 1...19 { client.run("NONSENSE") }
        client.run("NOOP")
        for _ in 1...19 { client.run("NONSENSE") }
        #expect(client.run("NONSENSE") == ["BAD Error in IMAP command NONSENSE: Unknown command."])
        #expect(client.line() == "* BYE Too many invalid IMAP commands.")
    }

    @Test("never takes refused literals for commands")
    func literals() throws {
        let client = try TestMail().connect()
        _ = client.line()
        #expect(client.run("LOGIN {200000}") == ["NO [TOOBIG] Literal too large."])
        client.send("x CREATE {2000000+}\r\n")
        #expect(client.line() == "* BYE Literal too large.")
        #expect(client.line() == nil)
    }

    @Test("reads literals of clients that do not wait")
    func impatient() throws {
        let client = try TestMail().connect(pending: "p CREATE {1}\r\na\r\n")
        #expect(client.lines(until: "p OK [MAILBOXID").dropLast().last == "+ OK")
        #expect(client.run("CREATE {1}\r\nb").first == "+ OK")
        #expect(client.run("APPEND {1}\r\na {3}\r\nabc").last?.hasSuffix("Append completed.") == true)
    }

    @Test("refuses messages and stays in step")
    func refusedAppends() throws {
        let client = try TestMail().connect()
        _ = client.line()
        #expect(client.run("APPEND INBOX {0+}\r\n") == ["NO Can't save a zero byte message."])
        #expect(client.run("APPEND nowhere {3}") == ["NO [TRYCREATE] Mailbox doesn't exist: nowhere"])
        #expect(client.run("APPEND nowhere {9+}\r\nz LOGOUT\n {2+}\r\nab") == ["NO [TRYCREATE] Mailbox doesn't exist: nowhere"])
        #expect(client.run("APPEND INBOX (\\Foo) {3+}\r\nabc").first?.hasPrefix("BAD") == true)
        #expect(
            client.run("APPEND INBOX {3+}\r\na\u{0}c") == ["BAD Error in IMAP command APPEND: NULs are not allowed outside of literal8."])
        #expect(client.run("APPEND INBOX {3+}\r\nabc x") == ["BAD Error in IMAP command APPEND: Expected literal."])
        #expect(client.run("STATUS INBOX (MESSAGES)").first == "* STATUS INBOX (MESSAGES 0)")
        #expect(client.run("APPEND INBOX {3+}\r\nabc (\\Seen) {4+}\r\ndefg").last?.hasSuffix(" 1:2] Append completed.") == true)
        client.send("s APPEND INBOX {3}\r\n")
        #expect(client.line() == "+ OK")
        client.send("abc\r\n")
        #expect(client.line()?.hasSuffix(" 3] Append completed.") == true)
        #expect(client.run("STATUS INBOX (MESSAGES UNSEEN)").first == "* STATUS INBOX (MESSAGES 3 UNSEEN 2)")
    }

    @Test("carries big messages both ways")
    func big() throws {
        let client = try TestMail().connect()
        _ = client.line()
        let body = String(repeating: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n", count: 40_000)
        #expect(client.append("Subject: big\n\n" + body).last?.hasPrefix("OK") == true)
        client.run("SELECT INBOX")
        let size = 16 + 65 * 40_000
        let whole = client.run("FETCH 1 BODY.PEEK[]")
        #expect(whole.first == "* 1 FETCH (BODY[] {\(size)}")
        #expect(whole.count == 40_000 + 5)
        // Partials, one after the other, give the same.
        var collected = 0
        for first in stride(from: 0, to: size, by: 300_000) {
            let piece = client.run("FETCH 1 BODY.PEEK[]<\(first).300000>")
            let count = min(300_000, size - first)
            #expect(piece.first == "* 1 FETCH (BODY[]<\(first)> {\(count)}")
            collected += count
        }
        #expect(collected == size)
        #expect(client.run("FETCH 1 BODY.PEEK[1]<1300000.8>").dropFirst().first == "01234567)")
    }
}
