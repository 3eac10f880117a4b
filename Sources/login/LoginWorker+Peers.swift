internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// What a login process says to auth and to the mail service.
extension LoginWorker {
    /// A fresh channel after its service was started again; what waited for it goes on.
    func replace(_ role: String, _ channel: Channel) {
        let token = role == "auth" ? Token.auth : Token.mail
        do throws(SystemError) { try loop.poller.add(channel.number, token: token, for: .readable) } catch {
            log.error("\(error)")
            return
        }
        if role == "auth" {
            auth = channel
            for client in clients.values {
                if let begin = client.waitingExchange { beginExchange(client, begin) }
            }
        } else {
            mail = channel
            for client in clients.values where client.phase == .handingOver { handOver(client) }
        }
    }

    func beginExchange(_ client: LoginClient, _ begin: BeginExchange) {
        client.waitingExchange = nil
        guard auth != nil, client.hasTurn || turns.take(client.token) else {
            client.waitingExchange = begin
            return
        }
        client.hasTurn = true
        exchanges[client.exchange] = nil
        client.exchange = nextExchange
        nextExchange = nextExchange == .max ? 1 : nextExchange + 1
        var begin = begin
        begin.service = startup.order.protocolName
        exchanges[client.exchange] = client
        client.hasExchange = true
        sendToAuth(.begin(begin), client)
    }

    /// The login of this client is over, one way or the other: the next that waits begins.
    func endTurn(_ client: LoginClient) {
        guard client.hasTurn else { return }
        client.hasTurn = false
        guard let token = turns.end(among: { clients[$0]?.waitingExchange != nil }), let next = clients[token],
            let begin = next.waitingExchange
        else { return }
        next.hasTurn = true
        beginExchange(next, begin)
    }

    /// Auth shall not wait for an answer that will never come.
    func cancelExchange(_ client: LoginClient) {
        guard client.hasExchange else { return }
        client.hasExchange = false
        sendToAuth(.cancel, client)
        endTurn(client)
    }

    func sendToAuth(_ message: LoginToAuth, _ client: LoginClient) {
        guard let auth else { return }
        do throws(ChannelError) {
            try auth.send(message, request: client.exchange)
            try loop.watch(auth, Token.auth)
        } catch {
            log.error("auth: \(error)")
            if case .cancel = message { return }
            failTemporarily(client)
        }
    }

    func failTemporarily(_ client: LoginClient) {
        client.waitingExchange = nil
        client.hasExchange = false
        endTurn(client)
        client.dialogue.failed(code: "temp_fail", reason: "")
        act(client, client.advance(settings))
    }

    func readAuth(_ readiness: Readiness) {
        guard let channel = auth else { return }
        do throws(ChannelError) {
            try loop.flush(channel, Token.auth, readiness)
            while let received = try channel.receive(AuthToLogin.self) {
                let exchange = received.request
                guard let client = exchanges[exchange], client.dialogue.isVerifying else { continue }
                answered(client, received.message)
            }
        } catch {
            if error != .closed { log.error("auth: \(error)") }
            loop.poller.remove(channel.number)
            auth = nil
            // Exchanges in progress died with the process that held them.
            for client in clients.values where client.hasExchange { failTemporarily(client) }
        }
    }

    func answered(_ client: LoginClient, _ message: AuthToLogin) {
        switch message {
        case .challenge(let challenge):
            client.dialogue.challenged(challenge.data)
            act(client, client.advance(settings))
        case .failed(let failure):
            client.hasExchange = false
            client.user = failure.user
            endTurn(client)
            client.dialogue.failed(code: failure.code, reason: failure.reason)
            act(client, client.advance(settings))
        case .succeeded(let success):
            client.hasExchange = false
            client.user = success.user
            client.ticket = success.ticket
            client.dialogue.succeeded()
            client.authStarted = Clock.milliseconds
            handOver(client)
        }
    }

    func handOver(_ client: LoginClient) {
        guard let mail else {
            client.beganHandOver()
            return watch(client)
        }
        var frame = HandOver()
        frame.ticket = client.ticket
        frame.tag = client.dialogue.tag
        frame.session = client.session
        frame.connection = client.connection
        frame.isSecured = client.dialogue.offer.isSecured
        frame.isTLS = client.isTLS
        frame.wantsCapability = !client.dialogue.askedCapability
        frame.input = client.dialogue.unread
        frame.startedNanoseconds = UInt64(clamping: Clock.monotonicNanoseconds)
        do {
            let theirs = client.transport.isTLS ? try client.makeProxy() : client.transport.socket.number
            defer { if client.transport.isTLS { closeDescriptor(theirs) } }
            client.beganHandOver()
            watch(client)
            try mail.send(LoginToMail.handOver(frame), request: UInt32(truncatingIfNeeded: client.token), descriptors: [theirs])
            try loop.watch(mail, Token.mail)
        } catch {
            refused(
                client, code: "UNAVAILABLE", why: "Mail service is not available, try again.",
                logText: "Internal login failure: \(startup.order.protocolName): \(error)")
        }
    }

    func readMail(_ readiness: Readiness) {
        guard let channel = mail else { return }
        do throws(ChannelError) {
            try loop.flush(channel, Token.mail, readiness)
            while let received = try channel.receive(MailToLogin.self) {
                guard let client = clients[UInt64(received.request)], client.phase == .handingOver else { continue }
                switch received.message {
                case .accepted(let accepted): self.accepted(client, pid: accepted.pid)
                case .queued(let queued):
                    log.warning("Login of \(client.user) waits at position \(queued.position): \(LogText(untrusted: queued.why))")
                case .refused(let refusal): refused(client, code: refusal.code, why: refusal.why, logText: refusal.logText)
                }
            }
        } catch {
            if error != .closed { log.error("\(startup.order.protocolName): \(error)") }
            loop.poller.remove(channel.number)
            mail = nil
            // The ticket may not have been redeemed yet: try again with the service's next process.
            for client in clients.values where client.phase == .handingOver { client.dropProxy() }
        }
    }

    func accepted(_ client: LoginClient, pid: UInt32) {
        log.info(LogText(untrusted: settings.logLine.text("Login", values(client, pid: pid))))
        client.accepted()
        if client.phase == .proxying {
            client.isCountedProxy = true
            proxies += 1
        }
        endTurn(client)
        restAt = Clock.milliseconds + 1_000
        if client.phase == .proxying {
            act(client, client.pump())
        } else {
            forget(client)
        }
        report()
    }

    func refused(_ client: LoginClient, code: String, why: String, logText: String) {
        if !logText.isEmpty {
            log.error("\(LogText(untrusted: logText)): user=<\(client.user)>, rip=\(client.remote.address), session=<\(client.session)>")
        }
        client.dropProxy()
        client.handOverRefused()
        endTurn(client)
        client.dialogue.refused(code: code, why: why)
        act(client, client.advance(settings))
    }
}
