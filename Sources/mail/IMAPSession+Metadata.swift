internal import IMAPSyntax
internal import MailStore

// METADATA (RFC 5464), LIST-METADATA (RFC 9590), special uses given by clients (RFC 6154).
extension IMAPSession {
    private static let specialUse = Array("/private/specialuse".utf8)
    private static let admin = Array("/shared/admin".utf8)
    private static let comment = Array("/shared/comment".utf8)

    func getMetadata(_ command: GetMetadataCommand) throws(CommandFailure) -> Completion {
        try requireMetadata()
        let name = try metadataTarget(command.mailbox, for: .read)
        let longest = try writeMetadata(name, command)
        var completion = try report("Getmetadata completed.")
        if longest > 0 { completion.code.text("[METADATA LONGENTRIES \(longest)]") }
        return completion
    }

    func setMetadata(_ command: SetMetadataCommand) throws(CommandFailure) -> Completion {
        try requireMetadata()
        let name = try metadataTarget(command.mailbox, for: .insert)
        for change in command.changes {
            if name == nil, change.entry == Self.admin || change.entry == Self.comment {
                throw .no("[NOPERM] This entry is set in the server's settings.")
            }
            if let value = change.value, value.count > IMAPSyntax.Limits.metadataValue {
                throw .no("[METADATA MAXSIZE \(IMAPSyntax.Limits.metadataValue)] Value too long.")
            }
            if name != nil, change.entry == Self.specialUse {
                try check(uses: (change.value ?? []).split(separator: 0x20).map { Array($0) })
            }
        }
        do throws(StoreError) {
            try store.setAttributes(command.changes.map { ($0.entry, $0.value) }, of: name)
        } catch {
            if case .limit = error { throw .no("[METADATA TOOMANY] Too many entries.") }
            if case .notFound = error { throw .noMailbox(command.mailbox, code: "[TRYCREATE] ") }
            throw .store(error)
        }
        noteAttributes(command.changes, of: name)
        return try report("Setmetadata completed.")
    }

    private func requireMetadata() throws(CommandFailure) {
        if !settings.offersMetadata { throw .bad("METADATA is switched off (imap_metadata)") }
    }

    /// Nil: the server.
    private func metadataTarget(_ wire: [UInt8], for right: Right) throws(CommandFailure) -> MailboxName? {
        wire.isEmpty ? nil : try mailboxName(wire, for: right)
    }

    private func attributes(of name: MailboxName?) throws(StoreError) -> [MailAttribute] {
        var attributes = try store.attributes(of: name)
        if name == nil {
            if !settings.serverAdmin.isEmpty { attributes.append(.init(name: Self.admin, value: Array(settings.serverAdmin.utf8))) }
            if !settings.serverComment.isEmpty { attributes.append(.init(name: Self.comment, value: Array(settings.serverComment.utf8))) }
        }
        return attributes
    }

    // metadata-resp = "METADATA" SP mailbox SP entry-values
    /// Answers the size of the longest value that was left out, or 0.
    private func writeMetadata(_ name: MailboxName?, _ command: GetMetadataCommand) throws(CommandFailure) -> Int {
        let attributes: [MailAttribute]
        do throws(StoreError) { attributes = try self.attributes(of: name) } catch {
            if case .notFound = error { throw .noMailbox(command.mailbox, code: "") }
            throw .store(error)
        }
        var told: [MailAttribute?] = []
        var names: [[UInt8]] = []
        var longest = 0
        func tell(_ name: [UInt8], _ attribute: MailAttribute?) {
            guard !names.contains(name) else { return }
            if let attribute, let limit = command.maximumSize, attribute.value.count > Int(limit) {
                longest = max(longest, attribute.value.count)
                return
            }
            names.append(name)
            told.append(attribute)
        }
        for entry in command.entries {
            let own = attributes.first { $0.name == entry }
            if command.depth == .entry || own != nil { tell(entry, own) }
            guard command.depth != .entry else { continue }
            for attribute in attributes where attribute.name.starts(with: entry + [0x2f]) {
                let rest = attribute.name.dropFirst(entry.count + 1)
                if command.depth == .all || !rest.contains(0x2f) { tell(attribute.name, attribute) }
            }
        }
        guard !names.isEmpty else { return longest }
        stream.out.text("* METADATA ")
        if let name { stream.out.astring(wireName(name.text)) } else { stream.out.text("\"\"") }
        stream.out.text(" (")
        for index in names.indices {
            if index > 0 { stream.out.byte(0x20) }
            stream.out.astring(names[index])
            stream.out.byte(0x20)
            write(value: told[index]?.value)
        }
        stream.out.byte(0x29)
        stream.out.newline()
        return longest
    }

    private func write(value: [UInt8]?) {
        guard let value, value.contains(0) else { return stream.out.nstring(value) }
        stream.out.byte(0x7e)
        stream.out.literalHeader(value.count)
        stream.out.raw(value)
    }

    /// LIST … RETURN (METADATA (…)): a line for each mailbox; one that went away meanwhile has none.
    func writeListMetadata(_ name: MailboxName, _ entries: [[UInt8]]) throws(CommandFailure) {
        do throws(CommandFailure) { _ = try writeMetadata(name, GetMetadataCommand(mailbox: wireName(name.text), entries: entries)) } catch
        {
            guard case .noMailbox = error else { throw error }
        }
        if stream.out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.flush() } }
    }

    // MARK: special uses

    /// What a client may make of a mailbox. \All and \Flagged would have to show messages of others.
    private static let uses = ["\\Archive", "\\Drafts", "\\Important", "\\Junk", "\\Sent", "\\Trash"]

    @discardableResult
    func check(uses: [[UInt8]]) throws(CommandFailure) -> [UInt8] {
        var known: [String] = []
        for use in uses {
            guard let name = Self.uses.first(where: { use.isWord($0.uppercased()) }) else {
                throw .no("[USEATTR] This special use is not supported.")
            }
            if !known.contains(name) { known.append(name) }
        }
        return Array(known.joined(separator: " ").utf8)
    }

    /// CREATE with USE: both or nothing.
    func giveUses(_ value: [UInt8], to name: MailboxName) throws(StoreError) {
        do throws(StoreError) { try store.setAttributes([(Self.specialUse, value)], of: name) } catch {
            try store.delete(name)
            throw error
        }
    }

    // MARK: filters

    /// A search that was stored under a name (RFC 5466): the user's own one goes before the server's.
    func filter(_ name: [UInt8]) throws(CommandFailure) -> SearchKey {
        guard settings.offersMetadata else { throw .bad("FILTERS takes METADATA (imap_metadata)") }
        let attributes = try storing { () throws(StoreError) in try store.attributes(of: nil) }
        for scope in ["/private/filters/values/", "/shared/filters/values/"] {
            let entry = Array(scope.utf8) + name.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
            if let found = attributes.first(where: { $0.name == entry }), let key = SearchKey(filter: found.value) { return key }
        }
        throw .undefinedFilter(name)
    }
}
