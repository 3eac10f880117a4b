internal import IMAPSyntax
internal import MailStore
internal import MessageFormat
internal import Platform

/// A search key made ready for one mailbox: sets resolved, texts folded, cheap conditions before dear ones.
indirect enum SearchCondition {
    case all, none
    case and([SearchCondition])
    case or(SearchCondition, SearchCondition)
    case not(SearchCondition)
    /// Positions, as ranges.
    case positions(NumberSet)
    case flags(MessageFlags)
    case keyword(Int)
    /// What was decided for all messages before.
    case decided(PositionSet)
    case internalDate(SearchKey.DateTest)
    case sentDate(SearchKey.DateTest)
    case saveDate(SearchKey.DateTest)
    case modSeq(UInt64)
    /// EMAILID.
    case email([UInt8])
    /// THREADID.
    case thread([UInt8])
    /// Arrived at this moment or later.
    case arrivedSince(Int64)
    case larger(Int64)
    case smaller(Int64)
    case header(name: [UInt8], TextMatcher)
    /// In the body, and in the header as well.
    case body(TextMatcher, withHeader: Bool)

    /// Depth is bounded by the parser.
    init(_ key: SearchKey, _ session: IMAPSession, _ mailbox: any Mailbox, saved: NumberSet) throws(CommandFailure) {
        switch key {
        case .all: self = .all
        case .and(let keys):
            var conditions: [SearchCondition] = []
            for key in keys { conditions.append(try SearchCondition(key, session, mailbox, saved: saved)) }
            self = .and(conditions.sorted { $0.cost < $1.cost })
        case .or(let first, let second):
            let a = try SearchCondition(first, session, mailbox, saved: saved)
            let b = try SearchCondition(second, session, mailbox, saved: saved)
            self = a.cost <= b.cost ? .or(a, b) : .or(b, a)
        case .not(let inner): self = .not(try SearchCondition(inner, session, mailbox, saved: saved))
        case .numbers(let set):
            if !set.isSavedResult { try session.requireUID(false) }
            self = .positions(try Self.positions(set, isUID: false, session, mailbox, saved))
        case .uids(let set): self = .positions(try Self.positions(set, isUID: true, session, mailbox, saved))
        case .uidAfter(let uid): self = .positions(uid == .max ? NumberSet() : Self.positions(uid + 1, .max, mailbox))
        case .uidBefore(let uid): self = .positions(uid == 1 ? NumberSet() : Self.positions(1, uid - 1, mailbox))
        case .flag(let flag): self = .flags(MessageFlags(rawValue: flag.rawValue))
        case .recent: self = .flags(.recent)
        case .keyword(let name):
            let index = mailbox.keywords.firstIndex { keyword in keyword.map { $0.bytes.map(\.lower) == name.map(\.lower) } ?? false }
            self = index.map { .keyword($0) } ?? .none
        case .header(let name, let text): self = .header(name: name, TextMatcher(text, session.comparator))
        case .body(let text): self = text.isEmpty ? .all : .body(TextMatcher(text, session.comparator), withHeader: false)
        case .text(let text): self = text.isEmpty ? .all : .body(TextMatcher(text, session.comparator), withHeader: true)
        case .larger(let size): self = .larger(size)
        case .smaller(let size): self = .smaller(size)
        case .date(let test): self = .internalDate(test)
        case .sent(let test): self = .sentDate(test)
        case .saved(let test): self = .saveDate(test)
        case .filter(let name):
            // A filter may name another one, but not for ever.
            guard session.filterDepth < 8 else { throw .undefinedFilter(name) }
            session.filterDepth += 1
            defer { session.filterDepth -= 1 }
            self = try SearchCondition(try session.filter(name), session, mailbox, saved: saved)
        case .modSeq(let least): self = .modSeq(least)
        case .emailID(let id): self = .email(id)
        case .threadID(let id): self = .thread(id)
        case .younger(let seconds): self = .arrivedSince(Clock.unixSeconds - Int64(seconds))
        case .older(let seconds): self = .not(.arrivedSince(Clock.unixSeconds - Int64(seconds) + 1))
        }
    }

    private static func positions(
        _ set: SequenceSet, isUID: Bool, _ session: IMAPSession, _ mailbox: any Mailbox, _ saved: NumberSet
    ) throws(CommandFailure) -> NumberSet {
        let ranges =
            set.isSavedResult
            ? IMAPSession.positions(ofUIDs: saved, in: mailbox, count: mailbox.messages.count)
            : try session.positions(set, isUID: isUID, in: mailbox)
        var numbers = NumberSet()
        for range in ranges { numbers.insert(UInt32(clamping: range.lowerBound)...UInt32(clamping: range.upperBound - 1)) }
        return numbers
    }

    private static func positions(_ first: UInt32, _ last: UInt32, _ mailbox: any Mailbox) -> NumberSet {
        let ranges = IMAPSession.positions(ofUIDs: NumberSet(first...last), in: mailbox, count: mailbox.messages.count)
        return ranges.first.map { NumberSet(UInt32(clamping: $0.lowerBound)...UInt32(clamping: $0.upperBound - 1)) } ?? NumberSet()
    }

    /// What it takes to decide: 0 bits of all messages together (`SetSearch`), 1 a record of the index, 2 a look at the file's attributes, 3 its
    /// header, 4 all of it.
    var cost: Int {
        switch self {
        case .all, .none, .positions, .flags, .keyword, .decided: 0
        case .email, .modSeq: 1
        case .internalDate, .saveDate, .arrivedSince, .larger, .smaller: 2
        case .sentDate, .header, .thread: 3
        case .body: 4
        case .not(let inner): inner.cost
        case .or(let a, let b): max(a.cost, b.cost)
        case .and(let conditions): conditions.last?.cost ?? 0
        }
    }
}

/// Decides whether messages of one mailbox match, where bits do not say it (`SetSearch`); opens a message at most once, and only when it must.
final class MessageSearch {
    private let mailbox: any Mailbox
    private var position = -1
    private var reader: MessageReader?
    private let buffer = ReadBuffer()

    private let keys: KeySource

    init(_ mailbox: any Mailbox) {
        self.mailbox = mailbox
        keys = KeySource(mailbox)
    }

    func matches(_ position: Int, _ condition: SearchCondition) throws(StoreError) -> Bool {
        if position != self.position {
            self.position = position
            reader = nil
        }
        switch condition {
        case .all: return true
        case .none: return false
        case .and(let conditions):
            for condition in conditions where try !matches(position, condition) { return false }
            return true
        case .or(let a, let b):
            if try matches(position, a) { return true }
            return try matches(position, b)
        case .not(let inner): return try !matches(position, inner)
        case .positions(let numbers): return numbers.contains(UInt32(clamping: position))
        case .flags(let flags): return mailbox.messages[position].flags.contains(flags)
        case .keyword(let index): return mailbox.messages[position].keywords.contains(index)
        case .decided(let set): return set.contains(position)
        case .internalDate(let test): return test.includes(Self.day(try mailbox.internalDate(at: position)))
        case .saveDate(let test): return test.includes(Self.day(try mailbox.saveDate(at: position)))
        case .modSeq(let least): return mailbox.modSeq(at: position) >= least
        case .email(let id): return ObjectID.email(mailbox.guid(at: position)) == id
        case .thread(let id): return try ObjectID.thread(at: position, in: mailbox, source: keys) == id
        case .arrivedSince(let moment): return try mailbox.internalDate(at: position) >= moment
        case .larger(let size): return try mailbox.virtualSize(at: position) > size
        case .smaller(let size): return try mailbox.virtualSize(at: position) < size
        case .sentDate(let test):
            guard let day = try keys.keys(at: position).sentDay else { return false }
            return test.includes(CalendarDate(daysSince1970: day))
        case .header(let name, let matcher): return try headerMatches(name, matcher)
        case .body(let matcher, let withHeader): return try textMatches(matcher, withHeader: withHeader)
        }
    }

    private static func day(_ seconds: Int64) -> CalendarDate {
        CalendarDate(daysSince1970: seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
    }

    private func open() throws(StoreError) -> MessageReader {
        if let reader { return reader }
        let opened = MessageReader(try mailbox.content(at: position), buffer)
        reader = opened
        return opened
    }

    private func headerMatches(_ name: [UInt8], _ matcher: TextMatcher) throws(StoreError) -> Bool {
        let lines = try lines(of: name)
        guard matcher.mayBeFound(inHeader: lines) else { return false }
        for field in HeaderFields(lines) where field.name.isName(name) {
            if matcher.isFound(in: EncodedWords.decode(field.unfolded)) { return true }
        }
        return false
    }

    /// The lines of all fields of this name, and perhaps of others.
    private func lines(of name: [UInt8]) throws(StoreError) -> ArraySlice<UInt8> {
        let isCommon = CommonFields.contains(name)
        let item = isCommon ? CachedItem.fields : .header(name.map(\.lower))
        if let known = mailbox.cached(item, at: position) { return known }
        let header = try open().header()
        var lines: [UInt8] = []
        if isCommon {
            lines = CommonFields.lines(of: header[...])
        } else {
            for field in HeaderFields(header) where field.name.isName(name) { lines.append(contentsOf: field.lines) }
        }
        mailbox.remember(item, lines, at: position)
        return lines[...]
    }

    /// Looks through header and text parts, decoded; parts that are no text hold nothing to find.
    private func textMatches(_ matcher: TextMatcher, withHeader: Bool) throws(StoreError) -> Bool {
        let reader = try open()
        let message = try reader.structure(skipsEnvelopes: true)
        for (index, part) in message.parts.enumerated() {
            if index == 0 ? withHeader : part.envelope != nil {
                let header = try reader.bytes(at: part.header.start, atMost: Int(part.header.size))
                if matcher.mayBeFound(inHeader: header[...]), Self.matches(header, matcher) { return true }
            }
            if part.kind == .single, part.type.isName("text"), try bodyMatches(part, matcher, reader) { return true }
        }
        return false
    }

    private static func matches(_ header: [UInt8], _ matcher: TextMatcher) -> Bool {
        for field in HeaderFields(header) {
            if matcher.isFound(in: field.name + [0x3a] + EncodedWords.decode(field.unfolded)) { return true }
        }
        return false
    }

    private func bodyMatches(_ part: Part, _ matcher: TextMatcher, _ reader: MessageReader) throws(StoreError) -> Bool {
        guard var decoder = TextDecoder(part) else { return false }
        var stream = TextMatcher.Stream(matcher)
        var text: [UInt8] = []
        var offset = part.body.start
        while offset < part.body.end {
            let chunk = try reader.chunk(at: offset, atMost: Int(min(65_536, part.body.end - offset)))
            if chunk.isEmpty { break }
            offset += Int64(chunk.count)
            text.removeAll(keepingCapacity: true)
            decoder.decode(chunk, into: &text)
            if offset >= part.body.end { decoder.finish(into: &text) }
            if stream.feed(text[...]) { return true }
        }
        return stream.feed([], isEnd: true)
    }
}
