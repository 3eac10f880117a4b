internal import IPCProtocol
internal import Platform

/// Levels of log lines; the raw value travels.
package enum LogLevel: UInt8, Comparable, Sendable {
    case debug, info, warning, error, fatal, panic

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// The word in the line: `Warning`.
    package var word: String {
        switch self {
        case .debug: "Debug"
        case .info: "Info"
        case .warning: "Warning"
        case .error: "Error"
        case .fatal: "Fatal"
        case .panic: "Panic"
        }
    }
}

/// This process's way to the log. Time, service and pid are added by the log process, from the kernel.
///
/// While the log process does not keep up, a writer waits (its title says so); after `patience` it drops lines, counts them, and says how
/// many with the next line that gets through.
package final class Log {
    private let socket: Int32
    private let patience: Int32
    private var lost = 0
    /// Part of each line's prefix once known.
    package var user = ""
    package var session = ""
    /// Debug lines are not even made unless this is set.
    package var isDebugging = false
    /// Lines are made but not sent: while a zygote rehearses what its workers will do.
    package var isSilent = false
    /// Called with true before waiting for the log, with false after it: for the title.
    package var whenBlocked: ((Bool) -> Void)?

    /// `patience` in milliseconds; 0 for master, which never waits.
    package init(socket: Int32 = Inherited.log, patience: Int32 = 10_000) {
        self.socket = socket
        self.patience = patience
    }

    package func debug(_ text: @autoclosure () -> LogText) { if isDebugging { write(.debug, text()) } }
    package func info(_ text: LogText) { write(.info, text) }
    package func warning(_ text: LogText) { write(.warning, text) }
    package func error(_ text: LogText) { write(.error, text) }
    package func fatal(_ text: LogText) { write(.fatal, text) }

    /// A line about another process, for zygotes and master (honoured from a service's leader only).
    package func write(_ level: LogLevel, _ text: LogText, about pid: Int32, user: String, session: String) {
        send(LogLine(level: level.rawValue, user: user, session: session, pid: UInt32(bitPattern: pid), text: text.text))
    }

    package func write(_ level: LogLevel, _ text: LogText) {
        send(LogLine(level: level.rawValue, user: user, session: session, pid: 0, text: text.text))
    }

    private func send(_ line: LogLine) {
        if lost > 0 {
            let note = LogLine(
                level: LogLevel.warning.rawValue, user: user, session: session, pid: 0,
                text: "\(lost) lines lost: the log process did not take them")
            if !deliver(note) {
                lost += 1
                return
            }
            lost = 0
        }
        if !deliver(line) { lost += 1 }
    }

    private func deliver(_ line: LogLine) -> Bool {
        guard let frame = Self.frame(line) else { return false }
        if isSilent { return true }
        do throws(SystemError) {
            try DatagramSocket.send(frame, to: socket)
            return true
        } catch {
            guard error.isWouldBlock, patience > 0 else { return false }
        }
        whenBlocked?(true)
        defer { whenBlocked?(false) }
        let deadline = Clock.milliseconds + Int64(patience)
        while true {
            let rest = deadline - Clock.milliseconds
            guard rest > 0 else { return false }
            do throws(SystemError) {
                _ = try Wait.any([.init(socket, .writable)], milliseconds: Int32(rest))
                try DatagramSocket.send(frame, to: socket)
                return true
            } catch {
                guard error.isWouldBlock else { return false }
            }
        }
    }

    /// A whole frame with one line; a line that is too long is cut.
    private static func frame(_ line: LogLine) -> [UInt8]? {
        var line = line
        if line.text.utf8.count > LogText.maximumLine {
            line.text = String(decoding: line.text.utf8.prefix(LogText.maximumLine - 3), as: UTF8.self)
            while line.text.utf8.count > LogText.maximumLine { line.text.removeLast() }
        }
        return frame(line.level, line)
    }

    private static func frame(_ level: UInt8, _ line: LogLine) -> [UInt8]? {
        do throws(FrameError) { return try ServiceToLog.line(line).encodedFrame() } catch { return nil }
    }

    /// What the trap handler writes before the name of the system call: a frame without its end cannot have a length, so this is raw
    /// text, which the log process takes as an error line of the sender.
    package static let trapPrefix = Array("Fatal: forbidden system call, ended by its filter: ".utf8)
}

/// Descriptors that every process finds at its start.
package enum Inherited {
    /// Where lines go; also standard error, so that what a library or the runtime prints becomes a line.
    package static let log: Int32 = 2
    package static let master: Int32 = 3
    package static let settings: Int32 = 4
}
