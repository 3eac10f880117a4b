/// Renders `docs/settings.md` from the schema.
package enum SettingsTable {
    package static var markdown: String {
        var text = """
            # Settings

            Made from `Sources/Configuration/Schema`; a test keeps it equal. A dash means empty, or no such name.
            Default: of 2.3, then of 2.4 where it differs.

            """
        for section in Schema.sections {
            text += "\n## \(section.title)\n\n"
            text += table(section.settings)
        }
        text += "\n## Sections\n"
        for kind in ["service", "unix_listener", "fifo_listener", "inet_listener", "namespace", "mailbox", "passdb", "userdb", "quota"]
            .compactMap({
                Schema.records[$0]
            })
        {
            text += "\n### \(kind.name)\n\n\(kind.summary)\n\n" + table(kind.fields)
        }
        text += "\n## Features that are accepted without effect\n\nSettings of 2.4 that begin so, and keys of `plugin { }`:\n\n"
        for family in Schema.families { text += "- `\(family.prefix)…`: \(family.sentence)\n" }
        text += "\nSections with these names:\n\n"
        for (name, sentence) in Schema.foreignSections.sorted(by: { $0.key < $1.key }) { text += "- `\(name) { }`: \(sentence)\n" }
        return text
    }

    private static func table(_ settings: [Setting]) -> String {
        var text = "| 2.4 | 2.3 | Type | Default | Meaning |\n|---|---|---|---|---|\n"
        for setting in settings {
            let new = setting.isIn24 ? "`\(setting.name)`" : "—"
            let old = setting.oldName.map { "`\($0)`" } ?? "—"
            text += "| \(new) | \(old) | \(typeName(setting.type)) | \(defaults(setting)) | \(cell(meaning(setting))) |\n"
        }
        return text
    }

    private static func meaning(_ setting: Setting) -> String {
        guard case .ignored(let sentence) = setting.status else { return setting.summary }
        return setting.summary + " *No effect: \(sentence).*"
    }

    private static func defaults(_ setting: Setting) -> String {
        let old = setting.oldName == nil ? nil : code(OldForm.text(of: setting, normal: setting.oldDefault))
        let new = setting.isIn24 ? code(setting.type.printed(setting.newDefault)) : nil
        guard let old else { return new ?? "—" }
        guard let new, setting.oldDefault != setting.newDefault || setting.name == "auth_allow_cleartext" else { return old }
        return "\(old) → \(new)"
    }

    private static func code(_ text: String) -> String { text.isEmpty ? "—" : "`\(cell(text))`" }

    private static func cell(_ text: String) -> String {
        String(decoding: text.utf8.flatMap { $0 == UInt8(ascii: "|") ? Array("\\|".utf8) : [$0] }, as: UTF8.self)
    }

    private static func typeName(_ type: SettingType) -> String {
        switch type {
        case .bool: "bool"
        case .uint: "number"
        case .octal: "octal"
        case .port: "port"
        case .size: "size"
        case .time: "time"
        case .timeMilliseconds: "time (ms)"
        case .enumeration(let words): words.filter { !$0.isEmpty }.joined(separator: ", ")
        case .string: "text"
        case .template: "text with variables"
        case .list: "list"
        case .file: "file"
        case .map: "map"
        }
    }
}
