internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The only writer of log files.
final class LogService: EventHandler {
    /// A service's log channel: many processes write to it, the kernel says which.
    private final class Source {
        let service: String
        let leader: UInt32
        let socket: FileDescriptor
        var linesInSecond = 0
        var fullRounds = 0
        var warned: Int64 = .min

        init(_ info: LogSource, _ socket: consuming FileDescriptor) {
            service = info.service
            leader = info.leader
            self.socket = socket
        }
    }

    private let startup: Startup
    private let loop: EventLoop
    private let signals: SignalQueue
    private let spool: LogSpool
    private let destinations: Destinations
    private var format: LineFormat
    private var tokens = Tokens()
    private var sources: [UInt64: Source] = [:]
    private var administrators: [UInt64: Channel] = [:]
    private var tooFast: [String: Int64] = [:]
    /// Processes whose last line was fatal.
    private var lastFatal: Set<Int32> = []
    private(set) var isFinished = false

    private static let masterToken: UInt64 = 1
    private static let listenerToken: UInt64 = 2
    private static let signalsToken: UInt64 = 3
    /// More processes than end with a fatal line at a time.
    private static let fatalLimit = 1000
    /// A source that fills every round for this long is named as too fast (operations.md 3).
    private static let fastRounds = 50
    /// Rounds for each source before the process ends.
    private static let lastRounds = 100
    /// How long it stays in the title after that, in milliseconds.
    private static let paceMemory: Int64 = 2_000

    init(_ startup: Startup, spool: LogSpool, destinations: Destinations) throws(StartFailure) {
        self.startup = startup
        self.spool = spool
        self.destinations = destinations
        format = LineFormat(startup.settings)
        do throws(SystemError) {
            loop = try EventLoop()
            signals = try SignalQueue([SignalQueue.user1])
            try loop.poller.add(signals.number, token: Self.signalsToken, for: .readable)
            try loop.poller.add(startup.master.number, token: Self.masterToken, for: .readable)
            for listener in startup.listeners { try loop.poller.add(listener.number, token: Self.listenerToken, for: .readable) }
        } catch {
            throw StartFailure(error)
        }
        recover()
    }

    func run() throws(StartFailure) {
        do throws(SystemError) { try loop.run(self) } catch { throw StartFailure(error) }
    }

    var nextWake: Int64? { tooFast.values.min().map { $0 + Self.paceMemory } }

    func wake(_ now: Int64) {
        tooFast = tooFast.filter { now - $0.value < Self.paceMemory }
        updateTitle()
    }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.masterToken: readMaster()
        case Self.listenerToken: acceptAdministrator()
        case Self.signalsToken: while signals.next() != nil { reopen() }
        default: if let source = sources[token] { drain(source, token) } else { readAdministrator(token) }
        }
    }

    // MARK: lines

    /// What a killed predecessor had received or half written.
    private func recover() {
        if spool.isWriting {
            for (index, destination) in destinations.all.enumerated() {
                let plan = spool.plan(index)
                guard !plan.bytes.isEmpty, let size = destination.size else { continue }
                let done = max(0, min(Int64(plan.bytes.count), size - plan.sizeBefore))
                destination.write(Array(plan.bytes.dropFirst(Int(done))), count: 1)
            }
            spool.finishWriting(slots: LogSpool.slots)
        } else {
            writeRound(slots: LogSpool.slots)
        }
    }

    /// One round of a source; answers whether there may be more.
    @discardableResult
    private func drain(_ source: Source, _ token: UInt64) -> Bool {
        var used = 0
        receiving: while used < LogSpool.slots {
            switch spool.receive(used, from: source.socket.number, source: source.service, leader: source.leader) {
            case .line: used += 1
            case .nothing: break receiving
            case .end:
                loop.poller.remove(source.socket.number)
                sources[token] = nil
                break receiving
            }
        }
        watchPace(source, isFull: used == LogSpool.slots)
        // One slot more than used: the last receive may have left its source name there.
        writeRound(slots: min(used + 1, LogSpool.slots))
        return used == LogSpool.slots
    }

    private func writeRound(slots: Int) {
        let now = Clock.unixSeconds
        var outputs = destinations.all.map { (bytes: [UInt8](), sizeBefore: $0.size ?? -1) }
        var counts = outputs.map { _ in 0 }
        for slot in 0..<slots {
            guard let content = spool.content(of: slot) else { continue }
            let line = ReceivedLine(service: content.source, leader: content.leader, sender: content.sender, bytes: content.bytes)
            if isRepetition(line) { continue }
            keep(line, now)
            let index = destinations.index(for: line.level)
            let destination = destinations.all[index]
            if case .syslog = destination.kind {
                destination.syslog(line.level, format.syslogText(line))
            } else {
                let mark = destination.marksLevels ? "<\([7, 6, 4, 3, 2, 2][Int(line.level.rawValue)])>" : ""
                outputs[index].bytes += Array((mark + format.fileLine(line, at: now)).utf8)
                counts[index] += 1
            }
        }
        guard outputs.contains(where: { !$0.bytes.isEmpty }) else { return spool.finishWriting(slots: slots) }
        spool.beginWriting(outputs)
        for (index, output) in outputs.enumerated() { destinations.all[index].write(output.bytes, count: counts[index]) }
        spool.finishWriting(slots: slots)
    }

    /// Whether a line says again what the process it is about has said better (services.md 10).
    private func isRepetition(_ line: ReceivedLine) -> Bool {
        if line.isPlainFatalEnd, lastFatal.remove(line.pid) != nil { return true }
        if line.level == .fatal {
            if lastFatal.count >= Self.fatalLimit { lastFatal.removeAll() }
            lastFatal.insert(line.pid)
        } else if !lastFatal.isEmpty {
            lastFatal.remove(line.pid)
        }
        return false
    }

    /// For `culveradm log errors`; in the spool, so that it outlives this process.
    private func keep(_ line: ReceivedLine, _ now: Int64) {
        guard line.level >= .warning else { return }
        let entry = LogEntry(time: UInt64(clamping: now), level: line.level.rawValue, prefix: format.prefix(line), text: line.text)
        do throws(FrameError) { spool.keep(try LogToAdmin.entry(entry).encodedFrame()) } catch {}
    }

    /// Writers wait while we write; who makes them wait is named.
    private func watchPace(_ source: Source, isFull: Bool) {
        source.fullRounds = isFull ? source.fullRounds + 1 : 0
        guard source.fullRounds >= Self.fastRounds else { return }
        let now = Clock.milliseconds
        tooFast[source.service] = now
        updateTitle()
        guard source.warned == .min || now - source.warned >= 60_000 else { return }
        source.warned = now
        startup.log.warning(
            "service(\(source.service)) is sending log lines faster than they can be written; its processes wait (see their titles). Lower its debug settings"
        )
    }

    private func updateTitle() {
        switch tooFast.count {
        case 0: startup.setTitle("")
        case 1: startup.setTitle("[service too fast: \(tooFast.keys.first ?? "")]")
        default: startup.setTitle("[\(tooFast.count) services too fast]")
        }
    }

    // MARK: master

    private func readMaster() {
        do throws(ChannelError) {
            while var received = try startup.master.receive(MasterToService.self) {
                switch received.message {
                case .logSource(let info): if let socket = received.takeDescriptor() { add(info, socket) }
                case .reopenLogs: reopen()
                case .stop, .retire: finish()
                default: break
                }
            }
        } catch {
            finish()
        }
    }

    /// Last lines first: what is queued is written before the end.
    private func finish() {
        for (token, source) in sources {
            // More than the kernel can have queued; a process that goes on writing does not keep us alive.
            for _ in 0..<Self.lastRounds where drain(source, token) { continue }
        }
        isFinished = true
    }

    private func add(_ info: LogSource, _ socket: consuming FileDescriptor) {
        do throws(SystemError) {
            try Socket.receiveCredentials(on: socket.number)
            let source = Source(info, socket)
            // The same service again (its leader was started again): the channel stays, the leader's pid changes.
            let token = tokens.next()
            try loop.poller.add(source.socket.number, token: token, for: .readable)
            sources[token] = source
        } catch { startup.log.error("\(error)") }
    }

    private func reopen() {
        for destination in destinations.all {
            do throws(SystemError) { try destination.open() } catch {
                startup.log.error("log file could not be reopened, the old one stays: \(error)")
            }
        }
    }

    // MARK: administrators

    private func acceptAdministrator() {
        for listener in startup.listeners {
            do throws(SystemError) {
                let socket = try Socket.accept(listener.number)
                guard administrators.count < 32 else { continue }
                let token = tokens.next()
                try loop.poller.add(socket.number, token: token, for: .readable)
                administrators[token] = Channel(socket, maximumQueue: 2 * LogSpool.keptLimit)
            } catch { if !error.isWouldBlock { startup.log.error("\(error)") } }
        }
    }

    private var kept: [LogEntry] {
        spool.kept.compactMap { bytes in
            do throws(FrameError) {
                if case .entry(let entry) = try LogToAdmin.decode(bytes, descriptors: 0).message { return entry }
            } catch {}
            return nil
        }
    }

    private func readAdministrator(_ token: UInt64) {
        guard let channel = administrators[token] else { return }
        do throws(ChannelError) {
            if channel.hasBacklog { try channel.flush() }
            while let received = try channel.receive(AdminToLog.self) {
                switch received.message {
                case .errors(let query):
                    for entry in kept where entry.time >= query.since { try channel.send(LogToAdmin.entry(entry)) }
                    try channel.send(LogToAdmin.end)
                }
            }
            try loop.watch(channel, token)
        } catch {
            loop.poller.remove(channel.number)
            administrators[token] = nil
        }
    }
}
