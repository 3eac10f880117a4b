/// FETCH of a set of messages.
package struct FetchCommand: Equatable, Sendable {
    package var set: SequenceSet
    package var isUID: Bool
    package var items: [FetchItem]
    /// Only this part of the messages that the set names (RFC 9394).
    package var partial: ResultRange?
    /// Only messages that changed after this modseq (RFC 7162).
    package var changedSince: UInt64?
    /// With `changedSince`: tell also what went away.
    package var wantsVanished = false

    package init(set: SequenceSet, isUID: Bool, items: [FetchItem], partial: ResultRange? = nil) {
        self.set = set
        self.isUID = isUID
        self.items = items
        self.partial = partial
    }
}

/// One thing to fetch. Macros are taken apart by the parser.
package enum FetchItem: Equatable, Sendable {
    case uid, flags, internalDate, rfc822Size, envelope, body, bodyStructure
    /// Of CONDSTORE, OBJECTID and SAVEDATE; PREVIEW may be LAZY.
    case modSeq, emailID, threadID, saveDate
    case preview(isLazy: Bool)
    /// BODY[…], BODY.PEEK[…].
    case section(BodySection)
    /// RFC822, RFC822.HEADER, RFC822.TEXT: other names for sections.
    case rfc822, rfc822Header, rfc822Text
    /// BINARY[…], BINARY.PEEK[…], BINARY.SIZE[…] (RFC 3516).
    case binary(part: [UInt32], isPeek: Bool, partial: Partial?)
    case binarySize(part: [UInt32])
}

/// `<first.count>` after a section: octets of what is fetched.
package struct Partial: Equatable, Sendable {
    package var first: UInt32
    package var count: UInt32

    package init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }
}

/// What stands between the brackets of BODY[…].
package struct BodySection: Equatable, Sendable {
    package enum Text: Equatable, Sendable {
        /// Nothing: the whole message or part.
        case whole
        case header, text, mime
        case headerFields([[UInt8]])
        case headerFieldsNot([[UInt8]])
    }

    /// Numbers of the part, outermost first; empty for the message itself.
    package var part: [UInt32]
    package var text: Text
    package var isPeek: Bool
    package var partial: Partial?

    package init(part: [UInt32] = [], text: Text = .whole, isPeek: Bool = false, partial: Partial? = nil) {
        self.part = part
        self.text = text
        self.isPeek = isPeek
        self.partial = partial
    }
}

extension CommandParser {
    // fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    mutating func fetch(isUID: Bool) throws(SyntaxError) -> Command {
        try space()
        let set = try sequenceSet()
        try space()
        var items: [FetchItem] = []
        if peek == 0x28 {
            items = try fetchItems()
        } else {
            let name = fetchName()
            switch name.count {
            case _ where name.isWord("FAST"): items = [.flags, .internalDate, .rfc822Size]
            case _ where name.isWord("ALL"): items = [.flags, .internalDate, .rfc822Size, .envelope]
            case _ where name.isWord("FULL"): items = [.flags, .internalDate, .rfc822Size, .envelope, .body]
            default: items = [try fetchItem(named: name)]
            }
        }
        if isUID, !items.contains(.uid) { items.insert(.uid, at: 0) }
        var command = FetchCommand(set: set, isUID: isUID, items: items)
        if takeIf(0x20) { try fetchModifiers(&command) }
        return .fetch(command)
    }

    // fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"                   RFC 4466 section 6
    // fetch-modifier =/ "CHANGEDSINCE" SP mod-sequence-value / "VANISHED"                 RFC 7162 section 7
    // fetch-modifier =/ "PARTIAL" SP partial-range          ; only for UID FETCH, RFC 9394 section 3.2
    private mutating func fetchModifiers(_ command: inout FetchCommand) throws(SyntaxError) {
        var changed = command
        try list(atMost: 4, of: "FETCH modifiers") { parser throws(SyntaxError) in
            if changed.changedSince == nil, parser.takeIf(word: "CHANGEDSINCE") {
                try parser.space()
                changed.changedSince = UInt64(try parser.number64())
            } else if changed.isUID, parser.takeIf(word: "VANISHED") {
                changed.wantsVanished = true
            } else {
                guard changed.isUID, changed.partial == nil, parser.takeIf(word: "PARTIAL") else {
                    throw .expected("FETCH modifier", at: parser.index)
                }
                try parser.space()
                changed.partial = try parser.resultRange()
            }
        }
        guard !changed.wantsVanished || changed.changedSince != nil else { throw .expected("CHANGEDSINCE", at: index) }
        if changed.changedSince != nil, !changed.items.contains(.modSeq) { changed.items.append(.modSeq) }
        command = changed
    }

    mutating func fetchName() -> ArraySlice<UInt8> {
        let start = index
        while index < bytes.count, ASCIISet.atom.contains(bytes[index]), bytes[index] != 0x5b { index += 1 }
        return bytes[start..<index]
    }

    // fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822.SIZE" / "BODY" ["STRUCTURE"] / "UID" /
    //             "BODY" section [partial] / "BODY.PEEK" section [partial] /
    //             "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary
    mutating func fetchItem(named name: ArraySlice<UInt8>) throws(SyntaxError) -> FetchItem {
        switch name.count {
        case _ where name.isWord("FLAGS"): return .flags
        case _ where name.isWord("UID"): return .uid
        case _ where name.isWord("INTERNALDATE"): return .internalDate
        case _ where name.isWord("RFC822.SIZE"): return .rfc822Size
        case _ where name.isWord("ENVELOPE"): return .envelope
        case _ where name.isWord("BODYSTRUCTURE"): return .bodyStructure
        case _ where name.isWord("BODY"): return peek == 0x5b ? .section(try section(isPeek: false)) : .body
        case _ where name.isWord("BODY.PEEK"): return .section(try section(isPeek: true))
        case _ where name.isWord("RFC822"): return .rfc822
        case _ where name.isWord("RFC822.HEADER"): return .rfc822Header
        case _ where name.isWord("RFC822.TEXT"): return .rfc822Text
        case _ where name.isWord("MODSEQ"): return .modSeq
        case _ where name.isWord("EMAILID"): return .emailID
        case _ where name.isWord("THREADID"): return .threadID
        case _ where name.isWord("SAVEDATE"): return .saveDate
        default: return try binaryOrPreview(named: name)
        }
    }

    // fetch-att =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]       RFC 8970 section 6
    private mutating func binaryOrPreview(named name: ArraySlice<UInt8>) throws(SyntaxError) -> FetchItem {
        if name.isWord("BINARY") { return .binary(part: try binarySection(), isPeek: false, partial: try partial()) }
        if name.isWord("BINARY.PEEK") { return .binary(part: try binarySection(), isPeek: true, partial: try partial()) }
        if name.isWord("BINARY.SIZE") { return .binarySize(part: try binarySection()) }
        guard name.isWord("PREVIEW") else { throw .expected("FETCH item", at: index) }
        guard peek == 0x20, index + 1 < bytes.count, bytes[index + 1] == 0x28 else { return .preview(isLazy: false) }
        index += 1
        var isLazy = false
        try list(atMost: 1, of: "PREVIEW modifiers") { parser throws(SyntaxError) in
            isLazy = parser.takeIf(word: "LAZY")
            if !isLazy { throw .expected("LAZY", at: parser.index) }
        }
        return .preview(isLazy: isLazy)
    }

    // section = "[" [section-spec] "]"
    // section-spec = section-msgtext / (section-part ["." section-text])
    // section-text = section-msgtext / "MIME"
    mutating func section(isPeek: Bool) throws(SyntaxError) -> BodySection {
        try byte(0x5b, "[")
        var section = BodySection(isPeek: isPeek)
        section.part = try sectionPart()
        if peek != 0x5d { section.text = try sectionText(isInPart: !section.part.isEmpty) }
        try byte(0x5d, "]")
        section.partial = try partial()
        return section
    }

    // section-part = nz-number *("." nz-number)       ; takes the dot before a section-text as well
    private mutating func sectionPart() throws(SyntaxError) -> [UInt32] {
        var part: [UInt32] = []
        while peek?.isDigit ?? false {
            guard part.count < Limits.sectionDepth else { throw .overLimit("section") }
            part.append(try nzNumber())
            guard takeIf(0x2e) else { return part }
            guard peek != 0x5d else { throw .expected("section", at: index) }
        }
        return part
    }

    // section-binary = "[" [section-part] "]"
    private mutating func binarySection() throws(SyntaxError) -> [UInt32] {
        try byte(0x5b, "[")
        let part = try sectionPart()
        try byte(0x5d, "]")
        return part
    }

    // section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
    private mutating func sectionText(isInPart: Bool) throws(SyntaxError) -> BodySection.Text {
        guard !isInPart || bytes[index - 1] == 0x2e else { throw .expected("]", at: index) }
        let name = take(while: .atom)
        switch name.count {
        case _ where name.isWord("HEADER"): return .header
        case _ where name.isWord("TEXT"): return .text
        case _ where name.isWord("MIME") && isInPart: return .mime
        case _ where name.isWord("HEADER.FIELDS"): return .headerFields(try headerList())
        case _ where name.isWord("HEADER.FIELDS.NOT"): return .headerFieldsNot(try headerList())
        default: throw .expected("section", at: index)
        }
    }

    // header-list = "(" header-fld-name *(SP header-fld-name) ")" ; header-fld-name = astring
    private mutating func headerList() throws(SyntaxError) -> [[UInt8]] {
        try space()
        var names: [[UInt8]] = []
        try list(atMost: Limits.headerNames, of: "header names") { parser throws(SyntaxError) in
            let name = try parser.astring("header name")
            guard name.count <= Limits.headerName else { throw .overLimit("header name") }
            guard !name.isEmpty, name.allSatisfy({ ASCIISet.headerName.contains($0) }) else {
                throw .expected("header name", at: parser.index)
            }
            names.append(name)
        }
        return names
    }

    // partial = "<" number64 "." nz-number64 ">"
    private mutating func partial() throws(SyntaxError) -> Partial? {
        guard takeIf(0x3c) else { return nil }
        let first = try number()
        try byte(0x2e, ".")
        let count = try nzNumber()
        try byte(0x3e, ">")
        return Partial(first: first, count: count)
    }
}
