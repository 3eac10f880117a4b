internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Mail servers and tools: lines in, lines out.
extension AuthService {
    func accept(_ listener: TextListener) {
        while true {
            guard connections.count < connectionLimit else {
                return pauseListeners("service auth { client_limit = \(startup.order.clientLimit) } is reached by text connections")
            }
            do throws(SystemError) {
                let socket = try Socket.accept(listener.socket.number)
                try add(socket, listener)
            } catch {
                if error.isWouldBlock { return }
                if error.isOutOfDescriptors { return pauseListeners("\(error)") }
                log.error("listener \(listener.socket.info.name): \(error)")
                return
            }
        }
    }

    /// Text connections get half of the places, so that nobody on this host can keep login processes out.
    private var connectionLimit: Int { max(16, Int(startup.order.clientLimit) / 2) }

    /// Nothing is accepted for a second: a listener that stays ready would keep the loop busy.
    private func pauseListeners(_ reason: String) {
        log.warning("not accepting text connections for a second: \(reason)")
        setListening(false)
        listenersPausedUntil = Clock.milliseconds + 1_000
    }

    func setListening(_ isOn: Bool) {
        for (token, listener) in listeners {
            do throws(SystemError) {
                try loop.poller.modify(listener.socket.number, token: token, for: isOn ? .readable : [])
            } catch { log.error("\(error)") }
        }
    }

    private func add(_ socket: consuming FileDescriptor, _ listener: TextListener) throws(SystemError) {
        connectionCount &+= 1
        let token = tokens.next()
        var restrictedTo: UInt32?
        if let owner = listener.owner {
            let peer = try Socket.peerCredentials(of: socket.number)
            // Root may ask for everybody.
            if peer.uid != 0, peer.uid != owner.uid, peer.gid != owner.gid { restrictedTo = peer.uid }
        }
        let dialogue: TextConnection.Dialogue
        switch listener.role {
        case .client(let atOnce):
            let greeting = ClientProtocol.Greeting(
                processID: Process.id, connection: connectionCount, cookie: Self.cookie(), mechanisms: authenticator.settings.mechanisms)
            dialogue = .client(ClientProtocol(greeting, atOnce: atOnce))
        case .userdb, .master:
            dialogue = .userdb(UserdbProtocol(processID: Process.id, isMaster: listener.role == .master))
        }
        let number = socket.number
        let connection = TextConnection(token: token, number: connectionCount, socket: socket, restrictedTo: restrictedTo, dialogue)
        try loop.poller.add(number, token: token, for: .readable)
        connections[token] = connection
        settle(connection)
    }

    private static func cookie() -> String {
        (0..<2).map { _ in
            let text = String(UInt64.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }.joined()
    }

    func serve(_ connection: TextConnection, _ readiness: Readiness) {
        if !connection.isFull, readiness.contains(.readable) || readiness.contains(.hangup) || readiness.contains(.error) {
            guard connection.fill() else { return close(connection) }
        }
        connection.flush()
        takeLines(connection)
        settle(connection)
    }

    /// Takes one line: it may cost a hash, and others wait. What is left has its turn in the next round of the loop.
    func takeLines(_ connection: TextConnection) {
        unread.remove(connection.token)
        guard connections[connection.token] != nil, !connection.isFull else { return }
        switch connection.nextLine() {
        case .needsMore: return
        case .tooLong: return endChannel(connection.token, because: "sent a line that is too long")
        case .line(let line):
            debug(connection.isClient ? "client in" : "userdb in", line)
            do throws(Violation) { try take(line, connection) } catch { return endChannel(connection.token, because: error.text) }
            unread.insert(connection.token)
        }
    }

    private func take(_ line: [UInt8], _ connection: TextConnection) throws(Violation) {
        switch connection.dialogue {
        case .client(var client):
            let received = try client.receive(line)
            connection.dialogue = .client(client)
            switch received {
            case .nothing: break
            case .reply(let bytes): connection.send(bytes)
            case .command(let command): carryOut(command, connection)
            }
        case .userdb(var userdb):
            let command = try userdb.receive(line)
            connection.dialogue = .userdb(userdb)
            if let command { carryOut(command, connection) }
        }
    }

    private func carryOut(_ command: ClientCommand, _ connection: TextConnection) {
        let now = Clock.milliseconds
        switch command {
        case .authenticate(let id, let mechanism, let initial, let origin):
            let key = RequestKey(channel: connection.token, id: id)
            if delayed.holds(key) || penalties.holds(key) { return endChannel(connection.token, because: "sent an id twice: \(id)") }
            let data: [UInt8]?
            switch initial {
            case .absent: data = nil
            case .data(let bytes): data = bytes
            case .malformed:
                let reason = "Invalid base64 data in initial response"
                let delay = authenticator.settings.failureDelay
                let refusal = Refusal(code: "invalid_base64", reason: reason, notBefore: now + delay)
                return handle(.refused(refusal), key, now: now)
            }
            begin(key, mechanism: mechanism, initial: data, origin: origin, now: now)
        case .proceed(let id, let response):
            let key = RequestKey(channel: connection.token, id: id)
            if isPremature(key) { return }
            if case .data(let data) = response {
                handle(authenticator.proceed(key, data, now: now), key, now: now)
            } else {
                handle(authenticator.malformed(key, now: now), key, now: now)
            }
        case .cancel(let id):
            let key = RequestKey(channel: connection.token, id: id)
            authenticator.cancel(key)
            delayed.drop(key)
            penalties.drop(key)
        }
    }

    private func carryOut(_ command: UserdbCommand, _ connection: TextConnection) {
        switch command {
        case .user(let id, let name, let origin): tell(connection, userReply(id, name, origin, connection))
        case .pass(let id, let name, let origin): tell(connection, passReply(id, name, origin, connection))
        case .list(let id, let mask): list(id, mask, connection)
        case .flushCache(let id): tell(connection, UserdbReply.flushed(id, count: 0))
        }
    }

    private func userReply(_ id: UInt32, _ name: [UInt8], _ origin: Origin, _ connection: TextConnection) -> [UInt8] {
        let identity: Identity
        do throws(NameProblem) { identity = try authenticator.identity(of: name, origin) } catch {
            log.debug("user lookup: \(error.text)")
            return UserdbReply.notFound(id)
        }
        switch user(identity, origin, nil) {
        case .unknown: return UserdbReply.notFound(id)
        case .failed: return UserdbReply.failure(id)
        case .user(let user):
            if let uid = connection.restrictedTo, uid != user.uid {
                log.error("uid \(uid) asked for user \(user.name), who has uid \(user.uid): only own data is given (socket mode 0666)")
                return UserdbReply.failure(id)
            }
            return UserdbReply.user(id, user)
        }
    }

    private func passReply(_ id: UInt32, _ name: [UInt8], _ origin: Origin, _ connection: TextConnection) -> [UInt8] {
        if let uid = connection.restrictedTo {
            log.error("uid \(uid) asked for the password data of a user, which is refused (socket mode 0666)")
            return UserdbReply.failure(id)
        }
        let identity: Identity
        do throws(NameProblem) { identity = try authenticator.identity(of: name, origin) } catch { return UserdbReply.notFound(id) }
        switch authenticator.run(identity, origin, password: nil) {
        case .success(let fields): return UserdbReply.pass(id, user: fields["user"] ?? identity.user, fields.without(prefix: "user"))
        case .failure, .disabled: return UserdbReply.notFound(id)
        case .temporaryFailure: return UserdbReply.failure(id)
        }
    }

    private func list(_ id: UInt32, _ mask: [UInt8], _ connection: TextConnection) {
        if let uid = connection.restrictedTo {
            log.error("uid \(uid) asked for the list of users, which is refused (socket mode 0666)")
            return tell(connection, UserdbReply.listEnd(id, isComplete: false))
        }
        guard let names = authenticator.databases.names(VariableTable(Origin(), Identity())) else {
            return tell(connection, UserdbReply.listEnd(id, isComplete: false))
        }
        for name in names where mask.isEmpty || NameFilter.matches(Array(name.utf8), mask) {
            tell(connection, UserdbReply.listed(id, name))
        }
        tell(connection, UserdbReply.listEnd(id, isComplete: true))
    }

    private func tell(_ connection: TextConnection, _ bytes: [UInt8]) {
        debug("userdb out", bytes)
        connection.send(bytes)
    }

    /// Sends an answer at once.
    func answer(_ connection: TextConnection, _ bytes: [UInt8]) {
        connection.send(bytes)
        settle(connection)
    }

    /// Writes what waits and asks the poller for what is wanted next.
    func settle(_ connection: TextConnection) {
        guard connections[connection.token] != nil else { return }
        connection.flush()
        if connection.isBroken { return close(connection) }
        var wanted: Readiness = []
        if !connection.isFull { wanted.insert(.readable) }
        if connection.hasOutput { wanted.insert(.writable) }
        do throws(SystemError) { try loop.poller.modify(connection.socket.number, token: connection.token, for: wanted) } catch {
            log.error("\(error)")
        }
    }

    func close(_ connection: TextConnection) {
        guard connections.removeValue(forKey: connection.token) != nil else { return }
        unread.remove(connection.token)
        loop.poller.remove(connection.socket.number)
        authenticator.drop(channel: connection.token)
        delayed.drop(channel: connection.token)
        penalties.drop(channel: connection.token)
        finishIfDrained()
    }
}
