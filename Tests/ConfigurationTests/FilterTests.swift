import Testing

@testable import Configuration

@Suite("Filters")
struct FilterTests {
    private let configuration = load(
        base23 + """
            login_greeting = global
            protocol imap {
              login_greeting = protocol
            }
            local_name *.example.org {
              login_greeting = wildcard
            }
            local_name mail.example.org {
              login_greeting = name
            }
            remote 10.0.0.0/8 {
              login_greeting = remote8
              protocol imap {
                login_greeting = remote8 imap
              }
            }
            remote 10.1.0.0/16 {
              login_greeting = remote16
            }
            local 192.0.2.1 {
              login_greeting = local
            }
            protocol !imap {
              mail_debug = yes
            }

            """)

    @Test(
        "give way to the more specific one",
        arguments: [
            (ConnectionFilter(), "global"), (ConnectionFilter(protocolName: "imap"), "protocol"),
            (ConnectionFilter(protocolName: "imap-login"), "protocol"),
            (ConnectionFilter(protocolName: "pop3"), "global"), (ConnectionFilter(localName: "A.Example.Org"), "wildcard"),
            (ConnectionFilter(protocolName: "imap", localName: "mail.example.org"), "name"),
            (ConnectionFilter(remote: "10.2.3.4"), "remote8"),
            (ConnectionFilter(protocolName: "imap", remote: "10.2.3.4"), "remote8 imap"),
            (ConnectionFilter(protocolName: "imap", remote: "10.1.3.4"), "remote16"),
            (ConnectionFilter(remote: "10.1.3.4", localName: "mail.example.org"), "remote16"),
            (ConnectionFilter(local: "192.0.2.1", remote: "10.1.3.4"), "local"),
            (ConnectionFilter(local: "192.0.2.2"), "global"), (ConnectionFilter(remote: "::ffff:10.1.3.4"), "remote16"),
            (ConnectionFilter(remote: "2001:db8::1"), "global"),
        ])
    func precedence(_ filter: ConnectionFilter, _ expected: String) {
        #expect(configuration.errors == [])
        #expect(configuration.value("login_greeting", in: filter) == expected)
    }

    @Test("can exclude a protocol") func negated() {
        #expect(configuration.isOn("mail_debug", in: ConnectionFilter(protocolName: "lmtp")))
        #expect(!configuration.isOn("mail_debug", in: ConnectionFilter(protocolName: "imap")))
        #expect(!configuration.isOn("mail_debug"))
    }

    @Test(
        "must be nested rightly",
        arguments: [
            ("protocol imap {\nremote 10.0.0.1 {\n}\n}", "protocol { remote { .. } } not allowed (use remote { protocol { .. } } instead)"),
            ("remote 10.0.0.1 {\nlocal 10.0.0.1 {\n}\n}", "remote { local { .. } } not allowed (use local { remote { .. } } instead)"),
            ("remote 10.0.0.0/16 {\nremote 10.1.0.0/24 {\n}\n}", "remote 10.1.0.0/24 is not inside remote 10.0.0.0/16"),
            ("remote nowhere.example {\n}", "Invalid network: nowhere.example"), ("protocol {\n}", "protocol { } must have a section name"),
            ("passdb {\ndriver = static\nprotocol imap {\n}\n}", "protocol { } is not allowed inside passdb { }"),
            ("protocol imap {\nservice imap {\n}\n}", "Services are global: service { } is not allowed inside a filter"),
        ])
    func nesting(_ text: String, _ message: String) {
        #expect(load(base23 + text + "\n").errors == [message])
    }

    @Test("warn when a global setting comes after them") func order() {
        let configuration = load(base23 + "protocol imap {\n  mail_debug = yes\n}\nmail_debug = no\n")
        #expect(
            configuration.warnings.first?.hasPrefix("Global setting mail_debug won't change the setting inside an earlier filter") == true)
        #expect(configuration.isOn("mail_debug", in: ConnectionFilter(protocolName: "imap")))
    }

    @Test("tell where a value comes from") func origin() {
        #expect(configuration.origin(of: "login_greeting")?.line == 7)
        #expect(configuration.origin(of: "mail_home") == nil)
    }

    @Test(
        "know networks",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("::/0", "10.0.0.1", false), ("::/0", "2001:db8::1", true),
            ("[2001:db8::1]", "2001:db8:0::1", true),
            ("10.0.0.0/9", "10.128.0.0", false),
        ])
    func networks(_ outer: String, _ inner: String, _ expected: Bool) throws {
        let (outer, inner) = (ConnectionFilter(remote: outer), ConnectionFilter(remote: inner))
        #expect(outer.covers(inner) == expected)
    }
}

@Suite("Settings of 2.3")
struct OldSettingsTests {
    @Test(
        "come under their new names",
        arguments: [
            ("disable_plaintext_auth = no", "auth_allow_cleartext", "yes"), ("", "auth_allow_cleartext", "no"),
            ("auth_default_realm = x", "auth_default_domain", "x"),
            ("ssl_prefer_server_ciphers = yes", "ssl_server_prefer_ciphers", "server"),
            ("default_idle_kill = 2 mins", "default_idle_kill_interval", "120000"),
            ("last_valid_uid = 0", "last_valid_uid", "unlimited"),
            ("mail_location = maildir:~/M:INDEX=/x/%u:LAYOUT=fs", "mail_path", "~/M"),
            ("mail_location = maildir:~/M:INDEX=/x/%u:LAYOUT=fs", "mail_index_path", "/x/%u"),
            ("mail_location = maildir:~/M:INDEX=/x/%u:LAYOUT=fs", "mailbox_list_layout", "fs"),
            ("mail_location = dbox:~/M", "mail_driver", "sdbox"), ("mail_location = maildir:a::b", "mail_path", "a:b"),
            ("mail_location = maildir:/m:UTF-8", "mailbox_list_utf8", "yes"),
            ("mail_location = maildir:INBOX=/x", "mail_inbox_path", "/x"), ("protocols = imap imaps", "protocols", "imap"),
            ("protocols = none", "protocols", ""),
            ("ssl_cert = <cert.pem", "ssl_server_cert_file", "/etc/culver/cert.pem"), ("base_dir = /run/x", "base_dir", "/run/x"),
            ("", "base_dir", "/run/culver"),
            ("listen = 127.0.0.1, ::1", "listen", "127.0.0.1 ::1"), ("log_timestamp = \"%H \"", "log_timestamp", "%H "),
            ("", "log_timestamp", "%b %d %H:%M:%S "),
        ])
    func names(_ text: String, _ name: String, _ expected: String) {
        let configuration = load(base23 + text + "\n", files: ["/etc/culver/cert.pem": "CERT"])
        #expect(configuration.errors == [])
        #expect(configuration.value(name) == expected)
    }

    @Test("forget the first mail_location when a filter has its own") func location() {
        let configuration = load(base23 + "mail_location = maildir:~/M:INDEX=/x\nprotocol imap {\n  mail_location = maildir:~/N\n}\n")
        #expect(configuration.value("mail_index_path", in: ConnectionFilter(protocolName: "imap")) == "")
        #expect(configuration.value("mail_path", in: ConnectionFilter(protocolName: "imap")) == "~/N")
    }

    @Test(
        "refuse a wrong mail_location",
        arguments: [
            "mail_location = maildr:~/x", "mail_location = maildir:~/x:NIX=1",
            "namespace x {\n  inbox = yes\n  location = maildir:a:b:c\n}",
        ])
    func wrongLocation(_ text: String) { #expect(load(base23 + text + "\n").errors.count == 1) }

    @Test("that are obsolete draw a warning") func obsolete() {
        let configuration = load(base23 + "login_user = x\nssl_protocols = !SSLv3\n")
        #expect(configuration.errors == [])
        #expect(configuration.value("default_login_user") == "x")
        #expect(configuration.warnings.count == 2)
    }

    @Test("without effect draw one warning, only if they are not the default") func ignored() {
        #expect(load(base23 + "quota_full_tempfail = no\nmail_privileged_group =\nimap_hibernate_timeout = 0\n").warnings == [])
        let configuration = load(
            base23
                + "mail_privileged_group = mail\nprotocol imap {\n  mail_privileged_group = mail\n}\nplugin {\n  quota2 = count\n  acl =\n}\ndict {\n  q = x\n}\n"
        )
        #expect(configuration.warnings.count == 3)
        #expect(
            configuration.warnings[0] == "mail_privileged_group has no effect: INBOX needs no group of its own in a Maildir")
    }

    @Test("of quota are honoured when its plugin is named, and said to be without effect when it is not") func quota() {
        let rules = "plugin {\n  quota = count:User quota\n  quota_rule = *:storage=1G\n  quota_rule2 = Trash:ignore\n}\n"
        #expect(load(base23 + "mail_plugins = quota\n" + rules).warnings == [])
        #expect(load(base23 + rules).warnings == ["quota is configured but not in force"])
        #expect(
            load(base23 + "mail_plugins = quota fts\nplugin {\n  quota = fs:Disk\n  quota_warning = storage=95%% x\n}\n").warnings.count
                == 3)
        let section = "quota \"User quota\" {\n  driver = count\n  quota_storage_size = 1G\n}\n"
        let mailbox = "namespace inbox {\n  inbox = yes\n  mailbox Trash {\n    quota_ignore = yes\n  }\n}\n"
        let configuration = load(base24 + "mail_plugins {\n  quota = yes\n}\n" + section + mailbox)
        #expect(configuration.errors == [] && configuration.warnings == [])
        let values = Dictionary(configuration.settingsImage(role: .mail, protocolName: "imap")[0].values.map { ($0.key, $0.value) }) { $1 }
        #expect(values["quota/User quota/quota_storage_size"] == "1073741824")
        #expect(values["namespace/inbox/mailbox/Trash/quota_ignore"] == "yes")
        #expect(values["mail_plugins"] == "quota")
        #expect(load(base24 + section + "quota other {\n}\n").warnings.count == 2)
    }

    @Test("know databases and their arguments") func databases() throws {
        let configuration = load(
            """
            ssl = no
            passdb {
              driver = passwd-file
              args = scheme=crypt username_format=%n /etc/users
              default_fields = a=1 nologin
              override_fields = b=2
            }
            passdb {
              driver = static
              args = password=x y=z
            }
            userdb {
              driver = static
              args = uid=vmail gid=vmail home=/home/%u allow_all_users=yes
            }
            protocol imap {
              passdb {
                driver = static
                args = nopassword=y
              }
            }

            """)
        #expect(configuration.errors == [])
        let databases = configuration.records(of: "passdb")
        #expect(databases.count == 2)
        #expect(databases[0]["passwd_file_path"] == "/etc/users")
        #expect(databases[0]["default_password_scheme"] == "CRYPT")
        #expect(databases[0]["auth_username_format"] == "%n")
        #expect(databases[0]["fields/a:default"] == "1")
        #expect(databases[0]["fields/nologin:default"] == "yes")
        #expect(databases[0]["fields/b"] == "2")
        #expect(databases[0]["result_success"] == "return-ok")
        #expect(databases[1]["static_password"] == "x")
        #expect(databases[1]["fields/y"] == "z")
        let user = try #require(configuration.records(of: "userdb").first)
        #expect(user["fields/home"] == "/home/%u")
        #expect(user["static_allow_all_users"] == "yes")
        let forIMAP = configuration.records(of: "passdb", in: ConnectionFilter(protocolName: "imap"))
        #expect(forIMAP.map { $0["fields/nopassword"] } == ["y", "", ""])
    }
}

@Suite("Settings of 2.4")
struct NewSettingsTests {
    @Test("know prefixes, lists, maps and groups") func sections() throws {
        let configuration = load(
            """
            dovecot_config_version = 2.4.1
            dovecot_storage_version = 2.4.0
            protocols {
              imap = yes
              lmtp = no
            }
            ssl_server {
              cert_file = /c
              key_file = /k
            }
            mail_driver = maildir
            mail_path = ~/Maildir
            service imap-login {
              service_restart_request_count = unlimited
              inet_listener imap {
                inet_listener_port = 10143
              }
            }
            service_client_limit = 7
            passdb passwd-file {
              passwd_file_path = /etc/users
              default_password_scheme = plain
              fields {
                allow_nets = 10.0.0.0/8
              }
            }
            userdb static {
              fields {
                uid = vmail
                home = /home/%{user}
              }
            }
            group @boxes mine {
              mailbox Drafts {
                auto = create
                special_use = \\Drafts
              }
            }
            namespace inbox {
              inbox = yes
              @boxes = mine
              @mailbox_defaults = english
              mailbox Drafts {
                auto = subscribe
              }
              mail_path = ~/Other
              namespace_separator = /
            }

            """, files: ["/c": "C", "/k": "K"])
        #expect(configuration.errors == [])
        #expect(configuration.dialect == .v24)
        #expect(configuration.value("protocols") == "imap")
        #expect(configuration.value("ssl_server_cert_file") == "/c")
        let inbox = try #require(configuration.records(of: "namespace").first)
        #expect(inbox["mail_path"] == "~/Other")
        #expect(inbox["separator"] == "/")
        #expect(inbox.children.map(\.name) == ["Drafts", "Junk", "Trash", "Sent", "Sent Messages"])
        #expect(inbox.children.first?["auto"] == "subscribe")
        #expect(inbox.children.first?["special_use"] == "\\Drafts")
        let users = try #require(configuration.records(of: "passdb").first)
        #expect(users["driver"] == "passwd-file")
        #expect(users["passwd_file_path"] == "/etc/users")
        #expect(users["fields/allow_nets"] == "10.0.0.0/8")
        #expect(configuration.records(of: "userdb").first?["fields/home"] == "/home/%{user}")
        let login = try #require(configuration.servicePlans.first { $0.name == "imap-login" })
        #expect(login.restartRequestCount == nil)
        #expect(login.clientLimit == 7)
        #expect(configuration.servicePlans.first { $0.name == "imap" }?.clientLimit == 1)
        #expect(login.listeners.contains(.inet(name: "imap", addresses: ["*", "::"], port: 10143, ssl: false, haproxy: false, type: "")))
    }

    @Test(
        "are refused",
        arguments: [
            ("mail_location = maildir:~/x", "Unknown setting: mail_location is a setting of 2.3 only"),
            ("plugin {\n}", "plugin { } does not exist in 2.4"),
            ("dovecot_config_version = 3.0", "Unknown version: 3.0"), ("ssl_server x {\n}", "ssl_server { } must not have a section name"),
            ("passdb {\n}", "passdb { } must have a section name"),
            ("service imap {\n  process_limit = 0\n}", "process_limit: process_limit must not be 0; for no limit write unlimited"),
            ("@boxes = nix", "Unknown group: @boxes nix"),
            ("hostname = $base_dir", "hostname: Unknown variable: $base_dir (2.4 writes $SET:base_dir)"),
            ("disable_plaintext_auth = no", "Unknown setting: disable_plaintext_auth is a setting of 2.3 only"),
        ])
    func refused(_ text: String, _ message: String) {
        let errors = load(base24 + "group @boxes a {\n}\n" + text + "\n").errors
        #expect(errors == [message])
    }

    @Test("can replace the list of sections") func replaced() {
        let text = "passdb a {\n  driver = static\n}\npassdb b {\n  driver = static\n}\npassdb = b a\n"
        #expect(load(base24 + text).records(of: "passdb").map(\.name) == ["b", "a"])
    }

    @Test("must begin with the version") func version() {
        #expect(load("ssl = no\ndovecot_config_version = 2.4.0\n").errors == ["The first setting must be dovecot_config_version"])
    }

    @Test("of features that are not there draw one warning for each section") func foreign() {
        let configuration = load(
            base24
                + "quota user {\n  quota_storage_size = 1G\n  driver = count\n}\ndict_server {\n}\nfts_autoindex = yes\nmetric x {\n  filter = event=y\n}\n"
        )
        #expect(configuration.errors == [])
        #expect(configuration.warnings.count == 3)
    }
}
