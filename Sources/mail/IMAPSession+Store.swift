internal import IMAPSyntax
internal import MailStore

// STORE, EXPUNGE, COPY and MOVE.
extension IMAPSession {
    func storeFlags(_ command: StoreCommand) throws(CommandFailure) -> Completion {
        let mailbox = try selectedForWriting()
        try requireUID(command.isUID)
        let limited = limited(try positions(command.set, isUID: command.isUID, in: mailbox), in: mailbox)
        let positions = limited.ranges.flatMap { $0 }
        var completion = Completion("Store completed.")
        if command.unchangedSince != nil {
            enableModSeq()
            // Why messages are left alone is told first, also to who hears of nothing else.
            try reportChanges(expunges: false, withUID: false, isForced: true)
        }
        guard !positions.isEmpty else {
            try reportChanges(expunges: command.isUID, withUID: command.isUID)
            tellLimit(limited.lowestUID, in: &completion)
            return completion
        }
        let operation: FlagChange.Operation =
            switch command.action {
            case .replace: .replace
            case .add: .add
            case .remove: .remove
            }
        let flags = MessageFlags(rawValue: command.flags.system.rawValue)
        let change = FlagChange(operation, flags: flags, keywords: try keywords(command.flags))
        let known = mailbox.keywords.count
        let result = try storing { () throws(StoreError) in
            try mailbox.change(positions, change, unchangedSince: command.unchangedSince)
        }
        touch(result.changed, in: mailbox)
        if flags.contains(.deleted), command.action != .remove { statistics.deleted += result.newlyDeleted }
        if !result.modified.isEmpty { writeModified(result.modified, command, mailbox, to: &completion.code) }
        if mailbox.keywords.count != known { writeFlagLists(mailbox) }
        if !command.isSilent {
            let left = Set(result.modified)
            try writeAllFlags(at: left.isEmpty ? positions : positions.filter { !left.contains($0) }, in: mailbox, withUID: command.isUID)
        } else {
            // Of what others changed as well the client has to hear, whatever it asked for (RFC 9051 section 6.4.6).
            let alsoByOthers = Set(result.alsoByOthers)
            try writeAllFlags(at: result.alsoByOthers, in: mailbox, withUID: command.isUID)
            if enabled.contains(.condStore) {
                writeModSeqs(at: result.changed.filter { !alsoByOthers.contains($0) }, mailbox, withUID: command.isUID)
            }
        }
        try reportChanges(expunges: command.isUID, withUID: command.isUID)
        tellLimit(limited.lowestUID, in: &completion)
        return completion
    }

    // resp-text-code =/ "MODIFIED" SP sequence-set
    private func writeModified(_ positions: [Int], _ command: StoreCommand, _ mailbox: any Mailbox, to out: inout ResponseWriter) {
        let messages = mailbox.messages
        out.text("[MODIFIED ")
        out.set(NumberSet(positions.map { command.isUID ? messages.uid(at: $0) : UInt32(clamping: $0 + 1) }))
        out.byte(0x5d)
    }

    /// Searches whose changes are told look at these messages again.
    func touch(_ positions: [Int], in mailbox: any Mailbox) {
        guard !contexts.isEmpty else { return }
        let messages = mailbox.messages
        for position in positions {
            let uid = messages.uid(at: position)
            touched.insert(uid...uid)
        }
    }

    private func writeAllFlags(at positions: [Int], in mailbox: any Mailbox, withUID: Bool) throws(CommandFailure) {
        let messages = mailbox.messages
        let keywords = flagTexts(of: mailbox)
        var out = ResponseWriter()
        for position in positions where messages.indices.contains(position) {
            writeFlags(of: messages[position], at: position, keywords, withUID: withUID, to: &out)
            if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
        }
        stream.out.raw(out.bytes)
    }

    func keywords(_ flags: FlagList) throws(CommandFailure) -> [Keyword] {
        var keywords: [Keyword] = []
        for name in flags.keywords {
            do throws(Keyword.Refusal) { keywords.append(try Keyword(name)) } catch { throw .no("[CANNOT] \(error.rawValue)") }
        }
        return keywords
    }

    // uid-expunge = "EXPUNGE" SP sequence-set         RFC 4315 section 4
    func expunge(uids: SequenceSet?) throws(CommandFailure) -> Completion {
        let mailbox = try selectedForWriting()
        var only: [Range<Int>]?
        var lowest: UInt32?
        if let uids {
            // EXPUNGE itself has no limit (RFC 9738 section 3.1).
            let limited = limited(deleted(among: try positions(uids, isUID: true, in: mailbox), in: mailbox), in: mailbox)
            (only, lowest) = (limited.ranges, limited.lowestUID)
        }
        let count = try remove(from: mailbox, uids: only)
        // Who hears of nothing hears of what it did itself.
        try reportChanges(expunges: true, withUID: uids != nil, isForced: count > 0)
        var completion = Completion("Expunge completed.")
        if count > 0 { completion.code = highestModSeqCode(mailbox) }
        tellLimit(lowest, in: &completion)
        return completion
    }

    private func deleted(among ranges: [Range<Int>], in mailbox: any Mailbox) -> [Range<Int>] {
        guard settings.messageLimit > 0 else { return ranges }
        let messages = mailbox.messages
        return ranges.flatMap { range in range.lazy.filter { messages[$0].flags.contains(.deleted) }.map { $0..<$0 + 1 } }
    }

    /// Removes messages with \Deleted, all or those at some positions; answers how many.
    @discardableResult
    func remove(from mailbox: any Mailbox, uids only: [Range<Int>]?) throws(CommandFailure) -> Int {
        var deleted = mailbox.deleted
        if let only {
            // Both ascend.
            var rest = only[...]
            deleted = deleted.filter { position in
                while let range = rest.first, range.upperBound <= position { rest.removeFirst() }
                return rest.first?.contains(position) ?? false
            }
        }
        guard !deleted.isEmpty else { return 0 }
        try storing { () throws(StoreError) in try mailbox.expunge(deleted) }
        statistics.expunged += deleted.count
        return deleted.count
    }

    func copy(_ command: CopyCommand) throws(CommandFailure) -> Completion {
        let mailbox = command.isMove ? try selectedForWriting() : try selected()
        try requireUID(command.isUID)
        let ranges = try positions(command.set, isUID: command.isUID, in: mailbox)
        if !command.isMove { try refuseBeyondLimit(ranges, in: mailbox, tellsUID: true) }
        let limited = limited(ranges, in: mailbox)
        let positions = limited.ranges.flatMap { $0 }
        let target = try mailboxName(command.mailbox, for: .insert)
        guard !positions.isEmpty else { return try report("No messages found.", withUID: command.isUID) }
        let copied: CopiedMessages
        var progress = Progress(self, total: positions.count)
        // Who is gone is noticed at the answer: what was begun is done.
        store.progress = { [unowned self] done in do throws(CommandFailure) { try progress.step(self, done: done) } catch {} }
        defer { store.progress = nil }
        do throws(StoreError) {
            copied = command.isMove ? try mailbox.move(positions, to: target) : try mailbox.copy(positions, to: target)
        } catch {
            if case .notFound = error { throw .noMailbox(command.mailbox, code: "[TRYCREATE] ") }
            throw .store(error)
        }
        noteSaved(copied.targets, copied.uidValidity, in: target)
        if isTrash(target) { statistics.trashed += copied.sources.count }
        var completion = Completion(command.isMove ? "Move completed." : "Copy completed.")
        if !command.isMove {
            Self.writeCopyUID(copied, to: &completion.code)
        } else if !copied.sources.isEmpty {
            // Before the EXPUNGEs, which take the source numbers away (RFC 6851 section 4.3).
            stream.out.text("* OK ")
            Self.writeCopyUID(copied, to: &stream.out)
            stream.out.text(" Moved UIDs.")
            stream.out.newline()
            statistics.expunged += copied.sources.count
        }
        try reportChanges(expunges: true, withUID: command.isUID, isForced: command.isMove && !copied.sources.isEmpty)
        if command.isMove, !copied.sources.isEmpty { completion.code = highestModSeqCode(mailbox) }
        tellLimit(limited.lowestUID, in: &completion)
        return completion
    }

    // resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set        RFC 4315 section 4
    private static func writeCopyUID(_ copied: CopiedMessages, to out: inout ResponseWriter) {
        guard !copied.sources.isEmpty else { return }
        out.text("[COPYUID ")
        out.number(copied.uidValidity)
        out.byte(0x20)
        out.set(NumberSet(copied.sources))
        out.byte(0x20)
        out.set(NumberSet(copied.targets))
        out.byte(0x5d)
    }

    private func isTrash(_ name: MailboxName) -> Bool {
        guard store.namespaces.indices.contains(name.namespace) else { return false }
        let space = store.namespaces[name.namespace]
        return space.mailboxes.contains { $0.specialUse.contains("\\Trash") && space.prefix + $0.name == name.text }
    }
}
