extension Schema {
    static let base: [Setting] = [
        Setting("base_dir", .string, "/run/culver", .every, "Directory of the sockets and the pid file."),
        Setting(
            "state_dir", .string, "/var/lib/culver", [.master, .auth, .mail],
            "Directory of what must survive a restart: the list of instances."),
        Setting("libexec_dir", .string, "/usr/libexec/culver", [.master], "Directory of the programs of the services."),
        Setting(
            "instance_name", .string, "culver", .every, "Name of this instance: in titles of processes, in the log, for `culveradm -i`."),
        Setting(
            "protocols", .list, "imap pop3 lmtp", new: "", [.master],
            "Protocols that are served. `$protocols` before the first assignment is empty."),
        Setting("listen", .list, "* ::", [.master], "Addresses on which listeners without an address of their own wait."),
        Setting("default_internal_user", .string, "dovecot", [.master], "User of processes that need neither mail nor strangers."),
        Setting("default_internal_group", .string, "dovecot", [.master], "Group of processes that need neither mail nor strangers."),
        Setting("default_login_user", .string, "dovenull", [.master], "User of processes that talk with strangers."),
        Setting("default_process_limit", .uint, "100", [.master], "Processes of a service that sets no limit of its own."),
        Setting("default_client_limit", .uint, "1000", [.master], "Clients of one process of a service that sets no limit of its own."),
        Setting("default_vsz_limit", .size, "256M", [.master], "Memory of a process of a service that sets no limit of its own."),
        Setting(
            "default_idle_kill_interval", old: "default_idle_kill", .time, "1 min", [.master],
            "After this time without a client a spare process ends."),
        Setting("shutdown_clients", .bool, "yes", [.master], "Stopping the server ends the sessions too. A reload never does."),
        Setting("verbose_proctitle", .bool, "no", .sessions, "User name and address in the titles of processes."),
        Setting(
            "version_ignore", .bool, "no", ignored: "programs of different versions never work together",
            "Let programs of different versions work together."),
        Setting(
            "import_environment", .list, "TZ CORE_OUTOFMEM CORE_ERROR LISTEN_PID LISTEN_FDS NOTIFY_SOCKET",
            ignored: "services get TZ and JOURNAL_STREAM of the environment, and nothing else",
            "Variables of the environment that services get."),
        Setting("config_cache_size", .size, "1M", ignored: Instead.removed, only23: true, "Memory for the cache of the configuration."),
        Setting("first_valid_uid", .uint, "500", [.auth, .mail], "The lowest uid that may own mail."),
        Setting("last_valid_uid", .uint, "unlimited", [.auth, .mail], "The highest uid that may own mail."),
        Setting("first_valid_gid", .uint, "1", [.auth, .mail], "The lowest gid that may own mail."),
        Setting("last_valid_gid", .uint, "unlimited", [.auth, .mail], "The highest gid that may own mail."),
        Setting(
            "dovecot_config_version", old: "", .string, "", [], "Version of the dialect and of the defaults; first setting of a 2.4 file."),
        Setting("dovecot_storage_version", old: "", .string, "", [.mail], "Oldest version that must be able to read what is written."),
    ]

    static let log: [Setting] = [
        Setting("log_path", .string, "syslog", [.log], "Where the log goes: `syslog`, a file, `/dev/stderr`, `/dev/stdout`."),
        Setting("info_log_path", .string, "", [.log], "Where information goes; empty: `log_path`."),
        Setting("debug_log_path", .string, "", [.log], "Where debug lines go; empty: `info_log_path`."),
        Setting(
            "syslog_facility",
            .enumeration([
                "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "local0", "local1",
                "local2", "local3", "local4", "local5", "local6", "local7",
            ]), "mail", [.log], "Facility for syslog."),
        Setting("log_timestamp", .string, "%b %d %H:%M:%S ", [.log], "Time at the beginning of a line in files, as strftime writes it."),
        Setting(
            "log_debug", .string, "", [.auth, .mail, .login], ignored: "debug lines are chosen by mail_debug and auth_debug",
            "Filter of events for debug lines."),
        Setting("log_core_filter", .string, "", ignored: Instead.removed, "Filter of events that dump core."),
        Setting("process_shutdown_filter", .string, "", ignored: Instead.removed, "Filter of events after which a process ends."),
        Setting(
            "mail_log_prefix", .template, "%s(%u)<%{pid}><%{session}>: ", new: "%{protocol}(%{user})<%{process:pid}><%{session}>: ",
            [.mail, .log], "Beginning of the log lines of a session."),
        Setting("mail_debug", .bool, "no", [.mail], "Debug lines of mail processes."),
        Setting("auth_debug", .bool, "no", [.auth, .login], "Debug lines of authentication."),
        Setting("verbose_ssl", .bool, "no", ignored: "a failed handshake is logged with its reason, always", "Log each step of TLS."),
        Setting(
            "login_log_format", .template, "%$: %s", new: "%{message}: %{elements}", [.login],
            "Form of the log lines of the login processes."),
        Setting(
            "login_log_format_elements", .template, "user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>",
            new: "user=<%{user}> method=%{mechanism} rip=%{remote_ip} lip=%{local_ip} mpid=%{mail_pid} %{secured} session=<%{session}>",
            [.login],
            "What a log line of a login tells, separated by commas."),
        Setting("stats_writer_socket_path", .string, "stats-writer", ignored: Instead.statistics, "Socket of the statistics."),
    ]

    static let login: [Setting] = [
        Setting("login_greeting", .string, "Culver ready.", [.login], "Text of the greeting."),
        Setting(
            "login_trusted_networks", .list, "", [.login, .auth],
            "Networks whose connections count as secured, and whose failed logins cost the address no penalty."),
        Setting("login_source_ips", .list, "", ignored: Instead.proxy, "Own addresses for proxied connections."),
        Setting("login_proxy_timeout", .timeMilliseconds, "30s", ignored: Instead.proxy, "How long a proxied login may take."),
        Setting("login_proxy_max_disconnect_delay", .time, "0", ignored: Instead.proxy, "Spread of disconnections of proxied clients."),
        Setting("login_proxy_max_reconnects", .uint, "3", ignored: Instead.proxy, "Attempts to reach the other server."),
        Setting("login_proxy_notify_path", .string, "proxy-notify", ignored: Instead.proxy, "Pipe for news about proxied users."),
        Setting("login_proxy_rawlog_dir", .string, "", ignored: Instead.proxy, "Directory for copies of proxied traffic."),
        Setting(
            "login_access_sockets", .string, "", ignored: "no access service is asked; use the packet filter", only23: true,
            "Services that may refuse a connection."),
        Setting(
            "login_socket_path", old: "", .string, "", ignored: "login processes get their channel from the master",
            "Socket of auth for login processes."),
        Setting("haproxy_trusted_networks", .list, "", [.login], "Networks from which the PROXY protocol is accepted."),
        Setting("haproxy_timeout", .timeMilliseconds, "3s", [.login], "How long the PROXY header may take."),
        Setting("auth_ssl_require_client_cert", .bool, "no", [.login, .auth], "Only clients with a valid certificate may log in."),
        Setting("auth_ssl_username_from_cert", .bool, "no", [.login, .auth], "The user name is taken from the client's certificate."),
        Setting(
            "mail_max_userip_connections", .uint, "10", [.login, .mail, .anvil], "Sessions of one user from one address, for each protocol."
        ),
        Setting(
            "auth_allow_cleartext", old: "disable_plaintext_auth", .bool, "no", [.login, .auth],
            "Passwords may come over a connection without TLS. (`disable_plaintext_auth` says the opposite.)"),
    ]

    static let tls: [Setting] = [
        Setting(
            "ssl", .enumeration(["yes", "no", "required"]), "yes", [.login, .master],
            "TLS is offered, not offered, or needed for every login."),
        Setting(
            "ssl_server_cert_file", old: "ssl_cert", .file, "", [.login],
            "Certificate of the server and those that lead to its authority, PEM."),
        Setting("ssl_server_key_file", old: "ssl_key", .file, "", [.login], secret: true, "Private key of the certificate, PEM."),
        Setting(
            "ssl_server_alt_cert_file", old: "ssl_alt_cert", .file, "", ignored: "one certificate for each name in this version",
            "A second certificate with another algorithm."),
        Setting(
            "ssl_server_alt_key_file", old: "ssl_alt_key", .file, "", ignored: "one certificate for each name in this version",
            secret: true, "Private key of the second certificate."),
        Setting(
            "ssl_server_key_password", old: "ssl_key_password", .string, "",
            ignored: "keys with a password are not available in this version", secret: true, "Password of the private key."),
        Setting(
            "ssl_server_ca_file", old: "ssl_ca", .file, "", ignored: "clients are not asked for certificates in this version",
            "Authorities for the certificates of clients."),
        Setting(
            "ssl_server_require_crl", old: "ssl_require_crl", .bool, "yes",
            ignored: "clients are not asked for certificates in this version", "A certificate of a client needs a revocation list."),
        Setting(
            "ssl_server_request_client_cert", old: "ssl_verify_client_cert", .enumeration(["no", "yes", "any-cert"]), "no",
            ignored: "clients are not asked for certificates in this version",
            "Ask clients for a certificate."),
        Setting(
            "ssl_server_cert_username_field", old: "ssl_cert_username_field", .string, "commonName",
            ignored: "clients are not asked for certificates in this version",
            "Field of the certificate that names the user."),
        Setting("ssl_server_dh_file", old: "ssl_dh", .file, "", [.login], "Parameters for DHE, PEM."),
        Setting(
            "ssl_min_protocol", .enumeration(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "ANY", "LATEST"]), "TLSv1.2", [.login],
            "Oldest version of TLS."),
        Setting(
            "ssl_cipher_list", .string, "ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW@STRENGTH",
            [.login], "Ciphers up to TLS 1.2."),
        Setting("ssl_cipher_suites", .string, "", [.login], "Ciphers of TLS 1.3; empty: the library's."),
        Setting("ssl_curve_list", .string, "", [.login], "Groups for the key exchange; empty: the library's."),
        Setting(
            "ssl_server_prefer_ciphers", old: "ssl_prefer_server_ciphers", .enumeration(["client", "server"]), "client", [.login],
            "Whose order of ciphers counts."),
        Setting("ssl_options", .list, "", [.login], "`compression`, `no_ticket`."),
        Setting("ssl_crypto_device", .string, "", ignored: Instead.library, only23: true, "Engine of OpenSSL."),
        Setting("ssl_client_ca_dir", .string, "", ignored: Instead.proxy, "Authorities for outgoing TLS."),
        Setting("ssl_client_ca_file", .string, "", ignored: Instead.proxy, "Authorities for outgoing TLS."),
        Setting("ssl_client_cert_file", old: "ssl_client_cert", .file, "", ignored: Instead.proxy, "Certificate for outgoing TLS."),
        Setting("ssl_client_key_file", old: "ssl_client_key", .file, "", ignored: Instead.proxy, secret: true, "Key for outgoing TLS."),
        Setting("ssl_client_require_valid_cert", .bool, "yes", ignored: Instead.proxy, "Outgoing TLS needs a valid certificate."),
    ]
}
