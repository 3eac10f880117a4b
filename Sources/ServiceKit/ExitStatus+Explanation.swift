package import Platform

extension ExitStatus {
    /// Why there is no core file, and what shows the place instead.
    private static let coreHint = "they would hold passwords and mail; what to do: docs/troubleshooting.md, A process crashed"

    /// The line about a process that did not end well, as administrators know it (services.md 10); nil for exit code 0.
    package func explanation(service: String, pid: Int32, vszLimit: UInt64) -> LogText? {
        let head = "master: service(\(service)): child \(pid)"
        if let signal {
            // RLIMIT_CORE is 0 in every process of the suite, so the kernel's settings for core files never matter.
            let core = dumpedCore ? " (core dumped)" : isCrash || signal == 3 ? " (core dumps disabled - \(Self.coreHint))" : ""
            return LogText(trusted: "\(head) killed with signal \(signal)\(core)")
        }
        switch code {
        case 0: return nil
        case Self.forbiddenCall:
            return LogText(trusted: "\(head) killed with signal 31 (by its system call filter; the line before names the call)")
        case 80: return LogText(trusted: "\(head) returned error 80 (can't open log file)")
        case 81: return LogText(trusted: "\(head) returned error 81 (can't write to log file)")
        case 82: return LogText(trusted: "\(head) returned error 82 (internal logging error)")
        case 83:
            return LogText(
                trusted:
                    "\(head) returned error 83 (Out of memory (service \(service) { vsz_limit=\(vszLimit >> 20) MB }, you may need to increase it))"
            )
        case 84: return LogText(trusted: "\(head) returned error 84 (exec() failed)")
        case 89: return LogText(trusted: "\(head) returned error 89 (Fatal failure)")
        default: return LogText(trusted: "\(head) returned error \(code ?? -1)")
        }
    }
}

extension LogText {
    /// Milliseconds as seconds with three decimals: `2.000`.
    package static func seconds(_ milliseconds: Int64) -> LogText {
        LogText(trusted: "\(milliseconds / 1000).\((milliseconds % 1000).padded(3))")
    }
}
