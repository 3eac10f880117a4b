internal import IMAPSyntax
internal import MailStore

// CONDSTORE and QRESYNC (RFC 7162).
extension IMAPSession {
    /// A command that speaks of modseqs was given: from now on every change is told with its modseq (section 3.1).
    func enableModSeq() {
        guard !enabled.contains(.condStore) else { return }
        enabled.insert(.condStore)
        if let mailbox { writeHighestModSeq(mailbox) }
    }

    // resp-text-code =/ "HIGHESTMODSEQ" SP mod-sequence-value
    func writeHighestModSeq(_ mailbox: any Mailbox) {
        stream.out.text("* OK [HIGHESTMODSEQ ")
        stream.out.number(mailbox.highestModSeq)
        stream.out.text("] Highest")
        stream.out.newline()
    }

    /// The response code of commands that expunged, once QRESYNC is enabled (section 3.2.7).
    func highestModSeqCode(_ mailbox: any Mailbox) -> ResponseWriter {
        var code = ResponseWriter()
        guard enabled.contains(.qresync) else { return code }
        code.text("[HIGHESTMODSEQ ")
        code.number(mailbox.highestModSeq)
        code.byte(0x5d)
        return code
    }

    // fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"
    func writeModSeq(at position: Int, of mailbox: any Mailbox, to out: inout ResponseWriter) {
        out.text("MODSEQ (")
        out.number(mailbox.modSeq(at: position))
        out.byte(0x29)
    }

    // expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids
    func writeVanished(_ uids: NumberSet, earlier: Bool) {
        guard !uids.isEmpty else { return }
        stream.out.text(earlier ? "* VANISHED (EARLIER) " : "* VANISHED ")
        stream.out.set(uids)
        stream.out.newline()
    }

    /// What of `known` went away after `modSeq`.
    func vanished(since modSeq: UInt64, among known: NumberSet, in mailbox: any Mailbox) -> NumberSet {
        var uids = NumberSet()
        for range in mailbox.vanished(since: modSeq) {
            for wanted in known.ranges where wanted.overlaps(range) { uids.insert(range.clamped(to: wanted)) }
        }
        return uids
    }

    /// The highest UID that still has the message number by which the client knows it (section 3.2.5.2): then nothing below it went away.
    /// Both sets are walked range by range, never expanded: with the number the distance of UID and number never falls.
    static func lastMatch(_ numbers: NumberSet, _ uids: NumberSet, _ mailbox: any Mailbox) -> UInt32? {
        let messages = mailbox.messages
        var last: UInt32?
        var number = numbers.ranges[...]
        var uid = uids.ranges[...]
        while let a = number.first, let b = uid.first {
            let count = min(a.upperBound - a.lowerBound, b.upperBound - b.lowerBound)
            let distance = Int64(b.lowerBound) - Int64(a.lowerBound)
            var low = Int(a.lowerBound) - 1
            let start = low
            var high = min(messages.count, low + Int(count) + 1)
            while low < high {
                let middle = (low + high) / 2
                if Int64(messages.uid(at: middle)) - Int64(middle + 1) <= distance { low = middle + 1 } else { high = middle }
            }
            if low > start, low <= messages.count {
                let uid = messages.uid(at: low - 1)
                if Int64(uid) - Int64(low) == distance { last = uid }
            }
            number = Self.dropping(count, number, a)
            uid = Self.dropping(count, uid, b)
        }
        return last
    }

    /// Without the first `count + 1` numbers, which are in the first range.
    private static func dropping(
        _ count: UInt32, _ ranges: ArraySlice<ClosedRange<UInt32>>, _ first: ClosedRange<UInt32>
    ) -> ArraySlice<ClosedRange<UInt32>> {
        var rest = ranges.dropFirst()
        if first.lowerBound + count < first.upperBound { rest = [first.lowerBound + count + 1...first.upperBound] + rest }
        return rest
    }

    /// What a client missed since it saw the mailbox last (section 3.2.5).
    func resynchronize(_ resync: SelectCommand.Resynchronization, _ mailbox: any Mailbox) throws(CommandFailure) {
        guard resync.uidValidity == mailbox.uidValidity else { return }
        let largest = mailbox.uidNext - 1
        guard largest > 0 else { return }
        let known = resync.knownUIDs?.resolved(largest: largest) ?? NumberSet(1...largest)
        var unsure = known
        if let matches = resync.matches, let last = Self.lastMatch(matches.numbers, matches.uids, mailbox) {
            // What is above is looked at; up to there nothing went away since.
            unsure = NumberSet(known.ranges.lazy.filter { $0.upperBound > last }.map { max($0.lowerBound, last + 1)...$0.upperBound })
        }
        writeVanished(vanished(since: resync.modSeq, among: unsure, in: mailbox), earlier: true)
        let messages = mailbox.messages
        let keywords = flagTexts(of: mailbox)
        var out = ResponseWriter()
        for position in mailbox.changed(since: resync.modSeq) where known.contains(messages.uid(at: position)) {
            writeFlags(of: messages[position], at: position, keywords, withUID: true, to: &out)
            if out.count > ClientStream.flushSize { try ending { () throws(SessionEnd) in try stream.send(&out) } }
        }
        stream.out.raw(out.bytes)
    }

    /// `* n FETCH (UID u MODSEQ (m))`: what a STORE is answered with that asks for silence.
    func writeModSeqs(at positions: [Int], _ mailbox: any Mailbox, withUID: Bool) {
        let messages = mailbox.messages
        for position in positions where messages.indices.contains(position) {
            beginFetch(messages[position], at: position, to: &stream.out)
            if withUID || enabled.contains(.qresync) {
                stream.out.text("UID ")
                stream.out.number(messages.uid(at: position))
                stream.out.byte(0x20)
            }
            writeModSeq(at: position, of: mailbox, to: &stream.out)
            stream.out.byte(0x29)
            stream.out.newline()
        }
    }

    /// The highest modseq of what a SEARCH for MODSEQ tells (section 3.1.5): of the first and last one where only these are told.
    static func highestModSeq(_ found: [Int], _ returns: SearchCommand.Returns?, _ mailbox: any Mailbox) -> UInt64? {
        guard let first = found.first, let last = found.last else { return nil }
        guard let returns, returns.isDisjoint(with: [.all, .count, .partial]), !returns.isDisjoint(with: [.min, .max]) else {
            return found.lazy.map { mailbox.modSeq(at: $0) }.max()
        }
        var told: [Int] = []
        if returns.contains(.min) { told.append(first) }
        if returns.contains(.max) { told.append(last) }
        return told.lazy.map { mailbox.modSeq(at: $0) }.max()
    }
}
