internal import IMAPSyntax
internal import MailStore

/// A search whose result the client is kept informed of (RFC 5267).
struct SearchContext {
    let tag: [UInt8]
    let isUID: Bool
    let key: SearchKey
    let order: [SortCriterion]
    /// What `$` stood for.
    let saved: NumberSet
    /// What is told of a new message that belongs to the result (RFC 5465 section 7).
    let items: [FetchItem]
    /// The result as the client knows it, in its order.
    var uids: [UInt32]

    /// Of one session.
    static let limit = 8
}

// CONTEXT=SEARCH and CONTEXT=SORT.
extension IMAPSession {
    /// After this the client hears of changes; when there are too many such searches it is told that it does not.
    func beginUpdates(_ command: SearchCommand, _ tag: [UInt8], _ uids: [UInt32], _ saved: NumberSet) {
        guard contexts.count < SearchContext.limit, !contexts.contains(where: { $0.tag == tag }) else { return endUpdates(tag) }
        contexts.append(
            SearchContext(
                tag: tag, isUID: command.isUID, key: command.key, order: command.order, saved: saved,
                items: command.updateItems, uids: uids))
    }

    // resp-text-code =/ "NOUPDATE" SP quoted
    private func endUpdates(_ tag: [UInt8]) {
        stream.out.text("* OK [NOUPDATE ")
        stream.out.string(tag)
        stream.out.text("] Changes of this result are not told.")
        stream.out.newline()
    }

    func cancelUpdate(_ tags: [[UInt8]]) throws(CommandFailure) -> Completion {
        guard tags.allSatisfy({ tag in contexts.contains { $0.tag == tag } }) else { throw .bad("No search with this tag") }
        contexts.removeAll { tags.contains($0.tag) }
        return try report("Cancelupdate completed.")
    }

    /// Before EXPUNGE is told: what goes away leaves the results, by the numbers that still count.
    func removeExpunged(_ expunged: [MailboxChanges.Expunged]) {
        guard !contexts.isEmpty, !expunged.isEmpty else { return }
        var sequences: [UInt32: Int] = [:]
        for message in expunged { sequences[message.uid] = message.sequence }
        for index in contexts.indices {
            remove(from: &contexts[index]) { uid in
                sequences[uid]
            } where: {
                sequences[$0] != nil
            }
        }
    }

    /// After messages came or changed: looks only at those.
    func updateContexts(_ mailbox: any Mailbox, changed: some Sequence<Int>, new: Range<Int>) throws(CommandFailure) {
        guard !contexts.isEmpty else { return }
        let messages = mailbox.messages
        let positions = Set(changed).filter { messages.indices.contains($0) }.sorted()
        guard !positions.isEmpty else { return }
        var kept: [SearchContext] = []
        for var context in contexts {
            do throws(CommandFailure) {
                try update(&context, positions, mailbox, new: new)
                kept.append(context)
            } catch {
                if case .end = error { throw error }
                if case .store(.mailboxGone) = error { throw error }
                // Its sequence numbers name nothing any more, for instance.
                endUpdates(context.tag)
            }
        }
        contexts = kept
    }

    private func update(_ context: inout SearchContext, _ positions: [Int], _ mailbox: any Mailbox, new: Range<Int>) throws(CommandFailure)
    {
        let messages = mailbox.messages
        let condition = try SearchCondition(context.key, self, mailbox, saved: context.saved)
        let candidates = PositionSet(positions.lazy.map { $0..<$0 + 1 }, of: messages.count)
        let matching = Set(try matches(condition, among: candidates, in: mailbox))
        let known = Set(context.uids)
        let lost = Set(positions.filter { !matching.contains($0) }.map { messages.uid(at: $0) }).intersection(known)
        remove(from: &context) { uid in
            mailbox.position(of: uid).index + 1
        } where: {
            lost.contains($0)
        }
        let added = matching.filter { !known.contains(messages.uid(at: $0)) }.sorted()
        guard !added.isEmpty else { return }
        let rest = context.uids.map { mailbox.position(of: $0).index }
        let all = try ordered((rest + added).sorted(), context.order, in: mailbox)
        context.uids = all.map { messages.uid(at: $0) }
        // What NOTIFY told of them already is not told again.
        let items = context.items.filter { !(notifications?.items.contains($0) ?? false) }
        if !items.isEmpty { try writeItems(items, of: added.filter { new.contains($0) }, in: mailbox) }
        begin(context, "ADDTO")
        let new = Set(added)
        if context.order.isEmpty {
            stream.out.text("0 ")
            stream.out.set(NumberSet(added.map { context.isUID ? messages.uid(at: $0) : UInt32(clamping: $0 + 1) }))
        } else {
            var isFirst = true
            for (index, position) in all.enumerated() where new.contains(position) {
                if !isFirst { stream.out.byte(0x20) }
                isFirst = false
                stream.out.number(index + 1)
                stream.out.byte(0x20)
                stream.out.number(context.isUID ? messages.uid(at: position) : UInt32(clamping: position + 1))
            }
        }
        end()
    }

    // ret-data-removefrom = "REMOVEFROM" SP "(" context-position SP sequence-set *(SP context-position SP sequence-set) ")"
    /// Places in a sorted result are told from its end on, so that each is right when it is read.
    private func remove(from context: inout SearchContext, sequence: (UInt32) -> Int?, where isLost: (UInt32) -> Bool) {
        let lost = context.uids.indices.filter { isLost(context.uids[$0]) }
        guard !lost.isEmpty else { return }
        func number(_ index: Int) -> UInt32 {
            let uid = context.uids[index]
            return context.isUID ? uid : UInt32(clamping: sequence(uid) ?? 0)
        }
        begin(context, "REMOVEFROM")
        if context.order.isEmpty {
            stream.out.text("0 ")
            stream.out.set(NumberSet(lost.map(number)))
        } else {
            for (count, index) in lost.reversed().enumerated() {
                if count > 0 { stream.out.byte(0x20) }
                stream.out.number(index + 1)
                stream.out.byte(0x20)
                stream.out.number(number(index))
            }
        }
        end()
        context.uids.removeAll(where: isLost)
    }

    private func begin(_ context: SearchContext, _ word: String) {
        beginExtended(context.tag)
        if context.isUID { stream.out.text(" UID") }
        stream.out.text(" \(word) (")
    }

    private func end() {
        stream.out.byte(0x29)
        stream.out.newline()
    }
}
