/// The UIDs that a session shows, as bits: position to UID and back. At most 150 KB for a million messages, and 20 KB where none is missing.
struct UIDMap {
    /// Numbers of segments that hold messages (and perhaps of some that held some), ascending.
    private(set) var segments: [UInt32] = []
    /// Where the 16 words of each of them begin in `words`; -1: all bits are set, and it has none.
    private var places: [Int32] = []
    private var words: [UInt64] = []
    /// Messages before each of them.
    private var starts: [Int32] = []
    /// `MessageSegment.flagSum` of each, as this session knows it.
    var flagSums: [UInt64] = []
    private(set) var count = 0

    private static let wordCount = MessageSegment.wordCount

    /// Adds a segment above all others; `bytes` are those of its record.
    mutating func append(_ number: UInt32, _ bytes: Span<UInt8>) {
        segments.append(number)
        starts.append(Int32(truncatingIfNeeded: count))
        flagSums.append(MessageSegment.flagSum(bytes))
        if MessageSegment.isFull(bytes) {
            places.append(-1)
            count += MessageSegment.capacity
            return
        }
        places.append(Int32(truncatingIfNeeded: words.count))
        for index in 0..<Self.wordCount {
            let bits = MessageSegment.word(index, bytes)
            words.append(bits)
            count += bits.nonzeroBitCount
        }
    }

    mutating func reserve(_ count: Int) {
        segments.reserveCapacity(count)
        places.reserveCapacity(count)
        starts.reserveCapacity(count)
        flagSums.reserveCapacity(count)
    }

    /// A word of the segment at a place in `segments`.
    func word(_ index: Int, atPlace place: Int) -> UInt64 {
        let start = places[place]
        return start < 0 ? .max : words[Int(start) + index]
    }

    /// Where the words of a segment begin, which has some from now on.
    private mutating func ownWords(_ place: Int) -> Int {
        if places[place] < 0 {
            places[place] = Int32(truncatingIfNeeded: words.count)
            words.append(contentsOf: repeatElement(.max, count: Self.wordCount))
        }
        return Int(places[place])
    }

    /// Place of a segment, or of the first one above.
    func find(_ number: UInt32) -> (index: Int, isExact: Bool) {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = low + (high - low) / 2
            if segments[middle] < number { low = middle + 1 } else { high = middle }
        }
        return (low, low < segments.count && segments[low] == number)
    }

    /// A word of a segment; 0 where there is none.
    func word(_ index: Int, ofSegment number: UInt32) -> UInt64 {
        let found = find(number)
        return found.isExact ? word(index, atPlace: found.index) : 0
    }

    /// Position of a UID, or of the first one above it.
    func position(of uid: UInt32) -> (index: Int, isExact: Bool) {
        let found = find(MessageSegment.number(of: uid))
        guard found.index < segments.count else { return (count, false) }
        var position = Int(starts[found.index])
        guard found.isExact else { return (position, false) }
        let last = Int(uid / 64) % Self.wordCount
        for index in 0..<last { position += word(index, atPlace: found.index).nonzeroBitCount }
        let bits = word(last, atPlace: found.index)
        let bit = UInt64(1) << UInt64(uid % 64)
        position += (bits & (bit - 1)).nonzeroBitCount
        return (position, bits & bit != 0)
    }

    /// Messages before a segment.
    func start(ofPlace place: Int) -> Int { Int(starts[place]) }

    func contains(_ uid: UInt32) -> Bool {
        word(Int(uid / 64) % Self.wordCount, ofSegment: MessageSegment.number(of: uid)) & (1 << UInt64(uid % 64)) != 0
    }

    /// UID at a position, which must exist.
    func uid(at position: Int) -> UInt32 {
        precondition(position >= 0 && position < count)
        var cursor = Cursor()
        seek(position, &cursor)
        return uid(at: position, &cursor)
    }

    /// Where somebody is who asks for one position after the other: a word (as if all segments had some), and the messages before it.
    struct Cursor {
        fileprivate var word = 0
        fileprivate var before = 0
    }

    /// The same, faster where `cursor` was used for a position a little below.
    func uid(at position: Int, _ cursor: inout Cursor) -> UInt32 {
        precondition(position >= 0 && position < count)
        if position < cursor.before || position >= cursor.before + MessageSegment.capacity { seek(position, &cursor) }
        while true {
            let bits = word(cursor.word % Self.wordCount, atPlace: cursor.word / Self.wordCount)
            let rank = position - cursor.before
            // Nearly always no message is missing.
            if bits == .max, rank < 64 { return uid(cursor.word, rank) }
            let found = bits.nonzeroBitCount
            if rank < found { return uid(cursor.word, Self.bit(rank, of: bits)) }
            cursor.before += found
            cursor.word += 1
        }
    }

    /// To the segment of a position.
    private func seek(_ position: Int, _ cursor: inout Cursor) {
        var (low, high) = (0, segments.count)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if Int(starts[middle]) <= position { low = middle } else { high = middle }
        }
        cursor = Cursor(word: low * Self.wordCount, before: Int(starts[low]))
    }

    private func uid(_ word: Int, _ bit: Int) -> UInt32 { uid(segments[word / Self.wordCount], word % Self.wordCount, bit) }

    /// The first UID above `uid`.
    func uid(after uid: UInt32) -> UInt32? {
        guard uid < .max else { return nil }
        let next = uid + 1
        var (place, isExact) = find(MessageSegment.number(of: next))
        var word = isExact ? Int(next / 64) % Self.wordCount : 0
        var mask = isExact ? UInt64.max << UInt64(next % 64) : .max
        while place < segments.count {
            let bits = self.word(word, atPlace: place) & mask
            if bits != 0 { return self.uid(segments[place], word, bits.trailingZeroBitCount) }
            mask = .max
            word += 1
            if word == Self.wordCount { (word, place) = (0, place + 1) }
        }
        return nil
    }

    var last: UInt32? { count > 0 ? uid(at: count - 1) : nil }

    private func uid(_ segment: UInt32, _ word: Int, _ bit: Int) -> UInt32 {
        segment * UInt32(MessageSegment.capacity) + UInt32(word * 64 + bit)
    }

    /// Number of the bit that is set as the `rank`th one.
    private static func bit(_ rank: Int, of word: UInt64) -> Int {
        var (word, rank, base) = (word, rank, 0)
        for width in [32, 16, 8, 4, 2, 1] {
            let low = (word & (1 << UInt64(width) - 1)).nonzeroBitCount
            if rank >= low {
                rank -= low
                base += width
                word >>= UInt64(width)
            }
        }
        return base
    }

    private mutating func appendEmpty(_ number: UInt32) {
        segments.append(number)
        starts.append(Int32(truncatingIfNeeded: count))
        flagSums.append(0)
        places.append(Int32(truncatingIfNeeded: words.count))
        words.append(contentsOf: repeatElement(0, count: Self.wordCount))
    }

    /// Adds UIDs above all that are there, ascending.
    mutating func append(_ uids: [UInt32]) {
        for uid in uids {
            let number = MessageSegment.number(of: uid)
            if segments.last != number { appendEmpty(number) }
            words[ownWords(segments.count - 1) + Int(uid / 64) % Self.wordCount] |= 1 << UInt64(uid % 64)
            count += 1
        }
    }

    /// Removes UIDs; answers how many were there.
    mutating func remove(_ uids: [UInt32]) {
        guard let first = uids.first else { return }
        for uid in uids {
            let found = find(MessageSegment.number(of: uid))
            if found.isExact { words[ownWords(found.index) + Int(uid / 64) % Self.wordCount] &= ~(1 << UInt64(uid % 64)) }
        }
        var place = find(MessageSegment.number(of: first)).index
        guard place < segments.count else { return }
        count = Int(starts[place])
        while place < segments.count {
            starts[place] = Int32(truncatingIfNeeded: count)
            for index in 0..<Self.wordCount { count += word(index, atPlace: place).nonzeroBitCount }
            place += 1
        }
    }
}

/// UIDs as ranges, ascending.
struct UIDRanges {
    private(set) var ranges: [ClosedRange<UInt32>] = []

    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ uid: UInt32) -> Bool {
        let place = place(of: uid)
        return place < ranges.count && ranges[place].contains(uid)
    }

    /// Those of the 64 UIDs from `first` on that are in it, as bits.
    func word(from first: UInt32) -> UInt64 {
        var word: UInt64 = 0
        var index = place(of: first)
        while index < ranges.count, ranges[index].lowerBound <= first + 63 {
            let (low, high) = (max(ranges[index].lowerBound, first) - first, min(ranges[index].upperBound, first + 63) - first)
            word |= (UInt64.max << UInt64(low)) & (UInt64.max >> UInt64(63 - high))
            index += 1
        }
        return word
    }

    /// The first range that ends at `uid` or above.
    private func place(of uid: UInt32) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = low + (high - low) / 2
            if ranges[middle].upperBound < uid { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ uid: UInt32) {
        if let last = ranges.last, last.upperBound < uid {
            if last.upperBound + 1 == uid { ranges[ranges.count - 1] = last.lowerBound...uid } else { ranges.append(uid...uid) }
            return
        }
        guard !contains(uid) else { return }
        let place = ranges.firstIndex { $0.lowerBound > uid } ?? ranges.count
        ranges.insert(uid...uid, at: place)
        if place + 1 < ranges.count, uid + 1 == ranges[place + 1].lowerBound {
            ranges[place] = uid...ranges[place + 1].upperBound
            ranges.remove(at: place + 1)
        }
        if place > 0, ranges[place - 1].upperBound + 1 == ranges[place].lowerBound {
            ranges[place - 1] = ranges[place - 1].lowerBound...ranges[place].upperBound
            ranges.remove(at: place)
        }
    }

    mutating func remove(_ uid: UInt32) {
        guard let place = ranges.firstIndex(where: { $0.contains(uid) }) else { return }
        let range = ranges[place]
        var parts: [ClosedRange<UInt32>] = []
        if range.lowerBound < uid { parts.append(range.lowerBound...uid - 1) }
        if range.upperBound > uid { parts.append(uid + 1...range.upperBound) }
        ranges.replaceSubrange(place...place, with: parts)
    }

    var uids: [UInt32] { ranges.flatMap { Array($0) } }
}
