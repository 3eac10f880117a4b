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
    /// What is set of namespaces; empty in a rehearsal, which touches no mail.
    private let namespaceValues: [String: String]
    /// A namespace has a place of its own, which may name the user.
    private let hasOwnPlaces: Bool
    private let dialect: TemplateDialect

    /// `hostname`: part of the names of files; a confined process cannot ask for it. `isRehearsal`: for a mailbox that need not survive
    /// anything; nothing is said in the log.
    init(_ startup: Startup, hostname: String, isRehearsal: Bool = false) {
        let settings = startup.settings
        let log = startup.log
        var imap = IMAPSettings(settings)
        imap.logError = { log.error(LogText(untrusted: $0)) }
        self.imap = imap
        dialect = settings["config_dialect"] == "2.4" ? .pipelines : .letters
        let format = settings["imap_logout_format"]
        do throws(TemplateError) {
            logoutFormat =
                format.isEmpty
                ? try Template(IMAPStatistics.format, dialect: .letters, scope: .imapLogout)
                : try Template(format, dialect: dialect, scope: .imapLogout)
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
        let namespaces = settings.beneath("namespace/")
        // Nothing is expanded here, so that nothing is thrown.
        do throws(StoreError) { storeOptions.namespaces = try NamespaceSettings.all(namespaces, expand: nil) } catch {}
        self.storeOptions = storeOptions
        namespaceValues = isRehearsal ? [:] : namespaces
        hasOwnPlaces = namespaceValues.contains { $0.key.hasSuffix("/mail_path") && !$0.value.isEmpty }
    }

    /// The namespaces of a user, with the places that some have. Throws `.unavailable` when the text of one makes no sense.
    func namespaces(of user: UserRecord) throws(StoreError) -> [NamespaceSettings] {
        // namespace/NAME/SETTING=value of the user database (storage.md 1).
        let fields = user.extra.filter { $0.hasPrefix("namespace/") }
        guard hasOwnPlaces || !fields.isEmpty else { return storeOptions.namespaces }
        var values = namespaceValues
        for field in fields {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let key = String(pair[0].dropFirst("namespace/".count))
            if key.hasSuffix("/location") {
                guard let place = MailLocation(text: String(pair[1])) else {
                    throw .unavailable("\(field): only maildir:PATH is available in this version")
                }
                place.write(into: &values, beneath: String(key.dropLast("location".count)))
            } else {
                values[key] = String(pair[1])
            }
        }
        let table = UserVariables.table(user: user.user, home: user.home, uid: user.uid, gid: user.gid, service: "imap")
        return try NamespaceSettings.all(values) { (text) throws(StoreError) in
            do throws(TemplateError) { return try Template(text, dialect: self.dialect).expand(table) } catch {
                throw .unavailable("namespace: \(text): \(error.message)")
            }
        }
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
        options.limitLockWait(milliseconds: settings.milliseconds("mail_max_lock_timeout", default: 0))
        options.probesLockOwner = false  // kill is not in a worker's filter
        options.log = { severity, text in
            log.write(severity == .error ? .error : severity == .warning ? .warning : .debug, LogText(untrusted: text))
        }
        return options
    }
}
