import IPCProtocol
import ServiceKit
import Testing

@testable import logd

private func frame(_ line: LogLine) throws -> [UInt8] {
    let payload = try ServiceToLog.line(line).encodedPayload()
    return FrameHeader(kind: 1, descriptorCount: 0, request: 0, payloadLength: UInt32(payload.count)).encoded() + payload
}

private func received(_ bytes: [UInt8], sender: Int32 = 100, leader: UInt32 = 50) -> ReceivedLine {
    ReceivedLine(service: "imap", leader: leader, sender: sender, bytes: bytes)
}

@Suite("A received line")
struct ReceivedLineTests {
    @Test("is about its sender, as the kernel knows it") func sender() throws {
        let line = received(try frame(.init(level: 2, user: "ada", session: "s", pid: 0, text: "hot")))
        #expect(line.level == .warning && line.pid == 100 && line.user == "ada" && line.session == "s" && line.text == "hot")
        #expect(line.service == "imap")
    }

    @Test("may be about another process only when the leader sends it", arguments: [(50, 77), (100, 100), (0, 0)] as [(Int32, Int32)])
    func leader(_ sender: Int32, _ pid: Int32) throws {
        let bytes = try frame(.init(level: 4, user: "", session: "", pid: 77, text: "gone"))
        #expect(received(bytes, sender: sender).pid == pid)
    }

    @Test(
        "is a plain fatal end when master or a zygote says so of that process",
        arguments: [
            ("master: service(imap): child 77 returned error 89 (Fatal failure)", true),
            ("master: service(imap): child 78 returned error 89 (Fatal failure)", false),
            ("master: service(imap): child 77 returned error 84 (exec() failed)", false),
            ("master: service(imap): child 77 killed with signal 9", false),
        ])
    func plainFatalEnd(_ text: String, _ isPlain: Bool) throws {
        let bytes = try frame(.init(level: 4, user: "", session: "", pid: 77, text: text))
        #expect(received(bytes, sender: 50).isPlainFatalEnd == isPlain)
        let warning = try frame(.init(level: 2, user: "", session: "", pid: 77, text: text))
        #expect(!received(warning, sender: 50).isPlainFatalEnd)
    }

    @Test("of an unknown leader is about its sender") func unknownLeader() throws {
        let bytes = try frame(.init(level: 4, user: "", session: "", pid: 77, text: "gone"))
        #expect(received(bytes, sender: 100, leader: 0).pid == 100)
    }

    @Test("keeps frames whose end is zeros, which the spool cannot tell from its own", arguments: ["", "a", "a\u{0}", "\u{0}\u{0}\u{0}"])
    func trailingZeros(_ text: String) throws {
        var bytes = try frame(.init(level: 1, user: "", session: "", pid: 0, text: text))
        while bytes.last == 0 { bytes.removeLast() }
        let line = received(bytes)
        #expect(line.level == .info && line.text == text.map { $0 == "\u{0}" ? "?" : String($0) }.joined())
    }

    @Test("shows control characters and bidi marks of whoever wrote it as ?") func cleaned() throws {
        let line = received(try frame(.init(level: 1, user: "a\nb", session: "\u{1b}", pid: 0, text: "x\r\ny\u{202e}z")))
        #expect(line.user == "a?b" && line.session == "?" && line.text == "x??y?z")
    }

    @Test("of an unknown level is an error") func level() throws {
        for level in [6, 200, 255] as [UInt8] {
            #expect(received(try frame(.init(level: level, user: "", session: "", pid: 0, text: "x"))).level == .error)
        }
    }

    @Test(
        "that is no frame is what a library printed",
        arguments: [
            ("Fatal error: index out of range\n", LogLevel.error, "Fatal error: index out of range"),
            ("one\ntwo\n\nthree\n", .error, "one two three"),
            ("", .error, ""), ("\n", .error, ""), ("C", .error, "C"), ("CV", .error, "CV"),
            ("CVS is not a frame\n", .error, "CVS is not a frame"),
            ("Fatal: forbidden system call, ended by its filter: socket\n", .fatal, "forbidden system call, ended by its filter: socket"),
            ("Fatal: execv(/x/imap) failed: No such file or directory\n", .fatal, "execv(/x/imap) failed: No such file or directory"),
            ("Fatal: something else\n", .error, "Fatal: something else"),
        ])
    func raw(_ text: String, _ level: LogLevel, _ shown: String) {
        let line = received(Array(text.utf8))
        #expect(line.level == level && line.text == shown && line.pid == 100 && line.user == "")
    }

    @Test("survives any bytes, and never has a line feed") func fuzz() throws {
        let good = try frame(.init(level: 3, user: "ada", session: "s1", pid: 9, text: "text"))
        for _ in 0..<3_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 0...4) where !bytes.isEmpty {
                let index = Int.random(in: bytes.indices)
                if Bool.random() { bytes[index] = .random(in: 0...255) } else { bytes.removeSubrange(index...) }
            }
            #expect(fuzzReceivedLine(bytes))
        }
    }
}

@Suite("The format of lines")
struct LineFormatTests {
    private func format(_ settings: [String: String] = [:]) -> LineFormat {
        var values = ["log_timestamp": "T "]
        values.merge(settings) { $1 }
        return LineFormat(Settings(SettingsImage(blocks: [.init(values: values)])))
    }

    private func line(_ level: UInt8, user: String = "", session: String = "") throws -> ReceivedLine {
        received(try frame(.init(level: level, user: user, session: session, pid: 0, text: "text")))
    }

    @Test(
        "of a file has time, prefix and always the level's word",
        arguments: [
            (0, "Debug"), (1, "Info"), (2, "Warning"), (3, "Error"), (4, "Fatal"), (5, "Panic"),
        ] as [(UInt8, String)])
    func file(_ level: UInt8, _ word: String) throws {
        var format = format()
        #expect(format.fileLine(try line(level), at: 1) == "T imap: \(word): text\n")
        #expect(format.fileLine(try line(level, user: "ada", session: "s1"), at: 1) == "T imap(ada)<100><s1>: \(word): text\n")
    }

    @Test("of syslog has no time, and no word for Info") func syslog() throws {
        #expect(format().syslogText(try line(1)) == "imap: text")
        #expect(format().syslogText(try line(3)) == "imap: Error: text")
        #expect(format().syslogText(try line(1, user: "ada", session: "s1")) == "imap(ada)<100><s1>: text")
    }

    @Test(
        "has the prefix of the settings once the user is known, in both dialects",
        arguments: [
            (["config_dialect": "2.3", "mail_log_prefix": "%s(%u)<%{pid}><%{session}>: "], "imap(ada@x.org)<100><s1>: "),
            (["config_dialect": "2.3", "mail_log_prefix": "%s:%n@%d "], "imap:ada@x.org "),
            (["config_dialect": "2.4", "mail_log_prefix": "%{protocol}(%{user})<%{process:pid}>: "], "imap(ada@x.org)<100>: "),
            (["config_dialect": "2.4", "mail_log_prefix": "%{user"], "imap(ada@x.org)<100><s1>: "),
            ([:], "imap(ada@x.org)<100><s1>: "),
        ])
    func prefix(_ settings: [String: String], _ expected: String) throws {
        #expect(format(settings).prefix(try line(1, user: "ada@x.org", session: "s1")) == expected)
        #expect(format(settings).prefix(try line(1)) == "imap: ")
    }

    @Test("takes a time anew each second") func time() throws {
        var format = format(["log_timestamp": "%s "])
        let line = try line(1)
        #expect(format.fileLine(line, at: 5) == "5 imap: Info: text\n")
        #expect(format.fileLine(line, at: 5) == "5 imap: Info: text\n")
        #expect(format.fileLine(line, at: 6) == "6 imap: Info: text\n")
    }
}
