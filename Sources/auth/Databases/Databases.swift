internal import PasswordStore
internal import Variables

/// The databases of the configuration, asked one at a time. Reads files; never waits for anything else.
final class Databases {
    let settings: AuthSettings
    let files = PasswordFiles()
    /// Lines that came up while asking; the owner takes them.
    var notes: [Note] = []
    /// Whether a hash was computed since the owner last set this to false: an unknown user must cost one, too.
    var hasHashed = false
    /// Whether an entry with `nodelay` was seen since the owner last set this to false, even if its password was not the right one.
    var isUndelayed = false
    /// Last usable hash of a password file, the example for unknown users.
    var example = StoredPassword.example

    init(_ settings: AuthSettings) { self.settings = settings }

    /// Expands a template; a failure is noted and gives nil.
    func expand(_ template: Template?, _ table: VariableTable, of driver: String, isPath: Bool = false) -> String? {
        guard let template else { return nil }
        do throws(TemplateError) {
            return try template.expand(escaping: isPath ? Self.pathPart : { $0 }) { table[$0] }
        } catch {
            note(.error, driver, table, "template: \(error.message)")
            return nil
        }
    }

    /// A value that becomes part of a path stays one component, and no hidden one.
    static func pathPart(_ value: String) -> String {
        let safe = String(value.map { $0 == "/" ? "_" : $0 })
        return safe.hasPrefix(".") ? "_" + safe.dropFirst() : safe
    }

    func note(_ level: Note.Level, _ driver: String, _ table: VariableTable, _ text: String) {
        notes.append(Note(level, driver, table.origin, table.identity, text))
    }

    /// Defaults, then what was found, then overrides.
    func merged(
        _ found: FieldList, defaults: [FieldTemplate], overrides: [FieldTemplate], _ table: VariableTable, of driver: String
    ) -> FieldList? {
        var result = FieldList()
        for field in defaults {
            guard let value = value(of: field, table, driver) else { return nil }
            result.set(field.name, value)
        }
        for (name, value) in found.entries { result.set(name, value) }
        for field in overrides {
            guard let value = value(of: field, table, driver) else { return nil }
            result.set(field.name, value)
        }
        return result
    }

    /// Outer nil: the template failed. Inner nil: a bare name.
    private func value(of field: FieldTemplate, _ table: VariableTable, _ driver: String) -> String?? {
        guard let template = field.value else { return .some(nil) }
        return expand(template, table, of: driver).map { .some($0) }
    }

    /// The entry of a password file. Outer nil: the file cannot be used (noted).
    func entry(
        path: Template, nameFormat: Template?, name: String, _ table: VariableTable, of driver: String
    ) -> (entry: PasswordEntry?, table: PasswordTable)? {
        guard let path = path.isConstant ? expand(path, table, of: driver) : expand(path, table, of: driver, isPath: true) else {
            return nil
        }
        var wanted = name
        if let nameFormat {
            guard let formatted = expand(nameFormat, table, of: driver) else { return nil }
            wanted = formatted
        }
        do throws(PasswordFileError) {
            let found = try files.table(at: path)
            return (found[user: Array(wanted.utf8)], found)
        } catch {
            // One file per domain: a domain without a file has no users.
            if error.isMissing, !settings.isConstantPath(path) { return (nil, PasswordTable([])) }
            note(.error, driver, table, error.description)
            return nil
        }
    }

    /// The extra words of an entry with their variables expanded; those whose name begins with `prefix`, without it. Nil: a template failed.
    func extra(_ entry: PasswordEntry, prefix: String?, _ table: VariableTable, of driver: String) -> FieldList? {
        var fields = FieldList()
        for field in entry.extra {
            var name = field.name
            if let prefix {
                guard name.hasPrefix(prefix) else { continue }
                name = String(name.dropFirst(prefix.count))
            }
            guard field.value.utf8.contains(UInt8(ascii: "%")) else {
                fields.set(name, field.value.isEmpty ? nil : field.value)
                continue
            }
            let template: Template
            do throws(TemplateError) {
                template = try Template(field.value, dialect: settings.dialect, scope: .auth)
            } catch {
                note(.error, driver, table, "field \(name): \(error.message)")
                return nil
            }
            guard let value = expand(template, table, of: driver) else { return nil }
            fields.set(name, value)
        }
        return fields
    }
}

extension AuthSettings {
    /// Whether some block names exactly this file, without variables: then it has to exist.
    func isConstantPath(_ path: String) -> Bool {
        func isSame(_ template: Template) -> Bool {
            guard template.isConstant else { return false }
            do throws(TemplateError) { return try template.expand([:]) == path } catch { return false }
        }
        for block in passdbs { if case .passwdFile(let template, _, _) = block.driver, isSame(template) { return true } }
        for block in userdbs { if case .passwdFile(let template, _) = block.driver, isSame(template) { return true } }
        return false
    }
}
