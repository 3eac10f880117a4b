internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// A login process: the clients it has, and its channels to auth, to the mail service and to its zygote.
final class LoginWorker: EventHandler {
    enum Token {
        static let control: UInt64 = 1
        static let signals: UInt64 = 2
        static let auth: UInt64 = 3
        static let mail: UInt64 = 4
        static let firstClient: UInt64 = 10
    }

    let startup: Startup
    let settings: LoginSettings
    private let listeners: [Listener]
    let loop: EventLoop
    let control: Channel
    let signals: SignalQueue
    var auth: Channel?
    var mail: Channel?
    var clients: [UInt64: LoginClient] = [:]
    private var watched: [UInt64: Readiness] = [:]
    private var tokens = Tokens(startingAt: Token.firstClient)
    private var served: UInt32 = 0
    var nextExchange: UInt32 = 1
    /// Whose exchange with auth it is.
    var exchanges: [UInt32: LoginClient] = [:]
    var turns = LoginTurns()
    /// Clients whose session is proxied.
    var proxies = 0
    /// Proxied sessions with more to move than one turn.
    private var busy: Set<UInt64> = []
    private var isRetiring = false
    private var isControlled = true
    private(set) var isFinished = false
    private var nextSweep = Clock.milliseconds + 1000
    /// When what the last login needed goes back to the system: a process that only proxies TLS mostly waits.
    var restAt: Int64?
    var log: Log { startup.log }

    init(_ startup: Startup, _ settings: LoginSettings, control: Channel, signals: SignalQueue, auth: Channel?, mail: Channel?)
        throws(SystemError)
    {
        self.startup = startup
        self.settings = settings
        self.control = control
        self.signals = signals
        self.auth = auth
        self.mail = mail
        listeners = startup.listeners.map(\.info)
        loop = try EventLoop()
        try loop.poller.add(control.number, token: Token.control, for: .readable)
        try loop.poller.add(signals.number, token: Token.signals, for: .readable)
        if let auth { try loop.poller.add(auth.number, token: Token.auth, for: .readable) }
        if let mail { try loop.poller.add(mail.number, token: Token.mail, for: .readable) }
    }

    /// The event of the first client's socket, for the rehearsal.
    static var firstClientEvent: UInt64 { (Token.firstClient << 1) + Token.firstClient }

    /// No further client will come.
    func endAfterLastClient() {
        isRetiring = true
        finishIfIdle()
    }

    /// Serves until the last client has gone and no further one can come.
    func run() throws(SystemError) { try loop.run(self) }

    var nextWake: Int64? {
        if !busy.isEmpty { return 0 }
        let hasStrangers = clients.count > proxies
        let mayWaitForHeader = hasStrangers && listeners.contains(where: \.isHAProxy)
        let header =
            !mayWaitForHeader
            ? nil : clients.values.lazy.filter { $0.phase == .proxyHeader }.map(\.connectedAt).min().map { $0 + settings.proxyTime }
        return hasStrangers ? min(nextSweep, restAt ?? .max, header ?? .max) : restAt
    }

    // MARK: clients

    func adopt(_ socket: consuming FileDescriptor, listener index: Int) {
        let number = socket.number
        let endpoints: (remote: Endpoint, local: Endpoint)
        do throws(SystemError) {
            endpoints = (try Socket.endpoint(of: number, .peer), try Socket.endpoint(of: number, .local))
        } catch {
            return report()  // gone before we could look at it
        }
        let info = index < listeners.count ? listeners[index] : Listener()
        Socket.setNoDelay(number)
        let client = LoginClient(
            token: tokens.next(), socket: socket, dialogue: IMAPDialogue(offer: settings.offer),
            ends: ProxyHeader.Ends(remote: endpoints.remote, local: endpoints.local), awaitsProxyHeader: info.isHAProxy)
        client.listener = info
        clients[client.token] = client
        served += 1
        report()  // before a byte of the client is looked at: what it provokes is no failed start
        guard info.isHAProxy else { return welcome(client) }
        if settings.proxies.contains(where: { $0.contains(endpoints.remote.address) }) {
            act(client, client.ready(.readable, settings))
        } else {
            act(client, .refusedProxy("Client not trusted: its address is not in haproxy_trusted_networks"))
        }
        report()  // its title: it may have told another address
    }

    /// Begins the dialogue with a client whose address is known.
    private func welcome(_ client: LoginClient) {
        var offer = settings.offer
        // A client of the proxy's own host came no way that anybody could listen on (operations.md 14).
        let isLocal = client.remote.address == client.local.address || client.proxied.ends?.remote.address == client.real.remote.address
        offer.isSecured = isLocal || client.proxied.isTLS || settings.trusted.contains { $0.contains(client.remote.address) }
        if client.listener.isTLS || client.proxied.isTLS { offer.canStartTLS = false }
        client.dialogue = IMAPDialogue(offer: offer)
        if client.listener.isTLS {
            act(client, client.startTLS(settings, greet: true))
        } else {
            client.dialogue.greet()
            act(client, client.advance(settings))
        }
    }

    private func refuse(_ client: LoginClient, _ reason: String) {
        forget(client)
        log.error(
            "haproxy: \(reason) (rip=\(client.real.remote.address), service=\(startup.order.service), listener=\(client.listener.name))")
        report()
    }

    func act(_ client: LoginClient, _ demand: LoginClient.Demand?) {
        switch demand {
        case nil: break
        case .begin(let begin): beginExchange(client, begin)
        case .proceed(let data): sendToAuth(.proceed(.init(data: data)), client)
        case .cancel:
            cancelExchange(client)
            return act(client, client.advance(settings))  // the client's answer waits behind it
        case .handOver: handOver(client)
        case .known: return welcome(client)
        case .refusedProxy(let reason): return refuse(client, reason)
        case .again: busy.insert(client.token)
        case .gone(let reason):
            remove(client, reason)
            return
        }
        watch(client)
    }

    func watch(_ client: LoginClient) {
        watch(client.transport.socket.number, client.token << 1, client.interest)
        if let proxy = client.proxy, client.phase == .proxying {
            watch(proxy.server.number, client.token << 1 | 1, proxy.serverInterest)
        }
    }

    /// One epoll_ctl where the interest changed, none where it did not.
    private func watch(_ number: Int32, _ key: UInt64, _ interest: Readiness) {
        let token = key + Token.firstClient
        let before = watched[key]
        guard before != interest else { return }
        do throws(SystemError) {
            if interest.isEmpty {
                if before != nil { loop.poller.remove(number) }
                watched[key] = nil
                return
            }
            if before == nil {
                try loop.poller.add(number, token: token, for: interest)
            } else {
                try loop.poller.modify(number, token: token, for: interest)
            }
            watched[key] = interest
        } catch {
            log.error("\(error)")
        }
    }

    private func remove(_ client: LoginClient, _ reason: String) {
        cancelExchange(client)
        forget(client)
        guard !reason.isEmpty else { return report() }
        log.session = client.session
        let hasExtra = reason.contains("(") == false || reason.hasPrefix("Connection closed")
        let text = reason == "Aborted login by logging out" ? reason : reason.hasPrefix("Disconnected") ? reason : "Disconnected: \(reason)"
        log.session = ""
        log.info(LogText(untrusted: settings.logLine.text(hasExtra ? "\(text) \(client.attemptsText)" : text, values(client))))
        report()
    }

    func forget(_ client: LoginClient) {
        watch(client.transport.socket.number, client.token << 1, [])
        if let proxy = client.proxy { watch(proxy.server.number, client.token << 1 | 1, []) }
        clients[client.token] = nil
        exchanges[client.exchange] = nil
        if client.isCountedProxy { proxies -= 1 }
        endTurn(client)
        finishIfIdle()
    }

    private func finishIfIdle() {
        let isUsedUp = startup.order.requestLimit > 0 && served >= startup.order.requestLimit
        if clients.isEmpty && (isRetiring || !isControlled || isUsedUp) { isFinished = true }
    }

    func values(_ client: LoginClient, pid: UInt32? = nil) -> [String: String] {
        [
            "user": client.user, "mechanism": client.method, "remote_ip": client.remote.address, "local_ip": client.local.address,
            "remote_port": String(client.remote.port), "local_port": String(client.local.port), "mail_pid": pid.map(String.init) ?? "",
            "secured": client.transport.hasTLS
                ? (client.transport.isHandshaking ? "TLS handshaking" : "TLS")
                : client.proxied.isTLS ? "TLS" : client.dialogue.offer.isSecured ? "secured" : "",
            "ssl_security": client.transport.summary, "session": client.session, "service": startup.order.protocolName,
            "pid": String(Process.id), "local_name": client.serverName,
            "real_remote_ip": client.real.remote.address, "real_remote_port": String(client.real.remote.port),
            "real_local_ip": client.real.local.address, "real_local_port": String(client.real.local.port),
        ]
    }

    // MARK: events

    func ready(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case Token.control: readControl(readiness)
        case Token.signals: readSignals()
        case Token.auth: readAuth(readiness)
        case Token.mail: readMail(readiness)
        default:
            let key = token - Token.firstClient
            guard let client = clients[key >> 1] else { return }
            if key & 1 == 1 {
                act(client, client.pump())
            } else {
                act(client, client.ready(readiness, settings))
            }
        }
    }

    func wake(_ now: Int64) {
        let turn = busy
        busy = []
        for token in turn {
            if let client = clients[token] { act(client, client.pump()) }
        }
        if let at = restAt, now >= at {
            restAt = nil
            Heap.release()
        }
        for client in clients.values where client.phase == .proxyHeader && now - client.connectedAt >= settings.proxyTime {
            act(client, .refusedProxy("Client timed out: no complete PROXY header within \(settings.proxyTime) ms (haproxy_timeout)"))
        }
        guard now >= nextSweep else { return }
        nextSweep = now + 1000
        for client in clients.values where client.phase != .proxying {
            if client.transport.isHandshaking, now - client.handshakeStarted > LoginSettings.handshakeTime {
                act(client, client.expel("Inactivity during TLS handshake", bye: "", settings))
            } else if now - client.connectedAt > LoginSettings.loginTime {
                let reason = client.dialogue.isAuthenticating ? "Inactivity during authentication" : "Inactivity"
                act(client, client.expel(reason, bye: "Disconnected for inactivity.", settings))
            } else if auth == nil, client.dialogue.isVerifying, now - client.authStarted > LoginSettings.restartPatience {
                failTemporarily(client)
            } else if mail == nil, client.phase == .handingOver, now - client.authStarted > LoginSettings.restartPatience {
                refused(client, code: "UNAVAILABLE", why: "Mail service is not available, try again.", logText: "")
            }
        }
    }

    private func readSignals() {
        while let signal = signals.next() {
            guard signal.number == SignalQueue.terminate || signal.number == SignalQueue.user2 else { continue }
            for client in clients.values {
                if client.phase == .preLogin || client.phase == .proxyHeader {
                    act(client, client.expel("Server shutting down", bye: "Server shutting down.", settings))
                } else {
                    forget(client)
                }
            }
            isFinished = true
        }
    }

    private func readControl(_ readiness: Readiness) {
        do throws(ChannelError) {
            try loop.flush(control, Token.control, readiness)
            while var received = try control.receive(ZygoteToWorker.self) {
                switch received.message {
                case .client(let arrival):
                    if let socket = received.takeDescriptor() { adopt(socket, listener: Int(arrival.listener)) }
                case .peer(let peer):
                    if let socket = received.takeDescriptor() { replace(peer.role, Channel(socket)) }
                case .makeRoom: makeRoom()
                case .retire: endAfterLastClient()
                case .session, .begin, .watchYourself: break
                }
            }
        } catch {
            loop.poller.remove(control.number)
            isControlled = false
            finishIfIdle()
        }
    }

    /// All processes are full: the client that has been here longest without logging in gives way.
    private func makeRoom() {
        let strangers = clients.values.filter {
            $0.phase == .preLogin && !$0.dialogue.isAuthenticating && Clock.milliseconds - $0.connectedAt > 2_000
        }
        guard let oldest = strangers.min(by: { $0.connectedAt < $1.connectedAt }) else { return }
        act(oldest, oldest.expel("Connection queue full", bye: "Connection queue full", settings))
    }

    /// Tells the zygote and `ps` how many clients there are.
    func report() {
        var state = WorkerState()
        state.proxies = UInt32(clamping: proxies)
        state.preLogin = UInt32(clamping: clients.count - proxies)
        state.served = served
        startup.setTitle(titleText(state))
        guard isControlled, !isFinished else { return }
        do throws(ChannelError) {
            try control.send(WorkerToZygote.state(state))
            try loop.watch(control, Token.control)
        } catch { isControlled = false }
    }

    private func titleText(_ state: WorkerState) -> String {
        if clients.count == 1, let only = clients.values.first {
            let what = only.phase == .proxying ? "TLS proxy" : "pre-login"
            return settings.showsUser ? "[\(only.remote.address) \(what)]" : "[\(what)]"
        }
        var parts: [String] = []
        if state.preLogin > 0 { parts.append("\(state.preLogin) pre-login") }
        if state.proxies > 0 { parts.append("\(state.proxies) TLS proxies") }
        return parts.isEmpty ? "" : "[\(parts.joined(separator: " + "))]"
    }
}
