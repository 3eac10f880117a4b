/// Reads address lists as they are found in the world (RFC 5322 section 3.4 and 4.4). What is no address is told as Dovecot tells it, so that
/// clients and their caches meet nothing new; where a list cannot be understood any further it ends. Each byte is looked at a few times at most.
package struct AddressParser {
    private var scanner: AddressScanner
    private var found: [Address] = []

    private init(_ value: [UInt8]) { scanner = AddressScanner(value) }

    // address-list = (address *("," address)) / obs-addr-list ; obs-addr-list = *([CFWS] ",") address *("," [address / CFWS])
    /// The addresses of an unfolded field, at most `Limits.addresses`; nil for none, or for comments nested too deep.
    package static func parse(_ value: [UInt8]) -> [Address]? {
        var parser = AddressParser(value)
        parser.list()
        return parser.scanner.isTooDeep || parser.found.isEmpty ? nil : parser.found
    }

    private mutating func list() {
        guard scanner.skipBlanks() == .more else { return }
        while found.count < Limits.addresses, !scanner.isTooDeep {
            if scanner.peek != 0x2c {
                if !group() { mailbox() }
                guard scanner.peek == 0x2c else { return }
            }
            // Two commas in a row: an empty element is allowed and stands for nobody.
            scanner.index += 1
            guard scanner.skipBlanks() == .more else { return }
        }
    }

    // group = display-name ":" [group-list] ";" [CFWS] ; obs-group-list = 1*([CFWS] ",") [CFWS]
    private mutating func group() -> Bool {
        let start = scanner.index
        var name: [UInt8] = []
        guard scanner.phrase(into: &name) == .more, scanner.peek == 0x3a else {
            scanner.index = start
            return false
        }
        scanner.index += 1
        found.append(Address(mailbox: name))
        var state = scanner.skipBlanks()
        while state == .more, scanner.peek != 0x3b, found.count < Limits.addresses {
            if scanner.peek != 0x2c { mailbox() }
            guard scanner.peek == 0x2c else { break }
            scanner.index += 1
            state = scanner.skipBlanks()
        }
        if scanner.peek == 0x3b {
            scanner.index += 1
            _ = scanner.skipBlanks()
        }
        found.append(Address())
        return true
    }

    // mailbox = name-addr / addr-spec
    private mutating func mailbox() {
        let start = scanner.index
        var address = Address()
        if !nameAddress(&address) {
            scanner.index = start
            addressSpec(&address)
        }
        if address.mailbox == nil { address.mailbox = Address.missingMailbox }
        if address.host?.isEmpty ?? true { address.host = Address.missingHost }
        found.append(address)
    }

    // name-addr = [display-name] angle-addr
    private mutating func nameAddress(_ address: inout Address) -> Bool {
        var name: [UInt8] = []
        guard scanner.phrase(into: &name) == .more, scanner.peek == 0x3c else { return false }
        address.name = name.isEmpty ? nil : name
        if !angle(&address) { address.host = Address.brokenHost }
        return true
    }

    // angle-addr = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr ; obs-angle-addr = [CFWS] "<" obs-route addr-spec ">" [CFWS]
    private mutating func angle(_ address: inout Address) -> Bool {
        scanner.index += 1
        guard scanner.skipBlanks() == .more else { return false }
        if scanner.peek == 0x40 {
            let route = route()
            if let route, scanner.peek == 0x3a {
                address.route = route
                scanner.index += 1
            } else {
                address.route = Address.brokenRoute
            }
            guard scanner.skipBlanks() == .more else { return false }
        }
        if scanner.peek != 0x3e {
            guard localPart(&address) == .more else { return false }
            if scanner.peek == 0x40 { guard domain(&address) == .more else { return false } }
        }
        guard scanner.peek == 0x3e else { return false }
        scanner.index += 1
        return scanner.skipBlanks() != .failed
    }

    // obs-route = obs-domain-list ":" ; obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
    private mutating func route() -> [UInt8]? {
        var route: [UInt8] = []
        while scanner.peek == 0x40 {
            if !route.isEmpty { route.append(0x2c) }
            route.append(0x40)
            guard scanner.domain(into: &route) == .more else { return nil }
            while scanner.skipBlanks() == .more, scanner.peek == 0x2c { scanner.index += 1 }
        }
        return scanner.peek == nil ? nil : route
    }

    // addr-spec = local-part "@" domain
    /// Old programs put the name into a comment behind it. What has no @ is a local mailbox if it is one word, else a name.
    private mutating func addressSpec(_ address: inout Address) {
        scanner.comment.removeAll()
        let isQuoted = scanner.peek == 0x22
        var text: [UInt8] = []
        let state = localPart(&address, text: &text)
        var hasDomain = false
        if state != .ended, scanner.peek == 0x40 {
            hasDomain = true
            _ = domain(&address)
        }
        if !scanner.comment.isEmpty {
            address.name = scanner.comment
        } else if !hasDomain {
            text.append(0x20)
            let before = text.count
            _ = scanner.phrase(into: &text)
            if text.count != before || isQuoted && state != .failed {
                address.mailbox = nil
                address.name = text
            }
        }
    }

    private mutating func localPart(_ address: inout Address) -> AddressScanner.State {
        var text: [UInt8] = []
        return localPart(&address, text: &text)
    }

    private mutating func localPart(_ address: inout Address, text: inout [UInt8]) -> AddressScanner.State {
        let state = scanner.localPart(into: &text)
        if state != .failed { address.mailbox = text }
        return state
    }

    private mutating func domain(_ address: inout Address) -> AddressScanner.State {
        var text: [UInt8] = []
        let state = scanner.domain(into: &text)
        if state != .failed { address.host = text }
        return state
    }
}

/// The words of an address.
struct AddressScanner {
    /// How reading a word went: something follows it, it was the last, or there was none.
    enum State { case more, ended, failed }

    private let bytes: [UInt8]
    var index = 0
    /// The last comment that was skipped.
    var comment: [UInt8] = []
    private(set) var isTooDeep = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var peek: UInt8? { index < bytes.count ? bytes[index] : nil }
    private var atText: Bool { index < bytes.count && Self.isText(bytes[index]) }

    // CFWS = (1*([FWS] comment) [FWS]) / FWS
    mutating func skipBlanks() -> State {
        while let byte = peek {
            switch byte {
            case 0x20, 0x09, 0x0d, 0x0a: index += 1
            case 0x28: guard skipComment() else { return .failed }
            default: return .more
            }
        }
        return .ended
    }

    // comment = "(" *([FWS] ccontent) [FWS] ")"
    private mutating func skipComment() -> Bool {
        comment.removeAll()
        guard readComment() else {
            comment.removeAll()
            return false
        }
        return true
    }

    private mutating func readComment() -> Bool {
        var depth = 0
        while let byte = peek {
            index += 1
            switch byte {
            case 0x28:
                depth += 1
                if depth > Limits.commentDepth {
                    isTooDeep = true
                    return false
                }
                if depth > 1 { comment.append(byte) }
            case 0x29:
                depth -= 1
                if depth == 0 { return true }
                comment.append(byte)
            case 0x5c:
                guard let escaped = peek else { return false }
                comment.append(escaped)
                index += 1
            default: comment.append(byte)
            }
        }
        return false
    }

    // phrase = 1*word / obs-phrase ; obs-phrase = word *(word / "." / CFWS)
    mutating func phrase(into text: inout [UInt8]) -> State {
        guard let first = peek else { return .ended }
        if first == 0x2e { return .failed }
        while true {
            let state = peek == 0x22 ? quoted(into: &text) : atomOrDots(into: &text)
            guard state == .more else { return state }
            guard atText || peek == 0x22 || peek == 0x2e else { return .more }
            text.append(0x20)
        }
    }

    private mutating func atomOrDots(into text: inout [UInt8]) -> State {
        while let byte = peek, Self.isText(byte) || byte == 0x2e {
            text.append(byte)
            index += 1
        }
        return skipBlanks()
    }

    // quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS]
    mutating func quoted(into text: inout [UInt8]) -> State {
        index += 1
        while let byte = peek {
            index += 1
            if byte == 0x22 { return skipBlanks() }
            if byte == 0x5c, let escaped = peek {
                text.append(escaped)
                index += 1
            } else {
                text.append(byte)
            }
        }
        return .failed
    }

    // atom = [CFWS] 1*atext [CFWS]
    private mutating func atom(into text: inout [UInt8]) -> State {
        guard atText else { return .failed }
        while let byte = peek, Self.isText(byte) {
            text.append(byte)
            index += 1
        }
        return skipBlanks()
    }

    // local-part = dot-atom / quoted-string / obs-local-part ; obs-local-part = word *("." word)
    /// Dots where none may be are common, and let through.
    mutating func localPart(into text: inout [UInt8]) -> State {
        while true {
            while peek == 0x2e {
                text.append(0x2e)
                index += 1
                let mark = (index, comment)
                if skipBlanks() == .more, atText || peek == 0x22 { continue }
                (index, comment) = mark
            }
            if !text.isEmpty, text.last == 0x2e, peek == 0x40 { return .more }
            if peek == nil, !text.isEmpty { return .ended }
            let state = peek == 0x22 ? quoted(into: &text) : atom(into: &text)
            guard state == .more, peek == 0x2e else { return state }
        }
    }

    // domain = dot-atom / domain-literal / obs-domain ; obs-domain = atom *("." atom)
    /// Behind the @ at hand.
    mutating func domain(into text: inout [UInt8]) -> State {
        index += 1
        let state = skipBlanks()
        guard state == .more else { return state }
        if peek == 0x5b { return literal(into: &text) }
        while true {
            let state = atom(into: &text)
            guard state == .more, peek == 0x2e else { return state }
            text.append(0x2e)
            index += 1
            guard skipBlanks() == .more else { return .failed }
        }
    }

    // domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS]
    private mutating func literal(into text: inout [UInt8]) -> State {
        let start = index
        while let byte = peek {
            if byte == 0x5b, index > start { return .failed }
            index += 1
            if byte == 0x5c { index = min(index + 1, bytes.count) }
            if byte == 0x5d {
                text.append(contentsOf: bytes[start..<index])
                return skipBlanks()
            }
        }
        return .failed
    }

    // atext: letters, digits and !#$%&'*+-/=?^_`{|}~ ; UTF-8 (RFC 6532 section 3.2)
    private static func isText(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x28, 0x29, 0x2c, 0x2e, 0x3a, 0x3b, 0x3c, 0x3e, 0x40, 0x5b, 0x5c, 0x5d, 0x7f: false
        default: byte > 0x20
        }
    }
}
