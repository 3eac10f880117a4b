/// Joins the physical lines of a file to logical ones: comments cut off, continued lines put together (config.md 1).
struct LineReader {
    private let bytes: [UInt8]
    private var index = 0
    private var number = 0
    /// Line numbers whose `#` is not preceded by a blank, with the column.
    private(set) var ambiguous: [(line: Int, column: Int)] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next logical line that is not empty; nil at the end.
    mutating func next() -> LogicalLine? {
        var line = LogicalLine()
        while index < bytes.count {
            let start = index
            let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
            index = end + 1
            number += 1
            let first = bytes[start..<end].firstIndex { !Self.isBlank($0) } ?? end
            guard first < end, bytes[first] != UInt8(ascii: "#") else {
                // A comment or an empty line throws away what was continued so far.
                line = LogicalLine()
                continue
            }
            var last = cut(first, end, start)
            while last > first, Self.isBlank(bytes[last - 1]) { last -= 1 }
            line.pieces.append(.init(offset: line.bytes.count, line: number, column: first - start + 1))
            guard last > first, bytes[last - 1] == UInt8(ascii: "\\") else {
                line.bytes += bytes[first..<last]
                if line.bytes.isEmpty { continue }
                return line
            }
            last -= 1
            while last > first, Self.isBlank(bytes[last - 1]) { last -= 1 }
            line.bytes += bytes[first..<last]
            line.bytes.append(0x20)
        }
        return line.bytes.contains { !Self.isBlank($0) } ? line : nil
    }

    /// Where a comment begins: the first `#` outside quotes.
    private mutating func cut(_ first: Int, _ end: Int, _ start: Int) -> Int {
        var quote: UInt8?
        var position = first
        while position < end {
            let byte = bytes[position]
            if let open = quote {
                if byte == UInt8(ascii: "\\") {
                    position += 1
                } else if byte == open {
                    quote = nil
                }
            } else if byte == 0x22 || byte == 0x27 {
                quote = byte
            } else if byte == UInt8(ascii: "#") {
                if !Self.isBlank(bytes[position - 1]) { ambiguous.append((number, position - start + 1)) }
                return position
            }
            position += 1
        }
        return end
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0b || byte == 0x0c }
}

/// One logical line and where its parts stood in the file.
struct LogicalLine {
    struct Piece {
        let offset: Int
        let line: Int
        let column: Int
    }

    var bytes: [UInt8] = []
    var pieces: [Piece] = []

    func location(of offset: Int, in file: String) -> SourceLocation {
        guard let piece = pieces.last(where: { $0.offset <= offset }) ?? pieces.first else {
            return SourceLocation(file: file, line: 1, column: 1)
        }
        return SourceLocation(file: file, line: piece.line, column: piece.column + max(0, offset - piece.offset))
    }
}
