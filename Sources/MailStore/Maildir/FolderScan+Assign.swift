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
    func settle(_ result: inout ScanResult, _ held: consuming DotLock?) throws(StoreError) -> Bool {
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
            try repair(&result)
            try assign(&result.unknown)
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

    /// Gives UIDs to files, in the order in which they came, and writes them down before anybody sees them. `files` is empty afterwards.
    private func assign(_ files: inout UnknownFiles) throws(StoreError) {
        files.sort()
        var header = list.header
        let mustRewrite = list.needsRewrite || header == nil || files.replacesAny || hasManyStaleRecords
        if header == nil || list.needsRewrite { header = context.isReadOnlyStorage ? temporaryHeader() : try completedHeader() }
        guard let header else { return }
        try adopt(header)
        var uid = max(nextUID, header.nextUID)
        guard UInt64(uid) + UInt64(files.entries.count) < UInt64(UInt32.max) else { throw .limit("Mailbox has no UIDs left") }
        var lines: [UInt8] = []
        table.reserve(files.entries.count, text: files.nameBytes)
        if files.hasLostSome { curState.forget() }
        for file in files.entries {
            let name = files.name(of: file)
            let base = name.prefix(MaildirFileName.baseLength(name))
            if let old = file.replaces { replace(old, name) }
            let hash = table.hash(base)
            guard table.find(base, hash) == nil else {
                // Two unknown files of one name: the second is looked at when the first is known.
                curState.forget()
                continue
            }
            guard let slot = table.add(uid: uid, base: base, hash: hash) else { throw .limit("Mailbox has too many messages") }
            table.see(slot, at: file.place, info: name[base.endIndex...], generation: generation)
            if !mustRewrite { UIDListWriter.append(uid: uid, extensions: [], base: base, to: &lines) }
            uid += 1
        }
        files = UnknownFiles()
        if context.isReadOnlyStorage { return list.pretend(header, highestUID: uid - 1) }
        if mustRewrite { try rewriteList(header, nextUID: uid) } else if !lines.isEmpty { try list.append(lines, highestUID: uid - 1) }
    }

    /// More than a quarter of the records belongs to messages that are gone.
    private var hasManyStaleRecords: Bool {
        guard list.recordCount > 16 else { return false }
        let present = table.entries.count { isHere($0) }
        return list.recordCount / 4 * 3 > present
    }

    private func replace(_ slot: Int, _ file: ArraySlice<UInt8>) {
        let hint = file.starts(with: Array("msg.".utf8)) ? " (Your MDA is saving MH files into Maildir?)" : ""
        let (name, old) = (String(decoding: file, as: UTF8.self), table.entries[slot].uid)
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
        var slots = (0..<UInt32(table.entries.count)).filter { isHere(table.entries[Int($0)]) }
        if !zip(slots, slots.dropFirst()).allSatisfy({ table.entries[Int($0)].uid < table.entries[Int($1)].uid }) {
            slots.sort { table.entries[Int($0)].uid < table.entries[Int($1)].uid }
        }
        try list.rewrite(header, highestUID: nextUID - 1, bytes: table.nameBytes + slots.count * 12) { lines in
            var last: UInt32 = 0
            var count = 0
            for slot in slots {
                let uid = table.entries[Int(slot)].uid
                guard uid > last else { continue }
                last = uid
                count += 1
                UIDListWriter.append(
                    uid: uid, extensions: table.fields(of: Int(slot)), base: table.base(of: Int(slot)), to: &lines)
            }
            return count
        }
    }

    func isHere(_ entry: MessageTable.Entry) -> Bool { entry.place == .new || entry.place == .cur }
}
