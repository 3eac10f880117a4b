internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Counts sessions and penalties for all services; holds no secrets and forgets when it ends: services then announce their sessions again.
final class AnvilService: EventHandler {
    private let startup: Startup
    private let loop: EventLoop
    private var tokens = Tokens()
    private var services: [UInt64: Channel] = [:]
    private var administrators: [UInt64: Channel] = [:]
    private var table = SessionTable()
    private var penalties = PenaltyTable()
    private(set) var isFinished = false

    private static let masterToken: UInt64 = 1
    private static let listenerToken: UInt64 = 2
    private static let maximumAdministrators = 32

    init(_ startup: Startup) throws(StartFailure) {
        self.startup = startup
        do throws(SystemError) {
            loop = try EventLoop()
            try loop.poller.add(startup.master.number, token: Self.masterToken, for: .readable)
            for listener in startup.listeners { try loop.poller.add(listener.number, token: Self.listenerToken, for: .readable) }
        } catch {
            throw StartFailure(error)
        }
    }

    func run() throws(StartFailure) {
        do throws(SystemError) { try loop.run(self) } catch { throw StartFailure(error) }
    }

    var nextWake: Int64? { table.firstOrphanEnds }
    func wake(_ now: Int64) { table.dropOrphans(now: now) }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.masterToken: readMaster()
        case Self.listenerToken: acceptAdministrator()
        default: if services[token] != nil { readService(token) } else { readAdministrator(token) }
        }
    }

    private func readMaster() {
        do throws(ChannelError) {
            while var received = try startup.master.receive(MasterToService.self) {
                switch received.message {
                case .peer: if let socket = received.takeDescriptor() { adopt(Channel(socket)) }
                case .stop, .retire: isFinished = true
                default: break
                }
            }
        } catch {
            isFinished = true
        }
    }

    /// Gives a service's channel a place; for peers that came before the loop began, too.
    func adopt(_ channel: Channel) {
        let token = tokens.next()
        do throws(SystemError) {
            try loop.poller.add(channel.number, token: token, for: .readable)
            services[token] = channel
            updateTitle()
        } catch { startup.log.error("\(error)") }
    }

    private func readService(_ token: UInt64) {
        guard let channel = services[token] else { return }
        do throws(ChannelError) {
            if channel.hasBacklog { try channel.flush() }
            while let received = try channel.receive(ServiceToAnvil.self) { try answer(received.message, received.request, channel, token) }
            try loop.watch(channel, token)
        } catch {
            if error != .closed { startup.log.error("service channel: \(error)") }
            loop.poller.remove(channel.number)
            services[token] = nil
            table.orphan(token, now: Clock.milliseconds)
            updateTitle()
        }
    }

    private func answer(_ message: ServiceToAnvil, _ request: UInt32, _ channel: Channel, _ token: UInt64) throws(ChannelError) {
        let now = Clock.milliseconds
        switch message {
        case .admit(let session):
            if let count = table.admit(session, of: token) {
                try channel.send(AnvilToService.overLimit(.init(id: session.id, count: UInt32(clamping: count))), request: request)
            } else {
                try channel.send(AnvilToService.admitted(.init(id: session.id)), request: request)
            }
        case .started(let process): table.started(process.id, pid: process.pid, of: token)
        case .left(let session): table.left(session.id, of: token)
        case .announce(let session): table.insert(session, of: token)
        case .adopt(let process):
            if let session = table.adopt(process.pid, of: token) { try channel.send(AnvilToService.adopted(session), request: request) }
        case .penalty(let query):
            let (value, ago) = penalties.value(of: query.address, now: now)
            try channel.send(AnvilToService.penalty(.init(value: value, secondsAgo: ago)), request: request)
        case .setPenalty(let update): penalties.set(update.address, value: update.value, checksum: update.checksum, now: now)
        }
    }

    // MARK: administrators

    private func acceptAdministrator() {
        for listener in startup.listeners {
            do throws(SystemError) {
                let socket = try Socket.accept(listener.number)
                // The socket's mode lets in whom the configuration names; others get no answer.
                guard administrators.count < Self.maximumAdministrators else { continue }
                let token = tokens.next()
                try loop.poller.add(socket.number, token: token, for: .readable)
                administrators[token] = Channel(socket, maximumQueue: 1_000_000)
            } catch { if !error.isWouldBlock { startup.log.error("\(error)") } }
        }
    }

    private func readAdministrator(_ token: UInt64) {
        guard let channel = administrators[token] else { return }
        do throws(ChannelError) {
            if channel.hasBacklog { try channel.flush() }
            while try channel.receive(AdminToAnvil.self) != nil {
                for session in table.all where session.pid != 0 { try channel.send(AnvilToAdmin.session(session)) }
                try channel.send(AnvilToAdmin.end)
            }
            try loop.watch(channel, token)
        } catch {
            loop.poller.remove(channel.number)
            administrators[token] = nil
        }
    }

    private func updateTitle() { startup.setTitle("[\(services.count) connections]") }
}
