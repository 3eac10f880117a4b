internal import IMAPSyntax
internal import MailStore

/// Writes the lines of a FETCH that asks for nothing but UIDs, flags and modseqs: what is the same in all of them is made once, and each
/// line is put together byte by byte in one piece of memory.
struct FlagLines {
    private enum Piece {
        /// A part of `texts`.
        case text(Int, Int)
        case sequence, uid, flags, modSeq
    }

    private let mailbox: any Mailbox
    private let keywords: KeywordTexts
    private var pieces: [Piece] = []
    private var texts: [UInt8] = []
    /// No line is longer.
    private var longest: Int

    /// Messages whose lines are made at once.
    private static let portion = 512

    /// Nil: something else is asked for.
    init?(_ items: [FetchItem], _ mailbox: any Mailbox, _ keywords: KeywordTexts, isUIDOnly: Bool) {
        self.mailbox = mailbox
        self.keywords = keywords
        longest = 0
        add("* ")
        pieces.append(isUIDOnly ? .uid : .sequence)
        add(isUIDOnly ? " UIDFETCH (" : " FETCH (")
        for (index, item) in items.enumerated() {
            if index > 0 { add(" ") }
            switch item {
            case .uid:
                add("UID ")
                pieces.append(.uid)
            case .flags:
                add("FLAGS (")
                pieces.append(.flags)
                add(")")
            case .modSeq:
                add("MODSEQ (")
                pieces.append(.modSeq)
                add(")")
            default: return nil
            }
        }
        add(")\r\n")
        for piece in pieces {
            switch piece {
            case .text(let from, let to): longest += to - from
            case .sequence, .uid, .modSeq: longest += 20
            case .flags: longest += keywords.longest
            }
        }
    }

    /// Text that follows another becomes a part of it.
    private mutating func add(_ text: String) {
        let start = texts.count
        texts.append(contentsOf: text.utf8)
        if case .text(let from, start)? = pieces.last {
            pieces[pieces.count - 1] = .text(from, texts.count)
        } else {
            pieces.append(.text(start, texts.count))
        }
    }

    /// Writes the lines of the messages at these positions; `send` is called when they are many bytes.
    func write<E: Error>(
        _ positions: Range<Int>, to out: inout ResponseWriter, send: (inout ResponseWriter) throws(E) -> Void
    ) throws(E) {
        var buffer: [UInt8] = []
        var messages: [Message] = []
        var start = positions.lowerBound
        while start < positions.upperBound {
            let portion = start..<min(positions.upperBound, start + Self.portion)
            mailbox.messages.read(portion, into: &messages)
            if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: longest * portion.count) }
            var end = 0
            for (index, message) in messages.enumerated() { write(message, at: start + index, &buffer, &end) }
            out.raw(buffer[..<end])
            start = portion.upperBound
            if out.count > ClientStream.flushSize { try send(&out) }
        }
    }

    private func write(_ message: Message, at position: Int, _ line: inout [UInt8], _ end: inout Int) {
        for piece in pieces {
            switch piece {
            case .text(let from, let to): line.put(texts, from, to, at: &end)
            case .sequence: line.put(UInt64(position + 1), at: &end)
            case .uid: line.put(UInt64(message.uid), at: &end)
            case .flags: keywords.put(message, &line, &end)
            case .modSeq: line.put(mailbox.modSeq(at: position), at: &end)
            }
        }
    }
}

extension Array where Element == UInt8 {
    /// Puts a part of other bytes in the place of those from `index` on, which moves behind them.
    @inline(__always)
    mutating func put(_ bytes: [UInt8], _ from: Int, _ to: Int, at index: inout Int) {
        for source in from..<to {
            self[index] = bytes[source]
            index += 1
        }
    }

    /// The same with the digits of a number, 20 at most.
    mutating func put(_ number: UInt64, at index: inout Int) {
        let start = index
        var count = 1
        var power: UInt64 = 10
        while count < 20, number >= power {
            count += 1
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        index += count
        var rest = number
        var place = index
        while place > start {
            place -= 1
            self[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
