/// What one password database said.
enum PassdbAnswer: Equatable, Sendable {
    /// The user is there; the password was right, or was not asked for.
    case found(FieldList)
    case mismatch
    case unknownUser
    case internalFailure
    /// A field of the entry forbids it: `fail`, `allow_nets`.
    case refused
}

/// How a request ended in the chain.
enum PassdbResult: Equatable, Sendable {
    case success(FieldList)
    case failure
    case temporaryFailure
    /// Found in a database with `deny = yes`.
    case disabled
}

/// The walk of one request through the passdb blocks (auth.md 8): asks for one database after the other, and decides after each answer.
struct PassdbChain {
    enum Step: Equatable {
        /// Ask this database; `checksPassword` false: only for its fields.
        case ask(index: Int, checksPassword: Bool)
        case finished(PassdbResult)
    }

    private let blocks: [PassdbSettings]
    private let mechanism: String
    private let userBlocks: [Int]
    private var remaining: [Int]
    private var current: Int?
    private var isSuccess = false
    /// A right password was seen: later databases only add fields.
    private var isVerified = false
    private var hadInternalFailure = false
    private var fields = FieldList()
    private let user: String
    private let master: String?
    private var isMasterPhase: Bool

    init(_ settings: AuthSettings, identity: Identity, mechanism: String) {
        blocks = settings.passdbs
        self.mechanism = mechanism.uppercased()
        user = identity.user
        master = identity.master
        isMasterPhase = identity.master != nil
        remaining = isMasterPhase ? settings.masterPassdbs : settings.userPassdbs
        userBlocks = settings.userPassdbs
    }

    /// The first database to ask.
    mutating func begin() -> Step { next() }

    /// Goes on after the database asked last has answered.
    mutating func receive(_ answer: PassdbAnswer) -> Step {
        guard let index = current else { return .finished(.temporaryFailure) }
        let block = blocks[index]
        if block.isDeny {
            switch answer {
            case .unknownUser: return next()
            case .internalFailure: return .finished(.temporaryFailure)
            case .found, .mismatch, .refused: return .finished(.disabled)
            }
        }
        switch answer {
        case .found(let found):
            for (name, value) in found.entries { fields.set(name, value) }
            return apply(block.onSuccess, isFound: true)
        case .mismatch, .unknownUser, .refused:
            return apply(block.onFailure, isFound: false)
        case .internalFailure:
            hadInternalFailure = true
            return apply(block.onInternalFailure, isFound: false)
        }
    }

    private mutating func apply(_ rule: ResultRule, isFound: Bool) -> Step {
        switch rule {
        case .returnOK:
            isSuccess = true
            return finish()
        case .returnFail:
            isSuccess = false
            return finish()
        case .stop:
            return finish()
        case .continueOK:
            isSuccess = true
            isVerified = true
        case .continueFail:
            isSuccess = false
        case .goOn:
            if isFound { isVerified = true }
        }
        if isFound, isMasterPhase {
            // The master's password was right: from now on it is about the user to be logged in.
            isMasterPhase = false
            remaining = userBlocks
        }
        return next()
    }

    private mutating func next() -> Step {
        while !remaining.isEmpty {
            let index = remaining.removeFirst()
            guard isAsked(blocks[index]) else { continue }
            current = index
            return .ask(index: index, checksPassword: !isVerified && !blocks[index].isDeny)
        }
        return finish()
    }

    private func isAsked(_ block: PassdbSettings) -> Bool {
        if let mechanisms = block.mechanisms, !mechanisms.contains(mechanism) { return false }
        if !block.names.allows(isMasterPhase ? master ?? user : user) { return false }
        switch block.skip {
        case .authenticated, .found: return !isSuccess
        case .unauthenticated, .notfound: return isSuccess
        case .never: return true
        }
    }

    private mutating func finish() -> Step {
        remaining = []
        current = nil
        if isSuccess { return .finished(.success(fields)) }
        return .finished(hadInternalFailure ? .temporaryFailure : .failure)
    }

    /// The name that the database asked now has to look for.
    var nameToAsk: String { isMasterPhase ? master ?? user : user }
}
