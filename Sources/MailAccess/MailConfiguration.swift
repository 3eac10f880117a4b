internal import Configuration
package import MailStore
package import Variables

/// What a command that works on a user's mail needs of the configuration.
package struct MailConfiguration {
    private let settings: LoadedConfiguration
    /// Whose `protocol` sections hold: `lda`, `doveadm`.
    package let service: String
    private var filter: ConnectionFilter { ConnectionFilter(protocolName: service) }

    /// Throws EX_CONFIG with the first fault of the files.
    package static func load(path: String, overrides: [String], service: String) throws(AccessFailure) -> MailConfiguration {
        // The caller may be anybody: certificates and keys are none of its business.
        let loaded = ConfigurationLoader(source: SystemFiles(), readsFiles: false).load(path: path, overrides: overrides)
        guard loaded.isValid else {
            let fault = loaded.diagnostics.first { $0.severity == .error }
            throw AccessFailure(.configuration, "Error in configuration: \(fault?.summary ?? path)")
        }
        return MailConfiguration(settings: loaded, service: service)
    }

    package var base: String { value("base_dir") }

    package func value(_ name: String) -> String { settings.value(name, in: filter) }
    package func isOn(_ name: String) -> Bool { settings.isOn(name, in: filter) }

    package var dialect: TemplateDialect { settings.dialect == .v24 ? .pipelines : .letters }

    /// Path of the socket of auth's user database.
    package var authSocket: String {
        let path = value("auth_socket_path")
        return path.hasPrefix("/") ? path : value("base_dir") + "/" + (path.isEmpty ? "auth-userdb" : path)
    }

    /// A setting with the user's variables put in.
    func expanded(_ name: String, _ variables: [String: String]) throws(AccessFailure) -> String {
        try expanded(value(name), of: name, variables)
    }

    private func expanded(_ text: String, of name: String, _ variables: [String: String]) throws(AccessFailure) -> String {
        do throws(TemplateError) { return try Template(text, dialect: dialect, scope: .mail).expand(variables) } catch {
            throw AccessFailure(.configuration, "\(name): \(error.message)")
        }
    }

    /// Where mail is, by the settings alone.
    func location(_ variables: [String: String]) throws(AccessFailure) -> MailLocation {
        func path(_ name: String) throws(AccessFailure) -> String? {
            let value = try expanded(name, variables)
            return value.isEmpty ? nil : value
        }
        return MailLocation(
            path: try path("mail_path") ?? "", inboxPath: try path("mail_inbox_path"), indexPath: try path("mail_index_path"),
            controlPath: try path("mail_control_path"), layout: value("mailbox_list_layout") == "fs" ? .nested : .maildirPlusPlus,
            namesAreUTF8: isOn("mailbox_list_utf8"))
    }

    /// - Parameter log: hears what the administrator should know; the text may hold bytes of foreign file names.
    package func storeOptions(
        for user: MailUser, log: @escaping (StoreOptions.Severity, String) -> Void
    ) throws(AccessFailure) -> StoreOptions {
        var options = StoreOptions()
        options.durability = value("mail_fsync") == "never" ? .never : value("mail_fsync") == "always" ? .always : .optimized
        options.savesCRLF = isOn("mail_save_crlf")
        options.limitLockWait(milliseconds: Int64(settings.number("mail_max_lock_timeout", in: filter) ?? 0))
        options.hostname = value("hostname")
        options.log = log
        options.quota = quota(of: user) { log(.warning, $0) }
        var namespaces: [NamespaceSettings] = []
        for record in settings.records(of: "namespace", in: filter) where NamespaceSettings.isOffered({ record[$0] }) {
            namespaces.append(try namespace(record, user.variables(service: service)))
        }
        if namespaces.contains(where: \.holdsInbox) { options.namespaces = namespaces }
        return options
    }

    private func quota(of user: MailUser, complain: (String) -> Void) -> QuotaSettings? {
        var values: [String: String] = [:]
        for block in settings.settingsImage(role: .mail, protocolName: service) where block.filter == .global {
            for (key, value) in block.values { values[key] = value }
        }
        return QuotaSettings(values: values, fields: user.fields, complain: complain)
    }

    private func namespace(_ record: SettingsRecord, _ variables: [String: String]) throws(AccessFailure) -> NamespaceSettings {
        var namespace = NamespaceSettings { record[$0] }
        namespace.location = try MailLocation(namespace: { record[$0] }) { (text) throws(AccessFailure) in
            try expanded(text, of: "namespace \(record.name)", variables)
        }
        namespace.mailboxes = record.children.filter { $0.kind == "mailbox" }.map { mailbox in
            MailboxSettings(
                name: Array(mailbox.name.utf8),
                automatic: mailbox["auto"] == "create" ? .create : mailbox["auto"] == "subscribe" ? .subscribe : .no)
        }
        return namespace
    }
}
