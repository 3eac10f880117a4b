/// Turns what a client or a directory says into a `MailboxName`, and a `MailboxName` into where it is stored.
/// Which names are refused and with which words: reference/storage.md 11.
struct MailboxNameRules {
    let namespaces: [Namespace]
    /// One for each namespace.
    let layouts: [StorageNames]

    /// `INBOX`. The compiler lays these bytes out, and nobody counts references to them, in memory that sessions share with their zygote.
    private static let inbox: [UInt8] = [0x49, 0x4e, 0x42, 0x4f, 0x58]

    /// Namespace with the longest prefix of `text`; the prefix's first part `INBOX` in any case.
    func namespace(of text: [UInt8]) -> Int? {
        var best: Int?
        for (index, namespace) in namespaces.enumerated() where Self.hasPrefix(text, namespace.prefix) {
            if let found = best, namespaces[found].prefix.count >= namespace.prefix.count { continue }
            best = index
        }
        return best
    }

    private static func hasPrefix(_ text: [UInt8], _ prefix: [UInt8]) -> Bool {
        guard text.count > prefix.count else { return false }
        let folded = isInbox(prefix.prefix(5)) && prefix.count > 5 ? 5 : 0
        return isInbox(text.prefix(folded)) == (folded > 0) && text[folded..<prefix.count] == prefix[folded...]
    }

    private static func isInbox(_ text: ArraySlice<UInt8>) -> Bool {
        text.count == 5 && zip(text, inbox).allSatisfy { ASCII.lower($0) == ASCII.lower($1) }
    }

    func name(_ text: [UInt8]) throws(StoreError) -> MailboxName {
        guard !text.isEmpty else { throw .invalidName("Name is empty") }
        guard text.count <= StoreLimits.nameLength else { throw .invalidName("Mailbox name too long") }
        // What is not UTF-8 is replaced. `String(validating:)` says so, too, but finds its types out at run time.
        guard String(decoding: text, as: UTF8.self).utf8.elementsEqual(text) else { throw .invalidName("Mailbox name not valid UTF-8") }
        guard !text.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { throw .invalidName("Control characters not allowed") }
        if Self.isInbox(text[...]), let index = namespaces.firstIndex(where: \.holdsInbox) {
            return MailboxName(text: Self.inbox, namespace: index, isInbox: true, prefixLength: 0, separator: namespaces[index].separator)
        }
        guard let index = namespace(of: text) else {
            let prefix = namespaces.first { $0.holdsInbox }.map { String(decoding: $0.prefix, as: UTF8.self) } ?? ""
            throw .cannot("Client tried to access nonexistent namespace. (Mailbox name should probably be prefixed with: \(prefix))")
        }
        let prefix = namespaces[index].prefix
        try check(text[prefix.count...], namespaces[index], layouts[index])
        return MailboxName(
            text: prefix + text[prefix.count...], namespace: index, isInbox: false, prefixLength: prefix.count,
            separator: namespaces[index].separator)
    }

    /// The name of a directory of Maildir++ (without its first dot), where that takes no look at encodings and other namespaces, as with
    /// nearly all: one pass and one allocation. Nil: `name(storedParts:)` knows.
    func plainName(stored: ArraySlice<UInt8>, namespace index: Int) -> MailboxName? {
        let namespace = namespaces[index]
        guard namespaces.count == 1, layouts[index].layout == .maildirPlusPlus, stored.count != Self.inbox.count, stored.count > 0,
            stored.count < StoreLimits.directoryNameLength, stored.first != 0x7e
        else { return nil }
        var depth = 1
        var last = ASCII.dot
        for byte in stored {
            guard byte >= 0x20, byte < 0x7f, byte != 0x26, byte != ASCII.slash else { return nil }
            if byte == ASCII.dot {
                if last == ASCII.dot { return nil }
                depth += 1
            } else if byte == namespace.separator {
                return nil
            }
            last = byte
        }
        guard last != ASCII.dot, depth <= StoreLimits.nameDepth else { return nil }
        var text = namespace.prefix
        text.reserveCapacity(text.count + stored.count)
        if namespace.separator == ASCII.dot {
            text += stored
        } else {
            for byte in stored { text.append(byte == ASCII.dot ? namespace.separator : byte) }
        }
        guard text.count <= StoreLimits.nameLength, !(text.count == Self.inbox.count && Self.isInbox(text[...])) else { return nil }
        return MailboxName(
            text: text, namespace: index, isInbox: false, prefixLength: namespace.prefix.count, separator: namespace.separator)
    }

    /// The name of what a directory or a subscription calls `parts` (in storage form); nil when no client could write it.
    func name(storedParts: [[UInt8]], namespace: Int) -> MailboxName? {
        var parts: [[UInt8]] = []
        for part in storedParts {
            guard let decoded = layouts[namespace].decode(part) else { return nil }
            parts.append(decoded)
        }
        guard !parts.isEmpty else { return nil }
        let separator = namespaces[namespace].separator
        if parts == [Self.inbox], namespaces[namespace].holdsInbox { return try? name(Self.inbox) }
        let text = namespaces[namespace].prefix + parts.joined(separator: [separator])
        guard let name = try? name(text), name.parts == parts, name.namespace == namespace else { return nil }
        return name
    }

    /// The name with the first `count` parts of `name` only.
    func ancestor(_ name: MailboxName, parts count: Int) -> MailboxName? {
        guard count > 0, count < name.parts.count else { return nil }
        let namespace = namespaces[name.namespace]
        return try? self.name(namespace.prefix + name.parts.prefix(count).joined(separator: [namespace.separator]))
    }

    private func check(_ text: ArraySlice<UInt8>, _ namespace: Namespace, _ layout: StorageNames) throws(StoreError) {
        let separator = namespace.separator
        if text.first == separator { throw .invalidName(separator == ASCII.slash ? "Begins with '/'" : "Begins with hierarchy separator") }
        if text.first == 0x7e { throw .invalidName("Begins with '~'") }
        if separator != layout.separator, text.contains(layout.separator) {
            throw .invalidName("Character not allowed in mailbox name: '\(Character(Unicode.Scalar(layout.separator)))'")
        }
        if separator != ASCII.slash, text.contains(ASCII.slash) { throw .invalidName("Name must not have '/' characters") }
        let parts = text.split(separator: separator, omittingEmptySubsequences: false).map { Array($0) }
        guard parts.last?.isEmpty == false else { throw .invalidName("Ends with hierarchy separator") }
        guard !parts.contains(where: \.isEmpty) else { throw .invalidName("Has adjacent hierarchy separators") }
        guard parts.count <= StoreLimits.nameDepth else { throw .invalidName("Too many levels of hierarchy") }
        if let reason = layout.refusal(of: parts) { throw .invalidName(reason) }
    }
}

/// How names are written in the file system.
struct StorageNames {
    let layout: MailLocation.Layout
    let areUTF8: Bool

    /// Separator of the storage: `.` for Maildir++, `/` for nested directories.
    var separator: UInt8 { layout == .maildirPlusPlus ? ASCII.dot : ASCII.slash }

    func encode(_ part: [UInt8]) -> [UInt8] { areUTF8 ? part : ModifiedUTF7.encode(part) }

    func decode(_ part: [UInt8]) -> [UInt8]? {
        if !areUTF8 { return ModifiedUTF7.decode(part[...]) }
        return String(validating: part, as: UTF8.self) == nil ? nil : part
    }

    /// Path of a mailbox's directory beneath the root.
    func path(of parts: [[UInt8]]) -> [UInt8] {
        let joined = Array(parts.map(encode).joined(separator: [separator]))
        return layout == .maildirPlusPlus ? [ASCII.dot] + joined : joined
    }

    /// The same of a name; nearly all are written as they are.
    func path(of name: MailboxName) -> [UInt8] {
        let text = name.text[name.prefixLength...]
        guard layout == .maildirPlusPlus, text.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x26 }) else { return path(of: name.parts) }
        var path: [UInt8] = []
        path.reserveCapacity(text.count + 1)
        path.append(ASCII.dot)
        for byte in text { path.append(byte == name.separator ? ASCII.dot : byte) }
        return path
    }

    func refusal(of parts: [[UInt8]]) -> String? {
        let path = path(of: parts)
        switch layout {
        case .maildirPlusPlus:
            if path.count > StoreLimits.directoryNameLength { return "Mailbox name too long" }
        case .nested:
            for part in parts {
                if part == [ASCII.dot] { return "Contains '.' part" }
                if part == [ASCII.dot, ASCII.dot] { return "Contains '..' part" }
                if Self.isReserved(part) { return "Contains reserved name" }
                if encode(part).count > StoreLimits.namePartLength { return "Mailbox name too long" }
            }
        }
        return nil
    }

    /// Names that the store uses itself.
    static func isReserved(_ part: [UInt8]) -> Bool {
        part.first == ASCII.dot || reserved.contains(part) || part.starts(with: Array("dovecot-".utf8))
            || part.starts(with: Array("dovecot.".utf8))
    }

    private static let reserved = Set(["cur", "new", "tmp", "subscriptions", "maildirsize", "maildirfolder"].map { Array($0.utf8) })
}
