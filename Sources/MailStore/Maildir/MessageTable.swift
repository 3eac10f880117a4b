/// All message files a mailbox has had since it was opened: UID, name and place of each. A message's position here (its slot)
/// never changes. Made for a million entries: 24 bytes each, names in one buffer, flag parts shared.
struct MessageTable {
    struct Entry {
        let uid: UInt32
        fileprivate let hash: UInt32
        fileprivate let baseStart: UInt32
        /// 0: replaced by an entry with another UID, is not found any more.
        fileprivate(set) var baseLength: UInt16
        fileprivate(set) var place: MessagePlace
        /// Index into the table of flag parts.
        fileprivate(set) var info: UInt32
        /// Number of the scan that saw the file last.
        fileprivate(set) var generation: UInt32
    }

    private(set) var entries: [Entry] = []
    /// Extension fields of uidlist records, where there are any.
    private(set) var extensions: [Int: [UInt8]] = [:]
    private var text: [UInt8] = []
    /// Open addressing: slot + 1 by hash of the base name.
    private var index: [UInt32] = []
    private var infos = InfoTable()
    /// Makes it impossible to choose file names that collide.
    private let seed = UInt32.random(in: 0 ... .max)

    /// FNV-1a of the base name; keyed.
    func hash(_ base: ArraySlice<UInt8>) -> UInt32 {
        var hash = 2_166_136_261 ^ seed
        for byte in base { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return hash
    }

    /// Slot of the entry with this base name.
    func find(_ base: ArraySlice<UInt8>) -> Int? { find(base, hash(base)) }

    /// The same for who has hashed it already.
    func find(_ base: ArraySlice<UInt8>, _ hash: UInt32) -> Int? {
        guard !index.isEmpty else { return nil }
        let mask = index.count - 1
        var probe = Int(hash) & mask
        while index[probe] != 0 {
            let slot = Int(index[probe] - 1)
            let entry = entries[slot]
            if entry.hash == hash, Int(entry.baseLength) == base.count, self.base(of: slot).elementsEqual(base) { return slot }
            probe = (probe + 1) & mask
        }
        return nil
    }

    func base(of slot: Int) -> ArraySlice<UInt8> {
        let start = Int(entries[slot].baseStart)
        return text[start..<start + Int(entries[slot].baseLength)]
    }

    /// Name of the file as it was last seen.
    func name(of slot: Int) -> [UInt8] { base(of: slot) + infos.values[Int(entries[slot].info)].bytes }

    /// What follows the base in it.
    func suffix(of slot: Int) -> [UInt8] { infos.values[Int(entries[slot].info)].bytes }

    func info(of slot: Int) -> MaildirFileName.Info { infos.values[Int(entries[slot].info)].info }

    /// Whether the suffix says more than flags and keywords.
    func isOdd(_ slot: Int) -> Bool {
        let value = infos.values[Int(entries[slot].info)]
        return entries[slot].place == .new ? value.isOddInNew : value.isOddInCur
    }

    /// Extension fields of its record.
    func fields(of slot: Int) -> ArraySlice<UInt8> { extensions.isEmpty ? [] : (extensions[slot] ?? [])[...] }

    /// Adds a message; answers its slot, or nil when it cannot be held (4 GB of names).
    @discardableResult
    mutating func add(uid: UInt32, base: ArraySlice<UInt8>, extensions fields: ArraySlice<UInt8> = []) -> Int? {
        add(uid: uid, base: base, extensions: fields, hash: hash(base))
    }

    /// The same for who has hashed the base already.
    mutating func add(uid: UInt32, base: ArraySlice<UInt8>, extensions fields: ArraySlice<UInt8> = [], hash: UInt32) -> Int? {
        guard let start = UInt32(exactly: text.count), let length = UInt16(exactly: base.count), entries.count < Int(UInt32.max) - 1 else {
            return nil
        }
        text.append(contentsOf: base)
        let slot = entries.count
        entries.append(Entry(uid: uid, hash: hash, baseStart: start, baseLength: length, place: .none, info: 0, generation: 0))
        if !fields.isEmpty { extensions[slot] = Array(fields) }
        if entries.count * 2 > index.count { rebuildIndex() } else { insert(slot) }
        return slot
    }

    mutating func reserve(_ count: Int, text bytes: Int) {
        entries.reserveCapacity(entries.count + count)
        text.reserveCapacity(text.count + bytes)
    }

    private mutating func insert(_ slot: Int) {
        let mask = index.count - 1
        var probe = Int(entries[slot].hash) & mask
        while index[probe] != 0 { probe = (probe + 1) & mask }
        index[probe] = UInt32(slot + 1)
    }

    private mutating func rebuildIndex() {
        var capacity = max(64, index.count)
        while capacity < max(entries.count, entries.capacity) * 2 { capacity *= 2 }
        index = [UInt32](repeating: 0, count: capacity)
        for slot in entries.indices where entries[slot].baseLength != 0 { insert(slot) }
    }

    /// The file of `slot` is at `place`, and this follows its base name.
    mutating func see(_ slot: Int, at place: MessagePlace, info bytes: ArraySlice<UInt8>, generation: UInt32) {
        move(slot, to: place)
        entries[slot].generation = generation
        if !infos.values[Int(entries[slot].info)].bytes.elementsEqual(bytes) { entries[slot].info = infos.number(of: bytes) }
    }

    mutating func markGone(_ slot: Int) { move(slot, to: .gone) }

    /// How many messages are in new/.
    private(set) var newCount = 0

    private mutating func move(_ slot: Int, to place: MessagePlace) {
        if entries[slot].place == .new { newCount -= 1 }
        if place == .new { newCount += 1 }
        entries[slot].place = place
    }

    /// From now on the name belongs to another UID.
    mutating func forgetName(of slot: Int) {
        move(slot, to: .gone)
        entries[slot].baseLength = 0
    }

    var nameBytes: Int { text.count }
}

/// The different flag parts of file names: few, however many messages there are.
private struct InfoTable {
    struct Value {
        let bytes: [UInt8]
        let info: MaildirFileName.Info
        /// Not what flags and keywords make of it, in either directory.
        let isOddInCur: Bool
        let isOddInNew: Bool

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            info = MaildirFileName.info(bytes[...])
            isOddInCur = NameEntry.suffix(info.flags, info.keywords, isNew: false) != bytes
            isOddInNew = NameEntry.suffix(info.flags, info.keywords, isNew: true) != bytes
        }
    }

    private(set) var values = [Value([])]
    private var numbers: [[UInt8]: UInt32] = [[]: 0]
    /// Numbers (plus one) of those of at most eight bytes, found by the bytes as a number: nearly all.
    private var short = [(packed: UInt64, number: UInt32)](repeating: (0, 0), count: 256)

    mutating func number(of bytes: ArraySlice<UInt8>) -> UInt32 {
        guard bytes.count <= 8 else { return found(bytes) }
        var packed = UInt64(bytes.count) << 60
        for byte in bytes { packed = (packed << 8) ^ (packed >> 52) ^ UInt64(byte) }
        let place = Int(truncatingIfNeeded: (packed &* 0x9e37_79b9_7f4a_7c15) >> 56)
        if short[place].packed == packed, short[place].number > 0, values[Int(short[place].number - 1)].bytes[...] == bytes {
            return short[place].number - 1
        }
        let number = found(bytes)
        short[place] = (packed, number + 1)
        return number
    }

    private mutating func found(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let key = Array(bytes)
        if let number = numbers[key] { return number }
        let number = UInt32(truncatingIfNeeded: values.count)
        values.append(Value(key))
        numbers[key] = number
        return number
    }
}
