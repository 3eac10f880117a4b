import PasswordStore
import SASL
import Testing

@testable import auth

/// Mutates known good input, the same way in every run.
private func mutations(of seeds: [String], rounds: Int, _ body: ([UInt8]) -> Void) {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func random(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(bound, 1)))
    }
    let interesting: [UInt8] = [0, 1, 9, 10, 13, 0x20, 0x23, 0x24, 0x25, 0x2A, 0x2C, 0x2F, 0x3A, 0x3D, 0x7B, 0x7D, 0x7F, 0x80, 0xC3, 0xFF]
    for seed in seeds {
        let original = Array(seed.utf8)
        for cut in 0...original.count { body(Array(original[..<cut])) }
        for _ in 0..<rounds {
            var bytes = original
            for _ in 0...random(4) {
                switch random(4) {
                case 0 where !bytes.isEmpty: bytes[random(bytes.count)] = interesting[random(interesting.count)]
                case 1 where !bytes.isEmpty: bytes.remove(at: random(bytes.count))
                case 2: bytes.insert(interesting[random(interesting.count)], at: random(bytes.count + 1))
                default: if !bytes.isEmpty { bytes += bytes[random(bytes.count)...] }
                }
            }
            body(bytes)
        }
    }
}

@Suite("Readers of foreign bytes")
struct MutationTests {
    @Test("never trap on text protocols")
    func text() {
        let seeds = [
            "VERSION\t1\t2\nCPID\t7\nAUTH\t1\tPLAIN\tservice=smtp\tlip=1.2.3.4\tsecured=tls\tresp=AGFkYQBwdw==\nCONT\t1\tcHc=\nCANCEL\t1\n",
            "VERSION\t1\t0\nUSER\t1\tada\u{1}t\tservice=lmtp\nPASS\t2\tbob\tservice=x\nLIST\t3\tuser=a*\nCACHE-FLUSH\t4\n", "10.0.0.0/8",
            "2001:db8::1.2.3.4/33",
            "maildir:~/a::b:INDEX=/x:LAYOUT=fs", "root:x:0:0:root:/root:/bin/sh\n", "*@example.org !root@*",
        ]
        mutations(of: seeds, rounds: 3_000, fuzzTextProtocols)
    }

    @Test("never trap on SASL messages")
    func sasl() { mutations(of: ["bob\0ada\0secret", "ada\nsecret\n", "\0\0\0"], rounds: 3_000, fuzzExchange) }

    @Test("never trap on password files")
    func passwords() {
        let seeds = [
            "# x\nada:{PLAIN.b64}c2VjcmV0:1000:100:A:/home/ada:/bin/sh:a=1 userdb_mail=maildir:~/x\r\nbob:pw[13]\n",
            "a:{ARGON2ID}$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$TLXwQYTTzWKDFfWHDyPKbg\n", "a:{PLAIN.HEX}736563\n",
        ]
        mutations(of: seeds, rounds: 3_000, fuzzPasswordFile)
    }
}
