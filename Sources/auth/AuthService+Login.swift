internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Login processes and zygotes: frames in, frames out.
extension AuthService {
    func serve(_ zygote: Zygote, _ token: UInt64, _ readiness: Readiness) {
        let channel = zygote.channel
        do throws(ChannelError) {
            if readiness.contains(.writable) { try flush(channel, token) }
            while var received = try channel.receive(ZygoteToAuth.self) {
                switch (received.message, zygote.kind) {
                case (.attach(let attach), .login):
                    if let socket = received.takeDescriptor() { addLogin(Channel(socket), pid: attach.pid) }
                case (.redeem(let redeem), .mail):
                    let reply = self.reply(to: redeem)
                    try send(reply, received.request, channel, token)
                case (.attach, .mail), (.redeem, .login):
                    log.error("zygote of \(zygote.role): message \(received.message.name) is not for a \(zygote.kind.rawValue) service")
                    throw .closed
                }
            }
        } catch {
            if error != .closed { log.error("zygote of \(zygote.role): \(error)") }
            loop.poller.remove(channel.number)
            zygotes[token] = nil
            finishIfDrained()
        }
    }

    private func addLogin(_ channel: Channel, pid: UInt32) {
        let token = tokens.next()
        guard watch(channel.number, token) else { return }
        logins[token] = LoginPeer(channel: channel, pid: pid)
    }

    /// A frame that cannot be made (a path longer than the protocol allows) is the user's problem, not the channel's.
    private func send(_ reply: AuthToZygote, _ request: UInt32, _ channel: Channel, _ token: UInt64) throws(ChannelError) {
        do throws(ChannelError) {
            try channel.send(reply, request: request)
        } catch {
            guard case .refused(let problem) = error else { throw error }
            log.error("user record: \(problem)")
            try channel.send(AuthToZygote.failed(LookupFailure(isTemporary: true, reason: "user record is too large")), request: request)
        }
        updateInterest(channel, token)
    }

    /// A ticket becomes the user it stands for; the user database is asked now.
    private func reply(to redeem: Redeem) -> AuthToZygote {
        let now = Clock.milliseconds
        guard let passed = tickets.redeem(redeem.ticket, of: redeem.pid, remoteAddress: redeem.remoteAddress, now: now) else {
            log.error("ticket of login process \(redeem.pid) for \(redeem.remoteAddress) is not valid")
            return .unknownTicket
        }
        switch user(passed.identity, passed.origin, passed.fields) {
        case .user(let user): return .user(user.record(mechanism: passed.origin.mechanism))
        case .unknown:
            log.error("user \(passed.identity.user) logged in, but no userdb knows it")
            return .failed(LookupFailure(isTemporary: false, reason: "userdb does not know this user"))
        case .failed: return .failed(LookupFailure(isTemporary: true, reason: "userdb lookup failed"))
        }
    }

    func user(_ identity: Identity, _ origin: Origin, _ passdb: FieldList?) -> UserAnswer {
        authenticator.user(identity, origin, passdb: passdb) { accounts.number(of: $0, isGroup: $1) }
    }

    /// Takes one frame: it may cost a hash, and others wait. The poller tells again of what is left.
    func serve(_ login: LoginPeer, _ token: UInt64, _ readiness: Readiness) {
        do throws(ChannelError) {
            if readiness.contains(.writable) { try flush(login.channel, token) }
            if let received = try login.channel.receive(LoginToAuth.self) {
                let key = RequestKey(channel: token, id: received.request)
                let now = Clock.milliseconds
                debug("client in", DebugLine.line(received.message, key.id))
                switch received.message {
                case .begin(let begin):
                    let initial = begin.hasInitialResponse ? begin.initialResponse : nil
                    self.begin(key, mechanism: begin.mechanism, initial: initial, origin: origin(begin), now: now)
                case .proceed(let answer):
                    if isPremature(key) { return }
                    handle(authenticator.proceed(key, answer.data, now: now), key, now: now)
                case .cancel:
                    authenticator.cancel(key)
                    delayed.drop(key)
                    penalties.drop(key)
                }
            }
        } catch {
            if error != .closed { log.error("login process \(login.pid): \(error)") }
            closeLogin(token)
        }
    }

    /// Who comes from one of login_trusted_networks has passed checks there: its failures cost the address nothing (operations.md 16).
    private func origin(_ begin: BeginExchange) -> Origin {
        var origin = Origin(begin)
        origin.isExempt = authenticator.settings.trusted.contains { $0.contains(origin.remoteAddress) }
        return origin
    }

    /// The password was right: the login process gets a ticket, and nothing that it could misuse.
    func succeed(_ key: RequestKey, _ passed: Passed, _ login: LoginPeer, _ now: Int64) {
        let user = passed.identity.user
        if passed.fields.has("nologin") {
            let reason = ClientText.line(passed.fields["reason"] ?? "", atMost: Limits.reason)
            return send(.failed(AuthFailure(code: "nologin", reason: reason, user: user)), key, login)
        }
        if passed.fields.has("proxy") || passed.fields.has("host") {
            log.error("passdb: user \(user) is to be proxied, which this version cannot do")
            return send(.failed(AuthFailure(code: "temp_fail", reason: "", user: user)), key, login)
        }
        guard let ticket = tickets.issue(passed, to: login.pid, remoteAddress: passed.origin.remoteAddress, now: now) else {
            log.error("login process \(login.pid) has \(Limits.tickets) tickets waiting")
            return send(.failed(AuthFailure(code: "temp_fail", reason: "", user: user)), key, login)
        }
        send(.succeeded(AuthSuccess(ticket: ticket, user: user)), key, login)
    }

    func send(_ message: AuthToLogin, _ key: RequestKey, _ login: LoginPeer) {
        do throws(ChannelError) {
            try login.channel.send(message, request: key.id)
            updateInterest(login.channel, key.channel)
        } catch {
            if error != .closed { log.error("login process \(login.pid): \(error)") }
            closeLogin(key.channel)
        }
    }

    func closeLogin(_ token: UInt64) {
        guard let login = logins.removeValue(forKey: token) else { return }
        loop.poller.remove(login.channel.number)
        tickets.void(login.pid)
        authenticator.drop(channel: token)
        delayed.drop(channel: token)
        penalties.drop(channel: token)
        finishIfDrained()
    }

    private func flush(_ channel: Channel, _ token: UInt64) throws(ChannelError) {
        try channel.flush()
        updateInterest(channel, token)
    }

    private func updateInterest(_ channel: Channel, _ token: UInt64) {
        let wanted: Readiness = channel.hasBacklog ? [.readable, .writable] : .readable
        do throws(SystemError) { try loop.poller.modify(channel.number, token: token, for: wanted) } catch { log.error("\(error)") }
    }
}

extension Origin {
    init(_ begin: BeginExchange) {
        service = begin.service
        session = begin.session
        localAddress = begin.connection.localAddress
        localPort = begin.connection.localPort
        remoteAddress = begin.connection.remoteAddress
        remotePort = begin.connection.remotePort
        realLocalAddress = begin.realConnection.localAddress
        realLocalPort = begin.realConnection.localPort
        realRemoteAddress = begin.realConnection.remoteAddress
        realRemotePort = begin.realConnection.remotePort
        localName = begin.localName
        isSecured = begin.isSecured
        isTLS = begin.isTLS
    }
}
