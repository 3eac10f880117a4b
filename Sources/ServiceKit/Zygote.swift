package import IPCProtocol
package import Platform

/// What kinds of zygotes do differently; all else is `Zygote`.
package protocol ZygoteRole: AnyObject {
    /// A descriptor that the role added is ready.
    func ready(_ token: UInt64, _ readiness: Readiness)
    /// Master gave a channel to a (new) process of this role.
    func peerArrived(_ role: String, _ channel: Channel)
    /// A worker said something.
    func reported(by pid: Int32, _ message: WorkerToZygote)
    /// A worker, own or adopted, is gone and accounted for.
    func workerEnded(_ pid: Int32, _ status: ExitStatus)
    /// There may be room now: serve who waits, keep idle workers ready.
    func capacityChanged()
    /// A worker of the dead predecessor counts as ours now.
    func adopted(_ pid: Int32)
    /// Stop or start taking new clients.
    func setAccepting(_ isAccepting: Bool)
    /// No process is started for some time, because starts fail (services.md 10).
    func throttled()
    /// Called twice a second while `wantsTicks`.
    func tick(_ now: Int64)
    /// Something waits that has to be looked at when time passes.
    var wantsTicks: Bool { get }
    /// User and session of a worker, for log lines about it.
    func sessionName(of pid: Int32) -> (user: String, session: String)
    /// Clients that wait for a slot, and how many may.
    var queue: (count: Int, limit: Int) { get }
    /// Nobody can hand a client to this zygote any more.
    var isDrained: Bool { get }
}

/// Forks, counts and watches the workers of one service. Reads no byte of a client.
///
/// When a worker crashes, this process is replaced by a fresh one: a memory layout that crashed once is never offered again.
package final class Zygote: EventHandler {
    package let startup: Startup
    package let loop: EventLoop
    package let signals: SignalQueue
    package var pool: WorkerPool
    package var tokens = Tokens()
    package private(set) var isFinished = false
    package var log: Log { startup.log }
    private unowned var role: (any ZygoteRole)?
    private var controls: [Int32: Channel] = [:]
    private var pidsByToken: [UInt64: Int32] = [:]
    private var state = State.working
    private var isStoppedByAdministrator = false
    private var nextIdleRound: Int64
    private var nextTick: Int64 = 0
    private var stopDeadline: Int64?
    /// When the heap is settled again: the first worker makes the runtime build what no rehearsal of a session does, in the zygote itself,
    /// and the tables that grew leave holes in old pages.
    private var settleTime: Int64?

    private enum State { case working, retiring, stopping }
    private static let masterToken: UInt64 = 1
    private static let signalToken: UInt64 = 2
    /// How often the role looks at what waits, in milliseconds.
    private static let tick: Int64 = 500
    /// From the first worker to the moment at which the zygote has done all that belongs to it, in milliseconds.
    private static let settlingTime: Int64 = 1_000
    /// A worker that was told to stop ends within this time, or is killed (services.md 15).
    private static let stopPatience: Int64 = 30_000

    package init(_ startup: Startup) throws(StartFailure) {
        self.startup = startup
        pool = WorkerPool(service: startup.order.service, limits: .init(startup.order))
        nextIdleRound = Clock.milliseconds + max(1000, pool.limits.idleKill)
        do throws(SystemError) {
            loop = try EventLoop()
            signals = try SignalQueue([
                SignalQueue.child, SignalQueue.terminate, SignalQueue.interrupt, SignalQueue.user1, SignalQueue.user2,
            ])
            try loop.poller.add(startup.master.number, token: Self.masterToken, for: .readable)
            try loop.poller.add(signals.number, token: Self.signalToken, for: .readable)
        } catch {
            throw StartFailure(error)
        }
    }

    /// Works until master says otherwise.
    package func run(_ role: any ZygoteRole) throws(StartFailure) {
        self.role = role
        role.capacityChanged()
        do throws(SystemError) { try loop.run(self) } catch { throw StartFailure(error) }
    }

    // MARK: events

    package var nextWake: Int64? {
        var wake = pool.throttle.until
        func consider(_ time: Int64) { wake = min(wake ?? time, time) }
        if role?.wantsTicks == true { consider(nextTick) }
        if let stopDeadline { consider(stopDeadline) }
        if let settleTime { consider(settleTime) }
        if pool.limits.idleKill > 0, pool.idle > pool.limits.minimum { consider(nextIdleRound) }
        if let time = pool.nextOverdue { consider(time) }
        return wake
    }

    package func wake(_ now: Int64) {
        if let until = pool.throttle.until, now >= until {
            pool.unthrottle()
            role?.capacityChanged()
        }
        if let at = settleTime, now >= at {
            settleTime = nil
            Heap.settle()
        }
        if let stopDeadline, now >= stopDeadline {
            self.stopDeadline = now + 1_000
            endWorkers(with: SignalQueue.kill)
        }
        if pool.limits.idleKill > 0, now >= nextIdleRound {
            nextIdleRound = now + pool.limits.idleKill
            for pid in pool.idleVictims() { _ = send(.retire, to: pid) }
        }
        for pid in pool.overdue(now: now) {
            log.error(
                "service(\(startup.order.service)): initial status notification not received in 30 seconds, killing the process \(pid)")
            SignalQueue.send(SignalQueue.kill, to: pid)
        }
        if now >= nextTick {
            nextTick = now + Self.tick
            role?.tick(now)
        }
    }

    package func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.masterToken: readMaster()
        case Self.signalToken: readSignals()
        default:
            if let pid = pidsByToken[token] { readWorker(pid, token, readiness) } else { role?.ready(token, readiness) }
        }
    }

    private func readSignals() {
        while let signal = signals.next() {
            switch signal.number {
            case SignalQueue.child: while let (pid, status) = Process.reap() { ended(pid, status) }
            case SignalQueue.terminate: stop(endSessions: true)
            default: break
            }
        }
    }

    private func readMaster() {
        do throws(ChannelError) {
            while var received = try startup.master.receive(MasterToService.self) {
                switch received.message {
                case .peer(let peer):
                    if let socket = received.takeDescriptor() { role?.peerArrived(peer.role, Channel(socket)) }
                case .retire: retire()
                case .stop(let order): stop(endSessions: order.endSessions)
                case .adopt(let worker):
                    let pid = Int32(bitPattern: worker.pid)
                    pool.adopt(pid, unixTime: Clock.unixSeconds)
                    role?.adopted(pid)
                case .adoptedEnded(let end):
                    let signal = Int32(end.signal)
                    ended(
                        Int32(bitPattern: end.pid),
                        ExitStatus(code: signal == 0 ? Int32(end.code) : nil, signal: signal == 0 ? nil : signal))
                case .statusQuery: try startup.master.send(ServiceToMaster.status(status), request: received.request)
                case .processesQuery: try sendProcesses(received.request)
                case .kick(let worker):
                    let found = kick(Int32(bitPattern: worker.pid))
                    try startup.master.send(ServiceToMaster.kicked(.init(pid: worker.pid, found: found)), request: received.request)
                case .stopListening:
                    isStoppedByAdministrator = true
                    role?.setAccepting(false)
                case .listener, .start, .reopenLogs, .logSource, .hello: break
                }
            }
        } catch {
            // Without master nobody would restart or stop us: workers with a session go on, the zygote ends.
            if error != .closed { log.error("master channel: \(error)") }
            isFinished = true
        }
    }

    // MARK: workers

    /// Forks one worker. In the child, only `keeping`, the control channel, the signal queue and descriptors 0–2 stay open, then
    /// `body` runs and its result is the exit code. Answers nil (and logs why) when it could not fork.
    /// `isHelper`: it takes no clients and counts for no limit.
    package func fork(clients: Int, keeping: [Int32], isHelper: Bool = false, _ body: (Channel) -> Int32) -> Int32? {
        do throws(SystemError) {
            let (ours, theirs) = try SocketPair().split()
            let forked: Process.Fork
            do throws(SystemError) { forked = try Process.fork() } catch {
                closeDescriptor(ours)
                closeDescriptor(theirs)
                throw error
            }
            switch forked {
            case .child:
                do throws(SystemError) {
                    try Process.closeDescriptors(except: keeping + [theirs, signals.number])
                } catch {
                    Process.exit(70)
                }
                Process.exit(body(Channel(FileDescriptor(adopting: theirs))))
            case .parent(let pid):
                closeDescriptor(theirs)
                let control = Channel(FileDescriptor(adopting: ours))
                controls[pid] = control
                if !isHelper { pool.started(pid, clients: clients, unixTime: Clock.unixSeconds, now: Clock.milliseconds) }
                let token = tokens.next()
                pidsByToken[token] = pid
                if pool.startedInAll == 1 { settleTime = Clock.milliseconds + Self.settlingTime }
                try loop.poller.add(control.number, token: token, for: .readable)
                // Made for a client that had come before we were replaced: it is its only one.
                if state == .retiring, !isHelper {
                    pool.retireAll()
                    send(.retire, over: control, to: pid)
                }
                return pid
            }
        } catch {
            log.error("service(\(startup.order.service)): \(error)\(Self.hint(error))")
            noteThrottle(pool.forkFailed(now: Clock.milliseconds))
            return nil
        }
    }

    /// Which limit it was that kept a process from being made.
    private static func hint(_ error: SystemError) -> LogText {
        if error.isOutOfDescriptors {
            return
                " (ulimit -n \(ResourceLimit.descriptors.current.soft) reached: raise LimitNOFILE= of the systemd unit or ulimit -n before start)"
        }
        guard error.isWouldBlock else { return "" }
        let limit = ResourceLimit.processes.current.soft
        return
            " (ulimit -u \(limit == ResourceLimit.unlimited ? "unlimited" : "\(limit)") reached, or TasksMax= of the systemd unit, or pids.max of the cgroup?)"
    }

    private func noteThrottle(_ delay: Int64?) {
        guard let delay else { return }
        log.error("service(\(startup.order.service)): command startup failed, throttling for \(LogText.seconds(delay)) secs")
        role?.throttled()
    }

    /// Sends a worker something; a worker that does not take it is ended.
    package func send(_ message: ZygoteToWorker, to pid: Int32, descriptors: [Int32] = []) -> Bool {
        guard let control = controls[pid] else { return false }
        return send(message, over: control, to: pid, descriptors: descriptors)
    }

    @discardableResult
    private func send(_ message: ZygoteToWorker, over control: Channel, to pid: Int32, descriptors: [Int32] = []) -> Bool {
        do throws(ChannelError) {
            try control.send(message, descriptors: descriptors)
            if control.hasBacklog, let token = pidsByToken.first(where: { $0.value == pid })?.key { try loop.watch(control, token) }
            return true
        } catch {
            if error != .closed { log.error("worker \(pid): \(error)") }
            return false
        }
    }

    /// Sends the same to each worker that has a control channel.
    package func sendToAll(_ message: ZygoteToWorker) {
        for (pid, control) in controls { send(message, over: control, to: pid) }
    }

    package var livePIDs: [Int32] { Array(controls.keys) }

    private func readWorker(_ pid: Int32, _ token: UInt64, _ readiness: Readiness = .readable) {
        guard let control = controls[pid] else { return }
        do throws(ChannelError) {
            try loop.flush(control, token, readiness)
            while let received = try control.receive(WorkerToZygote.self) {
                pool.reported(pid)
                if case .state(let state) = received.message {
                    let clients = Int(clamping: state.preLogin) + Int(clamping: state.proxies)
                    if pool.reported(pid, clients: clients, unixTime: Clock.unixSeconds) { role?.capacityChanged() }
                }
                role?.reported(by: pid, received.message)
            }
        } catch {
            if error != .closed { log.error("worker \(pid): \(error)") }
            loop.poller.remove(control.number)
            pidsByToken[token] = nil
            controls[pid] = nil
        }
    }

    private func ended(_ pid: Int32, _ status: ExitStatus) {
        if let token = pidsByToken.first(where: { $0.value == pid })?.key { readWorker(pid, token) }
        controls[pid] = nil
        let (worker, throttled) = pool.ended(pid, status, now: Clock.milliseconds)
        if let text = status.explanation(service: startup.order.service, pid: pid, vszLimit: startup.order.vszLimit),
            worker?.lastKill == 0 || status.isCrash
        {
            let name = role?.sessionName(of: pid) ?? (user: "", session: "")
            log.write(.fatal, text, about: pid, user: name.user, session: name.session)
        }
        role?.workerEnded(pid, status)
        if status.isCrash {
            // Throttling is master's then: our own accounting ends with us.
            askForReplacement(isThrottled: throttled != nil)
        } else {
            noteThrottle(throttled)
        }
        finishIfDrained()
        if !isFinished { role?.capacityChanged() }
    }

    /// Sessions in progress are not touched: master gives them to the fresh zygote.
    private func askForReplacement(isThrottled: Bool) {
        guard state == .working else { return }
        role?.setAccepting(false)
        do throws(ChannelError) { try startup.master.send(ServiceToMaster.replaceMe(.init(isThrottled: isThrottled))) } catch {
            log.error("master: \(error)")
        }
        isFinished = true
    }

    private func kick(_ pid: Int32) -> Bool {
        guard pool.workers[pid] != nil else { return false }
        pool.asked(toEnd: pid, unixTime: Clock.unixSeconds)
        return SignalQueue.send(SignalQueue.user2, to: pid)
    }

    // MARK: the end

    private func retire() {
        guard state == .working else { return }
        state = .retiring
        role?.setAccepting(false)
        pool.retireAll()
        sendToAll(.retire)
        finishIfDrained()
    }

    private func stop(endSessions: Bool) {
        state = .stopping
        role?.setAccepting(false)
        guard endSessions else {
            isFinished = true
            return
        }
        stopDeadline = Clock.milliseconds + Self.stopPatience
        endWorkers(with: SignalQueue.terminate)
        finishIfDrained()
    }

    private func endWorkers(with signal: Int32) {
        for pid in pool.workers.keys {
            pool.asked(toEnd: pid, unixTime: Clock.unixSeconds)
            SignalQueue.send(signal, to: pid)
        }
    }

    /// The role lost its last source of clients: perhaps that was all.
    package func finishIfDrained() {
        switch state {
        case .working: break
        case .retiring: if pool.workers.isEmpty, role?.isDrained ?? true { isFinished = true }
        case .stopping: if pool.workers.isEmpty { isFinished = true }
        }
    }

    /// The whole suite ends.
    package var isStopping: Bool { state == .stopping }

    package var isAccepting: Bool { state == .working && !isStoppedByAdministrator }

    // MARK: what administrators ask

    private var status: ServiceStatus {
        var row = ServiceStatus()
        let queue = role?.queue ?? (count: 0, limit: 0)
        row.service = startup.order.service
        row.processCount = UInt32(clamping: pool.workers.count)
        row.processAvail = UInt32(clamping: pool.available)
        row.processLimit = UInt32(clamping: pool.limits.processes)
        row.clientLimit = UInt32(clamping: pool.limits.clients)
        row.throttleMilliseconds = UInt32(clamping: pool.throttle.until.map { max(0, $0 - Clock.milliseconds) } ?? 0)
        row.lastFailure = UInt64(clamping: pool.throttle.lastFailure)
        row.failuresInSecond = UInt32(clamping: pool.throttle.failuresInSecond)
        row.lastDropWarning = UInt64(clamping: pool.lastWarning)
        row.queued = UInt32(clamping: queue.count)
        row.queueLimit = UInt32(clamping: queue.limit)
        row.isListening = isAccepting
        row.isStopped = isStoppedByAdministrator
        row.processTotal = UInt64(clamping: pool.startedInAll)
        return row
    }

    private func sendProcesses(_ request: UInt32) throws(ChannelError) {
        for worker in pool.workers.values {
            var row = ProcessStatus()
            row.service = startup.order.service
            row.pid = UInt32(bitPattern: worker.pid)
            row.availableCount = UInt32(clamping: pool.freeSlots(of: worker))
            row.totalCount = UInt32(clamping: worker.served)
            row.idleSince = UInt64(clamping: worker.idleSince ?? 0)
            row.lastUpdate = UInt64(clamping: worker.lastUpdate)
            row.lastKill = UInt64(clamping: worker.lastKill)
            row.state =
                worker.isAdopted ? "adopted" : worker.isRetired ? "retired" : worker.clients > 0 ? "\(worker.clients) clients" : "idle"
            row.user = role?.sessionName(of: worker.pid).user ?? ""
            try startup.master.send(ServiceToMaster.process(row), request: request)
        }
        try startup.master.send(ServiceToMaster.endOfList, request: request)
    }
}
