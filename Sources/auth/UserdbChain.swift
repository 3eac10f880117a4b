/// What one user database said.
enum UserdbAnswer: Equatable, Sendable {
    case found(FieldList)
    case unknownUser
    case internalFailure
}

/// The walk of one lookup through the userdb blocks (auth.md 8).
struct UserdbChain {
    enum Step: Equatable {
        case ask(index: Int)
        case finished(UserdbAnswer)
    }

    private let blocks: [UserdbSettings]
    private var nextIndex = 0
    private var current: Int?
    private var isFound = false
    private var hadInternalFailure = false
    private var fields = FieldList()

    init(_ blocks: [UserdbSettings]) { self.blocks = blocks }

    mutating func begin() -> Step { next() }

    mutating func receive(_ answer: UserdbAnswer) -> Step {
        guard let index = current else { return .finished(.internalFailure) }
        let block = blocks[index]
        let rule: ResultRule
        switch answer {
        case .found(let found):
            for (name, value) in found.entries { fields.set(name, value) }
            rule = block.onSuccess
        case .unknownUser:
            rule = block.onFailure
        case .internalFailure:
            hadInternalFailure = true
            rule = block.onInternalFailure
        }
        switch rule {
        case .returnOK: isFound = true
        case .returnFail: isFound = false
        case .stop: break
        case .continueOK:
            isFound = true
            return next()
        case .continueFail:
            isFound = false
            return next()
        case .goOn: return next()
        }
        return finish()
    }

    private mutating func next() -> Step {
        while nextIndex < blocks.count {
            let index = nextIndex
            nextIndex += 1
            switch blocks[index].skip {
            case .found, .authenticated: if isFound { continue }
            case .notfound, .unauthenticated: if !isFound { continue }
            case .never: break
            }
            current = index
            return .ask(index: index)
        }
        return finish()
    }

    private mutating func finish() -> Step {
        current = nil
        nextIndex = blocks.count
        if isFound { return .finished(.found(fields)) }
        return .finished(hadInternalFailure ? .internalFailure : .unknownUser)
    }
}
