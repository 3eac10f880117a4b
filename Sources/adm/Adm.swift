internal import ArgumentParser
internal import Platform

/// `culveradm`: the administrator's command. It has the rights of the person who calls it, and no others.
@main
struct Adm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "culveradm", abstract: "Administers a Culver mail server.", version: "0.1.0",
        subcommands: [
            ConfigCommand.self, StopCommand.self, ReloadCommand.self, WhoCommand.self, KickCommand.self, ServiceCommand.self,
            ProcessCommand.self, InstanceCommand.self, LogCommand.self, QuotaCommand.self,
        ])

    @OptionGroup var common: CommonOptions

    func validate() throws {}

    func run() throws {
        Output.error(Adm.helpMessage())
        throw ExitCode(Exit.usage)
    }
}

/// Options that stand before the command's name, as administrators are used to.
struct CommonOptions: ParsableArguments {
    @Option(name: .customShort("c"), help: ArgumentHelp("Configuration file.", valueName: "file")) var configuration: String?
    @Option(name: .customShort("i"), help: ArgumentHelp("Instance, by its name.", valueName: "instance")) var instance: String?
    @Option(name: .customShort("o"), help: ArgumentHelp("Overrides a setting.", valueName: "setting=value")) var overrides: [String] = []
    @Option(name: .customShort("f"), help: "Output: table, tab, json, flow or pager.") var formatter: String?
    @Flag(name: .customShort("D"), help: "Debug messages.") var isDebugging = false
    @Flag(name: .customShort("v"), help: "Progress messages.") var isVerbose = false

    init() {}
}

/// Exit codes of operations.md 7.
enum Exit {
    static let usage: Int32 = 64
    static let notFound: Int32 = 68
    static let temporary: Int32 = 75
    static let noPermission: Int32 = 77
    static let configuration: Int32 = 78
}

/// What goes to the terminal.
enum Output {
    static func print(_ text: String) { write(text, 1) }
    static func error(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", 2) }

    /// An error that ends the command.
    static func fatal(_ text: String, _ code: Int32 = Exit.temporary) -> ExitCode {
        error("Fatal: \(text)")
        return ExitCode(code)
    }

    private static func write(_ text: String, _ number: Int32) {
        let stream = FileDescriptor(adopting: number)
        do throws(SystemError) { try stream.writeAll(Array(text.utf8)) } catch {}
        _ = stream.release()
    }
}
