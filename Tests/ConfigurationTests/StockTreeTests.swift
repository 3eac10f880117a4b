import Testing

internal import Platform
@testable import Configuration

/// Files below a directory stand for those in `/`, with some of its own on top.
struct OverlaidFiles: FileSource {
    let root: String
    let own: MemoryFiles
    /// `/etc/dovecot` is filled from `/usr/share/dovecot` when the package is installed.
    func place(_ path: String) -> String {
        path.hasPrefix("/etc/dovecot/") ? root + "/usr/share/dovecot/" + path.dropFirst(13) : root + path
    }
    func content(of path: String) throws(FileFailure) -> [UInt8] {
        if let content = try? own.content(of: path) { return content }
        return try SystemFiles().content(of: place(path))
    }
    func names(in directory: String) -> [String] {
        own.names(in: directory) + SystemFiles().names(in: place(directory + "/"))
    }
}

@Suite("The tree of Debian's packages")
struct StockTreeTests {
    /// Unpacks the packages, or answers nil where there is no apt.
    static let unpacked: String? = {
        let directory = "/tmp/culver-stock-tree"
        return try? PackageTree.unpack(into: directory)
    }()

    @Test("loads unchanged, with warnings only")
    func debian() throws {
        guard let root = Self.unpacked else {
            print("skipped: the packages of Dovecot cannot be downloaded here")
            return
        }
        let own = MemoryFiles([
            "/etc/dovecot/private/dovecot.pem": "CERT", "/etc/dovecot/private/dovecot.key": "KEY",
            "/usr/share/dovecot/protocols.d/imapd.protocol": "protocols = $protocols imap\n",
            "/usr/share/dovecot/protocols.d/pop3d.protocol": "protocols = $protocols pop3\n",
            "/usr/share/dovecot/protocols.d/lmtpd.protocol": "protocols = $protocols lmtp\n",
        ])
        let configuration = ConfigurationLoader(source: OverlaidFiles(root: root, own: own)).load(path: "/etc/dovecot/dovecot.conf")
        #expect(configuration.errors == [])
        #expect(configuration.isValid)
        #expect(configuration.value("protocols") == "imap lmtp pop3")
        #expect(configuration.value("mail_driver") == "mbox")
        #expect(configuration.value("mail_inbox_path") == "/var/mail/%u")
        #expect(configuration.records(of: "passdb").map { $0["driver"] } == ["pam"])
        let inbox = try #require(configuration.records(of: "namespace").first)
        #expect(inbox.children.map(\.name) == ["Drafts", "Junk", "Trash", "Sent", "Sent Messages"])
        for warning in configuration.warnings { #expect(!warning.contains("Unknown")) }
        #expect(configuration.warnings.contains { $0.contains("passdb pam is not available") })
        let printed = ConfigurationPrinter(configuration).body
        let again = MemoryFiles([
            "/x": printed, "/etc/dovecot/private/dovecot.pem": "CERT", "/etc/dovecot/private/dovecot.key": "KEY",
            "/usr/share/dovecot/dh.pem": "DH",
        ])
        let second = ConfigurationLoader(source: again).load(path: "/x")
        #expect(second.errors == [])
        #expect(ConfigurationPrinter(second).body == printed)
        #expect(second.servicePlans == configuration.servicePlans)
    }

    @Test(
        "has alternatives for authentication that load too",
        arguments: ["checkpassword", "deny", "dict", "ldap", "master", "passwdfile", "sql", "static", "system"])
    func alternatives(_ name: String) throws {
        guard let root = Self.unpacked else { return }
        let own = MemoryFiles(["/etc/dovecot/test.conf": "ssl = no\nprotocols = imap\n!include_try conf.d/auth-\(name).conf.ext\n"])
        let configuration = ConfigurationLoader(source: OverlaidFiles(root: root, own: own)).load(path: "/etc/dovecot/test.conf")
        #expect(configuration.errors == [])
    }

    @Test("offers in its comments only settings that are known")
    func comments() throws {
        guard let root = Self.unpacked else { return }
        let directory = root + "/usr/share/dovecot/conf.d"
        var fields = Set(Schema.records.values.flatMap(\.fields).compactMap(\.oldName))
        // Names inside metric, event_exporter, plugin and dict sections.
        fields.formUnion([
            "event_name", "filter", "transport", "format", "format_args", "transport_args", "setting_name", "sieve", "fields", "group_by",
            "acl", "quota",
        ])
        for file in SystemFiles().names(in: directory) where file.hasSuffix(".conf") {
            let text = String(decoding: try SystemFiles().content(of: directory + "/" + file), as: UTF8.self)
            for line in text.split(separator: "\n") {
                let words = line.drop { $0 == " " }.split(separator: " ")
                guard words.count >= 2, words[1] == "=", let name = words.first?.dropFirst(), line.drop(while: { $0 == " " }).hasPrefix("#")
                else { continue }
                guard name.utf8.allSatisfy({ $0 == 0x5f || ($0 >= 0x61 && $0 <= 0x7a) }), !name.isEmpty else { continue }
                let isKnown =
                    Schema.setting(String(name), in: .v23) != nil || fields.contains(String(name)) || Schema.family(of: String(name)) != nil
                    || Schema.obsolete[String(name)] != nil
                #expect(isKnown, "\(file): \(name)")
            }
        }
    }

    /// The active lines of Debian 13 (config.md 14.2).
    @Test("of 2.4 loads unchanged, with warnings only") func debian13() throws {
        let configuration = ConfigurationLoader(source: MemoryFiles(Self.debian13Files)).load(path: "/etc/dovecot/dovecot.conf")
        #expect(configuration.errors == [])
        #expect(configuration.dialect == .v24)
        #expect(configuration.value("protocols") == "imap lmtp sieve")
        #expect(configuration.value("auth_username_format", in: ConnectionFilter(protocolName: "lmtp")) == "%{user | username | lower}")
        #expect(configuration.value("mail_inbox_path") == "/var/mail/%{user}")
        #expect(configuration.value("ssl_server_cert_file") == "/etc/dovecot/private/dovecot.pem")
        #expect(configuration.records(of: "passdb").map { $0["driver"] } == ["pam"])
        #expect(configuration.records(of: "namespace").first?.children.count == 5)
        #expect(configuration.servicePlans.contains { $0.name == "imap-login" })
        #expect(configuration.warnings.contains { $0.hasPrefix("fts_autoindex has no effect") })
    }

    /// The upstream example of 2.4.
    @Test("of 2.4 upstream loads unchanged") func upstream24() throws {
        let text = """
            dovecot_config_version = 2.4.0
            dovecot_storage_version = 2.4.0
            !include_try conf.d/*.conf
            protocols {
              imap = yes
              lmtp = yes
            }
            mail_home = /srv/mail/%{user}
            mail_driver = sdbox
            mail_path = ~/mail
            mail_uid = vmail
            mail_gid = vmail
            namespace inbox {
              inbox = yes
              separator = /
            }
            passdb pam {
            }
            ssl_server {
              cert_file = /etc/dovecot/ssl-cert.pem
              key_file = /etc/dovecot/ssl-key.pem
            }

            """
        let files = ["/etc/dovecot/dovecot.conf": text, "/etc/dovecot/ssl-cert.pem": "C", "/etc/dovecot/ssl-key.pem": "K"]
        let configuration = ConfigurationLoader(source: MemoryFiles(files)).load(path: "/etc/dovecot/dovecot.conf")
        #expect(configuration.errors == [])
        #expect(configuration.value("mail_uid") == "vmail")
    }

    static let debian13Files: [String: String] = {
        let mailboxes = [("Drafts", "Drafts"), ("Junk", "Junk"), ("Trash", "Trash"), ("Sent", "Sent"), ("\"Sent Messages\"", "Sent")]
        let directory = "/etc/dovecot/conf.d/"
        return [
            "/etc/dovecot/dovecot.conf":
                "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n!include_try /usr/share/dovecot/protocols.d/*.protocol\n!include conf.d/*.conf\n!include_try local.conf\n",
            "/usr/share/dovecot/protocols.d/imapd.protocol": "protocols {\n  imap = yes\n}\n",
            "/usr/share/dovecot/protocols.d/lmtpd.protocol": "protocols {\n  lmtp = yes\n}\n",
            directory + "10-auth.conf": "!include auth-system.conf.ext\n",
            directory + "auth-system.conf.ext": "passdb pam {\n}\nuserdb passwd {\n}\n",
            directory + "10-mail.conf":
                "mail_driver = mbox\nmail_home = /home/%{user | username}\nmail_path = %{home}/mail\nmail_inbox_path = /var/mail/%{user}\nnamespace inbox {\n  inbox = yes\n}\nmail_privileged_group = mail\nprotocol !indexer-worker {\n}\n",
            directory + "10-master.conf":
                "service imap-login {\n  inet_listener imap {\n  }\n  inet_listener imaps {\n  }\n}\nservice submission-login {\n  inet_listener submissions {\n  }\n}\nservice lmtp {\n  unix_listener lmtp {\n  }\n}\nservice auth {\n  unix_listener auth-userdb {\n  }\n}\nservice dict {\n  unix_listener dict {\n  }\n}\n",
            directory + "10-ssl.conf":
                "ssl = yes\nssl_server_cert_file = /etc/dovecot/private/dovecot.pem\nssl_server_key_file = /etc/dovecot/private/dovecot.key\nssl_min_protocol = TLSv1.2\n",
            "/etc/dovecot/private/dovecot.pem": "C", "/etc/dovecot/private/dovecot.key": "K",
            directory + "15-lda.conf": "protocol lda {\n}\n",
            directory + "15-mailboxes.conf": "namespace inbox {\n"
                + mailboxes.map { "  mailbox \($0.0) {\n    special_use = \\\($0.1)\n  }\n" }.joined() + "}\n",
            directory + "20-lmtp.conf": "protocol lmtp {\n  auth_username_format = %{user | username | lower}\n}\n",
            directory + "20-managesieve.conf":
                "protocols {\n  sieve = yes\n}\nservice managesieve-login {\n  inet_listener sieve {\n    port = 4190\n  }\n  inet_listener sieve_deprecated {\n    port = 2000\n  }\n}\nservice managesieve {\n}\nprotocol sieve {\n}\n",
            directory + "30-dict-server.conf": "dict_server {\n}\n",
            directory + "90-fts.conf": "fts_autoindex = yes\nfts_autoindex_max_recent_msgs = 999\nfts_search_add_missing = yes\n",
        ]
    }()
}
