import Glibc
import IPCProtocol
import Platform
import SASL
import ServiceKit
import Testing

@testable import auth

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A password file of its own for each test.
final class TestFile {
    let path = "/tmp/culver-auth-\(UInt64.random(in: 0 ... .max))"

    init(_ content: String) throws { try FileSystem.open(path, for: .write).writeAll(Array(content.utf8)) }
    deinit { try? FileSystem.remove(path) }
}

extension AuthSettings {
    /// Settings as the configuration process would give them.
    static func made(_ values: [String: String]) throws -> AuthSettings {
        var all = [
            "auth_mechanisms": "plain login", "auth_username_format": "%Lu", "auth_failure_delay": "2000", "mail_uid": "vmail",
            "mail_gid": "vmail",
            "auth_verbose": "yes", "auth_username_chars": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890.-_@",
        ]
        all.merge(values) { $1 }
        return try AuthSettings(Settings(SettingsImage(blocks: [.init(values: all)])))
    }

    /// One password file for passwords and users.
    static func file(_ path: String, _ values: [String: String] = [:]) throws -> AuthSettings {
        try made(
            [
                "passdb/1/driver": "passwd-file", "passdb/1/args": "scheme=PLAIN username_format=%u \(path)",
                "userdb/1/driver": "passwd-file", "userdb/1/args": path,
            ].merging(values) { $1 })
    }
}

private let accounts = Accounts(["vmail": 5000, "root": 0], ["vmail": 5000])

@Suite("The authenticator")
struct AuthenticatorTests {
    private func authenticator(_ settings: AuthSettings) -> Authenticator {
        let made = Authenticator(settings, databases: Databases(settings))
        made.jitter = { $0.upperBound }
        return made
    }

    private var origin: Origin {
        var origin = Origin()
        origin.service = "imap"
        origin.session = "sess"
        origin.remoteAddress = "10.0.0.1"
        return origin
    }

    private func plain(
        _ authenticator: Authenticator, _ user: String, _ password: String, as wanted: String = "", id: UInt32 = 1
    ) -> Outcome {
        authenticator.begin(
            RequestKey(channel: 1, id: id), mechanism: "PLAIN", initial: bytes("\(wanted)\0\(user)\0\(password)"), origin: origin,
            now: 1_000)
    }

    @Test("lets in who knows the password, and delays who does not")
    func passwords() throws {
        let file = try TestFile(
            "ada:secret\nbob:{SHA512-CRYPT}$6$rounds=1000$short$6tSIGJhRDPAcVPe.fgC3tA3qgO5VzEI7WO7PAQunK6Jgsor.dcMzB/C/BHVQ.FuIJXMKXhI/oZC1yGOXB/QXp1\n"
        )
        let auth = authenticator(try .file(file.path))
        guard case .passed(let ada) = plain(auth, "Ada", "secret") else { Issue.record("refused"); return }
        #expect(ada.identity == Identity(user: "ada", original: "Ada"))
        #expect(ada.origin.mechanism == "PLAIN")
        guard case .passed = plain(auth, "bob", "secret") else { Issue.record("refused"); return }
        #expect(plain(auth, "ada", "Secret") == .refused(Refusal(user: "ada", notBefore: 3_000)))
        #expect(plain(auth, "eve", "secret") == .refused(Refusal(user: "eve", notBefore: 3_000)))
        #expect(plain(auth, "a*a", "secret") == .refused(Refusal(notBefore: 3_000)))
        #expect(
            auth.databases.notes.prefix(2).map(\.text) == [
                "passwd-file(ada,10.0.0.1,<sess>): Password mismatch", "passwd-file(eve,10.0.0.1,<sess>): unknown user",
            ])
        #expect(auth.waiting == 0)
    }

    @Test("plays LOGIN over several messages, each exchange apart")
    func login() throws {
        let file = try TestFile("ada:secret\n")
        let auth = authenticator(try .file(file.path))
        let one = RequestKey(channel: 1, id: 1)
        let two = RequestKey(channel: 2, id: 1)
        #expect(auth.begin(one, mechanism: "login", initial: nil, origin: origin, now: 0) == .challenge(bytes("Username:")))
        #expect(auth.begin(two, mechanism: "LOGIN", initial: nil, origin: origin, now: 0) == .challenge(bytes("Username:")))
        #expect(auth.begin(one, mechanism: "LOGIN", initial: nil, origin: origin, now: 0) == .violation("request 1 is already in use"))
        #expect(auth.proceed(one, bytes("ada"), now: 0) == .challenge(bytes("Password:")))
        auth.drop(channel: 2)
        #expect(auth.proceed(two, bytes("ada"), now: 0) == .refused(Refusal(reason: "Authentication request timed out", notBefore: 0)))
        guard case .passed = auth.proceed(one, bytes("secret"), now: 0) else { Issue.record("refused"); return }
        #expect(auth.proceed(one, bytes("x"), now: 0) == .refused(Refusal(reason: "Authentication request timed out", notBefore: 0)))
    }

    @Test("gives up exchanges that their clients left lying")
    func expires() throws {
        let auth = authenticator(try .made(["passdb/1/driver": "static", "passdb/1/args": "password=x"]))
        _ = auth.begin(RequestKey(channel: 1, id: 9), mechanism: "LOGIN", initial: nil, origin: origin, now: 0)
        #expect(auth.expire(now: Limits.exchangeLife - 1).isEmpty)
        let gone = auth.expire(now: Limits.exchangeLife)
        #expect(gone.map(\.key) == [RequestKey(channel: 1, id: 9)])
        #expect(auth.waiting == 0)
        #expect(auth.databases.notes.last?.text.contains("(150 secs)") == true)
    }

    @Test("ends a channel that asks for what is not offered, or for too much")
    func violations() throws {
        let auth = authenticator(try .made(["auth_mechanisms": "plain", "passdb/1/driver": "static", "passdb/1/args": "password=x"]))
        for name in ["LOGIN", "CRAM-MD5", "", "x\ny"] {
            guard case .violation = auth.begin(RequestKey(channel: 1, id: 1), mechanism: name, initial: nil, origin: origin, now: 0) else {
                Issue.record("accepted \(name)")
                continue
            }
        }
        for id in 0..<UInt32(Limits.requests) {
            #expect(auth.begin(RequestKey(channel: 1, id: id), mechanism: "PLAIN", initial: nil, origin: origin, now: 0) == .challenge([]))
        }
        guard case .violation = auth.begin(RequestKey(channel: 1, id: 9_999), mechanism: "PLAIN", initial: nil, origin: origin, now: 0)
        else {
            Issue.record("no limit")
            return
        }
    }

    @Test("says that a database failed, not that the password was wrong")
    func internalFailure() throws {
        let auth = authenticator(try .file("/nonexistent/passwords"))
        #expect(plain(auth, "ada", "x") == .refused(Refusal(code: "temp_fail", user: "ada", notBefore: 4_000)))
        #expect(auth.databases.notes.first?.level == .error)
        let pam = authenticator(try .made(["passdb/1/driver": "pam"]))
        #expect(plain(pam, "ada", "x") == .refused(Refusal(code: "temp_fail", user: "ada", notBefore: 4_000)))
        #expect(pam.databases.notes.first?.text == "pam(ada,10.0.0.1,<sess>): the database driver pam is not in this version")
        let file = try TestFile("ada:{NO-SUCH}x\n")
        let unknown = authenticator(try .file(file.path))
        #expect(plain(unknown, "ada", "x") == .refused(Refusal(code: "temp_fail", user: "ada", notBefore: 4_000)))
        #expect(unknown.databases.notes.first?.text == "passwd-file(ada,10.0.0.1,<sess>): Unknown scheme NO-SUCH")
    }

    @Test(
        "obeys the fields of an entry",
        arguments: [
            ("allow_nets=10.0.0.0/8", true), ("allow_nets=10.0.0.2", false), ("allow_nets=local,::1", false),
            ("allow_nets=%{remote_ip}", true),
            ("fail", false), ("noauthenticate", false), ("nologin", true), ("user=bob", true), ("nopassword", true),
        ])
    func fields(_ extra: String, _ isIn: Bool) throws {
        let file = try TestFile("ada:\(extra == "nopassword" ? "" : "x")::::::\(extra)\n")
        let auth = authenticator(try .file(file.path))
        let outcome = plain(auth, "ada", "x")
        if case .passed(let passed) = outcome {
            #expect(isIn)
            #expect(passed.identity.user == (extra == "user=bob" ? "bob" : "ada"))
            #expect(passed.fields.has("nologin") == (extra == "nologin"))
            #expect(!passed.fields.has("allow_nets") && !passed.fields.has("nopassword"))
        } else {
            #expect(!isIn, "\(outcome)")
        }
    }

    @Test("refuses an entry without a password")
    func empty() throws {
        let file = try TestFile("ada:\nbob\n")
        let auth = authenticator(try .file(file.path))
        for user in ["ada", "bob"] { #expect(plain(auth, user, "") == .refused(Refusal(user: user, notBefore: 3_000))) }
    }

    @Test(
        "knows master users",
        arguments: [
            ("root", "m", "ada", "ada"), ("ada*root", "m", "", "ada"), ("ada*root", "x", "", nil), ("root", "m", "", nil),
            ("ada", "secret", "", "ada"),
            ("ada", "secret", "bob", nil), ("ada", "secret", "ada", "ada"), ("ADA", "secret", "ada", "ada"),
        ])
    func masters(_ name: String, _ password: String, _ wanted: String, _ user: String?) throws {
        let users = try TestFile("ada:secret\n")
        let masters = try TestFile("root:m\n")
        let auth = authenticator(
            try .file(
                users.path,
                [
                    "auth_master_user_separator": "*", "passdb/0/driver": "passwd-file", "passdb/0/master": "yes",
                    "passdb/0/args": "scheme=PLAIN \(masters.path)",
                ]))
        if case .passed(let passed) = plain(auth, name, password, as: wanted) {
            #expect(passed.identity.user == user)
            #expect(passed.identity.master == (password == "m" ? "root" : nil))
        } else {
            #expect(user == nil)
        }
    }

    @Test("costs a hash for an unknown user, too")
    func equalCost() throws {
        let file = try TestFile(
            "ada:{SHA512-CRYPT}$6$rounds=50000$short$6tSIGJhRDPAcVPe.fgC3tA3qgO5VzEI7WO7PAQunK6Jgsor.dcMzB/C/BHVQ.FuIJXMKXhI/oZC1yGOXB/QXp1\n"
        )
        let auth = authenticator(try .file(file.path))
        // What this thread computes: other tests that run do not count.
        func threadNanoseconds() -> Int {
            var time = timespec()
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec
        }
        func time(_ user: String) -> Int {
            let start = threadNanoseconds()
            _ = plain(auth, user, "x")
            return threadNanoseconds() - start
        }
        _ = time("ada")
        let known = time("ada")
        let unknown = time("eve")
        #expect(unknown > known / 3 && known > unknown / 3, "known \(known), unknown \(unknown)")
    }

    @Test("completes users from file and settings")
    func users() throws {
        let file = try TestFile(
            "ada:x:1001:1002::/home/ada::userdb_mail=maildir:~/Mail:INDEX=/i/%u userdb_quota=5\nbob:x:::::\nroot:x:0:0::/root\nodd:x:nobody7:1\n"
        )
        let auth = authenticator(
            try .file(
                file.path,
                [
                    "mail_home": "/srv/%d/%n", "mail_driver": "maildir", "mail_path": "~/Maildir", "mail_index_path": "/index/%u",
                ]))
        func find(_ name: String) throws -> UserAnswer {
            auth.user(try auth.identity(of: bytes(name), origin), origin, passdb: nil) { accounts.number(of: $0, isGroup: $1) }
        }
        guard case .user(let ada) = try find("ada"), case .user(let bob) = try find("bob") else { Issue.record("not found"); return }
        #expect(ada.uid == 1001 && ada.gid == 1002 && ada.home == "/home/ada")
        #expect(ada.location.path == "/home/ada/Mail" && ada.location.indexPath == "/i/ada" && ada.location.driver == "maildir")
        #expect(ada.extra == FieldList([("quota", "5")]))
        #expect(
            bob.uid == 5000 && bob.home == "/srv//bob" && bob.location.path == "/srv//bob/Maildir" && bob.location.indexPath == "/index/bob"
        )
        #expect(try find("eve") == .unknown)
        #expect(try find("root") == .failed)
        #expect(try find("odd") == .failed)
        #expect(auth.databases.notes.contains { $0.text.contains("Mail access for users with UID 0 not permitted") })
        #expect(auth.databases.notes.contains { $0.text.contains("unknown name in uid: nobody7") })
        let record = ada.record(mechanism: "PLAIN")
        #expect(record.mailPath == "/home/ada/Mail" && record.method == "PLAIN" && record.extra == ["quota=5"])
        #expect(
            UserdbReply.user(7, bob)
                == bytes(
                    "USER\t7\tbob\tuid=5000\tgid=5000\thome=/srv//bob\tmail_driver=maildir\tmail_path=/srv//bob/Maildir\tmail_index_path=/index/bob\n"
                ))
        #expect(auth.databases.names(VariableTable(origin, Identity())) == ["ada", "bob", "odd", "root"])
    }

    @Test("asks the password databases whether a user of a static database exists")
    func staticUserdb() throws {
        let file = try TestFile("ada:x\n")
        let values = ["userdb/1/driver": "static", "userdb/1/args": "uid=vmail gid=vmail home=/srv/%u"]
        for (extra, isFound) in [("", false), (" allow_all_users=yes", true)] {
            var values = values
            values["userdb/1/args", default: ""] += extra
            let auth = authenticator(try .file(file.path, values))
            func find(_ name: String, passdb: FieldList? = nil) throws -> UserAnswer {
                auth.user(try auth.identity(of: bytes(name), origin), origin, passdb: passdb) { accounts.number(of: $0, isGroup: $1) }
            }
            guard case .user(let ada) = try find("ada") else { Issue.record("not found"); return }
            #expect(ada.home == "/srv/ada" && ada.uid == 5000)
            #expect((try find("eve") != .unknown) == isFound)
            #expect(try find("eve", passdb: FieldList()) != .unknown)
        }
    }

    @Test("uses what the login found (prefetch), and mail_uid where nothing is configured")
    func prefetch() throws {
        let file = try TestFile("ada:x::::::userdb_uid=7 userdb_gid=8 userdb_home=/h\n")
        let auth = authenticator(try .file(file.path, ["userdb/1/driver": "prefetch"]))
        guard case .passed(let passed) = plain(auth, "ada", "x") else { Issue.record("refused"); return }
        guard case .user(let ada) = auth.user(passed.identity, origin, passdb: passed.fields, account: { _, _ in nil }) else {
            Issue.record("not found")
            return
        }
        #expect(ada.uid == 7 && ada.gid == 8 && ada.home == "/h" && ada.extra.isEmpty)
        let bare = authenticator(try .made(["passdb/1/driver": "passwd-file", "passdb/1/args": file.path]))
        guard
            case .user(let plain) = bare.user(
                passed.identity, origin, passdb: passed.fields, account: { accounts.number(of: $0, isGroup: $1) })
        else {
            Issue.record("not found")
            return
        }
        #expect(plain.uid == 5000)
    }

    @Test("keeps one file per domain, whose name cannot leave its folder")
    func domains() throws {
        let folder = "/tmp/culver-auth-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeDirectory(folder, mode: 0o700)
        try FileSystem.open(folder + "/x.y", for: .write).writeAll(bytes("ada@x.y:{PLAIN}s\n"))
        defer { FileSystem.removeTree(folder) }
        let auth = authenticator(
            try .made(["auth_username_chars": "", "passdb/1/driver": "passwd-file", "passdb/1/args": "\(folder)/%d"]))
        guard case .passed = plain(auth, "ada@x.y", "s") else { Issue.record("refused"); return }
        for name in ["ada@none", "ada@../x.y", "ada@.", "ada@/etc/passwd"] {
            #expect(plain(auth, name, "s") == .refused(Refusal(user: name, notBefore: 3_000)), "\(name)")
        }
    }
}

@Suite("The settings of auth")
struct AuthSettingsTests {
    @Test(
        "are refused when they cannot work",
        arguments: [
            (["auth_mechanisms": "plain cram-md99", "passdb/1/driver": "pam"], "unknown mechanism cram-md99"),
            ([:], "No passdbs specified in configuration file. PLAIN mechanism needs one"),
            (["passdb/1/driver": "passwd-file"], "passwd-file needs a path"),
            (["passdb/1/driver": "passwd-file", "passdb/1/args": "scheme=NO /x"], "Unknown scheme NO"),
            (["passdb/1/driver": "passwd-file", "passdb/1/args": "/x/%{"], "passwd_file_path"),
            (["passdb/1/driver": "static"], "static passdb needs a password"),
            (["passdb/1/driver": "pam", "passdb/1/result_success": "maybe"], "result_success = maybe"),
            (["passdb/1/driver": "pam", "mail_home": "%{"], "mail_home"),
        ])
    func refuses(_ values: [String: String], _ text: String) {
        let error = #expect(throws: StartFailure.self) { try AuthSettings.made(values) }
        #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }

    @Test("of 2.4 are read")
    func newDialect() throws {
        let settings = try AuthSettings.made([
            "config_dialect": "2.4", "auth_username_format": "%{user | lower}", "passdb/2/section": "passwd-file",
            "passdb/2/passwd_file_path": "/etc/culver/users",
            "passdb/2/default_password_scheme": "plain", "passdb/10/driver": "passwd-file", "passdb/10/deny": "yes",
            "passdb/10/passwd_file_path": "/etc/culver/%{user | domain}.deny", "userdb/0/section": "static",
            "userdb/0/fields/home": "/srv/%{user}",
            "userdb/0/fields/uid:default": "vmail",
        ])
        #expect(settings.passdbs.map(\.driverName) == ["passwd-file", "passwd-file"])
        #expect(settings.passdbs.map(\.isDeny) == [false, true])
        #expect(settings.userdbs.first?.overrides.map(\.name) == ["home", "uid:default"])
        #expect(settings.fileDirectories == ["/etc/culver"])
        #expect(settings.constantNames("uid", settings.mail.uid) == ["vmail"])
        #expect(!settings.greetsAtOnce)
    }
}

@Suite("Accounts of the system")
struct AccountsTests {
    @Test("are read from their files")
    func reads() {
        let found = Accounts.numbers(
            bytes("root:x:0:0:root:/root:/bin/sh\nvmail:x:5000:5000::/:\n\nbroken\nx:y\nbad:x:abc:1\nroot:x:7:7\n"))
        #expect(found == ["root": 0, "vmail": 5000])
    }
}
