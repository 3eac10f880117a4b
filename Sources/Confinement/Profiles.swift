package import Platform

/// The table of DESIGN 3 and security.md 3: a test reads it back from `/proc` of a running suite, another provokes every forbidden act.
///
/// `+` at the end of a filter's sum is always a list with its reason in SystemCallFilter+Purposes.swift.
extension Confinement {
    // MARK: singletons

    /// Counts; has neither files nor sockets but those it was given.
    package static let anvil = Confinement(name: "anvil", usesChroot: true, filter: .service + SystemCallFilter.acceptsPeers)

    /// Root, so that it may create log files where only root may; it can reach nothing but the directories of the log files.
    package static let log = Confinement(
        name: "log", filter: .service + SystemCallFilter.acceptsPeers + SystemCallFilter.writesLogs, mayWriteFiles: true)

    /// Root without capabilities but reading: the administrator's files may belong to anybody. RLIMIT_FSIZE would bind its memory files as well.
    package static let config = Confinement(
        name: "config", capabilities: [.dacReadSearch], landlock: [.init("/", .read)],
        filter: .service + SystemCallFilter.readsFiles + SystemCallFilter.makesMemoryFiles, mayWriteFiles: true)

    /// Reads password files, nothing else.
    package static let auth = Confinement(
        name: "auth", filter: .service + SystemCallFilter.acceptsPeers + SystemCallFilter.readsFiles)

    // MARK: services with zygotes; a worker's filter lies on top of its zygote's, so each list of a worker stands in its zygote too

    /// The zygote of a login service has the uid of its workers and their confinement; it forks, accepts and counts.
    package static let loginZygote = Confinement(
        name: "login zygote", usesChroot: true,
        filter: .service + SystemCallFilter.talksToClients + SystemCallFilter.forksWorkers + SystemCallFilter.acceptsPeers,
        mayFork: true)

    /// On top of the zygote's: a worker can neither fork, accept, signal nor load filters.
    package static let loginWorker = Confinement(
        name: "login worker", usesChroot: true, filter: .service + SystemCallFilter.talksToClients)

    /// Root, because its workers have their users' ids; opens no file of a user. Its workers, bound to one user's directories each, cannot have more
    /// than it has, so Landlock leaves it all places where mail may lie, and takes the system's directories, TCP and the rest.
    package static let mailZygote = Confinement(
        name: "mail zygote", capabilities: [.setuid, .setgid, .setpcap, .kill], landlock: nil,
        filter: .service + SystemCallFilter.readsFiles + SystemCallFilter.keepsMail + SystemCallFilter.forksWorkers
            + SystemCallFilter.changesUser,
        mayFork: true, mayWriteFiles: true)

    /// One user's session: the rules for mail, index and control directories come with the user.
    package static let mailWorker = Confinement(
        name: "mail worker",
        landlock: Self.timeZone,
        filter: .service + SystemCallFilter.readsFiles + SystemCallFilter.keepsMail, mayWriteFiles: true)

    /// service_count other than 1: serves several users of one uid, so it cannot be bound to one user's directories. The log says so at start.
    package static let reusedMailWorker = Confinement(name: "mail worker", landlock: nil, filter: mailWorker.filter, mayWriteFiles: true)

    /// Watches directories that it is given, for many sessions of one uid; can open nothing.
    package static let mailWatcher = Confinement(name: "mail watcher", filter: .service + SystemCallFilter.watchesDirectories)

    /// The program of a login worker and of a mail worker, for a process forked by its zygote: on top of the zygote's filter.
    package static func loginWorkerProgram() throws(SystemError) -> SystemCallFilter.Program {
        try loginWorker.filter.narrowing(loginZygote.filter).compiled()
    }
    package static func mailWorkerProgram() throws(SystemError) -> SystemCallFilter.Program {
        try mailWorker.filter.narrowing(mailZygote.filter).compiled()
    }

    // MARK: master

    /// Widest and last: starts, watches and stops the others. DAC_OVERRIDE: listeners such as Postfix's private/auth lie in directories of
    /// other accounts; DAC_READ_SEARCH: passed on to `config`.
    package static let master = Confinement(
        name: "master",
        capabilities: [.chown, .dacOverride, .dacReadSearch, .setuid, .setgid, .setpcap, .kill, .sysChroot, .netBindService],
        landlock: nil, filter: .allButNeverNeeded, mayFork: true, mayWriteFiles: true, mayExecute: true)

    /// Every row of the table, for tests.
    package static let all = [
        anvil, log, config, auth, loginZygote, loginWorker, mailZygote, mailWorker, reusedMailWorker, mailWatcher, master,
    ]
}
