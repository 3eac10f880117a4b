internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// One client of a login process, from accept to the end of its TLS proxying.
final class LoginClient {
    enum Phase { case proxyHeader, preLogin, handingOver, proxying, gone }

    /// What the worker has to do for a client.
    enum Demand {
        case begin(BeginExchange)
        case proceed([UInt8])
        case cancel
        case handOver
        /// The proxy has said who the client is: greet it.
        case known
        /// No client comes of this connection, for this reason.
        case refusedProxy(String)
        /// There is more to move; others have their turn first.
        case again
        case gone(reason: String)
    }

    let token: UInt64
    let transport: Transport
    /// The connection itself; what `remote` and `local` are unless a proxy said otherwise.
    let real: ProxyHeader.Ends
    private(set) var remote: Endpoint
    private(set) var local: Endpoint
    private(set) var session: String
    /// What a proxy said about the client.
    private(set) var proxied = ProxyHeader()
    var listener = Listener()
    let connectedAt = Clock.milliseconds
    private(set) var phase: Phase
    var dialogue: IMAPDialogue
    private var output: [UInt8] = []
    private(set) var proxy: TLSProxy?
    private(set) var handshakeStarted: Int64 = 0

    // What the log line tells.
    var method = ""
    var user = ""
    var ticket: [UInt8] = []
    var exchange: UInt32 = 0
    /// Auth holds an exchange of this client.
    var hasExchange = false
    private(set) var everAttempted = false
    var authStarted: Int64 = 0
    /// An exchange that waits for its turn, or for auth to be started again.
    var waitingExchange: BeginExchange?
    /// One of the logins that are under way at the same time.
    var hasTurn = false
    /// Counted among the proxied sessions.
    var isCountedProxy = false

    init(token: UInt64, socket: consuming FileDescriptor, dialogue: IMAPDialogue, ends: ProxyHeader.Ends, awaitsProxyHeader: Bool) {
        self.token = token
        transport = Transport(socket)
        self.dialogue = dialogue
        real = ends
        remote = ends.remote
        local = ends.local
        session = SessionID.make(remote: ends.remote)
        phase = awaitsProxyHeader ? .proxyHeader : .preLogin
    }

    // MARK: the PROXY header

    /// A client with TLS, here or at the proxy.
    var isTLS: Bool { transport.isTLS || proxied.isTLS }
    var serverName: String { transport.serverName.isEmpty ? proxied.serverName : transport.serverName }

    private var header: [UInt8] = []

    /// Reads what belongs to the header and not a byte more: TLS or commands begin right behind it.
    private func readHeader() -> Demand? {
        do throws(ProxyHeaderError) {
            while true {
                switch try ProxyHeader.read(header) {
                case .complete(let found):
                    header = []
                    take(found)
                    return .known
                case .needs(let count):
                    switch transport.read(appendingTo: &header, atMost: count) {
                    case .moved: break
                    case .wantRead, .wantWrite: return nil
                    case .ended: return .refusedProxy("Client disconnected before the PROXY header was complete")
                    }
                }
            }
        } catch { return .refusedProxy(error.description) }
    }

    private func take(_ found: ProxyHeader) {
        proxied = found
        phase = .preLogin
        guard let ends = found.ends else { return }
        remote = ends.remote
        local = ends.local
        session = SessionID.make(remote: ends.remote)
    }

    /// What to wait for on the client's socket.
    var interest: Readiness {
        switch phase {
        case .gone, .handingOver: []
        case .proxyHeader: .readable
        case .proxying: proxy?.clientInterest ?? []
        case .preLogin:
            if transport.isHandshaking {
                handshakeWantsWrite ? .writable : .readable
            } else {
                Readiness(dialogue.wantsInput ? [.readable] : []).union(output.isEmpty ? [] : .writable)
            }
        }
    }

    private var handshakeWantsWrite = false

    /// Begins TLS before anything else (port 993) or after STARTTLS.
    func startTLS(_ settings: LoginSettings, greet: Bool) -> Demand? {
        guard let server = settings.tls else { return leave("TLS is not available") }
        handshakeStarted = Clock.milliseconds
        greetsAfterTLS = greet
        do { try transport.startTLS(server) } catch { return leave("TLS initialization failed.") }
        return continueHandshake(settings)
    }

    private var greetsAfterTLS = false

    private func continueHandshake(_ settings: LoginSettings) -> Demand? {
        switch transport.handshake() {
        case .moved:
            dialogue.secured()
            if greetsAfterTLS { dialogue.greet() }
            if let demand = advance(settings) { return demand }
            // What came in one packet with the end of the handshake is inside OpenSSL already and wakes no poll.
            return receive(settings)
        case .wantRead:
            handshakeWantsWrite = false
            return nil
        case .wantWrite:
            handshakeWantsWrite = true
            return nil
        case .ended(let text):
            return leave(text.isEmpty ? "Connection closed" : "Connection closed: SSL_accept() failed: \(text)")
        }
    }

    /// The client's socket is ready.
    func ready(_ readiness: Readiness, _ settings: LoginSettings) -> Demand? {
        switch phase {
        case .gone, .handingOver: return nil
        case .proxyHeader: return readHeader()
        case .proxying: return pump()
        case .preLogin:
            if transport.isHandshaking { return continueHandshake(settings) }
            if let demand = flush() { return demand }
            guard !readiness.isDisjoint(with: [.readable, .hangup, .error, .peerClosed]) else { return nil }
            return receive(settings)
        }
    }

    /// Reads and answers until the client has nothing more to say, or somebody else has to answer first.
    private func receive(_ settings: LoginSettings) -> Demand? {
        while dialogue.wantsInput {
            var bytes: [UInt8] = []
            switch transport.read(appendingTo: &bytes, atMost: Self.chunk) {
            case .moved:
                dialogue.feed(bytes)
                if let demand = answer(settings) { return demand }
            case .wantRead, .wantWrite: return flush()
            case .ended(let text):
                return leave(text.isEmpty ? "Connection closed" : "Connection closed: \(text)")
            }
        }
        return nil
    }

    /// Bytes of one read before login: what stays unread at the hand-over must fit into its frame. The rest stays in the socket, or in TLS, for
    /// the mail process; a client may send ahead as much as it likes.
    private static let chunk = 4_096

    /// Carries out what the dialogue wants; then reads on, if bytes are there that wake no poll.
    func advance(_ settings: LoginSettings) -> Demand? {
        if let demand = answer(settings) { return demand }
        guard phase == .preLogin, !transport.isHandshaking, transport.hasPending else { return nil }
        return receive(settings)
    }

    /// Carries out what the dialogue wants until it waits.
    private func answer(_ settings: LoginSettings) -> Demand? {
        while true {
            switch dialogue.next() {
            case .send(let bytes): output += bytes
            case .wait: return flush()
            case .startTLS:
                if let demand = flush() { return demand }
                return startTLS(settings, greet: false)
            case .begin(let mechanism, let initial):
                if let demand = flush() { return demand }
                everAttempted = true
                method = mechanism
                authStarted = Clock.milliseconds
                var begin = BeginExchange()
                begin.mechanism = mechanism
                begin.session = session
                begin.connection = connection
                begin.realConnection = ConnectionInfo(real)
                begin.isSecured = dialogue.offer.isSecured
                begin.isTLS = isTLS
                begin.localName = serverName
                begin.hasInitialResponse = initial != nil
                begin.initialResponse = initial ?? []
                return .begin(begin)
            case .proceed(let data): return .proceed(data)
            case .cancelExchange:
                if let demand = flush() { return demand }
                return .cancel
            case .close(let reason):
                _ = flush()
                return leave(reason)
            }
        }
    }

    var connection: ConnectionInfo { ConnectionInfo(ProxyHeader.Ends(remote: remote, local: local)) }

    private func flush() -> Demand? {
        while !output.isEmpty {
            switch transport.write(output[...]) {
            case .moved(let count): output.removeFirst(count)
            case .wantRead, .wantWrite: return nil
            case .ended(let text): return leave(text.isEmpty ? "Connection closed" : "Connection closed: \(text)")
            }
        }
        return nil
    }

    func beganHandOver() { phase = .handingOver }
    func handOverRefused() { phase = .preLogin }

    /// The mail process has the client (plain), or the other end of `proxy`'s socket.
    func accepted() { phase = proxy == nil ? .gone : .proxying }

    /// Makes the pair over which the mail process will talk to a TLS client; answers its end.
    func makeProxy() throws(SystemError) -> Int32 {
        let (ours, theirs) = try StreamPair().split()
        proxy = TLSProxy(FileDescriptor(adopting: ours))
        return theirs
    }

    func dropProxy() { proxy = nil }

    func pump() -> Demand? {
        guard let proxy, phase == .proxying else { return nil }
        switch proxy.pump(transport) {
        case .waiting: return nil
        case .again: return .again
        case .over: return leave("")
        }
    }

    /// Says why and ends; for timeouts, a full service, and the end of the suite.
    func expel(_ reason: String, bye: String, _ settings: LoginSettings) -> Demand? {
        if phase == .proxyHeader { return leave(reason) }
        dialogue.end(reason, bye: bye)
        return advance(settings)
    }

    private func leave(_ reason: String) -> Demand {
        phase = .gone
        transport.sayGoodbye()
        return .gone(reason: reason)
    }

    /// `(no auth attempts in N secs)` and its like (operations.md 4).
    var attemptsText: String {
        let seconds = (Clock.milliseconds - connectedAt) / 1000
        if dialogue.isAuthenticating {
            return "(disconnected while authenticating, waited \((Clock.milliseconds - authStarted) / 1000) secs)"
        }
        if phase == .handingOver { return "(disconnected while finishing login, waited \(seconds) secs)" }
        if dialogue.attempts > 0 { return "(auth failed, \(dialogue.attempts) attempts in \(seconds) secs)" }
        if everAttempted { return "(client didn't finish SASL auth, waited \(seconds) secs)" }
        return "(no auth attempts in \(seconds) secs)"
    }
}

extension ConnectionInfo {
    init(_ ends: ProxyHeader.Ends) {
        self.init(
            remoteAddress: ends.remote.address, remotePort: ends.remote.port, localAddress: ends.local.address, localPort: ends.local.port)
    }
}
