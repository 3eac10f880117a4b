/// A pattern of LIST: `*` matches anything, `%` anything but the separator (RFC 9051 section 6.3.9).
package struct ListPattern: Equatable, Sendable {
    private enum Element: Equatable { case byte(UInt8), anything, withinLevel }

    private let elements: [Element]
    private let separator: UInt8

    /// Nil for more wildcards than `Limits.wildcards`; runs of them count once, for they match the same.
    package init?(_ pattern: [UInt8], separator: UInt8) {
        var elements: [Element] = []
        for byte in pattern {
            switch byte {
            case 0x2a:
                while elements.last == .withinLevel { elements.removeLast() }
                if elements.last != .anything { elements.append(.anything) }
            case 0x25:
                if elements.last != .anything, elements.last != .withinLevel { elements.append(.withinLevel) }
            default: elements.append(.byte(byte))
            }
        }
        let wildcards = elements.count { $0 == .anything || $0 == .withinLevel }
        guard wildcards <= Limits.wildcards, elements.count <= Limits.mailboxName * 2 else { return nil }
        // `inbox` in any case names INBOX when it is the first level.
        self.elements = Self.foldingInbox(elements, separator: separator)
        self.separator = separator
    }

    private static func foldingInbox(_ elements: [Element], separator: UInt8) -> [Element] {
        let first = elements.prefix(5)
        let bytes: [UInt8] = first.compactMap { if case .byte(let byte) = $0 { byte } else { nil } }
        guard bytes.isWord("INBOX"), elements.count == 5 || !isPlainByte(elements[5], but: separator) else { return elements }
        return "INBOX".utf8.map { .byte($0) } + elements.dropFirst(5)
    }

    private static func isPlainByte(_ element: Element, but separator: UInt8) -> Bool {
        if case .byte(let byte) = element { return byte != separator }
        return false
    }

    /// Whether the whole name matches. All possible places in the pattern advance together, so a name costs at most its length times the pattern's.
    package func matches(_ name: some Sequence<UInt8>) -> Bool {
        if elements == [.anything] { return true }
        var places = [Bool](repeating: false, count: elements.count + 1)
        places[0] = true
        for (index, element) in elements.enumerated() where places[index] && Self.isWildcard(element) { places[index + 1] = true }
        var next = places
        for byte in name {
            for index in next.indices { next[index] = false }
            var isAlive = false
            for index in elements.indices where places[index] || next[index] {
                switch elements[index] {
                case .byte(let wanted):
                    if places[index], wanted == byte { next[index + 1] = true }
                case .anything:
                    if places[index] { next[index] = true }
                case .withinLevel:
                    if places[index], byte != separator { next[index] = true }
                }
                if next[index], Self.isWildcard(elements[index]) { next[index + 1] = true }
                isAlive = isAlive || next[index] || next[index + 1]
            }
            guard isAlive else { return false }
            swap(&places, &next)
        }
        return places[elements.count]
    }

    private static func isWildcard(_ element: Element) -> Bool { element == .anything || element == .withinLevel }
}
