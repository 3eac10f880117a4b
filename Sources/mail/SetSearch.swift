internal import IMAPSyntax
internal import MailStore

/// Decides what flags and numbers decide, for all messages of a mailbox at once.
struct SetSearch {
    let mailbox: any Mailbox

    /// Those of `candidates` that match a condition of cost 0.
    func positions(_ condition: SearchCondition, among candidates: PositionSet) -> PositionSet {
        if let test = condition.flagTest { return mailbox.positions(test, among: candidates) }
        var found = candidates
        switch condition {
        case .all: break
        case .positions(let numbers):
            let ranges = numbers.ranges.lazy.map { Int($0.lowerBound)..<Int($0.upperBound) + 1 }
            found.formIntersection(PositionSet(ranges, of: candidates.size))
        case .decided(let set): found.formIntersection(set)
        case .and(let conditions):
            // Flags are looked up only where the rest leaves candidates, and all of them at once.
            var tests: [FlagTest] = []
            for condition in conditions {
                if let test = condition.flagTest { tests.append(test) } else { found = positions(condition, among: found) }
            }
            if !tests.isEmpty { found = mailbox.positions(.and(tests), among: found) }
        case .or(let one, let other):
            let matching = positions(one, among: candidates)
            found.subtract(matching)
            found = positions(other, among: found)
            found.formUnion(matching)
        case .not(let inner): found.subtract(positions(inner, among: candidates))
        default: found = PositionSet(of: candidates.size)
        }
        return found
    }

    /// The same condition, with everything decided for `candidates` that bits decide; and which of these are left to be looked at one by one.
    func prepared(_ condition: SearchCondition, among candidates: PositionSet) -> (rest: SearchCondition, candidates: PositionSet) {
        if condition.cost == 0 { return (.all, positions(condition, among: candidates)) }
        guard case .and(let conditions) = condition else { return (decided(condition, among: candidates), candidates) }
        let left = positions(.and(conditions.filter { $0.cost == 0 }), among: candidates)
        return (.and(conditions.filter { $0.cost > 0 }.map { decided($0, among: left) }), left)
    }

    private func decided(_ condition: SearchCondition, among candidates: PositionSet) -> SearchCondition {
        if condition.cost == 0 { return .decided(positions(condition, among: candidates)) }
        return switch condition {
        case .and(let conditions): .and(conditions.map { decided($0, among: candidates) })
        case .or(let one, let other): .or(decided(one, among: candidates), decided(other, among: candidates))
        case .not(let inner): .not(decided(inner, among: candidates))
        default: condition
        }
    }
}

extension SearchCondition {
    /// Nil: it is about more than flags.
    fileprivate var flagTest: FlagTest? {
        switch self {
        case .flags(let flags): return .flags(flags)
        case .keyword(let index): return .keyword(index)
        case .not(let inner): return inner.flagTest.map { .not($0) }
        case .or(let one, let other):
            guard let one = one.flagTest, let other = other.flagTest else { return nil }
            return .or(one, other)
        case .and(let conditions):
            var tests: [FlagTest] = []
            for condition in conditions {
                guard let test = condition.flagTest else { return nil }
                tests.append(test)
            }
            return .and(tests)
        default: return nil
        }
    }
}
