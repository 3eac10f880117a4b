/// Tells what others change in a user's mail, with one descriptor for any number of mailboxes.
package protocol StoreWatch: AnyObject {
    /// Readable when something happened.
    var number: Int32 { get }
    /// Something happened that `number` does not show any more: to be asked before waiting.
    var hasMore: Bool { get }
    /// From now on changes of this mailbox's messages are told. Throws `.notFound`, and `.limit` when that is too much.
    func watch(_ name: MailboxName) throws(StoreError)
    /// The mailbox went away or is of no interest any more.
    func forget(_ name: MailboxName)
    /// From now on it is told when mailboxes come, go or are renamed, and when subscriptions or attributes change. To be called again after
    /// names changed. Throws `.limit`.
    func watchNames() throws(StoreError)
    /// What happened since the last time; nil: this watch is of no use any more.
    func read() -> StoreChanges?
}

/// What may have changed; it is a hint to look.
package struct StoreChanges {
    /// Events were lost.
    package var isEverything = false
    package var mailboxes: Set<MailboxName> = []
    /// Mailboxes, subscriptions or attributes.
    package var names = false

    package init() {}
}
