internal import Index

/// Sizes and dates of messages with neighbouring UIDs, read from the groups of names without making any: for who goes through many messages.
struct NumbersWindow {
    private var firstGroup: UInt32 = 0
    private var sizes: [Int64] = []
    private var dates: [Int64] = []

    private static let unknown = Int64.min
    /// Groups that are read at once for who goes on where the window ends.
    private static let ahead: UInt32 = 16

    private var groups: UInt32 { UInt32(sizes.count / NameGroup.capacity) }

    /// What the index has of a UID: a size that needs no counting, and a date that was looked up.
    mutating func numbers(of uid: UInt32, _ index: MailboxIndex, trustsNames: Bool) -> MessageNumbers {
        let group = NameGroup.number(of: uid)
        if group &- firstGroup >= groups { read(group, index, trustsNames) }
        let place = Int(group - firstGroup) * NameGroup.capacity + NameGroup.slot(of: uid)
        let (size, date) = (sizes[place], dates[place])
        return MessageNumbers(size: size == Self.unknown ? nil : size, date: date == Self.unknown ? nil : date)
    }

    private mutating func read(_ group: UInt32, _ index: MailboxIndex, _ trustsNames: Bool) {
        let goesOn = groups > 0 && group &- (firstGroup &+ groups) < Self.ahead
        let count = goesOn ? Self.ahead : 1
        firstGroup = group
        let slots = Int(count) * NameGroup.capacity
        let prefixLength = index.namesKey(group).count
        let done: Void? = index.index.read { (transaction) throws(IndexError) in
            reset(slots)
            try transaction.forEachSpan(prefix: index.namesPrefix, from: index.namesKey(group)) { (key, value) throws(IndexError) in
                guard key.count == prefixLength else { throw .damaged("a group of names has a wrong name") }
                var found: UInt32 = 0
                for index in key.count - 4..<key.count { found = found << 8 | UInt32(key[index]) }
                guard found - group < count else { return false }
                let start = Int(found - group) * NameGroup.capacity
                let isGroup = NameGroup.forEachNumbers(value, trustsNames: trustsNames) { slot, size, date in
                    sizes[start + slot] = size ?? Self.unknown
                    dates[start + slot] = date ?? Self.unknown
                }
                guard isGroup else { throw .damaged("a group of names makes no sense") }
                return found - group + 1 < count
            }
        }
        if done == nil { reset(slots) }
    }

    private mutating func reset(_ count: Int) {
        for list in [\NumbersWindow.sizes, \.dates] {
            self[keyPath: list].removeAll(keepingCapacity: true)
            self[keyPath: list].append(contentsOf: repeatElement(Self.unknown, count: count))
        }
    }
}

extension NameGroup {
    /// Calls `body` with slot, size and date of each message in the bytes of a group; false where they are none.
    static func forEachNumbers(_ bytes: Span<UInt8>, trustsNames: Bool, _ body: (Int, Int64?, Int64?) -> Void) -> Bool {
        var offset = 0
        func length() -> Int? {
            guard bytes.count - offset >= 2 else { return nil }
            defer { offset += 2 }
            return Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
        }
        /// Place of the next `count` bytes.
        func take(_ count: Int) -> Range<Int>? {
            guard bytes.count - offset >= count else { return nil }
            defer { offset += count }
            return offset..<offset + count
        }
        for slot in 0..<capacity {
            guard let baseLength = length() else { return false }
            if baseLength == 0 { continue }
            guard let kindsPlace = take(1), let base = take(baseLength) else { return false }
            let kinds = Kinds(rawValue: bytes[kindsPlace.lowerBound])
            if kinds.contains(.suffix) { guard let count = length(), take(count) != nil else { return false } }
            var size = trustsNames ? MaildirFileName.size(0x57, in: bytes.extracting(base)) : nil
            if kinds.contains(.extensions) {
                guard let count = length(), let place = take(count) else { return false }
                if size == nil {
                    let extensions = Array(copying: bytes.extracting(place))
                    size = NameEntry.field(0x57, of: extensions[...]).flatMap { Decimal.int64($0) }
                }
            }
            var date: Int64?
            if kinds.contains(.size) {
                guard let place = take(8) else { return false }
                size = size ?? Int64(bitPattern: bytes.word(at: place.lowerBound))
            }
            if kinds.contains(.date) {
                guard let place = take(8) else { return false }
                date = Int64(bitPattern: bytes.word(at: place.lowerBound))
            }
            body(slot, size, date)
        }
        return offset == bytes.count
    }
}
