internal import PasswordStore
internal import Platform
internal import SASL
internal import ServiceKit
internal import Variables

extension AuthSettings {
    /// Reads the part of the configuration that auth gets. Throws at the first setting that cannot be used; databases that are not built
    /// fail only when they are asked, each time with a line in the log.
    init(_ settings: Settings) throws(StartFailure) {
        let reader = SettingsReader(settings)
        dialect = reader.dialect
        mechanisms = []
        for word in settings.words("auth_mechanisms") {
            guard let mechanism = Mechanism(name: Array(word.utf8)) else {
                let built = Mechanism.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartFailure("auth_mechanisms: unknown mechanism \(word) (this version has \(built))")
            }
            if !mechanisms.contains(mechanism) { mechanisms.append(mechanism) }
        }
        if mechanisms.isEmpty { mechanisms = [.plain] }
        names = UserNameRules(
            realm: settings["auth_default_domain"], translation: settings["auth_username_translation"],
            characters: settings["auth_username_chars"], format: try reader.template("auth_username_format"))
        masterSeparator = settings["auth_master_user_separator"].utf8.first
        failureDelay = settings.milliseconds("auth_failure_delay", default: 2_000)
        internalFailureDelay = settings.milliseconds("auth_internal_failure_delay", default: 2_000)
        showsPasswords = settings.bool("auth_debug_passwords")
        isVerbose = settings.bool("auth_verbose") || settings.bool("auth_debug") || showsPasswords
        trusted = settings.words("login_trusted_networks").compactMap { AddressRange($0) }
        verbosePasswords = VerbosePasswords(settings["auth_verbose_passwords"])
        greetsAtOnce = reader.dialect == .letters
        for block in reader.records("passdb") { passdbs.append(try block.passdb()) }
        for block in reader.records("userdb") { userdbs.append(try block.userdb()) }
        guard !passdbs.isEmpty else {
            throw StartFailure("No passdbs specified in configuration file. \(mechanisms[0].rawValue) mechanism needs one")
        }
        mail = try reader.mail()
    }
}

/// Reads settings of auth by name, and says which one is wrong.
struct SettingsReader {
    let settings: Settings
    let dialect: TemplateDialect

    init(_ settings: Settings) {
        self.settings = settings
        dialect = settings["config_dialect"] == "2.4" ? .pipelines : .letters
    }

    func template(_ name: String, scope: VariableScope = .auth) throws(StartFailure) -> Template? {
        try Self.template(settings[name], name, dialect, scope)
    }

    static func template(
        _ text: String, _ name: String, _ dialect: TemplateDialect, _ scope: VariableScope
    ) throws(StartFailure) -> Template? {
        if text.isEmpty { return nil }
        do throws(TemplateError) { return try Template(text, dialect: dialect, scope: scope) } catch {
            throw StartFailure("\(name) = \(text): \(error.message)")
        }
    }

    /// The sections of a kind in their order: `passdb/0/driver`, `passdb/1/driver` …
    func records(_ kind: String) -> [DatabaseReader] {
        let values = settings.beneath(kind + "/")
        let numbers = Set(values.keys.compactMap { Int($0.prefix { $0 != "/" }) })
        return numbers.sorted().map { number in
            let name = String(number)
            var own: [String: String] = [:]
            for (key, value) in values where key.hasPrefix(name + "/") { own[String(key.dropFirst(name.count + 1))] = value }
            let section = own["section"] ?? name
            return DatabaseReader(label: "\(kind) \(section)", name: section, values: own, dialect: dialect)
        }
    }

    func mail() throws(StartFailure) -> MailTemplates {
        var mail = MailTemplates()
        mail.uid = settings["mail_uid"]
        mail.gid = settings["mail_gid"]
        mail.home = try template("mail_home", scope: .mail)
        mail.driver = try template("mail_driver", scope: .mail)
        mail.path = try template("mail_path", scope: .mail)
        mail.inboxPath = try template("mail_inbox_path", scope: .mail)
        mail.controlPath = try template("mail_control_path", scope: .mail)
        mail.indexPath = try template("mail_index_path", scope: .mail)
        mail.layout = settings["mailbox_list_layout"]
        mail.uids = range("first_valid_uid", "last_valid_uid")
        mail.gids = range("first_valid_gid", "last_valid_gid")
        return mail
    }

    /// 0, as the upper end, means no end.
    private func range(_ first: String, _ last: String) -> ClosedRange<UInt32> {
        let low = UInt32(clamping: max(1, settings.number(first, default: 1)))
        let high = UInt32(clamping: settings.number(last, default: 0))
        return low...max(low, high == 0 ? .max : high)
    }
}
