package import Platform

/// A user's mail in some format; `MailStore.open` gives one. Nothing above this protocol knows a path.
///
/// Every operation leaves the store complete: what it answers is on disk (unless `mail_fsync = never`),
/// what it throws left nothing behind. Used by one thread of one process; other processes, other mail
/// programs too, may use the same mail at the same time.
package protocol MailDriver: AnyObject {
    /// The session waits: what can be had again quickly is given back to the system.
    func rest()

    /// Called during COPY and MOVE with the number of messages that were seen to, so that a client can be told that it goes on.
    var progress: ((_ done: Int) -> Void)? { get set }

    /// At least one; the order is that of the settings.
    var namespaces: [Namespace] { get }

    /// The only way to a `MailboxName`: checks UTF-8 text as a client wrote it (after decoding modified UTF-7)
    /// against the rules of its namespace and layout. Says nothing about existence. Throws `.invalidName`.
    func name(_ text: [UInt8]) throws(StoreError) -> MailboxName

    /// All mailboxes of all namespaces, with missing parents and missing subscribed ones, sorted by name with INBOX first. Patterns are the session's.
    func list() throws(StoreError) -> [ListedMailbox]
    /// Names that are subscribed, also of mailboxes that do not exist, sorted; those of `auto = subscribe` included.
    func subscriptions() throws(StoreError) -> [MailboxName]
    /// Throws `.notFound` when the mailbox does not exist.
    func subscribe(_ name: MailboxName) throws(StoreError)
    /// Not being subscribed is no error.
    func unsubscribe(_ name: MailboxName) throws(StoreError)

    /// What was noted about a mailbox, or with nil about the account (RFC 5464); names are in lower case. `/private/specialuse` of a mailbox
    /// shows in `list`. Throws `.notFound`.
    func attributes(of name: MailboxName?) throws(StoreError) -> [MailAttribute]
    /// Makes all changes at once; nil removes. Throws `.notFound`, and `.limit` for too many.
    func setAttributes(_ changes: [(name: [UInt8], value: [UInt8]?)], of name: MailboxName?) throws(StoreError)

    /// What the user's mail may come to; nil: nothing is set.
    var quota: QuotaSettings? { get }
    /// What all messages that count come to now.
    func quotaUsage() throws(StoreError) -> QuotaUsage
    /// Counts every mailbox anew from its messages.
    func recountQuota() throws(StoreError)
    /// Whether saving in this mailbox counts, and against which limits; nil: no quota is set, or the mailbox is no personal one.
    func quotaLimits(of name: MailboxName) -> MailboxLimits?

    /// Whether the mailbox can be selected (automatic ones always can).
    func exists(_ name: MailboxName) throws(StoreError) -> Bool
    /// Throws `.exists`.
    func create(_ name: MailboxName) throws(StoreError)
    /// Removes the mailbox and its messages; children stay. Throws `.notFound`, and `.cannot` for INBOX.
    func delete(_ name: MailboxName) throws(StoreError)
    /// Renames the mailbox with its children; INBOX: moves its messages to the new mailbox (RFC 9051 section 6.3.6).
    /// Throws `.notFound`, `.exists`.
    func rename(_ name: MailboxName, to target: MailboxName) throws(StoreError)

    /// Counters, without any change to what is \Recent. Throws `.notFound`.
    /// `sizes`: also `size` and `deletedSize`, which can mean a stat or a read per message.
    func status(_ name: MailboxName, sizes: Bool) throws(StoreError) -> MailboxStatus
    /// The same of several, of which only what is known without looking at their messages: nil for the others.
    func indexedStatuses(_ mailboxes: [ListedMailbox], _ needs: StatusNeeds) -> [MailboxStatus?]
    /// Opens and synchronises a mailbox. Throws `.notFound`.
    func open(_ name: MailboxName, access: MailboxAccess) throws(StoreError) -> any Mailbox
    /// Something that tells of changes; nothing is watched yet. Throws when there is no means to.
    func watch() throws(StoreError) -> any StoreWatch
    /// Begins to save messages (APPEND, delivery). Throws `.notFound`.
    func beginSave(to name: MailboxName) throws(StoreError) -> any SaveTransaction
}

/// What an opened mailbox is for.
package enum MailboxAccess: Sendable {
    /// SELECT: may change everything; takes \Recent from new messages.
    case readWrite
    /// EXAMINE: changes neither flags nor \Recent.
    case readOnly
}

/// One line of LIST.
package struct ListedMailbox: Equatable, Sendable {
    package let name: MailboxName
    /// It can be selected. Otherwise it is a parent of something that exists, or only a subscription.
    package var isSelectable: Bool
    package var hasChildren: Bool
    package var isSubscribed: Bool
    /// Nothing of it and nothing below it exists: it is here only because it is subscribed.
    package var isOnlySubscribed: Bool
    /// `\Sent`, `\Trash`, …, as configured.
    package var specialUse: [String]
    /// Of its directory, as LIST saw it; 0: not known. Tells where the index has its record; whether that is true the stamps say.
    var inode: UInt64
}

/// What must be true of an indexed status besides the numbers of messages.
package struct StatusNeeds: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// UIDNEXT, UIDVALIDITY, modseq and id of the mailbox.
    package static let uids = StatusNeeds(rawValue: 1)
    /// `size` and `deletedSize`.
    package static let sizes = StatusNeeds(rawValue: 2)
}

/// What STATUS asks for.
package struct MailboxStatus: Equatable, Sendable {
    package var messages = 0
    package var recent = 0
    package var unseen = 0
    package var deleted = 0
    package var uidNext: UInt32 = 1
    package var uidValidity: UInt32 = 0
    /// Sum of the sizes with CR LF line ends, in bytes; 0 unless asked for.
    package var size: Int64 = 0
    /// The same of messages with \Deleted (DELETED-STORAGE).
    package var deletedSize: Int64 = 0
    /// 32 hex digits (MAILBOXID, RFC 8474).
    package var guid: [UInt8] = []
    /// HIGHESTMODSEQ (RFC 7162).
    package var highestModSeq: UInt64 = 1

    package init() {}
}

/// A mailbox in use. Positions are indexes into `messages` (sequence number less one); they change in `synchronize` only.
package protocol Mailbox: AnyObject {
    var name: MailboxName { get }
    var access: MailboxAccess { get }
    /// Never 0.
    var uidValidity: UInt32 { get }
    var uidNext: UInt32 { get }
    /// 32 hex digits.
    var guid: [UInt8] { get }
    /// Sorted by UID: the picture that sequence numbers refer to. Its positions change in `synchronize` only; flags are those of now.
    var messages: MessageList { get }
    /// How many of `messages` are \Recent.
    var recentCount: Int { get }
    /// Position of the first of `messages` without \Seen; answered without looking at each.
    var firstUnseen: Int? { get }
    /// Positions of `messages` with \Deleted, ascending; answered without looking at each.
    var deleted: [Int] { get }
    /// Those of `candidates` (a set of positions in `messages`) whose flags answer a question with yes; answered without looking at each.
    func positions(_ test: FlagTest, among candidates: PositionSet) -> PositionSet
    /// Index of a keyword here is its bit in `KeywordSet`; nil where the table has a hole.
    var keywords: [Keyword?] { get }
    /// A keyword that is not in the table can be added (`\*` in PERMANENTFLAGS).
    var acceptsNewKeywords: Bool { get }

    /// Looks at what changed since the last time and applies it to `messages`.
    /// With `reportExpunges: false` (FETCH, STORE, SEARCH) lost messages stay in place until a later call with true.
    /// Throws `.mailboxGone`.
    func synchronize(reportExpunges: Bool) throws(StoreError) -> MailboxChanges

    /// Modseq of the newest change that this session knows of (RFC 7162); never 0. Modseqs are microseconds of the clock where it is ahead:
    /// they do not go back when the index is lost.
    var highestModSeq: UInt64 { get }
    /// Modseq of the last change of a message's flags, or of its coming; never above `highestModSeq`.
    func modSeq(at position: Int) -> UInt64
    /// Positions of messages whose modseq is above `modSeq`, ascending.
    func changed(since modSeq: UInt64) -> [Int]
    /// UIDs expunged after `modSeq`, ascending, without overlaps. When that is too long ago: all below `uidNext` that are not there.
    func vanished(since modSeq: UInt64) -> [ClosedRange<UInt32>]

    /// Position of a UID, or of the first one above it.
    func position(of uid: UInt32) -> (index: Int, isExact: Bool)

    /// Changes flags and keywords. Messages that vanished meanwhile are left out. The changes are not reported again by `synchronize`.
    /// With `unchangedSince` only messages that nobody changed after that modseq (RFC 7162 section 3.1.3): nobody can do so in between.
    func change(_ positions: [Int], _ change: FlagChange, unchangedSince: UInt64?) throws(StoreError) -> FlagResult
    /// Removes messages; they leave `messages` at the next `synchronize(reportExpunges: true)`, which reports them.
    func expunge(_ positions: [Int]) throws(StoreError)
    /// Copies messages with flags, keywords and internal date; all or nothing. Throws `.notFound` (TRYCREATE), `.expunged`.
    func copy(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages
    /// Moves messages: each is in one of the two mailboxes at any moment where both are in the same place of the file system, else they are
    /// copied and then removed from here. All or nothing, unless the process dies. Throws as `copy`.
    func move(_ positions: [Int], to target: MailboxName) throws(StoreError) -> CopiedMessages

    /// The message as stored. Throws `.expunged`.
    func content(at position: Int) throws(StoreError) -> MessageContent
    /// Size with CR LF line ends (RFC822.SIZE). Throws `.expunged`.
    func virtualSize(at position: Int) throws(StoreError) -> Int64
    /// Seconds since 1970 (INTERNALDATE). Throws `.expunged`.
    func internalDate(at position: Int) throws(StoreError) -> Int64
    /// Seconds since 1970 when the message came into this mailbox (SAVEDATE). Throws `.expunged`.
    func saveDate(at position: Int) throws(StoreError) -> Int64
    /// Stable id of the content (EMAILID); the same in a copy. At most 255 bytes.
    func guid(at position: Int) -> [UInt8]

    /// What an earlier session remembered of a message; nil when unknown.
    func cached(_ item: CachedItem, at position: Int) -> ArraySlice<UInt8>?
    /// The same of several messages, in the place of what `values` held: cheaper than one by one.
    func cached(_ item: CachedItem, at positions: ArraySlice<Int>, into values: inout [ArraySlice<UInt8>?])
    /// Remembers something derived from a message; may be forgotten at any time.
    func remember(_ item: CachedItem, _ value: [UInt8], at position: Int)

    /// A descriptor that is readable when something may have changed (IDLE), or nil: then look every 30 s.
    /// It belongs to the mailbox. Call `watchWasRead` before `synchronize` when it became readable, then this again: it may be another.
    func startWatching() -> Int32?
    func watchWasRead()
    func stopWatching()
}

extension Mailbox {
    /// The names of the keywords in a set, in the order of the table.
    package func names(of set: KeywordSet) -> [Keyword] {
        let table = keywords
        return set.indexes.compactMap { $0 < table.count ? table[$0] : nil }
    }

    /// Changes flags and keywords; answers the positions whose flags are different now.
    package func change(_ positions: [Int], _ change: FlagChange) throws(StoreError) -> [Int] {
        try self.change(positions, change, unchangedSince: nil).changed
    }
}

/// What became of a change of flags.
package struct FlagResult: Equatable, Sendable {
    /// Positions whose flags are different now.
    package var changed: [Int] = []
    /// How many of these got \Deleted, and did not have it before.
    package var newlyDeleted = 0
    /// Positions that were left alone because somebody changed them.
    package var modified: [Int] = []
    /// Those of `changed` that others had changed, too, since the session looked last: the client has to hear of all their flags.
    package var alsoByOthers: [Int] = []

    package init() {}
}

/// One message of an opened mailbox.
package struct Message: Equatable, Sendable {
    package let uid: UInt32
    package let flags: MessageFlags
    package let keywords: KeywordSet
}

/// The messages of an opened mailbox, by position. It costs nothing to have: flags are looked up when they are asked for, and are those of now.
package struct MessageList: RandomAccessCollection {
    let view: MessageView

    package var startIndex: Int { 0 }
    package var endIndex: Int { view.uids.count }
    package subscript(position: Int) -> Message { view.message(at: position) }
    /// Cheaper than the whole message.
    package func uid(at position: Int) -> UInt32 { view.uid(at: position) }
    /// The messages at these positions, in the place of what `messages` held: cheaper than one by one.
    package func read(_ positions: Range<Int>, into messages: inout [Message]) {
        messages.removeAll(keepingCapacity: true)
        for position in positions { messages.append(view.message(at: position)) }
    }
}

/// What `Mailbox.synchronize` found, in the order in which a client must hear it.
package struct MailboxChanges: Equatable, Sendable {
    /// Sequence numbers as of the moment each is sent (one after the other), highest first, with their UIDs.
    package var expunged: [Expunged] = []
    /// Positions of messages whose flags others changed, after the expunges.
    package var flagsChanged: [Int] = []
    /// Positions of the messages that are new, after the expunges: always at the end. Empty range when none.
    package var new: Range<Int> = 0..<0
    /// The keyword table grew or changed (untagged FLAGS).
    package var keywordsChanged = false
    /// Messages are lost but were not reported, because expunges were not wanted.
    package var hasHiddenExpunges = false

    package struct Expunged: Equatable, Sendable {
        package let sequence: Int
        package let uid: UInt32
    }

    package init() {}

    package var isEmpty: Bool { expunged.isEmpty && flagsChanged.isEmpty && new.isEmpty && !keywordsChanged }
}

/// STORE's `+FLAGS`, `-FLAGS`, `FLAGS`.
package struct FlagChange: Sendable {
    package enum Operation: Sendable { case add, remove, replace }

    package var operation: Operation
    /// `.recent` in it is ignored.
    package var flags: MessageFlags
    package var keywords: [Keyword]

    package init(_ operation: Operation, flags: MessageFlags = [], keywords: [Keyword] = []) {
        self.operation = operation
        self.flags = flags
        self.keywords = keywords
    }
}

/// What COPYUID needs: `sources[i]` became `targets[i]`.
package struct CopiedMessages: Equatable, Sendable {
    package var uidValidity: UInt32
    package var sources: [UInt32]
    package var targets: [UInt32]
}

/// An open message file.
package struct MessageContent: ~Copyable {
    /// Positioned at the start; blocking regular file.
    package let descriptor: FileDescriptor
    /// Bytes in the file. Line ends are LF or CR LF, as stored: readers convert.
    package let size: Int64
}

/// What an index may keep of a message.
package enum CachedItem: Hashable, Sendable {
    case envelope, bodyStructure, body, preview
    /// What SORT and THREAD compare (`MessageFormat.MessageKeys`).
    case keys
    /// The stored lines of the fields that are asked for most (`MessageFormat.CommonFields`).
    case fields
    /// The stored lines of all fields of a name, which is in lower case.
    case header([UInt8])
}

/// An entry of METADATA: a path such as `/private/comment`, and any bytes.
package struct MailAttribute: Equatable, Sendable {
    package var name: [UInt8]
    package var value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// What a new message is to have.
package struct NewMessage: Sendable {
    package var flags: MessageFlags
    package var keywords: [Keyword]
    /// Seconds since 1970; nil: now.
    package var internalDate: Int64?

    package init(flags: MessageFlags = [], keywords: [Keyword] = [], internalDate: Int64? = nil) {
        self.flags = flags
        self.keywords = keywords
        self.internalDate = internalDate
    }
}

/// Messages on their way into a mailbox: any number of `begin`, `append`…, `end`; then `commit`. Nothing is visible before.
/// Letting go of it without `commit` removes everything.
package protocol SaveTransaction: AnyObject {
    /// Starts the next message; an unfinished one is dropped.
    func begin(_ message: NewMessage) throws(StoreError)
    /// A message of this many bytes comes next: refused now rather than when it was sent. Throws `.overQuota` and `.tooBig`.
    func admit(_ size: Int64) throws(StoreError)
    /// The next bytes of the message, with any line ends; they are stored as the settings say. Memory does not grow.
    func append(_ bytes: ArraySlice<UInt8>) throws(StoreError)
    /// The message is complete. Answers its size with CR LF line ends.
    @discardableResult func end() throws(StoreError) -> Int64
    /// Throws `.overQuota` when they are too many together.
    /// Makes all messages visible at once and durable; answers their UIDs in order.
    func commit() throws(StoreError) -> SavedMessages
    /// Removes everything that was not committed.
    func abandon()
}

/// What APPENDUID needs.
package struct SavedMessages: Equatable, Sendable {
    package var uidValidity: UInt32
    package var uids: [UInt32]
}
