import Platform
import Glibc
import Testing

@testable import MailStore

/// A session of Debian's Dovecot (`/usr/lib/dovecot/imap`, already logged in) on a Maildir of ours. It runs as nobody with
/// CAP_DAC_OVERRIDE, because it refuses root and some files are root's. Directories must be its own: it asks access(2), which
/// knows no capabilities, and serves a mailbox read-only without a word when the answer is no.
final class DovecotSession {
    private let socket: FileDescriptor
    private let pid: Int32
    private var received: [UInt8] = []
    private var tag = 0

    static let isPossible: Bool = {
        let isPossible =
            Process.isRoot && (try? FileStatus(path: "/usr/lib/dovecot/imap")) != nil && (try? FileStatus(path: "/usr/bin/setpriv")) != nil
        if !isPossible { print("Dovecot's side is not tested: it takes root, dovecot-imapd and setpriv") }
        return isPossible
    }()

    init(_ scratch: Scratch) throws {
        for directory in ["run"] { try? FileSystem.makeDirectory(scratch.path + "/" + directory, mode: 0o700) }
        if try scratch.status("dovecot.conf") == nil {
            try scratch.write(
                "dovecot.conf",
                """
                base_dir = \(scratch.path)/run
                state_dir = \(scratch.path)/run
                mail_location = maildir:~/Maildir
                log_path = /dev/null
                ssl = no
                first_valid_uid = 0
                first_valid_gid = 0
                mail_uid = nobody
                mail_gid = nogroup
                default_internal_user = nobody
                default_internal_group = nogroup
                default_login_user = nobody
                namespace inbox {
                  inbox = yes
                  separator = .
                }

                """)
        }
        try scratch.folder.directory.descriptor.setMode(0o777)
        let path = scratch.path + "/run/test-\(UInt32.random(in: 0 ... .max))"
        let listener = try Socket.listen(path: path, style: .stream, backlog: 1)
        socket = try Socket.connect(path: path, style: .stream)
        let theirs = try Socket.accept(listener.number)
        try theirs.setNonBlocking(false)
        let capabilities = "+dac_override,+dac_read_search,+fowner,+chown"
        pid = try Process.spawn(
            path: "/usr/bin/setpriv",
            arguments: [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=\(capabilities)",
                "--ambient-caps=\(capabilities)",
                "/usr/lib/dovecot/imap", "-c", scratch.path + "/dovecot.conf",
            ], environment: ["HOME=\(scratch.path)", "USER=nobody", "TZ=UTC", "PATH=/usr/bin:/bin"],
            descriptors: [theirs.number, theirs.number, -1])
        _ = try line()
    }

    /// Reaped: the runner's own wait for exit tests spins beside a child that nobody waits for.
    deinit {
        try? socket.writeAll(Array("x LOGOUT\r\n".utf8))
        while let count = try? socket.read(appendingTo: &received, atMost: 65_536), count > 0 {}
        _ = waitpid(pid, nil, 0)
    }

    private func line() throws -> String {
        while true {
            if let end = received.firstIndex(of: 0x0a) {
                let text = String(decoding: received[..<end].dropLast(), as: UTF8.self)
                received.removeSubrange(...end)
                return text
            }
            if try socket.read(appendingTo: &received, atMost: 65_536) == 0 { throw SystemError(call: "dovecot ended", code: 32) }
        }
    }

    /// Runs a command; answers the untagged lines. Literals are sent as LITERAL+.
    @discardableResult
    func run(_ command: String) throws -> [String] {
        tag += 1
        try socket.writeAll(Array("t\(tag) \(command)\r\n".utf8))
        var lines: [String] = []
        while true {
            let text = try line()
            if text.hasPrefix("t\(tag) ") {
                if !text.hasPrefix("t\(tag) OK") { Issue.record("\(command): \(text)") }
                return lines
            }
            lines.append(text)
        }
    }

    /// All messages of a mailbox, as `Picture.of` writes them.
    func picture(_ mailbox: String) throws -> Picture {
        var picture = Picture()
        for text in try run("SELECT \"\(mailbox)\"") {
            if let value = text.between("[UIDVALIDITY ", "]") { picture.uidValidity = UInt32(value) ?? 0 }
            if let value = text.between("[UIDNEXT ", "]") { picture.uidNext = UInt32(value) ?? 0 }
        }
        for text in try run("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)") {
            guard let uid = text.between("UID ", " "), let flags = text.between("FLAGS (", ")"),
                let date = text.between("INTERNALDATE \"", "\""),
                let size = text.between("RFC822.SIZE ", ")")
            else { continue }
            let shown = flags.split(separator: " ").map(String.init).filter { $0 != "\\Recent" }.sorted()
            picture.messages.append("\(uid) \(size) \(date) \(shown)")
        }
        return picture
    }
}

extension String {
    fileprivate func between(_ start: String, _ end: String) -> String? {
        let (bytes, first, last) = (Array(utf8), Array(start.utf8), Array(end.utf8))
        guard bytes.count >= first.count else { return nil }
        for index in 0...(bytes.count - first.count) where bytes[index...].starts(with: first) {
            let rest = bytes[(index + first.count)...]
            for stop in rest.indices where rest[stop...].starts(with: last) { return String(decoding: rest[..<stop], as: UTF8.self) }
        }
        return nil
    }
}

/// What a client sees of a mailbox.
struct Picture: Equatable {
    /// What differs, for a readable failure.
    func differences(from other: Picture?) -> [String] {
        let (mine, theirs) = (
            ["\(uidValidity) \(uidNext)"] + messages, ["\(other?.uidValidity ?? 0) \(other?.uidNext ?? 0)"] + (other?.messages ?? [])
        )
        return mine.filter { !theirs.contains($0) }.map { "+ " + $0 } + theirs.filter { !mine.contains($0) }.map { "- " + $0 }
    }

    var uidValidity: UInt32 = 0
    var uidNext: UInt32 = 0
    var messages: [String] = []

    static func of(_ mailbox: any Mailbox) throws -> Picture {
        var picture = Picture(uidValidity: mailbox.uidValidity, uidNext: mailbox.uidNext)
        for position in mailbox.messages.indices {
            let message = mailbox.messages[position]
            var flags = mailbox.keywordTexts(position)
            let names: [(MessageFlags, String)] = [
                (.answered, "\\Answered"), (.flagged, "\\Flagged"), (.deleted, "\\Deleted"), (.seen, "\\Seen"), (.draft, "\\Draft"),
            ]
            for (flag, name) in names where message.flags.contains(flag) { flags.append(name) }
            let date = try mailbox.internalDate(at: position)
            picture.messages.append("\(message.uid) \(try mailbox.virtualSize(at: position)) \(rendered(date)) \(flags.sorted())")
        }
        return picture
    }

    /// All dates of these tests are in January 2020.
    private static func rendered(_ date: Int64) -> String {
        func two(_ number: Int64, _ pad: String = "0") -> String { number < 10 ? pad + String(number) : String(number) }
        let seconds = date - 1_577_836_800
        return "\(two(seconds / 86_400 + 1))-Jan-2020 \(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60)) +0000"
    }
}

@Suite("A Maildir shared with Dovecot", .enabled(if: DovecotSession.isPossible), .serialized)
struct DovecotTests {
    private static let folders = [
        "Sent", "Drafts", "Trash", "Work", "Work.2024", "Work.2024.Q1", "Work.2025", "Entw&APw-rfe", "&ZeVnLIqe-", "&ZeVnLIqe-.a", "A &- B",
        "Lists",
    ]
    private static let flags = ["", "\\Seen", "\\Seen \\Answered", "\\Flagged kw1", "\\Deleted", "\\Draft Junk $Forwarded", "kw1 kw2"]

    private func date(_ number: Int) -> String {
        "\(number % 28 + 1 < 10 ? " " : "")\(number % 28 + 1)-Jan-2020 0\(number % 10):1\(number % 6):00 +0000"
    }

    private func decoded(_ name: String) -> String { String(decoding: ModifiedUTF7.decode(Array(name.utf8)[...]) ?? [], as: UTF8.self) }

    private func fill(_ dovecot: DovecotSession, _ folder: String, _ count: Int) throws {
        for number in 0..<count {
            let body = "Subject: \(number)\r\n\r\n" + String(repeating: "line\r\n", count: number % 7)
            try dovecot.run("APPEND \"\(folder)\" (\(Self.flags[number % 7])) \"\(date(number))\" {\(body.utf8.count)+}\r\n\(body)")
        }
    }

    @Test("keeps folders, UIDs, flags, keywords, dates and subscriptions in both directions")
    func bothWays() throws {
        let scratch = try Scratch()
        var dovecot: DovecotSession? = try DovecotSession(scratch)
        let folders = ["INBOX"] + Self.folders
        for (index, folder) in folders.enumerated() {
            if folder != "INBOX" { try dovecot?.run("CREATE \"\(folder)\"") }
            if index % 3 != 2 { try dovecot?.run("SUBSCRIBE \"\(folder)\"") }
            if let dovecot { try fill(dovecot, folder, index == 0 ? 300 : 12) }
        }
        try dovecot?.run("SELECT INBOX")
        try dovecot?.run("UID STORE 3:5 +FLAGS.SILENT (\\Deleted)")
        try dovecot?.run("EXPUNGE")
        try dovecot?.run("UID COPY 10:20 Sent")
        let before = try folders.map { try dovecot?.picture($0) }
        dovecot = nil

        // Culver sees what Dovecot showed.
        let store = try scratch.store()
        #expect(Set(try store.listedNames()) == Set(folders.map(decoded)))
        #expect(
            Set(try store.subscriptions().map(\.description)) == Set(folders.indices.filter { $0 % 3 != 2 }.map { decoded(folders[$0]) }))
        for (index, folder) in folders.enumerated() {
            let picture = try Picture.of(try store.opened(decoded(folder)))
            #expect(picture.differences(from: before[index]) == [], "\(folder)")
        }

        try change(store)
        let pictures = try folders.map { try Picture.of(try store.opened(decoded($0))) }

        // Dovecot takes over again and shows exactly that.
        let again = try DovecotSession(scratch)
        for (index, folder) in folders.enumerated() where folder != "Lists" {
            #expect(try again.picture(folder).differences(from: pictures[index]) == [], "\(folder)")
        }
        try again.run("CREATE Made.later")
        #expect(try again.run("LSUB \"\" *").count == (try store.subscriptions().count))
        try fill(again, "INBOX", 3)
        #expect(try Picture.of(try store.opened("INBOX")).differences(from: try again.picture("INBOX")) == [])
        #expect(scratch.log.isEmpty, "\(scratch.log)")
    }

    /// Appends, copies, moves, changes flags, expunges.
    private func change(_ store: any MailDriver) throws {
        let inbox = try store.opened("INBOX")
        for number in 0..<20 {
            try store.save(
                "Subject: c\(number)\n\nx\n",
                NewMessage(
                    flags: number % 2 == 0 ? [] : [.seen], keywords: number % 4 == 3 ? [try keyword("new\(number)")] : [],
                    internalDate: 1_577_836_800 + Int64(number)))
        }
        _ = try inbox.change(Array(20..<40), FlagChange(.add, flags: [.flagged], keywords: [try keyword("kw2"), try keyword("fresh")]))
        _ = try inbox.change(Array(40..<50), FlagChange(.replace, flags: [.seen]))
        try inbox.expunge(Array(50..<60))
        _ = try inbox.synchronize(reportExpunges: true)
        _ = try inbox.copy(Array(0..<30), to: try store.named("Entwürfe"))
        _ = try inbox.copy([0, 1], to: try store.named("INBOX"))
        _ = try inbox.move(Array(100..<130), to: try store.named("Work.2024.Q1"))
        try store.unsubscribe(try store.named("Sent"))
        try store.subscribe(try store.named("日本語.a"))
    }

    @Test("never gets a UID twice while both use it at once")
    func atOnce() throws {
        let scratch = try Scratch()
        let dovecot = try DovecotSession(scratch)
        try dovecot.run("SELECT INBOX")
        let store = try scratch.store()
        let inbox = try store.opened("INBOX")
        for round in 0..<15 {
            try store.save("Subject: c\(round)\n\n", NewMessage(internalDate: 1_577_836_800))
            try scratch.write("Maildir/new/\(1000 + round).foreign", "Subject: f\(round)\n\n", modified: 1_577_836_800)
            try fill(dovecot, "INBOX", 2)
            _ = try inbox.synchronize(reportExpunges: true)
            if round % 3 == 0 { _ = try inbox.change([round], FlagChange(.add, flags: [.flagged])) }
            if round % 4 == 1 { try inbox.expunge([0]) }
            try dovecot.run("UID STORE \(round + 2) +FLAGS.SILENT (kw\(round % 3))")
            _ = try inbox.synchronize(reportExpunges: true)
        }
        let mine = try Picture.of(inbox)
        #expect(try dovecot.picture("INBOX").differences(from: mine) == [])
        #expect(try Picture.of(try scratch.store().opened("INBOX")) == mine)
        #expect(mine.messages.count == 15 * 4 - 4)
    }
}
