internal import ArgumentParser
internal import Configuration
internal import Platform

struct InstanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance", abstract: "Shows and forgets instances.",
        subcommands: [InstanceListCommand.self, InstanceRemoveCommand.self])
    @ParentCommand var parent: Adm

    /// The registry of the configuration in use, or the usual one when there is no configuration to ask.
    static func registry(_ options: CommonOptions) throws -> InstanceRegistry {
        if options.configuration != nil { return InstanceRegistry(stateDirectory: try Instance(options).configuration.value("state_dir")) }
        return InstanceRegistry(stateDirectory: Instance.defaultState)
    }
}

struct InstanceListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows the instances that have run on this host.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: InstanceCommand
    @Argument(help: "Name of an instance; all without.") var name: String?

    func run() throws {
        let options = common.merged(with: parent.parent.common)
        let form = try Rows.form(options.formatter, default: .table)
        var rows = Rows("path", "name", "last used", "running")
        for entry in try InstanceCommand.registry(options).entries where name == nil || entry.name == name {
            let isRunning = Instance.runningPID(entry.base) != nil
            rows.add(entry.base, entry.name, Clock.local(entry.lastUsed, format: "%Y-%m-%d %H:%M:%S"), isRunning ? "yes" : "no")
        }
        Output.print(rows.text(form))
    }
}

struct InstanceRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forgets an instance.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: InstanceCommand
    @Argument(help: "Name or base_dir.") var instance: String

    func run() throws {
        let registry = try InstanceCommand.registry(common.merged(with: parent.parent.common))
        guard try registry.remove(instance) else { throw Output.fatal("Instance already didn't exist: \(instance)", Exit.notFound) }
    }
}
