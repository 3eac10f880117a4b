internal import Index

/// What one session shows of a mailbox: which UIDs, and up to which modseq it was told of changes. Flags stay in the index; a window of it
/// is kept while somebody goes through the messages.
final class MessageView {
    var index: MailboxIndex
    var uids = UIDMap() { didSet { cursor = UIDMap.Cursor() } }
    /// \Recent here, and nowhere else.
    var recent = UIDRanges()
    /// The session was told of all changes up to this one.
    var told: UInt64 = 1
    /// Modseqs of changes that this session made itself since.
    var own: [UInt64] = []
    /// `MailboxHeader.origin` of the records that `told` refers to.
    var origin: UInt64 = 0
    /// No message with a UID up to this one can appear any more in this session.
    var highestShown: UInt32 = 0
    /// UIDs that are gone and still shown, because expunges were not wanted; ascending.
    var lost: [UInt32] = []
    /// Letters that have a name for this session.
    var knownKeywords = KeywordSet()
    /// Letters that have none on disk either.
    var namelessKeywords = KeywordSet()
    /// Messages that were shown without a keyword whose name another session had just made: to be told again.
    var late: Set<UInt32> = []
    /// Looks whether others gave names to letters.
    var learnKeywords: () -> Void = {}
    /// The position that was asked for last.
    private var cursor = UIDMap.Cursor()

    /// Blocks of the index, one after the other from `firstBlock` on.
    private var window: [UInt8] = []
    private var firstBlock: UInt32 = 0
    private var blockCount: UInt32 = 0

    /// Makes the records anew when they were lost.
    var recover: () -> Void = {}

    init(_ index: MailboxIndex) { self.index = index }

    func uid(at position: Int) -> UInt32 { uids.uid(at: position, &cursor) }

    func message(at position: Int) -> Message {
        let uid = uid(at: position)
        let known = indexed(uid)
        if !known.keywords.isSubset(of: knownKeywords), !known.keywords.isSubset(of: knownKeywords.union(namelessKeywords)) {
            learnKeywords()
            namelessKeywords = namelessKeywords.union(known.keywords.subtracting(knownKeywords))
            late.insert(uid)
        }
        let flags = !recent.isEmpty && recent.contains(uid) ? known.flags.union(.recent) : known.flags
        return Message(uid: uid, flags: flags, keywords: known.keywords)
    }

    /// What the index says of a UID.
    func indexed(_ uid: UInt32) -> IndexedMessage {
        let number = MessageBlock.number(of: uid)
        if number &- firstBlock >= blockCount { read(number) }
        let message = inWindow(uid)
        guard message.state == .absent, index.header() == nil else { return message }
        recover()
        read(number)
        return inWindow(uid)
    }

    private func inWindow(_ uid: UInt32) -> IndexedMessage {
        let start = Int(MessageBlock.number(of: uid) - firstBlock) * MessageBlock.size
        return MessageBlock.message(MessageBlock.slot(of: uid), in: window, from: start)
    }

    /// Reads a block, or the next sixteen for who goes on where the window ends.
    private func read(_ number: UInt32) {
        let count: UInt32 = blockCount > 0 && number &- firstBlock == blockCount ? 16 : 1
        let size = MessageBlock.size
        let read = index.index.read { (transaction) throws(IndexError) in
            var bytes = [UInt8](repeating: 0, count: Int(count) * size)
            try transaction.forEachSpan(prefix: index.blocksPrefix, from: index.blockKey(number)) { (key, value) throws(IndexError) in
                guard key.count == index.blocksPrefix.count + 4, value.count == size else {
                    throw .damaged("a block of messages makes no sense")
                }
                var found: UInt32 = 0
                for index in key.count - 4..<key.count { found = found << 8 | UInt32(key[index]) }
                guard found - number < count else { return false }
                bytes.replace(at: Int(found - number) * size, with: value)
                return found - number + 1 < count
            }
            return bytes
        }
        window = read ?? [UInt8](repeating: 0, count: Int(count) * size)
        (firstBlock, blockCount) = (number, count)
    }

    /// The index changed.
    func forgetWindow() { (window, blockCount) = ([], 0) }

    /// Modseq of a message, as this session may tell it: what others changed since it looked has the modseq that it knows.
    func modSeq(of uid: UInt32) -> UInt64 {
        let message = indexed(uid)
        guard message.state != .absent else { return told }
        return own.contains(message.modSeq) ? message.modSeq : max(1, min(message.modSeq, told))
    }

    /// Messages of segments that `wanted` picks (by what the index says of them) and that are for `isWanted`: their positions.
    func positions(
        inSegments wanted: (_ modSeq: UInt64, MessageSegment.Counters) -> Bool, limit: Int = .max, where isWanted: (IndexedMessage) -> Bool
    ) -> [Int] {
        if index.header() == nil { recover() }
        return index.index.read { (transaction) throws(IndexError) in
            var positions: [Int] = []
            try index.forEachSegment(transaction) { (number, bytes) throws(IndexError) in
                guard positions.count < limit, wanted(MessageSegment.modSeq(bytes), MessageSegment.counters(bytes)) else { return }
                try index.forEachMessage(ofSegment: number, transaction) { uid, message in
                    guard positions.count < limit, isWanted(message) else { return }
                    let found = uids.position(of: uid)
                    if found.isExact { positions.append(found.index) }
                }
            } until: {
                positions.count >= limit
            }
            return positions
        } ?? []
    }
}
