internal import PasswordStore
internal import Platform
internal import Variables

extension Databases {
    /// Asks one password database about `name`; a nil password asks for the fields only. At most one hash is computed.
    func ask(passdb block: PassdbSettings, name: String, password: [UInt8]?, _ table: VariableTable) -> PassdbAnswer {
        let driver = block.driverName
        switch block.driver {
        case .unusable(let reason):
            note(.error, driver, table, reason)
            return .internalFailure
        case .passwdFile(let path, let scheme, let nameFormat):
            guard let (entry, file) = entry(path: path, nameFormat: nameFormat, name: name, table, of: driver) else {
                return .internalFailure
            }
            if let sample = file.example { remember(sample, scheme) }
            guard let entry else {
                note(.info, driver, table, "unknown user" + hint(password))
                return .unknownUser
            }
            guard let extra = extra(entry, prefix: nil, table, of: driver) else { return .internalFailure }
            return judge(block, stored: entry.password, scheme, extra, password, table)
        case .fixed(let template, let acceptsAny, let scheme):
            var found = FieldList()
            if acceptsAny { found.set("nopassword", nil) }
            var stored: [UInt8] = []
            if let template {
                guard let text = expand(template, table, of: driver) else { return .internalFailure }
                stored = Array(text.utf8)
            }
            return judge(block, stored: stored, scheme, found, password, table)
        }
    }

    /// Compares the password, then applies the fields that can refuse a user.
    private func judge(
        _ block: PassdbSettings, stored: [UInt8], _ scheme: Scheme, _ found: FieldList, _ password: [UInt8]?, _ table: VariableTable
    ) -> PassdbAnswer {
        let driver = block.driverName
        guard var fields = merged(found, defaults: block.defaults, overrides: block.overrides, table, of: driver) else {
            return .internalFailure
        }
        if fields.has("nodelay") { isUndelayed = true }
        let stored = fields["password"].map { Array($0.utf8) } ?? stored
        if let password, !fields.has("nopassword") {
            guard !stored.isEmpty else {
                note(.info, driver, table, "No password returned (and no nopassword)")
                return .mismatch
            }
            switch verify(stored, scheme, password, driver, table) {
            case true?: break
            case false?:
                note(.info, driver, table, "Password mismatch" + hint(password))
                return .mismatch
            case nil: return .internalFailure
            }
        }
        if fields.has("fail") || (fields.has("noauthenticate") && password != nil) { return .refused }
        let origin = table.origin
        for (name, address) in [("allow_nets", origin.remoteAddress), ("allow_real_nets", origin.realRemoteAddress)] {
            if let networks = fields[name], password != nil, !isAllowed(name, networks, address, driver, table) { return .refused }
        }
        for name in ["password", "password_noscheme", "nopassword", "allow_nets", "allow_real_nets"] { fields.remove(name) }
        return .found(fields)
    }

    /// Nil: the stored password cannot be used.
    private func verify(_ stored: [UInt8], _ scheme: Scheme, _ password: [UInt8], _ driver: String, _ table: VariableTable) -> Bool? {
        do throws(PasswordError) {
            let parsed = try StoredPassword(stored, default: scheme)
            let isRight = try parsed.matches(password)
            hasHashed = true
            return isRight
        } catch {
            note(.error, driver, table, error.description)
            return nil
        }
    }

    private func remember(_ sample: [UInt8], _ scheme: Scheme) {
        do throws(PasswordError) { example = try StoredPassword(sample, default: scheme) } catch {}
    }

    /// `allow_nets`, `allow_real_nets`: networks, or `local` for requests without an address.
    private func isAllowed(_ name: String, _ networks: String, _ text: String, _ driver: String, _ table: VariableTable) -> Bool {
        let words = networks.split { $0 == "," || $0 == " " }
        guard Socket.addressBytes(text) != nil else {
            if words.contains("local") { return true }
            note(.info, driver, table, "\(name) check failed: Remote IP not known and 'local' missing")
            return false
        }
        if words.contains(where: { AddressRange($0)?.contains(text) == true }) { return true }
        note(.info, driver, table, "\(name) check failed: IP \(text) not in allowed networks")
        return false
    }

    private func hint(_ password: [UInt8]?) -> String {
        guard let password, case .plain(let length) = settings.verbosePasswords else { return "" }
        return " (given password: \(String(decoding: password.prefix(length), as: UTF8.self)))"
    }
}
