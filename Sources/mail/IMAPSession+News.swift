internal import IMAPSyntax
internal import MailStore
internal import Platform

// What NOTIFY tells (RFC 5465 section 5).
extension IMAPSession {
    /// Tells what happened and is wanted. `expunges`: the command at hand lets sequence numbers change.
    func tellNews(_ changes: StoreChanges, expunges: Bool) throws(CommandFailure) {
        guard let notifications else { return }
        if let mailbox, changes.isEverything || changes.mailboxes.contains(mailbox.name) {
            try reportChanges(expunges: expunges, withUID: true)
        }
        do throws(StoreError) {
            if notifications.dependsOnNames, changes.isEverything || changes.names { try tellNames(notifications) }
            let names = changes.isEverything ? Set(notifications.known.keys) : changes.mailboxes.union(notifications.unchecked)
            notifications.unchecked = []
            for name in names.sorted() where name != mailbox?.name { try tellMailbox(name, notifications) }
        } catch {
            if case .limit = error { return giveUpNotifications() }
            throw .store(error)
        }
    }

    private func tellMailbox(_ name: MailboxName, _ notifications: Notifications) throws(StoreError) {
        guard let counters = notifications.known[name] else { return }
        let status: MailboxStatus
        do throws(StoreError) { status = try store.status(name, sizes: false) } catch {
            // Names tell that it is gone.
            if case .notFound = error { return }
            throw error
        }
        guard counters.differs(from: status) else { return }
        notifications.known[name]?.adopt(status)
        writeNews(name, status, counters.events)
    }

    /// STATUS as sections 3.1 and 5.1 to 5.3 want it.
    func writeNews(_ name: MailboxName, _ status: MailboxStatus, _ events: NotifyEvents) {
        var items: [StatusItem] = [.messages, .uidNext, .uidValidity]
        if events.contains(.flagChange) { items += [.unseen] }
        if events.contains(.flagChange) || enabled.contains(.condStore) { items += [.highestModSeq] }
        write(status, of: name, items)
    }

    // MARK: names

    private func tellNames(_ notifications: Notifications) throws(StoreError) {
        try notifications.watch?.watchNames()
        let old = notifications.listed
        var new: [MailboxName: ListedMailbox] = [:]
        for listed in try store.list() { new[listed.name] = listed }
        notifications.listed = new
        let came = new.values.filter { $0.isSelectable && old[$0.name]?.isSelectable != true }.map(\.name).sorted()
        let gone = old.values.filter { $0.isSelectable && new[$0.name]?.isSelectable != true }.map(\.name).sorted()
        let oldNames = try renamed(came, gone, notifications)
        var told: Set<MailboxName> = []
        func events(_ name: MailboxName) -> NotifyEvents {
            let both = [old[name], new[name]].compactMap { $0 }
            return both.reduce([]) { $0.union(notifications.events(of: $1, store.namespaces)) }
        }
        for name in gone where !oldNames.values.contains(name) && events(name).contains(.mailboxName) {
            guard var listed = old[name] else { continue }
            listed.isSelectable = false
            listed.hasChildren = new[name]?.hasChildren ?? false
            listed.isSubscribed = new[name]?.isSubscribed ?? false
            writeName(listed, oldName: nil)
            told.insert(name)
        }
        let renamed = notifications.note(renamed: oldNames, at: Clock.milliseconds)
        for name in came {
            let oldName = oldNames[name]
            if let oldName, Self.cameWithParent(name, oldName, renamed) { continue }
            guard var listed = new[name], events(name).union(oldName.map(events) ?? []).contains(.mailboxName) else { continue }
            // Children are renamed after their parent, and are not told: those that have not come yet are on their way.
            if let oldName, new.keys.contains(where: { $0.isBelow(oldName) }) { listed.hasChildren = true }
            writeName(listed, oldName: oldName)
            told.insert(name)
        }
        let affected = came.filter { oldNames[$0] == nil } + gone.filter { !oldNames.values.contains($0) }
        for name in Self.parents(of: affected, among: Set(old.keys).union(new.keys).subtracting(told)) {
            guard events(name).contains(.mailboxName), var listed = new[name] ?? old[name] else { continue }
            if new[name] == nil { (listed.isSelectable, listed.hasChildren) = (false, false) }
            writeName(listed, oldName: nil)
            told.insert(name)
        }
        for name in Set(old.keys).union(new.keys).subtracting(told).sorted() {
            guard old[name]?.isSubscribed ?? false != new[name]?.isSubscribed ?? false, events(name).contains(.subscriptionChange),
                var listed = new[name] ?? old[name]
            else { continue }
            listed.isSubscribed = new[name]?.isSubscribed ?? false
            if new[name] == nil { listed.isSelectable = false }
            writeName(listed, oldName: nil)
        }
        try tellAttributes(notifications, new, oldNames)
        try updateWatched(notifications, silently: [])
    }

    /// The direct parents of mailboxes that were created or deleted, which count as affected, too (section 5.4).
    private static func parents(of names: [MailboxName], among all: Set<MailboxName>) -> [MailboxName] {
        let texts = Set(names.filter { $0.parts.count > 1 }.map { $0.text.dropLast(($0.parts.last?.count ?? 0) + 1) })
        return texts.isEmpty ? [] : all.filter { texts.contains($0.text[...]) }.sorted()
    }

    /// A mailbox that was renamed because one above it was; `renamed` has the old names by the new ones. Only the one above is told.
    private static func cameWithParent(_ name: MailboxName, _ oldName: MailboxName, _ renamed: [[UInt8]: [UInt8]]) -> Bool {
        var (new, old) = (name.text[...], oldName.text[...])
        for (part, oldPart) in zip(name.parts.reversed(), oldName.parts.reversed()) {
            guard part == oldPart else { return false }
            new = new.dropLast(part.count + 1)
            old = old.dropLast(part.count + 1)
            if renamed[Array(new)] == Array(old) { return true }
        }
        return false
    }

    /// The old names of mailboxes that came with the id of one that went.
    private func renamed(
        _ came: [MailboxName], _ gone: [MailboxName], _ notifications: Notifications
    ) throws(StoreError) -> [MailboxName: MailboxName] {
        let counters = notifications.known
        for name in gone {
            notifications.watch?.forget(name)
            notifications.known[name] = nil
        }
        guard notifications.wants(.mailboxName) else { return [:] }
        var oldNames: [MailboxName: MailboxName] = [:]
        for name in came where notifications.guids.count < Notifications.renameLimit {
            guard let guid = try guid(of: name) else { continue }
            notifications.guids[name] = guid
            guard let oldName = gone.first(where: { notifications.guids[$0] == guid }) else { continue }
            oldNames[name] = oldName
            // The client knows its counters by the old name.
            guard let known = counters[oldName], try watch(name, with: notifications) != nil else { continue }
            notifications.known[name] = known
            notifications.unchecked.insert(name)
        }
        for name in gone { notifications.guids[name] = nil }
        return oldNames
    }

    // mailbox-list with oldname-extended-item = "OLDNAME" SP "(" mailbox ")"          RFC 5465 section 8
    private func writeName(_ listed: ListedMailbox, oldName: MailboxName?) {
        var command = ListCommand(reference: [], patterns: [])
        command.isExtended = true
        command.returns = .subscribed
        writeListLine("* LIST (", listed, wireName(listed.name.text), command, hasWantedChild: false, oldName: oldName)
    }

    /// Watches what the groups name now, and no more what they do not. Throws `.limit`.
    func updateWatched(_ notifications: Notifications, silently own: Set<MailboxName>) throws(StoreError) {
        for name in Array(notifications.known.keys) {
            let events = notifications.listed[name].map { $0.isSelectable ? notifications.events(of: $0, store.namespaces) : [] } ?? []
            if !events.isDisjoint(with: .ofMessages) {
                notifications.known[name]?.events = events
            } else {
                notifications.known[name] = nil
                if mailbox?.name != name { notifications.watch?.forget(name) }
            }
        }
        for listed in notifications.listed.values where listed.isSelectable && notifications.known[listed.name] == nil {
            let events = notifications.events(of: listed, store.namespaces)
            guard !events.isDisjoint(with: .ofMessages) else { continue }
            guard notifications.known.count < Notifications.mailboxLimit else { throw .limit("Too many mailboxes.") }
            guard let status = try watch(listed.name, with: notifications) else { continue }
            notifications.known[listed.name] = .init(events, status)
            // It came with messages, or the client begins to watch it: it knows no counters yet.
            if mailbox?.name != listed.name, !own.contains(listed.name) { writeNews(listed.name, status, events) }
        }
    }

    // MARK: attributes

    // metadata-resp = "METADATA" SP mailbox SP entry-list ; entry-list = entry *(SP entry)          RFC 5464 section 5
    /// Tells which entries changed, without their values (section 5.6).
    private func tellAttributes(
        _ notifications: Notifications, _ new: [MailboxName: ListedMailbox], _ oldNames: [MailboxName: MailboxName]
    ) throws(StoreError) {
        if notifications.wants(.serverMetadataChange) {
            let now = try store.attributes(of: nil)
            writeChanged(nil, notifications.attributes[nil] ?? [], now)
            notifications.attributes[nil] = now
        }
        guard notifications.wants(.mailboxMetadataChange) else { return }
        let before = notifications.attributes
        for name in before.keys { if let name, new[name]?.isSelectable != true { notifications.attributes[name] = nil } }
        for listed in new.values.sorted(by: { $0.name < $1.name }) where listed.isSelectable {
            guard notifications.events(of: listed, store.namespaces).contains(.mailboxMetadataChange) else { continue }
            let now: [MailAttribute]
            do throws(StoreError) { now = try store.attributes(of: listed.name) } catch {
                if case .notFound = error { continue }
                throw error
            }
            writeChanged(listed.name, before[oldNames[listed.name] ?? listed.name] ?? [], now)
            notifications.attributes[listed.name] = now
        }
    }

    private func writeChanged(_ name: MailboxName?, _ before: [MailAttribute], _ now: [MailAttribute]) {
        let changed =
            now.filter { !before.contains($0) }.map(\.name) + before.map(\.name).filter { old in !now.contains { $0.name == old } }
        guard !changed.isEmpty else { return }
        stream.out.text("* METADATA ")
        if let name { stream.out.astring(wireName(name.text)) } else { stream.out.text("\"\"") }
        for entry in changed {
            stream.out.byte(0x20)
            stream.out.astring(entry)
        }
        stream.out.newline()
    }
}

// MARK: what this client did itself, and need not be told (section 5)
extension IMAPSession {
    /// Messages that it appended or copied. In the selected mailbox they are told, but without their contents.
    func noteSaved(_ uids: [UInt32], _ uidValidity: UInt32, in name: MailboxName) {
        guard let notifications, let first = uids.first, let last = uids.last else { return }
        if mailbox?.name == name {
            for uid in uids { ownMessages.insert(uid...uid) }
        } else if let counters = notifications.known[name], counters.uidValidity == uidValidity, counters.uidNext == first,
            Int(last - first) + 1 == uids.count
        {
            notifications.known[name]?.uidNext = last + 1
            notifications.known[name]?.messages += uids.count
        }
    }

    /// Mailboxes at or below these names were made, removed, renamed or (un)subscribed.
    func noteNames(_ names: MailboxName...) {
        guard let notifications, notifications.dependsOnNames else { return }
        do throws(StoreError) {
            var own: Set<MailboxName> = []
            func isOwn(_ name: MailboxName) -> Bool { names.contains { name.isBelow($0) || name == $0 } }
            for name in Array(notifications.listed.keys) where isOwn(name) {
                notifications.listed[name] = nil
                notifications.guids[name] = nil
            }
            for listed in try store.list() where isOwn(listed.name) {
                notifications.listed[listed.name] = listed
                own.insert(listed.name)
                guard listed.isSelectable else { continue }
                let events = notifications.events(of: listed, store.namespaces)
                if events.contains(.mailboxName), notifications.guids.count < Notifications.renameLimit {
                    notifications.guids[listed.name] = try guid(of: listed.name)
                }
                if events.contains(.mailboxMetadataChange) {
                    notifications.attributes[listed.name] = try store.attributes(of: listed.name)
                }
            }
            try updateWatched(notifications, silently: own)
        } catch {
            if case .limit = error { return giveUpNotifications() }
            settings.logError(error.logText)
        }
    }

    /// Entries of a mailbox, or of the server.
    func noteAttributes(_ changes: [SetMetadataCommand.Change], of name: MailboxName?) {
        guard let notifications, var known = notifications.attributes[name] else { return }
        for change in changes {
            known.removeAll { $0.name == change.entry }
            if let value = change.value { known.append(MailAttribute(name: change.entry, value: value)) }
        }
        notifications.attributes[name] = known
    }
}
