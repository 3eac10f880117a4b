internal import ArgumentParser
internal import Configuration
internal import IPCProtocol
internal import Platform

/// The instance that a command is about: its configuration, its runtime directory, its master.
struct Instance {
    static let defaultConfiguration = "/etc/culver/culver.conf"
    static let defaultState = "/var/lib/culver"

    let configurationPath: String
    let configuration: LoadedConfiguration

    init(_ options: CommonOptions) throws {
        configurationPath = try Self.path(options)
        configuration = ConfigurationLoader(source: SystemFiles(), readsFiles: false).load(
            path: configurationPath, overrides: options.overrides)
        guard configuration.isValid else {
            for diagnostic in configuration.diagnostics where diagnostic.severity == .error { Output.error(diagnostic.description) }
            throw Output.fatal("Error in configuration file \(configurationPath)", Exit.configuration)
        }
    }

    static func path(_ options: CommonOptions) throws -> String {
        if let path = options.configuration {
            if options.instance != nil { throw Output.fatal("-c and -i both name an instance: give one of them", Exit.usage) }
            return path.hasPrefix("/") ? path : (FileSystem.linkTarget("/proc/self/cwd") ?? "") + "/" + path
        }
        guard let name = options.instance else { return defaultConfiguration }
        guard let entry = InstanceRegistry(stateDirectory: defaultState).find(name) else {
            throw Output.fatal("Unknown instance name: \(name)")
        }
        // The link in base_dir tells the file in use, also when the registry is older.
        return FileSystem.linkTarget(entry.base + "/dovecot.conf") ?? entry.configuration
    }

    var base: String { configuration.value("base_dir") }
    var pidFile: String { base + "/master.pid" }

    /// The pid of the running master.
    func masterPID() throws -> Int32 {
        guard let pid = Self.runningPID(base) else { throw Output.fatal("Culver is not running (read from \(pidFile))") }
        return pid
    }

    static func runningPID(_ base: String) -> Int32? {
        guard let content = FileSystem.content(base + "/master.pid"),
            let pid = Int32(String(decoding: content, as: UTF8.self).filter(\.isNumber)), pid > 0, isAlive(pid)
        else { return nil }
        return pid
    }

    /// Not a zombie either: in a container nobody may reap it.
    static func isAlive(_ pid: Int32) -> Bool {
        guard SignalQueue.send(0, to: pid) else { return false }
        guard let stat = FileSystem.content("/proc/\(pid)/stat"), let close = stat.lastIndex(of: 0x29) else { return true }
        return stat.dropFirst(close + 2).first != 0x5a
    }

    /// Connects to a socket of the instance that speaks frames.
    func connect(_ name: String) throws -> Channel {
        let path = base + "/" + name
        do throws(SystemError) { return Channel(try Socket.connect(path: path, style: .seqpacket)) } catch {
            if error.isPermission { throw Output.fatal("\(error): only root may do this", Exit.noPermission) }
            if error.isNotFound || error.isConnectionEnd { throw Output.fatal("Culver is not running (\(path): \(error.reason))") }
            throw Output.fatal("\(error)")
        }
    }
}

extension Channel {
    /// Sends a question.
    func ask(_ message: some Message) throws {
        do throws(ChannelError) { try send(message) } catch { throw Output.fatal("\(error)") }
    }

    /// Waits for the next answer.
    func answer<Content: Message>(_ type: Content.Type) throws -> Received<Content> {
        do throws(ChannelError) {
            while true { if let received = try receive(type, wait: true) { return received } }
        } catch { throw Output.fatal("\(error)") }
    }
}

/// Asks master and collects what it answers until the end.
struct MasterQuery {
    private let channel: Channel

    init(_ instance: Instance) throws { channel = try instance.connect("master") }

    func services() throws -> [ServiceStatus] {
        var rows: [ServiceStatus] = []
        try collect(.serviceStatus) { if case .service(let row) = $0 { rows.append(row) } }
        return rows
    }

    func processes() throws -> [ProcessStatus] {
        var rows: [ProcessStatus] = []
        try collect(.processStatus) { if case .process(let row) = $0 { rows.append(row) } }
        return rows
    }

    /// Answers whether it was done, and why not.
    func command(_ message: AdminToMaster) throws -> AdminResult { try collect(message) { _ in } }

    /// A channel to the log under a command's name.
    func logChannel(_ name: String) throws -> FileDescriptor {
        try channel.ask(AdminToMaster.logChannel(.init(name: name)))
        var received = try channel.answer(MasterToAdmin.self)
        guard let descriptor = received.takeDescriptor() else { throw Output.fatal("master gave no log channel") }
        return descriptor
    }

    @discardableResult
    private func collect(_ question: AdminToMaster, _ take: (MasterToAdmin) -> Void) throws -> AdminResult {
        try channel.ask(question)
        while true {
            let received = try channel.answer(MasterToAdmin.self)
            if case .end(let result) = received.message { return result }
            take(received.message)
        }
    }
}
