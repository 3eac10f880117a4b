import IPCProtocol
import Platform
import Testing

@testable import ServiceKit

@Suite("A text for the log")
struct LogTextTests {
    @Test(
        "shows no control character, bidi mark or broken UTF-8 of a foreign value",
        arguments: [
            ("ada", "ada"), ("", ""), ("a\r\nb", "a??b"), ("\u{0}\u{1b}[31m\u{7f}", "??[31m?"), ("\u{85}\u{9b}x", "??x"),
            ("\u{202e}gpj\u{200f}\u{2066}\u{61c}\u{2028}", "?gpj????"), ("\u{feff}\u{fffd}", "??"), ("grüße ☃ 𝄞 日本", "grüße ☃ 𝄞 日本"),
            ("a\tb", "a?b"), ("%s%n$(x)`", "%s%n$(x)`"),
        ])
    func cleans(_ value: String, _ shown: String) {
        #expect(("<\(value)>" as LogText).text == "<\(shown)>")
        #expect(LogText(untrusted: value).text == shown)
    }

    @Test("cuts a foreign value at 200 bytes, never inside a letter", arguments: [("x", 200), ("é", 100), ("☃", 66), ("𝄞", 50)])
    func cuts(_ letter: String, _ kept: Int) {
        let value = String(repeating: letter, count: 500)
        #expect(("\(value)" as LogText).text == String(repeating: letter, count: kept) + "…")
        let exact = String(repeating: letter, count: kept)
        #expect(("\(exact)" as LogText).text == exact)
    }

    @Test("leaves our own words, numbers and texts that are clean already as they are") func trusted() {
        let inner = LogText(trusted: String(repeating: "y", count: 300))
        #expect(("a\n\(12) \(inner)" as LogText).text == "a\n12 " + inner.text)
        #expect(("\(SystemError(call: "open(/x\n)", code: 2))" as LogText).text == "open(/x?) failed: No such file or directory")
    }

    @Test(
        "writes seconds with three decimals",
        arguments: [(0, "0.000"), (2, "0.002"), (2_000, "2.000"), (61_234, "61.234")] as [(Int64, String)])
    func seconds(_ milliseconds: Int64, _ text: String) {
        #expect(LogText.seconds(milliseconds).text == text)
    }
}

@Suite("The way to the log")
struct LogTests {
    private final class Ends {
        let log: Log
        let channel: Channel
        let writer: FileDescriptor

        init(patience: Int32 = 0) throws {
            let (ours, theirs) = try SocketPair().split()
            writer = FileDescriptor(adopting: ours)
            log = Log(socket: ours, patience: patience)
            channel = Channel(FileDescriptor(adopting: theirs))
        }
    }

    private func next(_ channel: Channel) throws -> LogLine? {
        guard let received = try channel.receive(ServiceToLog.self), case .line(let line) = received.message else { return nil }
        return line
    }

    @Test("carries level, user, session and text") func carries() throws {
        let ends = try Ends()
        ends.log.user = "ada"
        ends.log.session = "s1"
        ends.log.warning("hot")
        #expect(try next(ends.channel) == LogLine(level: 2, user: "ada", session: "s1", pid: 0, text: "hot"))
        ends.log.write(.fatal, "gone", about: 77, user: "bob", session: "s2")
        #expect(try next(ends.channel) == LogLine(level: 4, user: "bob", session: "s2", pid: 77, text: "gone"))
    }

    @Test("makes debug lines only when they are wanted") func debug() throws {
        let ends = try Ends()
        ends.log.debug("quiet")
        ends.log.isDebugging = true
        ends.log.debug("loud")
        #expect(try next(ends.channel)?.text == "loud")
    }

    @Test("cuts a line that is too long instead of losing it", arguments: ["x", "é", "☃", "𝄞", "e\u{301}"])
    func cuts(_ letter: String) throws {
        for shift in 0..<4 {
            let ends = try Ends()
            let text = String(repeating: "-", count: shift) + String(repeating: letter, count: 2000)
            ends.log.info(LogText(trusted: text))
            let line = try #require(try next(ends.channel))
            #expect(line.text.utf8.count <= LogText.maximumLine && line.text.utf8.count > LogText.maximumLine - 12)
        }
    }

    @Test("counts lines that the log does not take and says so with the next that gets through") func lost() throws {
        let ends = try Ends()
        for number in 0..<5_000 { ends.log.info("line \(number)") }
        var taken = 0
        while let line = try next(ends.channel) {
            #expect(line.text == "line \(taken)")
            taken += 1
        }
        #expect(taken > 0 && taken < 5_000)
        ends.log.info("after")
        let note = try #require(try next(ends.channel))
        #expect(note.text == "\(5_000 - taken) lines lost: the log process did not take them" && note.level == LogLevel.warning.rawValue)
        #expect(try next(ends.channel)?.text == "after")
    }

    @Test("waits for a slow log, tells its title, and gives up after its patience") func patience() throws {
        let ends = try Ends(patience: 50)
        var blocked: [Bool] = []
        ends.log.whenBlocked = { blocked.append($0) }
        var sent = 0
        let begin = Clock.milliseconds
        while blocked.isEmpty, sent < 100_000 {
            ends.log.info("line")
            sent += 1
        }
        #expect(blocked == [true, false])
        #expect(Clock.milliseconds - begin >= 50)
    }
}

@Suite("Settings")
struct SettingsTests {
    private let settings = Settings(
        SettingsImage(blocks: [
            .init(values: [
                "a": "text", "yes": "yes", "no": "no", "n": "12", "t": "60000", "u": "unlimited", "i": "infinite", "w": "one two  three",
                "plugin/x": "1", "plugin/y": "2", "plug": "3",
            ]),
            .init(localName: "x", values: ["a": "other"]),
        ]))

    @Test("come from the block without conditions") func main() { #expect(settings["a"] == "text" && settings["missing"] == "") }

    @Test("are read by type, and what is missing or is no value gives the default") func types() {
        #expect(
            settings.bool("yes") && !settings.bool("no", default: true) && settings.bool("a", default: true) && !settings.bool("missing"))
        #expect(
            settings.number("n", default: 5) == 12 && settings.number("u", default: 5) == 5 && settings.number("missing", default: 5) == 5)
        #expect(settings.milliseconds("t", default: 1) == 60_000 && settings.milliseconds("i", default: .max) == .max)
        #expect(settings.words("w") == ["one", "two", "three"] && settings.words("missing") == [])
        #expect(settings.beneath("plugin/") == ["x": "1", "y": "2"])
    }

    @Test("of an image without blocks are all empty") func empty() { #expect(Settings(SettingsImage(blocks: []))["a"] == "") }

    @Test("are read from a sealed file only") func sealed() throws {
        let content = try SettingsImage(blocks: [.init(values: ["a": "b"])]).encoded()
        let file = try MemoryFile.sealed(name: "settings", content: content)
        #expect(try Settings(from: file)["a"] == "b")
        let (ours, theirs) = try SocketPair().split()
        closeDescriptor(theirs)
        let other = FileDescriptor(adopting: ours)
        #expect(throws: StartFailure.self) { try Settings(from: other) }
        let broken = try MemoryFile.sealed(name: "settings", content: Array(content.dropLast()))
        #expect(throws: StartFailure.self) { try Settings(from: broken) }
    }
}

@Suite("The end of a process")
struct ExitStatusTests {
    @Test(
        "is explained as administrators know it",
        arguments: [
            (0, nil, false, nil),
            (1, nil, false, "master: service(imap): child 42 returned error 1"),
            (80, nil, false, "master: service(imap): child 42 returned error 80 (can't open log file)"),
            (81, nil, false, "master: service(imap): child 42 returned error 81 (can't write to log file)"),
            (82, nil, false, "master: service(imap): child 42 returned error 82 (internal logging error)"),
            (
                83, nil, false,
                "master: service(imap): child 42 returned error 83 (Out of memory (service imap { vsz_limit=256 MB }, you may need to increase it))"
            ),
            (84, nil, false, "master: service(imap): child 42 returned error 84 (exec() failed)"),
            (89, nil, false, "master: service(imap): child 42 returned error 89 (Fatal failure)"),
            (
                159, nil, false,
                "master: service(imap): child 42 killed with signal 31 (by its system call filter; the line before names the call)"
            ),
            (nil, 9, false, "master: service(imap): child 42 killed with signal 9"),
            (
                nil, 11, false,
                "master: service(imap): child 42 killed with signal 11 (core dumps disabled - they would hold passwords and mail; what to do: docs/troubleshooting.md, A process crashed)"
            ),
            (nil, 6, true, "master: service(imap): child 42 killed with signal 6 (core dumped)"),
        ] as [(Int32?, Int32?, Bool, String?)])
    func explained(_ code: Int32?, _ signal: Int32?, _ core: Bool, _ text: String?) {
        let status = ExitStatus(code: code, signal: signal, dumpedCore: core)
        #expect(status.explanation(service: "imap", pid: 42, vszLimit: 256 << 20)?.text == text)
    }

    @Test(
        "is a crash when nobody sends that signal on purpose",
        arguments: [(4, true), (6, true), (7, true), (11, true), (31, true), (9, false), (15, false)] as [(Int32, Bool)])
    func crash(_ signal: Int32, _ isCrash: Bool) {
        #expect(ExitStatus(code: nil, signal: signal).isCrash == isCrash)
    }
}

@Suite("A start order")
struct StartOrderTests {
    @Test("packs and unpacks groups", arguments: [[], [0], [8, 65534, .max]] as [[UInt32]])
    func groups(_ groups: [UInt32]) {
        var order = StartOrder()
        order.groups = StartOrder.packed(groups: groups)
        #expect(order.supplementaryGroups == groups)
    }

    @Test("ignores an incomplete group", arguments: [1, 2, 3, 5, 7])
    func incomplete(_ bytes: Int) {
        var order = StartOrder()
        order.groups = [UInt8](repeating: 1, count: bytes)
        #expect(order.supplementaryGroups.count == bytes / 4)
    }
}

@Suite("Text for clients")
struct ClientTextTests {
    @Test(
        "has no controls",
        arguments: [
            ("Zoë's box, 50 %", "Zoë's box, 50 %"), ("a\r\nb", "a  b"), ("\0\t\u{7F}\u{80}\u{9F}", "     "), ("\u{202E}x", " x"), ("", ""),
        ])
    func clean(_ text: String, _ expected: String) { #expect(ClientText.line(text) == expected) }

    @Test("is cut between characters") func cut() {
        #expect(ClientText.line("añb", atMost: 2) == "a")
        #expect(ClientText.line("añb", atMost: 3) == "añ")
        #expect(ClientText.line("añb", atMost: 9) == "añb")
    }
}
