/// The checks of a whole configuration, after every single value was found right.
struct Validation {
    let translation: Translation
    let tree: SettingsTree
    let document: Document
    var log: DiagnosticLog
    var plans: [ServicePlan] = []
    var fileContents: [String: [UInt8]] = [:]

    init(translation: Translation) {
        self.translation = translation
        tree = translation.tree
        document = translation.document
        log = translation.log
    }

    mutating func run() {
        warnAboutIgnored()
        warnAboutPlugins()
        warnAboutQuota()
        warnAboutFilters()
        checkServices()
        checkTemplates()
        checkDatabases()
        checkMail()
        checkTLS()
        checkAddresses()
    }

    func location(of name: String, _ path: [String] = []) -> SourceLocation? {
        tree.entries[SettingsTree.Key(path: path, name: name)]?.last.flatMap { entry in
            document.assignments.indices.contains(entry.order) ? document.assignments[entry.order].valueLocation : nil
        }
    }

    /// One warning for each setting without effect that is set to something else than its default.
    private mutating func warnAboutIgnored() {
        var seen: Set<String> = []
        for assignment in document.assignments {
            guard assignment.path.first != "plugin", assignment.path.first != "dict" else { continue }
            if assignment.path.first == "service", assignment.path.count >= 2, StockService.foreign[assignment.path[1]] != nil { continue }
            guard let setting = assignment.setting else {
                let isMapEntry = assignment.path.last == "fields"
                if !isMapEntry, let sentence = Schema.family(of: assignment.name), seen.insert(assignment.name).inserted {
                    log.warning("\(assignment.name) has no effect: \(sentence)", at: assignment.location)
                }
                continue
            }
            guard case .ignored(let sentence) = setting.status, !isDefault(assignment, setting), seen.insert(setting.name).inserted else {
                continue
            }
            log.warning("\(assignment.name) has no effect: \(sentence)", at: assignment.location)
        }
    }

    private func isDefault(_ assignment: Assignment, _ setting: Setting) -> Bool {
        guard assignment.element == nil, assignment.written.form != .file else { return false }
        let fallback = setting.defaultValue(in: document.dialect)
        if assignment.value.isEmpty { return true }
        guard let value = try? setting.type.normal(assignment.value) else { return true }
        return value == fallback || (document.dialect == .v23 && OldForm.normal(value, of: setting, inRecord: false) == fallback)
    }

    /// Filters in which a setting is not looked at, although it is valid there: one warning for each setting and filter.
    private mutating func warnAboutFilters() {
        var seen: Set<String> = []
        for assignment in document.assignments where assignment.filter != .global {
            guard let reason = whyIgnored(assignment), seen.insert("\(assignment.name) \(assignment.filter.words)").inserted else {
                continue
            }
            log.warning("\(assignment.name) has no effect in \(assignment.filter.words): \(reason)", at: assignment.location)
        }
        for declaration in document.declarations where declaration.filter != .global && Self.isDatabase(declaration.path) {
            let words = declaration.filter.words
            log.warning(
                "\(declaration.path[0]) in \(words) has no effect: auth asks the databases outside of filters for every client",
                at: declaration.location,
                expected: "a \(declaration.path[0]) outside of it, with username_filter or mechanisms where it shall not always hold")
        }
    }

    private static func isDatabase(_ path: [String]) -> Bool { path.count == 2 && ["passdb", "userdb"].contains(path[0]) }

    private func whyIgnored(_ assignment: Assignment) -> String? {
        guard let setting = assignment.setting, setting.status == .honoured, assignment.path.isEmpty else { return nil }
        let elsewhere: Set = ["auth_socket_path", "auth_allow_cleartext", "auth_ssl_require_client_cert", "auth_ssl_username_from_cert"]
        if setting.name.hasPrefix("auth_"), setting.roles.contains(.auth), !elsewhere.contains(setting.name) {
            return "auth has one value for every client, that outside of filters"
        }
        let ofHosts: Set = ["ssl_server_cert_file", "ssl_server_key_file"]
        if assignment.filter.localName != nil, setting.roles.contains(.login), !ofHosts.contains(setting.name) {
            return "of a server name only the certificate and its key are looked at"
        }
        return nil
    }

    /// The filters in which anything is set, the global one first.
    var filters: [ConnectionFilter] {
        var seen: Set<ConnectionFilter> = [.global]
        var result: [ConnectionFilter] = [.global]
        for assignment in document.assignments where seen.insert(assignment.filter).inserted { result.append(assignment.filter) }
        for declaration in document.declarations where seen.insert(declaration.filter).inserted { result.append(declaration.filter) }
        return result
    }
}
