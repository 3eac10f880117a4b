internal import IMAPSyntax
internal import MailStore

/// What a client asked to hear of (RFC 5465), and what it knows of the mailboxes that are not selected.
final class Notifications {
    /// A group of mailboxes whose names were looked at.
    struct Group {
        enum Mailboxes {
            case personal, subscribed
            case subtree([MailboxName]), named([MailboxName])
        }

        var mailboxes: Mailboxes
        var events: NotifyEvents
    }

    /// A mailbox whose messages are watched, as the client knows it.
    struct Counters {
        var events: NotifyEvents
        var messages: Int
        var uidNext: UInt32
        var uidValidity: UInt32
        var highestModSeq: UInt64
    }

    /// For the selected mailbox; empty: nothing of it is told.
    let selected: NotifyEvents
    /// EXPUNGE is told at any time.
    let tellsExpungesAtOnce: Bool
    /// What is told of new messages in the selected mailbox.
    let items: [FetchItem]
    let groups: [Group]

    /// Nil where the system gives none: then the session looks now and then, and asks for one.
    var watch: (any StoreWatch)?
    /// How long it waits for that, in milliseconds; it doubles each time.
    var patience = Notifications.firstPatience
    /// Mailboxes whose messages are watched.
    var known: [MailboxName: Counters] = [:]
    /// To be looked at, though nothing was heard of them.
    var unchecked: Set<MailboxName> = []
    /// Names and subscriptions as the client knows them; empty where nothing depends on names.
    var listed: [MailboxName: ListedMailbox] = [:]
    /// By which a renamed mailbox is known again.
    var guids: [MailboxName: [UInt8]] = [:]
    /// The latest renames, old names by new ones, and when the last one was seen: children follow their parent one after the other.
    private var renamed: [[UInt8]: [UInt8]] = [:]
    private var renamedAt: Int64 = .min
    /// Attributes of the mailboxes whose changes are told, and of the server (nil).
    var attributes: [MailboxName?: [MailAttribute]] = [:]

    /// Mailboxes of one session: the watcher has two directories for each, besides those with names.
    static let mailboxLimit = 200
    /// A watcher that died is replaced at once, so a session is not long without.
    static let firstPatience: Int64 = 100
    /// Milliseconds within which a renamed child belongs to its renamed parent.
    private static let renameTime: Int64 = 2_000
    /// Beyond so many names a renamed mailbox is one that went and one that came.
    static let renameLimit = 1_000

    init(_ request: NotifyRequest, groups: [Group]) {
        selected = request.selected?.events ?? []
        tellsExpungesAtOnce = request.selected?.mailboxes == .selected && selected.contains(.messageExpunge)
        items = request.selected?.items ?? []
        self.groups = groups
    }

    /// NOTIFY NONE.
    convenience init() { self.init(NotifyRequest(), groups: []) }

    var dependsOnNames: Bool { !groups.isEmpty }

    /// What is wanted of a mailbox, by all groups together.
    func events(of mailbox: ListedMailbox, _ namespaces: [Namespace]) -> NotifyEvents {
        groups.reduce([]) { events, group in
            let isIn =
                switch group.mailboxes {
                case .personal: namespaces[mailbox.name.namespace].kind == .personal
                case .subscribed: mailbox.isSubscribed
                case .named(let names): names.contains(mailbox.name)
                case .subtree(let tops): tops.contains { mailbox.name.isBelow($0) }
                }
            return isIn ? events.union(group.events) : events
        }
    }

    /// Answers these renames and those just before. `now`: milliseconds.
    func note(renamed names: [MailboxName: MailboxName], at now: Int64) -> [[UInt8]: [UInt8]] {
        if renamedAt < now - Self.renameTime || renamed.count > Self.renameLimit { renamed = [:] }
        guard !names.isEmpty else { return renamed }
        renamedAt = now
        for (new, old) in names { renamed[new.text] = old.text }
        return renamed
    }

    /// Whether any group wants this event.
    func wants(_ event: NotifyEvents) -> Bool { groups.contains { !$0.events.isDisjoint(with: event) } }
}

extension MailboxName {
    /// It is `top` or a descendant of it.
    func isBelow(_ top: MailboxName) -> Bool { namespace == top.namespace && parts.starts(with: top.parts) }
}

extension Notifications.Counters {
    init(_ events: NotifyEvents, _ status: MailboxStatus) {
        self.init(
            events: events, messages: status.messages, uidNext: status.uidNext, uidValidity: status.uidValidity,
            highestModSeq: status.highestModSeq)
    }

    /// Whether the client has to hear of this state.
    func differs(from status: MailboxStatus) -> Bool {
        if uidValidity != status.uidValidity || uidNext != status.uidNext || messages != status.messages { return true }
        return events.contains(.flagChange) && highestModSeq != status.highestModSeq
    }

    /// Takes over what the client is told, or need not be told.
    mutating func adopt(_ status: MailboxStatus) { self = Self(events, status) }
}
