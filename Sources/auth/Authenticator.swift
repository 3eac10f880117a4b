internal import PasswordStore
internal import SASL

/// One open exchange, by the channel it came on and the number that the asker gave it.
struct RequestKey: Hashable, Sendable {
    let channel: UInt64
    let id: UInt32
}

/// A failed request, as its asker is told.
struct Refusal: Equatable {
    /// Empty, or one of auth.md 3.3: `temp_fail`, `authz_fail`, `user_disabled` …
    var code = ""
    var reason = ""
    var user = ""
    /// Monotonic milliseconds before which the answer must not leave.
    var notBefore: Int64 = 0
}

/// A passed authentication: who, and what the databases said.
struct Passed: Equatable {
    let identity: Identity
    let origin: Origin
    let fields: FieldList
}

enum Outcome: Equatable {
    case challenge([UInt8])
    case refused(Refusal)
    case passed(Passed)
    /// The asker broke the rules: its channel ends, with this line in the log.
    case violation(String)
}

/// Plays the SASL exchanges and walks through the databases. It owns no socket and no clock: time comes in, answers go out.
final class Authenticator {
    private struct Open {
        var exchange: Exchange
        var origin: Origin
        let begun: Int64
    }

    let settings: AuthSettings
    let databases: Databases
    private var open: [RequestKey: Open] = [:]
    private var perChannel: [UInt64: Int] = [:]
    /// What became of the penalties of addresses; the owner takes it.
    var penaltyChanges: [PenaltyChange] = []
    /// Failures of our own wait a random time around `internalFailureDelay`; tests fix it.
    var jitter: (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }

    init(_ settings: AuthSettings, databases: Databases) {
        self.settings = settings
        self.databases = databases
    }

    /// How many exchanges wait for their client.
    var waiting: Int { open.count }

    /// Starts an exchange.
    func begin(_ key: RequestKey, mechanism name: String, initial: [UInt8]?, origin: Origin, now: Int64) -> Outcome {
        guard open[key] == nil else { return .violation("request \(key.id) is already in use") }
        guard perChannel[key.channel, default: 0] < Limits.requests else {
            return .violation("more than \(Limits.requests) requests at once")
        }
        guard let mechanism = Mechanism(name: Array(name.utf8)), settings.mechanisms.contains(mechanism) else {
            return .violation("unsupported authentication mechanism \(name)")
        }
        var origin = origin
        origin.mechanism = mechanism.rawValue
        var exchange = Exchange(mechanism)
        let action = exchange.begin(initial)
        return carryOut(action, key, Open(exchange: exchange, origin: origin, begun: now), now)
    }

    /// Goes on with the client's answer to a challenge.
    func proceed(_ key: RequestKey, _ response: [UInt8], now: Int64) -> Outcome {
        guard var current = close(key) else { return .refused(Refusal(reason: "Authentication request timed out", notBefore: now)) }
        let action = current.exchange.respond(response)
        return carryOut(action, key, current, now)
    }

    /// The client sent what is not base64.
    func malformed(_ key: RequestKey, now: Int64) -> Outcome {
        guard let current = close(key) else { return .refused(Refusal(reason: "Authentication request timed out", notBefore: now)) }
        note(.info, current.origin, "Invalid base64 data in continued response")
        raisePenalty(current.origin, checksum: 0)
        return .refused(
            Refusal(code: "invalid_base64", reason: "Invalid base64 data in continued response", notBefore: now + settings.failureDelay))
    }

    func cancel(_ key: RequestKey) { _ = close(key) }

    /// The channel has gone: its exchanges mean nothing any more.
    func drop(channel: UInt64) {
        guard perChannel.removeValue(forKey: channel) != nil else { return }
        open = open.filter { $0.key.channel != channel }
    }

    /// Gives up exchanges that their clients left lying; answers which.
    func expire(now: Int64) -> [(key: RequestKey, refusal: Refusal)] {
        let old = open.filter { now - $0.value.begun >= Limits.exchangeLife }.map(\.key)
        return old.map { key in
            if let current = close(key) {
                let seconds = (now - current.begun) / 1_000
                note(.info, current.origin, "Request timed out waiting for client to continue authentication (\(seconds) secs)")
            }
            return (key, Refusal(reason: "Authentication request timed out", notBefore: now))
        }
    }

    private func close(_ key: RequestKey) -> Open? {
        guard let current = open.removeValue(forKey: key) else { return nil }
        let rest = perChannel[key.channel, default: 1] - 1
        perChannel[key.channel] = rest > 0 ? rest : nil
        return current
    }

    private func carryOut(_ action: Action, _ key: RequestKey, _ current: Open, _ now: Int64) -> Outcome {
        switch action {
        case .challenge(let text):
            open[key] = current
            perChannel[key.channel, default: 0] += 1
            return .challenge(text)
        case .verify(var credentials):
            defer { credentials.wipe() }
            return verify(credentials, current.origin, now)
        case .fail(let failure):
            note(.info, current.origin, failure.text)
            raisePenalty(current.origin, checksum: 0)
            return .refused(Refusal(reason: failure.clientReason, notBefore: now + settings.failureDelay))
        }
    }

    private func verify(_ credentials: Credentials, _ origin: Origin, _ now: Int64) -> Outcome {
        let checksum = Penalty.checksum(user: credentials.authentication, password: credentials.password)
        let identity: Identity
        do throws(NameProblem) {
            identity = try self.identity(credentials, origin)
        } catch {
            note(.info, origin, error.text)
            databases.example.pretend(credentials.password)
            raisePenalty(origin, checksum: checksum)
            return .refused(Refusal(notBefore: now + settings.failureDelay))
        }
        if identity.master != nil, settings.masterPassdbs.isEmpty {
            databases.notes.append(Note(.info, "auth", origin, identity, "Attempted master login with no master passdbs"))
        }
        let result = run(identity, origin, password: credentials.password)
        switch result {
        case .success: clearPenalty(origin)
        case .failure, .disabled: if !databases.isUndelayed { raisePenalty(origin, checksum: checksum) }
        case .temporaryFailure: break
        }
        return answer(to: result, identity, origin, now)
    }

    /// Walks through the password databases; a nil password asks for fields only. Costs at least one hash when a password is given.
    func run(_ identity: Identity, _ origin: Origin, password: [UInt8]?) -> PassdbResult {
        var chain = PassdbChain(settings, identity: identity, mechanism: origin.mechanism)
        let table = VariableTable(origin, identity)
        databases.hasHashed = false
        databases.isUndelayed = false
        var step = chain.begin()
        while true {
            switch step {
            case .ask(let index, let checksPassword):
                let answer = databases.ask(
                    passdb: settings.passdbs[index], name: chain.nameToAsk, password: checksPassword ? password : nil, table)
                step = chain.receive(answer)
            case .finished(let result):
                if let password, !databases.hasHashed, result == .failure { databases.example.pretend(password) }
                return result
            }
        }
    }

    private func answer(to result: PassdbResult, _ identity: Identity, _ origin: Origin, _ now: Int64) -> Outcome {
        let delayed = databases.isUndelayed ? now : now + settings.failureDelay
        switch result {
        case .success(var fields):
            var identity = identity
            if let user = fields["user"], identity.master == nil { identity.user = user }
            fields.remove("user")
            return .passed(Passed(identity: identity, origin: origin, fields: fields))
        case .failure:
            return .refused(Refusal(user: identity.user, notBefore: delayed))
        case .disabled:
            return .refused(Refusal(code: "user_disabled", user: identity.user, notBefore: delayed))
        case .temporaryFailure:
            let half = settings.internalFailureDelay / 2
            return .refused(
                Refusal(
                    code: "temp_fail", user: identity.user, notBefore: now + jitter(half...max(half, settings.internalFailureDelay + half)))
            )
        }
    }

    /// A delayed failure costs the address more next time.
    private func raisePenalty(_ origin: Origin, checksum: UInt32) {
        guard let value = origin.penalty, let address = Penalty.name(origin) else { return }
        penaltyChanges.append(PenaltyChange(address: address, value: Penalty.raised(value), checksum: checksum))
    }

    private func clearPenalty(_ origin: Origin) {
        guard origin.penalty != nil, let address = Penalty.name(origin) else { return }
        penaltyChanges.append(PenaltyChange(address: address, value: 0, checksum: 0))
    }

    private func note(_ level: Note.Level, _ origin: Origin, _ text: String) {
        databases.notes.append(Note(level, "auth", origin, Identity(), text))
    }
}

extension Failure {
    /// For the log.
    var text: String {
        switch self {
        case .malformed(let what): "Invalid authentication message: \(what)"
        case .emptyUsername: "Empty username"
        case .overLimit(let what): "The \(what) is longer than its limit"
        case .unexpected: "Unexpected continuation"
        }
    }

    /// For the client: only what it did wrong in the protocol.
    var clientReason: String { self == .unexpected ? "Unexpected continuation" : "" }
}
