internal import IPCProtocol
internal import MailStore
internal import Platform
internal import ServiceKit
internal import Variables

/// What the configuration says of every session, worked out once in the zygote: a worker reads no setting.
///
/// One object, made after the heap is settled: to copy a text or a list writes to it, and so to a page that a worker shares with its zygote
/// until then. What all sessions copy lies on one or two pages.
final class SessionTemplate {
    let imap: IMAPSettings
    let storeOptions: StoreOptions
    /// `imap_logout_format`; nil when it is wrong, which the log says once.
    let logoutFormat: Template?
    let namesAreUTF8: Bool
    /// What the quota of a user is read from, with the user's own fields; nil: no quota is configured, and no field can bring one.
    private let quotaValues: [String: String]?

    /// `hostname`: part of the names of files; a confined process cannot ask for it. `isRehearsal`: for a mailbox that need not survive
    /// anything; nothing is said in the log.
    init(_ startup: Startup, hostname: String, isRehearsal: Bool = false) {
        let settings = startup.settings
        let log = startup.log
        var imap = IMAPSettings(settings)
        imap.logError = { log.error(LogText(untrusted: $0)) }
        self.imap = imap
        let format = settings["imap_logout_format"]
        do throws(TemplateError) {
            let dialect: TemplateDialect = settings["config_dialect"] == "2.4" && !format.isEmpty ? .pipelines : .letters
            logoutFormat = try Template(format.isEmpty ? IMAPStatistics.format : format, dialect: dialect, scope: .imapLogout)
        } catch {
            log.warning(
                "imap_logout_format = \(LogText(untrusted: format)): \(LogText(untrusted: "\(error)")); sessions end without its numbers")
            logoutFormat = nil
        }
        namesAreUTF8 = settings.bool("mailbox_list_utf8")
        var storeOptions = Self.storeOptions(settings, log)
        storeOptions.hostname = hostname
        if isRehearsal { storeOptions.durability = .never }
        quotaValues = settings["mail_plugins"].split(separator: " ").contains("quota") ? settings.beneath("") : nil
        storeOptions.quota = quotaValues.flatMap { QuotaSettings(values: $0, fields: [:]) { log.warning(LogText(untrusted: $0)) } }
        self.storeOptions = storeOptions
    }

    /// The limits of a user, for whom the user database may say more than the settings.
    func quota(of user: UserRecord) -> QuotaSettings? {
        guard let quotaValues else { return nil }
        let fields = user.extra.filter { $0.hasPrefix("quota") }
        guard !fields.isEmpty else { return storeOptions.quota }
        let pairs = fields.map { field in
            let end = field.firstIndex(of: "=") ?? field.endIndex
            return (String(field[..<end]), String(field[end...].dropFirst()))
        }
        let log = storeOptions.log
        return QuotaSettings(values: quotaValues, fields: Dictionary(pairs) { $1 }) { log(.warning, $0) }
    }

    private static func storeOptions(_ settings: Settings, _ log: Log) -> StoreOptions {
        var options = StoreOptions()
        options.durability = settings["mail_fsync"] == "never" ? .never : settings["mail_fsync"] == "always" ? .always : .optimized
        options.copiesWithHardLinks = settings.bool("maildir_copy_with_hardlinks", default: true)
        options.savesCRLF = settings.bool("mail_save_crlf")
        options.emptiesNew = settings.bool("maildir_empty_new")
        options.distrustsNameSizes = settings.bool("maildir_broken_filename_sizes")
        options.probesLockOwner = false  // kill is not in a worker's filter
        options.namespaces = NamespaceSettings.all(settings)
        options.log = { severity, text in
            log.write(severity == .error ? .error : severity == .warning ? .warning : .debug, LogText(untrusted: text))
        }
        return options
    }
}
