/// The asker broke the text protocol: its connection ends, with this line in the log.
struct Violation: Error, Equatable { let text: String }

/// `name=value` words of one line, unescaped; unknown names are ignored (auth.md 2).
struct Parameters {
    private(set) var words: [(name: [UInt8], value: [UInt8]?)] = []

    // parameters = *( TAB name [ "=" value ] )
    init(_ parts: some Sequence<ArraySlice<UInt8>>) throws(Violation) {
        for part in parts {
            guard words.count < Limits.parameters else { throw Violation(text: "more than \(Limits.parameters) parameters") }
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            words.append((TabEscape.decode(pair[0]), pair.count == 2 ? TabEscape.decode(pair[1]) : nil))
        }
    }

    func has(_ name: String) -> Bool { words.contains { $0.name.elementsEqual(name.utf8) } }

    func bytes(_ name: String) -> [UInt8]? { words.first { $0.name.elementsEqual(name.utf8) }?.value }

    func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0.prefix(1_024), as: UTF8.self) } }

    /// What they say about the connection that the request is for (auth.md 3.2). Throws when the service is missing.
    func origin() throws(Violation) -> Origin {
        guard let service = text("service") ?? text("protocol"), !service.isEmpty else { throw Violation(text: "service is missing") }
        var origin = Origin()
        origin.service = service
        origin.session = text("session") ?? ""
        origin.localAddress = text("lip") ?? ""
        origin.remoteAddress = text("rip") ?? ""
        origin.localPort = text("lport").flatMap { UInt16($0) } ?? 0
        origin.remotePort = text("rport").flatMap { UInt16($0) } ?? 0
        origin.realLocalAddress = text("real_lip") ?? origin.localAddress
        origin.realRemoteAddress = text("real_rip") ?? origin.remoteAddress
        origin.realLocalPort = text("real_lport").map { UInt16($0) ?? 0 } ?? origin.localPort
        origin.realRemotePort = text("real_rport").map { UInt16($0) ?? 0 } ?? origin.remotePort
        origin.localName = text("local_name") ?? ""
        origin.clientID = text("client_id") ?? ""
        origin.isTLS = text("secured")?.lowercased() == "tls" || text("transport") == "TLS"
        origin.isExempt = has("no-penalty")
        origin.isSecured = has("secured") || origin.isTLS
        return origin
    }
}

extension ArraySlice<UInt8> {
    // number = 1*10DIGIT, below 2^32
    /// A decimal number, nil for anything else.
    var number: UInt32? {
        guard !isEmpty, count <= 10, allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt32(String(decoding: self, as: UTF8.self))
    }
}
