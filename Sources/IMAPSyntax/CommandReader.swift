/// One command as it came: its lines without their ends, its literals in place right after their `{n}`.
package struct RawCommand: Equatable, Sendable {
    package var bytes: [UInt8]
    /// Where the literals are in `bytes`, in order.
    package var literals: [Range<Int>]

    package init(bytes: [UInt8] = [], literals: [Range<Int>] = []) {
        self.bytes = bytes
        self.literals = literals
    }

    /// The tag for an answer to a command that could not be read to its end; `*` when there is no valid one.
    package var tagOrStar: [UInt8] {
        let tag = bytes.prefix { ASCIISet.tag.contains($0) }
        guard !tag.isEmpty, tag.count <= Limits.tag, tag.count < bytes.count, bytes[tag.count] == 0x20 else { return [0x2a] }
        return Array(tag)
    }

    /// Whether the command is `name` (upper case), as far as it was read.
    func isNamed(_ name: String) -> Bool {
        guard let space = bytes.firstIndex(of: 0x20) else { return false }
        let word = bytes[(space + 1)...].prefix { $0 != 0x20 }
        return word.isWord(name)
    }

    /// Of APPEND, REPLACE and UID REPLACE: words up to the mailbox, its own not counted; nil for other commands.
    private var wordsBeforeMailbox: Int? {
        if isNamed("APPEND") { return 2 }
        if isNamed("REPLACE") { return 3 }
        guard isNamed("UID") else { return nil }
        let words = bytes.prefix(Limits.tag + 16).split(separator: 0x20, maxSplits: 3)
        return words.count > 2 && words[2].isWord("REPLACE") ? 4 : nil
    }

    /// It carries messages: see `CommandParser.append`.
    package var isAppend: Bool { wordsBeforeMailbox != nil }

    /// Whether a literal of `length` bytes of announcement at its end is a message, and not the name of the mailbox.
    func announcesMessage(_ length: Int) -> Bool? {
        guard let wordsBeforeMailbox else { return nil }
        return bytes.dropLast(length).split(separator: 0x20).count > wordsBeforeMailbox
    }
}

/// Cuts a byte stream into commands. Holds no more than the limits allow; does no I/O: the owner feeds it bytes and acts on its answers.
package struct CommandReader {
    /// What the reader found, and with that what its owner has to do.
    package enum Event: Equatable {
        /// Feed more bytes, then ask again.
        case needMore
        /// The client waits for `+` before it sends a literal of this many bytes: send it, then go on.
        case continuation(literal: Int)
        /// A complete command.
        case command(RawCommand)
        /// APPEND up to the announcement of a message, which is not held in memory: ask `takeLiteral`, or `refuseLiteral` it.
        /// After the message, `command` brings what follows it: an empty line, or (MULTIAPPEND) the next `appendLiteral`.
        case appendLiteral(RawCommand, size: Int64, nonSynchronising: Bool)
        /// A limit was passed; the reader goes on with the next command unless the connection has to be closed.
        case overLimit(OverLimit)
    }

    /// A limit that was passed while a command was read.
    package struct OverLimit: Equatable {
        package enum Kind: Equatable { case line, literal, literalSum, literalCount }
        package var kind: Kind
        /// The tag to answer, `*` if there is none.
        package var tag: [UInt8]
        /// The client sends bytes that must not be taken for commands: say BYE and close.
        package var mustClose: Bool
    }

    /// A single line, for SASL responses and DONE.
    package enum LineEvent: Equatable {
        case needMore
        case line([UInt8])
        case overLimit
    }

    private enum State: Equatable {
        case line
        case literal(remaining: Int)
        case announced(size: Int64)
        case skipping
    }

    package let limits: Limits
    private var state = State.line
    private var pending: [UInt8] = []
    private var start = 0
    private var scanned = 0
    private var command = RawCommand()
    private var literalSum = 0
    private var isAfterMessage = false

    package init(limits: Limits, pending: [UInt8] = []) {
        self.limits = limits
        self.pending = pending
    }

    /// Adds bytes from the client.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) {
        compact()
        pending.append(contentsOf: bytes)
    }

    /// Bytes that were fed and not used yet, for instance to hand them over to another process.
    package var unread: ArraySlice<UInt8> { pending[start...] }

    /// Throws away what was fed and not used (STARTTLS: nothing sent before TLS may count after it).
    package mutating func discardUnread() {
        self = CommandReader(limits: limits)
    }

    /// Whether a command was begun and not finished.
    package var isInsideCommand: Bool { state != .line || !command.bytes.isEmpty || start < pending.count }

    /// The next thing found in the bytes so far.
    package mutating func next() -> Event {
        while true {
            switch state {
            case .line:
                let end = lineEnd()
                if isTooLong(upTo: end ?? pending.count) { return lineTooLong(upTo: end ?? pending.count, isComplete: end != nil) }
                guard let end else { return .needMore }
                if let event = finishLine(upTo: end) { return event }
            case .literal(let remaining):
                let count = min(remaining, pending.count - start)
                command.bytes.append(contentsOf: pending[start..<start + count])
                advance(to: start + count)
                state = remaining == count ? .line : .literal(remaining: remaining - count)
                if remaining > count { return .needMore }
            case .announced:
                return .needMore
            case .skipping:
                guard let end = lineEnd() else {
                    advance(to: pending.count)
                    return .needMore
                }
                advance(to: end + 1)
                reset()
            }
        }
    }

    /// One line without its end, at most `limit` bytes: not a command.
    package mutating func nextLine(atMost limit: Int) -> LineEvent {
        guard let end = lineEnd() else { return pending.count - start > limit + 1 ? .overLimit : .needMore }
        let line = pending[start..<withoutCarriageReturn(end)]
        advance(to: end + 1)
        return line.count > limit ? .overLimit : .line(Array(line))
    }
}

extension CommandReader {
    /// Bytes of the announced message that are still to come.
    package var literalRemaining: Int64 {
        if case .announced(let size) = state { return size }
        return 0
    }

    /// Message bytes that were fed already, at most `count`; empty when the owner has to read more.
    package mutating func takeLiteral(atMost count: Int) -> ArraySlice<UInt8> {
        guard case .announced(let size) = state, size > 0 else { return [] }
        let taken = min(count, pending.count - start, Int(clamping: size))
        let bytes = pending[start..<start + taken]
        start += taken
        scanned = start
        consumeLiteral(taken)
        return bytes
    }

    /// Tells that `count` bytes of the message were read from the client without passing through here.
    package mutating func consumeLiteral(_ count: Int) {
        guard case .announced(let size) = state else { return }
        state = Int64(count) >= size ? .line : .announced(size: size - Int64(count))
    }

    /// Ends a command whose synchronising message literal was refused: the client does not send it.
    package mutating func refuseLiteral() { reset() }

    /// Where the current line ends; bytes that were looked at before are not looked at again.
    private mutating func lineEnd() -> Int? {
        guard let end = pending[max(scanned, start)...].firstIndex(of: 0x0a) else {
            scanned = pending.count
            return nil
        }
        scanned = end
        return end
    }

    /// Whether the command, its line read up to `end` included, is longer than it may be. A line of AUTHENTICATE may carry a SASL message.
    private func isTooLong(upTo end: Int) -> Bool {
        let length = withoutCarriageReturn(end) - start + command.bytes.count - literalSum
        guard length > limits.line else { return false }
        let head = RawCommand(bytes: Array((command.bytes + pending[start..<end]).prefix(Limits.tag + 32)))
        return !head.isNamed("AUTHENTICATE") || length > Limits.saslLine
    }

    private func withoutCarriageReturn(_ end: Int) -> Int {
        end > start && pending[end - 1] == 0x0d ? end - 1 : end
    }

    private mutating func lineTooLong(upTo end: Int, isComplete: Bool) -> Event {
        command.bytes.append(contentsOf: pending[start..<end].prefix(Limits.tag + 1))
        let tag = command.tagOrStar
        advance(to: isComplete ? end + 1 : end)
        reset()
        if !isComplete { state = .skipping }
        return .overLimit(OverLimit(kind: .line, tag: tag, mustClose: false))
    }

    /// Takes a complete line; answers an event, or nil when a non-synchronising literal follows at once.
    private mutating func finishLine(upTo end: Int) -> Event? {
        let line = pending[start..<withoutCarriageReturn(end)]
        let announcement = LiteralAnnouncement(endOf: line)
        let isFirstLine = command.bytes.isEmpty
        command.bytes.append(contentsOf: line)
        advance(to: end + 1)
        guard let announcement else {
            let complete = command
            reset()
            return .command(complete)
        }
        if announcement.isNonSynchronising, announcement.size > limits.nonSynchronising {
            let refusal = OverLimit(kind: .literal, tag: command.tagOrStar, mustClose: true)
            reset()
            return .overLimit(refusal)
        }
        if limits.streamsAppend, announcesMessage(announcement, isFirstLine: isFirstLine) {
            let head = command
            reset()
            isAfterMessage = true
            state = announcement.size == 0 ? .line : .announced(size: announcement.size)
            return .appendLiteral(head, size: announcement.size, nonSynchronising: announcement.isNonSynchronising)
        }
        return accept(announcement)
    }

    private mutating func accept(_ announcement: LiteralAnnouncement) -> Event? {
        let size = Int(clamping: announcement.size)
        let kind: OverLimit.Kind? =
            size > limits.literal
            ? .literal
            : size > limits.literalSum - literalSum ? .literalSum : command.literals.count >= limits.literalCount ? .literalCount : nil
        if let kind {
            let refusal = OverLimit(kind: kind, tag: command.tagOrStar, mustClose: announcement.isNonSynchronising)
            reset()
            return .overLimit(refusal)
        }
        literalSum += size
        command.literals.append(command.bytes.count..<command.bytes.count + size)
        state = .literal(remaining: size)
        return announcement.isNonSynchronising ? nil : .continuation(literal: size)
    }

    /// The first literal of APPEND or REPLACE is its mailbox when nothing stands between the two; every other one is a message.
    private func announcesMessage(_ announcement: LiteralAnnouncement, isFirstLine: Bool) -> Bool {
        if isAfterMessage { return true }
        guard let isMessage = command.announcesMessage(announcement.length) else { return false }
        return !isFirstLine || isMessage
    }

    private mutating func reset() {
        command = RawCommand()
        literalSum = 0
        isAfterMessage = false
        state = .line
    }

    private mutating func advance(to index: Int) {
        start = index
        scanned = index
        compact()
    }

    /// Drops used bytes once they are many, so that the buffer does not grow with the session.
    private mutating func compact() {
        if start == pending.count {
            pending.removeAll(keepingCapacity: pending.capacity <= 65_536)
            start = 0
            scanned = 0
        } else if start > 32_768 {
            pending.removeFirst(start)
            scanned -= start
            start = 0
        }
    }
}
