extension Schema {
    static let auth: [Setting] = [
        Setting("auth_mechanisms", .list, "plain", [.auth, .login], "SASL mechanisms that are offered."),
        Setting("auth_realms", .list, "", ignored: "no mechanism of this version has realms", "Realms for mechanisms that need them."),
        Setting("auth_default_domain", old: "auth_default_realm", .string, "", [.auth], "Domain of a user name without one."),
        Setting(
            "auth_username_chars", .string, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890.-_@", [.auth],
            "Characters of user names; empty: all."),
        Setting("auth_username_translation", .string, "", [.auth], "Pairs of characters: from, to."),
        Setting(
            "auth_username_format", .template, "%Lu", new: "%{user | lower}", [.auth], "How a user name is changed before it is looked up."),
        Setting("auth_master_user_separator", .string, "", [.auth], "Character between user and master user in a login name."),
        Setting(
            "auth_anonymous_username", .string, "anonymous", ignored: "ANONYMOUS is not available in this version",
            "User of ANONYMOUS logins."),
        Setting(
            "auth_cache_size", .size, "0", [.auth], ignored: "answers of databases are not cached in this version",
            "Memory for answers of databases."),
        Setting(
            "auth_cache_ttl", .time, "1 hour", [.auth], ignored: "answers of databases are not cached in this version",
            "How long an answer is kept."),
        Setting(
            "auth_cache_negative_ttl", .time, "1 hour", [.auth], ignored: "answers of databases are not cached in this version",
            "How long a missing user is remembered."),
        Setting(
            "auth_cache_verify_password_with_worker", .bool, "no", ignored: "answers of databases are not cached in this version",
            "Check cached passwords in a worker."),
        Setting("auth_failure_delay", .time, "2s", [.auth, .login], "How long the answer to a wrong password waits."),
        Setting(
            "auth_internal_failure_delay", old: "", .timeMilliseconds, "2s", [.auth, .login],
            "How long the answer after a failure of a database waits."),
        Setting("auth_allow_weak_schemes", old: "", .bool, "no", [.auth], "Passwords may be stored by weak schemes such as MD5."),
        Setting("auth_verbose", .bool, "no", [.auth], "Log why a login failed."),
        Setting("auth_debug_passwords", .bool, "no", [.auth], "Passwords in debug lines."),
        Setting(
            "auth_verbose_passwords", .string, "no", [.auth], "Wrong passwords in the log: no, plain, sha1, with `:n` cut to n characters."),
        Setting(
            "auth_worker_max_count", .uint, "30", [.auth, .master], only23: true,
            "Workers for databases that block (2.4: `process_limit` of auth-worker)."),
        Setting("auth_socket_path", .string, "auth-userdb", [.auth, .mail], "Socket by which tools look up users."),
        Setting(
            "auth_gssapi_hostname", .string, "", ignored: "GSSAPI is not available in this version: it is not offered",
            "Host name for Kerberos."),
        Setting(
            "auth_krb5_keytab", .string, "", ignored: "GSSAPI is not available in this version: it is not offered",
            "Key table for Kerberos."),
        Setting("auth_use_winbind", .bool, "no", ignored: "NTLM is not available in this version: it is not offered", "Ask winbind."),
        Setting(
            "auth_winbind_helper_path", .string, "/usr/bin/ntlm_auth", ignored: "NTLM is not available in this version: it is not offered",
            "Program of winbind."),
        Setting("auth_proxy_self", .string, "", ignored: Instead.proxy, "Own addresses, to which nothing is proxied."),
        Setting("auth_stats", .bool, "no", ignored: Instead.statistics, only23: true, "Statistics of authentication."),
        Setting("auth_policy_server_url", .string, "", ignored: Instead.policy, "Address of the policy server."),
        Setting("auth_policy_server_api_header", .string, "", ignored: Instead.policy, secret: true, "Header for the policy server."),
        Setting(
            "auth_policy_server_timeout_msecs", .uint, "2000", ignored: Instead.policy, only23: true, "How long the policy server may take."
        ),
        Setting("auth_policy_hash_mech", .string, "sha256", ignored: Instead.policy, "Hash of passwords for the policy server."),
        Setting("auth_policy_hash_nonce", .string, "", ignored: Instead.policy, secret: true, "Secret in the hash."),
        Setting("auth_policy_hash_truncate", .uint, "12", ignored: Instead.policy, "Bits of the hash."),
        Setting("auth_policy_check_before_auth", .bool, "yes", ignored: Instead.policy, "Ask before the databases."),
        Setting("auth_policy_check_after_auth", .bool, "yes", ignored: Instead.policy, "Ask after the databases."),
        Setting("auth_policy_report_after_auth", .bool, "yes", ignored: Instead.policy, "Report the result."),
        Setting("auth_policy_reject_on_fail", .bool, "no", ignored: Instead.policy, "Refuse when the server does not answer."),
        Setting("auth_policy_log_only", .bool, "no", ignored: Instead.policy, "Only log what the server says."),
        Setting(
            "auth_policy_request_attributes", .string,
            "login=%{requested_username} pwhash=%{hashed_password} remote=%{rip} device_id=%{client_id} protocol=%s session_id=%{session}",
            ignored: Instead.policy, "What the policy server is told."),
    ]

    private static let results = SettingType.enumeration(["return-ok", "return", "return-fail", "continue", "continue-ok", "continue-fail"])

    private static let database: [Setting] = [
        Setting("driver", .string, "", [.auth], "Kind of database: `passwd-file`, `static`; in 2.4 the name of the section by default."),
        Setting("args", .string, "", [.auth], only23: true, "Arguments of the driver."),
        Setting("default_fields", .string, "", [.auth], only23: true, "Fields `k=v` that hold unless the database gives them."),
        Setting("override_fields", .string, "", [.auth], only23: true, "Fields `k=v` that hold whatever the database gives."),
        Setting("name", .string, "", [.auth], only23: true, "Name of the database in the log."),
        Setting("result_success", results, "return-ok", [.auth], "What to do when the user was found."),
        Setting("result_failure", results, "continue", [.auth], "What to do when the user was not found."),
        Setting("result_internalfail", results, "continue", [.auth], "What to do when the database failed."),
        Setting(
            "auth_verbose", .enumeration(["default", "yes", "no"]), "default", [.auth], only23: true, "`auth_verbose` for this database."),
        Setting(
            "use_worker", old: "", .bool, "yes", [.auth], ignored: "databases that do not block are asked in the auth process",
            "Ask in a worker process."),
        Setting("passwd_file_path", old: "", .template, "", [.auth], "File of a passwd-file database."),
        Setting("auth_username_format", old: "", .template, "", [.auth], "How the user name is changed for this database."),
    ]

    /// `passdb NAME { … }`
    static let passdb = RecordKind(
        name: "passdb",
        fields: database + [
            Setting("deny", .bool, "no", [.auth], "Who is found here may not log in."),
            Setting("master", .bool, "no", [.auth], "Master users, who may log in as others."),
            Setting("pass", .bool, "no", [.auth], only23: true, "A master login goes on to the other databases."),
            Setting("skip", .enumeration(["never", "authenticated", "unauthenticated"]), "never", [.auth], "When not to ask."),
            Setting("mechanisms_filter", old: "mechanisms", .list, "", [.auth], "Mechanisms for which this database is asked; empty: all."),
            Setting("username_filter", .list, "", [.auth], "Patterns of user names for which this database is asked."),
            Setting("default_password_scheme", old: "", .string, "", [.auth], "Scheme of passwords without `{SCHEME}`."),
            Setting("static_password", old: "", .string, "", [.auth], secret: true, "Password of everybody in a static database."),
        ], children: [], maps: ["fields"], allowsGlobals: true, summary: "A password database; they are asked in order of appearance.")

    /// `userdb NAME { … }`
    static let userdb = RecordKind(
        name: "userdb",
        fields: database + [
            Setting("skip", .enumeration(["never", "found", "notfound"]), "never", [.auth], "When not to ask."),
            Setting(
                "static_allow_all_users", old: "", .bool, "no", [.auth],
                "A static database does not ask the password databases whether a user exists."),
        ], children: [], maps: ["fields"], allowsGlobals: true, summary: "A user database; they are asked in order of appearance.")
}
