internal import Index

/// Says for most base names that no record of dovecot-uidlist has them, without looking at the list: a Bloom filter in pieces of 1 KB, of which
/// a name touches one. What it says "no" to is not there; to "perhaps" the list must be read.
///
/// Room for twice the names it is made for; when there are many more, it says "perhaps" more often, and is made anew when all names are read.
struct NameFilter {
    private static let pieceSize = 1_024
    private static let namesPerPiece = 512

    /// Number of pieces: a power of two. 0: there is no filter, all answers are "perhaps".
    let pieces: UInt32

    /// A filter for this many names.
    static func pieces(for names: Int) -> UInt32 {
        var pieces: UInt32 = 2
        while Int(pieces) * namesPerPiece < 2 * names, pieces < 1 << 24 { pieces *= 2 }
        return pieces
    }

    private static func hash(_ base: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in base { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
        return hash ^ hash >> 31
    }

    /// The piece of a name, and its four bits there.
    private func place(_ base: ArraySlice<UInt8>) -> (piece: UInt32, bits: UInt64) {
        let hash = Self.hash(base)
        return (UInt32(truncatingIfNeeded: hash >> 52 ^ hash >> 40) & (pieces - 1), hash)
    }

    private static func bit(_ index: Int, _ bits: UInt64) -> (byte: Int, mask: UInt8) {
        let number = Int(truncatingIfNeeded: bits >> UInt64(13 * index)) & (pieceSize * 8 - 1)
        return (number / 8, 1 << UInt8(number % 8))
    }

    /// False: no record has this base.
    func mayContain(_ base: ArraySlice<UInt8>, _ index: MailboxIndex, _ transaction: IndexTransaction) throws(IndexError) -> Bool {
        guard pieces > 0 else { return true }
        let place = place(base)
        guard let piece = try transaction.value(index.filterKey(place.piece)), piece.count == Self.pieceSize else { return true }
        for index in 0..<4 {
            let bit = Self.bit(index, place.bits)
            if piece[bit.byte] & bit.mask == 0 { return false }
        }
        return true
    }

    /// Adds a few names.
    func insert(_ bases: [ArraySlice<UInt8>], _ index: MailboxIndex, _ transaction: IndexTransaction) throws(IndexError) {
        guard pieces > 0 else { return }
        var changed: [UInt32: [UInt8]] = [:]
        for base in bases {
            let place = place(base)
            var piece = changed[place.piece] ?? []
            if piece.isEmpty { piece = try transaction.value(index.filterKey(place.piece)) ?? [] }
            if piece.count != Self.pieceSize { piece = [UInt8](repeating: 0, count: Self.pieceSize) }
            changed[place.piece] = nil
            for index in 0..<4 {
                let bit = Self.bit(index, place.bits)
                piece[bit.byte] |= bit.mask
            }
            changed[place.piece] = piece
        }
        for piece in changed.keys.sorted() { if let bytes = changed[piece] { try transaction.put(index.filterKey(piece), bytes) } }
    }

    /// Makes a filter of all names; writes only what differs from the one there is.
    static func rebuild(
        _ bases: some Collection<ArraySlice<UInt8>>, known: UInt32, _ index: MailboxIndex, _ transaction: IndexTransaction
    ) throws(IndexError) -> NameFilter {
        var filter = NameFilter(pieces: known)
        // As long as one has room it stays: its pieces need not be written again.
        let count = bases.count
        if Int(known) * namesPerPiece < count { filter = NameFilter(pieces: pieces(for: count)) }
        var all = [UInt8](repeating: 0, count: Int(filter.pieces) * pieceSize)
        for base in bases {
            let place = filter.place(base)
            for index in 0..<4 {
                let bit = bit(index, place.bits)
                all[Int(place.piece) * pieceSize + bit.byte] |= bit.mask
            }
        }
        for piece in 0..<filter.pieces {
            let bytes = all[Int(piece) * pieceSize..<Int(piece + 1) * pieceSize]
            if let old = try transaction.value(index.filterKey(piece)), old[...] == bytes { continue }
            try transaction.put(index.filterKey(piece), Array(bytes))
        }
        return filter
    }
}
