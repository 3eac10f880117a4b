internal import Platform

/// The runtime directory of an instance: what must be in it before anything starts (services.md 11, 17).
struct BaseDirectory {
    let path: String

    /// Why the suite cannot start here.
    struct Problem: Error {
        let text: String
    }

    private var pidFile: String { path + "/master.pid" }
    var controlSocket: String { path + "/master" }
    private var lastFatal: String { path + "/master-fatal.lastlog" }
    private var configurationLink: String { path + "/dovecot.conf" }

    /// Makes and corrects directories; answers warnings. Throws when another instance runs here or the path is unusable.
    func prepare(loginGroup: UInt32?) throws(Problem) -> [String] {
        var warnings: [String] = []
        try ensure(path, mode: 0o755, group: nil, &warnings)
        if let pid = runningPID { throw Problem(text: "Culver is already running with PID \(pid) (read from \(pidFile))") }
        try ensure(path + "/login", mode: 0o750, group: loginGroup, &warnings)
        try ensure(path + "/empty", mode: 0o755, group: nil, &warnings)
        return warnings
    }

    private func ensure(_ directory: String, mode: UInt32, group: UInt32?, _ warnings: inout [String]) throws(Problem) {
        do throws(SystemError) {
            if let info = FileSystem.info(directory) {
                guard info.isDirectory else { throw SystemError(call: "\(directory)", code: 20) }
                if info.mode != mode && !(directory == path && info.mode & 0o755 == 0o755) {
                    warnings.append("Fixing permissions of \(directory) to 0\(String(mode, radix: 8))")
                    try FileSystem.setMode(directory, mode)
                }
            } else {
                try FileSystem.makeDirectories(directory, mode: 0o755)
                try FileSystem.setMode(directory, mode)
            }
            if let group, Process.isRoot { try FileSystem.setOwner(directory, uid: 0, gid: group) }
        } catch {
            throw Problem(text: "base_dir: \(error)")
        }
    }

    /// The pid in the pid file, if that process lives.
    var runningPID: Int32? {
        guard let text = FileSystem.content(pidFile).map({ String(decoding: $0, as: UTF8.self) }),
            let pid = Int32(text.filter { $0.isNumber }), pid > 0, pid != Process.id, SignalQueue.send(0, to: pid)
        else { return nil }
        return pid
    }

    func writePID() throws(SystemError) {
        let file = try FileSystem.open(pidFile, for: .write)
        try file.writeAll(Array("\(Process.id)\n".utf8))
    }

    func removePID() { discard(pidFile) }

    /// Points `dovecot.conf` to the configuration in use, where tools look for it.
    func link(configuration: String) {
        discard(configurationLink)
        do throws(SystemError) { try FileSystem.link(configuration, symbolicallyAt: configurationLink) } catch {}
    }

    /// A fatal error of the last run, told once at the next start (services.md 10).
    func takeLastFatal() -> String? {
        guard let content = FileSystem.content(lastFatal) else { return nil }
        discard(lastFatal)
        return LastLine.of(content)
    }

    func writeLastFatal(_ text: String) {
        do throws(SystemError) { try FileSystem.open(lastFatal, for: .write).writeAll(Array((text + "\n").utf8)) } catch {}
    }

    private func discard(_ path: String) { do throws(SystemError) { try FileSystem.remove(path) } catch {} }
}

private enum LastLine {
    static func of(_ content: [UInt8]) -> String {
        String(decoding: content.split(separator: 0x0a).last ?? [], as: UTF8.self)
    }
}
