internal import Platform

/// What this version has of things that come in kinds.
enum Available {
    /// By kind of database.
    static let drivers: [String: Set<String>] = ["passdb": ["passwd-file", "static"], "userdb": ["passwd-file", "static", "prefetch"]]
    static let mechanisms = ["plain", "login"]
}

extension Validation {
    private static let databaseDrivers = [
        "passwd-file", "static", "pam", "passwd", "shadow", "prefetch", "sql", "ldap", "oauth2", "lua", "checkpassword", "imap", "bsdauth",
        "dict",
        "nss", "vpopmail",
    ]

    mutating func checkDatabases() {
        var count = 0
        for declaration in document.declarations where ["passdb", "userdb"].contains(declaration.path.first) {
            let kind = declaration.path[0]
            let reader = RecordReader(tree: tree, filter: declaration.filter)
            guard let record = reader.records(of: kind, below: []).first(where: { $0.name == declaration.path[1] }) else { continue }
            if kind == "passdb" { count += 1 }
            guard record.location == declaration.location else { continue }
            check(record, kind, declaration)
        }
        let isServing = plans.contains { $0.type == "login" }
        if count == 0, isServing {
            log.warning("No passdb is set: nobody can log in", at: nil, expected: "passdb { driver = passwd-file … }")
        }
        for word in SettingType.words(tree.global("auth_mechanisms") ?? "") { checkMechanism(word.lowercased()) }
    }

    private mutating func check(_ record: SettingsRecord, _ kind: String, _ declaration: Declaration) {
        let driver = record["driver"]
        let place = location(of: "driver", declaration.path) ?? declaration.location
        guard !driver.isEmpty else {
            return log.error("\(kind): driver is missing", at: place, expected: "driver = one of passwd-file, static, …")
        }
        guard Self.databaseDrivers.contains(driver) else {
            return log.error(
                "\(kind): Unknown driver: \(driver)", at: place, expected: "one of \(Self.databaseDrivers.joined(separator: ", "))",
                suggestion: log.nearest(to: driver, among: Self.databaseDrivers))
        }
        guard Available.drivers[kind]?.contains(driver) ?? false else {
            return log.warning("\(kind) \(driver) is not available in this version: every question to it fails", at: place)
        }
        if driver == "passwd-file", record["passwd_file_path"].isEmpty {
            log.error(
                "\(kind): the path of the passwd-file is missing", at: place,
                expected: tree.dialect == .v23 ? "args = /path/to/users" : "passwd_file_path = /path/to/users")
        }
    }

    private mutating func checkMechanism(_ word: String) {
        let available = Available.mechanisms
        let known = [
            "anonymous", "cram-md5", "digest-md5", "external", "gssapi", "gss-spnego", "ntlm", "oauthbearer", "xoauth2", "otp", "skey",
            "rpa", "apop", "dovecot-token",
            "scram-sha-1", "scram-sha-1-plus", "scram-sha-256", "scram-sha-256-plus", "winbind",
        ]
        if available.contains(word) { return }
        let place = location(of: "auth_mechanisms")
        if known.contains(word) {
            log.warning("auth_mechanisms: \(word) is not available in this version: it is not offered", at: place)
        } else {
            log.error(
                "auth_mechanisms: Unknown mechanism: \(word)", at: place, expected: "a SASL mechanism such as plain or login",
                suggestion: log.nearest(to: word, among: available + known))
        }
    }

    mutating func checkMail() {
        var warned: Set<String> = []
        for assignment in document.assignments {
            guard
                assignment.setting?.name == "mail_driver" || assignment.setting?.oldName == "mail_location"
                    || assignment.setting?.name == "location"
            else {
                continue
            }
            let driver =
                (assignment.setting?.name == "mail_driver"
                    ? assignment.value : assignment.value.split(separator: ":").first.map { String($0) }) ?? ""
            guard MailLocation.drivers.contains(driver), !["maildir", "auto"].contains(driver), warned.insert(driver).inserted else {
                continue
            }
            log.warning(
                "\(assignment.name): mail storage \(driver) is not available in this version: sessions of these users are refused",
                at: assignment.valueLocation, expected: "maildir")
        }
        checkNamespaces()
    }

    /// What would make every session fail (storage.md 12).
    private mutating func checkNamespaces() {
        let namespaces = RecordReader(tree: tree, filter: .global).records(of: "namespace", below: []).filter { $0["disabled"] != "yes" }
        guard !namespaces.isEmpty else { return }
        let inboxes = namespaces.filter { $0["inbox"] == "yes" }
        if inboxes.isEmpty {
            log.error("inbox=yes namespace missing", at: namespaces[0].location, expected: "inbox = yes in one namespace")
        }
        if inboxes.count > 1 { log.error("There can be only one namespace with inbox=yes", at: inboxes[1].location) }
        var prefixes: Set<String> = []
        for namespace in namespaces {
            let prefix = namespace["prefix"]
            if !prefixes.insert(prefix).inserted {
                log.error("Duplicate namespace prefix: \"\(prefix)\"", at: namespace.location)
            }
            if namespace["type"] == "shared", prefix.contains("%") || prefix.contains("$") {
                log.warning(
                    "namespace \(namespace.name): mailboxes that users share are not available in this version: it is left out",
                    at: namespace.location, expected: "type = public for what is the same for everybody")
            }
            let separator = namespace["separator"]
            if separator.utf8.count > 1 {
                log.error("namespace \(namespace.name): the separator must be one character", at: namespace.location)
            }
            if namespace["list"] != "no", !prefix.isEmpty, !separator.isEmpty, !prefix.hasSuffix(separator) {
                log.error("namespace \(namespace.name): list=yes requires that the prefix ends with the separator", at: namespace.location)
            }
        }
        let separators = Set(namespaces.filter { $0["list"] == "yes" }.map { $0["separator"] }.filter { !$0.isEmpty })
        if separators.count > 1 { log.error("All list=yes namespaces must use the same separator", at: namespaces[0].location) }
    }

    mutating func checkTLS() {
        guard plans.contains(where: { $0.type == "login" }) else { return }
        let isOff = tree.global("ssl") == "no"
        if isOff {
            let other = document.assignments.first {
                $0.setting?.name == "ssl" && $0.path.isEmpty && $0.filter != .global && $0.value != "no"
            }
            if let other {
                log.warning("SSL is disabled because global ssl=no, ssl=\(other.value) in a filter has no effect", at: other.location)
            }
            return
        }
        // A wrong value of ssl was reported; what follows from its default would only confuse.
        let isWrong = document.assignments.contains { $0.setting?.name == "ssl" && $0.path.isEmpty } && location(of: "ssl") == nil
        for name in isWrong ? [] : ["cert", "key"] {
            let setting = "ssl_server_\(name)_file"
            let written = tree.dialect == .v23 ? "ssl_\(name)" : setting
            if (tree.global(setting) ?? "").isEmpty {
                log.error(
                    "ssl enabled, but \(written) not set", at: location(of: "ssl"),
                    expected: tree.dialect == .v23
                        ? "\(written) = </path/to/file.pem, or ssl = no" : "\(written) = /path/to/file.pem, or ssl = no")
            }
        }
        guard translation.readsFiles else { return }
        for assignment in document.assignments where assignment.path.isEmpty {
            guard let setting = assignment.setting, setting.type == .file, setting.status == .honoured else { continue }
            readFile(assignment)
        }
    }

    private mutating func readFile(_ assignment: Assignment) {
        let path = assignment.value
        guard !path.isEmpty, !path.hasPrefix("inline:"), fileContents[path] == nil else { return }
        guard path.hasPrefix("/") else {
            return log.error(
                "\(assignment.name): not the path of a file: \(path.prefix(40))", at: assignment.valueLocation, expected: "an absolute path"
            )
        }
        do throws(FileFailure) {
            fileContents[path] = try translation.source.content(of: path)
        } catch {
            log.error("\(assignment.name): Can't open file \(path): \(error.reason)", at: assignment.valueLocation, expected: "a PEM file")
        }
    }

    mutating func checkAddresses() {
        for name in ["login_trusted_networks", "haproxy_trusted_networks"] {
            for word in SettingType.words(tree.global(name) ?? "") where AddressRange(word) == nil {
                log.error(
                    "\(name): Invalid network: \(word)", at: location(of: name), expected: "networks such as 192.0.2.0/24 or 2001:db8::/32")
            }
        }
        guard (tree.global("haproxy_trusted_networks") ?? "").isEmpty else { return }
        for plan in plans {
            for case .inet(let name, _, let port, _, true, _) in plan.listeners {
                log.warning(
                    "service \(plan.name): inet_listener \(name) (port \(port)) has haproxy = yes, but haproxy_trusted_networks is empty:"
                        + " every connection to it is refused", at: location(of: "haproxy", ["service", plan.name, "inet_listener", name]),
                    expected: "haproxy_trusted_networks = addresses of the proxies")
            }
        }
    }
}
