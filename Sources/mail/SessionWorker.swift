internal import Confinement
internal import IPCProtocol
internal import MailStore
internal import Platform
internal import ServiceKit
internal import Variables

/// The process of a session: becomes its user, confines itself to that user's mail, and serves.
///
/// With service_count other than 1 it serves several sessions of one uid, one after the other, and is then not bound to one user's directories.
final class SessionWorker {
    /// A client, and whom it is. An object, for its many texts lie on the stack of each waiting session otherwise, more than once.
    final class Assignment {
        let user: UserRecord
        let handOver: HandOver
        private var client: FileDescriptor?

        init(_ user: UserRecord, _ handOver: HandOver, _ client: consuming FileDescriptor) {
            self.user = user
            self.handOver = handOver
            self.client = consume client
        }

        /// The connection, once.
        func takeClient() -> FileDescriptor? { client.take() }

        /// Tells a client whose mail cannot be reached; why stands in the log.
        func refuse() {
            guard let client = takeClient() else { return }
            let text = " NO [UNAVAILABLE] Internal error occurred. Refer to server log for more information.\r\n* BYE Internal error\r\n"
            do throws(SystemError) { _ = try client.write((handOver.tag + Array(text.utf8))[...]) } catch {}
        }
    }

    private let startup: Startup
    private let control: Channel
    private let signals: SignalQueue
    private let zygote: Int32
    private let template: SessionTemplate
    private let isRehearsal: Bool
    private var isConfined = false
    /// No further session will come.
    private var isRetired = false
    private var hasReported = false
    private var log: Log { startup.log }

    /// A session has its client, a few channels, a handful of directories and one message at a time (security.md 3).
    private static let descriptors: UInt64 = 256

    /// `zygote`: whose TERM means the stop of the service. `isRehearsal`: nothing is given up, for `Rehearsal`.
    init(
        _ startup: Startup, zygote: Int32, control: Channel, signals: SignalQueue, template: SessionTemplate, isRehearsal: Bool = false
    ) {
        self.isRehearsal = isRehearsal
        self.zygote = zygote
        self.template = template
        self.startup = startup
        self.control = control
        self.signals = signals
    }

    private var isReused: Bool { !isRehearsal && startup.order.requestLimit != 1 }

    /// Serves `first`, or waits for it; when the process is used again also what follows. The result is the exit code.
    func work(first: Assignment?, program: borrowing SystemCallFilter.Program) -> Int32 {
        var next = first
        while true {
            if next == nil {
                startup.setTitle("[idling]")
                report()
                next = waitForAssignment()
            }
            guard let assignment = next else { return 0 }
            next = nil
            let namespaces: [NamespaceSettings]
            do throws(StoreError) { namespaces = try template.namespaces(of: assignment.user) } catch {
                return refuse(assignment, LogText(untrusted: error.logText))
            }
            do throws(ConfinementError) { try confine(for: assignment.user, namespaces, program) } catch {
                return refuse(assignment, "\(error)")
            }
            guard waitForBegin() else { return 0 }
            serve(assignment, namespaces)
            guard isReused else { return 0 }
            log.user = ""
            log.session = ""
            do throws(ChannelError) { try control.send(WorkerToZygote.sessionEnded) } catch { return 0 }
        }
    }

    /// Ends with a client whose mail cannot be reached by anybody.
    private func refuse(_ assignment: Assignment, _ reason: LogText) -> Int32 {
        log.user = assignment.user.user
        log.session = assignment.handOver.session
        log.fatal(reason)
        assignment.refuse()
        return 89
    }

    /// The first report. It comes before anything that depends on the user: a user whose directories cannot be made must not throttle the
    /// service for all others.
    private func report() {
        guard !hasReported else { return }
        hasReported = true
        do throws(ChannelError) { try control.send(WorkerToZygote.working) } catch {}  // a zygote that is gone counts no more
    }

    /// Login and anvil hear of a session before its client does: a zygote that ends in between leaves no session that nobody knows of,
    /// and no client that two processes answer.
    private func waitForBegin() -> Bool {
        do throws(ChannelError) {
            while true {
                if let received = try control.receive(ZygoteToWorker.self, wait: true), case .begin = received.message { return true }
            }
        } catch { return false }
    }

    /// A zygote that forks for thousands at once answers late; a session that stopped waiting would take one of the few instances itself.
    private static let watchPatience: Int32 = 10_000

    /// Who tells of changes is the zygote's decision: it knows how many sessions share this user id. It answers in turn, or has ended.
    private func askForWatch() -> (any ChangeWatch)? {
        do {
            try control.send(WorkerToZygote.watchWanted)
            while try !Wait.any([.init(control.number, .readable)], milliseconds: Self.watchPatience)[0].isEmpty {
                while var received = try control.receive(ZygoteToWorker.self) {
                    switch received.message {
                    case .peer: if let socket = received.takeDescriptor() { return RemoteWatch(Channel(socket)) }
                    case .watchYourself: return nil
                    case .retire: isRetired = true
                    default: break
                    }
                }
            }
        } catch {}
        return nil
    }

    private func waitForAssignment() -> Assignment? {
        while !isRetired {
            do {
                let ready = try Wait.any([.init(control.number, .readable), .init(signals.number, .readable)], milliseconds: -1)
                if ready.count == 2, !ready[1].isEmpty, stopRequest() != .none { return nil }
                while var received = try control.receive(ZygoteToWorker.self) {
                    switch received.message {
                    case .session(let session):
                        if let client = received.takeDescriptor() { return Assignment(session.user, session.handOver, client) }
                    case .retire: return nil
                    default: break
                    }
                }
            } catch { return nil }
        }
        return nil
    }

    // MARK: confinement

    /// In the order of security.md 4; the directories of the mail exist before they are named in a rule.
    private func confine(
        for user: UserRecord, _ namespaces: [NamespaceSettings], _ program: borrowing SystemCallFilter.Program
    ) throws(ConfinementError) {
        guard !isConfined else { return }
        isConfined = true
        let directories = directories(of: user, namespaces)
        var circumstances = Confinement.Circumstances(uid: user.uid, gid: user.gid)
        if !Process.isRoot {
            circumstances.uid = Process.effectiveUID
            circumstances.gid = Process.effectiveGID
        }
        circumstances.descriptors = Self.descriptors
        circumstances.memory = startup.order.vszLimit
        circumstances.extraRules = directories.map { Landlock.Rule($0.path, .mail) }
        if isRehearsal { return Confinement.mailWorker.rehearse(circumstances) }
        Process.setUmask(0o077)
        func prepare() throws(SystemError) {
            report()
            for (directory, isNeeded) in directories {
                do throws(SystemError) { try FileSystem.makeDirectories(directory, mode: 0o700) } catch { if isNeeded { throw error } }
            }
        }
        if isReused {
            try Confinement.reusedMailWorker.enter(circumstances, program: program, beforeBinding: prepare)
        } else {
            try Confinement.mailWorker.enter(circumstances, program: program, beforeBinding: prepare)
        }
    }

    // MARK: the session

    private func serve(_ assignment: Assignment, _ namespaces: [NamespaceSettings]) {
        let user = assignment.user
        let handOver = assignment.handOver
        log.user = user.user
        log.session = handOver.session
        let showsUser = startup.order.showsUser
        let who = showsUser ? "\(user.user) \(handOver.connection.remoteAddress)" : ""
        func title(_ text: String) { startup.setTitle("[\(who)\(who.isEmpty || text.isEmpty ? "" : " ")\(text)]") }
        title("")
        log.debug("Effective uid=\(user.uid), gid=\(user.gid), home=\(user.home)")
        log.debug(
            "\(user.mailDriver): root=\(user.mailPath), control=\(user.mailControlPath), index=\(user.mailIndexPath), layout=\(user.layout)"
        )
        do throws(StoreError) {
            var options = template.storeOptions
            options.namespaces = namespaces
            options.quota = template.quota(of: user)
            options.makeWatch = { [unowned self] in askForWatch() }
            let store = try MailStore.open(location: location(user), home: user.home.isEmpty ? nil : user.home, options: options)
            var settings = template.imap
            settings.setTitle = title
            settings.control = ControlChannel(number: signals.number) { [unowned self] in stopRequest() }
            guard let client = assignment.takeClient() else { return }
            let start = SessionStart(tag: handOver.tag, pendingInput: handOver.input, answerWithCapability: handOver.wantsCapability)
            do throws(SessionEnd) {
                let session = try IMAPSession(client: client, start: start, store: store, settings: settings)
                let result = session.run()
                log.info(LogText(untrusted: result.logText(format: template.logoutFormat)))
            } catch { log.info("Disconnected: \(error.reason)") }
        } catch {
            log.error("Mail access failed: \(LogText(untrusted: error.logText))")
            assignment.refuse()
        }
    }

    private func stopRequest() -> ControlChannel.Request {
        var request = ControlChannel.Request.none
        while let signal = signals.next() {
            if signal.number == SignalQueue.user2 { request = .kick }
            guard signal.number == SignalQueue.terminate else { continue }
            request = .shutDown
            // Not by the service's own stop: somebody did it by hand (services.md 13).
            if signal.senderPID != zygote {
                log.warning("Killed with signal 15 (by pid=\(signal.senderPID) uid=\(signal.senderUID) code=\(signal.origin))")
            }
        }
        return request
    }

    /// What the session may reach: mail, index and control directories of this user's namespaces. It goes without those that are not needed.
    private func directories(of user: UserRecord, _ namespaces: [NamespaceSettings]) -> [(path: String, isNeeded: Bool)] {
        let places = [(location(user), true)] + namespaces.compactMap { one in one.location.map { ($0, !one.ignoresFailure) } }
        var found: [(path: String, isNeeded: Bool)] = []
        for (place, isNeeded) in places {
            // A path that needs a home and has none is an error of the store, which says so.
            do throws(StoreError) {
                for path in try place.directories(home: user.home) where !found.contains(where: { $0.path == path }) {
                    found.append((path, isNeeded))
                }
            } catch {}
        }
        return found
    }

    private func location(_ user: UserRecord) -> MailLocation {
        func path(_ text: String) -> String? { text.isEmpty ? nil : text }
        return MailLocation(
            driver: .maildir, path: user.mailPath, inboxPath: path(user.mailInboxPath), indexPath: path(user.mailIndexPath),
            controlPath: path(user.mailControlPath), layout: user.layout == "fs" ? .nested : .maildirPlusPlus,
            namesAreUTF8: template.namesAreUTF8)
    }
}
