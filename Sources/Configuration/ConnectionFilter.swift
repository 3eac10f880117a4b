/// The dialect of a configuration: which names, defaults and notation hold.
package enum Dialect: String, Sendable {
    /// Dovecot 2.3: no `dovecot_config_version`.
    case v23 = "2.3"
    /// Dovecot 2.4: `dovecot_config_version` is the first setting.
    case v24 = "2.4"
}

/// For which connections something holds; all nil means for every one.
package struct ConnectionFilter: Sendable, Hashable {
    /// `imap`, or `!imap` in a filter that excludes it.
    package var protocolName: String?
    /// Address or network of our end: `192.0.2.0/24`.
    package var local: String?
    /// Address or network of the client.
    package var remote: String?
    /// Server name of TLS (SNI); `*.example.org` in a filter, several separated by blanks.
    package var localName: String?

    package init(protocolName: String? = nil, local: String? = nil, remote: String? = nil, localName: String? = nil) {
        self.protocolName = protocolName
        self.local = local
        self.remote = remote
        self.localName = localName
    }

    /// Reads `protocol=imap`, `remote=192.0.2.1`, `local=…`, `local_name=…` (2.3: `service=`, `lname=`); nil for another key.
    package init?(options: [String]) {
        self.init()
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            guard parts.count == 2 else { return nil }
            switch parts[0] {
            case "protocol", "service": protocolName = parts[1]
            case "local": local = parts[1]
            case "remote": remote = parts[1]
            case "local_name", "lname": localName = parts[1].lowercased()
            default: return nil
            }
        }
    }

    /// Every connection.
    package static let global = ConnectionFilter()

    /// The same without the protocol: what cannot be known before a connection comes.
    package var withoutProtocol: ConnectionFilter { ConnectionFilter(local: local, remote: remote, localName: localName) }

    /// Does a connection (or a narrower filter) described by `other` fall under this filter?
    func covers(_ other: ConnectionFilter) -> Bool {
        if let mine = protocolName {
            guard let theirs = other.protocolName, Self.protocolMatches(mine, theirs) else { return false }
        }
        return Self.networkCovers(local, other.local) && Self.networkCovers(remote, other.remote)
            && Self.nameCovers(localName, other.localName)
    }

    private static func protocolMatches(_ filter: String, _ name: String) -> Bool {
        if filter == name { return true }
        if filter.hasPrefix("!") { return !name.hasPrefix("!") && !protocolMatches(String(filter.dropFirst()), name) }
        return name == filter + "-login"
    }

    private static func networkCovers(_ mine: String?, _ theirs: String?) -> Bool {
        guard let mine else { return true }
        guard let theirs else { return false }
        if mine == theirs { return true }
        guard let outer = Network(mine), let inner = Network(theirs) else { return false }
        return outer.contains(inner)
    }

    private static func nameCovers(_ mine: String?, _ theirs: String?) -> Bool {
        guard let mine else { return true }
        guard let theirs else { return false }
        let names = mine.lowercased().split(separator: " ")
        return theirs.lowercased().split(separator: " ").allSatisfy { name in
            names.contains { pattern in
                pattern == name || (pattern.hasPrefix("*.") && Glob.matches(Array(name.utf8), pattern: Array(pattern.utf8)))
            }
        }
    }

    /// Larger is more specific: local, then remote, then local_name, then protocol.
    var specificity: [Int] {
        [
            local.flatMap(Network.init)?.bits ?? (local == nil ? -1 : 128),
            remote.flatMap(Network.init)?.bits ?? (remote == nil ? -1 : 128),
            localName.map { $0.contains("*") ? 0 : 1 } ?? -1,
            protocolName == nil ? -1 : protocolName?.hasPrefix("!") == true ? 0 : 1,
        ]
    }

    func isLessSpecific(than other: ConnectionFilter) -> Bool {
        specificity.lexicographicallyPrecedes(other.specificity)
    }

    /// `remote 192.0.2.0/24, protocol imap`; empty for the global one.
    package var words: String {
        [
            local.map { "local \($0)" }, localName.map { "local_name \($0)" }, remote.map { "remote \($0)" },
            protocolName.map { "protocol \($0)" },
        ]
        .compactMap { $0 }.joined(separator: ", ")
    }
}

/// An IPv4 or IPv6 network in 128 bits; IPv4 lies at ::ffff:0:0/96.
struct Network: Hashable {
    let address: [UInt8]
    /// Length of the prefix in 0…128 (96…128 for IPv4).
    let bits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = Self.address(String(parts[0])) else { return nil }
        let isFour = !parts[0].contains(":")
        let width = isFour ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), given >= 0, given <= width else { return nil }
            length = given
        }
        self.address = address
        bits = isFour ? 96 + length : length
    }

    func contains(_ other: Network) -> Bool {
        guard bits <= other.bits else { return false }
        for bit in 0..<bits where (address[bit / 8] ^ other.address[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 { return false }
        return true
    }

    /// The 16 bytes of an address, with or without brackets.
    static func address(_ text: String) -> [UInt8]? {
        var text = text
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        if !text.contains(":") {
            return four(text).map { Array(repeating: 0, count: 10) + [0xff, 0xff] + $0 }
        }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(String(halves[0])) else { return nil }
        if halves.count == 1 { return head.count == 16 ? head : nil }
        guard let tail = groups(String(halves[1])), head.count + tail.count <= 14 else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func four(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt8($0) : nil }
        return bytes.count == 4 ? bytes : nil
    }

    private static func groups(_ text: String) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (position, part) in parts.enumerated() {
            if part.contains(".") {
                guard position == parts.count - 1, let last = four(String(part)) else { return nil }
                bytes += last
            } else {
                guard part.utf8.count <= 4, !part.hasPrefix("+"), !part.hasPrefix("-"), let group = UInt16(part, radix: 16) else {
                    return nil
                }
                bytes += [UInt8(group >> 8), UInt8(group & 255)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }
}
