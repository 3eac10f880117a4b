internal import CPlatform
internal import Glibc

/// How a process ended (wait status).
package struct ExitStatus: Equatable, Sendable {
    /// Exit code, or nil after a signal.
    package let code: Int32?
    /// Number of the signal that ended it, or nil.
    package let signal: Int32?
    package let dumpedCore: Bool

    package init(code: Int32?, signal: Int32?, dumpedCore: Bool = false) {
        self.code = code
        self.signal = signal
        self.dumpedCore = dumpedCore
    }

    package var isSuccess: Bool { code == 0 }
    /// Exit code with which the trap handler of a system call filter ends a process: 128 + SIGSYS.
    package static let forbiddenCall: Int32 = 159
    /// Ended by a fault of its own: a signal nobody sends on purpose, or its filter.
    package var isCrash: Bool {
        if code == Self.forbiddenCall { return true }
        guard let signal else { return false }
        return [SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGABRT, SIGFPE, SIGSYS].contains(signal)
    }
}

/// Starting, ending and reaping processes.
package enum Process {
    package static var id: Int32 { getpid() }
    package static var parentID: Int32 { getppid() }
    package static var effectiveUID: UInt32 { geteuid() }
    package static var effectiveGID: UInt32 { getegid() }
    /// Bytes of a page of memory.
    package static var pageSize: Int { Int(getpagesize()) }
    package static var isRoot: Bool { geteuid() == 0 }

    package enum Fork {
        case child
        case parent(of: Int32)
    }

    /// fork(2): the child is a copy with one thread; what it must not keep, it closes itself.
    package static func fork() throws(SystemError) -> Fork {
        let pid = try checked("fork", cp_fork())
        return pid == 0 ? .child : .parent(of: pid)
    }

    /// Starts a program as leader of a new process group; descriptor n of the new process is `descriptors[n]` (-1: /dev/null), all others
    /// are closed. `softDescriptorLimit` lowers RLIMIT_NOFILE's soft limit (0: unchanged). Exit code 84 in the child: it could not be executed.
    package static func spawn(
        path: String, arguments: [String], environment: [String], descriptors: [Int32], directory: String? = nil,
        softDescriptorLimit: UInt64 = 0
    ) throws(SystemError) -> Int32 {
        let pid = unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(environment) { envp in
                unsafe descriptors.withUnsafeBufferPointer { fds in
                    if let directory {
                        unsafe cp_spawn(path, argv, envp, fds.baseAddress, Int32(fds.count), directory, softDescriptorLimit)
                    } else {
                        unsafe cp_spawn(path, argv, envp, fds.baseAddress, Int32(fds.count), nil, softDescriptorLimit)
                    }
                }
            }
        }
        return try checked("fork", pid)
    }

    /// Replaces this program (execve(2)); returns only with an error.
    package static func execute(path: String, arguments: [String], environment: [String]) -> SystemError {
        unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(environment) { envp in
                _ = unsafe execve(path, argv, envp)
            }
        }
        return SystemError(call: "execve(\(path))", code: errno)
    }

    private static func withCStrings<R>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe body(pointers)
    }

    /// The next ended child, or nil when none has ended.
    package static func reap() -> (pid: Int32, status: ExitStatus)? {
        var raw: Int32 = 0
        let pid = unsafe cp_reap(&raw)
        guard pid > 0 else { return nil }
        let signal = cp_status_signal(raw)
        return (
            pid,
            ExitStatus(
                code: cp_status_exited(raw) != 0 ? cp_status_code(raw) : nil, signal: signal == 0 ? nil : signal,
                dumpedCore: cp_status_core(raw) != 0)
        )
    }

    /// Waits until every child has ended, for this long at most; false: one still runs.
    @discardableResult
    package static func reapAll(milliseconds: Int32) -> Bool { cp_reap_all(milliseconds) == 1 }

    /// Ends this process at once, without exit handlers.
    package static func exit(_ code: Int32) -> Never { cp_exit(code) }

    /// Closes every descriptor from 3 up, but the listed ones.
    package static func closeDescriptors(except keep: [Int32]) throws(SystemError) {
        let sorted = keep.sorted()
        try checked("close_range", unsafe sorted.withUnsafeBufferPointer { unsafe cp_close_all_but($0.baseAddress, Int32($0.count)) })
    }

    /// Orphans of our descendants become our children (PR_SET_CHILD_SUBREAPER).
    package static func becomeSubreaper() throws(SystemError) { try checked("prctl(PR_SET_CHILD_SUBREAPER)", cp_subreaper()) }

    package static func becomeSessionLeader() throws(SystemError) { try checked("setsid", cp_setsid_daemon()) }

    package static func setUmask(_ mask: UInt32) { _ = umask(mode_t(mask)) }

    package static func changeDirectory(to path: String) throws(SystemError) {
        try checked("chdir(\(path))", unsafe chdir(path) == 0 ? 0 : -errno)
    }

    /// The value of an environment variable.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    package static func unsetEnvironment(_ name: String) { _ = unsafe unsetenv(name) }
}

/// Resource limits of a process (getrlimit(2)).
package enum ResourceLimit {
    case descriptors, core, processes, fileSize, data

    package static let unlimited = UInt64.max

    private var number: Int32 {
        switch self {
        case .descriptors: cp_rlimit_nofile
        case .core: cp_rlimit_core
        case .processes: cp_rlimit_nproc
        case .fileSize: cp_rlimit_fsize
        case .data: cp_rlimit_data
        }
    }

    package var current: (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        _ = unsafe cp_rlimit_get(number, &soft, &hard)
        return (soft, hard)
    }

    package func set(soft: UInt64, hard: UInt64) throws(SystemError) {
        try checked("setrlimit", cp_rlimit_set(number, soft, hard))
    }
}

/// What `ps` shows of this process.
package enum Title {
    /// Remembers where the arguments lie; the first thing a main does.
    package static func prepare() {
        unsafe cp_title_init(CommandLine.argc, CommandLine.unsafeArgv)
    }

    /// Overwrites the command line; a text longer than the room is cut.
    package static func set(_ text: String) {
        var copy = text
        copy.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe cp_title_set($0.baseAddress, $0.count) }
        }
    }
}

/// Users and groups, resolved to numbers before privileges are dropped (a confined process cannot look them up).
package enum Account {
    package struct IDs: Equatable, Sendable {
        package let uid: UInt32
        package let gid: UInt32
        package init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    /// A user by name or number; nil when there is none.
    package static func user(_ name: String) -> IDs? {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        if unsafe cp_account(name, &uid, &gid) == 0 { return IDs(uid: uid, gid: gid) }
        guard let number = UInt32(name) else { return nil }
        return IDs(uid: number, gid: number)
    }

    /// A group by name or number; nil when there is none.
    package static func group(_ name: String) -> UInt32? {
        var gid: UInt32 = 0
        if unsafe cp_group(name, &gid) == 0 { return gid }
        return UInt32(name)
    }

    /// The name of this host (gethostname(2)).
    package static var hostName: String {
        var room = [UInt8](repeating: 0, count: 256)
        _ = unsafe room.withUnsafeMutableBytes {
            unsafe cp_hostname($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return String(decoding: room.prefix { $0 != 0 }, as: UTF8.self)
    }
}
