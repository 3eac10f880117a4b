internal import ArgumentParser
internal import Configuration
internal import IPCProtocol
internal import Platform

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Finds, tests and reopens log files.",
        subcommands: [LogErrorsCommand.self, LogFindCommand.self, LogReopenCommand.self, LogTestCommand.self])
    @ParentCommand var parent: Adm
}

/// Names of levels as the log process counts them.
enum LevelNames {
    static let all = ["Debug", "Info", "Warning", "Error", "Fatal", "Panic"]
    static func name(_ level: UInt8) -> String { Int(level) < all.count ? all[Int(level)] : "Error" }
}

struct LogErrorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "errors", abstract: "Shows the last warnings and errors.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: LogCommand
    @Option(name: .customShort("s"), help: "Only since this Unix time.") var since: UInt64 = 0

    func run() throws {
        let options = common.merged(with: parent.parent.common)
        let form = try Rows.form(options.formatter, default: .flow)
        let channel = try Instance(options).connect("log-errors")
        try channel.ask(AdminToLog.errors(.init(since: since)))
        var rows = Rows("time", "level", "prefix", "text")
        var lines = ""
        while true {
            let received = try channel.answer(LogToAdmin.self)
            guard case .entry(let entry) = received.message else { break }
            let time = Clock.local(Int64(clamping: entry.time), format: "%b %d %H:%M:%S")
            lines += "\(time) \(LevelNames.name(entry.level)): \(entry.prefix)\(entry.text)\n"
            rows.add(time, LevelNames.name(entry.level), entry.prefix, entry.text)
        }
        Output.print(form == .flow ? lines : rows.text(form))
    }
}

struct LogFindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "find", abstract: "Shows where lines of each level go.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: LogCommand

    func run() throws {
        let options = common.merged(with: parent.parent.common)
        let form = try Rows.form(options.formatter, default: .flow)
        let configuration = try Instance(options).configuration
        func path(_ names: [String]) -> String {
            let found = names.map { configuration.value($0) }.first { !$0.isEmpty } ?? "syslog"
            return found == "syslog" ? "syslog (facility \(configuration.value("syslog_facility")))" : found
        }
        var rows = Rows("level", "path")
        rows.add("Debug", path(["debug_log_path", "info_log_path", "log_path"]))
        rows.add("Info", path(["info_log_path", "log_path"]))
        for level in ["Warning", "Error", "Fatal"] { rows.add(level, path(["log_path"])) }
        Output.print(form == .flow ? rows.rows.map { "\($0[0]): \($0[1])\n" }.joined() : rows.text(form))
    }
}

struct LogReopenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reopen", abstract: "Closes the log files and opens them again by name.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: LogCommand

    func run() throws {
        let pid = try Instance(common.merged(with: parent.parent.common)).masterPID()
        guard SignalQueue.send(SignalQueue.user1, to: pid) else {
            throw Output.fatal("kill(\(pid)) failed: not permitted", Exit.noPermission)
        }
    }
}

struct LogTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Writes a line of each level through the running log process.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: LogCommand
    @Option(name: .customLong("count"), help: "Instead, so many numbered info lines: to test that none is lost.") var count: Int?

    func run() throws {
        let instance = try Instance(common.merged(with: parent.parent.common))
        let channel = Channel(try MasterQuery(instance).logChannel("culveradm"))
        if let count {
            for number in 0..<count { try send(1, "This is Culver's test line number \(number) of \(count)", channel) }
            return
        }
        let now = Clock.unixSeconds
        for (level, name) in ["debug", "info", "warning", "error", "fatal"].enumerated() {
            try send(UInt8(level), "This is Culver's \(name) log (\(now))", channel)
        }
    }

    private func send(_ level: UInt8, _ text: String, _ channel: Channel) throws {
        try channel.ask(ServiceToLog.line(LogLine(level: level, user: "", session: "", pid: 0, text: text)))
        while channel.hasBacklog {
            _ = try Wait.any([.init(channel.number, .writable)], milliseconds: 1000)
            try channel.flush()
        }
    }
}
