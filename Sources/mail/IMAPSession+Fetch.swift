internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// What the items of one FETCH share.
struct FetchPlan {
    let mailbox: any Mailbox
    let messages: MessageList
    let keywords: KeywordTexts
    let items: [FetchItem]
    /// Its items set \Seen (RFC 9051 section 6.4.5: all sections without PEEK).
    let setsSeen: Bool
    let wantsFlags: Bool
    /// Something needs the parts: then the message is parsed whole at once.
    let needsStructure: Bool
    /// For the files of all messages, one after the other.
    let buffer = ReadBuffer()
    let keys: KeySource

    init(_ mailbox: any Mailbox, _ items: [FetchItem], _ keywords: KeywordTexts) {
        self.mailbox = mailbox
        keys = KeySource(mailbox)
        self.items = items
        self.keywords = keywords
        messages = mailbox.messages
        wantsFlags = items.contains(.flags)
        needsStructure = items.contains { $0 == .body || $0 == .bodyStructure }
        setsSeen =
            mailbox.access == .readWrite
            && items.contains { item in
                switch item {
                case .section(let section): !section.isPeek
                case .binary(_, let isPeek, _): !isPeek
                case .rfc822, .rfc822Text: true
                default: false
                }
            }
    }
}

extension IMAPSession {
    func fetch(_ command: FetchCommand) throws(CommandFailure) -> Completion {
        let mailbox = try selected()
        try requireUID(command.isUID)
        if command.items.contains(.modSeq) { enableModSeq() }
        var ranges = try positions(command.set, isUID: command.isUID, in: mailbox)
        if let modSeq = command.changedSince { ranges = try changed(since: modSeq, command, ranges, in: mailbox) }
        if let partial = command.partial {
            try refuseBeyondLimit(Int(partial.last - partial.first) + 1)
            ranges = Self.part(partial, of: ranges)
        }
        let limited = limited(ranges, in: mailbox)
        ranges = limited.ranges
        var marked = NumberSet()
        let keywords = flagTexts(of: mailbox)
        if FetchPlan(mailbox, command.items, keywords).setsSeen { marked = try markSeen(ranges, in: mailbox) }
        let plan = FetchPlan(mailbox, command.items, keywords)
        // Who is told where it ended is told the highest first (RFC 9738 section 3.1).
        if limited.lowestUID != nil { ranges = ranges.reversed().flatMap { $0.reversed().map { $0..<$0 + 1 } } }
        var lost: CommandFailure?
        var out = ResponseWriter()
        let lines = FlagLines(command.items, mailbox, keywords, isUIDOnly: enabled.contains(.uidOnly))
        for range in ranges {
            if let lines {
                try lines.write(range, to: &out) { (out) throws(CommandFailure) in
                    try ending { () throws(SessionEnd) in try stream.send(&out) }
                }
                continue
            }
            for position in range {
                let start = out.count
                let sent = stream.bytesOut
                do throws(CommandFailure) {
                    try fetch(position, plan, isMarked: marked.contains(UInt32(clamping: position)), to: &out)
                } catch {
                    guard error.concernsOneMessage else { throw error }
                    // In the middle of a line nothing else can be said.
                    guard stream.bytesOut == sent else { throw .end(.inconsistent("a message could not be read to its end")) }
                    // Nothing of this message was sent yet: the others are still of use.
                    out.bytes.removeLast(out.count - start)
                    lost = error
                }
                if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
            }
        }
        stream.out.raw(out.bytes)
        if let lost {
            try reportChanges(expunges: command.isUID, withUID: command.isUID)
            throw lost
        }
        var completion = try report("Fetch completed.", expunges: command.isUID, withUID: command.isUID)
        tellLimit(limited.lowestUID, in: &completion)
        return completion
    }

    /// The messages from the `first` to the `last` one of those in `ranges`.
    private static func part(_ partial: ResultRange, of ranges: [Range<Int>]) -> [Range<Int>] {
        let wanted = partial.indexes(in: ranges.reduce(0) { $0 + $1.count })
        var before = 0
        var part: [Range<Int>] = []
        for range in ranges {
            let cut = wanted.clamped(to: before..<before + range.count)
            if !cut.isEmpty { part.append(cut.lowerBound - before + range.lowerBound..<cut.upperBound - before + range.lowerBound) }
            before += range.count
        }
        return part
    }

    /// CHANGEDSINCE: of these messages the ones that changed later; with VANISHED it is told before which ones are gone.
    private func changed(
        since modSeq: UInt64, _ command: FetchCommand, _ ranges: [Range<Int>], in mailbox: any Mailbox
    ) throws(CommandFailure) -> [Range<Int>] {
        if command.wantsVanished {
            guard enabled.contains(.qresync) else { throw .bad("VANISHED takes ENABLE QRESYNC") }
            let known = command.set.isSavedResult ? savedSearch : command.set.resolved(largest: max(1, mailbox.uidNext - 1))
            writeVanished(vanished(since: modSeq, among: known, in: mailbox), earlier: true)
        }
        let changed = NumberSet(mailbox.changed(since: modSeq).lazy.map { UInt32(clamping: $0) })
        return ranges.flatMap { range in
            changed.ranges.compactMap { part in
                let cut = range.clamped(to: Int(part.lowerBound)..<Int(part.upperBound) + 1)
                return cut.isEmpty ? nil : cut
            }
        }
    }

    /// Sets \Seen before the messages are sent, in one change; answers the positions where it was not set.
    private func markSeen(_ ranges: [Range<Int>], in mailbox: any Mailbox) throws(CommandFailure) -> NumberSet {
        let messages = mailbox.messages
        let unseen = ranges.flatMap { range in range.filter { !messages[$0].flags.contains(.seen) } }
        guard !unseen.isEmpty else { return NumberSet() }
        let changed = try storing { () throws(StoreError) in try mailbox.change(unseen, FlagChange(.add, flags: .seen)) }
        touch(changed, in: mailbox)
        return NumberSet(changed.lazy.map { UInt32(clamping: $0) })
    }

    // message-data = nz-number SP ("FETCH" SP msg-att)
    func fetch(_ position: Int, _ plan: FetchPlan, isMarked: Bool, to out: inout ResponseWriter) throws(CommandFailure) {
        let message = plan.messages[position]
        var source: MessageReader?
        beginFetch(message, at: position, to: &out)
        for (index, item) in plan.items.enumerated() {
            if index > 0 { out.byte(0x20) }
            switch item {
            case .uid:
                out.text("UID ")
                out.number(message.uid)
            case .flags: plan.keywords.writeFlags(message, to: &out)
            case .internalDate:
                out.text("INTERNALDATE ")
                let date = try storing { () throws(StoreError) in try plan.mailbox.internalDate(at: position) }
                out.dateTime(DateTime(unixSeconds: date))
            case .rfc822Size:
                out.text("RFC822.SIZE ")
                out.number(try storing { () throws(StoreError) in try plan.mailbox.virtualSize(at: position) })
            case .envelope:
                out.text("ENVELOPE ")
                out.raw(try text(.envelope, at: position, plan, &source))
            case .bodyStructure:
                out.text("BODYSTRUCTURE ")
                out.raw(try text(.bodyStructure, at: position, plan, &source))
            case .body:
                out.text("BODY ")
                out.raw(try text(.body, at: position, plan, &source))
            case .modSeq: writeModSeq(at: position, of: plan.mailbox, to: &out)
            case .emailID:
                out.text("EMAILID (")
                out.raw(ObjectID.email(plan.mailbox.guid(at: position)))
                out.byte(0x29)
            case .threadID:
                out.text("THREADID (")
                let id = try storing { () throws(StoreError) in
                    try ObjectID.thread(at: position, in: plan.mailbox, source: plan.keys)
                }
                out.raw(id)
                out.byte(0x29)
            case .saveDate:
                out.text("SAVEDATE ")
                let date = try storing { () throws(StoreError) in try plan.mailbox.saveDate(at: position) }
                out.dateTime(DateTime(unixSeconds: date))
            case .preview(let isLazy): try fetchPreview(isLazy: isLazy, position, plan, &source, to: &out)
            case .binary(let part, _, let partial): try fetchBinary(part, partial, position, plan, &source, to: &out)
            case .binarySize(let part): try fetchBinarySize(part, position, plan, &source, to: &out)
            default: try fetchSection(item, position, plan, &source, to: &out)
            }
        }
        if isMarked, !plan.wantsFlags {
            out.byte(0x20)
            plan.keywords.writeFlags(message, to: &out)
        }
        if isMarked, enabled.contains(.condStore), !plan.items.contains(.modSeq) {
            out.byte(0x20)
            writeModSeq(at: position, of: plan.mailbox, to: &out)
        }
        out.byte(0x29)
        out.newline()
    }

    /// Rendered text from the index, or else from the message, which then is remembered there.
    private func text(_ item: CachedItem, at position: Int, _ plan: FetchPlan, _ source: inout MessageReader?) throws(CommandFailure)
        -> ArraySlice<UInt8>
    {
        if let known = plan.mailbox.cached(item, at: position) { return known }
        let reader = try open(position, plan, &source)
        let text = try storing { () throws(StoreError) in
            if item == .envelope, !plan.needsStructure { return try reader.envelopeText() }
            let structure = try reader.structure()
            return item == .envelope ? structure.envelopeText : structure.structureText(isExtended: item == .bodyStructure)
        }
        plan.mailbox.remember(item, text, at: position)
        return text[...]
    }

    func open(_ position: Int, _ plan: FetchPlan, _ source: inout MessageReader?) throws(CommandFailure) -> MessageReader {
        if let source { return source }
        let reader = MessageReader(try storing { () throws(StoreError) in try plan.mailbox.content(at: position) }, plan.buffer)
        if let last = lastStructure, last.mailbox == ObjectIdentifier(plan.mailbox), last.uid == plan.messages.uid(at: position) {
            reader.adopt(last.message)
        }
        source = reader
        return reader
    }

    /// The positions that a set names, as ranges.
    func positions(_ set: SequenceSet, isUID: Bool, in mailbox: any Mailbox) throws(CommandFailure) -> [Range<Int>] {
        let messages = mailbox.messages
        if set.isSavedResult { return Self.positions(ofUIDs: savedSearch, in: mailbox, count: messages.count) }
        if isUID { return Self.positions(ofUIDs: set.resolved(largest: messages.last?.uid ?? 0), in: mailbox, count: messages.count) }
        let numbers = set.resolved(largest: UInt32(clamping: messages.count))
        guard Int(numbers.ranges.last?.upperBound ?? 0) <= messages.count else { throw .bad("Invalid messageset") }
        return numbers.ranges.map { Int($0.lowerBound) - 1..<Int($0.upperBound) }
    }

    static func positions(ofUIDs uids: NumberSet, in mailbox: any Mailbox, count: Int) -> [Range<Int>] {
        uids.ranges.compactMap { range in
            let start = mailbox.position(of: range.lowerBound).index
            let last = mailbox.position(of: range.upperBound)
            let end = min(count, last.isExact ? last.index + 1 : last.index)
            return start < end ? start..<end : nil
        }
    }
}
