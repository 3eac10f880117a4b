import Confinement
import Testing

extension Confinement: CustomTestStringConvertible {
    public var testDescription: String { name }
}

@Suite("A filter of system calls")
struct FilterTests {
    @Test("compiles to a program that is short enough to cost nothing", arguments: Confinement.all)
    func compiles(_ confinement: Confinement) throws {
        let program = try confinement.filter.compiled()
        #expect(program.count > 20)
        // The kernel takes 4,096; a tree of some 100 calls is about 300.
        #expect(program.count < 700)
    }

    @Test("names only calls that exist", arguments: Confinement.all)
    func resolves(_ confinement: Confinement) {
        #expect(confinement.filter.unresolved == [])
    }

    @Test("of a worker permits nothing that its zygote's does not, for it lies on top of it")
    func workersAreNarrower() {
        let pairs: [(Confinement, Confinement)] = [
            (.loginWorker, .loginZygote), (.mailWorker, .mailZygote), (.reusedMailWorker, .mailZygote),
        ]
        for (worker, zygote) in pairs {
            let unconditional = zygote.filter.allowed.filter(\.conditions.isEmpty).map(\.name)
            for call in worker.filter.allowed where !unconditional.contains(call.name) {
                #expect(zygote.filter.allowed.contains(call), "\(worker.name): \(call.name)")
            }
            #expect(worker.filter.allowed.count < zygote.filter.allowed.count)
        }
    }

    @Test("never permits what could undo it, or lead to another process", arguments: Confinement.all)
    func neverPermits(_ confinement: Confinement) {
        guard !confinement.filter.allowsOthers else { return }
        let names = Set(confinement.filter.allowed.map(\.name))
        let never: Set = [
            "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "rt_sigaction", "ioctl", "bind", "listen", "bpf",
            "mount",
            "unshare", "setns", "keyctl", "io_uring_setup", "clone3", "vfork", "pidfd_open", "tgkill", "symlinkat", "mknodat", "chroot",
        ]
        #expect(names.isDisjoint(with: never))
        let byArgument: Set = [
            "clone", "kill", "prctl", "prlimit64", "seccomp", "mmap", "mprotect", "madvise", "fcntl", "socket", "socketpair",
        ]
        for call in confinement.filter.allowed where byArgument.contains(call.name) { #expect(!call.conditions.isEmpty, "\(call.name)") }
    }

    @Test("of a worker has no way to other processes, filters or identities", arguments: [Confinement.loginWorker, .mailWorker])
    func workersAreNarrow(_ worker: Confinement) {
        let zygotesOnly: Set = [
            "clone", "kill", "wait4", "accept4", "prctl", "seccomp", "capset", "setresuid", "setresgid", "setgroups", "prlimit64",
            "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "close_range",
        ]
        #expect(zygotesOnly.isDisjoint(with: worker.filter.allowed.map(\.name)))
        #expect(worker.capabilities.isEmpty)
    }
}

@Suite("Landlock")
struct LandlockTests {
    @Test(
        "takes away every right that a version of the kernel knows",
        arguments: [
            (1, 0x1fff, 0, 0), (2, 0x3fff, 0, 0), (3, 0x7fff, 0, 0), (4, 0x7fff, 3, 0), (5, 0xffff, 3, 0), (6, 0xffff, 3, 3),
            (7, 0xffff, 3, 3), (8, 0xffff, 3, 3),
        ] as [(Int, UInt64, UInt64, UInt64)])
    func everything(version: Int, files: UInt64, network: UInt64, scopes: UInt64) {
        let handled = Landlock.Handled.everything(version: version)
        #expect(handled == .init(files: files, network: network, scopes: scopes))
        // A zygote must be able to end workers of its dead predecessor.
        #expect(Landlock.Handled.everythingButSignals(version: version) == .init(files: files, network: network, scopes: scopes & 1))
    }

    @Test("of version 1 cannot bind who moves files between directories")
    func firstVersion() {
        #expect(!Landlock.canBind([.init("/srv/mail", .mail)], version: 1))
        #expect(Landlock.canBind([.init("/srv/mail", .mail)], version: 2))
        #expect(Landlock.canBind([.init("/etc", .read), .init("/var/log", .log)], version: 1))
        #expect(Landlock.canBind([], version: 1))
    }

    @Test("gives a mail store no right to execute, or to make devices, sockets, fifos and links")
    func mailRights() {
        let others: [UInt64] = [0, 6, 9, 10, 11, 12, 15]
        for bit in others { #expect(Landlock.Rights.mail.rawValue & (1 << bit) == 0, "bit \(bit)") }
    }
}

@Suite("Features that a kernel lacks")
struct MissingFeatureTests {
    @Test("are none on Linux 6.12")
    func none() {
        #expect(Confinement.missingFeatures(landlock: 6, refusesExecutableMemory: true) == [])
        #expect(Confinement.missingFeatures(landlock: 7, refusesExecutableMemory: true) == [])
    }

    @Test(
        "are named, each with what is lost",
        arguments: [
            (nil, false, ["Landlock (Linux 5.13", "PR_SET_MDWE"]),
            (1, true, ["for mail processes", "truncation", "TCP", "device control", "signals"]),
            (2, true, ["truncation", "TCP", "device control", "signals"]), (3, true, ["TCP", "device control", "signals"]),
            (4, true, ["device control", "signals"]), (5, true, ["signals"]), (6, false, ["PR_SET_MDWE"]),
        ] as [(Int?, Bool, [String])])
    func named(landlock: Int?, refuses: Bool, words: [String]) {
        let missing = Confinement.missingFeatures(landlock: landlock, refusesExecutableMemory: refuses)
        #expect(missing.count == words.count)
        for (text, word) in zip(missing, words) { #expect(text.contains(word)) }
    }
}
