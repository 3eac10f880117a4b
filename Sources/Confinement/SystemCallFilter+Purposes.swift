/// Permitted system calls by purpose; every process gets `service` and the purposes it has (Profiles.swift).
///
/// Each list was checked against a trace of the running suite: what no process made is not here unless its line says why.
extension SystemCallFilter {
    /// What every process here needs: descriptors it has, memory without execution, time, and its end.
    package static let service = SystemCallFilter(allowed: [
        // Descriptors it has. writev: what the C library says before it aborts.
        "read", "write", "writev", "close", "recvmsg", "sendmsg",
        // poll where the architecture has it, ppoll where not; likewise epoll_wait and epoll_pwait.
        "poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_ctl", "epoll_create1",
        // A frame that could not be sent at once waits with copies of its descriptors; a client's socket is made non-blocking.
        .init("fcntl", .equal(index: 1, value: Value.duplicateCloseOnExec)),
        .init("fcntl", .equal(index: 1, value: Value.getFlags)), .init("fcntl", .equal(index: 1, value: Value.setFlags)),
        // Time comes from the vDSO; these are what it falls back to on machines whose clock it cannot read.
        "clock_gettime", "gettimeofday", "time",
        // OpenSSL asks for the pid to notice forks.
        "getrandom", "getpid",
        // Memory: never executable, never shared with another process. mprotect: the C library, for its heap.
        "brk", "munmap", "mremap",
        .init("mmap", .without(index: 2, bits: Value.executable), .masked(index: 3, mask: Value.mappingType, value: Value.privateMapping)),
        .init("mprotect", .without(index: 2, bits: Value.executable)),
        // The allocator gives memory back: MADV_DONTNEED, MADV_FREE.
        .init("madvise", .equal(index: 2, value: 4)), .init("madvise", .equal(index: 2, value: 8)),
        // Once-initialisers: FUTEX_WAIT, FUTEX_WAKE, with or without their flags; there is no second thread to wait for.
        .init("futex", .masked(index: 1, mask: 0x7f, value: 0)), .init("futex", .masked(index: 1, mask: 0x7f, value: 1)),
        // The end, and the return from a call that a stop signal interrupted.
        "rt_sigreturn", "restart_syscall", "exit_group",
    ])

    /// Takes connections on the listeners it was given, and asks the kernel who called (SO_PEERCRED).
    package static let acceptsPeers: [Call] = [
        "accept4", .init("getsockopt", .equal(index: 1, value: Value.socketLevel), .equal(index: 2, value: Value.peerCredentials)),
    ]

    /// Opens files for reading, where Landlock lets it; the flags of openat are looked at, those of openat2 cannot be (not permitted here).
    package static let readsFiles: [Call] = [
        .init("openat", .without(index: 2, bits: Value.writingFlags)),
        // What different C libraries make of stat, lstat and fstat.
        "newfstatat", "fstat", "stat", "lstat", "statx",
        "getdents64", "lseek", "pread64",
        // Configuration and password files may be reached through links; `access` is how a readable file is told from a missing one.
        "readlink", "access",
    ]

    /// Sealed memory files: each service's part of the settings.
    package static let makesMemoryFiles: [Call] = [
        "memfd_create", .init("fcntl", .equal(index: 1, value: Value.addSeals)),
    ]

    /// Log files are created and opened again by name; syslog's datagram socket is connected again when syslogd was restarted. Each log channel
    /// is told to carry its sender's pid (SO_PASSCRED).
    package static let writesLogs: [Call] = [
        "openat", "newfstatat", "fstat", "lseek", "fdatasync", "ftruncate", "pwrite64", "connect",
        .init(
            "socket", .equal(index: 0, value: Value.unixFamily),
            .masked(index: 1, mask: Value.socketType, value: Value.datagram)),
        .init("setsockopt", .equal(index: 1, value: Value.socketLevel), .equal(index: 2, value: Value.passCredentials)),
    ]

    /// A client's socket, and the pair whose other end a mail process gets when TLS stays here.
    package static let talksToClients: [Call] = [
        "shutdown", "getsockname", "getpeername",
        .init("setsockopt", .equal(index: 1, value: Value.tcpLevel), .equal(index: 2, value: Value.noDelay)),
        // OpenSSL asks what kind of socket it has and which error it met.
        .init("getsockopt", .equal(index: 1, value: Value.socketLevel), .equal(index: 2, value: Value.kindOfSocket)),
        .init("getsockopt", .equal(index: 1, value: Value.socketLevel), .equal(index: 2, value: Value.socketError)),
        .init(
            "socketpair", .equal(index: 0, value: Value.unixFamily), .masked(index: 1, mask: Value.socketType, value: Value.stream)),
    ]

    /// Forks workers from itself and watches its own children. In the child: closes what is not its own, takes its limits and its filter.
    package static let forksWorkers: [Call] = [
        // Exactly what fork() asks for: no namespaces, no threads, no shared memory. clone3 hides its flags and gets ENOSYS.
        .init("clone", .equal(index: 0, value: Value.forkFlags)),
        "set_robust_list", "rt_sigprocmask", "wait4",
        // Ends, kicks and kills single processes; never a group or everybody.
        .init("kill", .without(index: 0, bits: Value.negativePID), .equal(index: 1, value: Value.terminate)),
        .init("kill", .without(index: 0, bits: Value.negativePID), .equal(index: 1, value: Value.userSignal2)),
        .init("kill", .without(index: 0, bits: Value.negativePID), .equal(index: 1, value: Value.kill)),
        // Control channels and the channels between a worker and its peers.
        .init(
            "socketpair", .equal(index: 0, value: Value.unixFamily),
            .masked(index: 1, mask: Value.socketType, value: Value.sequencedPackets)),
        "close_range", "geteuid",
        .init("prlimit64", .equal(index: 0, value: 0)),  // its own limits
        .init("seccomp", .equal(index: 0, value: Value.setModeFilter), .equal(index: 1, value: 0)),
    ]

    /// What `Confinement.enter` does in the worker of a mail service: ids, capabilities, Landlock, and their proof.
    package static let changesUser: [Call] =
        ["setgroups", "setresgid", "setresuid", "getresuid", "getresgid", "getgroups", "capset", "capget", "umask"]
        + ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]
        // Without root a worker keeps the ids that it has.
        + ["getegid"]
        // A mail directory that does not exist is made by its user before the rules are.
        + ["mkdir"]
        + Value.privilegeOptions.map { Call("prctl", .equal(index: 0, value: $0)) }

    /// The file calls of a mail store beneath its directories' descriptors, and notification of changes. No call by path that writes.
    package static let keepsMail: [Call] =
        [
            "openat2", "ftruncate", "fsync", "fdatasync", "renameat", "unlinkat", "mkdirat", "flock", "fchmod",
            // Replacing or not; no exchange, and no whiteout, which is a device.
            .init("renameat2", .without(index: 4, bits: 0xffff_ffff & ~Value.noReplace)),
            .init("linkat", .equal(index: 4, value: 0)),
            // Times of an open file only: Landlock does not bind the times of what a path leads to.
            .init("utimensat", .null(index: 1)),
            // Gives files the group of their folder, never another owner.
            .init("fchown", .equal(index: 1, value: 0xffff_ffff)),
            // The index (LMDB), exactly as it does it: its file is opened by path, for reading and writing, and once more for the page that says what is
            // valid; asked for its file system; mapped for reading, the file itself and nothing else; written by offset.
            .init("openat", .equal(index: 2, value: Value.readWriteCreate)),
            .init("openat", .equal(index: 2, value: Value.writeSynchronously)),
            .init("mmap", .equal(index: 2, value: Value.readable), .equal(index: 3, value: Value.sharedMapping)),
            "fstatfs", "pwrite64",
            // Waits for a lock file.
            "nanosleep", "clock_nanosleep",
            // The host's name stands in the names of messages and in lock files.
            "uname",
        ] + watchesDirectories

    /// Is told of changes in directories.
    package static let watchesDirectories: [Call] = ["inotify_init1", "inotify_add_watch", "inotify_rm_watch"]

    // MARK: master

    /// Everything but ways to the kernel and to other processes that no part of a mail server uses; master's children inherit this.
    package static let allButNeverNeeded: SystemCallFilter = {
        var filter = SystemCallFilter(denying: neverNeeded)
        // Its flags are out of a filter's sight; the C library falls back to clone, whose flags are not.
        filter.refused.append(("clone3", 38))
        filter.refusedByArgument = Value.namespaces.map { (Call("clone", .with(index: 0, bits: $0)), 1) }
        return filter
    }()

    private static let neverNeeded = [
        // other processes
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
        // programs inside the kernel, and its more adventurous interfaces
        "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key",
        "request_key",
        "fanotify_init", "fanotify_mark", "memfd_secret", "modify_ldt", "uselib",
        // mounts and namespaces
        "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fspick", "fsmount", "mount_setattr", "pivot_root", "unshare",
        "setns", "name_to_handle_at", "open_by_handle_at", "quotactl", "quotactl_fd",
        // the machine
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "swapon", "swapoff", "reboot", "acct", "syslog",
        "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm", "personality", "vhangup", "lookup_dcookie",
        "sethostname", "setdomainname",
    ]
}

/// Numbers of the kernel that the lists above speak of; the same on every architecture of Swift.
private enum Value {
    static let executable: UInt64 = 0x4  // PROT_EXEC
    // The low bits are one number, not flags: MAP_SHARED_VALIDATE is 3, MAP_PRIVATE 2.
    static let mappingType: UInt64 = 0xf
    static let sharedMapping: UInt64 = 1
    static let privateMapping: UInt64 = 2
    static let readable: UInt64 = 0x1  // PROT_READ

    static let getFlags: UInt64 = 3
    static let setFlags: UInt64 = 4
    static let duplicateCloseOnExec: UInt64 = 1030
    static let addSeals: UInt64 = 1033

    /// O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, and the bit of O_TMPFILE that is not O_DIRECTORY.
    static let writingFlags: UInt64 = 0o3 | 0o100 | 0o1000 | 0o20_000_000

    static let readWriteCreate: UInt64 = 0o102  // O_RDWR, O_CREAT
    static let writeSynchronously: UInt64 = 0o2_010_001  // O_WRONLY, O_DSYNC, O_CLOEXEC

    static let noReplace: UInt64 = 1  // RENAME_NOREPLACE

    static let unixFamily: UInt64 = 1
    static let socketType: UInt64 = 0xf  // without SOCK_CLOEXEC and SOCK_NONBLOCK
    static let stream: UInt64 = 1
    static let datagram: UInt64 = 2
    static let sequencedPackets: UInt64 = 5
    static let socketLevel: UInt64 = 1
    static let kindOfSocket: UInt64 = 3
    static let socketError: UInt64 = 4
    static let passCredentials: UInt64 = 16
    static let peerCredentials: UInt64 = 17
    static let tcpLevel: UInt64 = 6
    static let noDelay: UInt64 = 1

    /// CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, SIGCHLD.
    static let forkFlags: UInt64 = 0x0120_0011
    static let negativePID: UInt64 = 0x8000_0000
    static let kill: UInt64 = 9
    static let userSignal2: UInt64 = 12
    static let terminate: UInt64 = 15
    static let setModeFilter: UInt64 = 1

    /// PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
    /// PR_CAP_AMBIENT, PR_SET_MDWE.
    static let privilegeOptions: [UInt64] = [3, 4, 23, 24, 28, 38, 39, 47, 65]

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME can be asked of clone3 only.
    static let namespaces: [UInt64] = [
        0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]
}
