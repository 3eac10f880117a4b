internal import SASL

/// Where a request comes from, as the asking process says.
struct Origin: Equatable, Sendable {
    /// Protocol word: `imap`, `smtp`.
    var service = ""
    var session = ""
    var localAddress = ""
    var localPort: UInt16 = 0
    var remoteAddress = ""
    var remotePort: UInt16 = 0
    /// The ends of the connection itself, where a proxy told other ones (`real_rip` and its like).
    var realLocalAddress = ""
    var realLocalPort: UInt16 = 0
    var realRemoteAddress = ""
    var realRemotePort: UInt16 = 0
    /// Name that the client asked for in TLS (SNI).
    var localName = ""
    var isSecured = false
    var isTLS = false
    /// SASL mechanism; empty for a lookup of a user.
    var mechanism = ""
    var clientID = ""
    /// The asker vouches for the client (`no-penalty`): its address collects no penalties.
    var isExempt = false
    /// Penalty of the address when the request began; nil: it takes no part in penalties.
    var penalty: UInt8?

    init() {}
}

/// Who the request is about: the names that the client gave, made normal.
struct Identity: Equatable, Sendable {
    /// The user to be logged in.
    var user = ""
    /// As the client wrote it.
    var original = ""
    /// The user whose password was given, when that is another one.
    var master: String?

    /// What `%u` in log lines and databases of master users stands for: the one whose password is checked.
    var authenticated: String { master ?? user }
}

/// Variables that templates of auth may ask for (config.md 7, 8).
struct VariableTable {
    let origin: Origin
    let identity: Identity
    var passdb = FieldList()
    var userdb = FieldList()
    var uid: UInt32?
    var gid: UInt32?
    var home: String?

    init(_ origin: Origin, _ identity: Identity) {
        self.origin = origin
        self.identity = identity
    }

    subscript(_ name: String) -> String? {
        switch name {
        case "user": identity.user
        case "original_user": identity.original
        case "login_user": identity.master == nil ? nil : identity.user
        case "auth_user": identity.authenticated
        case "master_user": identity.master
        case "service", "protocol": origin.service
        case "session": origin.session
        case "local_ip": origin.localAddress
        case "remote_ip": origin.remoteAddress
        case "local_port": String(origin.localPort)
        case "remote_port": String(origin.remotePort)
        case "real_local_ip": origin.realLocalAddress
        case "real_remote_ip": origin.realRemoteAddress
        case "real_local_port": String(origin.realLocalPort)
        case "real_remote_port": String(origin.realRemotePort)
        case "local_name": origin.localName
        case "mechanism": origin.mechanism
        case "secured": origin.isTLS ? "TLS" : origin.isSecured ? "secured" : ""
        case "client_id": origin.clientID
        case "home": home
        case "uid": uid.map { String($0) }
        case "gid": gid.map { String($0) }
        default: field(name)
        }
    }

    private func field(_ name: String) -> String? {
        if name.hasPrefix("userdb:") { return userdb[String(name.dropFirst(7))] }
        if name.hasPrefix("passdb:") { return passdb[String(name.dropFirst(7))] }
        return nil
    }
}
