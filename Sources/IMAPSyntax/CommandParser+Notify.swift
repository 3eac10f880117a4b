/// NOTIFY (RFC 5465): what a client wants to hear of without asking.
package enum NotifyCommand: Equatable, Sendable {
    case none
    case set(NotifyRequest)
}

/// NOTIFY SET: it replaces what was asked for before.
package struct NotifyRequest: Equatable, Sendable {
    /// The counters of all mailboxes are told before the tagged answer.
    package var wantsStatus = false
    /// For the selected mailbox; nil: nothing.
    package var selected: NotifyGroup?
    package var groups: [NotifyGroup] = []

    package init() {}

    /// All events that are named.
    package var events: NotifyEvents { groups.reduce(selected?.events ?? []) { $0.union($1.events) } }
}

/// Some mailboxes, and what is wanted of them.
package struct NotifyGroup: Equatable, Sendable {
    package var mailboxes: MailboxFilter
    package var events: NotifyEvents = []
    /// What of a new message is told; for the selected mailbox only.
    package var items: [FetchItem] = []

    package init(_ mailboxes: MailboxFilter) { self.mailboxes = mailboxes }

    package var isForSelected: Bool { mailboxes == .selected || mailboxes == .selectedDelayed }
}

/// Kinds of events.
package struct NotifyEvents: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package static let messageNew = NotifyEvents(rawValue: 1)
    package static let messageExpunge = NotifyEvents(rawValue: 2)
    package static let flagChange = NotifyEvents(rawValue: 4)
    package static let mailboxName = NotifyEvents(rawValue: 8)
    package static let subscriptionChange = NotifyEvents(rawValue: 16)
    package static let mailboxMetadataChange = NotifyEvents(rawValue: 32)
    package static let serverMetadataChange = NotifyEvents(rawValue: 64)
    /// Messages have no annotations here.
    package static let annotationChange = NotifyEvents(rawValue: 128)
    /// A name that nobody knows.
    package static let unknown = NotifyEvents(rawValue: 256)

    package static let names: [(name: String, event: NotifyEvents)] = [
        ("MessageNew", .messageNew), ("MessageExpunge", .messageExpunge), ("FlagChange", .flagChange), ("MailboxName", .mailboxName),
        ("SubscriptionChange", .subscriptionChange), ("MailboxMetadataChange", .mailboxMetadataChange),
        ("ServerMetadataChange", .serverMetadataChange),
    ]

    /// About messages of a mailbox.
    package static let ofMessages: NotifyEvents = [.messageNew, .messageExpunge, .flagChange, .annotationChange]
}

extension CommandParser {
    // notify = "NOTIFY" SP (notify-set / notify-none) ; notify-none = "NONE"                     RFC 5465 section 8
    // notify-set = "SET" [status-indicator] SP event-groups ; status-indicator = SP "STATUS"
    // event-groups = event-group *(SP event-group)
    mutating func notify() throws(SyntaxError) -> Command {
        try space()
        if takeIf(word: "NONE") { return .notify(.none) }
        guard takeIf(word: "SET") else { throw .expected("SET or NONE", at: index) }
        var request = NotifyRequest()
        try space()
        if takeIf(word: "STATUS") {
            request.wantsStatus = true
            try space()
        }
        var count = 0
        repeat {
            count += 1
            guard count <= Limits.notifyGroups else { throw .overLimit("event groups") }
            let group = try notifyGroup()
            guard group.isForSelected else {
                request.groups.append(group)
                continue
            }
            guard request.selected == nil else { throw .expected("one group for the selected mailbox", at: index) }
            request.selected = group
        } while takeIf(0x20)
        return .notify(.set(request))
    }

    // event-group = "(" filter-mailboxes SP events ")" ; events = ("(" event *(SP event) ")") / "NONE"
    private mutating func notifyGroup() throws(SyntaxError) -> NotifyGroup {
        try byte(0x28, "(")
        var group = NotifyGroup(try mailboxFilter())
        if case .subtreeOne = group.mailboxes { throw .expected("mailbox filter", at: index) }
        try space()
        if !takeIf(word: "NONE") {
            try list(atMost: Limits.notifyEvents, of: "events") { parser throws(SyntaxError) in try parser.notifyEvent(into: &group) }
        }
        try byte(0x29, ")")
        // Message numbers can be followed only by who hears of both (section 5).
        let events = group.events
        guard events.contains(.messageNew) == events.contains(.messageExpunge) else {
            throw .expected("MessageNew and MessageExpunge together", at: index)
        }
        guard events.isDisjoint(with: [.flagChange, .annotationChange]) || events.contains(.messageNew) else {
            throw .expected("MessageNew besides FlagChange", at: index)
        }
        // Section 6.1.
        guard !group.isForSelected || events.isSubset(of: .ofMessages.union(.unknown)) else {
            throw .expected("message events for the selected mailbox", at: index)
        }
        guard group.isForSelected || group.items.isEmpty else { throw .expected("FETCH items for the selected mailbox only", at: index) }
        return group
    }

    // event = message-event / mailbox-event / user-event / event-ext
    // message-event = ("MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"]) / "MessageExpunge" / "FlagChange" / "AnnotationChange"
    // mailbox-event = "MailboxName" / "SubscriptionChange" / "MailboxMetadataChange" ; user-event = "ServerMetadataChange"
    private mutating func notifyEvent(into group: inout NotifyGroup) throws(SyntaxError) {
        let name = take(while: .atom)
        guard !name.isEmpty else { throw .expected("event", at: index) }
        if name.isWord("ANNOTATIONCHANGE") {
            group.events.insert(.annotationChange)
        } else if let known = NotifyEvents.names.first(where: { name.isWord($0.name.uppercased()) }) {
            group.events.insert(known.event)
        } else {
            group.events.insert(.unknown)
        }
        guard name.isWord("MESSAGENEW"), peek == 0x20, index + 1 < bytes.count, bytes[index + 1] == 0x28 else { return }
        index += 1
        group.items = try fetchItems()
    }

    // "(" fetch-att *(SP fetch-att) ")"
    /// Of messages that nobody asked for: nothing is marked as seen by that.
    mutating func fetchItems() throws(SyntaxError) -> [FetchItem] {
        var items: [FetchItem] = []
        try list(atMost: Limits.fetchItems, of: "FETCH items") { parser throws(SyntaxError) in
            items.append(try parser.fetchItem(named: parser.fetchName()))
        }
        return items
    }
}
