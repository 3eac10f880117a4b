/// The table of DESIGN 3 and security.md 3: a test reads it back from `/proc` of a running suite.
extension Confinement {
    /// Singletons of the suite and zygotes; each row says why it has what it has.
    package static let anvil = Confinement(
        name: "anvil", usesChroot: true, filter: .service + SystemCallFilter.acceptsAdministrators)

    /// Root, so that it may create log files where only root may; it can reach nothing but the directories of the log files.
    package static let log = Confinement(
        name: "log", filter: .service + SystemCallFilter.acceptsAdministrators + SystemCallFilter.writesLogs, mayWriteFiles: true)

    /// Root without capabilities but reading: the administrator's files may belong to anybody.
    package static let config = Confinement(
        name: "config", capabilities: [.dacReadSearch], landlock: [.init("/", .read)],
        filter: .service + SystemCallFilter.readsFiles + SystemCallFilter.makesMemoryFiles, mayWriteFiles: true)

    /// Reads password files, nothing else.
    package static let auth = Confinement(
        name: "auth", filter: .service + SystemCallFilter.acceptsAdministrators + SystemCallFilter.readsFiles)

    /// The zygote of a login service has the uid of its workers and their confinement; it forks, accepts and counts.
    package static let loginZygote = Confinement(
        name: "login zygote", usesChroot: true, filter: .service + SystemCallFilter.talksToClients + SystemCallFilter.forksWorkers,
        mayFork: true)

    /// On top of the zygote's: a worker can neither fork, accept nor load filters.
    package static let loginWorker = Confinement(
        name: "login worker", usesChroot: true, filter: .service + SystemCallFilter.talksToClients)

    /// Root, because its workers have their users' ids; opens no file of a user. Not bound by Landlock: its workers, bound for one user each,
    /// cannot have more than it has.
    package static let mailZygote = Confinement(
        name: "mail zygote", capabilities: [.setuid, .setgid, .setpcap, .kill], landlock: nil,
        filter: .service + SystemCallFilter.readsFiles + SystemCallFilter.keepsMail + SystemCallFilter.forksWorkers
            + SystemCallFilter.changesUser + SystemCallFilter.talksToClients,
        mayFork: true, mayWriteFiles: true)

    /// One user's session: the rules for mail, index and control directories come with the user.
    package static let mailWorker = Confinement(
        name: "mail worker",
        landlock: [.init("/etc/localtime", .read), .init("/usr/share/zoneinfo", .read)],
        filter: .service + SystemCallFilter.readsFiles + SystemCallFilter.keepsMail, mayWriteFiles: true)

    /// service_count other than 1: serves several users of one uid, so it cannot be bound to one user's directories. The log says so at start.
    package static let reusedMailWorker = Confinement(name: "mail worker", landlock: nil, filter: mailWorker.filter, mayWriteFiles: true)

    /// Widest and last: starts, watches and stops the others. DAC_OVERRIDE: listeners such as Postfix's private/auth lie in directories of
    /// other accounts; DAC_READ_SEARCH: passed on to `config`.
    package static let master = Confinement(
        name: "master",
        capabilities: [.chown, .dacOverride, .dacReadSearch, .setuid, .setgid, .setpcap, .kill, .sysChroot, .netBindService],
        landlock: nil, filter: SystemCallFilter(denying: SystemCallFilter.neverNeeded), mayFork: true, mayWriteFiles: true,
        mayExecute: true)
}

extension SystemCallFilter {
    private static let protExec: UInt64 = 4
    private static let protWrite: UInt64 = 2
    private static let mapPrivate: UInt64 = 2

    /// Ways to the kernel and to other processes that no part of a mail server uses; master's children inherit this.
    package static let neverNeeded = [
        "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "bpf", "perf_event_open", "userfaultfd", "mount", "umount2", "move_mount",
        "open_tree", "fsopen", "fsmount", "pivot_root", "unshare", "setns", "init_module", "finit_module", "delete_module", "kexec_load",
        "kexec_file_load", "keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register", "swapon", "swapoff",
        "reboot", "acct", "quotactl", "settimeofday", "clock_settime", "adjtimex", "iopl", "ioperm", "name_to_handle_at",
        "open_by_handle_at", "personality", "vhangup", "lookup_dcookie", "sethostname", "setdomainname",
    ]

    /// What every process here needs: descriptors it has, memory without execution, time, and its end.
    package static let service = SystemCallFilter(allowed: [
        "read", "write", "readv", "writev", "close", "close_range", "poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_ctl",
        "epoll_create1", "recvmsg", "sendmsg", "clock_gettime", "gettimeofday", "time", "getrandom", "getpid", "gettid", "getppid",
        "getuid",
        "geteuid", "getgid", "getegid", "brk", "munmap", "mremap", "madvise", "futex", "rt_sigreturn", "rt_sigprocmask", "restart_syscall", "exit",
        "exit_group", "lseek", "fstat", "pread64", "nanosleep", "clock_nanosleep", "sched_yield",
        // Never executable; writable only when private: a shared writable mapping is a way to another process.
        .init("mmap", .without(index: 2, bits: protExec), .with(index: 3, bits: mapPrivate)),
        .init("mmap", .without(index: 2, bits: protExec | protWrite)),
        .init("mprotect", .without(index: 2, bits: protExec)),
        // F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GET_SEALS
        .init("fcntl", .equal(index: 1, value: 0)), .init("fcntl", .equal(index: 1, value: 1)),
        .init("fcntl", .equal(index: 1, value: 2)), .init("fcntl", .equal(index: 1, value: 3)),
        .init("fcntl", .equal(index: 1, value: 4)), .init("fcntl", .equal(index: 1, value: 1030)),
        .init("fcntl", .equal(index: 1, value: 1034)),
    ])

    /// Listens on a UNIX socket for the administrator's command or for mail servers, and asks the kernel who called.
    package static let acceptsAdministrators: [Call] = [
        "accept4",
        // SOL_SOCKET: SO_PEERCRED, SO_ACCEPTCONN; setsockopt SO_PASSCRED
        .init("getsockopt", .equal(index: 1, value: 1)), .init("setsockopt", .equal(index: 1, value: 1), .equal(index: 2, value: 16)),
    ]

    /// Opens files that Landlock lets it.
    package static let readsFiles: [Call] = [
        "openat", "openat2", "newfstatat", "statx", "stat", "lstat", "access", "readlink", "getdents64", "fstatfs", "statfs",
    ]

    package static let makesMemoryFiles: [Call] = [
        "memfd_create", .init("fcntl", .equal(index: 1, value: 1033)),  // F_ADD_SEALS
    ]

    /// Log files are opened again by name; syslog's socket is connected again when syslogd was restarted.
    package static let writesLogs: [Call] = [
        "openat", "newfstatat", "fdatasync", "connect", "ftruncate", "pwrite64",
        .init("socket", .equal(index: 0, value: 1)),
    ]

    /// A client's socket, and the pair whose other end a mail process gets when TLS stays here (AF_UNIX only).
    package static let talksToClients: [Call] = [
        "shutdown", "getsockname", "getpeername",
        .init("setsockopt", .equal(index: 1, value: 6), .equal(index: 2, value: 1)),  // TCP_NODELAY
        .init("getsockopt", .equal(index: 1, value: 1)),
        .init("socketpair", .equal(index: 0, value: 1)),
    ]

    /// Forks workers from itself, accepts clients for them, watches and signals its own children.
    package static let forksWorkers: [Call] = [
        "accept4", "clone", "fork", "vfork", "wait4", "kill", "tgkill", "getpgid", "signalfd4", "rt_sigaction", "prctl", "seccomp",
        "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prlimit64", "setrlimit", "getrlimit", "set_robust_list",
        "set_tid_address", "rseq", "capset", "capget", "getresuid", "getresgid", "getgroups", "umask", "chdir", "inotify_init1",
        .init("socketpair", .equal(index: 0, value: 1)),
    ]

    package static let changesUser: [Call] = ["setgroups", "setresgid", "setresuid", "openat", "mkdirat"]

    /// The file calls of a mail store, and notification of changes.
    package static let keepsMail: [Call] = [
        "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir",
        "mkdirat", "rmdir", "utimensat", "flock", "fchown", "fchmod", "copy_file_range", "sendfile", "inotify_add_watch",
        "inotify_rm_watch",
        "inotify_init1", "umask",
        // F_SETLK, F_SETLKW, F_OFD_SETLK
        .init("fcntl", .equal(index: 1, value: 6)), .init("fcntl", .equal(index: 1, value: 7)), .init("fcntl", .equal(index: 1, value: 37)),
    ]
}
