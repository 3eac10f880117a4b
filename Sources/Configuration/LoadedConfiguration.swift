/// Reads, checks and hands out a configuration.
package struct ConfigurationLoader: Sendable {
    private let source: any FileSource
    private let environment: [String: String]
    private let readsFiles: Bool

    /// - Parameters:
    ///   - environment: what `$ENV:NAME` refers to.
    ///   - readsFiles: whether certificates, keys and `<file` values are opened; false for a reader without the rights.
    package init(source: any FileSource, environment: [String: String] = [:], readsFiles: Bool = true) {
        self.source = source
        self.environment = environment
        self.readsFiles = readsFiles
    }

    /// Loads a file with all that it includes, then `name=value` of the command line.
    ///
    /// Never fails: what is wrong stands in `diagnostics` of the result.
    package func load(path: String, overrides: [String] = []) -> LoadedConfiguration {
        var reader = ConfigurationReader(source: source, environment: environment)
        reader.read(path)
        for override in overrides { reader.apply(override: override) }
        var translation = Translation(
            reader.document, log: reader.log, source: source, environment: environment, readsFiles: readsFiles)
        translation.run()
        var validation = Validation(translation: translation)
        // Without the main file nothing else is known to be wrong.
        if reader.hasMainFile { validation.run() }
        return LoadedConfiguration(
            document: reader.document, tree: translation.tree, diagnostics: validation.log.diagnostics,
            servicePlans: validation.plans, fileContents: validation.fileContents)
    }

    /// The defaults alone, as if the file were empty.
    package func defaults(dialect: Dialect) -> LoadedConfiguration {
        let text = dialect == .v24 ? "dovecot_config_version = 2.4.0\n" : ""
        return ConfigurationLoader(source: MemoryFiles(["/defaults": text])).load(path: "/defaults")
    }
}

/// A configuration that was read: a value that does not change when the files do.
package struct LoadedConfiguration: Sendable {
    let document: Document
    let tree: SettingsTree
    /// All errors and warnings, in the order in which they were found.
    package let diagnostics: [Diagnostic]
    /// The services that are to run.
    package let servicePlans: [ServicePlan]
    /// Content of certificates and keys, by path.
    let fileContents: [String: [UInt8]]

    package var dialect: Dialect { document.dialect }
    /// Path of the main file.
    package var path: String { document.mainFile }
    /// No errors; only then may anything be started with it.
    package var isValid: Bool { !diagnostics.contains { $0.severity == .error } }

    /// A global setting, by its 2.4 name, in normal form; empty for a name that does not exist.
    package func value(_ name: String, in filter: ConnectionFilter = .global) -> String {
        tree.global(name, filter) ?? ""
    }

    /// `yes` of a bool.
    package func isOn(_ name: String, in filter: ConnectionFilter = .global) -> Bool { value(name, in: filter) == "yes" }

    /// A number, size or time (milliseconds); nil for `unlimited`, `infinite` or what is no number.
    package func number(_ name: String, in filter: ConnectionFilter = .global) -> Int? { Int(value(name, in: filter)) }

    /// The words of a list.
    package func words(_ name: String, in filter: ConnectionFilter = .global) -> [String] { SettingType.words(value(name, in: filter)) }

    /// The file and line of the assignment that decides a global setting; nil if the default holds.
    package func origin(of name: String, in filter: ConnectionFilter = .global) -> SourceLocation? {
        tree.entries(name, [], filter).last.flatMap { entry in
            document.assignments.indices.contains(entry.order) ? document.assignments[entry.order].location : nil
        }
    }

    /// Sections of a kind in order: `passdb` and `userdb` in the order of lookup, `namespace` with its mailboxes.
    package func records(of kind: String, in filter: ConnectionFilter = .global) -> [SettingsRecord] {
        RecordReader(tree: tree, filter: filter).records(of: kind, below: [])
    }

    /// Keys and values of a map: `plugin`, `dict`.
    package func map(_ name: String, in filter: ConnectionFilter = .global) -> [String: String] {
        RecordReader(tree: tree, filter: filter).map([name])
    }
}

/// One named section with all its settings.
package struct SettingsRecord: Sendable, Equatable {
    package let kind: String
    /// `#1` and so on for sections without a name.
    package let name: String
    /// By 2.4 name, in normal form, defaults included; `fields/home` for what is in a map.
    package let values: [String: String]
    /// Mailboxes of a namespace.
    package let children: [SettingsRecord]
    package let location: SourceLocation?

    package subscript(_ name: String) -> String { values[name] ?? "" }
}

/// Puts the sections of a configuration together.
struct RecordReader {
    let tree: SettingsTree
    let filter: ConnectionFilter

    func records(of kindName: String, below path: [String]) -> [SettingsRecord] {
        guard let kind = Schema.records[kindName] else { return [] }
        return tree.records(kindName, below: path, filter).map { record(kind, path + [kindName, $0]) }
    }

    func map(_ path: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for name in tree.names[path] ?? [] {
            if let value = tree.value(name, path, filter, default: "") { values[name] = value }
        }
        return values
    }

    private func record(_ kind: RecordKind, _ path: [String]) -> SettingsRecord {
        var values: [String: String] = [:]
        for field in kind.fields where tree.dialect == .v23 || field.isIn24 {
            values[field.name] = tree.field(field.name, of: kind, path, filter) ?? field.defaultValue(in: tree.dialect)
        }
        for name in tree.names[path] ?? [] {
            if let value = tree.value(name, path, filter, default: "") { values[name] = value }
        }
        for map in kind.maps {
            for (key, value) in self.map(path + [map]) { values["\(map)/\(key)"] = value }
        }
        let name = path.last ?? ""
        if kind.name == "passdb" || kind.name == "userdb" {
            if values["driver"]?.isEmpty ?? true, tree.dialect == .v24 { values["driver"] = name }
            DatabaseArguments.translate(&values)
        }
        let location = tree.location(of: path)
        let children = kind.name == "service" ? [] : kind.children.flatMap { records(of: $0, below: path) }
        return SettingsRecord(kind: kind.name, name: name, values: values, children: children, location: location)
    }
}

/// Turns `args`, `default_fields` and `override_fields` of 2.3 into the settings of 2.4 (auth.md 8 and 9).
enum DatabaseArguments {
    static func translate(_ values: inout [String: String]) {
        for (name, value) in pairs(values["default_fields"] ?? "") { values["fields/\(name):default"] = value }
        for (name, value) in pairs(values["override_fields"] ?? "") { values["fields/\(name)"] = value }
        if values["pass"] == "yes" { values["result_success"] = "continue" }
        let arguments = values["args"] ?? ""
        guard !arguments.isEmpty else { return }
        switch values["driver"] {
        case "passwd-file":
            for word in arguments.split(separator: " ") {
                if word.hasPrefix("scheme=") {
                    values["default_password_scheme"] = String(word.dropFirst(7)).uppercased()
                } else if word.hasPrefix("username_format=") {
                    values["auth_username_format"] = String(word.dropFirst(16))
                } else {
                    values["passwd_file_path"] = String(word)
                }
            }
        case "static":
            for (name, value) in pairs(arguments) {
                switch name {
                case "password": values["static_password"] = value
                case "allow_all_users": values["static_allow_all_users"] = value
                default: values["fields/\(name)"] = value
                }
            }
        default: break
        }
    }

    private static func pairs(_ text: String) -> [(String, String)] {
        text.split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count == 2 ? String(parts[1]) : "yes")
        }
    }
}
