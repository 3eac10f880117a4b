/// A run of bytes of the stored message, and what it is on the wire where every line ends with CR LF.
package struct Extent: Equatable, Sendable {
    /// Offsets into the file.
    package var start: Int64
    package var end: Int64
    /// Octets with CR LF line ends.
    package var virtualSize: Int64
    /// Line ends in it.
    package var lines: Int64

    package init(start: Int64, end: Int64, virtualSize: Int64, lines: Int64) {
        self.start = start
        self.end = end
        self.virtualSize = virtualSize
        self.lines = lines
    }

    package var size: Int64 { end - start }
}

/// One message or part of one. Parts are numbered in the order of their headers; the message itself is part 0.
package struct Part: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// Its body is content.
        case single
        /// Its children are the parts between the boundaries.
        case multipart
        /// message/rfc822: its only child is the message inside.
        case message
    }

    package internal(set) var kind = Kind.single
    package internal(set) var children: [Int] = []
    /// With the empty line at its end.
    package internal(set) var header = Extent(start: 0, end: 0, virtualSize: 0, lines: 0)
    package internal(set) var body = Extent(start: 0, end: 0, virtualSize: 0, lines: 0)
    package internal(set) var mime = MIMEHeader()
    /// Of a message only: part 0, and the children of message/rfc822.
    package internal(set) var envelope: Envelope?
    /// It stands in multipart/digest, where the default type is message/rfc822.
    var isInDigest = false

    /// Type and subtype, with the defaults of RFC 2045 section 5.2 and RFC 2046 section 5.1.5.
    package var type: [UInt8] { mime.type ?? Array((isInDigest ? "message" : "text").utf8) }
    package var subtype: [UInt8] { mime.type != nil ? mime.subtype : Array((isInDigest ? "rfc822" : "plain").utf8) }

    /// Header and body together.
    package var whole: Extent {
        Extent(
            start: header.start, end: max(header.end, body.end), virtualSize: header.virtualSize + body.virtualSize,
            lines: header.lines + body.lines)
    }
}

/// A message as a value: where its parts are and what their headers say. Holds no content.
package struct MessageStructure: Equatable, Sendable {
    /// At least one.
    package internal(set) var parts: [Part]

    package var root: Part { parts[0] }
    /// Size with CR LF line ends (RFC822.SIZE).
    package var virtualSize: Int64 { root.whole.virtualSize }
    package var size: Int64 { root.whole.size }
    package var envelope: Envelope { root.envelope ?? Envelope() }

    /// What a section number leads to.
    package struct Target: Equatable, Sendable {
        package var part: Int
        /// The message itself (an empty number), not a part of it.
        package var isWhole: Bool
    }

    /// Finds the part that a section number such as 1.2 names; nil when there is none (RFC 9051 section 6.4.5.1).
    package func target(_ numbers: [UInt32]) -> Target? {
        var part = 0
        var isWhole = true
        for number in numbers {
            var container = part
            if !isWhole, parts[part].kind == .message {
                guard let inner = parts[part].children.first else { return nil }
                container = inner
            } else if !isWhole, parts[part].kind == .single {
                return nil
            }
            isWhole = false
            if parts[container].kind == .multipart {
                guard number >= 1, Int(number) <= parts[container].children.count else { return nil }
                part = parts[container].children[Int(number) - 1]
            } else {
                // Of a multipart without parts that can be told, none is shown either.
                guard number == 1, parts[container].kind != .single || !parts[container].type.isName("multipart") else { return nil }
                // The body of a message that is no multipart is its part 1.
                part = container
            }
        }
        return Target(part: part, isWhole: isWhole)
    }

    /// The message that HEADER and TEXT speak of: the whole one, or the one inside a message/rfc822 part.
    private func message(at target: Target) -> Part? {
        if target.isWhole { return parts[target.part] }
        guard parts[target.part].kind == .message else { return nil }
        return parts[target.part].children.first.map { parts[$0] }
    }

    /// Where `BODY[number]` is: the body of a part, or everything.
    package func body(_ target: Target) -> Extent { target.isWhole ? parts[target.part].whole : parts[target.part].body }
    /// Where `BODY[number.HEADER]` is.
    package func header(_ target: Target) -> Extent? { message(at: target)?.header }
    /// Where `BODY[number.TEXT]` is.
    package func text(_ target: Target) -> Extent? { message(at: target)?.body }
    /// Where `BODY[number.MIME]` is.
    package func mimeHeader(_ target: Target) -> Extent? { target.isWhole ? nil : parts[target.part].header }
}
