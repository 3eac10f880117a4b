package import Confinement
package import IPCProtocol
package import Platform

/// A listening socket that master gave.
package final class InheritedListener {
    package let info: Listener
    private let socket: FileDescriptor

    init(info: Listener, socket: consuming FileDescriptor) {
        self.info = info
        self.socket = socket
    }

    package var number: Int32 { socket.number }
}

/// What a process got from master before it began: settings, listeners, channels to others, and who it shall be.
package final class Startup {
    package let settings: Settings
    package let master: Channel
    package let log: Log
    package private(set) var order = StartOrder()
    package private(set) var listeners: [InheritedListener] = []
    private var peers: [(role: String, channel: Channel)] = []

    /// Takes over what was inherited and waits for master's start order. The first thing in each main.
    package init() throws(StartFailure) {
        Title.prepare()
        Heap.prepare()
        SignalQueue.ignoreWriteSignals()
        // Scripts send HUP to auth to empty its cache: it has none, and must not end for it.
        SignalQueue.ignore(SignalQueue.hangUp)
        SignalQueue.ignore(SignalQueue.alarm)
        log = Log()
        Self.refuseByHand()
        let image = FileDescriptor(adopting: Inherited.settings)
        settings = try Settings(from: image)
        master = Channel(FileDescriptor(adopting: Inherited.master))
        log.isDebugging = settings.bool("mail_debug") || settings.bool("auth_debug") || settings.bool("auth_debug_passwords")
        do throws(ChannelError) { try greet() } catch { throw StartFailure("master: \(error)") }
        do throws(ChannelError) { try receivePlan() } catch { throw StartFailure("master: \(error)") }
        setTitle("[initializing]")
        log.whenBlocked = { [unowned self] isBlocked in
            Title.set(
                isBlocked
                    ? title(titleText.isEmpty ? "[blocking on log write]" : titleText + " - [blocking on log write]") : title(titleText))
        }
    }

    /// Says of which build this process is; what master says about itself comes first of all that it sends.
    private func greet() throws(ChannelError) {
        let path = FileSystem.linkTarget("/proc/self/exe") ?? ""
        try master.send(ServiceToMaster.hello(.init(role: String(path.split(separator: "/").last?.prefix(64) ?? ""))))
    }

    /// Ends the process when master is of another build, naming both.
    private func check(_ first: MasterToService) throws(ChannelError) {
        var mismatch = BuildMismatch.instead(of: nil, from: "master")
        if case .hello(let hello) = first { mismatch = BuildMismatch.check(hello, of: "master") }
        guard let mismatch else { return }
        log.fatal(LogText(untrusted: mismatch.description))
        Process.exit(89)
    }

    private func receivePlan() throws(ChannelError) {
        var isGreeted = false
        while true {
            guard var received = try master.receive(MasterToService.self, wait: true) else { continue }
            if !isGreeted {
                isGreeted = true
                try check(received.message)
            }
            switch received.message {
            case .listener(let info):
                if let socket = received.takeDescriptor() { listeners.append(InheritedListener(info: info, socket: socket)) }
            case .peer(let peer):
                if let socket = received.takeDescriptor() { peers.append((peer.role, Channel(socket))) }
            case .start(let start):
                order = start
                return
            case .stop, .retire: throw .closed
            default: continue  // nothing else has a meaning before the start
            }
        }
    }

    /// The channel to a peer that master gave, once.
    package func takePeer(_ role: String) -> Channel? {
        guard let index = peers.firstIndex(where: { $0.role == role }) else { return nil }
        return peers.remove(at: index).channel
    }

    /// A descriptor that master gave as a peer but that is no channel: a memory file, a stream.
    package func takePeerDescriptor(_ role: String) -> FileDescriptor? {
        guard let channel = takePeer(role) else { return nil }
        do throws(SystemError) { return FileDescriptor(adopting: try duplicateDescriptor(channel.number)) } catch { return nil }
    }

    /// All channels that are left, for a service whose peers are all alike.
    package func takePeers() -> [(role: String, channel: Channel)] {
        defer { peers = [] }
        return peers
    }

    /// Who the process becomes.
    package func circumstances(descriptors: Int, rules: [Landlock.Rule] = []) -> Confinement.Circumstances {
        Confinement.Circumstances(
            uid: order.uid, gid: order.gid, groups: order.supplementaryGroups, chroot: order.chroot.isEmpty ? nil : order.chroot,
            descriptors: UInt64(descriptors), memory: order.vszLimit, extraRules: rules)
    }

    /// Drops what this process does not need; no privilege that the table does not name is left below this line.
    package func confine(_ confinement: Confinement, descriptors: Int, rules: [Landlock.Rule] = []) throws(StartFailure) {
        do throws(SystemError) { try TrapReport.install(descriptor: Inherited.log, prefix: Log.trapPrefix) } catch {
            throw StartFailure(error)
        }
        do throws(ConfinementError) { try confinement.enter(circumstances(descriptors: descriptors, rules: rules)) } catch {
            throw StartFailure(error.description)
        }
    }

    /// Tells master that this process works.
    package func announceReady() throws(StartFailure) {
        do throws(ChannelError) { try master.send(ServiceToMaster.ready) } catch { throw StartFailure("master: \(error)") }
        setTitle("")
    }

    private var titleText = ""

    /// What `ps` shows behind the name: `[3 pre-login]`.
    package func setTitle(_ text: String) {
        titleText = text
        Title.set(title(text))
    }

    /// `culver/imap-login [3 pre-login]`
    private func title(_ text: String) -> String {
        let name = "\(order.instance)/\(order.service)"
        return text.isEmpty ? name : "\(name) \(text)"
    }

    /// Ends a program that somebody started by hand: it has no channels, and its user would see nothing but silence.
    package static func refuseByHand() {
        guard Process.environment("CULVER_CHILD") != "1" else { return }
        let stream = FileDescriptor(adopting: Inherited.log)
        do throws(SystemError) { try stream.writeAll(Array("Fatal: Must be started by culver, the master process\n".utf8)) } catch {}
        Process.exit(89)
    }

    /// Runs a main: an error becomes one fatal line and exit status 89.
    package static func run(_ body: () throws(StartFailure) -> Void) {
        do throws(StartFailure) {
            try body()
        } catch {
            Log().fatal("\(error)")
            Process.exit(89)
        }
    }
}

extension StartFailure {
    /// A system call that failed while starting.
    package init(_ error: SystemError) { self.init(error.description) }
}

extension StartOrder {
    package var supplementaryGroups: [UInt32] {
        stride(from: 0, to: groups.count - 3, by: 4).map { start in
            (0..<4).reduce(0) { $0 | UInt32(groups[start + $1]) << UInt32(8 * $1) }
        }
    }

    package static func packed(groups: [UInt32]) -> [UInt8] {
        groups.flatMap { group in (0..<4).map { UInt8(truncatingIfNeeded: group >> UInt32(8 * $0)) } }
    }
}

extension StartOrder: StartOrderLimits {}
