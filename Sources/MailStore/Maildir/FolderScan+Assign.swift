internal import Platform

// Making records and files agree.
extension FolderScan {
    /// Reads what is new in dovecot-uidlist; true when there was something.
    func readList() throws(StoreError) -> Bool {
        switch try list.read(report: report) {
        case .none: return false
        case .missing: return list.header != nil
        case .appended(let text, let records), .replaced(let text, let records):
            if let header = list.header { try adopt(header) }
            let first = table.entries.count
            if first == 0 { table.reserve(records.count, text: text.count) }
            for record in records { merge(record, text, newFrom: first) }
            return true
        }
    }

    /// Takes in a record. Slots from `newFrom` on came from the same reading: the same name there is a duplicate line.
    private func merge(_ record: UIDListRecord, _ text: [UInt8], newFrom first: Int) {
        let base = text[record.base]
        if let slot = table.find(base) {
            let known = table.entries[slot].uid
            // The higher UID wins.
            if known > record.uid { list.markDamaged() }
            if known >= record.uid { return }
            if slot >= first {
                store.options.log(.warning, duplicateWarning(base, known, record.uid))
                list.markDamaged()
            }
            table.forgetName(of: slot)
        }
        table.add(uid: record.uid, base: base, extensions: text[record.extensions])
    }

    private func duplicateWarning(_ base: ArraySlice<UInt8>, _ old: UInt32, _ new: UInt32) -> String {
        "\(folder.control.path)/dovecot-uidlist: Duplicate file entry: \(String(decoding: base, as: UTF8.self)) (uid \(old) -> \(new))"
    }

    /// Makes disk and list agree: gives UIDs to unknown files, notes missing ones. Takes the lock, unless it is held, when something must be
    /// written. False: that is not allowed.
    func settle(_ first: ScanResult, _ held: consuming DotLock?) throws(StoreError) -> Bool {
        var result = first
        var isLocked = held != nil
        var lock = held
        let isReadOnly = context.isReadOnlyStorage
        for _ in 0..<StoreLimits.renameRaces {
            if !result.missing.isEmpty { result = try stableScan() }
            if !result.needsLock && (isReadOnly || !list.mustBeRewritten) {
                note(missing: result.missing)
                return true
            }
            if !isLocked && !isReadOnly {
                lock = try lockUnlessReadOnly()
                isLocked = lock != nil
                guard isLocked else { return false }
                _ = try readList()
                result = try scan()
                continue
            }
            note(missing: result.missing)
            try assign(try repaired(result))
            return true
        }
        _ = consume lock
        throw .lockTimeout(path: folder.cur.path)
    }

    /// Scans both directories until they did not change meanwhile: a name that is changed during a scan may be missed by it.
    private func stableScan() throws(StoreError) -> ScanResult {
        var result = try scan()
        for _ in 0..<5 where !result.missing.isEmpty {
            let before = (try folder.new.status().modified, try folder.cur.status().modified)
            let missing = Set(result.missing)
            result = try scan()
            let after = (try folder.new.status().modified, try folder.cur.status().modified)
            if before == after { return result }
            result.missing.removeAll { !missing.contains($0) }
        }
        return result
    }

    private func note(missing: [Int]) { for slot in missing { table.markGone(slot) } }

    /// Gives UIDs to files, in the order in which they came, and writes them down before anybody sees them.
    private func assign(_ files: [UnknownFile]) throws(StoreError) {
        var files = files
        if files.count > 1 { files.sort(by: Self.cameBefore) }
        var header = list.header
        let mustRewrite = list.needsRewrite || header == nil || files.contains { $0.replaces != nil } || hasManyStaleRecords
        if header == nil || list.needsRewrite { header = context.isReadOnlyStorage ? temporaryHeader() : try completedHeader() }
        guard let header else { return }
        try adopt(header)
        var uid = max(nextUID, header.nextUID)
        guard UInt64(uid) + UInt64(files.count) < UInt64(UInt32.max) else { throw .limit("Mailbox has no UIDs left") }
        var lines: [UInt8] = []
        for file in files {
            let name = file.name[...]
            let base = name.prefix(MaildirFileName.baseLength(name))
            if let old = file.replaces { replace(old, file) }
            guard table.find(base) == nil else {
                // Two unknown files of one name: the second is looked at when the first is known.
                curState.forget()
                continue
            }
            guard let slot = table.add(uid: uid, base: base) else { throw .limit("Mailbox has too many messages") }
            table.see(slot, at: file.place, info: name[base.endIndex...], generation: generation)
            UIDListWriter.append(uid: uid, extensions: [], base: base, to: &lines)
            uid += 1
        }
        if context.isReadOnlyStorage { return list.pretend(header, highestUID: uid - 1) }
        if mustRewrite { try rewriteList(header, nextUID: uid) } else if !lines.isEmpty { try list.append(lines, highestUID: uid - 1) }
    }

    /// More than a quarter of the records belongs to messages that are gone.
    private var hasManyStaleRecords: Bool {
        guard list.recordCount > 16 else { return false }
        let present = table.entries.reduce(0) { $0 + ($1.place == .new || $1.place == .cur ? 1 : 0) }
        return list.recordCount / 4 * 3 > present
    }

    private func replace(_ slot: Int, _ file: UnknownFile) {
        let hint = file.name.starts(with: Array("msg.".utf8)) ? " (Your MDA is saving MH files into Maildir?)" : ""
        let (name, old) = (String(decoding: file.name, as: UTF8.self), table.entries[slot].uid)
        store.options.log(
            .warning, "Maildir \(folder.mail.path): Expunged message reappeared, giving a new UID (old uid=\(old), file=\(name))\(hint)")
        table.forgetName(of: slot)
    }

    private func temporaryHeader() -> UIDListHeader {
        list.header
            ?? UIDListHeader(
                uidValidity: UInt32(truncatingIfNeeded: max(1, Clock.unixSeconds)), nextUID: 1, guid: [UInt8](repeating: 0x30, count: 32))
    }

    /// Writes all records that still have a file, or may have one.
    func rewriteList(_ header: UIDListHeader, nextUID: UInt32) throws(StoreError) {
        var header = header
        header.nextUID = nextUID
        var lines: [UInt8] = []
        lines.reserveCapacity(table.nameBytes + table.entries.count * 12)
        var last: UInt32 = 0
        var count = 0
        for slot in table.entries.indices.sorted(by: { table.entries[$0].uid < table.entries[$1].uid }) {
            let entry = table.entries[slot]
            guard entry.place == .new || entry.place == .cur, entry.uid > last else { continue }
            last = entry.uid
            count += 1
            UIDListWriter.append(uid: entry.uid, extensions: (table.extensions[slot] ?? [])[...], base: table.base(of: slot), to: &lines)
        }
        try list.rewrite(header, records: lines, count: count, highestUID: nextUID - 1)
    }

    static func cameBefore(_ left: UnknownFile, _ right: UnknownFile) -> Bool {
        let (first, second) = (MaildirFileName.time(left.name[...]), MaildirFileName.time(right.name[...]))
        if first != second { return first < second }
        return left.name.lexicographicallyPrecedes(right.name)
    }
}
