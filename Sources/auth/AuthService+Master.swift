internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// What master says, and what it is told.
extension AuthService {
    func readMaster() {
        do throws(ChannelError) {
            while var received = try startup.master.receive(MasterToService.self) {
                switch received.message {
                case .peer(let peer):
                    guard let socket = received.takeDescriptor() else { break }
                    if peer.role == "anvil" { setAnvil(Channel(socket)) } else { addZygote(Channel(socket), role: peer.role) }
                case .retire: retire()
                case .stop: finish()
                case .statusQuery: try startup.master.send(ServiceToMaster.status(status), request: received.request)
                case .processesQuery:
                    try startup.master.send(ServiceToMaster.process(process), request: received.request)
                    try startup.master.send(ServiceToMaster.endOfList, request: received.request)
                case .kick(let target):
                    try startup.master.send(ServiceToMaster.kicked(Kicked(pid: target.pid, found: false)), request: received.request)
                default: break  // meant for other kinds of processes
                }
            }
        } catch {
            // Without master nobody starts or stops this process any more.
            finish()
        }
    }

    private var status: ServiceStatus {
        var status = ServiceStatus()
        status.service = startup.order.service
        status.processCount = 1
        status.processAvail = 1
        status.processLimit = 1
        status.clientLimit = startup.order.clientLimit
        status.isListening = !listeners.isEmpty
        status.processTotal = 1
        return status
    }

    private var process: ProcessStatus {
        var process = ProcessStatus()
        process.service = startup.order.service
        process.pid = UInt32(bitPattern: Process.id)
        let clients = UInt32(clamping: logins.count + connections.count)
        process.availableCount = startup.order.clientLimit - min(clients, startup.order.clientLimit)
        process.totalCount = connectionCount
        process.state = "\(waiting) wait"
        return process
    }
}
