/// Everything that the master must know of one service to start and watch it (services.md 2 and 3).
package struct ServicePlan: Sendable, Equatable {
    package let name: String
    /// The word of `protocols` that switches it on; empty: always on.
    package let protocolWord: String
    /// Empty, `login`, `worker`, `startup`, `log`, `config` or `anvil`.
    package let type: String
    /// Absolute path of the program.
    package let executable: String
    package let arguments: [String]
    /// Empty: root.
    package let user: String
    /// Empty: the user's.
    package let group: String
    package let extraGroups: [String]
    /// Absolute path; empty: none.
    package let chroot: String
    package let processMinAvail: Int
    package let processLimit: Int
    /// Clients of one process at a time; never above `restartRequestCount`.
    package let clientLimit: Int
    /// Clients that a process serves in its life; nil: no limit.
    package let restartRequestCount: Int?
    /// nil: never.
    package let idleKillMilliseconds: Int64?
    /// Bytes; nil: no limit.
    package let vszLimit: UInt64?
    package let listeners: [ListenerPlan]

    /// The role by which settings are chosen for it.
    package var role: Roles {
        switch name {
        case "auth", "auth-worker": .auth
        case "anvil": .anvil
        case "log": .log
        case "config": .config
        default: type == "login" || name == "lmtp" ? .login : .mail
        }
    }
}

/// One place where a service can be reached.
package enum ListenerPlan: Sendable, Equatable {
    /// `path` is absolute; `mode` as for chmod; empty user and group: root; `type` is set, or what follows the last `-` of the name.
    case unix(path: String, mode: UInt32, user: String, group: String, type: String)
    /// `addresses` are IP addresses, `*` for all of IPv4 and `::` for all of IPv6; an empty `type` means that the name tells it.
    case inet(name: String, addresses: [String], port: UInt16, ssl: Bool, haproxy: Bool, type: String)
    case fifo(path: String, mode: UInt32, user: String, group: String, type: String)

    /// The path, or the name and the port.
    package var label: String {
        switch self {
        case .unix(let path, _, _, _, _), .fifo(let path, _, _, _, _): path
        case .inet(let name, _, let port, _, _, _): "\(name):\(port)"
        }
    }
}

/// What is built in for a service, before the file changes single values.
struct StockService: Sendable {
    var name: String
    var protocolWord = ""
    var type = ""
    var executable: String
    /// Name of a global setting that names the user; nil: root.
    var userSetting: String?
    var chroot = ""
    var processLimit: Int?
    var clientLimit: Int?
    var restartRequestCount: Int?
    var isIdleKillOff = false
    var sockets: [Socket] = []
    var ports: [Port] = []
    /// Sockets that Dovecot has here and Culver does without.
    var absent: Set<String> = []
    /// False: known, but not part of this version.
    var isAvailable = true

    struct Socket: Sendable {
        let name: String
        let mode: UInt32
        var userSetting: String?
        var groupSetting: String?
    }

    struct Port: Sendable {
        let name: String
        let port: UInt16
        let isTLS: Bool
    }

    /// Services that may not have more than one process.
    static let singletons: Set<String> = ["anvil", "auth", "config", "log"]
    /// Services whose processes serve one client at a time.
    static let mailServices: Set<String> = ["imap", "pop3", "submission", "managesieve"]

    static let all: [StockService] = [
        StockService(
            name: "anvil", type: "anvil", executable: "anvil", userSetting: "default_internal_user", processLimit: 1, isIdleKillOff: true,
            sockets: [Socket(name: "anvil", mode: 0o600)], absent: ["anvil-auth-penalty", "anvil-connect-limit"]),
        StockService(
            name: "auth", executable: "auth", userSetting: "default_internal_user", processLimit: 1,
            sockets: [
                Socket(name: "auth-client", mode: 0o600, userSetting: "default_internal_user"), Socket(name: "auth-master", mode: 0o600),
                Socket(name: "auth-userdb", mode: 0o666, userSetting: "default_internal_user", groupSetting: "default_internal_group"),
            ], absent: ["auth-login", "auth-token", "login/login", "token-login/tokenlogin"]),
        StockService(
            name: "auth-worker", type: "worker", executable: "auth -w", processLimit: 30, clientLimit: 1, absent: ["auth-worker"]),
        StockService(
            name: "config", type: "config", executable: "config", isIdleKillOff: true, sockets: [Socket(name: "config", mode: 0o600)]),
        StockService(
            name: "imap", protocolWord: "imap", executable: "imap", processLimit: 1024, clientLimit: 1, restartRequestCount: 1,
            absent: ["login/imap", "imap-master", "srv.imap/%{pid}"]),
        StockService(
            name: "imap-login", protocolWord: "imap", type: "login", executable: "imap-login", userSetting: "default_login_user",
            chroot: "login",
            restartRequestCount: 1, ports: [Port(name: "imap", port: 143, isTLS: false), Port(name: "imaps", port: 993, isTLS: true)],
            absent: ["srv.imap-login/%{pid}"]),
        StockService(
            name: "log", type: "log", executable: "log", processLimit: 1, isIdleKillOff: true,
            sockets: [Socket(name: "log-errors", mode: 0o600)]),
        StockService(
            name: "pop3", protocolWord: "pop3", executable: "pop3", processLimit: 1024, clientLimit: 1, restartRequestCount: 1,
            absent: ["login/pop3", "srv.pop3/%{pid}"], isAvailable: false),
        StockService(
            name: "pop3-login", protocolWord: "pop3", type: "login", executable: "pop3-login", userSetting: "default_login_user",
            chroot: "login",
            restartRequestCount: 1, ports: [Port(name: "pop3", port: 110, isTLS: false), Port(name: "pop3s", port: 995, isTLS: true)],
            isAvailable: false),
        StockService(
            name: "lmtp", protocolWord: "lmtp", executable: "lmtp", userSetting: "default_login_user", clientLimit: 1,
            sockets: [Socket(name: "lmtp", mode: 0o666)], isAvailable: false),
        StockService(name: "doveadm", executable: "doveadm-server", clientLimit: 1, restartRequestCount: 1, isAvailable: false),
    ]

    /// Services of Dovecot that Culver has not, with what happens instead.
    static let foreign: [String: String] = [
        "aggregator": Instead.replication, "dict": Instead.dict, "dict-async": Instead.dict, "dict-expire": Instead.dict,
        "director": Instead.director,
        "dns-client": Instead.removed, "dns_client": Instead.removed, "health-check": "no health check is answered",
        "imap-hibernate": Instead.hibernate,
        "imap-urlauth": Instead.urlauth, "imap-urlauth-login": Instead.urlauth, "imap-urlauth-worker": Instead.urlauth,
        "indexer": Instead.fts,
        "indexer-worker": Instead.fts, "ipc": Instead.director, "managesieve": Instead.sieve, "managesieve-login": Instead.sieve,
        "old-stats": Instead.statistics, "stats": Instead.statistics, "replicator": Instead.replication, "ssl-params": Instead.removed,
        "submission": Instead.submission, "submission-login": Instead.submission,
        "tcpwrap": "no access service is asked; use the packet filter",
        "quota-status": Instead.quota, "quota-warning": Instead.quota,
    ]

    /// Words of `protocols` that Dovecot knows.
    static let protocolWords = ["imap", "pop3", "lmtp", "sieve", "submission"]
}
