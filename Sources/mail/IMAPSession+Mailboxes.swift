internal import IMAPSyntax
internal import MailStore

// SELECT and what is done to mailboxes as a whole. Texts as in reference/storage.md section 11.
extension IMAPSession {
    func select(_ command: SelectCommand) throws(CommandFailure) -> Completion {
        if command.resync != nil, !enabled.contains(.qresync) { throw .bad("QRESYNC is not enabled") }
        // Also a SELECT that fails leaves no mailbox selected (RFC 9051 section 6.3.2).
        leave()
        let name = try mailboxName(command.mailbox, for: .read)
        let mailbox: any Mailbox
        watchSelected(name)
        do throws(StoreError) {
            mailbox = try store.open(name, access: command.isReadOnly ? .readOnly : .readWrite)
        } catch {
            if case .notFound = error { throw .noMailbox(command.mailbox, code: "") }
            throw .store(error)
        }
        self.mailbox = mailbox
        if command.wantsModSeq { enabled.insert(.condStore) }
        describe(mailbox)
        if let resync = command.resync { try resynchronize(resync, mailbox) }
        if enabled.contains(.imap4rev2) { writeSelectedName(name) }
        var completion = Completion(command.isReadOnly ? "Examine completed." : "Select completed.")
        completion.code.text(command.isReadOnly ? "[READ-ONLY]" : "[READ-WRITE]")
        return completion
    }

    private func describe(_ mailbox: any Mailbox) {
        writeFlagLists(mailbox)
        let messages = mailbox.messages
        stream.out.untagged(messages.count, "EXISTS")
        writeRecent(mailbox)
        if enabled.isDisjoint(with: [.imap4rev2, .uidOnly]), let unseen = mailbox.firstUnseen {
            writeCode("UNSEEN", UInt32(clamping: unseen + 1), "First unseen.")
        }
        writeCode("UIDVALIDITY", mailbox.uidValidity, "UIDs valid")
        writeCode("UIDNEXT", mailbox.uidNext, "Predicted next UID")
        writeHighestModSeq(mailbox)
        guard !mailbox.guid.isEmpty else { return }
        stream.out.text("* OK [MAILBOXID (")
        stream.out.raw(ObjectID.mailbox(mailbox.guid))
        stream.out.text(")] Mailbox id")
        stream.out.newline()
    }

    /// RFC 9051 section 6.3.2: the name as we know it.
    private func writeSelectedName(_ name: MailboxName) {
        stream.out.text("* LIST () ")
        stream.out.string([separator(of: name)])
        stream.out.byte(0x20)
        stream.out.astring(wireName(name.text))
        stream.out.newline()
    }

    private func writeCode(_ word: String, _ number: UInt32, _ text: String) {
        stream.out.text("* OK [\(word) ")
        stream.out.number(number)
        stream.out.text("] \(text)")
        stream.out.newline()
    }

    /// Ends the use of the selected mailbox.
    func leave() {
        guard let mailbox else { return }
        mailbox.stopWatching()
        forgetMailbox()
        stream.out.status([0x2a], "OK [CLOSED] Previous mailbox closed.")
    }

    private func forgetMailbox() {
        if let mailbox { noteLeft(mailbox) }
        mailbox = nil
        ownMessages = NumberSet()
        savedSearch = NumberSet()
        lastStructure = nil
        contexts = []
        touched = NumberSet()
    }

    func close() throws(CommandFailure) -> Completion {
        let mailbox = try selected()
        guard mailbox.access == .readWrite, try remove(from: mailbox, uids: nil) > 0 else { return try unselect("Close completed.") }
        var completion = try unselect("Close completed.")
        completion.code = highestModSeqCode(mailbox)
        return completion
    }

    func unselect(_ text: String = "Unselect completed.") throws(CommandFailure) -> Completion {
        try selected().stopWatching()
        forgetMailbox()
        return Completion(text)
    }

    func create(_ wire: [UInt8], specialUse: [[UInt8]]) throws(CommandFailure) -> Completion {
        let uses = try check(uses: specialUse)
        var wire = wire
        // One separator at the end says that children are to come (RFC 9051 section 6.3.4).
        if let last = wire.last, wire.count > 1, store.namespaces.contains(where: { $0.separator == last }) { wire.removeLast() }
        let name = try mailboxName(wire, for: .create)
        let status = try storing { () throws(StoreError) in
            try store.create(name)
            if !uses.isEmpty { try giveUses(uses, to: name) }
            return try store.status(name, sizes: false)
        }
        noteNames(name)
        var completion = try report("Create completed.")
        guard !status.guid.isEmpty else { return completion }
        completion.code.text("[MAILBOXID (")
        completion.code.raw(ObjectID.mailbox(status.guid))
        completion.code.text(")]")
        return completion
    }

    func delete(_ wire: [UInt8]) throws(CommandFailure) -> Completion {
        let name = try mailboxName(wire, for: .delete)
        if name.isInbox { throw .no("[CANNOT] INBOX can't be deleted") }
        if mailbox?.name == name { leave() }
        do throws(StoreError) { try store.delete(name) } catch {
            guard case .notFound = error else { throw .store(error) }
            // The name of something that has children only (RFC 9051 section 6.3.5).
            let all = try storing { () throws(StoreError) in try store.list() }
            if all.contains(where: { $0.name == name && $0.hasChildren }) { throw .no("[HASCHILDREN] It has children, and nothing else.") }
            throw .noMailbox(wire, code: "[NONEXISTENT] ")
        }
        noteNames(name)
        return try report("Delete completed.")
    }

    func rename(_ from: [UInt8], to: [UInt8]) throws(CommandFailure) -> Completion {
        let source = try mailboxName(from, for: .delete)
        let target = try mailboxName(to, for: .create)
        if mailbox?.name == source, !source.isInbox { leave() }
        do throws(StoreError) { try store.rename(source, to: target) } catch {
            if case .notFound = error { throw .noMailbox(from, code: "[NONEXISTENT] ") }
            throw .store(error)
        }
        noteNames(source, target)
        return try report("Rename completed.")
    }

    func subscribe(_ wire: [UInt8]) throws(CommandFailure) -> Completion {
        let name = try mailboxName(wire, for: .subscribe)
        do throws(StoreError) { try store.subscribe(name) } catch {
            if case .notFound = error { throw .noMailbox(wire, code: "") }
            throw .store(error)
        }
        noteNames(name)
        return try report("Subscribe completed.")
    }

    func unsubscribe(_ wire: [UInt8]) throws(CommandFailure) -> Completion {
        let name = try mailboxName(wire, for: .subscribe)
        try storing { () throws(StoreError) in try store.unsubscribe(name) }
        noteNames(name)
        return try report("Unsubscribe completed.")
    }

    func status(_ wire: [UInt8], _ items: [StatusItem]) throws(CommandFailure) -> Completion {
        let name = try mailboxName(wire, for: .read)
        if items.contains(.highestModSeq) { enableModSeq() }
        do throws(StoreError) { try writeStatus(name, items) } catch {
            if case .notFound = error { throw .noMailbox(wire, code: "") }
            throw .store(error)
        }
        return try report("Status completed.")
    }

    // mailbox-data =/ "STATUS" SP mailbox SP "(" [status-att-list] ")"
    func writeStatus(_ name: MailboxName, _ items: [StatusItem]) throws(StoreError) {
        write(try store.status(name, sizes: Self.needs(items).contains(.sizes)), of: name, items)
    }

    static func needs(_ items: [StatusItem]) -> StatusNeeds {
        var needs: StatusNeeds = []
        for item in items {
            switch item {
            case .messages, .recent, .unseen, .deleted, .appendLimit: continue
            case .size, .deletedStorage: needs.insert(.sizes)
            case .uidNext, .uidValidity, .mailboxID, .highestModSeq: needs.insert(.uids)
            }
        }
        return needs
    }

    func write(_ status: MailboxStatus, of name: MailboxName, _ items: [StatusItem]) {
        stream.out.text("* STATUS ")
        stream.out.astring(wireName(name.text))
        stream.out.text(" (")
        for (index, item) in items.enumerated() {
            if index > 0 { stream.out.byte(0x20) }
            switch item {
            case .messages: writeItem("MESSAGES ", status.messages)
            case .recent: writeItem("RECENT ", status.recent)
            case .uidNext: writeItem("UIDNEXT ", Int(status.uidNext))
            case .uidValidity: writeItem("UIDVALIDITY ", Int(status.uidValidity))
            case .unseen: writeItem("UNSEEN ", status.unseen)
            case .deleted: writeItem("DELETED ", status.deleted)
            case .size: writeItem("SIZE ", Int(status.size))
            case .appendLimit:
                // Without a setting nothing limits a message but the disk (RFC 7889 section 5).
                if let size = store.quota?.mailSize { writeItem("APPENDLIMIT ", Int(size)) } else { stream.out.text("APPENDLIMIT NIL") }
            case .deletedStorage: writeItem("DELETED-STORAGE ", Int(status.deletedSize))
            case .mailboxID:
                stream.out.text("MAILBOXID (")
                stream.out.raw(ObjectID.mailbox(status.guid))
                stream.out.byte(0x29)
            case .highestModSeq:
                stream.out.text("HIGHESTMODSEQ ")
                stream.out.number(status.highestModSeq)
            }
        }
        stream.out.byte(0x29)
        stream.out.newline()
    }

    private func writeItem(_ name: String, _ value: Int) {
        stream.out.text(name)
        stream.out.number(value)
    }
}
