import Testing

@testable import Configuration

@Suite("The lines of a file")
struct LexicalTests {
    @Test(
        "are read as written",
        arguments: [
            ("login_greeting = hello", "hello"), ("login_greeting=hello", "hello"), ("  login_greeting\t =\thello  ", "hello"),
            ("login_greeting = a # comment", "a"), ("login_greeting = \"a # b\"", "a # b"), ("login_greeting = 'it is'", "it is"),
            ("login_greeting = \"a\\\"b\\\\c\"", "a\"b\\c"), ("login_greeting = a\\b", "a\\b"),
            ("login_greeting = a \\\n  b \\\n c", "a b c"),
            ("login_greeting = \"half", "\"half"), ("login_greeting =", ""), ("login_greeting = a$b", "a$b"),
            ("login_greeting = \"$x\"", "$x"),
            ("login_greeting = a\nlogin_greeting = b", "b"), ("login_greeting = \"\"", ""), ("# only\n\nlogin_greeting = a\r", "a"),
            ("login_greeting = x=y", "x=y"), ("login_greeting = a{", "a{"), ("login_greeting = \"two  blanks\"", "two  blanks"),
        ])
    func values(_ text: String, _ expected: String) {
        let configuration = load(base23 + text + "\n")
        #expect(configuration.errors == [])
        #expect(configuration.value("login_greeting") == expected)
    }

    @Test(
        "are refused with place and reason",
        arguments: [
            ("protocol imap { mail_debug = yes }", 1, 17, "Garbage after '{'"), ("mail_debug", 1, 10, "Expecting '{'"),
            ("protocol imap", 1, 13, "Expecting '{'"), ("}", 1, 1, "Unexpected '}'"), ("protocol imap {\n", 1, 1, "Missing '}'"),
            ("protocol imap {\n} x", 2, 3, "Garbage after '}'"), ("!incl x", 1, 1, "Unknown directive: !incl"),
            ("mail_debug = yes \\\n# comment\n= no", 3, 1, "Missing name of the setting"), ("= x", 1, 1, "Missing name of the setting"),
            ("  mail_debg = yes", 1, 3, "Unknown setting: mail_debg"),
            ("mail_debug = true", 1, 14, "mail_debug: Invalid boolean value: true"),
            ("plugin{\n", 1, 7, "Expecting '{'"),
        ])
    func refuses(_ text: String, _ line: Int, _ column: Int, _ message: String) throws {
        let configuration = load(text)
        let error = try #require(configuration.diagnostics.first { $0.severity == .error && $0.line > 0 })
        #expect(error.message == message)
        #expect("\(error.line):\(error.column)" == "\(line):\(column)")
        #expect(!error.lineText.isEmpty)
    }

    @Test("show the line, a caret, what was expected and the nearest name") func description() throws {
        let configuration = load("ssl = no\n  mail_debg = yes\nssl = maybe\nauth_mechanisms = plian\n")
        #expect(
            configuration.diagnostics[0].description == """
                /etc/culver/culver.conf:2:3: error: Unknown setting: mail_debg
                      mail_debg = yes
                      ^
                    did you mean 'mail_debug'?

                """)
        #expect(configuration.diagnostics[1].expected == "yes, no, required")
        #expect(
            configuration.diagnostics[1].summary
                == "/etc/culver/culver.conf:3:7: error: ssl: Invalid value: maybe (expected yes, no, required)")
        #expect(configuration.diagnostics.contains { $0.suggestion == "plain" })
    }

    @Test("give all errors in one run") func all() {
        let configuration = load(
            "ssl = nope\nfoo = 1\nmail_debug = 2\nlog_path = /x\nservice imap {\n  client_limt = 1\n  vsz_limit = x\n}\n}\n")
        #expect(configuration.errors.count == 6)
    }

    @Test("warn of a '#' without a blank before it") func ambiguous() {
        let configuration = load(base23 + "login_greeting = a#b\n")
        #expect(configuration.value("login_greeting") == "a")
        #expect(configuration.warnings.first?.hasPrefix("Ambiguous '#'") == true)
    }

    @Test("know the escapes of 2.4") func newEscapes() {
        #expect(load(base24 + #"login_greeting = "a\\b\"""#).value("login_greeting") == #"a\b""#)
        #expect(load(base24 + #"login_greeting = "a\nb""#).errors == ["Unknown escape sequence \\n"])
    }
}

@Suite("Included files")
struct IncludeTests {
    @Test("are read in sorted order, inside the section") func sorted() {
        let configuration = load(
            base23 + "protocol imap {\n  !include conf.d/*.conf\n}\n!include_try missing.conf\n",
            files: [
                "/etc/culver/conf.d/b.conf": "login_greeting = b", "/etc/culver/conf.d/a.conf": "login_greeting = a",
                "/etc/culver/conf.d/.hidden.conf": "x",
            ])
        #expect(configuration.errors == [])
        #expect(configuration.value("login_greeting", in: ConnectionFilter(protocolName: "imap")) == "b")
        #expect(configuration.value("login_greeting") == "Culver ready.")
    }

    @Test(
        "are refused",
        arguments: [
            ("!include nothing/*.conf", "No matches"),
            ("!include nothing.conf", "Couldn't open include file /etc/culver/nothing.conf: No such file or directory"),
            ("!include culver.conf", "Recursive include file: /etc/culver/culver.conf"), ("!include", "Missing file name after !include"),
            ("!include open.conf", "Missing '}'"),
        ])
    func refused(_ text: String, _ message: String) {
        #expect(load(base23 + text, files: ["/etc/culver/open.conf": "protocol imap {\n"]).errors == [message])
    }

    @Test("give values") func values() {
        let configuration = load(base23 + "login_greeting = <greeting\n", files: ["/etc/culver/greeting": "Hello\n"])
        #expect(configuration.value("login_greeting") == "Hello\n")
        #expect(load(base23 + "login_greeting = </nix\n").errors == ["login_greeting: Can't open file /nix: No such file or directory"])
    }

    @Test(
        "know wildcards",
        arguments: [
            ("a*c", "abbc", true), ("a?c", "abc", true), ("[a-c]x", "bx", true), ("[!a]x", "ax", false), ("*.conf", "x.conf.ext", false),
            ("", "", true), ("*", "", true),
        ])
    func globs(_ pattern: String, _ name: String, _ expected: Bool) {
        #expect(Glob.matches(Array(name.utf8), pattern: Array(pattern.utf8)) == expected)
    }

    @Test("know braces") func braces() {
        let files = MemoryFiles(["/etc/a.conf": "", "/etc/b.conf": "", "/etc/c.conf": ""])
        #expect(Glob.files("/etc/{a,c}.conf", in: files) == ["/etc/a.conf", "/etc/c.conf"])
        #expect(Glob.files("/e*/?.conf", in: files).count == 3)
    }

    @Test("must exist as main file") func main() {
        let configuration = ConfigurationLoader(source: MemoryFiles([:])).load(path: "/nix")
        #expect(
            configuration.diagnostics.map(\.message) == ["open(/nix) failed: No such file or directory"], "and nothing that follows from it"
        )
    }
}

@Suite("References")
struct ReferenceTests {
    @Test("of 2.3 take the value of that moment") func old() {
        let configuration = load(
            base23
                + "mail_plugins = a\nmail_plugins = $mail_plugins  b\nlogin_greeting = $ENV:NAME x\nprotocol imap {\n  mail_plugins = $mail_plugins c\n}\n",
            environment: ["NAME": "n"])
        #expect(configuration.value("mail_plugins") == "a b")
        #expect(configuration.value("login_greeting") == "n x")
        #expect(configuration.value("mail_plugins", in: ConnectionFilter(protocolName: "imap")) == "a b c")
        #expect(load("protocols = $protocols imap\n").value("protocols") == "imap")
        #expect(load(base23 + "login_greeting = $nix\n").errors == ["Unknown variable: $nix"])
    }

    @Test("of 2.4 take the final value") func new() {
        let configuration = load(base24 + "login_greeting = $SET:hostname $ENV:NAME!\nhostname = mx\n")
        #expect(configuration.value("login_greeting") == "mx ")
        #expect(
            load(base24 + "hostname = $SET:login_greeting\nlogin_greeting = $SET:hostname\n").errors.contains { $0.contains("loops back") })
        #expect(load(base24 + "hostname = $SET:nix\n").errors == ["hostname: Failed to expand $SET:nix: Unknown setting: nix"])
    }

    @Test("cannot grow without bound") func growth() {
        let text = base23 + "login_greeting = x\n" + String(repeating: "login_greeting = $login_greeting $login_greeting\n", count: 60)
        #expect(load(text).errors.contains("The value is too long"))
    }
}

@Suite("A value's type")
struct TypeTests {
    @Test(
        "gives the normal form",
        arguments: [
            (SettingType.bool, "Yes", "yes"), (.bool, "1", "yes"), (.bool, "y", "yes"), (.bool, "NO", "no"), (.uint, "007", "7"),
            (.uint, "unlimited", "unlimited"),
            (.octal, "0600", "384"), (.octal, "600", "600"), (.octal, "0", "0"), (.port, "65535", "65535"), (.size, "10 M", "10485760"),
            (.size, "64k", "65536"),
            (.size, "1GiB", "1073741824"), (.size, "1KB", "1024"), (.size, "5", "5"), (.size, "7 B", "7"),
            (.size, "18446744073709551615 B", "18446744073709551615"),
            (.time, "1 min", "60000"), (.time, "2 m", "120000"), (.time, "1h", "3600000"), (.time, "1 hours", "3600000"),
            (.time, "3 da", "259200000"),
            (.time, "1 weeks", "604800000"), (.time, "0", "0"), (.time, "1000 ms", "1000"), (.time, "infinite", "infinite"),
            (.timeMilliseconds, "250 msecs", "250"),
            (.time, "30s", "30000"), (.time, "5 SECS", "5000"), (.list, "a, b  c", "a b c"), (.list, "*, ::", "* ::"),
            (.enumeration(["a", "b"]), "b", "b"),
        ] as [(SettingType, String, String)])
    func normal(_ type: SettingType, _ text: String, _ expected: String) throws {
        #expect(try type.normal(text) == expected)
    }

    @Test(
        "refuses",
        arguments: [
            (SettingType.bool, "true"), (.bool, "0"), (.bool, "on"), (.bool, ""), (.uint, "-1"), (.uint, "4294967296"), (.uint, "x"),
            (.uint, ""), (.octal, "0888"),
            (.port, "65536"), (.port, "-1"), (.size, "10 X"), (.size, "M"), (.size, "99999999999999999999"), (.size, "99999999999 T"),
            (.size, "-1"),
            (.time, "30"), (.time, "5 x"), (.time, "1500 ms"), (.time, "s"), (.time, "99999999999999999 weeks"), (.enumeration(["a"]), "b"),
            (.enumeration(["a"]), "A"),
        ] as [(SettingType, String)])
    func refuses(_ type: SettingType, _ text: String) {
        #expect(throws: ValueError.self) { try type.normal(text) }
    }

    @Test(
        "is printed in the largest unit, and reads the same again",
        arguments: [
            (SettingType.time, "3600000", "1 hours"), (.time, "5400000", "90 mins"), (.time, "5000", "5 secs"), (.time, "0", "0"),
            (.size, "2147483648", "2 G"),
            (.size, "65536", "64 k"), (.size, "5", "5 B"), (.octal, "384", "0600"), (.octal, "0", "0"),
            (.timeMilliseconds, "250", "250 msecs"), (.time, "604800000", "1 weeks"),
            (.time, "infinite", "infinite"), (.bool, "yes", "yes"),
        ] as [(SettingType, String, String)])
    func printed(_ type: SettingType, _ normal: String, _ text: String) throws {
        #expect(type.printed(normal) == text)
        #expect(try type.normal(text) == normal)
    }
}
