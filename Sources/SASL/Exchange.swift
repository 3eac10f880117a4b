/// What a client has claimed with a password, not yet checked.
package struct Credentials: Equatable, Sendable {
    /// The user to act for (authzid); empty: the one who is authenticated.
    package var authorization: [UInt8]
    /// The user whose password this is (authcid).
    package var authentication: [UInt8]
    package var password: [UInt8]

    package init(authorization: [UInt8] = [], authentication: [UInt8], password: [UInt8]) {
        self.authorization = authorization
        self.authentication = authentication
        self.password = password
    }

    /// Overwrites the password; what the compiler may have copied before is out of reach.
    package mutating func wipe() { SASL.wipe(&password) }
}

/// Overwrites a secret in memory with zeros before it is given back.
@inline(never)
package func wipe(_ bytes: inout [UInt8]) {
    for index in bytes.indices { bytes[index] = 0 }
}

/// Why an exchange ended before anything could be checked; the client is told no more than that it failed.
package enum Failure: Error, Equatable, Sendable {
    /// The message does not have the form of the mechanism; the text is for the log.
    case malformed(String)
    case emptyUsername
    case overLimit(String)
    /// A message came when none was asked for.
    case unexpected
}

/// What the owner of an exchange has to do next.
package enum Action: Equatable, Sendable {
    /// Send this to the client and wait for its answer.
    case challenge([UInt8])
    /// Check the password; the exchange is over.
    case verify(Credentials)
    /// The exchange is over.
    case fail(Failure)
}

/// The server side of one SASL exchange: bytes in, actions out, no I/O.
///
/// A mechanism that needs the stored secret in the middle of its exchange (SCRAM) adds an action `lookup` and an entry for its answer.
package struct Exchange: Equatable, Sendable {
    private enum State: Equatable, Sendable {
        case plain
        case login(LoginState)
        case finished
    }

    package let mechanism: Mechanism
    private var state: State
    private var hasBegun = false

    package init(_ mechanism: Mechanism) {
        self.mechanism = mechanism
        switch mechanism {
        case .plain: state = .plain
        case .login: state = .login(.name)
        }
    }

    /// Begins, with the client's initial response if it sent one: absent is not the same as empty (RFC 4422, section 3.3).
    package mutating func begin(_ initial: [UInt8]?) -> Action {
        guard !hasBegun else { return end(.fail(.unexpected)) }
        hasBegun = true
        if let initial { return respond(initial) }
        switch state {
        case .plain: return .challenge([])
        case .login: return .challenge(LoginState.askName)
        case .finished: return end(.fail(.unexpected))
        }
    }

    /// Goes on with the client's answer, already decoded from base64.
    package mutating func respond(_ message: [UInt8]) -> Action {
        guard hasBegun else { return end(.fail(.unexpected)) }
        guard message.count <= Limits.message else { return end(.fail(.overLimit("message"))) }
        switch state {
        case .plain: return end(Plain.read(message))
        case .login(let current):
            let (next, action) = current.read(message)
            state = next.map { .login($0) } ?? .finished
            return action
        case .finished: return .fail(.unexpected)
        }
    }

    private mutating func end(_ action: Action) -> Action {
        state = .finished
        return action
    }
}
