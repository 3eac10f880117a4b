internal import ByteScan

/// Understands a message in one pass while its bytes go by (RFC 5322, 2045, 2046). Memory: the header field at hand and one `Part` per part.
/// Takes LF and CR LF line ends alike; never recurses, never looks back.
package struct MessageParser {
    /// A place between two lines.
    struct Mark {
        var physical: Int64 = 0
        var virtual: Int64 = 0
        var lines: Int64 = 0
    }

    /// A part whose end was not seen yet.
    struct Frame {
        let part: Int
        /// Of a multipart; its closing boundary was not seen yet.
        var boundary: Boundary?
        var bodyStart = Mark()
    }

    enum Mode { case header, body }

    var parts: [Part] = []
    var frames: [Frame] = []
    var mode = Mode.header
    /// Start of the line that is being read, and the place before the end of the line before it.
    var here = Mark()
    var beforeLineEnd = Mark()
    /// The first bytes of a line that came in pieces, and how long it is so far.
    private var carry: [UInt8] = []
    private var carriedLength = 0
    private var lastByte: UInt8 = 0

    var headerStart = Mark()
    var field = HeaderField()
    var openBoundaries = 0
    /// How many bytes, and open parts in their place, were looked at: tests prove by it that work is in proportion to the message.
    var work = 0

    /// Nobody will ask for envelopes: their fields are not read.
    private let skipsEnvelopes: Bool

    package init(skipsEnvelopes: Bool = false) {
        self.skipsEnvelopes = skipsEnvelopes
        beginPart(isMessage: true, isInDigest: false)
    }

    /// The next bytes of the message.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if mode == .body, carriedLength == 0 {
                index = passBody(bytes[index...])
                if index == bytes.endIndex { return }
            }
            let end = ByteScan.firstIndex(of: 0x0a, in: bytes[index...])
            let piece = bytes[index..<(end ?? bytes.endIndex)]
            work += piece.count + 1
            guard let end else {
                keep(piece)
                return
            }
            if carriedLength == 0 {
                line(piece, length: piece.count, endsInCR: piece.last == 0x0d)
            } else {
                keep(piece)
                line(carry[...], length: carriedLength, endsInCR: lastByte == 0x0d)
                carry.removeAll(keepingCapacity: true)
                carriedLength = 0
            }
            index = end + 1
        }
    }

    /// Goes over whole lines of a body that are no boundary, from the start of a line on: they are only counted. Answers where it stopped.
    private mutating func passBody(_ bytes: ArraySlice<UInt8>) -> Int {
        if openBoundaries > 0, bytes.first == 0x2d, bytes.count == 1 || bytes[bytes.startIndex + 1] == 0x2d { return bytes.startIndex }
        let dashed = openBoundaries > 0 ? ByteScan.firstDashedLine(in: bytes) : nil
        guard let end = dashed ?? ByteScan.lastIndex(of: 0x0a, in: bytes) else { return bytes.startIndex }
        let lines = bytes[...end]
        work += lines.count
        let ends = ByteScan.lineEnds(in: lines, after: 0x0a)
        here.physical += Int64(lines.count)
        here.virtual += Int64(lines.count + ends.all - ends.withReturn)
        here.lines += Int64(ends.all)
        let lastLength: Int64 = lines.count > 1 && lines[end - 1] == 0x0d ? 2 : 1
        beforeLineEnd = Mark(physical: here.physical - lastLength, virtual: here.virtual - 2, lines: here.lines - 1)
        return end + 1
    }

    /// Keeps as much of an unfinished line as a rule may need.
    private mutating func keep(_ piece: ArraySlice<UInt8>) {
        let limit = mode == .header ? Limits.headerField : Limits.boundary + 8
        if carry.count < limit {
            carry.append(contentsOf: piece.prefix(limit - carry.count))
            work += piece.count
        }
        carriedLength += piece.count
        if let last = piece.last { lastByte = last }
    }

    /// A line without its LF, or its first bytes; `length` counts all of them.
    private mutating func line(_ head: ArraySlice<UInt8>, length: Int, endsInCR: Bool) {
        let before = endsInCR ? Int64(length) - 1 : Int64(length)
        let isWhole = head.count == length
        let content = isWhole && endsInCR ? head.dropLast() : head
        let next = Mark(physical: here.physical + Int64(length) + 1, virtual: here.virtual + before + 2, lines: here.lines + 1)
        take(content, next: next)
        beforeLineEnd = Mark(physical: here.physical + before, virtual: here.virtual + before, lines: here.lines)
        here = next
    }

    private mutating func take(_ content: ArraySlice<UInt8>, next: Mark, isLast: Bool = false) {
        if openBoundaries > 0, content.count > 2, content.starts(with: [0x2d, 0x2d]),
            boundaryLine(content.dropFirst(2), next: next, isLast: isLast)
        {
            return
        }
        if mode == .header { headerLine(content, next: next) }
    }

    /// How much work the whole message was.
    consuming func finish(work: Void) -> Int {
        end()
        return self.work
    }

    /// The whole message was fed.
    package consuming func finish() -> MessageStructure {
        end()
        return MessageStructure(parts: parts)
    }

    private mutating func end() {
        if carriedLength > 0 {
            let next = Mark(physical: here.physical + Int64(carriedLength), virtual: here.virtual + Int64(carriedLength), lines: here.lines)
            take(carry[...], next: next, isLast: true)
            here = next
        }
        while mode == .header { endHeader(at: here) }
        while !frames.isEmpty { closeLast(at: here) }
    }
}

// MARK: boundaries
/// A boundary with its hash, so that a hundred of them cost one look at a line.
struct Boundary: Equatable {
    let bytes: [UInt8]
    let hash: UInt64

    init?(_ parameter: [UInt8]) {
        bytes = parameter
        guard !bytes.isEmpty, bytes.count <= Limits.boundary else { return nil }
        hash = bytes.reduce(Self.seed, Self.add)
    }

    static let seed: UInt64 = 0xcbf2_9ce4_8422_2325
    static func add(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    /// The hashes of all beginnings of a line, the empty one first.
    static func prefixHashes(_ line: ArraySlice<UInt8>) -> [UInt64] {
        var hashes = [seed]
        hashes.reserveCapacity(line.count + 1)
        var hash = seed
        for byte in line {
            hash = add(hash, byte)
            hashes.append(hash)
        }
        return hashes
    }

    /// Whether a line begins with it.
    func begins(_ line: ArraySlice<UInt8>, _ hashes: [UInt64]) -> Bool {
        bytes.count < hashes.count && hashes[bytes.count] == hash && line.starts(with: bytes)
    }
}

extension MessageParser {
    // delimiter := CRLF "--" boundary ; close-delimiter := delimiter "--" ; both with transport-padding
    /// Acts on a line that began with `--`, if it begins with the boundary of an open multipart: what follows it does not matter
    /// (RFC 2046 section 5.1.1). Where one boundary is the beginning of another, the one that leaves least counts.
    private mutating func boundaryLine(_ rest: ArraySlice<UInt8>, next: Mark, isLast: Bool) -> Bool {
        let line = rest.prefix(Limits.boundary + 4)
        let hashes = Boundary.prefixHashes(line)
        work += line.count + frames.count
        var found: (index: Int, length: Int)?
        for index in frames.indices.reversed() {
            guard let boundary = frames[index].boundary, boundary.bytes.count > found?.length ?? 0 else { continue }
            guard boundary.begins(line, hashes) else { continue }
            work += boundary.bytes.count
            found = (index, boundary.bytes.count)
        }
        guard let (index, length) = found else { return false }
        if line.dropFirst(length).starts(with: [0x2d, 0x2d]) {
            endChildren(of: index)
            frames[index].boundary = nil
            openBoundaries -= 1
            mode = .body
        } else if isLast {
            // The message was cut off within this line: no part begins.
            endChildren(of: index)
            mode = .body
        } else {
            guard parts.count < Limits.parts else { return false }
            endChildren(of: index)
            beginPart(in: index, headerAt: next)
        }
        return true
    }

    /// Ends all parts inside a multipart: the line end before its boundary is not theirs.
    private mutating func endChildren(of index: Int) {
        while mode == .header { endHeader(at: here) }
        while frames.count > index + 1 { closeLast(at: beforeLineEnd) }
    }

    private mutating func beginPart(in index: Int, headerAt next: Mark) {
        let parent = frames[index].part
        parts[parent].children.append(parts.count)
        let isDigest = parts[parent].subtype.isName("digest")
        headerStart = next
        beginPart(isMessage: false, isInDigest: isDigest)
    }

    private mutating func beginPart(isMessage: Bool, isInDigest: Bool) {
        var part = Part()
        part.isInDigest = isInDigest
        if isMessage { part.envelope = Envelope() }
        frames.append(Frame(part: parts.count))
        parts.append(part)
        field = HeaderField()
        field.isInMessage = isMessage
        mode = .header
    }

    private mutating func closeLast(at end: Mark) {
        guard let frame = frames.popLast() else { return }
        if frame.boundary != nil { openBoundaries -= 1 }
        let start = frame.bodyStart
        // A boundary right after the header: its line end is the header's.
        let end = end.physical >= start.physical ? end : start
        parts[frame.part].body = Extent(
            start: start.physical, end: end.physical, virtualSize: end.virtual - start.virtual, lines: end.lines - start.lines)
    }
}

// MARK: headers
/// The header field that is being read.
struct HeaderField {
    var name: [UInt8] = []
    var value: [UInt8] = []
    /// Its value is of use; otherwise only its lines are counted.
    var isWanted = false
    var lines = 0
    /// The header has a MIME-Version.
    var isMIME = false
    /// The header is that of a message. (To ask the part for its envelope would copy that for each line.)
    var isInMessage = false
}

extension MessageParser {
    // header-field = field-name ":" unstructured CRLF ; obs-optional = field-name *WSP ":" …
    private mutating func headerLine(_ line: ArraySlice<UInt8>, next: Mark) {
        if line.isEmpty {
            here = next
            return endHeader(at: next)
        }
        field.lines += 1
        work += line.count
        if field.lines > Limits.headerLines || next.physical - headerStart.physical > Limits.header { return endHeader(at: here) }
        guard let first = line.first, !first.isBlank else {
            // Unfolding takes the line end away, nothing else (RFC 5322 section 2.2.3).
            if field.isWanted, field.value.count + line.count <= Limits.headerField { field.value.append(contentsOf: line) }
            return
        }
        finishField()
        guard let colon = line.firstIndex(of: 0x3a) else { return }
        var name = line[..<colon]
        while let last = name.last, last.isBlank { name = name.dropLast() }
        if name.isName("mime-version") { field.isMIME = true }
        field.isWanted = MIMEHeader.isField(name) || !skipsEnvelopes && field.isInMessage && Envelope.isField(name)
        if field.isWanted {
            field.name = Array(name)
            let value = line[(colon + 1)...]
            let text = value.drop(while: \.isBlank)
            // Of blanks with nothing behind them one belongs to the colon.
            field.value = Array(text.isEmpty ? value.dropFirst() : text)
        }
    }

    private mutating func finishField() {
        guard field.isWanted, let part = frames.last?.part else { return }
        field.isWanted = false
        work += field.value.count
        if MIMEHeader.isField(field.name[...]) {
            parts[part].mime.take(field.name[...], field.value)
        } else {
            parts[part].envelope?.take(field.name[...], field.value)
        }
    }

    /// Ends the header; decides what the body is.
    private mutating func endHeader(at end: Mark) {
        finishField()
        guard let index = frames.indices.last else { return }
        let part = frames[index].part
        parts[part].header = Extent(
            start: headerStart.physical, end: end.physical, virtualSize: end.virtual - headerStart.virtual,
            lines: end.lines - headerStart.lines)
        frames[index].bodyStart = end
        mode = .body
        // Without MIME-Version and Content-Type a message is not MIME: its other fields mean nothing (RFC 2045 section 4). A part always is.
        if index == 0 || field.isInMessage, !field.isMIME, !parts[part].mime.hasType { parts[part].mime = MIMEHeader() }
        guard frames.count < Limits.depth else { return }
        let type = parts[part].type
        if type.isName("multipart") {
            guard let boundary = parts[part].mime.boundary.flatMap(Boundary.init) else { return }
            parts[part].kind = .multipart
            frames[index].boundary = boundary
            openBoundaries += 1
        } else if type.isName("message"), parts[part].subtype.isName("rfc822") || parts[part].subtype.isName("global"),
            parts.count < Limits.parts
        {
            parts[part].kind = .message
            parts[part].children = [parts.count]
            headerStart = end
            beginPart(isMessage: true, isInDigest: false)
        }
    }
}
