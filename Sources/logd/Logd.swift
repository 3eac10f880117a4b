internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The log process: root, because the files belong to root; it can reach their directories and nothing else.
@main
enum Logd {
    static func main() {
        Startup.run { () throws(StartFailure) in
            let startup = try Startup()
            Clock.prepareLocalTime()
            let stream: Int32? = if let stream = startup.takePeerDescriptor("stderr") { stream.release() } else { nil }
            let destinations = try Destinations(startup.settings, ident: startup.order.instance, standardError: stream)
            guard let file = startup.takePeerDescriptor("spool") else { throw StartFailure("master gave no spool") }
            let spool: LogSpool
            do throws(SystemError) { spool = try LogSpool(file) } catch { throw StartFailure(error) }
            let service = try LogService(startup, spool: spool, destinations: destinations)
            let rules = destinations.directories.map { Landlock.Rule($0, .log) } + [Landlock.Rule("/dev/log", .writeFile)]
            try startup.confine(.log, descriptors: 64 + Int(startup.order.clientLimit), rules: rules)
            try startup.announceReady()
            try service.run()
        }
    }
}
