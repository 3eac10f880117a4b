internal import IMAPSyntax
internal import MailStore

// ESEARCH over several mailboxes (RFC 7377).
extension IMAPSession {
    func searchMailboxes(_ command: SearchCommand, _ tag: [UInt8]) throws(CommandFailure) -> Completion {
        let returns = command.returns ?? .all
        if !returns.isDisjoint(with: [.save, .update, .context]) { throw .bad("SAVE, UPDATE and CONTEXT are for the selected mailbox") }
        var searched = 0
        for name in try mailboxes(command.sources ?? []) {
            let mailbox: any Mailbox
            if let own = self.mailbox, own.name == name {
                mailbox = own
            } else {
                do throws(StoreError) { mailbox = try store.open(name, access: .readOnly) } catch {
                    // What is not there or cannot be read has no results (RFC 7377 section 2.2).
                    continue
                }
            }
            let condition = try SearchCondition(command.key, self, mailbox, saved: mailbox === self.mailbox ? savedSearch : NumberSet())
            // There is no way to say how far it went in which of them.
            searched += candidates(condition, in: mailbox).reduce(0) { $0 + $1.count }
            try refuseBeyondLimit(searched)
            let found = try matches(condition, in: mailbox)
            if found.isEmpty { continue }
            let messages = mailbox.messages
            let result = SearchResult(
                numbers: found.map(messages.uid(at:)), isUID: true, isSorted: false,
                mailbox: (wireName(name.text), mailbox.uidValidity))
            writeExtended(result, returns, command.partial, tag)
            if stream.out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.flush() } }
        }
        return try report("Esearch completed.", withUID: true)
    }

    /// The mailboxes that filters name, each once, in the order of LIST; those that cannot be selected are left out.
    func mailboxes(_ filters: [MailboxFilter]) throws(CommandFailure) -> [MailboxName] {
        var wanted: Set<MailboxName> = []
        let all = try storing { () throws(StoreError) in try store.list() }
        func insert(_ test: (ListedMailbox) -> Bool) {
            for listed in all where listed.isSelectable && test(listed) { wanted.insert(listed.name) }
        }
        for filter in filters {
            switch filter {
            case .selected, .selectedDelayed: if let mailbox { wanted.insert(mailbox.name) }
            // Who delivers where is not known here: then they are the same (RFC 5465 section 6.3).
            case .inboxes, .personal: insert { store.namespaces[$0.name.namespace].kind == .personal }
            case .subscribed: insert { $0.isSubscribed }
            case .mailboxes(let names):
                for name in names { wanted.insert(try mailboxName(name, for: .read)) }
            case .subtree(let names), .subtreeOne(let names):
                let isDeep = if case .subtree = filter { true } else { false }
                for wire in names {
                    let top = try mailboxName(wire, for: .read)
                    insert { Self.isBelow($0.name, top, isDeep: isDeep) }
                }
            }
        }
        return wanted.sorted()
    }

    private static func isBelow(_ name: MailboxName, _ top: MailboxName, isDeep: Bool) -> Bool {
        guard name.isBelow(top) else { return false }
        return isDeep || name.parts.count <= top.parts.count + 1
    }
}
