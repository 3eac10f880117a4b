internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The zygote of a login service: accepts connections and gives each to a worker, a new one by default. It never reads from a client.
///
/// Accepting here and not in the workers makes the count exact, needs no thundering herd, lets a full service queue and refuse with a reason,
/// and takes accept4 out of the workers' filter.
final class AcceptingZygote: ZygoteRole {
    private struct Arrival {
        let socket: Int32
        let listener: Int
        let since: Int64
    }

    private let zygote: Zygote
    private let startup: Startup
    private let settings: LoginSettings
    private let program: SystemCallFilter.Program
    private var auth: Channel?
    private var mail: Channel?
    private var waiting: [Arrival] = []
    private var isWatching = false
    private var pausedUntil: Int64 = 0

    private static let authToken: UInt64 = 10
    private static let mailToken: UInt64 = 11
    private static let listenerToken: UInt64 = 20
    /// Connections that may wait here for a worker; more wait in the kernel's queue.
    private static let queueLimit = 512
    /// How long one waits before it is told that the service is full.
    private static let queueTime: Int64 = 20_000
    /// Without descriptors accepting rests this long (security.md 7): no busy loop.
    private static let descriptorPause: Int64 = 1_000

    init(_ zygote: Zygote, _ settings: LoginSettings, program: consuming SystemCallFilter.Program) {
        self.zygote = zygote
        startup = zygote.startup
        self.settings = settings
        self.program = program
        auth = startup.takePeer("auth")
        mail = startup.takePeer(startup.order.protocolName)
        watchPeers()
        setAccepting(true)
    }

    var queue: (count: Int, limit: Int) { (waiting.count, Self.queueLimit) }
    var isDrained: Bool { waiting.isEmpty }
    var wantsTicks: Bool { !waiting.isEmpty || pausedUntil > 0 }

    // MARK: listeners

    func setAccepting(_ isAccepting: Bool) {
        // A reload ends no client, also none that still waits.
        if zygote.isStopping {
            for arrival in waiting { turnAway(arrival, "Server shutting down.") }
            waiting = []
        }
        guard isAccepting != isWatching else { return }
        isWatching = isAccepting
        for (index, listener) in startup.listeners.enumerated() {
            if isAccepting {
                do throws(SystemError) {
                    try zygote.loop.poller.add(listener.number, token: Self.listenerToken + UInt64(index), for: [.readable, .exclusive])
                } catch { zygote.log.error("\(error)") }
            } else {
                zygote.loop.poller.remove(listener.number)
            }
        }
    }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.authToken: if !hasRoom(auth, token, readiness) { lost(&auth, "auth") }
        case Self.mailToken: if !hasRoom(mail, token, readiness) { lost(&mail, startup.order.protocolName) }
        // Not when what came before in the same turn was our end: the successor takes it.
        default: if isWatching { accept(Int(token - Self.listenerToken)) }
        }
    }

    private func accept(_ index: Int) {
        guard index < startup.listeners.count else { return }
        // A few per round, so that signals and workers are not kept waiting by a flood.
        for _ in 0..<16 {
            do throws(SystemError) {
                let socket = try Socket.accept(startup.listeners[index].number)
                arrived(Arrival(socket: socket.release(), listener: index, since: Clock.milliseconds))
            } catch {
                if error.isOutOfDescriptors { outOfDescriptors(error) } else if !error.isWouldBlock { zygote.log.error("\(error)") }
                return
            }
            guard isWatching else { return }
        }
    }

    private func outOfDescriptors(_ error: SystemError) {
        guard pausedUntil <= Clock.milliseconds else { return }  // told already
        pausedUntil = Clock.milliseconds + Self.descriptorPause
        setAccepting(false)
        let limit = ResourceLimit.descriptors.current.soft
        zygote.log.error(
            "service(\(startup.order.service)): \(error): this process may have \(limit) descriptors (ulimit -n); new connections wait in the kernel's queue. Raise LimitNOFILE= of the systemd unit or ulimit -n before start, or lower client_limit"
        )
    }

    private func arrived(_ arrival: Arrival) {
        if waiting.isEmpty, serve(arrival) { return }
        waiting.append(arrival)
        warnFull(dropping: false)
        // More wait in the kernel until there is room here again.
        if waiting.count >= Self.queueLimit { setAccepting(false) }
    }

    private func warnFull(dropping: Bool) {
        guard !zygote.pool.throttle.isActive else { return }
        if let text = zygote.pool.warnOfLimit(
            queued: waiting.count, queueLimit: Self.queueLimit, dropping: dropping, now: Clock.milliseconds, unixTime: Clock.unixSeconds)
        {
            zygote.log.warning(text)
        }
    }

    /// Gives a connection to a worker; false when none has room and none may be started.
    private func serve(_ arrival: Arrival) -> Bool {
        guard pausedUntil <= Clock.milliseconds else { return false }
        if let pid = zygote.pool.roomiest {
            zygote.pool.assigned(to: pid)
            let sent = zygote.send(
                .client(.init(listener: UInt8(truncatingIfNeeded: arrival.listener))), to: pid, descriptors: [arrival.socket])
            if sent {
                closeDescriptor(arrival.socket)
                keepReady()
                return true
            }
        }
        guard zygote.pool.mayStart, startWorker(arrival) else { return false }
        closeDescriptor(arrival.socket)
        return true
    }

    // MARK: workers

    private func startWorker(_ arrival: Arrival?) -> Bool {
        let links: (auth: Link?, mail: Link?)
        do throws(SystemError) {
            links = (auth == nil ? nil : try Link(), mail == nil ? nil : try Link())
        } catch {
            if error.isOutOfDescriptors { outOfDescriptors(error) } else { zygote.log.error("\(error)") }
            return false
        }
        let keeping = [arrival?.socket, links.auth?.ours, links.mail?.ours].compactMap(\.self)
        let forked = zygote.fork(clients: arrival == nil ? 0 : 1, keeping: keeping) { control in
            self.work(arrival, control, links.auth?.ours, links.mail?.ours)
        }
        if let pid = forked {
            attach(links.auth, to: auth, pid)
            attach(links.mail, to: mail, pid)
        }
        links.auth?.close()
        links.mail?.close()
        return forked != nil
    }

    /// In the child.
    private func work(_ arrival: Arrival?, _ control: Channel, _ auth: Int32?, _ mail: Int32?) -> Int32 {
        do throws(ConfinementError) {
            // security.md 3: the listener or clients, channels, and two descriptors more per client for the pair of a TLS proxy.
            try Confinement.loginWorker.narrow(descriptors: UInt64(max(4_000, 32 + 4 * zygote.pool.limits.clients)), program: program)
        } catch {
            startup.log.fatal("\(error)")
            return 89
        }
        do throws(SystemError) {
            let worker = try LoginWorker(
                startup, settings, control: control, signals: zygote.signals,
                auth: auth.map { Channel(FileDescriptor(adopting: $0)) }, mail: mail.map { Channel(FileDescriptor(adopting: $0)) })
            if let arrival { worker.adopt(FileDescriptor(adopting: arrival.socket), listener: arrival.listener) } else { worker.report() }
            try worker.run()
            return 0
        } catch {
            startup.log.fatal("\(error)")
            return 89
        }
    }

    /// One end for the worker, one for its peer.
    private struct Link {
        let ours: Int32
        let theirs: Int32

        init() throws(SystemError) { (ours, theirs) = try SocketPair().split() }

        func close() {
            closeDescriptor(ours)
            closeDescriptor(theirs)
        }
    }

    private func attach(_ link: Link?, to peer: Channel?, _ pid: Int32) {
        guard let link, let peer else { return }
        let attach = Attach(pid: UInt32(bitPattern: pid))
        do throws(ChannelError) {
            if peer === auth {
                try peer.send(ZygoteToAuth.attach(attach), descriptors: [link.theirs])
            } else {
                try peer.send(ZygoteToZygote.attach(attach), descriptors: [link.theirs])
            }
            try zygote.loop.watch(peer, peer === auth ? Self.authToken : Self.mailToken)
        } catch { if error != .closed { zygote.log.error("\(error)") } }
    }

    // MARK: peers

    private func watchPeers() {
        do throws(SystemError) {
            if let auth { try zygote.loop.poller.add(auth.number, token: Self.authToken, for: .readable) }
            if let mail { try zygote.loop.poller.add(mail.number, token: Self.mailToken, for: .readable) }
        } catch { zygote.log.error("\(error)") }
    }

    /// Sends what waits for a peer; false when it was not room that the poller told of.
    private func hasRoom(_ peer: Channel?, _ token: UInt64, _ readiness: Readiness) -> Bool {
        guard let peer, readiness == .writable else { return false }
        do throws(ChannelError) { try zygote.loop.flush(peer, token, readiness) } catch { return false }
        return true
    }

    /// A peer never speaks first here: readable means that it ended.
    private func lost(_ peer: inout Channel?, _ name: String) {
        guard let channel = peer else { return }
        zygote.loop.poller.remove(channel.number)
        peer = nil
    }

    func peerArrived(_ role: String, _ channel: Channel) {
        let isAuth = role == "auth"
        let old = isAuth ? auth : mail
        if let old { zygote.loop.poller.remove(old.number) }
        if isAuth { auth = channel } else { mail = channel }
        do throws(SystemError) {
            try zygote.loop.poller.add(channel.number, token: isAuth ? Self.authToken : Self.mailToken, for: .readable)
            for pid in zygote.livePIDs {
                let link = try Link()
                attach(link, to: channel, pid)
                _ = zygote.send(.peer(.init(role: role)), to: pid, descriptors: [link.ours])
                link.close()
            }
        } catch { zygote.log.error("\(error)") }
    }

    // MARK: what the zygote reports

    func reported(by pid: Int32, _ message: WorkerToZygote) {}
    func workerEnded(_ pid: Int32, _ status: ExitStatus) {}
    func adopted(_ pid: Int32) {}
    func sessionName(of pid: Int32) -> (user: String, session: String) { ("", "") }

    func capacityChanged() {
        while let first = waiting.first, serve(first) { waiting.removeFirst() }
        let canServe = !zygote.pool.throttle.isActive || zygote.pool.available > 0
        if waiting.count < Self.queueLimit / 2, zygote.isAccepting, canServe, pausedUntil <= Clock.milliseconds { setAccepting(true) }
        keepReady()
    }

    /// New connections wait in the kernel's queue; those that wait here are told, unless a process that works may take them.
    func throttled() {
        if zygote.pool.available == 0 { setAccepting(false) }
        guard zygote.pool.workers.isEmpty else { return }
        for arrival in waiting { turnAway(arrival, "Internal error, try again later.") }
        waiting = []
    }

    /// process_min_avail: workers that wait for their first client.
    private func keepReady() {
        for _ in 0..<zygote.pool.missing where zygote.isAccepting { if !startWorker(nil) { break } }
    }

    func tick(_ now: Int64) {
        if pausedUntil > 0, now >= pausedUntil {
            pausedUntil = 0
            capacityChanged()
        }
        guard let first = waiting.first else { return }
        if now - first.since > 2_000 { zygote.sendToAll(.makeRoom) }
        while let oldest = waiting.first, now - oldest.since > Self.queueTime {
            waiting.removeFirst()
            warnFull(dropping: true)
            turnAway(oldest, "Connection queue full: the server is busy, try again later.")
        }
    }

    /// Tells a client that has waited too long; a TLS client cannot be told before its handshake.
    private func turnAway(_ arrival: Arrival, _ text: String) {
        let socket = FileDescriptor(adopting: arrival.socket)
        guard !startup.listeners[arrival.listener].info.isTLS else { return }
        let line = startup.order.protocolName == "pop3" ? "-ERR [SYS/TEMP] \(text)\r\n" : "* BYE [UNAVAILABLE] \(text)\r\n"
        do throws(SystemError) { _ = try socket.write(Array(line.utf8)[...]) } catch { return }
    }
}
