internal import Platform
internal import ServiceKit

/// Where lines of some levels go: a file, syslog, or a standard stream.
final class Destination {
    enum Kind: Equatable {
        case file(String)
        case syslog(facility: Int)
        case standardError
    }

    let kind: Kind
    private let ident: String
    private var output: FileDescriptor?
    /// Lines that could not be written since the last that could.
    private(set) var lost = 0
    /// The last write ended inside a line: a full disk took only a part.
    private var isInsideLine = false

    /// sd-daemon(3) level prefixes: set when a journal reads standard error.
    let marksLevels: Bool

    init(setting: String, facility: String, ident: String, standardError: consuming FileDescriptor?, isJournal: Bool) {
        self.ident = ident
        marksLevels = isJournal && (setting == "/dev/stderr" || setting == "/dev/stdout")
        switch setting {
        case "syslog", "":
            kind = .syslog(facility: Self.facilities[facility] ?? 2)
            output = nil
        case "/dev/stderr", "/dev/stdout":
            kind = .standardError
            output = standardError
        default:
            kind = .file(setting)
            output = nil
        }
    }

    /// Opens or opens again by name; throws when the file cannot be opened.
    func open() throws(SystemError) {
        switch kind {
        case .file(let path):
            do throws(SystemError) { output = try FileSystem.open(path, for: .append) } catch {
                throw error
            }
        case .syslog:
            output = nil
            output = try Socket.datagram(to: "/dev/log")
        case .standardError: break
        }
    }

    /// Size of a regular file; nil elsewhere: what was half done by a killed predecessor cannot be known there.
    var size: Int64? {
        guard case .file = kind else { return nil }
        return output?.fileSize
    }

    /// Writes whole lines; what a full disk does not take is counted and reported when there is room again.
    func write(_ lines: [UInt8], count: Int) {
        guard !lines.isEmpty else { return }
        if output == nil { do throws(SystemError) { try open() } catch {} }
        guard output != nil else {
            lost += count
            return
        }
        if lost > 0 || isInsideLine {
            let note =
                (isInsideLine ? "\n" : "")
                + (lost > 0 ? "log: Warning: \(lost) lines lost: the disk was full or the file could not be written\n" : "")
            guard push(Array(note.utf8)) else {
                lost += count
                return
            }
            lost = 0
            isInsideLine = false
        }
        if !push(lines) { lost += count }
    }

    private func push(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                guard let written = try output?.write(rest) else { return false }
                rest = rest.dropFirst(written)
                isInsideLine = rest.first != nil && bytes[rest.startIndex - 1] != 0x0a
            } catch {
                return false
            }
        }
        return true
    }

    /// One syslog entry: `<priority>ident: text`.
    func syslog(_ level: LogLevel, _ text: String) {
        guard case .syslog(let facility) = kind else { return }
        let severity = [7, 6, 4, 3, 2, 2][Int(level.rawValue)]
        let entry = Array("<\(facility * 8 + severity)>\(ident): \(text)".utf8)
        for attempt in 0..<2 {
            if output == nil { do throws(SystemError) { try open() } catch { break } }
            do throws(SystemError) {
                if try output?.write(entry[...]) != nil { return }
            } catch {
                output = nil  // syslogd was started again
                if attempt == 1 { break }
            }
        }
        lost += 1
    }

    /// syslog(3) facilities by name.
    static let facilities = [
        "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8, "cron": 9, "authpriv": 10,
        "ftp": 11, "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
    ]
}
