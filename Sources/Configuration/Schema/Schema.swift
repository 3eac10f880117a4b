/// Every setting that Culver knows, in one place: reading, checking, printing and documentation all come from here.
package enum Schema {
    /// A group of settings with its title in `docs/settings.md`.
    package struct Section: Sendable {
        package let title: String
        package let settings: [Setting]
    }

    package static let sections: [Section] = [
        Section(title: "Base and processes", settings: base),
        Section(title: "Log", settings: log),
        Section(title: "Login", settings: login),
        Section(title: "TLS", settings: tls),
        Section(title: "Authentication", settings: auth),
        Section(title: "Mail storage", settings: mail + storage),
        Section(title: "Quota", settings: quota),
        Section(title: "IMAP", settings: imap),
        Section(title: "POP3, LMTP and delivery", settings: delivery),
        Section(title: "Accepted without effect", settings: unsupported),
    ]

    /// All global settings by their 2.4 name.
    package static let settings: [String: Setting] = Dictionary(
        sections.flatMap(\.settings).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    private static let byOldName: [String: Setting] = Dictionary(
        sections.flatMap(\.settings).compactMap { setting in setting.oldName.map { ($0, setting) } },
        uniquingKeysWith: { first, _ in first })

    /// The setting of a name as a file of this dialect writes it.
    package static func setting(_ name: String, in dialect: Dialect) -> Setting? {
        switch dialect {
        case .v23: byOldName[name]
        case .v24: settings[name].flatMap { $0.isIn24 ? $0 : nil }
        }
    }

    /// The names that a file of this dialect may use, sorted.
    static func names(in dialect: Dialect) -> [String] { dialect == .v23 ? oldNames : newNames }

    private static let oldNames = byOldName.keys.sorted()
    private static let newNames = settings.values.filter(\.isIn24).map(\.name).sorted()

    /// Settings of features that Culver does not have, by the beginning of their names, with what happens instead.
    static func family(of name: String) -> String? {
        families.first { name.hasPrefix($0.prefix) }?.sentence
    }
}

/// What happens instead of a feature that is not there.
enum Instead {
    static let quota = "this part of quota is not available in this version: limits of storage and messages are enforced"
    static let sieve = "Sieve is not available in this version: mail is delivered without scripts"
    static let replication = "replication is not available in this version: nothing is copied to another server"
    static let director = "the director is not available in this version: users are not assigned to servers"
    static let hibernate = "hibernation is not available in this version: idle sessions keep their process"
    static let statistics = "statistics are not available in this version: nothing is exported"
    static let dict = "dictionaries are not available in this version: the setting is not used"
    static let fts = "full text search is not available in this version: SEARCH reads the messages"
    static let acl = "access control lists are not available in this version: each user sees only the own mail"
    static let proxy = "proxying is not available in this version: sessions are served here"
    static let submission = "submission is not available in this version: no service is started"
    static let policy = "the auth policy server is not asked in this version: each login is decided by the databases alone"
    static let imapc = "remote mail stores are not available in this version: the setting is not used"
    static let mbox = "mbox and dbox are not available in this version: the setting is not used"
    static let compression = "compression is not available in this version: mail is saved uncompressed"
    static let attachment = "separate storage of attachments is not available in this version: a message is one file"
    static let urlauth = "URLAUTH is not available in this version: the capability is not offered"
    static let pop3 = "POP3 is not available in this version: its service is not started"
    static let lmtp = "LMTP is not available in this version: its service is not started"
    static let admin = "the network interface of the admin command is not available in this version: it works locally only"
    static let plugins = "plugins are not loaded: what Culver has is built in"
    static let metadata = "attributes are kept beside the mail (culver-attributes): no dictionary is used"
    static let cache = "the index keeps these fields always: the setting is not needed"
    static let index = "the index has a form of its own, without such limits"
    static let library = "the library's own default is used"
    static let removed = "it has no meaning in Culver"
    static let database = "this database is not available in this version: it is skipped"
}

extension Schema {
    static let families: [(prefix: String, sentence: String)] = [
        ("quota", Instead.quota), ("sieve_", Instead.sieve), ("managesieve_", Instead.sieve), ("acl", Instead.acl), ("fts_", Instead.fts),
        ("language_", Instead.fts), ("textcat_", Instead.fts), ("mail_compress_", Instead.compression), ("compress_", Instead.compression),
        ("zlib_", Instead.compression), ("submission_", Instead.submission), ("imapc_", Instead.imapc), ("pop3c_", Instead.imapc),
        ("imap_urlauth_", Instead.urlauth), ("mail_ext_attachment_", Instead.attachment), ("mail_attachment_", Instead.attachment),
        ("director_", Instead.director), ("replicat", Instead.replication), ("dsync_", Instead.replication),
        ("old_stats_", Instead.statistics),
        ("stats_", Instead.statistics), ("metric_", Instead.statistics), ("event_exporter_", Instead.statistics),
        ("doveadm_", Instead.admin),
        ("auth_policy_", Instead.policy), ("mail_attribute", Instead.metadata), ("dict_", Instead.dict), ("fs_", Instead.dict),
        ("mbox_", Instead.mbox), ("mdbox_", Instead.mbox), ("sql_", Instead.database), ("ldap_", Instead.database),
        ("mysql_", Instead.database),
        ("pgsql_", Instead.database), ("sqlite_", Instead.database), ("cassandra_", Instead.database), ("oauth2_", Instead.database),
        ("lua_", Instead.database), ("pam_", Instead.database), ("passdb_", Instead.database), ("userdb_", Instead.database),
        ("http_client_", Instead.removed), ("http_server_", Instead.removed), ("dns_client_", Instead.removed),
        ("execute_", Instead.removed),
        ("mail_log_", "operations are not logged one by one in this version"),
        ("mail_crypt_", "encryption of stored mail is not available in this version"),
        ("crypt_", "encryption of stored mail is not available in this version"),
        ("push_notification_", "push notifications are not available in this version"),
        ("last_login_", "the time of the last login is not kept in this version"), ("trash_", Instead.quota),
        ("lazy_expunge_", "expunged mail is not kept in this version"),
        ("welcome_", "no script is run for a new user in this version"),
        ("notify_status_", "delivery reports are not available in this version"),
        ("expire", "expiry by plugin is not available in this version; use autoexpunge of a mailbox"), ("antispam_", Instead.plugins),
        ("imapsieve_", Instead.sieve),
        ("event_", Instead.statistics), ("virtual_", "virtual mailboxes are not available in this version"),
        ("charset_alias", "character sets go by the names of the system"),
    ]

    /// Sections of features that Culver does not have: accepted with any content.
    static let foreignSections: [String: String] = [
        "import": Instead.statistics, "metric": Instead.statistics, "event_exporter": Instead.statistics,
        "quota_warning": Instead.quota, "quota_clone": Instead.quota, "quota_over_status": Instead.quota, "dict": Instead.dict,
        "dict_map": Instead.dict,
        "dict_server": Instead.dict, "fs": Instead.dict, "fts": Instead.fts, "fts_decoder": Instead.fts, "language": Instead.fts,
        "execute": Instead.removed,
        "mysql": Instead.database, "pgsql": Instead.database, "sqlite": Instead.database, "cassandra": Instead.database,
        "sql": Instead.database,
        "ldap": Instead.database, "oauth2": Instead.database, "lua_file": Instead.database, "sieve_script": Instead.sieve,
        "sieve_env": Instead.sieve,
        "imapsieve_from": Instead.sieve, "sieve_pipe": Instead.sieve, "sieve_filter": Instead.sieve, "sieve_execute": Instead.sieve,
        "push_notification": "push notifications are not available in this version", "mail_attribute": Instead.metadata,
        "auth_policy": Instead.policy,
        "doveadm_server": Instead.admin, "stats_server": Instead.statistics,
        "last_login": "the time of the last login is not kept in this version",
        "mail_ext_attachment": Instead.attachment, "acl": Instead.acl, "acl_rights": Instead.acl, "acl_sharing_map": Instead.acl,
        "acl_dict": Instead.acl,
        "notify_status": "delivery reports are not available in this version",
        "crypt_private_key": "encryption of stored mail is not available in this version",
        "mail_crypt": "encryption of stored mail is not available in this version", "welcome": Instead.removed,
        "imap_filter": Instead.sieve,
        "imap_urlauth": Instead.urlauth, "lazy_expunge": "expunged mail is not kept in this version",
    ]

    /// Sections of 2.4 that only stand before the names of the settings within: `ssl_server { cert_file = … }`.
    static let prefixSections: Set<String> = ["ssl_server", "ssl_client"]

    /// Names of releases before 2.3 that are still understood in 2.3 files.
    static let obsolete: [String: String] = [
        "ssl_cert_file": "ssl_cert", "ssl_key_file": "ssl_key", "ssl_ca_file": "ssl_ca", "auth_worker_max_request_count": "",
        "mail_extra_groups": "mail_access_groups", "mail_log_max_lines_per_sec": "", "login_max_processes_count": "",
        "login_process_size": "",
        "login_processes_count": "", "login_process_per_connection": "", "login_max_connections": "", "login_dir": "",
        "login_user": "default_login_user",
        "default_mail_env": "mail_location", "ssl_parameters_regenerate": "", "ssl_dh_parameters_length": "", "auth_executable": "",
        "auth_process_size": "", "max_mail_processes": "", "imap_client_max_line_length": "imap_max_line_length", "ssl_listen": "",
        "add_plugin_dirs": "", "auth_cache_verify_password": "", "mail_nfs": "mail_nfs_storage", "login_greeting_capability": "",
        "director_doveadm_port": "", "ssl_protocols": "", "ssl_disable": "", "mail_plugin_dir": "", "login_plugin_dir": "",
        "login_plugins": "",
        "anvil_enable": "", "stats_http_rawlog_dir": "",
    ]
}
