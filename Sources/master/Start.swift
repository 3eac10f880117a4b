internal import Configuration
internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// From the command line to a running suite (services.md 7.4).
enum Start {
    /// The environment of commands that master becomes.
    static var inheritedEnvironment: [String] {
        ["PATH", "TZ", "HOME", "LANG", "TERM", "COLUMNS"].compactMap { name in Process.environment(name).map { "\(name)=\($0)" } }
    }

    /// The whole environment of every child: no LD_*, no SWIFT_*.
    private static var childEnvironment: [String] {
        ["CULVER_CHILD=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
            + ["TZ", "JOURNAL_STREAM"].compactMap { name in Process.environment(name).map { "\(name)=\($0)" } }
    }

    static func suite(_ options: Options, foreground: Bool) -> Never {
        Process.setUmask(0o077)
        SignalQueue.ignoreWriteSignals()
        SignalQueue.ignore(SignalQueue.alarm)
        let inherited = Systemd.inheritedSockets()
        let path = configurationPath(options)
        let plan = load(path, options.overrides)
        let base = BaseDirectory(path: plan.base["base_dir"])
        if let text = base.takeLastFatal() { Terminal.print("Last died with error (see error log for more information): \(text)\n") }
        var warnings = checkAccounts(plan)
        do throws(BaseDirectory.Problem) {
            warnings += try base.prepare(loginGroup: Account.user(plan.base["default_login_user"])?.gid)
        } catch { Terminal.fail("Fatal: \(error.text)") }
        let listeners = ListenerSet(base: base.path, inherited: inherited)
        let processes: [ServiceProcess]
        do {
            processes = try Supervisor.makeProcesses(plan, listeners: listeners, previous: nil, generation: 1)
        } catch { Terminal.fail("Error: \(error)\nFatal: Failed to start listeners") }
        listeners.closeUnclaimed()
        checkPrograms(processes)
        warnings += listeners.takeWarnings() + LimitCheck.warnings(plan) + lostProtection()
        for warning in warnings { Terminal.print("Warning: \(warning)\n") }
        let parent = foreground ? nil : detach()
        supervise(
            StartParameters(
                plan: plan, listeners: listeners, base: base, systemd: Systemd(), configurationPath: path, overrides: options.overrides,
                standardError: 2, environment: childEnvironment),
            processes, warnings: warnings, parent: parent)
    }

    // MARK: before anything runs

    private static func configurationPath(_ options: Options) -> String {
        if let path = options.configuration { return path.hasPrefix("/") ? path : absolute(path) }
        guard let name = options.instance else { return Options.defaultConfiguration }
        guard let entry = InstanceRegistry(stateDirectory: "/var/lib/culver").find(name) else {
            Terminal.fail("Fatal: Unknown instance name: \(name)")
        }
        return entry.configuration
    }

    private static func absolute(_ path: String) -> String {
        (FileSystem.linkTarget("/proc/self/cwd") ?? "") + "/" + path
    }

    /// Reads the configuration through a config process; all errors at once end the start.
    private static func load(_ path: String, _ overrides: [String]) -> Plan {
        do {
            switch try ask(path, overrides) {
            case .loaded(let plan):
                for diagnostic in plan.diagnostics { Terminal.print(diagnostic.text + "\n") }
                return plan
            case .invalid(let diagnostics):
                for diagnostic in diagnostics { Terminal.print(diagnostic.text + "\n") }
                let errors = diagnostics.count { $0.isError }
                Terminal.fail("Fatal: Error in configuration file \(path): \(errors) errors")
            case .failed(let text): Terminal.fail("Fatal: \(text)")
            case .loading: Terminal.fail("Fatal: config process ended too early")
            }
        } catch { Terminal.fail("Fatal: config process: \(error)") }
    }

    /// The config process ends with its channel, at the end of this function.
    private static func ask(_ path: String, _ overrides: [String]) throws -> ConfigurationClient.Outcome {
        let process = try ConfigurationProcess.start(
            executable: Self.libexec + "/config", instance: "culver", environment: childEnvironment, errors: 2)
        try process.client.load(path: path, overrides: overrides)
        return process.client.receive(wait: true)
    }

    /// libexec/culver as seen from this program: PREFIX/sbin/culver has PREFIX/libexec/culver; a build folder has everything in one place.
    static var libexec: String {
        let own = FileSystem.linkTarget("/proc/self/exe") ?? ""
        let folder = own.split(separator: "/").dropLast()
        let here = "/" + folder.joined(separator: "/")
        if FileSystem.isExecutable(here + "/config") { return here }
        return "/" + (folder.dropLast() + ["libexec", "culver"]).joined(separator: "/")
    }

    private static func checkAccounts(_ plan: Plan) -> [String] {
        guard Process.isRoot else {
            return [
                "not started as root: everything runs as uid \(Process.effectiveUID). Lost: users of their own for login, auth and mail, chroot, "
                    + "mail users with different uids. Kept: Landlock, system call filters, no_new_privs"
            ]
        }
        for setting in ["default_login_user", "default_internal_user"] {
            let name = plan.base[setting]
            if Account.user(name) == nil {
                Terminal.fail(
                    "Fatal: \(setting): user doesn't exist: \(name). Make it: useradd --system --no-create-home --shell /usr/sbin/nologin \(name)"
                )
            }
        }
        return []
    }

    /// One warning that names whatever this kernel cannot do for confinement.
    private static func lostProtection() -> [String] {
        let missing = Confinement.missingFeatures()
        return missing.isEmpty ? [] : ["this kernel lacks protection that Culver uses. Lost: " + missing.joined(separator: "; ")]
    }

    private static func checkPrograms(_ processes: [ServiceProcess]) {
        for process in processes where !FileSystem.isExecutable(process.service.plan.executable) {
            Terminal.fail("Fatal: service(\(process.name)): access(\(process.service.plan.executable)) failed: not an executable file")
        }
        for kind in [ServiceProcess.Kind.log, .auth, .anvil] where !processes.contains(where: { $0.kind == kind }) {
            Terminal.fail("Fatal: no service of type \(kind) in the configuration")
        }
        for process in processes {
            do throws(StartFailure) {
                _ = try process.startOrder(instance: "", accounts: Accounts(emptyDirectory: "/"), showsUser: true)
            } catch { Terminal.fail("Fatal: \(error)") }
        }
    }

    /// Forks; the parent waits until the suite works and ends with its result. Answers the child's end of their pipe.
    private static func detach() -> Channel {
        do {
            let (ours, theirs) = try SocketPair().split()
            switch try Process.fork() {
            case .child:
                closeDescriptor(ours)
                try Process.becomeSessionLeader()
                return Channel(FileDescriptor(adopting: theirs))
            case .parent:
                closeDescriptor(theirs)
                let child = Channel(FileDescriptor(adopting: ours))
                let answer = try child.receive(ServiceToMaster.self, wait: true)
                if answer != nil { Process.exit(0) }
            }
        } catch {}
        // It ends when all that it started has ended.
        Process.reapAll(milliseconds: 3_000)
        Process.exit(89)
    }

    // MARK: the suite

    private static func supervise(_ start: StartParameters, _ processes: [ServiceProcess], warnings: [String], parent: Channel?) -> Never {
        let supervisor: Supervisor
        do {
            if start.plan.base["base_dir"].isEmpty { throw StartFailure("base_dir is empty") }
            try Process.changeDirectory(to: start.base.path)
            try Process.becomeSubreaper()
            try confineMaster()
            supervisor = try Supervisor(start)
            supervisor.control = try ControlSocket(supervisor, path: start.base.controlSocket)
            try start.base.writePID()
        } catch {
            Terminal.fail("Fatal: \(error)")
        }
        start.base.link(configuration: start.configurationPath)
        supervisor.processes = processes
        announce(supervisor, warnings)
        supervisor.whenStarted = { worked in
            supervisor.whenStarted = nil
            if worked {
                do throws(ChannelError) { try parent?.send(ServiceToMaster.ready) } catch {}
                return
            }
            for line in supervisor.relay.takeUnwritten() { Terminal.print(line + "\n") }
            supervisor.cleanUp()
            supervisor.abandon()
            Terminal.fail("Fatal: the log process could not start")
        }
        supervisor.startAll()
        do throws(StartFailure) { try supervisor.run() } catch {
            start.base.writeLastFatal("\(error)")
            Terminal.fail("Fatal: \(error)")
        }
        supervisor.cleanUp()
        Process.exit(0)
    }

    private static func announce(_ supervisor: Supervisor, _ warnings: [String]) {
        let protocols = supervisor.plan.protocols.split(separator: " ").joined(separator: ", ")
        supervisor.log.info(
            "Culver v\(Build.version) starting up \(LogText(trusted: protocols.isEmpty ? "without any protocols" : "for \(protocols)")) (core dumps disabled)"
        )
        for diagnostic in supervisor.plan.diagnostics { supervisor.log.warning(LogText(untrusted: diagnostic.summary)) }
        for warning in warnings { supervisor.log.warning(LogText(untrusted: warning)) }
        let registry = InstanceRegistry(stateDirectory: supervisor.settings["state_dir"])
        do throws(SystemError) {
            try registry.note(name: supervisor.instance, base: supervisor.base.path, configuration: supervisor.configurationPath)
        } catch { supervisor.log.warning("instance registry: \(error)") }
    }

    private static func confineMaster() throws {
        let descriptors = ResourceLimit.descriptors.current
        try ResourceLimit.descriptors.set(soft: descriptors.hard, hard: descriptors.hard)
        try Confinement.master.enter(.init(uid: Process.effectiveUID, gid: Process.effectiveGID))
    }
}
