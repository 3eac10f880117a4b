internal import IMAPSyntax
internal import MailStore

// LIST (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154) and LSUB.
extension IMAPSession {
    func list(_ command: ListCommand) throws(CommandFailure) -> Completion {
        if command.status.contains(.highestModSeq) { enableModSeq() }
        if !command.metadata.isEmpty, !settings.offersMetadata { throw .bad("METADATA is switched off (imap_metadata)") }
        if !command.isExtended, command.patterns == [[]] { return listRoot(command.reference) }
        let patterns = try patterns(command.patterns, reference: command.reference)
        let all = try storing { () throws(StoreError) in try store.list() }
        let hidden = unlistedNamespaces(command)
        let parents = command.selection.contains(.recursiveMatch) ? parentsOfSelected(all, command.selection) : []
        var wanted: [(mailbox: ListedMailbox, wire: [UInt8], hasWantedChild: Bool)] = []
        for mailbox in all {
            let wire = wireName(mailbox.name.text)
            guard patterns.contains(where: { $0.matches(wire) }), !hidden.contains(mailbox.name.namespace) else { continue }
            let hasWantedChild = parents.contains(mailbox.name.text)
            guard hasWantedChild || Self.isSelected(mailbox, command.selection) else { continue }
            wanted.append((mailbox, wire, hasWantedChild))
        }
        for start in stride(from: 0, to: wanted.count, by: Self.listBatch) {
            try writeList(wanted[start..<min(wanted.count, start + Self.listBatch)], command)
        }
        return try report("List completed.")
    }

    /// Namespaces with `list = no`, which are shown to who asks for their prefix.
    private func unlistedNamespaces(_ command: ListCommand) -> Set<Int> {
        var hidden: Set<Int> = []
        for (index, namespace) in store.namespaces.enumerated() where namespace.listing == .no {
            let prefix = wireName(namespace.prefix)
            if !command.patterns.contains(where: { (command.reference + $0).starts(with: prefix) }) { hidden.insert(index) }
        }
        return hidden
    }

    /// Mailboxes whose counters are looked up together: what is told last is this much older than the answer.
    private static var listBatch: Int { 128 }

    private func writeList(
        _ wanted: ArraySlice<(mailbox: ListedMailbox, wire: [UInt8], hasWantedChild: Bool)>, _ command: ListCommand
    ) throws(CommandFailure) {
        var known: [MailboxStatus?] = []
        if !command.status.isEmpty {
            known = store.indexedStatuses(wanted.map(\.mailbox), Self.needs(command.status))
        }
        for (place, (mailbox, wire, hasWantedChild)) in wanted.enumerated() {
            writeListLine("* LIST (", mailbox, wire, command, hasWantedChild: hasWantedChild)
            if !command.status.isEmpty, mailbox.isSelectable { try writeListStatus(mailbox.name, known[place], command.status) }
            if !command.metadata.isEmpty, mailbox.isSelectable { try writeListMetadata(mailbox.name, command.metadata) }
        }
    }

    /// `LIST "" ""` asks for the separator only.
    private func listRoot(_ reference: [UInt8]) -> Completion {
        let space = store.namespaces.first { !$0.prefix.isEmpty && reference.starts(with: wireName($0.prefix)) } ?? store.namespaces.first
        stream.out.text("* LIST (\\Noselect) ")
        stream.out.string([space?.separator ?? 0x2e])
        stream.out.byte(0x20)
        stream.out.astring(wireName(space?.prefix ?? []))
        stream.out.newline()
        return Completion("List completed.")
    }

    private func patterns(_ texts: [[UInt8]], reference: [UInt8]) throws(CommandFailure) -> [ListPattern] {
        let separator = store.namespaces.first?.separator ?? 0x2e
        var patterns: [ListPattern] = []
        for text in texts where !text.isEmpty {
            guard let pattern = ListPattern(reference + text, separator: separator) else { throw .no("[LIMIT] Too many wildcards.") }
            patterns.append(pattern)
        }
        return patterns
    }

    private static func isSelected(_ mailbox: ListedMailbox, _ selection: ListCommand.Selection) -> Bool {
        if selection.contains(.subscribed), !mailbox.isSubscribed { return false }
        if selection.contains(.specialUse), mailbox.specialUse.isEmpty { return false }
        return selection.contains(.subscribed) || !mailbox.isOnlySubscribed
    }

    /// All names above a mailbox that the selection takes.
    private func parentsOfSelected(_ all: [ListedMailbox], _ selection: ListCommand.Selection) -> Set<[UInt8]> {
        var parents: Set<[UInt8]> = []
        for mailbox in all where Self.isSelected(mailbox, selection) {
            let separator = separator(of: mailbox.name)
            for (index, byte) in mailbox.name.text.enumerated() where byte == separator {
                parents.insert(Array(mailbox.name.text[..<index]))
            }
        }
        return parents
    }

    // mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    func writeListLine(
        _ start: String, _ mailbox: ListedMailbox, _ wire: [UInt8], _ command: ListCommand, hasWantedChild: Bool,
        oldName: MailboxName? = nil
    ) {
        var isFirst = true
        func attribute(_ word: String) {
            if !isFirst { stream.out.byte(0x20) }
            isFirst = false
            stream.out.text(word)
        }
        stream.out.text(start)
        if command.selection.contains(.subscribed) || command.returns.contains(.subscribed), mailbox.isSubscribed {
            attribute("\\Subscribed")
        }
        if !mailbox.isSelectable { attribute(command.isExtended || enabled.contains(.imap4rev2) ? "\\NonExistent" : "\\Noselect") }
        attribute(mailbox.hasChildren ? "\\HasChildren" : "\\HasNoChildren")
        for use in mailbox.specialUse { attribute(use) }
        stream.out.text(") ")
        stream.out.string([separator(of: mailbox.name)])
        stream.out.byte(0x20)
        stream.out.astring(wire)
        if let oldName {
            stream.out.text(" (\"OLDNAME\" (")
            stream.out.astring(wireName(oldName.text))
            stream.out.text("))")
        }
        if hasWantedChild, command.selection.contains(.recursiveMatch) {
            stream.out.text(
                command.selection.contains(.subscribed) ? " (\"CHILDINFO\" (\"SUBSCRIBED\"))" : " (\"CHILDINFO\" (\"SPECIAL-USE\"))")
        }
        stream.out.newline()
    }

    private func writeListStatus(_ name: MailboxName, _ known: MailboxStatus?, _ items: [StatusItem]) throws(CommandFailure) {
        do throws(StoreError) {
            if let known { write(known, of: name, items) } else { try writeStatus(name, items) }
        } catch {
            // Deleted since it was listed, or not readable: the others are still of use (RFC 5819 section 2).
            stream.out.status([0x2a], "NO \(text(of: error))")
        }
        if stream.out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.flush() } }
    }

    /// Subscribed names; with `%` also parents of subscribed names that it hides (RFC 3501 section 6.3.9).
    func lsub(_ reference: [UInt8], _ text: [UInt8]) throws(CommandFailure) -> Completion {
        guard let pattern = try patterns([text], reference: reference).first else { return Completion("Lsub completed.") }
        var shown: Set<[UInt8]> = []
        let names = try storing { () throws(StoreError) in try store.subscriptions() }
        for name in names {
            let wire = wireName(name.text)
            if pattern.matches(wire) {
                shown.insert(wire)
                writeLsub("* LSUB () ", wire, separator(of: name))
            }
        }
        guard text.contains(0x25) else { return try report("Lsub completed.") }
        for name in names {
            let wire = wireName(name.text)
            let separator = separator(of: name)
            for (index, byte) in wire.enumerated() where byte == separator {
                let parent = Array(wire[..<index])
                guard pattern.matches(parent), shown.insert(parent).inserted else { continue }
                writeLsub("* LSUB (\\Noselect) ", parent, separator)
            }
        }
        return try report("Lsub completed.")
    }

    private func writeLsub(_ start: String, _ wire: [UInt8], _ separator: UInt8) {
        stream.out.text(start)
        stream.out.string([separator])
        stream.out.byte(0x20)
        stream.out.astring(wire)
        stream.out.newline()
    }
}
