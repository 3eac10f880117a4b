internal import IMAPSyntax
internal import MailStore
internal import Platform

// NOTIFY (RFC 5465): the command, and what is watched for it.
extension IMAPSession {
    func notify(_ command: NotifyCommand) throws(CommandFailure) -> Completion {
        guard case .set(let request) = command else {
            notifications = Notifications()
            return Completion("Notify completed.")
        }
        guard request.events.isSubset(of: supportedEvents) else { throw .badEvent(supportedEvents) }
        // What was there before is told as in NOOP (section 3.1).
        try reportChanges(expunges: true, withUID: false, isForced: true)
        let made = Notifications(request, groups: groups(request))
        made.watch = makeWatch()
        do throws(StoreError) { try begin(made, wantsStatus: request.wantsStatus) } catch {
            if case .limit = error { throw .no("[NOTIFICATIONOVERFLOW] Too many mailboxes to watch.") }
            throw .store(error)
        }
        notifications = made
        return Completion("Notify completed.")
    }

    private var supportedEvents: NotifyEvents {
        let events: NotifyEvents = [.messageNew, .messageExpunge, .flagChange, .mailboxName, .subscriptionChange]
        return settings.offersMetadata ? events.union([.mailboxMetadataChange, .serverMetadataChange]) : events
    }

    private func makeWatch() -> (any StoreWatch)? {
        do throws(StoreError) { return try store.watch() } catch {
            settings.logError(error.logText)
            return nil
        }
    }

    /// Groups with names of ours; a name that cannot be one is passed over (section 3.1), and so is a group that wants nothing.
    private func groups(_ request: NotifyRequest) -> [Notifications.Group] {
        request.groups.compactMap { group in
            guard !group.events.isEmpty else { return nil }
            let mailboxes: Notifications.Group.Mailboxes =
                switch group.mailboxes {
                // Who delivers where is not known here: then they are the same (section 6.3).
                case .inboxes, .personal: .personal
                case .subscribed: .subscribed
                case .subtree(let names), .subtreeOne(let names): .subtree(known(names))
                case .mailboxes(let names): .named(known(names))
                case .selected, .selectedDelayed: .named([])
                }
            return Notifications.Group(mailboxes: mailboxes, events: group.events)
        }
    }

    private func known(_ names: [[UInt8]]) -> [MailboxName] {
        names.compactMap { wire in
            do throws(CommandFailure) { return try mailboxName(wire, for: .read) } catch { return nil }
        }
    }

    /// Watches first and looks then, so that nothing falls in between. Throws `.limit`.
    private func begin(_ made: Notifications, wantsStatus: Bool) throws(StoreError) {
        if let mailbox, !made.selected.isEmpty { try made.watch?.watch(mailbox.name) }
        guard made.dependsOnNames else { return }
        try made.watch?.watchNames()
        for listed in try store.list() {
            made.listed[listed.name] = listed
            let events = made.events(of: listed, store.namespaces)
            guard listed.isSelectable else { continue }
            if events.contains(.mailboxName), made.guids.count < Notifications.renameLimit {
                made.guids[listed.name] = try guid(of: listed.name)
            }
            if events.contains(.mailboxMetadataChange) { made.attributes[listed.name] = try store.attributes(of: listed.name) }
            guard !events.isDisjoint(with: .ofMessages) else { continue }
            guard made.known.count < Notifications.mailboxLimit else { throw .limit("Too many mailboxes.") }
            guard let status = try watch(listed.name, with: made) else { continue }
            made.known[listed.name] = .init(events, status)
            if wantsStatus, mailbox?.name != listed.name { writeNews(listed.name, status, events) }
        }
        if made.wants(.serverMetadataChange) { made.attributes[nil] = try store.attributes(of: nil) }
    }

    /// The state of a mailbox that is watched from now on; nil when it just went away.
    func watch(_ name: MailboxName, with notifications: Notifications) throws(StoreError) -> MailboxStatus? {
        do throws(StoreError) {
            try notifications.watch?.watch(name)
            return try store.status(name, sizes: false)
        } catch {
            if case .notFound = error { return nil }
            throw error
        }
    }

    func guid(of name: MailboxName) throws(StoreError) -> [UInt8]? {
        do throws(StoreError) { return try store.status(name, sizes: false).guid } catch {
            if case .notFound = error { return nil }
            throw error
        }
    }

    /// Before a mailbox is opened: its changes are told from then on.
    func watchSelected(_ name: MailboxName) {
        guard let notifications, !notifications.selected.isEmpty else { return }
        do throws(StoreError) { try notifications.watch?.watch(name) } catch {
            // Mailboxes that were selected before fill the watch: a fresh one has room.
            if case .limit = error { renewWatch(selected: name) }
        }
    }

    /// Puts a fresh watch in the place of one that is full or lost; without one the session looks now and then.
    private func renewWatch(selected: MailboxName?) {
        guard let notifications else { return }
        notifications.watch = nil
        notifications.patience = min(notifications.patience * 2, settings.idleCheckMilliseconds)
        guard let watch = makeWatch() else { return }
        do throws(StoreError) {
            if let selected, !notifications.selected.isEmpty { try watch.watch(selected) }
            if notifications.dependsOnNames { try watch.watchNames() }
            for name in notifications.known.keys {
                do throws(StoreError) { try watch.watch(name) } catch { guard case .notFound = error else { throw error } }
            }
            notifications.watch = watch
            notifications.patience = Notifications.firstPatience
        } catch { settings.logError(error.logText) }
    }

    /// The selected mailbox becomes one among others, in the state that the client saw last.
    func noteLeft(_ mailbox: any Mailbox) {
        guard let notifications, notifications.known[mailbox.name] != nil else { return }
        notifications.known[mailbox.name]?.messages = mailbox.messages.count
        notifications.known[mailbox.name]?.uidNext = mailbox.uidNext
        notifications.known[mailbox.name]?.uidValidity = mailbox.uidValidity
        notifications.known[mailbox.name]?.highestModSeq = mailbox.highestModSeq
        notifications.unchecked.insert(mailbox.name)
    }

    // MARK: waiting

    /// Waits for input and tells meanwhile what happens. Throws `.inactivity`.
    func waitForInputOrNews() throws(SessionEnd) {
        let deadline = Clock.milliseconds + settings.inactivityMilliseconds
        while true {
            if notifications?.hasMore ?? false { try tellNewsBetweenCommands(readWatch()) }
            let left = deadline - Clock.milliseconds
            guard left > 0 else { throw .inactivity }
            let looksItself = notifications?.needsToLook ?? false
            let wake = try stream.wait(
                orFor: notifications?.watch?.number, milliseconds: looksItself ? min(left, notifications?.patience ?? left) : left)
            switch wake {
            case .input:
                reader.feed(try stream.read())
                // A client that never pauses hears of it, too.
                if notifications?.watch != nil { try tellNewsBetweenCommands(readWatch()) }
                return
            case .other: try tellNewsBetweenCommands(readWatch())
            case .timeout: if looksItself { try tellNewsBetweenCommands(readWatch()) }
            }
        }
    }

    /// What the watch says; everything may have changed where there is none.
    func readWatch() -> StoreChanges {
        if let changes = notifications?.watch?.read() { return changes }
        if notifications?.watch != nil || notifications?.needsToLook ?? false { renewWatch(selected: mailbox?.name) }
        var changes = StoreChanges()
        changes.isEverything = true
        return changes
    }

    private func tellNewsBetweenCommands(_ changes: StoreChanges) throws(SessionEnd) {
        do throws(CommandFailure) { try tellNews(changes, expunges: false) } catch {
            switch error {
            case .end(let end): throw end
            case .store(.mailboxGone(let text)): throw .inconsistent(text)
            case .store(let error):
                settings.logError(error.logText)
                giveUpNotifications()
            default: giveUpNotifications()
            }
        }
    }

    // resp-text-code =/ "NOTIFICATIONOVERFLOW"                          RFC 5465 section 5.8
    /// From now on it is as after NOTIFY NONE.
    func giveUpNotifications() {
        notifications = Notifications()
        stream.out.status([0x2a], "OK [NOTIFICATIONOVERFLOW] Too much happens, or it cannot be watched.")
    }
}

extension Notifications {
    /// There is something to look at before anybody waits.
    var hasMore: Bool { !unchecked.isEmpty || watch?.hasMore ?? false }

    /// Nothing tells of what is wanted.
    var needsToLook: Bool { watch == nil && (dependsOnNames || !selected.isEmpty) }
}
