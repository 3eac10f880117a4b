/// What a client may ask after login. Mailbox names are as on the wire; strings are bytes.
package enum Command: Equatable, Sendable {
    case capability, noop, logout, namespace, check, close, unselect, idle
    case id([IDField])
    case enable([[UInt8]])
    case select(SelectCommand)
    case create(mailbox: [UInt8], specialUse: [[UInt8]])
    case delete(mailbox: [UInt8])
    case rename(from: [UInt8], to: [UInt8])
    case subscribe(mailbox: [UInt8])
    case unsubscribe(mailbox: [UInt8])
    case list(ListCommand)
    case lsub(reference: [UInt8], pattern: [UInt8])
    case status(mailbox: [UInt8], items: [StatusItem])
    /// UID EXPUNGE names UIDs; EXPUNGE does not.
    case expunge(uids: SequenceSet?)
    /// SEARCH, SORT and ESEARCH.
    case search(SearchCommand)
    case thread(ThreadCommand)
    /// Tags of the searches whose updates are to end (RFC 5267).
    case cancelUpdate([[UInt8]])
    case compress([UInt8])
    case notify(NotifyCommand)
    /// COMPARATOR: collations in the order of preference; empty: which one is used (RFC 5255).
    case comparator([[UInt8]])
    case getMetadata(GetMetadataCommand)
    case setMetadata(SetMetadataCommand)
    /// The root with this name (RFC 9208).
    case getQuota(root: [UInt8])
    case getQuotaRoot(mailbox: [UInt8])
    case setQuota(root: [UInt8])
    case fetch(FetchCommand)
    case store(StoreCommand)
    case copy(CopyCommand)
}

/// SELECT, or EXAMINE when `isReadOnly`.
package struct SelectCommand: Equatable, Sendable {
    package var mailbox: [UInt8]
    package var isReadOnly: Bool
    /// `(CONDSTORE)` of RFC 7162 was given.
    package var wantsModSeq = false
    /// `(QRESYNC (…))` of RFC 7162.
    package var resync: Resynchronization?

    /// What the client remembers of the mailbox.
    package struct Resynchronization: Equatable, Sendable {
        package var uidValidity: UInt32
        package var modSeq: UInt64
        /// Nil: all.
        package var knownUIDs: SequenceSet?
        /// Message numbers, and the UIDs that these messages had when the client saw them last; as many of each.
        package var matches: Matches?

        package struct Matches: Equatable, Sendable {
            package var numbers: NumberSet
            package var uids: NumberSet
        }
    }
}

/// LIST with the options of RFC 5258, 5819 and 6154.
package struct ListCommand: Equatable, Sendable {
    package struct Selection: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let subscribed = Selection(rawValue: 1)
        package static let remote = Selection(rawValue: 2)
        package static let recursiveMatch = Selection(rawValue: 4)
        package static let specialUse = Selection(rawValue: 8)
    }

    package struct Return: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let subscribed = Return(rawValue: 1)
        package static let children = Return(rawValue: 2)
        package static let specialUse = Return(rawValue: 4)
    }

    package var reference: [UInt8]
    package var patterns: [[UInt8]]
    package var selection: Selection = []
    package var returns: Return = []
    package var status: [StatusItem] = []
    /// Entries of METADATA (RFC 9590).
    package var metadata: [[UInt8]] = []
    /// Any option or a list of patterns was given, so that the answer follows RFC 5258.
    package var isExtended = false

    package init(
        reference: [UInt8], patterns: [[UInt8]], selection: Selection = [], returns: Return = [], status: [StatusItem] = [],
        metadata: [[UInt8]] = [], isExtended: Bool = false
    ) {
        self.reference = reference
        self.patterns = patterns
        self.selection = selection
        self.returns = returns
        self.status = status
        self.metadata = metadata
        self.isExtended = isExtended
    }
}

/// What STATUS may tell.
package enum StatusItem: Equatable, Sendable {
    case messages, recent, uidNext, uidValidity, unseen, deleted, size, highestModSeq, mailboxID, appendLimit, deletedStorage

    package static let all: [(name: String, item: StatusItem)] = [
        ("MESSAGES", .messages), ("RECENT", .recent), ("UIDNEXT", .uidNext), ("UIDVALIDITY", .uidValidity), ("UNSEEN", .unseen),
        ("DELETED", .deleted), ("SIZE", .size), ("HIGHESTMODSEQ", .highestModSeq), ("MAILBOXID", .mailboxID),
        ("APPENDLIMIT", .appendLimit), ("DELETED-STORAGE", .deletedStorage),
    ]
}

/// COPY or MOVE.
package struct CopyCommand: Equatable, Sendable {
    package var set: SequenceSet
    package var isUID: Bool
    package var isMove: Bool
    package var mailbox: [UInt8]
}

/// STORE; FLAGS replaces, +FLAGS adds, -FLAGS removes.
package struct StoreCommand: Equatable, Sendable {
    package enum Action: Equatable, Sendable { case replace, add, remove }

    package var set: SequenceSet
    package var isUID: Bool
    package var action: Action
    package var isSilent: Bool
    package var flags: FlagList
    /// Messages that changed after this modseq are left alone (RFC 7162).
    package var unchangedSince: UInt64?
}
