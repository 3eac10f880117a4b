internal import ArgumentParser
internal import Platform

/// Ends the suite and waits until it is gone.
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stops Culver; sessions end unless shutdown_clients = no.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: Adm

    /// Longer than master itself waits before it uses force.
    private static let patience: Int64 = 15_000

    func run() throws {
        let instance = try Instance(common.merged(with: parent.common))
        let pid = try instance.masterPID()
        guard SignalQueue.send(SignalQueue.terminate, to: pid) else {
            throw Output.fatal("kill(\(pid)) failed: not permitted", Exit.noPermission)
        }
        let deadline = Clock.milliseconds + Self.patience
        while Instance.isAlive(pid) {
            guard Clock.milliseconds < deadline else {
                throw Output.fatal("Culver (PID \(pid)) did not stop within 15 seconds; see its log")
            }
            _ = try Wait.any([], milliseconds: 20)
        }
    }
}

/// Makes master read its configuration again.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Reads the configuration again; no session ends. The log tells the outcome.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: Adm

    func run() throws {
        let pid = try Instance(common.merged(with: parent.common)).masterPID()
        guard SignalQueue.send(SignalQueue.hangUp, to: pid) else {
            throw Output.fatal("kill(\(pid)) failed: not permitted", Exit.noPermission)
        }
    }
}

extension CommonOptions {
    /// Options may stand before or behind the command's name; those behind win.
    func merged(with outer: CommonOptions) -> CommonOptions {
        var result = self
        result.configuration = configuration ?? outer.configuration
        result.instance = instance ?? outer.instance
        result.overrides = outer.overrides + overrides
        result.formatter = formatter ?? outer.formatter
        result.isDebugging = isDebugging || outer.isDebugging
        result.isVerbose = isVerbose || outer.isVerbose
        return result
    }
}
