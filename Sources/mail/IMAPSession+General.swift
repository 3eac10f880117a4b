internal import IMAPSyntax
internal import MailStore

// What needs no mailbox, and what all commands share.
extension IMAPSession {
    /// What works after login, completely.
    static let capabilities =
        "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE MULTIAPPEND CHILDREN SPECIAL-USE LIST-EXTENDED "
        + "LIST-STATUS STATUS=SIZE ESEARCH SEARCHRES WITHIN APPENDLIMIT SAVEDATE OBJECTID BINARY SORT SORT=DISPLAY "
        + "ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS I18NLEVEL=1 I18NLEVEL=2 NOTIFY PARTIAL CONTEXT=SEARCH CONTEXT=SORT MULTISEARCH "
        + "UTF8=ACCEPT PREVIEW CATENATE REPLACE COMPRESS=DEFLATE UIDONLY INPROGRESS "
        + "CONDSTORE QRESYNC CREATE-SPECIAL-USE"

    /// With `imap_literal_minus`, `imap_metadata` and `imap_capability` applied.
    var capabilities: String {
        var own = Self.capabilities
        if settings.limits.nonSynchronising != .max {
            own = own.split(separator: " ").map { $0 == "LITERAL+" ? "LITERAL-" : $0 }.joined(separator: " ")
        }
        if settings.messageLimit > 0 { own += " MESSAGELIMIT=\(settings.messageLimit)" }
        if store.quota.map({ !$0.isHidden }) ?? false { own += " QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE" }
        if let size = store.quota?.mailSize {
            own = own.split(separator: " ").map { $0 == "APPENDLIMIT" ? "APPENDLIMIT=\(size)" : String($0) }.joined(separator: " ")
        }
        if settings.offersMetadata { own += " METADATA LIST-METADATA FILTERS" }
        if settings.capability.isEmpty { return own }
        return settings.capability.hasPrefix("+") ? "\(own) \(settings.capability.dropFirst())" : settings.capability
    }

    func id(_ fields: [IDField]) -> Completion {
        clientID = Array(
            fields.map { field in field.key + [0x3d] + (field.value ?? Array("NIL".utf8)) }.joined(separator: ", ".utf8).prefix(1_024))
        stream.out.raw(settings.serverID)
        stream.out.newline()
        return Completion("ID completed.")
    }

    // enable-data = "ENABLED" *(SP capability)      RFC 9051 section 7.2.1
    /// What is unknown is passed over (RFC 5161 section 3.1).
    func enable(_ names: [[UInt8]]) -> Completion {
        var line = ResponseWriter()
        line.text("* ENABLED")
        for (name, value) in EnabledExtensions.names where names.contains(where: { $0.isWord(name.uppercased()) }) {
            if value.contains(.condStore) { enableModSeq() }
            enabled.formUnion(value)
            line.byte(0x20)
            line.text(name)
        }
        line.newline()
        stream.out.raw(line.bytes)
        stream.out.quotesUTF8 = enabled.speaksUTF8
        return Completion("Enabled.")
    }

    // namespace-response = "*" SP "NAMESPACE" SP namespace SP namespace SP namespace      RFC 2342 section 5
    func namespace() -> Completion {
        stream.out.text("* NAMESPACE")
        for kind in [NamespaceSettings.Kind.personal, .otherUsers, .shared] {
            let spaces = store.namespaces.filter { $0.kind == kind && !$0.isHidden }
            guard !spaces.isEmpty else {
                stream.out.text(" NIL")
                continue
            }
            stream.out.text(" (")
            for space in spaces {
                stream.out.byte(0x28)
                stream.out.string(wireName(space.prefix))
                stream.out.byte(0x20)
                stream.out.string([space.separator])
                stream.out.byte(0x29)
            }
            stream.out.byte(0x29)
        }
        stream.out.newline()
        return Completion("Namespace completed.")
    }

    /// The selected mailbox, for commands that need one.
    func selected() throws(CommandFailure) -> any Mailbox {
        guard let mailbox else { throw .bad("No mailbox selected") }
        return mailbox
    }

    /// The selected mailbox, for commands that change it.
    func selectedForWriting() throws(CommandFailure) -> any Mailbox {
        let mailbox = try selected()
        guard mailbox.access == .readWrite else { throw .no("[READ-ONLY] Mailbox is read-only.") }
        return mailbox
    }

    /// What a command wants with a mailbox. There is one owner and he may everything; other people's rights are asked here when they come.
    enum Right { case lookup, read, insert, create, delete, subscribe }

    /// The only way from a client's bytes to a mailbox: every command that names one comes through here, with what it wants to do.
    func mailboxName(_ wire: [UInt8], for right: Right) throws(CommandFailure) -> MailboxName {
        let text: [UInt8]
        if enabled.speaksUTF8 {
            text = wire
        } else {
            guard let decoded = ModifiedUTF7.decode(wire) else { throw .no("Mailbox name is not valid mUTF-7") }
            text = decoded
        }
        return try storing { () throws(StoreError) in try store.name(text) }
    }

    /// A mailbox name for the wire. What is not UTF-8 cannot be said: it shows as `?`.
    func wireName(_ text: [UInt8]) -> [UInt8] {
        if enabled.speaksUTF8, String(validating: text, as: UTF8.self) != nil { return text }
        return ModifiedUTF7.encode(text) ?? text.map { $0 < 0x80 ? $0 : 0x3f }
    }

    func separator(of name: MailboxName) -> UInt8 {
        store.namespaces.indices.contains(name.namespace) ? store.namespaces[name.namespace].separator : 0x2e
    }
}

// MARK: changes by others
extension IMAPSession {
    /// Ends a command: tells what changed in the mailbox meanwhile. Expunges only where sequence numbers may change
    /// (RFC 9051 section 7.5.1: not during FETCH, STORE, SEARCH).
    func report(_ text: String, expunges: Bool = true, withUID: Bool = false) throws(CommandFailure) -> Completion {
        try reportChanges(expunges: expunges, withUID: withUID)
        return Completion(text)
    }

    /// NOTIFY may have narrowed what is told of the selected mailbox; with `isForced` the command changed it, and all is told.
    @discardableResult
    func reportChanges(expunges: Bool, withUID: Bool, isForced: Bool = false) throws(CommandFailure) -> MailboxChanges {
        guard let mailbox else { return MailboxChanges() }
        // Nobody wants to hear: the picture stays as it is, and with it the meaning of sequence numbers.
        if !isForced, notifications?.selected.isEmpty ?? false { return MailboxChanges() }
        let tellsFlags = isForced || notifications?.selected.contains(.flagChange) ?? true
        let expunges = expunges || notifications?.tellsExpungesAtOnce ?? false
        let withUID = withUID || notifications != nil
        let changes: MailboxChanges
        do throws(StoreError) { changes = try mailbox.synchronize(reportExpunges: expunges) } catch {
            if case .mailboxGone = error { throw .store(error) }
            // What the command did is done: a client told NO would do it again. It hears of the changes next time.
            settings.logError("Mailbox \(mailbox.name): changes could not be looked at: \(error.logText)")
            return MailboxChanges()
        }
        guard !changes.isEmpty || !touched.isEmpty else { return changes }
        removeExpunged(changes.expunged)
        writeExpunged(changes.expunged)
        let messages = mailbox.messages
        if !changes.new.isEmpty {
            stream.out.untagged(messages.count, "EXISTS")
            writeRecent(mailbox)
        }
        if changes.keywordsChanged, mailbox.keywords != toldKeywords { writeFlagLists(mailbox) }
        let keywords = flagTexts(of: mailbox)
        for position in changes.flagsChanged where tellsFlags && messages.indices.contains(position) {
            writeFlags(of: messages[position], at: position, keywords, withUID: withUID, to: &stream.out)
        }
        let own = ownMessages
        ownMessages = NumberSet()
        if let items = notifications?.items, !items.isEmpty {
            try writeItems(items, of: changes.new.filter { !own.contains(messages.uid(at: $0)) }, in: mailbox)
        }
        let changed = Self.positions(ofUIDs: touched, in: mailbox, count: messages.count).flatMap { $0 }
        touched = NumberSet()
        try updateContexts(mailbox, changed: changed + changes.flagsChanged + Array(changes.new), new: changes.new)
        return changes
    }

    /// `* n EXPUNGE` for each, or one `* VANISHED` (RFC 9586 section 3.1, RFC 7162 section 3.2.10).
    private func writeExpunged(_ expunged: [MailboxChanges.Expunged]) {
        guard enabled.isDisjoint(with: [.uidOnly, .qresync]) else {
            return writeVanished(NumberSet(expunged.lazy.map(\.uid)), earlier: false)
        }
        for message in expunged { stream.out.untagged(message.sequence, "EXPUNGE") }
    }

    /// FETCH of messages that nobody asked for in a command; those that went away meanwhile are left out.
    func writeItems(_ items: [FetchItem], of positions: some Sequence<Int>, in mailbox: any Mailbox) throws(CommandFailure) {
        let withUID = enabled.contains(.qresync) && !items.contains(.uid)
        let plan = FetchPlan(mailbox, withUID ? [.uid] + items : items, flagTexts(of: mailbox))
        var out = ResponseWriter()
        for position in positions where mailbox.messages.indices.contains(position) {
            let start = out.count
            let sent = stream.bytesOut
            do throws(CommandFailure) { try fetch(position, plan, isMarked: false, to: &out) } catch {
                guard error.concernsOneMessage else { throw error }
                guard stream.bytesOut == sent else { throw .end(.inconsistent("a message could not be read to its end")) }
                out.bytes.removeLast(out.count - start)
            }
            if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
        }
        stream.out.raw(out.bytes)
    }

    /// Commands that name messages by number are gone with UIDONLY.
    func requireUID(_ isUID: Bool) throws(CommandFailure) {
        if !isUID, enabled.contains(.uidOnly) { throw .uidRequired }
    }

    /// `* n FETCH (`, or `* uid UIDFETCH (`.
    func beginFetch(_ message: Message, at position: Int, to out: inout ResponseWriter) {
        out.text("* ")
        if enabled.contains(.uidOnly) {
            out.number(message.uid)
            out.text(" UIDFETCH (")
        } else {
            out.number(position + 1)
            out.text(" FETCH (")
        }
    }

    /// `* n RECENT`, which IMAP4rev2 does not know.
    func writeRecent(_ mailbox: any Mailbox) {
        if !enabled.contains(.imap4rev2) { stream.out.untagged(mailbox.recentCount, "RECENT") }
    }

    func flagTexts(of mailbox: any Mailbox) -> KeywordTexts { KeywordTexts(mailbox, showsRecent: !enabled.contains(.imap4rev2)) }

    /// `* n FETCH (FLAGS (…))`, with the UID where a UID command made the change.
    func writeFlags(of message: Message, at position: Int, _ keywords: KeywordTexts, withUID: Bool, to out: inout ResponseWriter) {
        beginFetch(message, at: position, to: &out)
        if withUID || enabled.contains(.qresync) {
            out.text("UID ")
            out.number(message.uid)
            out.byte(0x20)
        }
        keywords.writeFlags(message, to: &out)
        if let mailbox, enabled.contains(.condStore) {
            out.byte(0x20)
            writeModSeq(at: position, of: mailbox, to: &out)
        }
        out.byte(0x29)
        out.newline()
    }

    /// Untagged FLAGS and PERMANENTFLAGS.
    func writeFlagLists(_ mailbox: any Mailbox) {
        toldKeywords = mailbox.keywords
        stream.out.text("* FLAGS (")
        writeAllFlags(mailbox)
        stream.out.byte(0x29)
        stream.out.newline()
        stream.out.text("* OK [PERMANENTFLAGS (")
        if mailbox.access == .readWrite {
            writeAllFlags(mailbox)
            if mailbox.acceptsNewKeywords { stream.out.text(" \\*") }
            stream.out.text(")] Flags permitted.")
        } else {
            stream.out.text(")] Read-only mailbox.")
        }
        stream.out.newline()
    }

    private func writeAllFlags(_ mailbox: any Mailbox) {
        stream.out.systemFlags(.all)
        var isFirst = false
        for keyword in mailbox.keywords { if let keyword { stream.out.keyword(keyword.bytes, isFirst: &isFirst) } }
    }
}

/// The flags of a mailbox as text, made once per command, so that a loop over messages only copies bytes.
struct KeywordTexts {
    /// ` name` for each keyword of the table; empty where there is none.
    private let texts: [[UInt8]]
    /// The system flags that are told.
    private let mask: UInt8

    init(_ mailbox: any Mailbox, showsRecent: Bool) {
        mask = showsRecent ? 63 : 31
        texts = mailbox.keywords.map { keyword in
            guard let keyword else { return [] }
            var writer = ResponseWriter()
            var isFirst = false
            writer.keyword(keyword.bytes, isFirst: &isFirst)
            return writer.bytes
        }
    }

    /// All 64 combinations of system flags, one behind the other.
    private static let systemTexts: (bytes: [UInt8], ends: [Int]) = {
        var writer = ResponseWriter()
        var ends: [Int] = []
        for bits in UInt8(0)..<64 {
            writer.systemFlags(SystemFlags(rawValue: bits & 31), isRecent: bits & 32 != 0)
            ends.append(writer.count)
        }
        return (writer.bytes, ends)
    }()
    private let systemTexts = Self.systemTexts

    /// Bytes of all flags together.
    var longest: Int { 64 + texts.reduce(0) { $0 + $1.count } }

    /// `FLAGS (…)`
    func writeFlags(_ message: Message, to out: inout ResponseWriter) {
        out.text("FLAGS (")
        let system = Self.systemRange(message.flags, mask, systemTexts.ends)
        out.raw(systemTexts.bytes[system])
        var bits = message.keywords.bits
        var isFirst = system.isEmpty
        while bits != 0 {
            let index = bits.trailingZeroBitCount
            bits &= bits - 1
            guard index < texts.count, !texts[index].isEmpty else { continue }
            out.raw(texts[index].dropFirst(isFirst ? 1 : 0))
            isFirst = false
        }
        out.byte(0x29)
    }

    private static func systemRange(_ flags: MessageFlags, _ mask: UInt8, _ ends: [Int]) -> Range<Int> {
        let bits = Int(flags.rawValue & mask)
        return (bits == 0 ? 0 : ends[bits - 1])..<ends[bits]
    }

    /// The flags without brackets: puts them in the place of the bytes from `end` on, which moves behind them.
    func put(_ message: Message, _ line: inout [UInt8], _ end: inout Int) {
        let start = end
        let system = Self.systemRange(message.flags, mask, systemTexts.ends)
        line.put(systemTexts.bytes, system.lowerBound, system.upperBound, at: &end)
        var bits = message.keywords.bits
        while bits != 0 {
            let index = bits.trailingZeroBitCount
            bits &= bits - 1
            guard index < texts.count, !texts[index].isEmpty else { continue }
            // Each begins with a space.
            line.put(texts[index], end == start ? 1 : 0, texts[index].count, at: &end)
        }
    }
}
