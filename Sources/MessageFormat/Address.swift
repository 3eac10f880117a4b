/// One entry of an address list as ENVELOPE shows it (RFC 9051 section 7.5.2). A group is a start with only a mailbox, its members, and an empty end.
package struct Address: Equatable, Sendable {
    /// The display name, still with encoded words.
    package var name: [UInt8]?
    /// `@a,@b` of an old source route.
    package var route: [UInt8]?
    package var mailbox: [UInt8]?
    package var host: [UInt8]?

    package init(name: [UInt8]? = nil, route: [UInt8]? = nil, mailbox: [UInt8]? = nil, host: [UInt8]? = nil) {
        self.name = name
        self.route = route
        self.mailbox = mailbox
        self.host = host
    }

    /// What stands for a missing half of an address: NIL there would mean a group.
    package static let missingMailbox = Array("MISSING_MAILBOX".utf8)
    package static let missingHost = Array("MISSING_DOMAIN".utf8)
}

/// Reads address lists as they are found in the world (RFC 5322 section 3.4 and 4.4), in one pass without going back.
package struct AddressParser {
    private let bytes: [UInt8]
    private var index = 0
    private var isInGroup = false
    private var isTooDeep = false
    private var comment: [UInt8]?
    private var found: [Address] = []

    private init(_ value: [UInt8]) { bytes = value }

    // address-list = (address *("," address)) / obs-addr-list
    // address = mailbox / group ; group = display-name ":" [group-list] ";" [CFWS]
    /// The addresses of an unfolded field, at most `Limits.addresses`; nil for none, or for comments nested too deep.
    package static func parse(_ value: [UInt8]) -> [Address]? {
        var parser = AddressParser(value)
        while parser.found.count < Limits.addresses, parser.next() {}
        if parser.isInGroup { parser.found.append(Address()) }
        return parser.isTooDeep || parser.found.isEmpty ? nil : parser.found
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// One address, or one sign between two; false at the end.
    private mutating func next() -> Bool {
        comment = nil
        skipBlanks()
        var words = words()
        switch peek {
        case nil:
            addBare(words)
            return false
        case 0x2c:  // ,
            index += 1
            addBare(words)
        case 0x3b:  // ;
            index += 1
            addBare(words)
            if isInGroup { found.append(Address()) }
            isInGroup = false
        case 0x3a:  // :
            index += 1
            if !isInGroup {
                isInGroup = true
                found.append(Address(mailbox: words.phrase.isEmpty ? Address.missingMailbox : words.phrase))
            }
        case 0x3c:  // <
            index += 1
            angle(name: words.phrase.isEmpty ? nil : words.phrase)
        case 0x40:  // @
            index += 1
            let host = domain()
            skipRest()
            words.local = words.local.isEmpty ? Address.missingMailbox : words.local
            found.append(Address(name: comment, mailbox: words.local, host: host.isEmpty ? Address.missingHost : host))
        default: index += 1  // a stray ) or >
        }
        return !isTooDeep
    }

    /// A word without @ is a local mailbox of old systems; several words are a name that lost its address.
    private mutating func addBare(_ words: Words) {
        guard !words.local.isEmpty else { return }
        let isName = words.phrase.count > words.local.count
        found.append(
            Address(
                name: isName ? words.phrase : comment, mailbox: isName ? Address.missingMailbox : words.local, host: Address.missingHost))
    }

    // angle-addr = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr
    // obs-route = obs-domain-list ":"
    private mutating func angle(name: [UInt8]?) {
        skipBlanks()
        var route: [UInt8] = []
        while peek == 0x40 {
            index += 1
            if !route.isEmpty { route.append(0x2c) }
            route.append(0x40)
            route.append(contentsOf: domain())
            skipBlanks()
            if peek == 0x2c || peek == 0x3a { index += 1 }
            skipBlanks()
        }
        let local = words().local
        var host: [UInt8] = []
        if peek == 0x40 {
            index += 1
            host = domain()
        }
        while let byte = peek, byte != 0x3e, byte != 0x2c { index += 1 }
        if peek == 0x3e { index += 1 }
        skipRest()
        found.append(
            Address(
                name: name ?? comment, route: route.isEmpty ? nil : route, mailbox: local.isEmpty ? Address.missingMailbox : local,
                host: host.isEmpty ? Address.missingHost : host))
    }

    /// What is left before the next separator carries nothing but comments.
    private mutating func skipRest() {
        skipBlanks()
        while let byte = peek, byte != 0x2c, byte != 0x3b, !isTooDeep {
            index += 1
            skipBlanks()
        }
        if peek == 0x2c { index += 1 }
    }

    private struct Words {
        /// Words with one blank between: a display name.
        var phrase: [UInt8] = []
        /// The same without blanks: a local part.
        var local: [UInt8] = []
    }

    // phrase = 1*word / obs-phrase ; local-part = dot-atom / quoted-string / obs-local-part
    private mutating func words() -> Words {
        var words = Words()
        var hadBlank = false
        while let byte = peek, !isTooDeep {
            switch byte {
            case 0x2c, 0x3b, 0x3a, 0x3c, 0x40, 0x3e, 0x29: return words
            case 0x20, 0x09, 0x0d, 0x0a, 0x28:
                skipBlanks()
                hadBlank = true
                continue
            default: break
            }
            // A comment in front of an address is no name.
            if words.phrase.isEmpty { comment = nil }
            let start = index
            let word = byte == 0x22 ? quoted() : atom()
            if index == start { index += 1 }
            if hadBlank, !words.phrase.isEmpty { words.phrase.append(0x20) }
            hadBlank = false
            words.phrase.append(contentsOf: word)
            words.local.append(contentsOf: word)
        }
        return words
    }

    private mutating func atom() -> [UInt8] {
        let start = index
        while let byte = peek, byte > 0x20, !Self.isSpecial(byte) { index += 1 }
        return Array(bytes[start..<index])
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x28, 0x29, 0x2c, 0x3a, 0x3b, 0x3c, 0x3e, 0x40: true
        default: false
        }
    }

    // quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE
    private mutating func quoted() -> [UInt8] {
        var text: [UInt8] = []
        index += 1
        while let byte = peek {
            index += 1
            if byte == 0x22 { break }
            if byte == 0x5c, let escaped = peek {
                text.append(escaped)
                index += 1
            } else if byte != 0x0d, byte != 0x0a {
                text.append(byte)
            }
        }
        return text
    }

    // domain = dot-atom / domain-literal / obs-domain
    private mutating func domain() -> [UInt8] {
        var host: [UInt8] = []
        while let byte = peek, !isTooDeep {
            if byte <= 0x20 || byte == 0x28 {
                skipBlanks()
                // Blanks are part of a domain around its dots only.
                if let next = peek, host.isEmpty || next == 0x2e || host.last == 0x2e { continue }
                break
            }
            if byte == 0x5b {
                let end = bytes[index...].firstIndex(of: 0x5d) ?? bytes.count - 1
                host.append(contentsOf: bytes[index...end])
                index = end + 1
                continue
            }
            let word = atom()
            if word.isEmpty { break }
            host.append(contentsOf: word)
        }
        return host
    }

    // comment = "(" *([FWS] ccontent) [FWS] ")"
    /// Skips blanks and comments; remembers the last comment, which old programs used for names.
    private mutating func skipBlanks() {
        var depth = 0
        var text: [UInt8] = []
        while let byte = peek {
            if depth == 0, byte != 0x28 {
                guard byte <= 0x20 else { return }
                index += 1
                continue
            }
            index += 1
            switch byte {
            case 0x28:
                depth += 1
                if depth > Limits.commentDepth {
                    isTooDeep = true
                    return
                }
                if depth == 1 { text = [] } else { text.append(byte) }
            case 0x29:
                depth -= 1
                if depth == 0 { comment = Array(text[...].trimmed) } else { text.append(byte) }
            case 0x5c:
                if let escaped = peek {
                    text.append(escaped)
                    index += 1
                }
            default: text.append(byte)
            }
        }
    }
}
