internal import PasswordStore
internal import ServiceKit
internal import Variables

/// One `passdb` or `userdb` section of the configuration, of either dialect.
struct DatabaseReader {
    /// `passdb 1`, for errors.
    let label: String
    let name: String
    let values: [String: String]
    let dialect: TemplateDialect

    private func text(_ key: String) -> String { values[key] ?? "" }
    private func isOn(_ key: String) -> Bool { values[key] == "yes" }
    private var driverName: String { text("driver").isEmpty ? name : text("driver") }

    private func template(_ text: String, _ key: String) throws(StartFailure) -> Template? {
        try SettingsReader.template(text, "\(label) { \(key) }", dialect, .auth)
    }

    private func rule(_ key: String, _ fallback: ResultRule) throws(StartFailure) -> ResultRule {
        if text(key).isEmpty { return fallback }
        guard let rule = ResultRule(rawValue: text(key)) else { throw StartFailure("\(label) { \(key) = \(text(key)) } is not known") }
        return rule
    }

    /// `k=v k2=v2` of 2.3, in order.
    private func pairs(_ text: String) -> [(String, String?)] {
        text.split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
        }
    }

    private func fields(_ pairs: [(String, String?)], _ key: String) throws(StartFailure) -> [FieldTemplate] {
        var fields: [FieldTemplate] = []
        for (name, value) in pairs {
            // An empty value is a value; a template of nothing is a constant.
            let template = try value.map { (text) throws(StartFailure) in try self.template(text, key) } ?? nil
            fields.append(FieldTemplate(name: name, value: template))
        }
        return fields
    }

    private var overridePairs: [(String, String?)] {
        let map = values.filter { $0.key.hasPrefix("fields/") }.map { (String($0.key.dropFirst(7)), Optional($0.value)) }
        return pairs(text("override_fields")) + map.sorted { $0.0 < $1.0 }
    }

    func passdb() throws(StartFailure) -> PassdbSettings {
        var block = PassdbSettings(driverName: driverName, driver: .unusable("the database driver \(driverName) is not in this version"))
        block.isDeny = isOn("deny")
        block.isMaster = isOn("master")
        block.skip = Skip(rawValue: text("skip")) ?? .never
        block.onSuccess = isOn("pass") ? .goOn : try rule("result_success", .returnOK)
        block.onFailure = try rule("result_failure", .goOn)
        block.onInternalFailure = try rule("result_internalfail", .goOn)
        let mechanisms = text("mechanisms_filter").split(separator: " ").map { $0.uppercased() }
        block.mechanisms = mechanisms.isEmpty ? nil : Set(mechanisms)
        block.names = NameFilter(text("username_filter"))
        block.defaults = try fields(pairs(text("default_fields")), "default_fields")
        block.overrides = try fields(overridePairs, "fields")
        switch driverName {
        case "passwd-file":
            let found = try fileArguments()
            block.driver = .passwdFile(path: found.path, scheme: try scheme(found.scheme, .crypt), nameFormat: found.nameFormat)
        case "static":
            var arguments = pairs(text("args"))
            if !text("static_password").isEmpty { arguments.append(("password", text("static_password"))) }
            let password = arguments.first { $0.0 == "password" }?.1
            let acceptsAny = arguments.contains { $0.0 == "nopassword" } || block.overrides.contains { $0.name == "nopassword" }
            guard password != nil || acceptsAny else {
                throw StartFailure("\(label): static passdb needs a password, or nopassword=y")
            }
            block.driver = .fixed(
                password: try template(password ?? "", "static_password"), acceptsAny: acceptsAny,
                scheme: try scheme(text("default_password_scheme"), .plain))
            block.defaults += try fields(arguments.filter { $0.0 != "password" && $0.0 != "nopassword" }, "args")
        default: break
        }
        return block
    }

    func userdb() throws(StartFailure) -> UserdbSettings {
        var block = UserdbSettings(driverName: driverName, driver: .unusable("the database driver \(driverName) is not in this version"))
        block.skip = Skip(rawValue: text("skip")) ?? .never
        block.onSuccess = try rule("result_success", .returnOK)
        block.onFailure = try rule("result_failure", .goOn)
        block.onInternalFailure = try rule("result_internalfail", .goOn)
        block.defaults = try fields(pairs(text("default_fields")), "default_fields")
        block.overrides = try fields(overridePairs, "fields")
        switch driverName {
        case "passwd-file":
            let found = try fileArguments()
            block.driver = .passwdFile(path: found.path, nameFormat: found.nameFormat)
        case "static":
            let arguments = pairs(text("args"))
            let allowsAll = isOn("static_allow_all_users") || arguments.contains { $0.0 == "allow_all_users" && $0.1 == "yes" }
            block.driver = .fixed(allowsAll: allowsAll)
            block.defaults += try fields(arguments.filter { $0.0 != "allow_all_users" }, "args")
        case "prefetch": block.driver = .prefetch
        default: break
        }
        return block
    }

    // args = [ "scheme=" name SP ] [ "username_format=" template SP ] path
    private func fileArguments() throws(StartFailure) -> (path: Template, scheme: String, nameFormat: Template?) {
        var scheme = text("default_password_scheme")
        var format = text("auth_username_format")
        var path = text("passwd_file_path")
        if path.isEmpty {
            var rest = Substring(text("args")).drop { $0 == " " }
            while let equals = rest.firstIndex(of: "="), let key = ["scheme", "username_format"].first(where: { rest[..<equals] == $0 }) {
                let value = rest[rest.index(after: equals)...]
                let end = value.firstIndex(of: " ") ?? value.endIndex
                if key == "scheme" { scheme = String(value[..<end]) } else { format = String(value[..<end]) }
                rest = value[end...].drop { $0 == " " }
            }
            path = String(rest)
        }
        guard let template = try template(path, "passwd_file_path") else { throw StartFailure("\(label): passwd-file needs a path") }
        return (template, scheme, try self.template(format, "auth_username_format"))
    }

    private func scheme(_ name: String, _ fallback: Scheme) throws(StartFailure) -> Scheme {
        if name.isEmpty { return fallback }
        guard let scheme = Scheme(name: name) else { throw StartFailure("\(label): Unknown scheme \(name)") }
        return scheme
    }
}
