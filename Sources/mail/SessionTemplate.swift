internal import MailStore
internal import Platform
internal import ServiceKit
internal import Variables

/// What the configuration says of every session, worked out once in the zygote: a worker reads no setting.
struct SessionTemplate {
    let imap: IMAPSettings
    let storeOptions: StoreOptions
    let logoutFormat: String
    let dialect: TemplateDialect
    let namesAreUTF8: Bool

    init(_ startup: Startup) {
        let settings = startup.settings
        let log = startup.log
        var imap = IMAPSettings(settings)
        imap.logError = { log.error(LogText(untrusted: $0)) }
        self.imap = imap
        let format = settings["imap_logout_format"]
        logoutFormat = format.isEmpty ? IMAPStatistics.format : format
        dialect = settings["config_dialect"] == "2.4" ? .pipelines : .letters
        namesAreUTF8 = settings.bool("mailbox_list_utf8")
        storeOptions = Self.storeOptions(settings, log)
    }

    private static func storeOptions(_ settings: Settings, _ log: Log) -> StoreOptions {
        var options = StoreOptions()
        options.durability = settings["mail_fsync"] == "never" ? .never : settings["mail_fsync"] == "always" ? .always : .optimized
        options.copiesWithHardLinks = settings.bool("maildir_copy_with_hardlinks", default: true)
        options.savesCRLF = settings.bool("mail_save_crlf")
        options.emptiesNew = settings.bool("maildir_empty_new")
        options.distrustsNameSizes = settings.bool("maildir_broken_filename_sizes")
        options.hostname = Account.hostName
        options.probesLockOwner = false  // kill is not in a worker's filter
        options.namespaces = NamespaceSettings.all(settings)
        options.log = { severity, text in
            log.write(severity == .error ? .error : severity == .warning ? .warning : .debug, LogText(untrusted: text))
        }
        return options
    }
}
