internal import IPCProtocol
internal import Platform
internal import ServiceKit
internal import Variables

/// A line as it was received: who wrote it, as the kernel knows, and what.
struct ReceivedLine: Equatable {
    var level: LogLevel
    var service: String
    /// The process the line is about.
    var pid: Int32
    var user: String
    var session: String
    var text: String

    /// What `Process.spawn` says where it cannot execute a program.
    private static let execPrefix = Array("Fatal: execv(".utf8)

    /// A process ended with "default fatal" (89): that says nothing more when its own last line was fatal.
    var isPlainFatalEnd: Bool {
        level == .fatal && text.hasPrefix("master: service(") && text.hasSuffix("child \(pid) returned error 89 (Fatal failure)")
    }

    /// Takes a datagram apart. Frames are lines; anything else is what a library or the runtime printed on standard error.
    init(service: String, leader: UInt32, sender: Int32, bytes: [UInt8]) {
        self.service = service
        pid = sender
        user = ""
        session = ""
        if let line = Self.frame(bytes) {
            level = LogLevel(rawValue: line.level) ?? .error
            user = LogText(untrusted: line.user).text
            session = LogText(untrusted: line.session).text
            text = LogText(untrusted: line.text).text
            // Only the leader may speak of others: a worker cannot write lines in another's name.
            if line.pid != 0, UInt32(bitPattern: sender) == leader { pid = Int32(bitPattern: line.pid) }
            return
        }
        let raw = String(decoding: bytes.prefix(LogText.maximumLine), as: UTF8.self)
        // What is written where no frame can be made: the name of a forbidden system call, a program that cannot be executed.
        let isOurs = bytes.starts(with: Log.trapPrefix) || bytes.starts(with: Self.execPrefix)
        level = isOurs ? .fatal : .error
        let body = isOurs ? raw.dropFirst("Fatal: ".count) : raw[...]
        text = LogText(untrusted: String(body.split(separator: "\n").joined(separator: " "))).text
    }

    private static func frame(_ bytes: [UInt8]) -> LogLine? {
        guard bytes.count >= 4, bytes[0] == UInt8(FrameHeader.magic & 0xff), bytes[1] == UInt8(FrameHeader.magic >> 8) else { return nil }
        var datagram = bytes
        // The spool cannot tell zeros at a frame's end from its own; the header can.
        while datagram.count < FrameHeader.size { datagram.append(0) }
        let announced = (0..<4).reduce(0) { $0 | Int(datagram[12 + $1]) << (8 * $1) }
        guard announced <= 4096 else { return nil }
        while datagram.count < FrameHeader.size + announced { datagram.append(0) }
        do throws(FrameError) {
            guard case .line(let line) = try ServiceToLog.decode(datagram, descriptors: 0).message else { return nil }
            return line
        } catch {
            return nil
        }
    }
}

/// How lines look (operations.md 2).
struct LineFormat {
    private let timestamp: String
    private let prefix: Template?
    private var lastSecond: Int64 = -1
    private var lastStamp = ""

    init(_ settings: Settings) {
        timestamp = settings["log_timestamp"].isEmpty ? "%b %d %H:%M:%S " : settings["log_timestamp"]
        let dialect: TemplateDialect = settings["config_dialect"] == "2.4" ? .pipelines : .letters
        let text = settings["mail_log_prefix"]
        do throws(TemplateError) { prefix = text.isEmpty ? nil : try Template(text, dialect: dialect, scope: .mail) } catch { prefix = nil }
    }

    /// `imap(ada)<17169><wg+iV79gQOF>: ` once the user is known, `imap-login: ` before.
    func prefix(_ line: ReceivedLine) -> String {
        guard !line.user.isEmpty else { return "\(line.service): " }
        let values = [
            "service": line.service, "protocol": line.service, "user": line.user, "pid": String(line.pid), "session": line.session,
            "username": String(line.user.prefix { $0 != "@" }), "domain": String(line.user.drop { $0 != "@" }.dropFirst()),
            "process:pid": String(line.pid),
        ]
        if let prefix {
            do throws(TemplateError) { return try prefix.expand { values[$0] ?? "" } } catch {}
        }
        return "\(line.service)(\(line.user))<\(line.pid)><\(line.session)>: "
    }

    /// A line of a file: always with the level's word.
    mutating func fileLine(_ line: ReceivedLine, at second: Int64) -> String {
        if second != lastSecond {
            lastSecond = second
            lastStamp = Clock.local(second, format: timestamp)
        }
        return "\(lastStamp)\(prefix(line))\(line.level.word): \(line.text)\n"
    }

    /// The text of a syslog entry: without time, and without a word for Info.
    func syslogText(_ line: ReceivedLine) -> String {
        "\(prefix(line))\(line.level == .info ? "" : line.level.word + ": ")\(line.text)"
    }
}
