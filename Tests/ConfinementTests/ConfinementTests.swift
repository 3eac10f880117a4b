import Confinement
import Glibc
import Platform
import Testing

/// What also holds in a debug build; every forbidden act is provoked on the release build (SuiteTests/test_forbidden.py).
@Suite("A confined process")
struct ConfinedProcessTests {
    @Test("is ended with the name of the call that its filter forbids")
    func namesTheCall() async throws {
        let result = try await #require(
            processExitsWith: .exitCode(ExitStatus.forbiddenCall), observing: [\.standardErrorContent],
            performing: {
                // The report is a datagram, as the log channel wants it.
                let (ours, theirs) = try SocketPair().split()
                guard case .parent(let pid) = try Process.fork() else {
                    try enterConfinement(reportingTo: theirs)
                    _ = getpgid(0)
                    Process.exit(0)
                }
                var report = [UInt8](repeating: 0, count: 100)
                let count = unsafe recv(ours, &report, report.count, 0)
                _ = unsafe write(2, report, max(0, count))
                var status: Int32 = 0
                unsafe waitpid(pid, &status, 0)
                Process.exit((status >> 8) & 0xff)
            })
        #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("forbidden: getpgid"))
    }

    @Test("is ended for a network socket")
    func networkSocket() async {
        await #expect(processExitsWith: .exitCode(ExitStatus.forbiddenCall)) {
            try enterConfinement()
            _ = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        }
    }

    @Test("is ended for executable memory")
    func executableMemory() async {
        await #expect(processExitsWith: .exitCode(ExitStatus.forbiddenCall)) {
            try enterConfinement()
            _ = unsafe mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }
    }

    @Test("is ended for memory that others could share")
    func sharedMemory() async {
        await #expect(processExitsWith: .exitCode(ExitStatus.forbiddenCall)) {
            try enterConfinement()
            _ = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        }
    }

    @Test("is ended for a try to silence the report")
    func handler() async {
        await #expect(processExitsWith: .exitCode(ExitStatus.forbiddenCall)) {
            try enterConfinement()
            _ = signal(SIGSYS, SIG_DFL)
        }
    }

    @Test("is told EACCES for a file that a library looks for")
    func survivable() async {
        await #expect(processExitsWith: .exitCode(EACCES)) {
            try enterConfinement()
            _ = unsafe open("/etc/passwd", O_RDONLY)
            Process.exit(errno)
        }
    }

    @Test("goes on with memory, time and its descriptors")
    func goesOn() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try enterConfinement()
            var large = [UInt8](repeating: 1, count: 32 << 20)
            large.append(contentsOf: large)
            Process.exit(large.count == 64 << 20 && Clock.milliseconds > 0 && Process.id > 0 ? 0 : 1)
        }
    }

    @Test("reaches what a rule names and nothing else, a file by a directory's rule neither")
    func landlock() async {
        await #expect(processExitsWith: .exitCode(0)) {
            guard Landlock.version != nil else { Process.exit(0) }
            let rules = [Landlock.Rule("/usr", .read), .init("/etc/hostname", .read), .init("/nonexistent", .read)]
            let confinement = Confinement(
                name: "test", landlock: rules, filter: .init(denying: []), mayFork: true, mayWriteFiles: true)
            try confinement.enter(.init(uid: Process.effectiveUID, gid: Process.effectiveGID))
            var reached: [Bool] = []
            for path in ["/usr", "/etc/hostname", "/etc", "/etc/group"] { reached.append(unsafe open(path, O_RDONLY) >= 0) }
            Process.exit(reached == [true, true, false, false] ? 0 : 1)
        }
    }

    @Test("is not entered when a promise of the table cannot be kept", .enabled(if: Process.isRoot, "root only: others keep their ids"))
    func provesIdentity() async {
        await #expect(processExitsWith: .exitCode(89)) {
            let confinement = Confinement(name: "test", capabilities: [.kill], filter: .service)
            // Another uid keeps no capability through setresuid, so the promise of the table cannot be kept.
            do throws(ConfinementError) { try confinement.enter(.init(uid: 65_534, gid: 65_534)) } catch { Process.exit(89) }
            Process.exit(0)
        }
    }
}

/// Becomes nobody where it may, with the filter that every process has.
private func enterConfinement(reportingTo descriptor: Int32 = 2) throws {
    let isRoot = Process.isRoot
    try TrapReport.install(descriptor: descriptor, prefix: Array("forbidden: ".utf8))
    let confinement = Confinement(name: "test", filter: .service)
    try confinement.enter(.init(uid: isRoot ? 65_534 : Process.effectiveUID, gid: isRoot ? 65_534 : Process.effectiveGID))
}
