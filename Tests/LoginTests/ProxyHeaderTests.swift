import Platform
import Testing

@testable import login

private typealias Ends = ProxyHeader.Ends

/// A header of version 2; `family` and `command` as they stand in their bytes.
private func binary(_ payload: [UInt8], command: UInt8 = 0x21, family: UInt8 = 0x11, length: Int? = nil) -> [UInt8] {
    let size = length ?? payload.count
    return [13, 10, 13, 10, 0, 13, 10] + Array("QUIT\n".utf8) + [command, family, UInt8(size >> 8), UInt8(size & 255)] + payload
}

private func value(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
    [type, UInt8(content.count >> 8), UInt8(content.count & 255)] + content
}

private let four: [UInt8] = [192, 0, 2, 7, 10, 0, 0, 1, 0xC3, 0x50, 0, 143]
private let six: [UInt8] =
    [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 0, count: 15) + [1, 0xC3, 0x50, 3, 225]
private let fourEnds = Ends(remote: Endpoint(address: "192.0.2.7", port: 50_000), local: Endpoint(address: "10.0.0.1", port: 143))
private let sixEnds = Ends(remote: Endpoint(address: "2001:db8::7", port: 50_000), local: Endpoint(address: "::1", port: 993))

@Suite("A PROXY header")
struct ProxyHeaderTests {
    /// Reads as the worker does: only what is asked for.
    private func read(_ bytes: [UInt8]) throws -> (header: ProxyHeader, rest: [UInt8])? {
        var taken: [UInt8] = []
        while true {
            switch try ProxyHeader.read(taken) {
            case .complete(let header): return (header, Array(bytes[taken.count...]))
            case .needs(let count):
                guard count > 0, taken.count + count <= bytes.count else { return nil }
                taken += bytes[taken.count..<taken.count + count]
            }
        }
    }

    static let right: [([UInt8], ProxyHeader)] = [
        (Array("PROXY TCP4 192.0.2.7 10.0.0.1 50000 143\r\n".utf8), ProxyHeader(ends: fourEnds)),
        (
            Array("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".utf8),
            ProxyHeader(ends: Ends(remote: .init(address: "0.0.0.0", port: 0), local: .init(address: "0.0.0.0", port: 0)))
        ),
        (Array("PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 50000 993\r\n".utf8), ProxyHeader(ends: sixEnds)),
        (Array("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 50000 143\r\n".utf8), ProxyHeader(ends: fourEnds)),
        (Array("PROXY UNKNOWN\r\n".utf8), ProxyHeader()), (Array("PROXY UNKNOWN \r\n".utf8), ProxyHeader()),
        (Array("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".utf8), ProxyHeader()),
        (Array(("PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n").utf8), ProxyHeader()),
        (binary(four), ProxyHeader(ends: fourEnds)), (binary(six, family: 0x21), ProxyHeader(ends: sixEnds)),
        (binary([UInt8](repeating: 0x2F, count: 216), family: 0x31), ProxyHeader()),
        (binary([], command: 0x20, family: 0), ProxyHeader()), (binary(four, command: 0x20), ProxyHeader()),
        (binary([], family: 0), ProxyHeader()), (binary([1, 2, 3], family: 0), ProxyHeader()),
        (
            binary(four + value(2, Array("mail.example.org".utf8)) + value(4, [0]) + value(1, Array("imap".utf8))),
            ProxyHeader(ends: fourEnds, serverName: "mail.example.org")
        ),
        (
            binary(four + value(2, [UInt8](repeating: 0x61, count: 255))),
            ProxyHeader(ends: fourEnds, serverName: String(repeating: "a", count: 255))
        ),
        (
            binary(four + value(0x20, [1, 0, 0, 0, 0] + value(0x21, Array("TLSv1.3".utf8)))),
            ProxyHeader(ends: fourEnds, isTLS: true)
        ), (binary(four + value(0x20, [0, 0, 0, 0, 1])), ProxyHeader(ends: fourEnds)),
        (binary(four + (0..<64).flatMap { _ in value(4, []) }), ProxyHeader(ends: fourEnds)),
        (binary(four + value(0xE0, [UInt8](repeating: 0, count: 8_192 - 15))), ProxyHeader(ends: fourEnds)),
    ]

    @Test("is read, and not a byte of what follows it", arguments: right)
    func reads(_ bytes: [UInt8], _ expected: ProxyHeader) throws {
        for rest in [[UInt8](), Array("a NOOP\r\n".utf8), [0x16, 3, 1], Array("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n".utf8)] {
            let found = try #require(try read(bytes + rest))
            #expect(found.header == expected && found.rest == rest)
        }
    }

    @Test("that is cut short is not taken, at whatever byte", arguments: right)
    func cutShort(_ bytes: [UInt8], _ expected: ProxyHeader) throws {
        for count in 0..<bytes.count { #expect(try read(Array(bytes[..<count])) == nil) }
    }

    @Test(
        "of version 1 is refused",
        arguments: [
            "PROXY TCP4 192.0.2.7 10.0.0.1 50000\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 50000 143 1\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 50000 143 \r\n",
            "PROXY TCP4  192.0.2.7 10.0.0.1 50000 143\r\n", "PROXY TCP4 192.0.2.256 10.0.0.1 50000 143\r\n",
            "PROXY TCP4 ::1 ::1 50000 143\r\n",
            "PROXY TCP6 192.0.2.7 10.0.0.1 50000 143\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 143\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 050 143\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 +50 143\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 -1 143\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 50000 143\n1",
            "PROXY TCP4 192.0.2.7 10.0.0.1 50000 143\r1", "PROXY TCP4 192.0.2.7\0 10.0.0.1 50000 143\r\n",
            "PROXY TCP4 192.0.2.7\t10.0.0.1 50000 143\r\n",
            "PROXY UDP4 192.0.2.7 10.0.0.1 50000 143\r\n", "PROXY TCP5 192.0.2.7 10.0.0.1 50000 143\r\n", "PROXY unknown\r\n",
            "PROXY \r\n\r\n\r\n\r\n\r\n",
            "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "proxy TCP4 192.0.2.7 10.0.0.1 50000 143\r\n", "a LOGIN alice secret\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "PROXY UNKNOWN " + String(repeating: "x", count: 93) + "\r\n", String(repeating: "PROXY ", count: 40),
            "PROXY UNKNOWN \u{E9}      \r\n",
        ])
    func refusesText(_ text: String) { #expect(throws: ProxyHeaderError.self) { try read(Array(text.utf8) + [0x61]) } }

    @Test(
        "of version 2 is refused",
        arguments: [
            binary(four, command: 0x11), binary(four, command: 0x31), binary(four, command: 0x22), binary(four, family: 0x12),
            binary(four, family: 0x10),
            binary(four, family: 0x41), binary(four, family: 0x01), binary(Array(four.dropLast())),
            binary(Array(six.dropLast()), family: 0x21),
            binary([UInt8](repeating: 0, count: 215), family: 0x31), binary(four + [2]), binary(four + [2, 0]), binary(four + [2, 0, 1]),
            binary(four + value(4, []) + [0]), binary(four, length: 8_193), binary(four, length: 65_535),
            binary(four + value(2, [UInt8](repeating: 0x61, count: 256))), binary(four + value(2, [0x61, 0])),
            binary(four + value(2, [0x61, 10])),
            binary(four + value(2, [0xC3, 0xA9])), binary(four + value(0x20, [1, 0, 0, 0])), binary(four + value(0x20, [])),
            binary(four + value(0x20, [1, 0, 0, 0, 0, 0x21])), binary(four + value(0x20, [1, 0, 0, 0, 0, 0x21, 0, 9, 1])),
            binary(four + (0..<65).flatMap { _ in value(4, []) }), [13, 10, 13, 10, 0, 13, 10] + Array("QUIX\n".utf8),
        ])
    func refusesBinary(_ bytes: [UInt8]) { #expect(throws: ProxyHeaderError.self) { try read(bytes + [0x61]) } }

    @Test("with one byte too many is no header") func tooMany() {
        #expect(throws: ProxyHeaderError(2, "1 bytes after the header")) { try ProxyHeader.read(binary(four) + [0]) }
        #expect(throws: ProxyHeaderError(1, "the line has no proper end")) {
            try ProxyHeader.read(Array("PROXY UNKNOWN\r\na".utf8))
        }
    }

    @Test("names its version and what is wrong") func names() {
        #expect(ProxyHeaderError(2, "x").description == "invalid PROXY header (v2): x")
        #expect(ProxyHeaderError(0, "x").description == "no PROXY header: x")
    }

    @Test("of any bytes never traps, and never asks for nothing or too much") func mutations() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(max(bound, 1)))
        }
        for (seed, _) in Self.right where seed.count < 1_000 {
            for _ in 0..<2_000 {
                var bytes = seed
                for _ in 0...random(4) {
                    switch random(4) {
                    case 0 where !bytes.isEmpty: bytes[random(bytes.count)] = UInt8(random(256))
                    case 1 where !bytes.isEmpty: bytes.remove(at: random(bytes.count))
                    case 2: bytes.insert(UInt8(random(256)), at: random(bytes.count + 1))
                    default: bytes += bytes.suffix(random(bytes.count))
                    }
                }
                #expect(fuzzProxyHeader(bytes))
            }
        }
    }
}
