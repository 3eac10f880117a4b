internal import PasswordStore
internal import Variables

extension Databases {
    /// Asks one user database. `passdb` are the fields of the login, if there was one.
    func ask(userdb block: UserdbSettings, name: String, passdb: FieldList?, _ table: VariableTable) -> UserdbAnswer {
        let driver = block.driverName
        let found: FieldList
        switch block.driver {
        case .unusable(let reason):
            note(.error, driver, table, reason)
            return .internalFailure
        case .prefetch:
            // Without a login before it there is nothing to know: the next database is asked.
            guard let fields = passdb?.beneath("userdb_"), !fields.isEmpty else { return .unknownUser }
            found = fields
        case .fixed(let allowsAll):
            if !allowsAll, passdb == nil {
                switch existence(of: name, table) {
                case true?: break
                case false?: return .unknownUser
                case nil: return .internalFailure
                }
            }
            found = FieldList()
        case .passwdFile(let path, let nameFormat):
            guard let (entry, _) = entry(path: path, nameFormat: nameFormat, name: name, table, of: driver) else { return .internalFailure }
            guard let entry else {
                note(.info, driver, table, "unknown user")
                return .unknownUser
            }
            guard let fields = userFields(entry, table, of: driver) else { return .internalFailure }
            found = fields
        }
        guard let fields = merged(found, defaults: block.defaults, overrides: block.overrides, table, of: driver) else {
            return .internalFailure
        }
        return .found(fields)
    }

    private func userFields(_ entry: PasswordEntry, _ table: VariableTable, of driver: String) -> FieldList? {
        var fields = FieldList()
        for (name, value) in [("uid", entry.uid), ("gid", entry.gid), ("home", entry.home)] where !value.isEmpty {
            fields.set(name, String(decoding: value, as: UTF8.self))
        }
        guard let extra = extra(entry, prefix: "userdb_", table, of: driver) else { return nil }
        for (name, value) in extra.entries { fields.set(name, value) }
        return fields
    }

    /// Whether some password database knows the user; nil: none does, and one failed.
    private func existence(of name: String, _ table: VariableTable) -> Bool? {
        var hadFailure = false
        for block in settings.passdbs where !block.isMaster && !block.isDeny {
            switch ask(passdb: block, name: name, password: nil, table) {
            case .found, .mismatch, .refused: return true
            case .unknownUser: continue
            case .internalFailure: hadFailure = true
            }
        }
        return hadFailure ? nil : false
    }

    /// Names of all users, as far as the databases can tell; nil: one of them failed.
    func names(_ table: VariableTable) -> [String]? {
        var names: Set<[UInt8]> = []
        for block in settings.userdbs {
            guard case .passwdFile(let path, _) = block.driver else { continue }
            guard path.isConstant, let path = expand(path, table, of: block.driverName) else { return nil }
            do throws(PasswordFileError) {
                names.formUnion(try files.table(at: path).users)
            } catch {
                note(.error, block.driverName, table, error.description)
                return nil
            }
        }
        return names.map { String(decoding: $0, as: UTF8.self) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
