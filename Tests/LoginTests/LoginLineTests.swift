import IPCProtocol
import Platform
import ServiceKit
import Testing

@testable import login

@Suite("The log line of a login")
struct LoginLineTests {
    private static let values = [
        "user": "ada", "mechanism": "PLAIN", "remote_ip": "192.0.2.1", "local_ip": "198.51.100.2", "mail_pid": "4711", "secured": "TLS",
        "session": "abc", "remote_port": "5000", "local_port": "993",
    ]

    private func line(_ settings: [String: String], _ message: String, _ values: [String: String]) -> String {
        LoginLine(Settings(SettingsImage(blocks: [.init(values: settings)]))).text(message, values)
    }

    @Test("has the usual elements") func usual() {
        #expect(
            line([:], "Login", Self.values)
                == "Login: user=<ada>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.2, mpid=4711, TLS, session=<abc>")
    }

    @Test("drops elements without a value, but never the user") func dropped() {
        #expect(line([:], "Disconnected", ["remote_ip": "192.0.2.1"]) == "Disconnected: user=<>, rip=192.0.2.1")
        #expect(line([:], "Disconnected", [:]) == "Disconnected: user=<>")
    }

    @Test(
        "follows the settings, in both dialects",
        arguments: [
            (["config_dialect": "2.4", "login_log_format_elements": "u=%{user} p=%{remote_port}"], "Login: u=ada, p=5000"),
            (["config_dialect": "2.3", "login_log_format_elements": "u=%u rip=%r mpid=%e"], "Login: u=ada, rip=192.0.2.1, mpid=4711"),
            (["config_dialect": "2.3", "login_log_format": "%$ (%s)", "login_log_format_elements": "%u"], "Login (ada)"),
            (["config_dialect": "2.4", "login_log_format": "[%{elements}] %{message}", "login_log_format_elements": "x"], "[x] Login"),
        ])
    func settings(_ settings: [String: String], _ expected: String) {
        #expect(line(settings, "Login", Self.values) == expected)
    }

    @Test("does not take a value for a template") func foreign() {
        #expect(line(["login_log_format_elements": "user=<%{user}>"], "Login", ["user": "%{session}%u"]) == "Login: user=<%{session}%u>")
    }
}

@Suite("A session id")
struct SessionIDTests {
    @Test("is a word of base64 letters, and two are never the same", arguments: ["192.0.2.1", "2001:db8::1", ""])
    func word(_ address: String) {
        let all = (0..<100).map { SessionID.make(remote: .init(address: address, port: UInt16($0))) }
        #expect(Set(all).count == 100)
        for id in all {
            #expect(id.utf8.count >= 11 && id.utf8.count <= 22)
            #expect(
                id.utf8.allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2b || $0 == 0x2f })
        }
    }
}
