internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Stopping (services.md 15): zygotes first, then what they need, the log last; nothing is left behind.
extension Supervisor {
    /// Until here processes end by themselves; then by force.
    private static let patience: Int64 = 8_000

    func stop() {
        guard state == .running else { return }
        state = .stopping
        systemd.notify(["STOPPING=1", "STATUS=Culver stopping..."])
        stopDeadline = Clock.milliseconds + Self.patience
        for process in processes { process.restartAt = nil }
        let endSessions = settings.bool("shutdown_clients", default: true)
        for process in processes where process.isZygote { send(.stop(.init(endSessions: endSessions)), to: process) }
        if endSessions {
            for process in processes { for pid in process.adopted { SignalQueue.send(SignalQueue.terminate, to: pid) } }
        }
        continueStop()
    }

    func ended(whileStopping process: ServiceProcess) { continueStop() }

    /// Each step begins when the one before is done.
    private func continueStop() {
        let running = processes.filter(\.isRunning)
        if running.contains(where: \.isZygote) { return }
        let others = running.filter { $0.kind != .log }
        if !others.isEmpty {
            for process in others { send(.stop(.init(endSessions: true)), to: process) }
            return
        }
        configuration = nil  // the end of its channel ends it
        if let log = running.first {
            send(.stop(.init(endSessions: true)), to: log)
            return
        }
        state = .finished
    }

    func stopByForce() {
        stopDeadline = Clock.milliseconds + 2_000
        for process in processes where process.isRunning {
            log.warning("service(\(process.name)): process \(process.pid) does not stop, killing it and its workers")
            SignalQueue.send(SignalQueue.kill, toGroup: process.pid)
            SignalQueue.send(SignalQueue.kill, to: process.pid)
        }
    }

    /// A start that failed: whatever runs already ends without its channel, or by force.
    func abandon() {
        configuration = nil
        for process in processes where process.isRunning {
            process.channel = nil
            SignalQueue.send(SignalQueue.kill, toGroup: process.pid)
        }
    }

    /// After the loop: what is on disk.
    func cleanUp() {
        listeners.removePaths()
        control?.removePath()
        base.removePID()
        systemd.notify(["STATUS=Culver stopped"])
    }
}
