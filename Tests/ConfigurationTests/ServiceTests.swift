import Testing

@testable import Configuration

@Suite("Service plans")
struct ServiceTests {
    private func plan(_ name: String, _ text: String = "") throws -> ServicePlan {
        let configuration = load(base23 + text + "\n")
        #expect(configuration.errors == [])
        return try #require(configuration.servicePlans.first { $0.name == name })
    }

    @Test("have what is built in") func builtIn() throws {
        let configuration = load(base23)
        #expect(configuration.servicePlans.map(\.name) == ["anvil", "auth", "auth-worker", "config", "imap", "imap-login", "log"])
        let login = try plan("imap-login")
        #expect(login.executable == "/usr/libexec/culver/imap-login")
        #expect(login.user == "dovenull")
        #expect(login.chroot == "/run/culver/login")
        #expect(login.restartRequestCount == 1)
        #expect(login.clientLimit == 1)
        #expect(login.processLimit == 100)
        #expect(login.vszLimit == 256 << 20)
        #expect(login.idleKillMilliseconds == 60_000)
        #expect(login.listeners == [.inet(name: "imap", addresses: ["*", "::"], port: 143, ssl: false, haproxy: false, type: "")])
        let worker = try plan("auth-worker")
        #expect(worker.arguments == ["-w"])
        #expect(worker.processLimit == 30)
        #expect(worker.restartRequestCount == nil)
        let auth = try plan("auth")
        #expect(
            auth.listeners.contains(.unix(path: "/run/culver/auth-userdb", mode: 0o666, user: "dovecot", group: "dovecot", type: "userdb")))
        #expect(try plan("log").idleKillMilliseconds == nil)
    }

    @Test("take single values from the file") func overridden() throws {
        let text = """
            default_process_limit = 50
            base_dir = /run/x/
            service imap-login {
              service_count = 0
              process_min_avail = 4
              idle_kill = 4294967295 secs
              vsz_limit = 0
              inet_listener imap {
                port = 0
              }
              inet_listener {
                address = 127.0.0.1
                port = 1143
                haproxy = yes
              }
            }
            service auth {
              user = root
              unix_listener auth-userdb {
                mode = 0
              }
              unix_listener /var/spool/postfix/private/auth {
                mode = 0660
                user = postfix
                group = postfix
              }
            }
            """
        let login = try plan("imap-login", text)
        #expect(login.restartRequestCount == nil)
        #expect(login.clientLimit == 1000)
        #expect(login.processLimit == 50)
        #expect(login.processMinAvail == 4)
        #expect(login.idleKillMilliseconds == nil)
        #expect(login.vszLimit == nil)
        #expect(login.listeners == [.inet(name: "", addresses: ["127.0.0.1"], port: 1143, ssl: false, haproxy: true, type: "")])
        let auth = try plan("auth", text)
        #expect(auth.user == "")
        #expect(auth.listeners.map(\.label) == ["/run/x/auth-client", "/run/x/auth-master", "/var/spool/postfix/private/auth"])
        #expect(
            auth.listeners.last
                == .unix(path: "/var/spool/postfix/private/auth", mode: 0o660, user: "postfix", group: "postfix", type: "auth"))
    }

    @Test("have listeners for TLS only if it is on") func tls() throws {
        let text = "ssl_cert = </c\nssl_key = </k\nprotocols = imap\npassdb {\n  driver = static\n  args = password=x\n}\n"
        let login = try #require(load(text, files: ["/c": "C", "/k": "K"]).servicePlans.first { $0.name == "imap-login" })
        #expect(login.listeners.map(\.label) == ["imap:143", "imaps:993"])
        #expect(load("protocols = imap\n").errors == ["ssl enabled, but ssl_cert not set", "ssl enabled, but ssl_key not set"])
        #expect(load(text, files: ["/c": "C"]).errors == ["ssl_key: Can't open file /k: No such file or directory"])
        #expect(load("protocols =\n").errors == [])
    }

    @Test(
        "are refused",
        arguments: [
            (
                "service imap {\n  process_min_avail = 5\n  process_limit = 2\n}",
                "service(imap): process_min_avail is higher than process_limit"
            ),
            ("service auth {\n  process_limit = 2\n}", "service(auth): process_limit must be 1"),
            ("service imap {\n  vsz_limit = 1k\n}", "service(imap): vsz_limit is too low"),
            ("service imap {\n  type = foo\n}", "type: Invalid value: foo"),
            (
                "service imap-login {\n  inet_listener x {\n    port = 143\n  }\n}",
                "service(imap-login): duplicate listener: *:143 (also of service imap-login)"
            ),
            (
                "service anvil {\n  unix_listener auth-client {\n  }\n}",
                "service(auth): duplicate listener: /run/culver/auth-client (also of service anvil)"
            ),
            (
                "service imapd {\n  client_limit = 1\n}",
                "service(imapd): executable is missing, and there is no built-in service of this name"
            ),
            ("listen = nohost", "Invalid address to listen on: nohost"), ("protocols = imap imp", "protocols: Unknown protocol: imp"),
            ("passdb {\n}", "passdb: driver is missing"), ("passdb {\n  driver = statik\n}", "passdb: Unknown driver: statik"),
            ("passdb {\n  driver = passwd-file\n}", "passdb: the path of the passwd-file is missing"),
            ("auth_mechanisms = plain scrom", "auth_mechanisms: Unknown mechanism: scrom"),
            ("login_trusted_networks = 10.0.0.0/40", "login_trusted_networks: Invalid network: 10.0.0.0/40"),
            ("namespace {\n  prefix = x/\n}", "inbox=yes namespace missing"),
            (
                "namespace {\n  inbox = yes\n}\nnamespace b {\n  inbox = yes\n  prefix = b/\n}",
                "There can be only one namespace with inbox=yes"
            ),
            ("namespace {\n  inbox = yes\n}\nnamespace b {\n  inbox = no\n}", "Duplicate namespace prefix: \"\""),
        ])
    func refused(_ text: String, _ message: String) {
        #expect(load(base23 + text + "\n").errors.first == message)
        #expect(Set(load(base23 + text + "\n").errors.map { $0.prefix(30) }).count == 1)
    }

    @Test("says that mailboxes of other users are left out")
    func sharedByUsers() {
        let shared = "namespace {\n  inbox = yes\n}\nnamespace other {\n  type = shared\n  prefix = u/%%u/\n  separator = /\n}\n"
        #expect(
            load(base23 + shared).warnings.contains(
                "namespace other: mailboxes that users share are not available in this version: it is left out"))
        #expect(load(base23 + shared.replacing("u/%%u/", with: "all/")).warnings.allSatisfy { !$0.contains("left out") })
    }

    @Test("refuse limits with which nothing could run, and paths that depend on where master was started") func impossible() {
        #expect(load(base23 + "default_process_limit = 0\n").errors == ["default_process_limit must not be 0"])
        #expect(load(base23 + "default_client_limit = 0\n").errors == ["default_client_limit must not be 0"])
        #expect(load(base24 + "service_client_limit = 0\n").errors == ["service_client_limit must not be 0"])
        for text in ["service imap {\n  idle_kill_interval = 0\n}\n", "default_idle_kill_interval = 0\n"] {
            #expect(load(base24 + text).errors.first?.hasSuffix("idle_kill_interval must not be 0; for never write infinite") == true)
        }
        #expect(load(base23 + "base_dir = run\n").errors == ["base_dir: base_dir must be an absolute path: run"])
        #expect(load(base23 + "syslog_facility = local9\n").errors.count == 1)
        #expect(load(base23 + "service imap {\n  idle_kill = 0\n  executable = imap\n}\nsyslog_facility = local6\n").errors.isEmpty)
    }

    @Test(
        "draw a warning",
        arguments: [
            ("protocols = imap pop3", "protocol pop3 is not available in this version: its service is not started"),
            (
                "service imap {\n  client_limit = 5\n}",
                "service(imap): client_limit=5 has no effect: each process serves one client at a time"
            ),
            (
                "service dict {\n  process_limit = 5\n}",
                "service dict is not started: dictionaries are not available in this version: the setting is not used"
            ),
            (
                "service imap {\n  executable = imap imap-postlogin\n}",
                "service(imap): arguments of executable have no effect: imap-postlogin (scripts after login are not run in this version)"
            ),
            (
                "service imap {\n  executable = /usr/lib/dovecot/imap\n}",
                "service(imap): executable /usr/lib/dovecot/imap takes the place of Culver's own: it must speak Culver's protocol"
            ),
            (
                "service imap {\n  privileged_group = mail\n}",
                "privileged_group has no effect: no process takes a group for a moment; extra_groups are kept"
            ),
            (
                "import_environment = TZ PATH",
                "import_environment has no effect: services get TZ and JOURNAL_STREAM of the environment, and nothing else"
            ),
            (
                "service auth {\n  fifo_listener x {\n  }\n}",
                "service(auth): fifo_listener x is not made: no service of Culver reads a pipe"
            ),
            ("service mine {\n  executable = /bin/x\n}", "service mine is not started: Culver starts no programs but its own"),
            (
                "service auth {\n  unix_listener login/login {\n    mode = 0666\n  }\n}",
                "service(auth): socket login/login is not needed in Culver: it is not made"
            ),
            (
                "service auth {\n  unix_listener x {\n    mode = 660\n  }\n}",
                "service(auth): mode of x is decimal; octal begins with 0: 0660"
            ),
            (
                "service auth {\n  unix_listener /run/culver/x {\n  }\n}",
                "service(auth): /run/culver/x should be written without /run/culver/"
            ),
            (
                "mail_location = mbox:~/mail",
                "mail_location: mail storage mbox is not available in this version: sessions of these users are refused"
            ),
            ("auth_mechanisms = plain cram-md5", "auth_mechanisms: cram-md5 is not available in this version: it is not offered"),
            ("passdb {\n  driver = pam\n}", "passdb pam is not available in this version: every question to it fails"),
            ("remote 10.0.0.1 {\n  ssl = required\n}", "SSL is disabled because global ssl=no, ssl=required in a filter has no effect"),
        ])
    func warns(_ text: String, _ message: String) {
        let configuration = load(base23 + text + "\n")
        #expect(configuration.errors == [])
        #expect(configuration.warnings == [message])
    }

    @Test("tell where a listener is the second of its kind") func duplicatePlace() {
        let text = "service imap-login {\n  inet_listener x {\n    port = 143\n  }\n}\n"
        let configuration = load(base23 + text)
        #expect(configuration.diagnostics.filter { $0.severity == .error }.map(\.line) == [8, 8])
        #expect(load("protocols = imap\n").diagnostics.allSatisfy { $0.file == "/etc/culver/culver.conf" })
    }

    @Test("say nothing about empty blocks") func empty() {
        let configuration = load(
            base23
                + "service director {\n  unix_listener login/director {\n  }\n  inet_listener {\n  }\n}\nservice pop3-login {\n}\nservice ssl-params {\n}\n"
        )
        #expect(configuration.diagnostics == [])
    }
}

@Suite("A settings image")
struct SettingsImageTests {
    private let text = """
        protocols = imap
        ssl_cert = </c
        ssl_key = </k
        mail_location = maildir:~/Maildir
        mail_plugins = none
        passdb {
          driver = passwd-file
          args = /etc/users
          override_fields = secret=SECRETFIELD
        }
        userdb {
          driver = static
          args = uid=vmail gid=vmail home=/home/%u
        }
        dict {
          quota = mysql:/PRIVATEDICT
        }
        plugin {
          quota = dict:PRIVATEPLUGIN
        }
        namespace inbox {
          inbox = yes
          separator = /
          mailbox "Sent Messages" {
            special_use = \\Sent
          }
          mailbox a/b%c {
            auto = create
          }
        }
        protocol imap {
          login_greeting = imap here
          mail_max_userip_connections = 20
        }
        protocol pop3 {
          mail_max_userip_connections = 3
        }
        local_name mail.example.org {
          ssl_cert = </c2
          ssl_key = </k2
        }
        local 192.0.2.1 {
          protocol imap {
            ssl_cert = </c3
          }
          protocol pop3 {
            login_greeting = no
          }
        }

        """
    private var configuration: LoadedConfiguration {
        load(text, files: ["/c": "CERT", "/k": "KEY", "/c2": "CERT2", "/k2": "KEY2", "/c3": "CERT3"])
    }

    private func image(_ name: String) throws -> [SettingsBlock] {
        let plan = try #require(configuration.servicePlans.first { $0.name == name })
        return configuration.settingsImage(for: plan)
    }

    @Test("of login holds its certificates and no database") func login() throws {
        #expect(configuration.errors == [])
        let blocks = try image("imap-login")
        #expect(blocks.map(\.filter) == [.global, ConnectionFilter(localName: "mail.example.org"), ConnectionFilter(local: "192.0.2.1")])
        #expect(blocks[0]["ssl_server_cert"] == "CERT")
        #expect(blocks[0]["ssl_server_key"] == "KEY")
        #expect(blocks[0]["ssl_server_key_file"] == "/k")
        #expect(blocks[0]["login_greeting"] == "imap here")
        #expect(blocks[0]["auth_allow_cleartext"] == "no")
        #expect(blocks[0]["config_dialect"] == "2.3")
        #expect(blocks[1]["ssl_server_cert"] == "CERT2")
        #expect(blocks[1]["login_greeting"] == nil)
        #expect(blocks[2].values.map(\.key) == ["ssl_server_cert", "ssl_server_cert_file"])
        for (key, value) in blocks.flatMap(\.values) {
            #expect(!key.hasPrefix("passdb") && !key.hasPrefix("userdb") && !key.hasPrefix("plugin") && !key.hasPrefix("dict"))
            for secret in ["SECRETFIELD", "PRIVATEDICT", "PRIVATEPLUGIN", "/etc/users"] { #expect(!value.contains(secret)) }
        }
        #expect(blocks[0].values.map(\.key) == blocks[0].values.map(\.key).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test("of auth holds databases and no key") func auth() throws {
        let blocks = try image("auth")
        #expect(blocks[0]["passdb/0/driver"] == "passwd-file")
        #expect(blocks[0]["passdb/0/passwd_file_path"] == "/etc/users")
        #expect(blocks[0]["passdb/0/fields/secret"] == "SECRETFIELD")
        #expect(blocks[0]["userdb/0/fields/home"] == "/home/%u")
        #expect(blocks[0]["auth_failure_delay"] == "2000")
        #expect(blocks.allSatisfy { $0["ssl_server_key"] == nil })
    }

    @Test("offers only mechanisms that are there") func mechanisms() throws {
        let configuration = load(base23 + "auth_mechanisms = plain cram-md5 LOGIN\n")
        for plan in configuration.servicePlans where plan.name == "auth" || plan.name == "imap-login" {
            #expect(configuration.settingsImage(for: plan)[0]["auth_mechanisms"] == "plain LOGIN")
        }
    }

    @Test("of auth has the whole list of databases for a protocol that adds one") func protocolDatabases() throws {
        let configuration = load(
            base23 + "protocol pop3 {\n  passdb {\n    driver = static\n    args = nopassword=y\n  }\n  auth_verbose = yes\n}\n")
        let plan = try #require(configuration.servicePlans.first { $0.name == "auth" })
        let blocks = configuration.settingsImage(for: plan)
        #expect(blocks.map(\.filter) == [.global, ConnectionFilter(protocolName: "pop3")])
        #expect(blocks[0]["passdb/0/static_password"] == "x")
        #expect(blocks[0]["passdb/1/driver"] == nil)
        #expect(blocks[1]["passdb/0/fields/nopassword"] == "y")
        #expect(blocks[1]["passdb/1/static_password"] == "x")
        #expect(blocks[1]["auth_verbose"] == "yes")
    }

    @Test("of mail holds namespaces and mailboxes") func mail() throws {
        let blocks = try image("imap")
        #expect(blocks[0]["namespace/inbox/separator"] == "/")
        #expect(blocks[0]["namespace/inbox/mailbox/Sent Messages/special_use"] == "\\Sent")
        #expect(blocks[0]["namespace/inbox/mailbox/a%2Fb%25c/auto"] == "create")
        #expect(blocks[0]["mail_path"] == "~/Maildir")
        #expect(blocks[0]["mail_max_userip_connections"] == "20")
        #expect(blocks[0]["imap_max_line_length"] == "65536")
        #expect(blocks[0]["plugin/quota"] == "dict:PRIVATEPLUGIN")
        #expect(blocks.allSatisfy { $0["ssl_server_key"] == nil && $0["passdb/0/driver"] == nil })
    }

    @Test("of others holds what they need only") func others() throws {
        let log = try image("log")
        #expect(log.count == 1)
        #expect(log[0]["log_path"] == "syslog")
        #expect(log[0].values.allSatisfy { !$0.key.hasPrefix("ssl") && !$0.key.hasPrefix("auth") })
        #expect(try image("anvil")[0]["mail_max_userip_connections"] == "10")
    }

    @Test("has an inbox even if no namespace is set") func inbox() throws {
        let configuration = load(base23)
        let plan = try #require(configuration.servicePlans.first { $0.name == "imap" })
        #expect(configuration.settingsImage(for: plan)[0]["namespace/inbox/inbox"] == "yes")
    }
}

@Suite("The loader")
struct LoaderTests {
    @Test("takes values from the command line last") func overrides() {
        let configuration = load(
            base23 + "login_greeting = a\n",
            overrides: [
                "login_greeting=b = c", "service/imap-login/service_count=5", "service/imap-login/inet_listener/imap/port=1143",
                "plugin/x=y", "protocol/imap/mail_debug=yes",
            ])
        #expect(configuration.errors == [])
        #expect(configuration.value("login_greeting") == "b = c")
        #expect(configuration.map("plugin") == ["x": "y"])
        #expect(configuration.isOn("mail_debug", in: ConnectionFilter(protocolName: "imap")))
        let login = configuration.servicePlans.first { $0.name == "imap-login" }
        #expect(login?.restartRequestCount == 5)
        #expect(login?.listeners.first?.label == "imap:1143")
        #expect(load(base23, overrides: ["nix"]).errors == ["The option has no '='"])
        #expect(load(base23, overrides: ["nix=1"]).diagnostics.first?.file == "-o nix=1")
    }

    @Test("can do without the content of files") func withoutFiles() {
        let text = "protocols = imap\nssl_cert = </c\nssl_key = </k\nlogin_greeting = </g\n"
        let source = MemoryFiles(["/x": text])
        let configuration = ConfigurationLoader(source: source, readsFiles: false).load(path: "/x")
        #expect(configuration.errors == [])
        #expect(ConfigurationPrinter(configuration).body.contains("login_greeting = </g\n"))
        #expect(ConfigurationPrinter(configuration).body.contains("ssl_key = </k\n"))
    }

    @Test("checks variables before anybody needs them") func templates() {
        #expect(load(base23 + "mail_location = maildir:%{home\n").errors == ["mail_location: missing '}' after '%{'"])
        #expect(
            load(base24 + "mail_path = %{user | nix}\n").warnings == [
                "mail_path: the filter 'nix' is unknown or not supported: whatever needs it fails"
            ])
        #expect(load(base24 + "mail_path = %{user\n").errors.count == 1)
    }

    @Test("reads filters of a command line") func filterOptions() {
        #expect(
            ConnectionFilter(options: ["protocol=imap", "remote=10.0.0.1"]) == ConnectionFilter(protocolName: "imap", remote: "10.0.0.1"))
        #expect(ConnectionFilter(options: ["lname=A.b"])?.localName == "a.b")
        #expect(ConnectionFilter(options: ["nix=1"]) == nil)
        #expect(ConnectionFilter(options: ["protocol"]) == nil)
        #expect(Roles(service: "imap-login") == .login)
        #expect(Roles(service: "nix") == nil)
    }

    @Test("warn about listeners for proxies that nobody is trusted to use") func proxies() {
        let text = base24 + "service imap-login {\n inet_listener p {\n port = 1143\n haproxy = yes\n }\n}\n"
        #expect(
            load(text).warnings.contains {
                $0.contains("inet_listener p (port 1143) has haproxy = yes, but haproxy_trusted_networks is empty")
            })
        #expect(!load(text + "haproxy_trusted_networks = 192.0.2.1\n").warnings.contains { $0.contains("haproxy") })
    }

    @Test(
        "warn about settings of filters that nobody looks at",
        arguments: [
            (
                "protocol imap {\n auth_failure_delay = 1s\n}",
                "auth_failure_delay has no effect in protocol imap: auth has one value for every client, that outside of filters"
            ),
            (
                "protocol imap {\n passdb a {\n driver = static\n }\n}",
                "passdb in protocol imap has no effect: auth asks the databases outside of filters for every client"
            ),
            (
                "local_name a.example {\n ssl_min_protocol = TLSv1.3\n}",
                "ssl_min_protocol has no effect in local_name a.example: of a server name only the certificate and its key are looked at"
            ),
        ])
    func filters(_ text: String, _ message: String) {
        #expect(load(base24 + text + "\n").warnings.filter { $0.contains("no effect") } == [message])
    }

    @Test("do not warn about settings of filters that are looked at") func honouredFilters() {
        let text = "local_name a.example {\n ssl_server_cert_file = /c\n}\nprotocol imap {\n mail_max_userip_connections = 3\n}\n"
        #expect(!load(base24 + text).warnings.contains { $0.contains("no effect") })
    }
}
