internal import Platform

/// What a proxy says about the connection that it passes on (PROXY protocol, versions 1 and 2; operations.md 17).
struct ProxyHeader: Equatable {
    /// The two ends of the client's connection; nil: those of the socket hold (LOCAL, UNKNOWN, and what is no TCP).
    var ends: Ends?
    /// Name that the client asked for (PP2_TYPE_AUTHORITY); empty: not said.
    var serverName = ""
    /// The client came over TLS, which the proxy ended (PP2_TYPE_SSL).
    var isTLS = false

    struct Ends: Equatable {
        let remote: Endpoint
        let local: Endpoint
    }

    /// What became of the bytes so far.
    enum Step: Equatable {
        /// So many more belong to the header for certain: who reads just these never takes a byte of what follows it.
        case needs(Int)
        case complete(ProxyHeader)
    }

    enum Limits {
        /// A whole line of version 1 (operations.md 17).
        static let line = 108
        /// What follows the fixed part of version 2. Known proxies send some hundred bytes; a client's certificate may be among them.
        static let payload = 8_192
        static let values = 64
        static let serverName = 255
    }

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let word = Array("PROXY ".utf8)

    // header = version-1 / version-2        ; neither begins like the other, and none is shorter than 15 bytes
    static func read(_ bytes: [UInt8]) throws(ProxyHeaderError) -> Step {
        if zip(bytes, signature).allSatisfy({ $0 == $1 }) {
            return bytes.count < signature.count ? .needs(signature.count - bytes.count) : try readBinary(bytes)
        }
        guard zip(bytes, word).allSatisfy({ $0 == $1 }) else { throw .init(0, "the connection begins with something else") }
        return bytes.count < signature.count ? .needs(signature.count - bytes.count) : try readText(bytes)
    }

    // MARK: version 1

    // version-1 = "PROXY" SP ( ends / "UNKNOWN" [ SP *( %x20-7E ) ] ) CRLF
    // ends      = ( "TCP4" / "TCP6" ) SP address SP address SP port SP port      ; source, then destination
    private static func readText(_ bytes: [UInt8]) throws(ProxyHeaderError) -> Step {
        let body = bytes.prefix { $0 != 0x0D }
        guard body.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { throw .init(1, "a byte that is not allowed in its line") }
        let end = bytes[body.count...]
        guard end.count <= 2, end.count < 2 || end.last == 0x0A else { throw .init(1, "the line has no proper end") }
        guard bytes.count <= Limits.line else { throw .init(1, "the line is longer than \(Limits.line) bytes") }
        let words = body.split(separator: 0x20, omittingEmptySubsequences: false)
        if end.count == 2 { return .complete(try header(words)) }
        let missing = end.isEmpty ? 2 + missingBytes(words) : 1
        guard bytes.count + missing <= Limits.line else { throw .init(1, "the line is longer than \(Limits.line) bytes") }
        return .needs(missing)
    }

    /// Bytes that a right line still needs before its end, at least.
    private static func missingBytes(_ words: [ArraySlice<UInt8>]) -> Int {
        guard words.count > 2, words[1].starts(with: "TCP".utf8) else { return 0 }
        return 2 * max(0, 6 - words.count) + (words.last?.isEmpty == true ? 1 : 0)
    }

    private static func header(_ words: [ArraySlice<UInt8>]) throws(ProxyHeaderError) -> ProxyHeader {
        let kind = words[1]
        if kind.elementsEqual("UNKNOWN".utf8) { return ProxyHeader() }
        let isSix = kind.elementsEqual("TCP6".utf8)
        guard isSix || kind.elementsEqual("TCP4".utf8) else { throw .init(1, "the protocol is none of TCP4, TCP6 and UNKNOWN") }
        guard words.count == 6 else { throw .init(1, "the line has \(words.count - 1) fields in place of 5") }
        guard let source = address(words[2], isSix), let destination = address(words[3], isSix) else {
            throw .init(1, "an address that is not valid")
        }
        guard let from = port(words[4]), let to = port(words[5]) else { throw .init(1, "a port that is not valid") }
        return ProxyHeader(ends: Ends(remote: Endpoint(address: source, port: from), local: Endpoint(address: destination, port: to)))
    }

    /// In the form that the kernel's addresses have, so that they can be compared.
    private static func address(_ word: ArraySlice<UInt8>, _ isSix: Bool) -> String? {
        guard word.count <= 45, word.contains(UInt8(ascii: ":")) == isSix, !word.contains(UInt8(ascii: "%")) else { return nil }
        return Socket.addressBytes(String(decoding: word, as: UTF8.self)).map { Socket.addressText($0) }
    }

    // port = "0" / ( %x31-39 *4DIGIT )        ; at most 65535
    private static func port(_ word: ArraySlice<UInt8>) -> UInt16? {
        guard word.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), word.count == 1 || word.first != 0x30 else { return nil }
        return UInt16(String(decoding: word, as: UTF8.self))
    }

    // MARK: version 2

    // version-2 = signature version-command family length *OCTET        ; length: 2 bytes, big endian, of what follows it
    private static func readBinary(_ bytes: [UInt8]) throws(ProxyHeaderError) -> Step {
        let fixed = signature.count + 4
        guard bytes.count >= fixed else { return .needs(fixed - bytes.count) }
        guard bytes[12] >> 4 == 2 else { throw .init(2, "version \(bytes[12] >> 4) in a header of version 2") }
        guard bytes[12] & 15 <= 1 else { throw .init(2, "unknown command \(bytes[12] & 15)") }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard length <= Limits.payload else { throw .init(2, "\(length) bytes are over the limit of \(Limits.payload)") }
        guard bytes.count >= fixed + length else { return .needs(fixed + length - bytes.count) }
        guard bytes.count == fixed + length else { throw .init(2, "\(bytes.count - fixed - length) bytes after the header") }
        return .complete(try header(isProxied: bytes[12] & 15 == 1, family: bytes[13], bytes[fixed...]))
    }

    // family = AF_UNSPEC / ( AF_INET, AF_INET6 or AF_UNIX ) STREAM       ; 0x00, 0x11, 0x21, 0x31
    private static func header(isProxied: Bool, family: UInt8, _ payload: ArraySlice<UInt8>) throws(ProxyHeaderError) -> ProxyHeader {
        var result = ProxyHeader()
        // LOCAL: the proxy speaks for itself; what else it says is to be skipped.
        guard isProxied, family != 0 else { return result }
        let sizes: [UInt8: Int] = [0x11: 4, 0x21: 16, 0x31: 108]
        guard let size = sizes[family] else { throw .init(2, "address family and protocol 0x\(String(family, radix: 16)) are no stream") }
        let ports = family == 0x31 ? 0 : 4
        guard payload.count >= 2 * size + ports else { throw .init(2, "the addresses are cut short") }
        if ports > 0 {
            let (source, rest) = (payload.prefix(size), payload.dropFirst(size))
            let numbers = Array(rest.dropFirst(size).prefix(4))
            result.ends = Ends(
                remote: Endpoint(address: Socket.addressText(Array(source)), port: UInt16(numbers[0]) << 8 | UInt16(numbers[1])),
                local: Endpoint(address: Socket.addressText(Array(rest.prefix(size))), port: UInt16(numbers[2]) << 8 | UInt16(numbers[3])))
        }
        for (type, value) in try values(payload.dropFirst(2 * size + ports)) { try result.take(type, value) }
        return result
    }

    // values = *( type length *OCTET )        ; 1 byte, 2 bytes big endian, then as many as length says
    private static func values(_ bytes: ArraySlice<UInt8>) throws(ProxyHeaderError) -> [(type: UInt8, value: ArraySlice<UInt8>)] {
        var found: [(type: UInt8, value: ArraySlice<UInt8>)] = []
        var rest = bytes
        while let type = rest.first {
            guard found.count < Limits.values else { throw .init(2, "more than \(Limits.values) values") }
            let head = Array(rest.prefix(3))
            guard head.count == 3 else { throw .init(2, "a value is cut short") }
            let length = Int(head[1]) << 8 | Int(head[2])
            rest = rest.dropFirst(3)
            guard length <= rest.count else { throw .init(2, "a value is cut short") }
            found.append((type, rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return found
    }

    /// PP2_TYPE_AUTHORITY (0x02) and PP2_TYPE_SSL (0x20) say something to us; all other values are skipped.
    private mutating func take(_ type: UInt8, _ value: ArraySlice<UInt8>) throws(ProxyHeaderError) {
        switch type {
        case 0x02:
            guard value.count <= Limits.serverName, value.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw .init(2, "the server name is too long or has bytes that are not allowed")
            }
            serverName = String(decoding: value, as: UTF8.self)
        case 0x20:
            // ssl = client verify *( type length *OCTET )        ; client: 1 byte of flags, verify: 4 bytes
            guard let flags = value.first, value.count >= 5 else { throw .init(2, "the value about TLS is cut short") }
            _ = try Self.values(value.dropFirst(5))
            isTLS = flags & 1 != 0
        default: break
        }
    }
}

/// Why a header is not taken; the connection ends.
struct ProxyHeaderError: Error, Equatable, CustomStringConvertible {
    /// 1 or 2; 0: not known.
    let version: Int
    let text: String

    init(_ version: Int, _ text: String) {
        self.version = version
        self.text = text
    }

    var description: String { version == 0 ? "no PROXY header: \(text)" : "invalid PROXY header (v\(version)): \(text)" }
}
