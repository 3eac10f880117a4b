internal import Index
internal import Platform

/// An opened Maildir folder: what one session shows of it (`view`). What is on disk the index knows; where it does not, it is brought up to date
/// first (`look`). Nothing here grows with the mailbox but one bit for each UID.
final class MaildirMailbox: Mailbox {
    let name: MailboxName
    let access: MailboxAccess
    let folder: MaildirFolder
    let store: MaildirStore
    var uidValidity: UInt32 = 0
    var guid: [UInt8] = []
    var uidNext: UInt32 = 1
    let view: MessageView
    var keywordTable = KeywordTable() {
        didSet { (view.knownKeywords, view.namelessKeywords) = (keywordTable.letters, KeywordSet()) }
    }
    /// dovecot-keywords as it was read; nil: it was not there.
    var keywordStatus: FileStatus?
    var keywordsChanged = false
    /// Messages that this session moved out of new/ and has not shown yet.
    var ownRecent = UIDRanges()
    /// Nothing can be written here; UIDs of new messages are only in memory, and so is the index.
    var isReadOnlyStorage = false
    var changeWatch: (any ChangeWatch)?
    var cache = ItemCache()
    /// Sizes and dates that are not written to the index yet.
    var numbers: [UInt32: MessageNumbers] = [:]
    /// new/ when a message could not be moved out of it: tried again when something changes there.
    var refusedNew: Int64?
    /// How often all files were looked at.
    var scans = 0
    var lastName: (uid: UInt32, message: IndexedMessage, entry: NameEntry)?
    var nameGroup: NameGroup?
    /// Sizes and dates as the index has them.
    var numbersWindow = NumbersWindow()

    init(_ name: MailboxName, access: MailboxAccess, folder: MaildirFolder, store: MaildirStore, index: Index? = nil) throws(StoreError) {
        self.name = name
        self.access = access
        self.folder = folder
        self.store = store
        view = MessageView(MailboxIndex(index ?? folder.root.index, directory: try folder.mail.status()))
        view.recover = { [unowned self] in _ = try? look() }
        view.learnKeywords = { [unowned self] in try? readKeywords() }
    }

    deinit { flushCache() }

    var index: MailboxIndex { view.index }
    var messages: MessageList { MessageList(view: view) }
    var keywords: [Keyword?] { keywordTable.names }
    var acceptsNewKeywords: Bool { access == .readWrite && !keywordTable.isFull }
    var highestModSeq: UInt64 { view.told }

    func position(of uid: UInt32) -> (index: Int, isExact: Bool) { view.uids.position(of: uid) }

    var recentCount: Int { view.recent.count }

    var firstUnseen: Int? {
        view.positions(inSegments: { $1.unseen > 0 }, limit: 1) { !$0.flags.contains(.seen) }.first
    }

    var deleted: [Int] { view.positions(inSegments: { $1.deleted > 0 }) { $0.flags.contains(.deleted) } }

    func positions(_ test: FlagTest, among candidates: PositionSet) -> PositionSet { view.positions(test, among: candidates) }

    // MARK: modseqs

    func modSeq(at position: Int) -> UInt64 {
        view.uids.count > position && position >= 0 ? view.modSeq(of: view.uid(at: position)) : highestModSeq
    }

    func changed(since modSeq: UInt64) -> [Int] {
        guard modSeq < highestModSeq else { return [] }
        return view.positions(inSegments: { changed, _ in changed > modSeq }) { $0.modSeq > modSeq }
    }

    func vanished(since modSeq: UInt64) -> [ClosedRange<UInt32>] { index.vanished(since: modSeq) }

    /// UID of a position; throws `.expunged` for one that does not exist.
    func uid(_ position: Int) throws(StoreError) -> UInt32 {
        guard position >= 0, position < view.uids.count else { throw .expunged }
        return view.uid(at: position)
    }

    static func randomGUID() -> [UInt8] {
        (0..<16).flatMap { _ in
            let digits = Array(String(UInt8.random(in: 0 ... .max), radix: 16).utf8)
            return digits.count == 1 ? [0x30] + digits : digits
        }
    }
}
