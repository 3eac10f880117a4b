internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// The config process.
final class ConfigurationProcess {
    let client: ConfigurationClient
    let pid: Int32
    var isLoading = false

    init(client: ConfigurationClient, pid: Int32) {
        self.client = client
        self.pid = pid
    }

    /// Starts it; `errors` becomes its descriptor 2.
    static func start(executable: String, instance: String, environment: [String], errors: Int32) throws -> ConfigurationProcess {
        let (ours, theirs) = try SocketPair().split()
        defer { closeDescriptor(theirs) }
        let room = String(repeating: " ", count: 64)
        let pid = try Process.spawn(
            path: executable, arguments: ["\(instance)/config", room], environment: environment, descriptors: [-1, -1, errors, theirs])
        let client = ConfigurationClient(Channel(FileDescriptor(adopting: ours)), program: executable)
        try client.greet()
        return ConfigurationProcess(client: client, pid: pid)
    }
}

/// Reload (services.md 14, done better): validated first; sockets stay open; new processes take over when they are ready; old sessions keep
/// their processes and settings until they leave, whatever `shutdown_clients` says.
extension Supervisor {
    func reload() {
        guard state == .running else { return }
        systemd.notify(["RELOADING=1"])
        if configuration == nil { startConfiguration() }
        guard let configuration, !configuration.isLoading else { return }
        do throws(ChannelError) {
            try configuration.client.load(path: configurationPath, overrides: overrides)
            configuration.isLoading = true
        } catch { reloadFailed(["\(error)"]) }
    }

    /// Keeps a config process ready for the next reload.
    func startConfiguration() {
        do {
            let (ours, theirs) = try SocketPair().split()
            defer { closeDescriptor(theirs) }
            let token = tokens.next()
            try relay.add(ours, LogSource(service: "config", leader: 0), token: token)
            let started = try ConfigurationProcess.start(
                executable: settings["libexec_dir"] + "/config", instance: instance, environment: environment, errors: theirs)
            try loop.poller.add(started.client.channel.number, token: Self.configToken, for: .readable)
            configuration = started
            configurationPID = started.pid
            configurationStarted = Clock.milliseconds
            if let log = process(.log)?.channel { try relay.announce(token, to: log) }
        } catch {
            log.error("config process: \(LogText(untrusted: "\(error)"))")
        }
    }

    func continueReload() {
        guard let configuration else { return }
        let outcome = configuration.client.receive(wait: false)
        guard configuration.isLoading else {
            if case .failed(let text) = outcome {
                // One that ended is told of when it is reaped.
                if configuration.client.isRefused { log.error("service(config): \(LogText(untrusted: text))") }
                configurationEnded()
            }
            return
        }
        switch outcome {
        case .loading: return
        case .loaded(let plan):
            configuration.isLoading = false
            for diagnostic in plan.diagnostics { log.warning(LogText(untrusted: diagnostic.summary)) }
            take(plan)
        case .invalid(let diagnostics):
            configuration.isLoading = false
            reloadFailed(diagnostics.filter(\.isError).map(\.summary))
        case .failed(let text):
            configurationEnded()
            reloadFailed([text])
        }
    }

    private func configurationEnded() {
        if let channel = configuration?.client.channel { loop.poller.remove(channel.number) }
        configuration = nil
    }

    /// The config process ended; nothing depends on it until the next reload, but `ps` should show it and a reload be quick.
    func configurationExited(_ pid: Int32, _ status: ExitStatus) -> Bool {
        guard configurationPID == pid else { return false }
        configurationPID = 0
        if let text = status.explanation(service: "config", pid: pid, vszLimit: 0) {
            log.write(.fatal, text, about: pid, user: "", session: "")
        }
        if configuration != nil { continueReload() }
        if configuration != nil { configurationEnded() }
        // One that does not stay is started for the next reload only.
        if state == .running && Clock.milliseconds - configurationStarted > 10_000 { startConfiguration() }
        return true
    }

    private func reloadFailed(_ texts: [String]) {
        for text in texts { log.error("Config reload failed, the old configuration stays in force: \(LogText(untrusted: text))") }
        systemd.notify(["READY=1"])
    }

    /// Opens what is new first: when that fails nothing has changed.
    private func take(_ plan: Plan) {
        guard plan.base["base_dir"] == settings["base_dir"] else {
            return reloadFailed(["base_dir was changed from \(settings["base_dir"]) to \(plan.base["base_dir"]): that needs a restart"])
        }
        let next = ListenerSet(base: base.path)
        let created: [ServiceProcess]
        do {
            created = try Self.makeProcesses(plan, listeners: next, previous: listeners, generation: generation + 1)
            for process in created { _ = try process.startOrder(instance: instance, accounts: accounts, showsUser: true) }
        } catch {
            return reloadFailed(["Failed to start listeners: \(error)"])
        }
        for warning in next.takeWarnings() { log.warning(LogText(untrusted: warning)) }
        generation += 1
        self.plan = plan
        listeners.removePaths(except: next)
        listeners = next
        // What is not touched by the new configuration stays: anvil's counts, and the log unless its own settings changed.
        let stays = processes.filter { process in
            guard !process.isRetired else { return false }
            return process.kind == .anvil || (process.kind == .log && hasSameSettings(process, in: created))
        }
        for process in processes where !stays.contains(where: { $0 === process }) && process.kind != .log { process.isBeingReplaced = true }
        // A log process with other files is exchanged; lines wait in its channels meanwhile.
        for process in processes where process.kind == .log && !process.isRetired && !stays.contains(where: { $0 === process }) {
            process.isRetired = true
            send(.retire, to: process)
        }
        let fresh = created.filter { process in !stays.contains { $0.kind == process.kind } }
        processes += fresh
        startAll()
        log.info("Configuration reloaded: \(fresh.count) services started with it, sessions in progress keep the old one")
    }

    private func hasSameSettings(_ process: ServiceProcess, in created: [ServiceProcess]) -> Bool {
        guard let next = created.first(where: { $0.name == process.name }) else { return false }
        do throws(SystemError) {
            let limit = SettingsImage.maximumSize
            return try MemoryFile.content(of: process.service.settings, limit: limit)
                == MemoryFile.content(of: next.service.settings, limit: limit)
        } catch { return false }
    }

    /// A new process works: the one it replaces takes no further clients.
    func retireReplaced(_ process: ServiceProcess) {
        for old in processes where old.isBeingReplaced && !old.isRetired && old.name == process.name && old !== process { retire(old) }
        // A login process of the old configuration needs the old auth until its clients are through: auth drains by itself.
    }

    private func retire(_ process: ServiceProcess) {
        process.isRetired = true
        process.restartAt = nil
        send(.retire, to: process)
        if !process.isRunning && process.adopted.isEmpty { processes.removeAll { $0 === process } }
    }

    /// Every new process works: services that the new configuration does not have any more end, too.
    func finishReload() {
        guard generation > 1 else { return systemdReady() }
        for old in processes where old.isBeingReplaced && !old.isRetired { retire(old) }
        systemdReady()
    }

    func systemdReady() {
        systemd.notify(["READY=1", "STATUS=v\(Build.version) running", "MAINPID=\(Process.id)"])
    }

    /// The processes of a configuration with their listeners opened.
    static func makeProcesses(_ plan: Plan, listeners: ListenerSet, previous: ListenerSet?, generation: Int) throws -> [ServiceProcess] {
        var made: [ServiceProcess] = []
        for service in plan.services {
            let slots = service.plan.requestLimit == 0 ? service.plan.clientLimit : min(service.plan.clientLimit, service.plan.requestLimit)
            let backlog = Int(service.plan.processLimit) * Int(slots)
            var entries: [ListenerSet.Entry] = []
            for listener in service.listeners {
                // auth's sockets speak Dovecot's text protocols; those of anvil and log speak frames.
                entries += try listeners.open(
                    listener, service: service.plan.name, backlog: backlog, isSeqpacket: service.plan.name != "auth", previous: previous)
            }
            if let process = ServiceProcess(service, listeners: entries, generation: generation) { made.append(process) }
        }
        return made
    }
}
