import Platform
import Testing

@testable import TLS

@Suite("A TLS handshake")
struct HandshakeTests {
    @Test("ends with a protocol, a cipher and the rules that both sides allow", arguments: [TLSVersion.tls12, .tls13])
    func succeeds(_ minimum: TLSVersion) throws {
        var settings = TLSSettings.test
        settings.minimum = minimum
        let meeting = try Meeting(TLSServer(settings))
        #expect(meeting.ours == .done && meeting.theirs == .done)
        #expect(meeting.server.protocolName == "TLSv1.3")
        #expect(meeting.server.cipher.hasPrefix("TLS_"))
        #expect(meeting.server.bits >= 128)
        #expect(meeting.server.serverName == nil)
        let isResumed = meeting.server.isResumed
        #expect(!isResumed)
    }

    @Test(
        "shows the certificate of the name that was asked for",
        arguments: [
            (nil, "mail.example.org"), ("mail.example.org", "mail.example.org"), ("unknown.test", "mail.example.org"),
            ("exact.test", "other.example.net"), ("EXACT.test", "other.example.net"), ("a.wild.test", "other.example.net"),
            ("a.b.wild.test", "mail.example.org"), ("wild.test", "mail.example.org"),
        ])
    func selects(_ name: String?, _ expected: String) throws {
        let hosts = [TLSHost(name: "exact.test", settings: .other), TLSHost(name: "*.wild.test", settings: .other)]
        let meeting = try Meeting(TLSServer(.test, hosts: hosts), asking: name)
        #expect(meeting.ours == .done)
        #expect(meeting.client.peerCommonName == expected)
        #expect(meeting.server.serverName == name.map { Array($0.utf8) })
    }

    @Test(
        "agrees on our application protocol and refuses others",
        arguments: [
            ([UInt8](), true), (name("imap"), true), (name("http/1.1") + name("imap"), true), (name("pop3"), false), (name("h2"), false),
        ])
    func negotiates(_ offer: [UInt8], _ isFine: Bool) throws {
        let meeting = try Meeting(TLSServer(.test, applicationProtocol: "imap"), offering: offer.isEmpty ? nil : offer)
        #expect((meeting.ours == .done) == isFine)
        if !isFine { #expect("\(meeting.theirs)".contains("no application protocol")) }
    }

    private static func name(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

    @Test(
        "fails with OpenSSL's text, and no trap, for what is not TLS",
        arguments: [
            Array("a1 LOGIN ada secret\r\n".utf8), Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0, count: 300),
            [0x16, 3, 1, 0xFF, 0xFF] + [UInt8](repeating: 0x41, count: 700), [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
            [0x80, 0x2E, 1, 0, 2],
        ])
    func survives(_ garbage: [UInt8]) throws {
        let pair = try Pair()
        let stream = try TLSStream(TLSServer(.test), on: pair.near)
        _ = try? pair.far.write(garbage[...])
        var last = TLSProgress.wantRead
        for _ in 0..<40 where last == .wantRead { last = stream.handshake() }
        guard case .failed(let error) = last else { return #expect(last == .wantRead) }
        #expect(error.description.hasPrefix("SSL_accept() failed: "))
    }

    @Test("waits for the rest of a message cut short, and ends when the client leaves")
    func waits() throws {
        let pair = try Pair()
        let stream = try TLSStream(TLSServer(.test), on: pair.near)
        #expect(stream.handshake() == .wantRead)
        _ = try pair.far.write([0x16, 3, 1])
        #expect(stream.handshake() == .wantRead)
        try pair.cut()
        guard case .failed(let error) = stream.handshake() else { Issue.record("no failure"); return }
        #expect(error.operation == "SSL_accept()")
    }

    @Test("refuses a client below the minimum")
    func refusesOld() throws {
        var settings = TLSSettings.test
        settings.minimum = .tls13
        let server = try TLSServer(settings)
        let pair = try Pair()
        let stream = try TLSStream(server, on: pair.near)
        let old = try TLSContext(clientWith: .tls12)
        old.allowAtMost12()
        let client = try TLSStream(client: old, name: nil, on: pair.far)
        _ = client.handshake()
        #expect("\(stream.handshake())".contains("unsupported protocol"))
    }
}
