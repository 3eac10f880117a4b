internal import Confinement
internal import MessageFormat
internal import Platform
internal import ServiceKit

/// Serves logged-in users, one per process. This process is the zygote: root, because its workers have their users' ids.
@main
enum Mail {
    static func main() {
        Startup.run { () throws(StartFailure) in
            let startup = try Startup()
            let zygote = try Zygote(startup)
            let programs = try SessionZygote.Programs()
            Clock.prepareLocalTime()
            let hostname = Account.hostName
            // Workers can load no library any more.
            let sets = Charset.preload()
            if sets < Charset.Library.allCases.count {
                startup.log.warning(
                    "The C library offers only \(sets) character sets (gconv modules, package libc6): of texts in others only ASCII is found"
                )
            }
            Rehearsal.play(startup, hostname: hostname, programs.worker, signals: zygote.signals)
            try startup.confine(.mailZygote, descriptors: 1_256 + 4 * zygote.pool.limits.processes)
            // What is made from here on lies close together: all that sessions use, and all that changes with each of them.
            Heap.settle()
            let role = try SessionZygote(zygote, programs, template: SessionTemplate(startup, hostname: hostname))
            try startup.announceReady()
            try zygote.run(role)
        }
    }
}
