/// The flags that the protocol itself knows (RFC 9051 section 2.3.2), without \Recent, which no client can set.
package struct SystemFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let answered = SystemFlags(rawValue: 1)
    package static let flagged = SystemFlags(rawValue: 2)
    package static let deleted = SystemFlags(rawValue: 4)
    package static let seen = SystemFlags(rawValue: 8)
    package static let draft = SystemFlags(rawValue: 16)
    package static let all: SystemFlags = [.answered, .flagged, .deleted, .seen, .draft]
}

/// Flags that a client sets: system flags and keywords, the latter as they were written.
package struct FlagList: Equatable, Sendable {
    package var system: SystemFlags = []
    package var keywords: [[UInt8]] = []

    package init(system: SystemFlags = [], keywords: [[UInt8]] = []) {
        self.system = system
        self.keywords = keywords
    }

    package var isEmpty: Bool { system.isEmpty && keywords.isEmpty }
}

extension CommandParser {
    // flag-list = "(" [flag *(SP flag)] ")"
    mutating func flagList() throws(SyntaxError) -> FlagList {
        var flags = FlagList()
        try list(atMost: Limits.keywords + 5, of: "flags", allowsEmpty: true) { parser throws(SyntaxError) in try parser.flag(into: &flags)
        }
        return flags
    }

    // store-att-flags = ["+" / "-"] "FLAGS" [".SILENT"] SP (flag-list / (flag *(SP flag)))
    mutating func storeFlags() throws(SyntaxError) -> FlagList {
        if peek == 0x28 { return try flagList() }
        var flags = FlagList()
        repeat { try flag(into: &flags) } while takeIf(0x20)
        return flags
    }

    // flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
    // flag-keyword = "$MDNSent" / … / atom
    private mutating func flag(into flags: inout FlagList) throws(SyntaxError) {
        guard takeIf(0x5c) else { return try keyword(into: &flags) }
        let name = take(while: .atom)
        switch name.count {
        case _ where name.isWord("ANSWERED"): flags.system.insert(.answered)
        case _ where name.isWord("FLAGGED"): flags.system.insert(.flagged)
        case _ where name.isWord("DELETED"): flags.system.insert(.deleted)
        case _ where name.isWord("SEEN"): flags.system.insert(.seen)
        case _ where name.isWord("DRAFT"): flags.system.insert(.draft)
        // \Recent is ours to give; clients that copy flags back with it mean no harm.
        case _ where name.isWord("RECENT"): break
        default: throw .expected("known system flag", at: index)
        }
    }

    private mutating func keyword(into flags: inout FlagList) throws(SyntaxError) {
        let word = try keywordName()
        if flags.keywords.contains(where: { Self.isSame($0, word) }) { return }
        guard flags.keywords.count < Limits.keywords else { throw .overLimit("keywords") }
        flags.keywords.append(word)
    }

    mutating func keywordName() throws(SyntaxError) -> [UInt8] {
        let word = take(while: .atom)
        guard !word.isEmpty else { throw .expected("keyword", at: index) }
        guard word.count <= Limits.keyword else { throw .overLimit("keyword") }
        return Array(word)
    }

    private static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.upper == $1.upper }
    }
}
