internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Starts, watches and stops the processes of the suite, and owns its listeners. It does no work per session.
final class Supervisor: EventHandler {
    enum State { case running, stopping, finished }

    let loop: EventLoop
    let signals: SignalQueue
    let log: Log
    let systemd: Systemd
    let configurationPath: String
    let overrides: [String]
    let base: BaseDirectory
    let relay: LogRelay
    let spool: FileDescriptor
    let standardError: Int32
    let environment: [String]
    var plan: Plan
    var listeners: ListenerSet
    var processes: [ServiceProcess] = []
    var generation = 1
    var tokens = Tokens()
    var state = State.running
    var stopDeadline: Int64?
    var control: ControlSocket?
    var configuration: ConfigurationProcess?
    var configurationPID: Int32 = 0
    /// Monotonic milliseconds of its last start.
    var configurationStarted: Int64 = 0
    /// Told once when the log process works, or cannot: for the process that waits to daemonize.
    var whenStarted: ((Bool) -> Void)?

    static let signalToken: UInt64 = 1
    static let controlToken: UInt64 = 2
    static let configToken: UInt64 = 3

    var isFinished: Bool { state == .finished }

    init(_ start: StartParameters) throws(StartFailure) {
        do throws(SystemError) {
            loop = try EventLoop()
            signals = try SignalQueue([
                SignalQueue.terminate, SignalQueue.interrupt, SignalQueue.hangUp, SignalQueue.user1, SignalQueue.child,
            ])
            spool = try LogSpool.create()
            let (ours, theirs) = try SocketPair().split()
            log = Log(socket: theirs, patience: 0)
            relay = LogRelay(loop.poller)
            try relay.add(ours, LogSource(service: "master", leader: UInt32(bitPattern: Process.id)), token: 50)
            try loop.poller.add(signals.number, token: Self.signalToken, for: .readable)
        } catch {
            throw StartFailure(error)
        }
        plan = start.plan
        listeners = start.listeners
        base = start.base
        systemd = start.systemd
        configurationPath = start.configurationPath
        overrides = start.overrides
        standardError = start.standardError
        environment = start.environment
    }

    func run() throws(StartFailure) {
        do throws(SystemError) { try loop.run(self) } catch { throw StartFailure(error) }
    }

    var settings: Settings { plan.base }
    var instance: String { settings["instance_name"].isEmpty ? "culver" : settings["instance_name"] }
    var accounts: Accounts { Accounts(emptyDirectory: base.path + "/empty") }

    // MARK: events

    var nextWake: Int64? {
        var wake = stopDeadline
        for process in processes {
            if let at = process.restartAt { wake = min(wake ?? at, at) }
            if process.isRunning && !process.isReady { wake = min(wake ?? .max, process.startedAt + ServiceProcess.startPatience) }
        }
        if let deadline = control?.firstDeadline { wake = min(wake ?? deadline, deadline) }
        return wake
    }

    func wake(_ now: Int64) {
        for process in processes {
            if let at = process.restartAt, now >= at, state == .running {
                process.restartAt = nil
                process.throttle.end()
                start(process)
            }
            if process.isRunning, !process.isReady, now - process.startedAt > ServiceProcess.startPatience {
                log.error(
                    "service(\(process.name)): initial status notification not received in 30 seconds, killing the process \(process.pid)")
                SignalQueue.send(SignalQueue.kill, to: process.pid)
                process.isOverdue = true
                process.startedAt = now
            }
        }
        control?.expire(now)
        if let stopDeadline, now >= stopDeadline { stopByForce() }
    }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.signalToken: readSignals()
        case Self.controlToken: control?.accept()
        case Self.configToken: continueReload()
        default:
            if relay.owns(token) {
                relay.hungUp(token, logIsRunning: process(.log)?.isReady ?? false)
            } else if let process = processes.first(where: { $0.token == token }) {
                read(process)
            } else {
                control?.ready(token)
            }
        }
    }

    private func readSignals() {
        while let signal = signals.next() {
            switch signal.number {
            case SignalQueue.child: while let (pid, status) = Process.reap() { ended(pid, status) }
            case SignalQueue.terminate, SignalQueue.interrupt:
                log.warning(
                    "Killed with signal \(signal.number) (by pid=\(signal.senderPID) uid=\(signal.senderUID) code=\(signal.origin))")
                stop()
            case SignalQueue.hangUp:
                log.warning("SIGHUP received - reloading configuration")
                reload()
            case SignalQueue.user1: send(.reopenLogs, to: process(.log))
            default: break
            }
        }
    }

    func process(_ kind: ServiceProcess.Kind) -> ServiceProcess? { processes.first { $0.kind == kind && !$0.isRetired } }

    // MARK: starting

    /// Log first, and nothing else before it works: when it cannot, that is the only message.
    func startAll() {
        for process in processes where process.kind == .log { start(process) }
        if process(.log)?.isReady == true { startOthers() }
    }

    private func startOthers() {
        for process in processes where process.kind != .log && process.restartAt == nil { start(process) }
        if configuration == nil { startConfiguration() }
    }

    func start(_ process: ServiceProcess) {
        guard !process.isRunning, !process.isStopped, !process.isRetired, state == .running else { return }
        // Two would use the spool at once: the old one writes what it has, then the new one goes on. Lines wait in their channels.
        if process.kind == .log, processes.contains(where: { $0.kind == .log && $0.isRetired && $0.isRunning }) { return }
        do {
            try spawn(process)
        } catch {
            log.error("service(\(process.name)): \(LogText(untrusted: "\(error)"))")
            startFailed(process)
        }
    }

    private func spawn(_ process: ServiceProcess) throws {
        let order = try process.startOrder(
            instance: instance, accounts: accounts, showsUser: settings.bool("verbose_proctitle", default: true))
        let (master, childMaster) = try SocketPair().split()
        let (logEnd, childLog) = try SocketPair().split()
        let room = String(repeating: " ", count: 240)  // what the title may overwrite
        let pid = try Process.spawn(
            path: process.service.plan.executable, arguments: ["\(instance)/\(process.name)", room], environment: environment,
            descriptors: [-1, -1, childLog, childMaster, process.service.settings.number])
        closeDescriptor(childMaster)
        closeDescriptor(childLog)
        let channel = Channel(FileDescriptor(adopting: master))
        process.pid = pid
        process.channel = channel
        process.token = tokens.next()
        process.isReady = false
        process.hasGreeted = false
        process.isOverdue = false
        process.isThrottled = false
        process.startedAt = Clock.milliseconds
        // From here on the process exists: when it cannot be equipped it ends, and its end is a failed start.
        do {
            try loop.poller.add(channel.number, token: process.token, for: .readable)
            try begin(process, channel, order, logEnd)
        } catch {
            log.error("service(\(process.name)): \(LogText(untrusted: "\(error)"))")
            SignalQueue.send(SignalQueue.kill, to: pid)
        }
    }

    private func begin(_ process: ServiceProcess, _ channel: Channel, _ order: StartOrder, _ logEnd: Int32) throws {
        let pid = process.pid
        let logToken = tokens.next()
        try channel.send(MasterToService.hello(.init(role: "master")))
        try relay.add(logEnd, LogSource(service: process.name, leader: UInt32(bitPattern: pid)), token: logToken)
        try equip(process, channel)
        // The log process itself gets all channels behind its start order, because it does not take them before.
        if process.kind != .log, let log = self.process(.log)?.channel { try relay.announce(logToken, to: log) }
        try channel.send(MasterToService.start(order))
        if process.kind == .log { try relay.announceAll(to: channel) }
        for pid in process.adopted { try channel.send(MasterToService.adopt(.init(pid: UInt32(bitPattern: pid)))) }
    }

    /// Listeners, and a channel to each peer that runs.
    private func equip(_ process: ServiceProcess, _ channel: Channel) throws {
        for entry in process.listeners {
            let info = Listener(
                name: entry.plan.name, role: Self.listenerRole(entry.plan), isTLS: entry.plan.isTLS, isHAProxy: entry.plan.isHAProxy,
                mode: entry.plan.mode)
            try channel.send(MasterToService.listener(info), descriptors: [entry.socket.number])
        }
        if process.kind == .log {
            try channel.send(MasterToService.peer(.init(role: "spool")), descriptors: [spool.number])
            try channel.send(MasterToService.peer(.init(role: "stderr")), descriptors: [standardError])
        }
        for other in processes where other.isRunning && !other.isRetired && process.talks(to: other) && other !== process {
            guard let theirs = other.channel else { continue }
            let (one, two) = try SocketPair().split()
            defer {
                closeDescriptor(one)
                closeDescriptor(two)
            }
            try channel.send(MasterToService.peer(.init(role: other.role)), descriptors: [one])
            // A peer that has just ended gets a new channel when it is started again.
            do throws(ChannelError) { try theirs.send(MasterToService.peer(.init(role: process.role)), descriptors: [two]) } catch {
                if error != .closed { log.error("service(\(other.name)): \(error)") }
            }
        }
    }

    /// Without `type`, what follows the last `-` of a socket's name tells what may be said there (auth.md 1).
    private static func listenerRole(_ plan: PlannedListener) -> String {
        if !plan.role.isEmpty { return plan.role }
        guard plan.kind == "unix" else { return plan.name }
        let file = plan.name.split(separator: "/").last ?? ""
        return String(file.split(separator: "-").last ?? file)
    }

    private func startFailed(_ process: ServiceProcess) {
        guard let delay = process.throttle.beginAfterFailure(now: Clock.milliseconds) else { return }
        log.error("service(\(process.name)): command startup failed, throttling for \(LogText.seconds(delay)) secs")
        process.restartAt = Clock.milliseconds + delay
    }

    // MARK: what processes say

    private func read(_ process: ServiceProcess) {
        guard let channel = process.channel else { return }
        do throws(ChannelError) {
            if channel.hasBacklog { try channel.flush() }
            while let received = try channel.receive(ServiceToMaster.self) {
                if !process.hasGreeted {
                    guard greeted(process, received.message) else { return }
                }
                switch received.message {
                case .hello: break
                case .ready: becameReady(process)
                case .replaceMe(let replacement):
                    process.isThrottled = replacement.isThrottled
                    log.warning(
                        "service(\(process.name)): a process crashed: its zygote is replaced, so that no memory layout is offered twice")
                case .status, .process, .endOfList, .kicked: control?.received(received.message, received.request, from: process)
                }
            }
            try loop.watch(channel, process.token)
        } catch {
            if case .refused(let reason) = error, !process.hasGreeted,
                let mismatch = BuildMismatch.instead(of: reason, from: process.service.plan.executable)
            {
                return refuse(process, mismatch)
            }
            if error != .closed { log.error("service(\(process.name)): \(error)") }
            loop.poller.remove(channel.number)
            process.channel = nil
        }
    }

    /// The first message of a process tells its build; false: it is another one than ours.
    private func greeted(_ process: ServiceProcess, _ first: ServiceToMaster) -> Bool {
        let program = process.service.plan.executable
        var mismatch = BuildMismatch.instead(of: nil, from: program)
        if case .hello(let hello) = first { mismatch = BuildMismatch.check(hello, of: program) }
        process.hasGreeted = mismatch == nil
        if let mismatch { refuse(process, mismatch) }
        return mismatch == nil
    }

    /// A process of another build: whatever it says next cannot be trusted to mean what we think.
    private func refuse(_ process: ServiceProcess, _ mismatch: BuildMismatch) {
        log.error("service(\(process.name)): \(LogText(untrusted: mismatch.description))")
        if let channel = process.channel { loop.poller.remove(channel.number) }
        process.channel = nil
        SignalQueue.send(SignalQueue.kill, to: process.pid)
        if process.kind == .log { whenStarted?(false) }
    }

    private func becameReady(_ process: ServiceProcess) {
        process.isReady = true
        if process.kind == .log {
            whenStarted?(true)
            startOthers()
        }
        if process.generation == generation { retireReplaced(process) }
        if processes.allSatisfy({ $0.isReady || $0.isRetired || $0.isStopped }) { finishReload() }
    }

    func send(_ message: MasterToService, to process: ServiceProcess?) {
        guard let process, let channel = process.channel else { return }
        do throws(ChannelError) {
            try channel.send(message)
            try loop.watch(channel, process.token)
        } catch { if error != .closed { log.error("service(\(process.name)): \(error)") } }
    }

    // MARK: ends

    private func ended(_ pid: Int32, _ status: ExitStatus) {
        if let process = processes.first(where: { $0.pid == pid }) { return processEnded(process, status) }
        for process in processes where process.adopted.remove(pid) != nil {
            let end = ProcessEnd(
                pid: UInt32(bitPattern: pid), code: UInt16(truncatingIfNeeded: status.code ?? 0),
                signal: UInt8(truncatingIfNeeded: status.signal ?? 0))
            send(.adoptedEnded(end), to: process)
            return
        }
        _ = configurationExited(pid, status)
    }

    private func processEnded(_ process: ServiceProcess, _ status: ExitStatus) {
        let pid = process.pid
        let wasReady = process.isReady
        process.noteEnd(now: Clock.milliseconds)
        process.pid = 0
        process.isReady = false
        if let channel = process.channel {
            read(process)
            loop.poller.remove(channel.number)
        }
        process.channel = nil
        control?.gone(process)
        if state != .running { return ended(whileStopping: process) }
        if let text = status.explanation(service: process.name, pid: pid, vszLimit: process.service.plan.vszLimit) {
            log.write(.fatal, text, about: pid, user: "", session: "")
        }
        if process.isZygote { adoptOrphans(of: process, zygote: pid) }
        if process.isRetired || process.isStopped {
            if process.adopted.isEmpty { processes.removeAll { $0 === process } }
            if process.kind == .log, let successor = self.process(.log) { start(successor) }
            return
        }
        // A log process that ends by itself before it works cannot open its files; one that was killed is started again.
        if process.kind == .log && !wasReady && whenStarted != nil && status.signal == nil {
            whenStarted?(false)
            return
        }
        // One that keeps dying is started with growing delay; the others are not touched (security.md 8).
        // The log is never kept waiting: all others would wait with it.
        let isTooOften = process.crashedTooOften(now: Clock.milliseconds) && process.kind != .log
        // Killed for its silence it may only have been slow: that alone is no reason to wait (services.md 10).
        let hasFailed = isTooOften || process.isThrottled || !(wasReady || process.isOverdue)
        if hasFailed { startFailed(process) } else { start(process) }
    }

    /// Workers outlive their zygote: they are in its process group and became our children.
    private func adoptOrphans(of process: ServiceProcess, zygote: Int32) {
        let orphans = ProcessTable.members(ofGroup: zygote).filter { $0 != zygote }
        process.adopted.formUnion(orphans)
        if !orphans.isEmpty {
            log.warning("service(\(process.name)): \(orphans.count) processes go on without the zygote that started them")
        }
    }
}

/// What a supervisor starts with.
struct StartParameters {
    let plan: Plan
    let listeners: ListenerSet
    let base: BaseDirectory
    let systemd: Systemd
    let configurationPath: String
    let overrides: [String]
    let standardError: Int32
    let environment: [String]
}
