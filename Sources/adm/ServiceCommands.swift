internal import ArgumentParser
internal import IPCProtocol
internal import Platform

struct ServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "Shows and stops services.", subcommands: [ServiceStatusCommand.self, ServiceStopCommand.self])
    @ParentCommand var parent: Adm
}

struct ServiceStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Shows limits, processes and queues of services.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: ServiceCommand
    @Argument(help: "Names of services; all without.") var services: [String] = []

    func run() throws {
        let options = common.merged(with: parent.parent.common)
        let form = try Rows.form(options.formatter, default: .pager)
        var rows = Rows(
            "name", "process_count", "process_avail", "process_limit", "client_limit", "throttle_secs", "exit_failure_last",
            "exit_failures_in_sec", "last_drop_warning", "listen_pending", "listening", "doveadm_stop", "process_total", "queued",
            "queue_limit")
        let found = try MasterQuery(try Instance(options)).services().sorted { $0.service < $1.service }
        for name in services where !found.contains(where: { $0.service == name }) {
            throw Output.fatal("Unknown service: \(name)", Exit.notFound)
        }
        for row in found where services.isEmpty || services.contains(row.service) {
            rows.add(
                row.service, String(row.processCount), String(row.processAvail), String(row.processLimit), String(row.clientLimit),
                String((row.throttleMilliseconds + 999) / 1000), String(row.lastFailure), String(row.failuresInSecond),
                String(row.lastDropWarning), row.queued > 0 ? "y" : "n", row.isListening ? "y" : "n", row.isStopped ? "y" : "n",
                String(row.processTotal), String(row.queued), String(row.queueLimit))
        }
        Output.print(rows.text(form))
    }
}

struct ServiceStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stops listening for services until the next reload or restart; sessions go on.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: ServiceCommand
    @Argument(help: "Names of services.") var services: [String]

    func run() throws {
        let options = common.merged(with: parent.parent.common)
        let master = try MasterQuery(try Instance(options))
        for service in services {
            let result = try master.command(.stopService(.init(name: service)))
            if !result.isDone { throw Output.fatal(result.text, Exit.notFound) }
        }
    }
}

struct ProcessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "process", abstract: "Shows processes.", subcommands: [ProcessStatusCommand.self])
    @ParentCommand var parent: Adm
}

struct ProcessStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows each process with its state and the descriptors that it uses, by kind.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: ProcessCommand
    @Argument(help: "Names of services; all without.") var services: [String] = []

    func run() throws {
        let options = common.merged(with: parent.parent.common)
        let form = try Rows.form(options.formatter, default: .table)
        var rows = Rows(
            "name", "pid", "available_count", "total_count", "idle_start", "last_status_update", "last_kill_sent", "descriptors", "kinds",
            "state", "user")
        let processes = try MasterQuery(try Instance(options)).processes()
        for row in processes.sorted(by: { ($0.service, $0.pid) < ($1.service, $1.pid) })
        where services.isEmpty || services.contains(row.service) {
            let used = DescriptorUse(of: row.pid)
            rows.add(
                row.service, String(row.pid), String(row.availableCount), String(row.totalCount), String(row.idleSince),
                String(row.lastUpdate),
                String(row.lastKill), used.summary, used.kinds, row.state, row.user)
        }
        Output.print(rows.text(form))
    }
}

/// Descriptors of a process by kind, from /proc: a leak is a number that grows.
struct DescriptorUse {
    let summary: String
    let kinds: String

    init(of pid: UInt32) {
        let names = FileSystem.names(in: "/proc/\(pid)/fd")
        guard !names.isEmpty, let limit = Self.softLimit(pid) else {
            summary = "-"
            kinds = "-"
            return
        }
        summary = "\(names.count)/\(limit)"
        var counts: [String: Int] = [:]
        for name in names { counts[Self.kind(FileSystem.linkTarget("/proc/\(pid)/fd/\(name)") ?? ""), default: 0] += 1 }
        kinds = counts.keys.sorted().map { "\($0)=\(counts[$0] ?? 0)" }.joined(separator: ",")
    }

    private static func kind(_ target: String) -> String {
        if target.hasPrefix("socket:") { return "socket" }
        if target.hasPrefix("pipe:") { return "pipe" }
        if target.hasPrefix("/memfd:") { return "memfd" }
        if target.hasPrefix("anon_inode:") { return String(target.dropFirst("anon_inode:".count).filter { $0 != "[" && $0 != "]" }) }
        return target.hasPrefix("/dev/") ? "device" : target.hasPrefix("/") ? "file" : "other"
    }

    private static func softLimit(_ pid: UInt32) -> String? {
        guard let content = FileSystem.content("/proc/\(pid)/limits") else { return nil }
        for line in content.split(separator: 0x0a) where line.starts(with: "Max open files".utf8) {
            return String(decoding: line, as: UTF8.self).split(separator: " ").dropFirst(3).first.map(String.init)
        }
        return nil
    }
}
