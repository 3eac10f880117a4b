internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The authentication service: one event loop between those who ask and the databases.
final class AuthService: EventHandler {
    /// A login worker, as its zygote introduced it.
    struct LoginPeer {
        let channel: Channel
        let pid: UInt32
    }

    /// A zygote, and what it is: only that of a login service brings login workers, only that of a mail service redeems their tickets.
    struct Zygote {
        enum Kind: String { case login, mail }

        let channel: Channel
        /// The service's name, from master.
        let role: String
        var kind: Kind { role.hasSuffix("-login") ? .login : .mail }
    }

    /// A text listener with what a client of it may do.
    struct TextListener {
        let socket: InheritedListener
        let role: TextRole
        /// Owner and group of the socket file, when its mode asks for the peer check.
        let owner: (uid: UInt32, gid: UInt32)?
    }

    static let masterToken: UInt64 = 1

    let startup: Startup
    let loop: EventLoop
    let authenticator: Authenticator
    let accounts: Accounts
    var tokens = Tokens()
    var tickets = TicketBook<Passed>()
    var delayed = DelayedAnswers()
    var penalties = PenaltyQueue()
    var anvil: Channel?
    var zygotes: [UInt64: Zygote] = [:]
    var logins: [UInt64: LoginPeer] = [:]
    var listeners: [UInt64: TextListener] = [:]
    var connections: [UInt64: TextConnection] = [:]
    var connectionCount: UInt32 = 0
    /// Connections that may have further lines waiting in their buffers.
    var unread: Set<UInt64> = []
    var listenersPausedUntil: Int64?
    private(set) var isFinished = false
    private var isRetiring = false
    private var nextRound: Int64 = 0
    var log: Log { startup.log }

    init(_ startup: Startup, _ settings: AuthSettings, accounts: Accounts, listeners texts: [TextListener]) throws(StartFailure) {
        self.startup = startup
        self.accounts = accounts
        authenticator = Authenticator(settings, databases: Databases(settings))
        do throws(SystemError) {
            loop = try EventLoop()
            try loop.poller.add(startup.master.number, token: Self.masterToken, for: .readable)
            for text in texts {
                let token = tokens.next()
                try loop.poller.add(text.socket.number, token: token, for: .readable)
                listeners[token] = text
            }
        } catch {
            throw StartFailure(error)
        }
        if let channel = startup.takePeer("anvil") { setAnvil(channel) }
        for peer in startup.takePeers() { addZygote(peer.channel, role: peer.role) }
        nextRound = Clock.milliseconds + 1_000
    }

    func addZygote(_ channel: Channel, role: String) {
        let token = tokens.next()
        guard watch(channel.number, token) else { return }
        zygotes[token] = Zygote(channel: channel, role: role)
    }

    /// Adds a descriptor to the poller; false, with a line in the log, when the kernel does not want to.
    func watch(_ number: Int32, _ token: UInt64) -> Bool {
        do throws(SystemError) {
            try loop.poller.add(number, token: token, for: .readable)
            return true
        } catch {
            log.error("\(error)")
            return false
        }
    }

    func ready(_ token: UInt64, _ readiness: Readiness) {
        if token == Self.masterToken {
            readMaster()
        } else if token == Self.anvilToken {
            if let anvil { readAnvil(anvil, readiness) }
        } else if let connection = connections[token] {
            serve(connection, readiness)
        } else if let login = logins[token] {
            serve(login, token, readiness)
        } else if let zygote = zygotes[token] {
            serve(zygote, token, readiness)
        } else if let listener = listeners[token] {
            accept(listener)
        }
        writeNotes()
    }

    /// Answers whose time has come, and once a second what has waited too long.
    func wake(_ now: Int64) {
        for token in unread {
            guard let connection = connections[token] else { continue }
            takeLines(connection)
            settle(connection)
        }
        if let until = listenersPausedUntil, until <= now {
            listenersPausedUntil = nil
            setListening(true)
        }
        beginDue(now)
        for answer in delayed.due(now) { refuse(answer.key, answer.refusal) }
        if now >= nextRound {
            nextRound = now + 1_000
            tickets.expire(now: now)
            for (key, refusal) in authenticator.expire(now: now) { refuse(key, refusal) }
            // Lookups are answered at once, so none is ever in progress here.
            startup.setTitle("[\(waiting) wait, 0 passdb, 0 userdb]")
        }
        writeNotes()
    }

    /// Requests that are neither answered nor being worked on.
    var waiting: Int { authenticator.waiting + delayed.count + penalties.count }

    /// The round is wanted only while something waits.
    var nextWake: Int64? {
        if !unread.isEmpty { return 0 }
        let isWaiting = waiting > 0 || tickets.count > 0
        return [isWaiting ? nextRound : nil, delayed.next, penalties.next, listenersPausedUntil].compactMap(\.self).min()
    }

    /// Lines that came up in the core. What says why a login failed is written with auth_verbose only (auth.md 15).
    func writeNotes() {
        guard !authenticator.databases.notes.isEmpty else { return }
        for note in authenticator.databases.notes {
            let text = LogText(untrusted: note.text)
            switch note.level {
            case .error: log.error(text)
            case .info: if authenticator.settings.isVerbose { log.info(text) } else { log.debug(text) }
            case .debug: log.debug(text)
            }
        }
        authenticator.databases.notes.removeAll()
    }

    /// Carries out what an exchange led to, for whichever kind of asker.
    func handle(_ outcome: Outcome, _ key: RequestKey, now: Int64) {
        reportPenalties()
        switch outcome {
        case .challenge(let data): challenge(key, data)
        case .passed(let passed): pass(key, passed, now)
        case .refused(let refusal):
            if refusal.notBefore <= now { refuse(key, refusal) } else { delayed.add(key, refusal) }
        case .violation(let text): endChannel(key.channel, because: text)
        }
    }

    /// A request or an answer, with auth_debug.
    func debug(_ direction: String, _ line: @autoclosure () -> [UInt8]) {
        guard log.isDebugging else { return }
        log.debug(LogText(untrusted: "\(direction): " + DebugLine.text(line(), showsPasswords: authenticator.settings.showsPasswords)))
    }

    private func challenge(_ key: RequestKey, _ data: [UInt8]) {
        debug("client passdb out", ClientReply.challenge(key.id, data))
        if let login = logins[key.channel] {
            send(.challenge(SASLData(data: data)), key, login)
        } else if let connection = connections[key.channel] {
            answer(connection, ClientReply.challenge(key.id, data))
        }
    }

    private func refuse(_ key: RequestKey, _ refusal: Refusal) {
        debug("client passdb out", ClientReply.failure(key.id, refusal))
        if let login = logins[key.channel] {
            send(
                .failed(
                    AuthFailure(code: refusal.code, reason: ClientText.line(refusal.reason, atMost: Limits.reason), user: refusal.user)),
                key, login)
        } else if let connection = connections[key.channel] {
            answer(connection, ClientReply.failure(key.id, refusal))
        }
    }

    private func pass(_ key: RequestKey, _ passed: Passed, _ now: Int64) {
        debug("client passdb out", ClientReply.success(key.id, passed))
        if let login = logins[key.channel] {
            succeed(key, passed, login, now)
        } else if let connection = connections[key.channel] {
            answer(connection, ClientReply.success(key.id, passed))
        }
    }

    /// A peer broke the rules: its channel ends, no other (security.md 5).
    func endChannel(_ token: UInt64, because text: String) {
        if let connection = connections[token] {
            log.error("BUG: Authentication client \(connection.number) \(text)")
            close(connection)
        } else if let login = logins[token] {
            log.error("login process \(login.pid): \(text)")
            closeLogin(token)
        }
    }

    /// Accept nothing new; end with the last asker.
    func retire() {
        isRetiring = true
        for listener in listeners.values { loop.poller.remove(listener.socket.number) }
        listeners = [:]
        finishIfDrained()
    }

    func finishIfDrained() {
        if isRetiring, zygotes.isEmpty, logins.isEmpty, connections.isEmpty { isFinished = true }
    }

    func finish() { isFinished = true }
}
