internal import Platform

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
        guard let outer = AddressRange(mine), let inner = AddressRange(theirs) else { return false }
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
            local.map { AddressRange($0)?.precision ?? 128 } ?? -1,
            remote.map { AddressRange($0)?.precision ?? 128 } ?? -1,
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
