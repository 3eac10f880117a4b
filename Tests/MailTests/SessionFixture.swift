import Deflate
import Foundation
import Glibc
import MailStore
import Platform
import Synchronization
import Variables

@testable import mail

/// A Maildir in a directory of its own.
final class TestMail: Sendable {
    let home: String

    init() throws {
        home = "/tmp/culver-mail-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: home) }

    var maildir: String { home + "/Maildir" }

    /// Puts a message into new/ like a delivery agent.
    func deliver(_ text: String, name: String, folder: String = "") throws {
        let directory = maildir + (folder.isEmpty ? "" : "/.\(folder)")
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(home)/\(name)"))
        try FileManager.default.moveItem(atPath: "\(home)/\(name)", toPath: "\(directory)/new/\(name)")
    }

    func connect(
        pending: String = "", withCapability: Bool = true, adjust: @escaping @Sendable (inout IMAPSettings) -> Void = { _ in }
    ) throws -> TestClient {
        try TestClient(self, pending: pending, withCapability: withCapability, adjust: adjust)
    }
}

/// A client at the other end of a session that runs in a thread of its own.
final class TestClient {
    private let mail: TestMail
    private let socket: Int32
    /// Writing a byte asks the session to stop.
    let control: Int32
    private var buffer: [UInt8] = []
    private let ended = Ended()
    private var tags = 0
    private var deflater: Deflater?
    private var inflater: Inflater?

    private final class Ended: Sendable {
        let result = Mutex<IMAPSessionResult?>(nil)
        let done = DispatchSemaphore(value: 0)
    }

    init(_ mail: TestMail, pending: String, withCapability: Bool, adjust: @escaping @Sendable (inout IMAPSettings) -> Void) throws {
        self.mail = mail
        signal(SIGPIPE, SIG_IGN)
        var pair: [Int32] = [-1, -1]
        _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        var pipes: [Int32] = [-1, -1]
        _ = unsafe pipe(&pipes)
        socket = pair[0]
        control = pipes[1]
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let (server, signals, ended, home) = (pair[1], pipes[0], ended, mail.home)
        Thread {
            let result = Self.serve(server, signals, home, pending, withCapability, adjust)
            ended.result.withLock { $0 = result }
            ended.done.signal()
        }.start()
    }

    private static func serve(
        _ server: Int32, _ signals: Int32, _ home: String, _ pending: String, _ withCapability: Bool, _ adjust: (inout IMAPSettings) -> Void
    ) -> IMAPSessionResult? {
        defer { close(signals) }
        let client = FileDescriptor(adopting: server)
        var options = StoreOptions()
        options.durability = .never
        options.namespaces[0].mailboxes = [
            MailboxSettings(name: Array("Sent".utf8), specialUse: ["\\Sent"]),
            MailboxSettings(name: Array("Trash".utf8), specialUse: ["\\Trash"]),
        ]
        do {
            let store = try MailStore.open(location: MailLocation(path: home + "/Maildir"), home: home, options: options)
            var settings = IMAPSettings()
            settings.control = ControlChannel(number: signals) {
                var byte: UInt8 = 0
                _ = unsafe read(signals, &byte, 1)
                return byte == 0x6b ? .kick : .shutDown
            }
            adjust(&settings)
            let start = SessionStart(tag: Array("L".utf8), pendingInput: Array(pending.utf8), answerWithCapability: withCapability)
            let session = try IMAPSession(client: client, start: start, store: store, settings: settings)
            return session.run()
        } catch {
            return nil
        }
    }

    deinit {
        close(socket)
        close(control)
        _ = ended.done.wait(timeout: .now() + 5)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// From now on as after COMPRESS.
    func compress() {
        deflater = Deflater()
        inflater = Inflater()
    }

    func send(_ bytes: [UInt8]) {
        guard let deflater else { return sendRaw(bytes) }
        var compressed: [UInt8] = []
        deflater.compress(bytes[...], into: &compressed)
        sendRaw(compressed)
    }

    func sendRaw(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(socket, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The session reads the end of the stream after what was sent.
    func finishSending() { _ = shutdown(socket, Int32(SHUT_WR)) }

    /// One line without its end; nil at the end of the connection.
    func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0a) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end].filter { $0 != 0x0d }, as: UTF8.self)
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(socket, $0.baseAddress, $0.count) }
            guard count > 0 else { return nil }
            guard let inflater else {
                buffer.append(contentsOf: piece[..<count])
                continue
            }
            inflater.feed(piece[..<count])
            while inflater.isWaiting { guard inflater.next(into: &buffer, atMost: 65_536) else { return nil } }
        }
    }

    /// All lines up to the one that begins with `tag`, that one too.
    func lines(until tag: String) -> [String] {
        var found: [String] = []
        while let line = line() {
            found.append(line)
            if line.hasPrefix(tag) { break }
        }
        return found
    }

    /// Runs a command and answers all lines, the tagged one as `OK …`, `NO …`, `BAD …`. A literal is written as `{n}` and a line end in the text.
    @discardableResult
    func run(_ command: String) -> [String] {
        tags += 1
        send("t\(tags) \(command)\r\n")
        var found = lines(until: "t\(tags) ")
        if let last = found.popLast() { found.append(last.hasPrefix("t\(tags) ") ? String(last.dropFirst("t\(tags) ".count)) : last) }
        return found
    }

    /// Waits for the end of the session.
    func result() -> IMAPSessionResult? {
        _ = ended.done.wait(timeout: .now() + 10)
        defer { ended.done.signal() }
        return ended.result.withLock { $0 }
    }

    /// Appends a message whose line ends are LF here.
    @discardableResult
    func append(_ text: String, to mailbox: String = "INBOX", _ options: String = "") -> [String] {
        let wire = text.replacingOccurrences(of: "\n", with: "\r\n")
        return run("APPEND \(mailbox) \(options.isEmpty ? "" : options + " "){\(wire.utf8.count)+}\r\n\(wire)")
    }
}
