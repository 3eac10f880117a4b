internal import MessageFormat
internal import Platform

/// Writes one message file: converts line ends, counts sizes, needs the same memory for every size.
final class MessageWriter {
    private let file: FileDescriptor
    private let toCRLF: Bool
    private var buffer: [UInt8] = []
    private var pendingReturn = false
    private var lastFlushed: UInt8 = 0
    /// Bytes written, and what they would be with CR LF line ends.
    private(set) var physicalSize: Int64 = 0
    private var lineEnds: Int64 = 0
    private var storedReturns: Int64 = 0
    /// Reads what is written: the message is understood when it is complete.
    private var summarizer: MessageSummarizer? = MessageSummarizer()

    private static let bufferSize = 65_536
    private static let carriageReturn: UInt8 = 0x0d

    init(_ file: consuming FileDescriptor, toCRLF: Bool) {
        self.file = file
        self.toCRLF = toCRLF
        buffer.reserveCapacity(Self.bufferSize + 4_096)
    }

    /// Every line end counted as CR LF.
    var virtualSize: Int64 { physicalSize + lineEnds - storedReturns }

    /// Takes bytes with any line ends; LF and CR LF become what is stored, a lone CR stays.
    func append(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            if pendingReturn {
                pendingReturn = false
                // CR LF across two pieces: the line end itself is written below.
                if rest.first != ASCII.lineFeed { buffer.append(Self.carriageReturn) }
            }
            let piece = rest.prefix(Self.bufferSize)
            convert(piece)
            rest = rest[piece.endIndex...]
            if buffer.count >= Self.bufferSize { try flush() }
        }
    }

    private func convert(_ piece: ArraySlice<UInt8>) {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(where: { $0 == ASCII.lineFeed || $0 == Self.carriageReturn }) {
            buffer.append(contentsOf: piece[start..<end])
            start = end + 1
            if piece[end] == ASCII.lineFeed {
                endLine()
            } else if start == piece.endIndex {
                pendingReturn = true
            } else if piece[start] != ASCII.lineFeed {
                buffer.append(Self.carriageReturn)
            }
        }
        buffer.append(contentsOf: piece[start...])
    }

    private func endLine() {
        if toCRLF {
            buffer.append(Self.carriageReturn)
            storedReturns += 1
        } else if (buffer.last ?? lastFlushed) == Self.carriageReturn {
            // CR CR LF became CR LF, which a reader takes for one line end.
            storedReturns += 1
        }
        buffer.append(ASCII.lineFeed)
        lineEnds += 1
    }

    private func flush() throws(SystemError) {
        try file.writeAll(buffer)
        summarizer?.feed(buffer[...])
        physicalSize += Int64(buffer.count)
        lastFlushed = buffer.last ?? lastFlushed
        buffer.removeAll(keepingCapacity: true)
    }

    /// The file is complete: dated, and on disk if `durable`. Answers its modification time in nanoseconds.
    func finish(date: Int64?, durable: Bool) throws(SystemError) -> Int64 {
        if pendingReturn { buffer.append(Self.carriageReturn) }
        pendingReturn = false
        try flush()
        if let date {
            let (nanoseconds, overflow) = date.multipliedReportingOverflow(by: 1_000_000_000)
            if !overflow { try file.setModified(nanoseconds) }
        }
        if durable { try file.synchronize() }
        return try file.status().modified
    }

    /// What the index is to keep of the message, once, after `finish`.
    func takeSummary() -> MessageSummary? {
        guard let finished = summarizer.take() else { return nil }
        return finished.finish()
    }
}
