internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Watches directories for all sessions of one user id with one inotify instance: the kernel allows 128 per uid, however many sessions
/// share it. It opens nothing, has nobody's mail, and can tell a session only that something happened.
final class Watcher: EventHandler {
    private final class Session {
        let channel: Channel
        /// Its directories in the order in which they came; one may have come twice.
        var watches: [Int32] = []
        /// `changed` was sent, `seen` has not come.
        var isTold = false
        /// Where something happened since, as places in `watches`.
        var changed: Set<Int> = []
        /// Events were lost.
        var hasLost = false

        init(_ channel: Channel) { self.channel = channel }
    }

    private let startup: Startup
    private let loop: EventLoop
    private let control: Channel
    private let inotify: DirectoryWatch
    private var sessions: [UInt64: Session] = [:]
    private var watchers: [Int32: Set<UInt64>] = [:]
    private var tokens = Tokens()
    private var isControlled = true

    private static let controlToken: UInt64 = 1
    private static let inotifyToken: UInt64 = 2

    init(_ startup: Startup, control: Channel) throws(SystemError) {
        self.startup = startup
        self.control = control
        loop = try EventLoop()
        inotify = try DirectoryWatch()
        try loop.poller.add(control.number, token: Self.controlToken, for: .readable)
        try loop.poller.add(inotify.descriptor.number, token: Self.inotifyToken, for: .readable)
    }

    func run() throws(SystemError) {
        updateTitle()
        try loop.run(self)
    }

    var nextWake: Int64? { nil }
    func wake(_ now: Int64) {}
    /// Sessions may outlive their zygote, and so does this.
    var isFinished: Bool { !isControlled && sessions.isEmpty }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.controlToken: readControl()
        case Self.inotifyToken: readEvents()
        default: if let session = sessions[token] { read(session, token) }
        }
    }

    private func readControl() {
        do throws(ChannelError) {
            while var received = try control.receive(ZygoteToWorker.self) {
                if case .peer = received.message, let socket = received.takeDescriptor() { add(Channel(socket)) }
            }
        } catch {
            loop.poller.remove(control.number)
            isControlled = false
        }
    }

    private func add(_ channel: Channel) {
        let token = tokens.next()
        do throws(SystemError) { try loop.poller.add(channel.number, token: token, for: .readable) } catch {
            return startup.log.error("watcher: \(error)")
        }
        sessions[token] = Session(channel)
        updateTitle()
    }

    private func read(_ session: Session, _ token: UInt64) {
        do throws(ChannelError) {
            while var received = try session.channel.receive(WorkerToWatcher.self) {
                switch received.message {
                case .directory:
                    guard let directory = received.takeDescriptor() else { throw .closed }
                    let isWatched = watch(directory, for: session, token)
                    try session.channel.send(WatcherToWorker.watching(.init(isWatched: isWatched)))
                case .seen:
                    session.isTold = false
                    tell(session, token)
                }
            }
        } catch {
            if error != .closed { startup.log.error("watcher: session: \(error)") }
            remove(session, token)
        }
    }

    private func watch(_ directory: borrowing FileDescriptor, for session: Session, _ token: UInt64) -> Bool {
        guard session.watches.count < ChangedDirectories.limit else { return false }
        do throws(SystemError) {
            let watch = try inotify.watch(directory.number)
            session.watches.append(watch)
            watchers[watch, default: []].insert(token)
            return true
        } catch {
            startup.log.warning(
                "\(error): a session hears of changes only when it looks; raise fs.inotify.max_user_watches (sysctl) when this is ENOSPC")
            return false
        }
    }

    private func remove(_ session: Session, _ token: UInt64) {
        loop.poller.remove(session.channel.number)
        for watch in Set(session.watches) where watch != Self.gone {
            watchers[watch]?.remove(token)
            if watchers[watch]?.isEmpty == true {
                watchers[watch] = nil
                inotify.forget(watch)
            }
        }
        sessions[token] = nil
        updateTitle()
    }

    private func readEvents() {
        while true {
            let events = inotify.events()
            if events.isEmpty { return }
            var told: Set<UInt64> = []
            for event in events {
                if event.watch < 0 {
                    for session in sessions.values { session.hasLost = true }
                    told.formUnion(sessions.keys)
                }
                for token in watchers[event.watch] ?? [] {
                    guard let session = sessions[token] else { continue }
                    for place in session.watches.indices where session.watches[place] == event.watch {
                        session.changed.insert(place)
                        // The kernel may give the number to another directory.
                        if event.isGone { session.watches[place] = Self.gone }
                    }
                    told.insert(token)
                }
                if event.isGone { watchers[event.watch] = nil }
            }
            for token in told { if let session = sessions[token] { tell(session, token) } }
        }
    }

    /// Says what is to be said, unless the session has not read the last news.
    private func tell(_ session: Session, _ token: UInt64) {
        guard !session.isTold, session.hasLost || !session.changed.isEmpty else { return }
        let changed = session.hasLost ? ChangedDirectories() : ChangedDirectories(session.changed)
        session.changed = []
        session.hasLost = false
        session.isTold = true
        do throws(ChannelError) { try session.channel.send(WatcherToWorker.changed(changed)) } catch { remove(session, token) }
    }

    private static let gone: Int32 = -1

    private func updateTitle() { startup.setTitle("[watches for \(sessions.count) sessions]") }
}
