internal import Index
internal import Platform

// Opening, and finding what changed since the session was told of changes last.
extension MaildirMailbox {
    /// The first look. Only the segments are read: a session opens a mailbox of any size in about the same time.
    func open() throws(StoreError) {
        _ = try synchronize(reportExpunges: true)
        keywordsChanged = false
    }

    func synchronize(reportExpunges: Bool) throws(StoreError) -> MailboxChanges {
        flushCache()
        let header = try look()
        try readKeywords()
        var changes = MailboxChanges()
        var found = Found()
        if header.origin != view.origin || header.highestModSeq != view.told || !ownRecent.isEmpty || !view.own.isEmpty {
            found = try takeChanges()
            forgetNames()
        }
        uidNext = max(uidNext, header.uidNext)
        if reportExpunges { report(lost: &changes) }
        changes.hasHiddenExpunges = !view.lost.isEmpty
        if !view.late.isEmpty {
            found.changed = view.late.union(found.changed).sorted()
            view.late = []
        }
        changes.flagsChanged = found.changed.compactMap { uid in
            let place = view.uids.position(of: uid)
            return place.isExact ? place.index : nil
        }
        let before = view.uids.count
        if !found.new.isEmpty { view.uids.append(found.new) }
        for (segment, sum) in found.flagSums {
            let place = view.uids.find(segment)
            if place.isExact { view.uids.flagSums[place.index] = sum }
        }
        changes.new = before..<view.uids.count
        view.highestShown = max(view.highestShown, found.new.last ?? 0)
        changes.keywordsChanged = keywordsChanged
        keywordsChanged = false
        return changes
    }

    private func report(lost changes: inout MailboxChanges) {
        guard !view.lost.isEmpty else { return }
        changes.expunged = view.lost.reversed().map { uid in
            MailboxChanges.Expunged(sequence: view.uids.position(of: uid).index + 1, uid: uid)
        }
        view.uids.remove(view.lost)
        if !view.recent.isEmpty { for uid in view.lost { view.recent.remove(uid) } }
        view.lost = []
    }

    /// What the index says that this session does not know.
    private struct Found {
        var lost: [UInt32] = []
        var changed: [UInt32] = []
        var new: [UInt32] = []
        var recent: [UInt32] = []
        var flagSums: [(segment: UInt32, sum: UInt64)] = []
        var header = MailboxHeader()
    }

    private func takeChanges() throws(StoreError) -> Found {
        for _ in 0..<StoreLimits.renameRaces {
            let read = index.index.read { (transaction) throws(IndexError) -> Found? in
                guard let header = try index.header(transaction), header.uidValidity == uidValidity else { return nil }
                if view.origin == 0 { return try opened(header, transaction) }
                return try compared(header, transaction)
            }
            guard let read, let found = read else {
                // It was removed a moment ago.
                try look()
                continue
            }
            for uid in found.recent { view.recent.insert(uid) }
            if found.header.origin != view.origin { view.lost = found.lost } else { merge(found.lost) }
            ownRecent = UIDRanges()
            (view.told, view.origin, view.own) = (found.header.highestModSeq, found.header.origin, [])
            return found
        }
        throw .lockTimeout(path: folder.cur.path)
    }

    private func merge(_ lost: [UInt32]) {
        guard let first = lost.first else { return }
        let isSorted = view.lost.last.map { $0 < first } ?? true
        view.lost += lost
        if !isSorted { view.lost = Array(Set(view.lost)).sorted() }
    }

    /// All that is there, for a session that has seen nothing yet.
    private func opened(_ header: MailboxHeader, _ transaction: IndexTransaction) throws(IndexError) -> Found {
        var found = Found()
        found.header = header
        var uids = UIDMap()
        uids.reserve(Int(header.uidNext) / MessageSegment.capacity + 1 < 1 << 16 ? Int(header.uidNext) / MessageSegment.capacity + 1 : 0)
        var withNew: [UInt32] = []
        try index.forEachSegment(transaction) { number, bytes in
            uids.append(number, bytes)
            if header.recent > 0, MessageSegment.counters(bytes).new > 0 { withNew.append(number) }
        }
        guard uids.count == Int(header.messages) else { throw .damaged("messages and their number differ") }
        for segment in withNew {
            try index.forEachMessage(ofSegment: segment, transaction) { uid, message in
                if message.state == .new { found.recent.append(uid) }
            }
        }
        view.uids = uids
        view.recent = ownRecent
        view.highestShown = uids.last ?? 0
        return found
    }

    /// What is different from what this session knows. Records that were lost and made anew have a new origin: then the sums of flags tell
    /// which segments are as they were.
    private func compared(_ header: MailboxHeader, _ transaction: IndexTransaction) throws(IndexError) -> Found {
        var found = Found()
        found.header = header
        let isSame = header.origin == view.origin
        let known = view.uids.segments
        var place = 0
        var looks: [(segment: UInt32, since: UInt64)] = []
        try index.forEachSegment(transaction) { (number, bytes) throws(IndexError) in
            while place < known.count, known[place] < number {
                lose(known[place], &found) { _ in 0 }
                place += 1
            }
            let isKnown = place < known.count && known[place] == number
            defer { if isKnown { place += 1 } }
            let modSeq = MessageSegment.modSeq(bytes)
            let sum = MessageSegment.flagSum(bytes)
            if isSame, modSeq <= view.told { return }
            if isKnown { lose(number, &found) { MessageSegment.word($0, bytes) } }
            found.flagSums.append((number, sum))
            var since = view.told
            if !isSame {
                guard let segment = MessageSegment(number, bytes) else { return }
                since = isKnown && segment.firstFlagSum == view.uids.flagSums[place] ? header.origin : 0
            }
            looks.append((number, since))
        }
        while place < known.count {
            lose(known[place], &found) { _ in 0 }
            place += 1
        }
        for look in looks { try compare(look.segment, since: look.since, &found, transaction) }
        return found
    }

    /// Messages of a segment that are shown and not there any more.
    private func lose(_ segment: UInt32, _ found: inout Found, word: (Int) -> UInt64) {
        for index in 0..<MessageSegment.wordCount {
            var gone = view.uids.word(index, ofSegment: segment) & ~word(index)
            while gone != 0 {
                found.lost.append(segment * UInt32(MessageSegment.capacity) + UInt32(index * 64 + gone.trailingZeroBitCount))
                gone &= gone - 1
            }
        }
    }

    private func compare(_ segment: UInt32, since modSeq: UInt64, _ found: inout Found, _ transaction: IndexTransaction) throws(IndexError)
    {
        var changed: [UInt32] = []
        var new: [(UInt32, IndexedMessage)] = []
        try index.forEachMessage(ofSegment: segment, transaction) { uid, message in
            if uid > view.highestShown {
                new.append((uid, message))
            } else if message.modSeq > modSeq, !view.own.contains(message.modSeq), view.uids.contains(uid) {
                changed.append(uid)
            }
        }
        found.changed += changed
        for (uid, message) in new {
            found.new.append(uid)
            if message.state == .new || ownRecent.contains(uid) { found.recent.append(uid) }
        }
    }
}
