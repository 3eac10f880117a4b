internal import Configuration
internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Reads the administrator's configuration and hands master the services, each with its own part as a sealed memory file.
/// Root, because the files may belong to anybody; without a capability but reading, without network.
@main
enum Config {
    static func main() {
        Title.prepare()
        SignalQueue.ignoreWriteSignals()
        Startup.refuseByHand()
        Clock.prepareLocalTime()
        do throws(SystemError) { try TrapReport.install(descriptor: Inherited.log, prefix: Log.trapPrefix) } catch { Process.exit(89) }
        do throws(ConfinementError) {
            // It passes a descriptor per service, and the kernel counts those under way per user (unix(7), ETOOMANYREFS).
            try Confinement.config.enter(.init(uid: Process.effectiveUID, gid: Process.effectiveGID, descriptors: 4_096))
        } catch {
            Log().fatal("\(error)")
            Process.exit(89)
        }
        let master = Channel(FileDescriptor(adopting: Inherited.master), maximumQueue: 1_000_000)
        do throws(ChannelError) {
            try master.send(ConfigToMaster.hello(.init(role: "config")))
            var isGreeted = false
            while true {
                guard let received = try master.receive(MasterToConfig.self, wait: true) else { continue }
                if !isGreeted {
                    isGreeted = true
                    var mismatch = BuildMismatch.instead(of: nil, from: "master")
                    if case .hello(let hello) = received.message { mismatch = BuildMismatch.check(hello, of: "master") }
                    if let mismatch {
                        Log().fatal(LogText(untrusted: mismatch.description))
                        Process.exit(89)
                    }
                }
                if case .load(let request) = received.message { try answer(request, received.request, master) }
            }
        } catch {
            if error != .closed { Log().fatal("\(error)") }
            Process.exit(error == .closed ? 0 : 89)
        }
    }

    private static func answer(_ request: LoadRequest, _ id: UInt32, _ master: Channel) throws(ChannelError) {
        let loader = ConfigurationLoader(source: SystemFiles())
        let loaded = loader.load(path: request.path, overrides: request.overrides)
        for diagnostic in loaded.diagnostics {
            let text = String(diagnostic.description.prefix(1000))
            let summary = String(diagnostic.summary.prefix(250))
            try master.send(
                ConfigToMaster.diagnostic(.init(isError: diagnostic.severity == .error, summary: summary, text: text)), request: id)
            try waitForRoom(master)
        }
        if loaded.isValid {
            try send(.base, image: loaded.settingsImage(role: .master, protocolName: nil), loaded, id, master)
            for plan in loaded.servicePlans where plan.isProgram {
                try send(.service(plan.frame), image: loaded.settingsImage(for: plan), loaded, id, master)
                for listener in plan.listeners {
                    try master.send(ConfigToMaster.listener(listener.frame), request: id)
                    try waitForRoom(master)
                }
            }
        }
        let result = LoadResult(isValid: loaded.isValid, protocols: loaded.value("protocols"), version: loaded.dialect.rawValue)
        try master.send(ConfigToMaster.loaded(result), request: id)
        try waitForRoom(master)
    }

    private static func send(
        _ message: ConfigToMaster, image blocks: [SettingsBlock], _ loaded: LoadedConfiguration, _ id: UInt32, _ master: Channel
    ) throws(ChannelError) {
        var image = SettingsImage(
            blocks: blocks.map { block in
                SettingsImage.Block(
                    local: block.filter.local ?? "", remote: block.filter.remote ?? "", localName: block.filter.localName ?? "",
                    values: Dictionary(block.values.map { ($0.key, $0.value) }) { $1 })
            })
        if image.blocks.isEmpty { image.blocks = [.init(values: [:])] }
        image.blocks[0].values["config_dialect"] = loaded.dialect.rawValue
        do {
            let file = try MemoryFile.sealed(name: "settings", content: try image.encoded())
            try master.send(message, request: id, descriptors: [file.number])
        } catch let error as ChannelError {
            throw error
        } catch let error as FrameError {
            throw .refused(error)
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw .closed
        }
        try waitForRoom(master)
    }

    /// This process has nothing else to do: it waits until master has read.
    private static func waitForRoom(_ master: Channel) throws(ChannelError) {
        while master.hasBacklog {
            do throws(SystemError) { _ = try Wait.any([.init(master.number, .writable)], milliseconds: -1) } catch { throw .system(error) }
            try master.flush()
        }
    }
}

extension Configuration.ServicePlan {
    /// Services that have a program of their own in this suite; `config` is this process.
    fileprivate var isProgram: Bool { ["anvil", "auth", "log", "imap", "imap-login"].contains(name) }

    fileprivate var frame: IPCProtocol.ServicePlan {
        var plan = IPCProtocol.ServicePlan()
        plan.name = name
        plan.role = String(executable.split(separator: "/").last ?? "")
        plan.type = type
        plan.protocolName = protocolWord
        plan.executable = executable
        plan.arguments = arguments
        plan.user = user
        plan.group = group
        plan.extraGroups = extraGroups
        plan.chroot = chroot
        plan.processMinimum = UInt32(clamping: processMinAvail)
        plan.processLimit = UInt32(clamping: processLimit)
        plan.clientLimit = UInt32(clamping: clientLimit)
        plan.requestLimit = UInt32(clamping: restartRequestCount ?? 0)
        plan.idleKillMilliseconds = UInt64(clamping: idleKillMilliseconds ?? 0)
        plan.vszLimit = vszLimit ?? 0
        return plan
    }
}

extension ListenerPlan {
    fileprivate var frame: PlannedListener {
        var listener = PlannedListener()
        switch self {
        case .unix(let path, let mode, let user, let group, let type), .fifo(let path, let mode, let user, let group, let type):
            if case .fifo = self { listener.kind = "fifo" } else { listener.kind = "unix" }
            listener.name = path
            listener.mode = UInt16(truncatingIfNeeded: mode)
            listener.user = user
            listener.group = group
            listener.role = type
        case .inet(let name, let addresses, let port, let ssl, let haproxy, let type):
            listener.kind = "inet"
            listener.name = name
            listener.addresses = addresses.map { $0 == "*" ? "0.0.0.0" : $0 }
            listener.port = port
            listener.isTLS = ssl
            listener.isHAProxy = haproxy
            listener.role = type
        }
        return listener
    }
}
