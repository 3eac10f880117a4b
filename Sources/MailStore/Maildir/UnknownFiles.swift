/// Files without a record that a scan found, in little memory: there can be a million of them. Names lie one behind the other in pieces of
/// 1 MB, which are never moved; 32 bytes more for each file.
struct UnknownFiles {
    struct Entry {
        /// What the name says of when it came.
        fileprivate let seconds: UInt64
        fileprivate let microseconds: UInt64
        fileprivate let start: UInt32
        fileprivate let length: UInt16
        let place: MessagePlace
        /// Slot of its old record, whose UID may not be used again; -1: it has none.
        fileprivate let replacedSlot: Int32

        var replaces: Int? { replacedSlot < 0 ? nil : Int(replacedSlot) }
    }

    private(set) var entries: [Entry] = []
    private(set) var replacesAny = false
    private(set) var nameBytes = 0
    private var pieces: [[UInt8]] = []
    /// Names that cannot be held: longer than any file system's, or more than 4 GB of them.
    private(set) var hasLostSome = false

    private static let pieceBits: UInt32 = 20
    private static let pieceSize = 1 << Int(pieceBits)

    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ name: ArraySlice<UInt8>, _ place: MessagePlace, replaces slot: Int? = nil) {
        if (pieces.last?.count ?? Self.pieceSize) + name.count > Self.pieceSize {
            var piece: [UInt8] = []
            // The first one grows: most have few.
            if !pieces.isEmpty { piece.reserveCapacity(Self.pieceSize) }
            pieces.append(piece)
        }
        let last = pieces.count - 1
        guard name.count <= Self.pieceSize, let length = UInt16(exactly: name.count), last < 1 << (32 - Int(Self.pieceBits)),
            let replaced = Int32(exactly: slot ?? -1)
        else {
            hasLostSome = true
            return
        }
        let time = MaildirFileName.time(name)
        let start = UInt32(last) << Self.pieceBits | UInt32(pieces[last].count)
        pieces[last].append(contentsOf: name)
        nameBytes += name.count
        if slot != nil { replacesAny = true }
        entries.append(
            Entry(
                seconds: time.seconds, microseconds: time.microseconds, start: start, length: length, place: place, replacedSlot: replaced))
    }

    func name(of entry: Entry) -> ArraySlice<UInt8> { Self.name(of: entry, in: pieces) }

    private static func name(of entry: Entry, in pieces: [[UInt8]]) -> ArraySlice<UInt8> {
        let start = Int(entry.start) & (pieceSize - 1)
        return pieces[Int(entry.start >> pieceBits)][start..<start + Int(entry.length)]
    }

    /// In the order in which they came, as far as their names tell it.
    mutating func sort() {
        if entries.count < 2 { return }
        let pieces = pieces
        entries.sort { left, right in
            if left.seconds != right.seconds { return left.seconds < right.seconds }
            if left.microseconds != right.microseconds { return left.microseconds < right.microseconds }
            return Self.name(of: left, in: pieces).lexicographicallyPrecedes(Self.name(of: right, in: pieces))
        }
    }
}
