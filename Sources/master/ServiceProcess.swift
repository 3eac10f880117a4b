internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// One process that master starts: a singleton, or the zygote of a service.
final class ServiceProcess {
    enum Kind: Equatable {
        case log, anvil, auth, login, mail
    }

    let name: String
    let kind: Kind
    let service: Plan.Service
    let listeners: [ListenerSet.Entry]
    /// 0: shared by all generations (log, anvil); else the configuration it belongs to.
    var generation: Int

    var pid: Int32 = 0
    var channel: Channel?
    var token: UInt64 = 0
    var isReady = false
    /// It said hello, and is of our build.
    var hasGreeted = false
    /// A reload started a successor that does not work yet.
    var isBeingReplaced = false
    /// A reload replaced it: it ends with its last client and is not started again.
    var isRetired = false
    /// Stopped by the administrator, until reload or restart.
    var isStopped = false
    var throttle = StartThrottle()
    var restartAt: Int64?
    /// Workers of dead zygotes of this service that still run.
    var adopted: Set<Int32> = []
    var startedAt: Int64 = 0
    private var crashes: [Int64] = []

    /// It must tell that it works within this time (services.md 7.1).
    static let startPatience: Int64 = 30_000
    /// One that worked for longer than the longest delay has shown that it can: an old trouble is forgotten.
    private static let provenAfter: Int64 = 60_000
    /// It was killed because it did not tell that it works.
    var isOverdue = false
    /// It ends because workers fail to start: its successor waits.
    var isThrottled = false

    init?(_ service: Plan.Service, listeners: [ListenerSet.Entry], generation: Int) {
        let plan = service.plan
        switch (plan.type, plan.name) {
        case ("log", _): kind = .log
        case ("anvil", _): kind = .anvil
        case (_, "auth"): kind = .auth
        case ("login", _): kind = .login
        case (_, "imap"), (_, "pop3"): kind = .mail
        default: return nil
        }
        name = plan.name
        self.service = service
        self.listeners = listeners
        self.generation = kind == .log || kind == .anvil ? 0 : generation
    }

    var isZygote: Bool { kind == .login || kind == .mail }
    var isRunning: Bool { pid != 0 }
    var protocolName: String { service.plan.protocolName }

    /// Three ends within 10 seconds that nobody asked for (security.md 8).
    func crashedTooOften(now: Int64) -> Bool {
        crashes = crashes.filter { now - $0 < 10_000 } + [now]
        return crashes.count >= 3
    }

    /// It ended; what it did well or badly decides how the next start waits.
    func noteEnd(now: Int64) {
        if isReady && now - startedAt > Self.provenAfter { throttle = StartThrottle() }
    }

    /// The word under which its peers know it.
    var role: String { kind == .mail ? protocolName : name }

    /// Whether these two talk with each other.
    func talks(to other: ServiceProcess) -> Bool {
        guard generation == 0 || other.generation == 0 || generation == other.generation else { return false }
        switch (kind, other.kind) {
        case (.login, .auth), (.auth, .login), (.mail, .auth), (.auth, .mail), (.mail, .anvil), (.anvil, .mail), (.auth, .anvil),
            (.anvil, .auth):
            return true
        case (.login, .mail), (.mail, .login): return protocolName == other.protocolName
        default: return false
        }
    }

    func startOrder(instance: String, accounts: Accounts, showsUser: Bool) throws(StartFailure) -> StartOrder {
        let plan = service.plan
        var order = StartOrder()
        order.service = plan.name
        order.instance = instance
        order.protocolName = plan.protocolName
        let ids = try accounts.ids(of: plan)
        order.uid = ids.uid
        order.gid = ids.gid
        order.groups = StartOrder.packed(groups: try accounts.groups(plan.extraGroups, service: plan.name))
        order.chroot = kind == .anvil ? accounts.emptyDirectory : plan.chroot
        order.processMinimum = plan.processMinimum
        order.processLimit = plan.processLimit
        order.clientLimit = kind == .mail ? 1 : plan.clientLimit
        order.requestLimit = plan.requestLimit
        order.idleKillMilliseconds = plan.idleKillMilliseconds
        order.vszLimit = plan.vszLimit
        order.showsUser = showsUser
        return order
    }
}

/// Users and groups of the configuration as numbers; without root everything is the one user.
struct Accounts {
    let emptyDirectory: String

    func ids(of plan: ServicePlan) throws(StartFailure) -> Account.IDs {
        guard Process.isRoot else { return Account.IDs(uid: Process.effectiveUID, gid: Process.effectiveGID) }
        var ids = Account.IDs(uid: 0, gid: 0)
        if !plan.user.isEmpty {
            guard let found = Account.user(plan.user) else {
                throw StartFailure(
                    "service(\(plan.name)): user doesn't exist: \(plan.user) (see service \(plan.name) { user }, default_login_user and default_internal_user)"
                )
            }
            ids = found
        }
        if !plan.group.isEmpty {
            guard let gid = Account.group(plan.group) else {
                throw StartFailure("service(\(plan.name)): group doesn't exist: \(plan.group) (see service \(plan.name) { group })")
            }
            ids = Account.IDs(uid: ids.uid, gid: gid)
        }
        return ids
    }

    func groups(_ names: [String], service: String) throws(StartFailure) -> [UInt32] {
        guard Process.isRoot else { return [] }
        var numbers: [UInt32] = []
        for name in names where !name.isEmpty {
            guard let gid = Account.group(name) else {
                throw StartFailure("service(\(service)): group doesn't exist: \(name) (see service \(service) { extra_groups })")
            }
            numbers.append(gid)
        }
        return numbers
    }
}
