@testable import IMAPSyntax
import Testing

func raw(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Feeds a text in pieces of `step` bytes and collects what the reader says, without the `needMore`s.
func events(_ text: String, limits: Limits = .postLogin, step: Int = .max) -> [CommandReader.Event] {
    var reader = CommandReader(limits: limits)
    var found: [CommandReader.Event] = []
    var rest = raw(text)[...]
    while true {
        let event = reader.next()
        if event != .needMore {
            found.append(event)
            if case .appendLiteral = event { _ = reader.takeLiteral(atMost: .max) }
            continue
        }
        if reader.literalRemaining > 0, !reader.takeLiteral(atMost: .max).isEmpty { continue }
        if rest.isEmpty { return found }
        reader.feed(rest.prefix(step))
        rest = rest.dropFirst(step)
    }
}

private func command(_ text: String, _ literals: Range<Int>...) -> CommandReader.Event {
    .command(RawCommand(bytes: raw(text), literals: literals))
}

@Suite("The command reader")
struct CommandReaderTests {
    @Test("cuts a stream into commands, however it arrives", arguments: [1, 2, 3, 7, 1_000])
    func cuts(step: Int) {
        #expect(events("a1 NOOP\r\na2 LOGOUT\r\n", step: step) == [command("a1 NOOP"), command("a2 LOGOUT")])
        #expect(events("a1 NOOP\na2 X\r", step: step) == [command("a1 NOOP")])
        #expect(
            events("a LOGIN {3}\r\nbob {4}\r\na\r\nb\r\n", step: step) == [
                .continuation(literal: 3), .continuation(literal: 4), command("a LOGIN {3}bob {4}a\r\nb", 11..<14, 18..<22),
            ])
        #expect(events("a LOGIN {3+}\r\nbob {0+}\r\n\r\n", step: step) == [command("a LOGIN {3+}bob {0+}", 12..<15, 20..<20)])
    }

    @Test("announces the message of APPEND instead of holding it", arguments: [1, 5, 1_000])
    func append(step: Int) {
        #expect(
            events("a APPEND INBOX (\\Seen) {5+}\r\nhello\r\nb NOOP\r\n", step: step) == [
                .appendLiteral(RawCommand(bytes: raw("a APPEND INBOX (\\Seen) {5+}")), size: 5, nonSynchronising: true),
                command(""), command("b NOOP"),
            ])
        #expect(
            events("a APPEND {5}\r\nInbox {3}\r\nabc {2}\r\nxy\r\n", step: step) == [
                .continuation(literal: 5),
                .appendLiteral(RawCommand(bytes: raw("a APPEND {5}Inbox {3}"), literals: [12..<17]), size: 3, nonSynchronising: false),
                .appendLiteral(RawCommand(bytes: raw(" {2}")), size: 2, nonSynchronising: false),
                command(""),
            ])
    }

    @Test("goes on after a refused synchronising message")
    func refused() {
        var reader = CommandReader(limits: .postLogin)
        reader.feed(raw("a APPEND INBOX {5}\r\n")[...])
        guard case .appendLiteral = reader.next() else { return #expect(Bool(false)) }
        reader.refuseLiteral()
        reader.feed(raw("b NOOP\r\n")[...])
        #expect(reader.next() == command("b NOOP"))
    }

    @Test("refuses what passes a limit and goes on where that is safe")
    func limits() {
        let tight = Limits(line: 20, literal: 4, literalSum: 6, literalCount: 2, depth: 1, streamsAppend: false)
        func over(_ kind: CommandReader.OverLimit.Kind, _ tag: String, closes: Bool = false) -> CommandReader.Event {
            .overLimit(.init(kind: kind, tag: raw(tag), mustClose: closes))
        }
        #expect(events("a 345678901234567890\r\n", limits: tight).count == 1)
        #expect(events("abc 45678901234567890\r\nb NOOP\r\n", limits: tight) == [over(.line, "abc"), command("b NOOP")])
        #expect(events("abc 4567890123456789012345\r\nb NOOP\r\n", limits: tight, step: 1) == [over(.line, "abc"), command("b NOOP")])
        #expect(events("a X {5}\r\nb NOOP\r\n", limits: tight) == [over(.literal, "a"), command("b NOOP")])
        #expect(events("a X {5+}\r\n", limits: tight) == [over(.literal, "a", closes: true)])
        #expect(events("a X {4+}\r\nabcd {3}\r\n", limits: tight) == [over(.literalSum, "a")])
        #expect(events("a X {1+}\r\na {1+}\r\nb {1+}\r\n", limits: tight) == [over(.literalCount, "a", closes: true)])
        #expect(events("a X {99999999999999999999}\r\n", limits: tight) == [over(.line, "a")])
        #expect(events("a APPEND I {5}\r\n", limits: .preLogin) == [.continuation(literal: 5)])
    }

    @Test("lets a SASL message pass the limit of a line")
    func saslLine() {
        let long = "a AUTHENTICATE PLAIN " + String(repeating: "A", count: 12_000) + "\r\n"
        #expect(events(long, limits: .preLogin).count == 1)
        if case .overLimit = events(long, limits: .preLogin)[0] { #expect(Bool(false)) }
        let longer = "a AUTHENTICATE PLAIN " + String(repeating: "A", count: 20_000) + "\r\n"
        guard case .overLimit(let refusal) = events(longer, limits: .preLogin).first else { return #expect(Bool(false)) }
        #expect(refusal.tag == raw("a"))
    }

    @Test("reads single lines")
    func lines() {
        var reader = CommandReader(limits: .preLogin, pending: raw("abc\r\nde\nrest"))
        #expect(reader.nextLine(atMost: 3) == .line(raw("abc")))
        #expect(reader.nextLine(atMost: 3) == .line(raw("de")))
        #expect(Array(reader.unread) == raw("rest"))
        #expect(reader.nextLine(atMost: 2) == .overLimit)
        #expect(reader.nextLine(atMost: 10) == .needMore)
    }

    @Test(
        "finds literal announcements only at the end of a line",
        arguments: [
            ("x {12}", 12 as Int64, false), ("{0}", 0, false), ("x {12+}", 12, true), ("x ~{7}", 7, false),
            ("x {99999999999999999999999}", Int64.max, false),
        ])
    func announcements(_ line: String, _ size: Int64, _ nonSynchronising: Bool) {
        let found = LiteralAnnouncement(endOf: raw(line)[...])
        #expect(found?.size == size)
        #expect(found?.isNonSynchronising == nonSynchronising)
    }

    @Test("takes nothing else for one", arguments: ["", "}", "{}", "{+}", "12}", "{1a}", "{12} ", "{-1}", "{12++}", "+}", "{12"])
    func noAnnouncement(_ line: String) {
        #expect(LiteralAnnouncement(endOf: raw(line)[...]) == nil)
    }
}
