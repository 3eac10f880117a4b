internal import Confinement
internal import IPCProtocol
internal import ServiceKit

/// Counts sessions, limits and penalties.
@main
enum Anvil {
    static func main() {
        Startup.run { () throws(StartFailure) in
            let startup = try Startup()
            let service = try AnvilService(startup)
            for peer in startup.takePeers() { service.adopt(peer.channel) }
            try startup.confine(.anvil, descriptors: 64 + Int(startup.order.clientLimit))
            try startup.announceReady()
            try service.run()
        }
    }
}
