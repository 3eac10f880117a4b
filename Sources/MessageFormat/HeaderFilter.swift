internal import ByteScan

/// One field of a header: its name, and its lines as they are stored.
package struct HeaderFieldLines {
    package var name: ArraySlice<UInt8>
    /// With line ends, folded as it is.
    package var lines: ArraySlice<UInt8>

    /// The value without line ends: folds keep their blank.
    package var unfolded: [UInt8] {
        let afterColon = lines.firstIndex(of: 0x3a).map { $0 + 1 } ?? lines.endIndex
        return lines[afterColon...].filter { $0 != 0x0d && $0 != 0x0a }
    }
}

/// Walks through a stored header field by field, up to the empty line.
package struct HeaderFields: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    package init(_ header: [UInt8]) { rest = header[...] }
    package init(_ header: ArraySlice<UInt8>) { rest = header }

    package mutating func next() -> HeaderFieldLines? {
        guard let first = rest.first, first != 0x0a, !(first == 0x0d && rest.dropFirst().first == 0x0a) else { return nil }
        var end = Self.endOfLine(rest, rest.startIndex)
        while end < rest.endIndex, rest[end].isBlank { end = Self.endOfLine(rest, end) }
        let lines = rest[..<end]
        rest = rest[end...]
        var name = lines[..<(lines.firstIndex(of: 0x3a) ?? lines.startIndex)]
        while let last = name.last, last.isBlank { name = name.dropLast() }
        return HeaderFieldLines(name: name, lines: lines)
    }

    private static func endOfLine(_ bytes: ArraySlice<UInt8>, _ start: Int) -> Int {
        ByteScan.firstIndex(of: 0x0a, in: bytes[start...]).map { $0 + 1 } ?? bytes.endIndex
    }
}

extension HeaderFields {
    package static func filtered(_ header: [UInt8], names: [[UInt8]], isExcluding: Bool) -> [UInt8] {
        filtered(header[...], names: names, isExcluding: isExcluding)
    }

    /// HEADER.FIELDS, or HEADER.FIELDS.NOT when `isExcluding`: the chosen fields with CR LF, and the empty line (RFC 9051 section 6.4.5.1).
    package static func filtered(_ header: ArraySlice<UInt8>, names: [[UInt8]], isExcluding: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var converter = LineEndConverter()
        for field in HeaderFields(header) {
            let isNamed = !field.name.isEmpty && names.contains { field.name.isName($0) }
            guard isNamed != isExcluding else { continue }
            converter.convert(field.lines, into: &output)
            if output.last != 0x0a { output.append(contentsOf: [0x0d, 0x0a]) }
        }
        // A header that is cut off has no empty line to be left over.
        if !isExcluding || header.hasEmptyLine { output.append(contentsOf: [0x0d, 0x0a]) }
        return output
    }
}

extension ArraySlice<UInt8> {
    /// Whether a header ends with the empty line that parts it from a body.
    fileprivate var hasEmptyLine: Bool {
        guard last == 0x0a else { return false }
        let rest = dropLast()
        return rest.isEmpty || rest.last == 0x0a || rest.last == 0x0d && (rest.count == 1 || rest.dropLast().last == 0x0a)
    }
}
