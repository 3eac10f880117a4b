internal import Index
internal import Platform

/// Records of mailboxes that other programs removed: nobody ever asks for them again, for their keys are device and inode of the directory.
extension MailboxIndex {
    /// When they were looked for last: seconds since 1970.
    private static let lookKey: [UInt8] = [1]
    private static let interval: Int64 = 86_400
    private static let prefixLength = 16

    /// Forgets mailboxes of `device` whose directories are none of `inodes`, once a day. Who comes while one of them is made loses nothing but the
    /// time to look at it once more.
    static func forgetAbsent(_ index: Index, device: UInt64, inodes: () -> Set<UInt64>) {
        guard index.isOpen else { return }
        let now = max(0, Clock.unixSeconds)
        let isTime = index.read { (transaction) throws(IndexError) in
            guard let bytes = try transaction.value(lookKey), bytes.count == 8 else { return true }
            return !(0..<interval).contains(now &- Int64(bitPattern: bytes.word(at: 0)))
        }
        guard isTime == true else { return }
        let present = inodes()
        index.write { (transaction) throws(IndexError) in
            for prefix in try mailboxes(transaction) {
                let (owner, inode) = (number(prefix[..<8]), number(prefix[8...]))
                if owner == device, !present.contains(inode) { try transaction.removeAll(prefix: prefix) }
            }
            var out = FieldWriter()
            out.add(now)
            try transaction.put(lookKey, out.bytes)
        }
    }

    /// Prefixes of all mailboxes that have records.
    static func mailboxes(_ transaction: IndexTransaction) throws(IndexError) -> [[UInt8]] {
        var prefixes: [[UInt8]] = []
        // Behind what belongs to no mailbox: keys of one byte.
        var next: [UInt8] = [0]
        while true {
            var found: [UInt8]?
            try transaction.forEachSpan(prefix: [], from: next) { (key, _) throws(IndexError) in
                found = Array(copying: key)
                return false
            }
            guard let found else { return prefixes }
            guard found.count > prefixLength else {
                next = found + [0]
                continue
            }
            prefixes.append(Array(found[..<prefixLength]))
            next = Array(found[..<prefixLength]) + [0xff]
        }
    }
}
