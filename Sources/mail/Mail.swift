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
            let program: SystemCallFilter.Program
            do { program = try Confinement.mailWorkerProgram() } catch { throw StartFailure("system call filter: \(error)") }
            Clock.prepareLocalTime()
            let template = SessionTemplate(startup)
            // Workers can load no library any more.
            let sets = Charset.preload()
            if sets < Charset.Library.allCases.count {
                startup.log.warning(
                    "The C library offers only \(sets) character sets (gconv modules, package libc6): of texts in others only ASCII is found"
                )
            }
            Rehearsal.play(startup, template, program, signals: zygote.signals)
            let role = try SessionZygote(zygote, program: program, template: template)
            try startup.confine(.mailZygote, descriptors: 1_256 + 4 * zygote.pool.limits.processes)
            try startup.announceReady()
            Heap.settle()
            try zygote.run(role)
        }
    }
}
