internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The zygote of a mail service: redeems tickets, lets anvil admit sessions, queues or refuses with a reason, and forks one worker per session.
/// It never reads from a client and opens no file of a user.
final class SessionZygote: ZygoteRole {
    /// A client on its way to a worker.
    final class Pending {
        let link: UInt64
        let request: UInt32
        let client: Int32
        let handOver: HandOver
        let since: Int64
        var user: UserRecord?

        init(link: UInt64, request: UInt32, client: Int32, handOver: HandOver) {
            self.link = link
            self.request = request
            self.client = client
            self.handOver = handOver
            since = Clock.milliseconds
        }
    }

    /// The filters of what it forks.
    struct Programs: ~Copyable {
        let worker: SystemCallFilter.Program
        let watcher: SystemCallFilter.Program

        init() throws(StartFailure) {
            let worker = try Self.compiled { () throws(SystemError) in try Confinement.mailWorkerProgram() }
            watcher = try Self.compiled { () throws(SystemError) in try Confinement.mailWatcher.filter.compiled() }
            self.worker = worker
        }

        private static func compiled(
            _ compile: () throws(SystemError) -> SystemCallFilter.Program
        ) throws(StartFailure) -> SystemCallFilter.Program {
            do throws(SystemError) { return try compile() } catch { throw StartFailure("system call filter: \(error)") }
        }
    }

    struct Link {
        let channel: Channel
        let pid: UInt32
    }

    /// A running session, as anvil knows it. An object: a table of thousands of them stays small, and a worker keeps each page of it that the
    /// zygote writes to afterwards.
    final class Running {
        let id: UInt64
        let user: String
        let address: String
        let session: String
        let isAdopted: Bool
        /// uid, for a worker that is used again.
        let uid: UInt32
        let gid: UInt32

        init(id: UInt64, user: String, address: String, session: String, isAdopted: Bool = false, uid: UInt32, gid: UInt32 = 0) {
            self.id = id
            self.user = user
            self.address = address
            self.session = session
            self.isAdopted = isAdopted
            self.uid = uid
            self.gid = gid
        }
    }

    let zygote: Zygote
    let pid = Process.id
    let startup: Startup
    let programs: Programs
    let template: SessionTemplate
    let firstUID: UInt32
    let lastUID: UInt32
    let perUserLimit: UInt32
    var auth: Channel?
    var anvil: Channel?
    var brokers: [UInt64: Channel] = [:]
    var links: [UInt64: Link] = [:]
    var pending: [UInt64: Pending] = [:]
    var queued: [UInt64] = []
    var running: [Int32: Running] = [:]
    var idle: [Int32: UInt32?] = [:]
    /// By user id.
    var watchers: [UInt32: Int32] = [:]
    var lastID: UInt64 = 0
    var isAccepting = true

    static let authToken: UInt64 = 10
    static let anvilToken: UInt64 = 11
    static let queueLimit = 1_000
    /// How long a client waits for a slot before it is refused (login gives up after 180 s in all).
    static let queueTime: Int64 = 30_000

    init(_ zygote: Zygote, _ programs: consuming Programs, template: SessionTemplate) throws(StartFailure) {
        self.template = template
        self.zygote = zygote
        startup = zygote.startup
        self.programs = programs
        let settings = startup.settings
        firstUID = UInt32(clamping: settings.number("first_valid_uid", default: 500))
        let last = settings.number("last_valid_uid", default: 0)
        lastUID = last == 0 ? .max : UInt32(clamping: last)
        perUserLimit = UInt32(clamping: settings.number("mail_max_userip_connections", default: 10))
        do throws(SystemError) {
            if let channel = startup.takePeer("auth") { try setAuth(channel) }
            if let channel = startup.takePeer("anvil") { try setAnvil(channel) }
            for peer in startup.takePeers() { try addBroker(peer.channel) }
        } catch { throw StartFailure(error) }
    }

    var queue: (count: Int, limit: Int) { (queued.count, Self.queueLimit) }
    /// Login processes of the same configuration may still be on their way to a hand-over.
    var isDrained: Bool { brokers.isEmpty && links.isEmpty && pending.isEmpty }
    var wantsTicks: Bool { !queued.isEmpty }
    /// Workers serve several sessions of one uid, one after the other.
    var reusesWorkers: Bool { zygote.pool.limits.requests != 1 }

    func setAccepting(_ isAccepting: Bool) { self.isAccepting = isAccepting }

    // MARK: channels

    func setAuth(_ channel: Channel) throws(SystemError) {
        if let auth { zygote.loop.poller.remove(auth.number) }
        try zygote.loop.poller.add(channel.number, token: Self.authToken, for: .readable)
        auth = channel
    }

    func setAnvil(_ channel: Channel) throws(SystemError) {
        if let anvil { zygote.loop.poller.remove(anvil.number) }
        try zygote.loop.poller.add(channel.number, token: Self.anvilToken, for: .readable)
        anvil = channel
        // A fresh anvil knows nothing: counts must be right at once.
        for (pid, session) in running where !session.isAdopted || !session.user.isEmpty { tellAnvil(.announce(request(session, pid: pid))) }
        for (id, waiting) in pending {
            if let user = waiting.user { tellAnvil(.announce(request(id, user, waiting.handOver))) }
        }
    }

    func addBroker(_ channel: Channel) throws(SystemError) {
        let token = zygote.tokens.next()
        try zygote.loop.poller.add(channel.number, token: token, for: .readable)
        brokers[token] = channel
    }

    func peerArrived(_ role: String, _ channel: Channel) {
        do throws(SystemError) {
            switch role {
            case "auth": try setAuth(channel)
            case "anvil": try setAnvil(channel)
            default: try addBroker(channel)
            }
        } catch { zygote.log.error("\(error)") }
    }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Self.authToken: readAuth()
        case Self.anvilToken: readAnvil()
        default: if brokers[token] != nil { readBroker(token) } else { readLink(token) }
        }
    }

    /// Login zygotes bring a channel for each of their workers.
    func readBroker(_ token: UInt64) {
        guard let channel = brokers[token] else { return }
        do throws(ChannelError) {
            while var received = try channel.receive(ZygoteToZygote.self) {
                guard case .attach(let attach) = received.message, let socket = received.takeDescriptor() else { continue }
                let link = zygote.tokens.next()
                do throws(SystemError) { try zygote.loop.poller.add(socket.number, token: link, for: .readable) } catch {
                    throw .system(error)
                }
                links[link] = Link(channel: Channel(socket), pid: attach.pid)
            }
        } catch {
            if error != .closed { zygote.log.error("login zygote: \(error)") }
            zygote.loop.poller.remove(channel.number)
            brokers[token] = nil
            zygote.finishIfDrained()
        }
    }

    func readLink(_ token: UInt64) {
        guard let link = links[token] else { return }
        do throws(ChannelError) {
            while var received = try link.channel.receive(LoginToMail.self) {
                guard case .handOver(let handOver) = received.message, let client = received.takeDescriptor() else { continue }
                arrived(handOver, client.release(), received.request, token, link)
            }
        } catch {
            if error != .closed { zygote.log.error("login process \(link.pid): \(error)") }
            zygote.loop.poller.remove(link.channel.number)
            links[token] = nil
            // The login process is gone, and with it who would have told the client: its waiting clients go, too.
            for (id, waiting) in pending where waiting.link == token { drop(id) }
            zygote.finishIfDrained()
        }
    }

    // MARK: from ticket to worker

    func arrived(_ handOver: HandOver, _ client: Int32, _ request: UInt32, _ token: UInt64, _ link: Link) {
        lastID += 1
        let id = lastID
        pending[id] = Pending(link: token, request: request, client: client, handOver: handOver)
        guard let auth else {
            return refuse(id, "UNAVAILABLE", "Authentication service is not available, try again.", log: "auth service is not running")
        }
        let redeem = Redeem(ticket: handOver.ticket, pid: link.pid, remoteAddress: handOver.connection.remoteAddress)
        do throws(ChannelError) { try auth.send(ZygoteToAuth.redeem(redeem), request: UInt32(truncatingIfNeeded: id)) } catch {
            refuse(id, "UNAVAILABLE", "Authentication service is not available, try again.", log: "auth: \(error)")
        }
    }

    func readAuth() {
        guard let channel = auth else { return }
        do throws(ChannelError) {
            while let received = try channel.receive(AuthToZygote.self) {
                guard let id = pending.keys.first(where: { UInt32(truncatingIfNeeded: $0) == received.request }) else { continue }
                switch received.message {
                case .user(let user): identified(id, user)
                case .unknownTicket:
                    refuse(id, "UNAVAILABLE", "Internal login failure.", log: "login process sent a ticket that is not valid for it")
                case .failed(let failure):
                    refuse(id, "UNAVAILABLE", "Internal login failure.", log: "user lookup failed: \(failure.reason)")
                }
            }
        } catch {
            if error != .closed { zygote.log.error("auth: \(error)") }
            zygote.loop.poller.remove(channel.number)
            auth = nil
            for (id, waiting) in pending where waiting.user == nil {
                refuse(id, "UNAVAILABLE", "Authentication service is not available, try again.", log: "auth service ended")
            }
        }
    }

    func identified(_ id: UInt64, _ user: UserRecord) {
        // A stronger process never takes a uid without looking at it (security.md 2).
        let isAllowed = user.uid != 0 && user.uid >= firstUID && user.uid <= lastUID && user.gid != 0
        guard isAllowed || !Process.isRoot else {
            let why =
                user.uid == 0
                ? "Mail access for users with UID 0 not permitted"
                : "UID \(user.uid) or GID \(user.gid) is outside first_valid_uid=\(firstUID)…last_valid_uid=\(lastUID)"
            return refuse(id, "UNAVAILABLE", "Internal login failure.", log: "user \(user.user): \(why)")
        }
        guard let waiting = pending[id] else { return }
        waiting.user = user
        guard let anvil else { return admitted(id) }  // anvil forgets, but never blocks anybody
        do throws(ChannelError) { try anvil.send(ServiceToAnvil.admit(request(id, user, waiting.handOver))) } catch { admitted(id) }
    }

    func request(_ id: UInt64, _ user: UserRecord, _ handOver: HandOver) -> SessionRequest {
        var request = SessionRequest()
        request.id = id
        request.user = user.user
        request.service = startup.order.service
        request.address = handOver.connection.remoteAddress
        request.session = handOver.session
        request.limit = perUserLimit
        return request
    }

    func request(_ session: Running, pid: Int32) -> SessionRequest {
        var request = SessionRequest()
        request.id = session.id
        request.pid = UInt32(bitPattern: pid)
        request.user = session.user
        request.service = startup.order.service
        request.address = session.address
        request.session = session.session
        return request
    }

    func readAnvil() {
        guard let channel = anvil else { return }
        do throws(ChannelError) {
            while let received = try channel.receive(AnvilToService.self) {
                switch received.message {
                case .admitted(let session): admitted(session.id)
                case .overLimit(let session): overUserLimit(session.id)
                case .adopted(let session): adopted(session)
                case .penalty: break
                }
            }
        } catch {
            if error != .closed { zygote.log.error("anvil: \(error)") }
            zygote.loop.poller.remove(channel.number)
            anvil = nil
            for (id, waiting) in pending where waiting.user != nil && !queued.contains(id) { admitted(id) }
        }
    }

    func tellAnvil(_ message: ServiceToAnvil) {
        guard let anvil else { return }
        do throws(ChannelError) { try anvil.send(message) } catch { if error != .closed { zygote.log.error("anvil: \(error)") } }
    }

    func overUserLimit(_ id: UInt64) {
        let text = "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=\(perUserLimit))"
        refuse(id, "LIMIT", text, log: "\(text) by user \(pending[id]?.user?.user ?? "")", isCounted: false)
    }

    func admitted(_ id: UInt64) {
        guard let waiting = pending[id], let user = waiting.user else { return tellAnvil(.left(.init(id: id))) }
        if queued.isEmpty, serve(id, waiting, user) { return }
        guard queued.count < Self.queueLimit else { return refuseFull(id) }
        queued.append(id)
        let why =
            zygote.pool.throttle.isActive
            ? "service(\(startup.order.service)): its processes fail to start, trying again soon"
            : "service(\(startup.order.service)): \(zygote.pool.limits.reached) reached, the client waits; raise it: \(zygote.pool.limits.remedy(for: startup.order.service))"
        answer(waiting, .queued(.init(position: UInt32(clamping: queued.count), why: why)))
        warnFull(dropping: false)
    }

    func warnFull(dropping: Bool) {
        guard !zygote.pool.throttle.isActive else { return }
        if let text = zygote.pool.warnOfLimit(
            queued: queued.count, queueLimit: Self.queueLimit, dropping: dropping, now: Clock.milliseconds, unixTime: Clock.unixSeconds)
        {
            zygote.log.warning(text)
        }
    }

    func refuseFull(_ id: UInt64) {
        warnFull(dropping: true)
        let limits = zygote.pool.limits
        refuse(
            id, "UNAVAILABLE", "Too many sessions on this server, try again later.",
            log: "service(\(startup.order.service)): \(limits.reached) reached; raise it: \(limits.remedy(for: startup.order.service))")
    }

    func refuse(_ id: UInt64, _ code: String, _ why: String, log: String, isCounted: Bool = true) {
        guard let waiting = pending[id] else { return }
        answer(waiting, .refused(.init(code: code, why: why, logText: log)))
        if !isCounted { pending[id]?.user = nil }
        drop(id)
    }

    /// Forgets a waiting client and closes our copy of its connection.
    func drop(_ id: UInt64) {
        guard let waiting = pending.removeValue(forKey: id) else { return }
        queued.removeAll { $0 == id }
        closeDescriptor(waiting.client)
        if waiting.user != nil { tellAnvil(.left(.init(id: id))) }
        zygote.finishIfDrained()
    }

    func answer(_ waiting: Pending, _ message: MailToLogin) {
        guard let link = links[waiting.link] else { return }
        do throws(ChannelError) { try link.channel.send(message, request: waiting.request) } catch {
            if error != .closed { zygote.log.error("login process \(link.pid): \(error)") }
        }
    }
}
