internal import IMAPSyntax
internal import MailStore

// MESSAGELIMIT (RFC 9738): how many messages one command may work on.
extension IMAPSession {
    /// Messages that a command works on, and the lowest UID of them where others were left out.
    struct Limited {
        var ranges: [Range<Int>]
        var lowestUID: UInt32?
    }

    /// Of the messages in `ranges`, which ascend, the highest ones, as many as the setting lets through.
    func limited(_ ranges: [Range<Int>], in mailbox: any Mailbox) -> Limited {
        let limit = settings.messageLimit
        guard limit > 0, ranges.reduce(0, { $0 + $1.count }) > limit else { return Limited(ranges: ranges) }
        var left = limit
        var kept: [Range<Int>] = []
        for range in ranges.reversed() where left > 0 {
            let part = range.suffix(left)
            left -= part.count
            kept.append(part)
        }
        kept.reverse()
        return Limited(ranges: kept, lowestUID: kept.first.map { mailbox.messages.uid(at: $0.lowerBound) })
    }

    /// Refuses a command that does all or nothing: COPY, SORT, THREAD (sections 3.1 and 3.3).
    func refuseBeyondLimit(_ ranges: [Range<Int>], in mailbox: any Mailbox, tellsUID: Bool) throws(CommandFailure) {
        guard let uid = limited(ranges, in: mailbox).lowestUID else { return }
        throw .no("[MESSAGELIMIT \(settings.messageLimit)\(tellsUID ? " \(uid)" : "")] Too many messages for one command.")
    }

    /// The same for a number of messages that is known without a mailbox: APPEND, and FETCH with PARTIAL.
    func refuseBeyondLimit(_ count: Int) throws(CommandFailure) {
        guard settings.messageLimit > 0, count > settings.messageLimit else { return }
        throw .no("[MESSAGELIMIT \(settings.messageLimit)] Too many messages for one command.")
    }

    // resp-text-code =/ "MESSAGELIMIT" SP message-limit [SP uniqueid] ; message-limit = nz-number            RFC 9738 section 5
    /// Says in the tagged OK, or before it where that has another code, how far the command went.
    func tellLimit(_ uid: UInt32?, in completion: inout Completion) {
        guard let uid else { return }
        let code = "[MESSAGELIMIT \(settings.messageLimit) \(uid)]"
        if completion.code.count == 0 {
            completion.code.text(code)
        } else {
            stream.out.status([0x2a], "NO \(code) Messages below this UID were left out.")
        }
    }

    /// Which messages a search has to look at: what its outermost keys say of numbers. They count, not the ones that match (section 3.1).
    func candidates(_ condition: SearchCondition, in mailbox: any Mailbox) -> [Range<Int>] {
        let all = [0..<mailbox.messages.count]
        switch condition {
        case .positions(let numbers): return numbers.ranges.map { Int($0.lowerBound)..<Int($0.upperBound) + 1 }
        case .and(let conditions):
            return conditions.reduce(all) { ranges, condition in
                let others = candidates(condition, in: mailbox)
                return ranges.flatMap { range in others.map { $0.clamped(to: range) }.filter { !$0.isEmpty } }
            }
        default: return all
        }
    }
}
