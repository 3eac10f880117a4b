internal import ArgumentParser
internal import Configuration
internal import Platform

/// Shows the configuration as it is understood (doveconf).
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Shows settings: those that differ from the default, without options.")
    @OptionGroup var common: ConfigOptions
    @ParentCommand var parent: Adm
    @Flag(name: .customShort("n"), help: "Settings that differ from the default.") var showsChanged = false
    @Flag(name: .customShort("a"), help: "All settings.") var showsAll = false
    @Flag(name: .customShort("d"), help: "Defaults, without reading the file.") var showsDefaults = false
    @Flag(name: .customShort("N"), help: "Settings that the file sets.") var showsSet = false
    @Flag(name: .customShort("h"), help: "Values without names.") var valuesOnly = false
    @Flag(name: .customShort("P"), help: "Passwords and keys, too.") var showsSecrets = false
    @Option(name: .customShort("m"), help: "Only what this service needs.") var service: String?
    @Option(name: .customShort("f"), help: "For connections of this kind: protocol=, local=, remote=, local_name=.") var filters: [String] =
        []
    @Argument(help: "Settings or sections.") var names: [String] = []

    func run() throws {
        let options = common.common(parent.common)
        let path = try Instance.path(options)
        let loader = ConfigurationLoader(source: SystemFiles(), readsFiles: false)
        let loaded = showsDefaults ? loader.defaults(dialect: .v23) : loader.load(path: path, overrides: options.overrides)
        // Defaults are no configuration that could run: without a certificate, for one.
        for diagnostic in loaded.diagnostics where !showsDefaults { Output.error(diagnostic.description) }
        guard loaded.isValid || showsDefaults else {
            let count = loaded.diagnostics.count { $0.severity == .error }
            throw Output.fatal("Error in configuration file \(path): \(count) errors", 89)
        }
        let printer = ConfigurationPrinter(loaded, options: try printerOptions(loaded))
        guard names.isEmpty, !valuesOnly else { return Output.print(printer.body) }
        let system =
            FileSystem.content("/proc/sys/kernel/osrelease").map { String(decoding: $0, as: UTF8.self).filter { $0 != "\n" } } ?? ""
        Output.print(printer.text(version: "0.1.0", path: path, system: "Linux \(system)", hostname: Account.hostName))
    }

    private func printerOptions(_ loaded: LoadedConfiguration) throws -> ConfigurationPrinter.Options {
        var options = ConfigurationPrinter.Options()
        options.mode = showsAll || (!names.isEmpty && !showsChanged) ? .all : showsSet ? .set : showsDefaults ? .defaults : .changed
        options.valuesOnly = valuesOnly
        options.showsSecrets = showsSecrets
        options.names = names
        if let service {
            guard let plan = loaded.servicePlans.first(where: { $0.name == service }) else {
                throw Output.fatal(
                    "Unknown service: \(service) (known: \(loaded.servicePlans.map(\.name).joined(separator: ", ")))", Exit.notFound)
            }
            options.roles = plan.role
            if !plan.protocolWord.isEmpty { options.filter = ConnectionFilter(protocolName: plan.protocolWord) }
        }
        for text in filters {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Output.fatal("-f needs key=value: \(text)", Exit.usage) }
            var filter = options.filter ?? .global
            switch parts[0] {
            case "protocol", "service": filter.protocolName = parts[1]
            case "local": filter.local = parts[1]
            case "remote": filter.remote = parts[1]
            case "local_name", "lname": filter.localName = parts[1]
            default: throw Output.fatal("-f knows protocol, local, remote and local_name: \(text)", Exit.usage)
            }
            options.filter = filter
        }
        return options
    }
}

/// The common options without `-f`, which means a filter here.
struct ConfigOptions: ParsableArguments {
    @Option(name: .customShort("c"), help: ArgumentHelp("Configuration file.", valueName: "file")) var configuration: String?
    @Option(name: .customShort("i"), help: ArgumentHelp("Instance, by its name.", valueName: "instance")) var instance: String?
    @Option(name: .customShort("o"), help: ArgumentHelp("Overrides a setting.", valueName: "setting=value")) var overrides: [String] = []

    init() {}

    func common(_ outer: CommonOptions) -> CommonOptions {
        var result = outer
        result.configuration = configuration ?? outer.configuration
        result.instance = instance ?? outer.instance
        result.overrides = outer.overrides + overrides
        return result
    }
}
