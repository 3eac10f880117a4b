internal import Platform
internal import ServiceKit

/// The log files of the configuration: `log_path`, and where info and debug lines go when they go elsewhere (operations.md 1).
final class Destinations {
    /// Each different destination once, at most three.
    let all: [Destination]
    private let indexes: [Int]

    init(_ settings: Settings, ident: String, standardError: Int32?) throws(StartFailure) {
        let main = settings["log_path"].isEmpty ? "syslog" : settings["log_path"]
        let info = settings["info_log_path"].isEmpty ? main : settings["info_log_path"]
        let debug = settings["debug_log_path"].isEmpty ? info : settings["debug_log_path"]
        let isJournal = Process.environment("JOURNAL_STREAM") != nil
        var names: [String] = []
        var found: [Destination] = []
        for name in [debug, info, main] where !names.contains(name) {
            names.append(name)
            var stream: FileDescriptor?
            if name == "/dev/stderr" || name == "/dev/stdout", let standardError {
                do throws(SystemError) { stream = FileDescriptor(adopting: try duplicateDescriptor(standardError)) } catch { stream = nil }
            }
            let destination = Destination(
                setting: name, facility: settings["syslog_facility"], ident: ident, standardError: stream, isJournal: isJournal)
            do throws(SystemError) { try destination.open() } catch {
                // Without syslogd lines are counted as lost until it is there; a file that cannot be opened is a mistake to be told.
                if case .file = destination.kind { throw StartFailure("Can't open log file: \(error)") }
            }
            found.append(destination)
        }
        all = found
        indexes = [debug, info, main, main, main, main].map { names.firstIndex(of: $0) ?? 0 }
    }

    func index(for level: LogLevel) -> Int { indexes[Int(level.rawValue)] }

    /// Directories that must stay reachable, so that files can be opened again by name.
    var directories: [String] {
        all.compactMap { destination in
            guard case .file(let path) = destination.kind, let slash = path.lastIndex(of: "/") else { return nil }
            return slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }
}
