internal import Confinement
internal import Platform
internal import ServiceKit

/// All that talks with strangers before login: holds neither mail nor passwords. This process is the zygote; its workers have the clients.
@main
enum Login {
    static func main() {
        Startup.run { () throws(StartFailure) in
            let startup = try Startup()
            let tls = try LoginSettings.server(startup)  // the last certificate this process sees
            let zygote = try Zygote(startup)
            let program = try Self.workerProgram()
            let clients = zygote.pool.limits.clients
            // The kernel lets nobody have more descriptors under way to others than it may have open, counted per user: a burst of logins of
            // all login processes together must fit (unix(7), ETOOMANYREFS).
            try startup.confine(.loginZygote, descriptors: max(4_096, 32 + 4 * clients + 3 * zygote.pool.limits.processes + 600))
            Rehearsal.play(startup, LoginSettings(startup, tls: tls), signals: zygote.signals)
            // What is made from here on lies close together: all that clients use, and all that changes with each of them.
            Heap.settle()
            let role = AcceptingZygote(zygote, LoginSettings(startup, tls: tls), program: program)
            try startup.announceReady()
            try zygote.run(role)
        }
    }

    /// Compiled once; a worker only loads it.
    private static func workerProgram() throws(StartFailure) -> SystemCallFilter.Program {
        do { return try Confinement.loginWorkerProgram() } catch { throw StartFailure("system call filter: \(error)") }
    }
}
