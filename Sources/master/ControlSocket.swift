internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The administrator's way in: `base_dir/master`, root only (services.md 23).
final class ControlSocket {
    /// A question that several processes have to answer.
    private struct Pending {
        let client: UInt64
        var waiting: Set<UInt64>
        let deadline: Int64
        var isFound = false
        let isKick: Bool
    }

    private unowned let supervisor: Supervisor
    private let path: String
    private let listener: FileDescriptor
    private var clients: [UInt64: Channel] = [:]
    private var pending: [UInt32: Pending] = [:]
    private var lastRequest: UInt32 = 0

    private static let patience: Int64 = 3_000
    private static let maximumClients = 64

    init(_ supervisor: Supervisor, path: String) throws(SystemError) {
        self.supervisor = supervisor
        self.path = path
        if FileSystem.info(path) != nil { try FileSystem.remove(path) }
        listener = try Socket.listen(path: path, style: .seqpacket, backlog: 16)
        try FileSystem.setMode(path, 0o600)
        try supervisor.loop.poller.add(listener.number, token: Supervisor.controlToken, for: .readable)
    }

    var firstDeadline: Int64? { pending.values.map(\.deadline).min() }

    func removePath() { do throws(SystemError) { try FileSystem.remove(path) } catch {} }

    func accept() {
        do throws(SystemError) {
            let socket = try Socket.accept(listener.number)
            // The mode lets only root (or the one user) in; the kernel says who it is.
            let peer = try Socket.peerCredentials(of: socket.number)
            guard peer.uid == 0 || peer.uid == Process.effectiveUID, clients.count < Self.maximumClients else { return }
            let token = supervisor.tokens.next()
            try supervisor.loop.poller.add(socket.number, token: token, for: .readable)
            clients[token] = Channel(socket, maximumQueue: 1_000_000)
        } catch { if !error.isWouldBlock { supervisor.log.error("\(error)") } }
    }

    func ready(_ token: UInt64) {
        guard let channel = clients[token] else { return }
        do throws(ChannelError) {
            if channel.hasBacklog { try channel.flush() }
            while let received = try channel.receive(AdminToMaster.self) { try answer(received.message, token, channel) }
            try supervisor.loop.watch(channel, token)
        } catch {
            if error != .closed { supervisor.log.error("control socket: \(error)") }
            drop(token)
        }
    }

    private func drop(_ token: UInt64) {
        if let channel = clients.removeValue(forKey: token) { supervisor.loop.poller.remove(channel.number) }
    }

    private func answer(_ message: AdminToMaster, _ token: UInt64, _ channel: Channel) throws(ChannelError) {
        switch message {
        case .serviceStatus:
            // A zygote that does not work yet cannot answer for itself.
            for process in supervisor.processes where !process.isRetired && (!process.isZygote || !process.isReady) {
                try channel.send(MasterToAdmin.service(process.singletonStatus))
            }
            try ask(.statusQuery, token, channel, isKick: false) { $0.isZygote }
        case .processStatus:
            for process in supervisor.processes where process.isRunning { try channel.send(MasterToAdmin.process(process.ownStatus)) }
            if supervisor.configurationPID != 0 {
                var row = ProcessStatus()
                row.service = "config"
                row.pid = UInt32(bitPattern: supervisor.configurationPID)
                row.state = "running"
                try channel.send(MasterToAdmin.process(row))
            }
            try ask(.processesQuery, token, channel, isKick: false) { $0.isZygote }
        case .kick(let request):
            try ask(.kick(.init(pid: request.pid)), token, channel, isKick: true) {
                $0.isZygote && (request.service.isEmpty || $0.name == request.service)
            }
        case .stopService(let service): try stop(service.name, channel)
        case .logChannel(let name): try makeLogChannel(name.name, channel)
        case .masterPID: try channel.send(MasterToAdmin.end(.init(isDone: true, text: String(Process.id))))
        }
    }

    private func ask(
        _ message: MasterToService, _ token: UInt64, _ channel: Channel, isKick: Bool, of isAsked: (ServiceProcess) -> Bool
    ) throws(ChannelError) {
        lastRequest &+= 1
        var waiting: Set<UInt64> = []
        for process in supervisor.processes where process.isReady && isAsked(process) {
            do throws(ChannelError) {
                try process.channel?.send(message, request: lastRequest)
                waiting.insert(process.token)
            } catch { continue }
        }
        guard !waiting.isEmpty else { return try finish(channel, isKick: isKick, isFound: false) }
        pending[lastRequest] = Pending(client: token, waiting: waiting, deadline: Clock.milliseconds + Self.patience, isKick: isKick)
    }

    private func finish(_ channel: Channel, isKick: Bool, isFound: Bool) throws(ChannelError) {
        try channel.send(MasterToAdmin.end(.init(isDone: !isKick || isFound, text: "")))
    }

    /// A process answered.
    func received(_ message: ServiceToMaster, _ request: UInt32, from process: ServiceProcess) {
        guard var question = pending[request], let channel = clients[question.client] else { return }
        do throws(ChannelError) {
            switch message {
            case .status(let row):
                try channel.send(MasterToAdmin.service(row))
                question.waiting.remove(process.token)
            case .process(let row): try channel.send(MasterToAdmin.process(row))
            case .endOfList: question.waiting.remove(process.token)
            case .kicked(let kicked):
                question.isFound = question.isFound || kicked.found
                question.waiting.remove(process.token)
            case .ready, .replaceMe, .hello: break
            }
            pending[request] = question
            if question.waiting.isEmpty {
                pending[request] = nil
                try finish(channel, isKick: question.isKick, isFound: question.isFound)
            }
            try supervisor.loop.watch(channel, question.client)
        } catch {
            pending[request] = nil
            drop(question.client)
        }
    }

    func gone(_ process: ServiceProcess) {
        for request in pending.keys {
            guard pending[request]?.waiting.contains(process.token) == true else { continue }
            received(.endOfList, request, from: process)
        }
    }

    /// A process that does not answer must not keep the administrator waiting.
    func expire(_ now: Int64) {
        for (request, question) in pending where now >= question.deadline {
            pending[request] = nil
            guard let channel = clients[question.client] else { continue }
            do throws(ChannelError) { try finish(channel, isKick: question.isKick, isFound: question.isFound) } catch {
                drop(question.client)
            }
        }
    }

    private func stop(_ name: String, _ channel: Channel) throws(ChannelError) {
        let found = supervisor.processes.filter { $0.name == name && !$0.isRetired }
        guard !found.isEmpty else {
            return try channel.send(MasterToAdmin.end(.init(isDone: false, text: "Unknown service: \(name)")))
        }
        for process in found {
            if process.isZygote {
                supervisor.send(.stopListening, to: process)
            } else {
                process.isStopped = true
                supervisor.send(.stop(.init(endSessions: true)), to: process)
            }
        }
        try channel.send(MasterToAdmin.end(.init(isDone: true, text: "")))
    }

    /// A command's own channel to the log, under its name.
    private func makeLogChannel(_ name: String, _ channel: Channel) throws(ChannelError) {
        do throws(SystemError) {
            let (ours, theirs) = try SocketPair().split()
            defer { closeDescriptor(theirs) }
            let token = supervisor.tokens.next()
            try supervisor.relay.add(ours, LogSource(service: name.isEmpty ? "culveradm" : name, leader: 0), token: token)
            do throws(ChannelError) {
                if let log = supervisor.process(.log)?.channel { try supervisor.relay.announce(token, to: log) }
                try channel.send(MasterToAdmin.logChannel, descriptors: [theirs])
            } catch { throw SystemError(call: "\(error)", code: 32) }
        } catch { throw .system(error) }
    }
}

extension ServiceProcess {
    /// A singleton's row of `service status`, or that of a zygote which cannot answer itself yet: it has no processes then.
    fileprivate var singletonStatus: ServiceStatus {
        var row = ServiceStatus()
        row.service = name
        row.processCount = isRunning && !isZygote ? 1 : 0
        row.processAvail = isReady ? 1 : 0
        row.processLimit = isZygote ? service.plan.processLimit : 1
        row.clientLimit = service.plan.clientLimit
        row.throttleMilliseconds = UInt32(clamping: restartAt.map { max(0, $0 - Clock.milliseconds) } ?? 0)
        row.lastFailure = UInt64(clamping: throttle.lastFailure)
        row.isListening = !isStopped
        row.isStopped = isStopped
        row.processTotal = isZygote ? 0 : 1
        return row
    }

    /// The row of the process itself, zygotes included.
    fileprivate var ownStatus: ProcessStatus {
        var row = ProcessStatus()
        row.service = name
        row.pid = UInt32(bitPattern: pid)
        row.state = (isZygote ? "zygote" : "running") + (isRetired ? ", retired" : "") + (isReady ? "" : ", starting")
        row.lastUpdate = UInt64(clamping: Clock.unixSeconds)
        return row
    }
}
