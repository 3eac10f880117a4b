internal import Index

/// One item of many messages, as the index has it: what lies in one piece there lies in one piece here.
struct CachedWindow {
    private var first: UInt32
    /// Up to here nothing is left out.
    private var through = UInt32.max
    private var uids: [UInt32] = []
    private var ends: [Int] = []
    private var bytes: [UInt8] = []
    /// Where the last look found something: the next one is nearly always for the next message.
    private var last = 0

    init(from uid: UInt32) { first = uid }

    /// Begins anew, in the same memory.
    mutating func restart(from uid: UInt32) {
        (first, through, last) = (uid, .max, 0)
        uids.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    /// False when it is full; then this value and all that follow are left out.
    mutating func append(_ value: Span<UInt8>, of uid: UInt32, limit: Int) -> Bool {
        if bytes.count >= limit {
            through = uid - 1
            return false
        }
        bytes.append(copying: value)
        uids.append(uid)
        ends.append(bytes.count)
        return true
    }

    /// The same with all values of an `ItemBlock`. Throws where it is none.
    mutating func append(block number: UInt32, _ block: Span<UInt8>, limit: Int) throws(IndexError) -> Bool {
        let first = number &* UInt32(ItemBlock.capacity)
        if bytes.count >= limit {
            through = first &- 1
            return false
        }
        let base = bytes.count
        var last = 0
        let isBlock = ItemBlock.forEachEnd(in: block) { slot, end in
            guard Int(end) > last else { return }
            last = Int(end)
            uids.append(first &+ UInt32(slot))
            ends.append(base + last)
        }
        guard isBlock else { throw .damaged("a block of items makes no sense") }
        bytes.append(copying: block.extracting(ItemBlock.headSize...))
        return true
    }

    func covers(_ uid: UInt32) -> Bool { uid >= first && uid <= through }
    /// Where the next window begins; nil: this is the last one.
    var next: UInt32? { through == .max ? nil : through + 1 }

    mutating func value(of uid: UInt32) -> ArraySlice<UInt8>? {
        var place = last
        if place < uids.count, uids[place] < uid { place += 1 }
        if place >= uids.count || uids[place] != uid {
            var (low, high) = (0, uids.count)
            while low < high {
                let middle = low + (high - low) / 2
                if uids[middle] < uid { low = middle + 1 } else { high = middle }
            }
            place = low
        }
        guard place < uids.count, uids[place] == uid else { return nil }
        last = place
        return bytes[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
    }
}

/// What a session knows of what the index keeps of messages: read ahead in windows, written in portions.
struct ItemCache {
    /// By kind; of header fields the last one that was asked for.
    private var windows = [CachedWindow?](repeating: nil, count: ItemTag.kinds)
    private var headerName: [UInt8] = []
    /// Not written yet, by tag and UID.
    private var pending: [ItemTag: [UInt32: [UInt8]]] = [:]
    private var pendingCount = 0
    private var pendingBytes = 0

    /// Bytes of the first window, and of one that follows another.
    private static let (firstSize, nextSize) = (8_192, 65_536)
    private static let pendingLimit = (count: 1_024, bytes: 262_144)

    mutating func value(_ tag: ItemTag, of uid: UInt32, _ index: MailboxIndex) -> ArraySlice<UInt8>? {
        if pendingCount > 0, let value = pending[tag]?[uid] { return value[...] }
        let kind = Int(tag.kind)
        if tag.kind == ItemTag.headerKind, tag.name != headerName { (windows[kind], headerName) = (nil, tag.name) }
        if windows[kind]?.covers(uid) != true {
            // Who comes to the end of a window goes through all messages.
            let goesOn = windows[kind]?.next == uid
            var window = windows[kind] ?? CachedWindow(from: uid)
            windows[kind] = nil
            index.cached(tag, from: uid, bytes: goesOn ? Self.nextSize : Self.firstSize, into: &window)
            windows[kind] = window
        }
        return windows[kind]?.value(of: uid)
    }

    /// Appends the values of several messages.
    mutating func append(_ tag: ItemTag?, at positions: ArraySlice<Int>, of view: MessageView, to values: inout [ArraySlice<UInt8>?]) {
        let (index, count) = (view.index, view.uids.count)
        for position in positions {
            if let tag, position >= 0, position < count {
                values.append(value(tag, of: view.uid(at: position), index))
            } else {
                values.append(nil)
            }
        }
    }

    /// True when it is time to write.
    mutating func remember(_ tag: ItemTag, _ value: [UInt8], of uid: UInt32) -> Bool {
        pending[tag, default: [:]][uid] = value
        pendingCount += 1
        pendingBytes += value.count
        return pendingCount >= Self.pendingLimit.count || pendingBytes >= Self.pendingLimit.bytes
    }

    mutating func flush(_ index: MailboxIndex) {
        guard pendingCount > 0 else { return }
        index.remember(pending)
        self = ItemCache()
    }
}
