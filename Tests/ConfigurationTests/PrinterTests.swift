import Testing

internal import Glibc
internal import Platform
@testable import Configuration

@Suite("The printer")
struct PrinterTests {
    private let old =
        base23 + """
            mail_location = maildir:~/Maildir
            login_greeting = "a # b"
            disable_plaintext_auth = no
            default_idle_kill = 90s
            ssl_key_password = geheim
            log_timestamp = "%H "
            mail_debug = no
            imap_max_line_length = 128k
            namespace inbox {
              inbox = yes
              mailbox "Sent Messages" {
                special_use = \\Sent
                autoexpunge = 30d
              }
            }
            service auth {
              unix_listener /var/spool/postfix/private/auth {
                mode = 0666
              }
              unix_listener plain {
              }
            }
            service imap-login {
              service_count = 0
            }
            plugin {
              quota = count
            }
            remote 10.0.0.0/8 {
              protocol imap {
                mail_max_userip_connections = 50
              }
            }
            protocol !imap {
              passdb {
                driver = static
                args = nopassword=y
              }
            }

            """

    private func print(_ text: String, _ change: (inout ConfigurationPrinter.Options) -> Void = { _ in }) -> String {
        var options = ConfigurationPrinter.Options()
        change(&options)
        return ConfigurationPrinter(load(text), options: options).body
    }

    @Test("shows what differs, in the words of the file") func changed() {
        #expect(
            print(old) == """
                default_idle_kill = 90 secs
                disable_plaintext_auth = no
                imap_max_line_length = 128 k
                log_timestamp = "%H "
                login_greeting = "a # b"
                mail_location = maildir:~/Maildir
                namespace inbox {
                  inbox = yes
                  mailbox "Sent Messages" {
                    autoexpunge = 30 days
                    special_use = \\Sent
                  }
                }
                passdb {
                  args = password=x
                  driver = static
                }
                plugin {
                  quota = count
                }
                protocols = imap
                service auth {
                  unix_listener /var/spool/postfix/private/auth {
                    mode = 0666
                  }
                  unix_listener plain {
                  }
                }
                service imap-login {
                  service_count = 0
                }
                ssl = no
                ssl_key_password = # hidden, use -P to show it
                remote 10.0.0.0/8 {
                  protocol imap {
                    mail_max_userip_connections = 50
                  }
                }
                protocol !imap {
                  passdb {
                    args = nopassword=y
                    driver = static
                  }
                }

                """)
    }

    @Test("can be loaded again with the same result", arguments: [0, 1, 2])
    func roundTrip(_ which: Int) {
        let new =
            base24 + """
                mail_driver = maildir
                mail_path = %{home}/Maildir
                login_greeting = "say \\"hi\\" # now"
                service imap-login {
                  restart_request_count = unlimited
                  idle_kill_interval = infinite
                }
                auth_mechanisms {
                  login = yes
                }
                import_environment {
                  PATH = /bin
                }
                passdb passwd-file {
                  passwd_file_path = /etc/users
                  fields {
                    home = /x
                  }
                }
                namespace inbox {
                  inbox = yes
                  @mailbox_defaults = english
                }
                namespace shared {
                  prefix = shared/
                  mail_path = /srv
                }

                """
        let text = [old, new, "protocols = imap pop3\nssl_cert = </c\nssl_key = </k\nlocal_name \"a.b c.d\" {\n  ssl_cert = </c\n}\n"][
            which]
        let files = ["/c": "C", "/k": "K"]
        let first = load(text, files: files)
        #expect(first.errors == [])
        var options = ConfigurationPrinter.Options()
        options.showsSecrets = true
        let printed = ConfigurationPrinter(first, options: options).body
        let second = load(printed, files: files)
        #expect(second.errors == [])
        #expect(ConfigurationPrinter(second, options: options).body == printed)
        #expect(second.servicePlans == first.servicePlans)
        for plan in first.servicePlans { #expect(second.settingsImage(for: plan) == first.settingsImage(for: plan)) }
    }

    @Test("knows its options") func options() {
        #expect(print(old) { $0.names = ["protocols"] } == "protocols = imap\n")
        #expect(
            print(old) {
                $0.names = ["protocols", "mail_location"]; $0.valuesOnly = true
            } == "imap\nmaildir:~/Maildir\n")
        #expect(print(old) { $0.names = ["plugin/quota"] } == "quota = count\n")
        #expect(
            print(old) {
                $0.names = ["service/imap/executable"]; $0.valuesOnly = true
            } == "imap\n")
        #expect(print(old) { $0.names = ["service/auth/unix_listener//var/spool/postfix/private/auth/mode"] } == "mode = 0666\n")
        #expect(
            print(old) { $0.names = ["service/auth/unix_listener/auth-client"] }
                == "unix_listener auth-client {\n  group = \n  mode = 0600\n  path = \n  user = dovecot\n}\n")
        #expect(print(old) { $0.names = ["nix"] } == "")
        #expect(print(old) { $0.mode = .set }.contains("mail_debug = no\n"))
        #expect(print(old) { $0.mode = .all }.contains("auth_failure_delay = 2 secs\n"))
        #expect(print(old) { $0.mode = .defaults }.contains("protocols = imap pop3 lmtp\n"))
        #expect(
            print(old) { $0.filter = ConnectionFilter(protocolName: "imap", remote: "10.0.0.1") }.contains(
                "mail_max_userip_connections = 50\n"))
        #expect(!print(old) { $0.roles = .log }.contains("mail_location"))
        #expect(print(old) { $0.showsSecrets = true }.contains("ssl_key_password = geheim\n"))
        #expect(print("") { $0.mode = .all }.contains("disable_plaintext_auth = yes\nd"))
    }

    @Test("begins with three lines about the machine") func header() {
        let text = ConfigurationPrinter(load(base23)).text(version: "0.1", path: "/x", system: "Linux", hostname: "h")
        #expect(text.hasPrefix("# 0.1: /x\n# OS: Linux\n# Hostname: h\n"))
    }

    @Test("puts the version first in 2.4") func version() { #expect(print(base24).hasPrefix("dovecot_config_version = 2.4.0\n")) }
}

@Suite("The schema")
struct SchemaTests {
    /// `CULVER_WRITE_DOCS=1 swift test --filter SchemaTests` writes the page anew.
    @Test("is what docs/settings.md says") func documentation() throws {
        let path = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/docs/settings.md"
        if unsafe getenv("CULVER_WRITE_DOCS") != nil, let file = unsafe fopen(path, "w") {
            _ = unsafe fputs(SettingsTable.markdown, file)
            _ = unsafe fclose(file)
        }
        let committed = String(decoding: try NamedFiles.content(of: path, limit: 1 << 20), as: UTF8.self)
        #expect(committed == SettingsTable.markdown, "write it anew: CULVER_WRITE_DOCS=1")
    }

    @Test("names each setting once and documents it") func names() {
        let settings = Schema.sections.flatMap(\.settings)
        #expect(Set(settings.map(\.name)).count == settings.count)
        let old = settings.compactMap(\.oldName)
        #expect(Set(old).count == old.count)
        #expect(settings.allSatisfy { $0.summary.hasSuffix(".") || $0.summary.hasSuffix(")") })
    }

    @Test("has defaults of the right type") func defaults() throws {
        for setting in Schema.sections.flatMap(\.settings) + Schema.records.values.flatMap(\.fields) {
            for value in [setting.oldDefault, setting.newDefault] where !value.isEmpty {
                #expect(try setting.type.normal(setting.type.printed(value)) == value, "\(setting.name)")
            }
        }
    }

    @Test("lets secrets only to those who need them") func secrets() {
        for setting in Schema.settings.values where setting.isSecret {
            #expect(setting.roles.isDisjoint(with: [.mail, .anvil, .log]))
        }
    }
}
