import Glibc
import Testing

@testable import Configuration

@Suite("Any bytes")
struct FuzzTests {
    private static let words = [
        "passdb", "userdb", "{", "}", "\n", " ", "=", "\"", "'", "\\", "#", "<", "$", "$mail_debug", "$SET:hostname", "!include",
        "!include_try /d/*.conf", "protocol imap {\n", "remote 10.0.0.0/8 {\n",
        "service imap {\n", "unix_listener x {\n", "mode = 0600\n", "mail_debug = yes\n", "mail_location = maildir:~/x::y:INDEX=\n",
        "dovecot_config_version = 2.4.0\n", "group @a b {\n", "@a = b\n",
        "namespace inbox {\n", "inbox = yes\n", "mailbox X {\n", "plugin {\n", "a = b\n", "ssl = no\n", "vsz_limit = 99999999999999 T\n",
        "port = 99999\n", "protocols {\n", "imap = yes\n", "\u{0}", "é", "fields {\n",
        "ssl_server {\n", "local_name \"a b\" {\n", "/", "process_limit = 4294967295\n", "idle_kill = 9223372036854775807 weeks\n",
        "mode = 077777777777\n",
    ]

    @Test("do not crash the reader") func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1500 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<40, using: &generator) {
                bytes += Array((Self.words.randomElement(using: &generator) ?? "").utf8)
            }
            if Bool.random(using: &generator), !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            fuzzConfiguration(bytes)
        }
    }

    @Test("mutated from a valid configuration do not crash the reader") func mutated() {
        var generator = SystemRandomNumberGenerator()
        let seed = Array(
            (base23
                + "service auth {\n  unix_listener a {\n    mode = 0600\n  }\n}\nnamespace inbox {\n  inbox = yes\n  mailbox \"a b\" {\n    auto = create\n  }\n}\n")
                .utf8)
        for _ in 0..<1500 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1..<6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
                }
            }
            fuzzConfiguration(bytes)
        }
    }

    @Test("take time in proportion to their length") func linear() {
        // What this thread computes: other tests that run do not count.
        func threadNanoseconds() -> Int {
            var time = timespec()
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec
        }
        let texts: [(Int) -> String] = [
            { String(repeating: "mail_debug = yes\n", count: $0) }, { (0..<$0).map { "unknown\($0) = yes\n" }.joined() },
            { (0..<$0).map { "remote 10.\($0 / 65536).\($0 / 256 % 256).\($0 % 256) {\n  mail_debug = yes\n}\n" }.joined() },
            { (0..<$0).map { "namespace n\($0) {\n  prefix = n\($0)/\n}\n" }.joined() },
            { "login_greeting = " + String(repeating: "x \\\n", count: $0) },
            { "dovecot_config_version = 2.4.0\n" + String(repeating: "hostname = $SET:login_greeting\n", count: $0) },
        ]
        for (index, text) in texts.enumerated() {
            let times = [500, 4000].map { count in
                let start = threadNanoseconds()
                _ = ConfigurationLoader(source: MemoryFiles(["/c": text(count)])).load(path: "/c")
                return threadNanoseconds() - start
            }
            #expect(times[1] < times[0] * 40 + 200_000_000, "\(index): \(times)")
        }
    }
}
