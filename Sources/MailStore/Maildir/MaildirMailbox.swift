internal import Platform

/// An opened Maildir folder. `messages` is the session's picture; `table` is what is on disk, as far as we have looked.
final class MaildirMailbox: Mailbox {
    let name: MailboxName
    let access: MailboxAccess
    let folder: MaildirFolder
    let store: MaildirStore
    var uidValidity: UInt32 = 0
    var guid: [UInt8] = []
    var messages: [Message] = []
    var table = MessageTable()
    var list: UIDListFile
    var keywordTable = KeywordTable()
    /// dovecot-keywords as it was read; nil: it was not there.
    var keywordStatus: FileStatus?
    var keywordsChanged = false
    var newState = ScannedDirectory()
    var curState = ScannedDirectory()
    var newInode: UInt64 = 0
    var curInode: UInt64 = 0
    var generation: UInt32 = 0
    /// No message with a UID up to this one can appear any more in this session.
    var highestShown: UInt32 = 0
    /// Slots of messages that this session moved out of new/ and has not shown yet.
    var ownRecent: Set<Int> = []
    /// Nothing can be written here; UIDs of new messages are only in memory.
    var isReadOnlyStorage = false
    var changeWatch: (any ChangeWatch)?
    /// Virtual sizes, by slot, that had to be counted because no name tells them.
    var countedSizes: [Int: Int64] = [:]
    let index: MailboxIndex
    /// A session had to read all names for a size or a date: those it gives are kept, so that the next need not.
    var isFilling = false
    /// UIDNEXT while `table` is not loaded; nil: it is.
    var indexedUIDNext: UInt32?
    /// What the index says fits `table` as long as it has these stamps; nil: it does not.
    var publishedStamps: MailboxStamps?
    /// Modseq of the index when `table` was brought into it, or compared with it, last.
    var highestModSeq: UInt64 = 1
    var recentBlock: MessageBlock?
    var cache = ItemCache()

    init(_ name: MailboxName, access: MailboxAccess, folder: MaildirFolder, store: MaildirStore) throws(StoreError) {
        self.name = name
        self.access = access
        self.folder = folder
        self.store = store
        list = UIDListFile(control: folder.control, mode: folder.root.fileMode, isDurable: store.isDurable)
        index = MailboxIndex(folder.root.index, directory: try folder.mail.status())
    }

    deinit { flushCache() }

    var uidNext: UInt32 { indexedUIDNext ?? list.nextUID }
    var keywords: [Keyword?] { keywordTable.names }
    var acceptsNewKeywords: Bool { access == .readWrite && !keywordTable.isFull }

    func position(of uid: UInt32) -> (index: Int, isExact: Bool) {
        var (low, high) = (0, messages.count)
        while low < high {
            let middle = low + (high - low) / 2
            if messages[middle].uid < uid { low = middle + 1 } else { high = middle }
        }
        return (low, low < messages.count && messages[low].uid == uid)
    }

    /// Slot of a position; throws `.expunged` for one that does not exist.
    func slot(_ position: Int) throws(StoreError) -> Int {
        guard messages.indices.contains(position) else { throw .expunged }
        try loadTable()
        return Int(messages[position].slot)
    }

    func report(_ text: String) { store.options.log(.error, text) }

    /// The header of dovecot-uidlist was read or made: its UIDVALIDITY must stay the same while we are open.
    func adopt(_ header: UIDListHeader) throws(StoreError) {
        if uidValidity != 0, uidValidity != header.uidValidity { throw .mailboxGone("UIDVALIDITY changed under us") }
        uidValidity = header.uidValidity
        if !header.guid.isEmpty { guid = header.guid }
    }

    /// A new header: what we know is kept, what is missing is made.
    func completedHeader() throws(StoreError) -> UIDListHeader {
        var header = list.header ?? UIDListHeader(uidValidity: 0, nextUID: 1)
        if header.uidValidity == 0 {
            header.uidValidity = try UIDValidity.next(in: folder.root.controlRoot, fileMode: folder.root.fileMode)
        }
        if header.guid.isEmpty { header.guid = guid.isEmpty ? Self.randomGUID() : guid }
        header.isVersion1 = false
        header.nextUID = list.nextUID
        return header
    }

    static func randomGUID() -> [UInt8] {
        (0..<16).flatMap { _ in
            let digits = Array(String(UInt8.random(in: 0 ... .max), radix: 16).utf8)
            return digits.count == 1 ? [0x30] + digits : digits
        }
    }
}
