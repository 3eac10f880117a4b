import Testing

@testable import TLS

@Suite("A TLS server")
struct TLSServerTests {
    @Test("plays a connection with itself before it is used")
    func rehearses() throws {
        try TLSServer(.test).rehearse()
        try TLSServer(.other, hosts: [TLSHost(name: "a.test", settings: .test)], applicationProtocol: "imap").rehearse()
    }

    @Test(
        "refuses what does not fit, with OpenSSL's words",
        arguments: [
            (Fixture.certificate, Fixture.otherKey, "key values mismatch"),
            (Fixture.certificate, "", "it is empty"),
            (Fixture.certificate, "garbage", "unsupported"),
            (Fixture.certificate, Fixture.certificate, ""),
            ("", Fixture.key, "it is empty"),
            ("garbage", Fixture.key, "no start line"),
            (Fixture.key, Fixture.key, "no start line"),
            (String(Fixture.certificate.dropLast(200)), Fixture.key, ""),
            (Fixture.certificate + Fixture.otherCertificate.dropLast(200), Fixture.key, ""),
        ])
    func refuses(_ chain: String, _ key: String, _ text: String) {
        let settings = TLSSettings(identities: [TLSIdentity(chain: Array(chain.utf8), key: .pem(Array(key.utf8), password: nil))])
        let error = #expect(throws: TLSError.self) { _ = try TLSServer(settings) }
        #expect(text.isEmpty || error?.reason.contains(text) == true, "\(String(describing: error))")
    }

    @Test("refuses a certificate file above its limit")
    func refusesLarge() {
        let large = [UInt8](repeating: 0x41, count: Limits.pem + 1)
        let settings = TLSSettings(identities: [TLSIdentity(chain: large, key: .pem(Array(Fixture.key.utf8), password: nil))])
        let error = #expect(throws: TLSError.self) { _ = try TLSServer(settings) }
        #expect(error?.reason.contains("larger than") == true)
    }

    @Test("opens an encrypted key with its password only", arguments: [("secret", true), ("wrong", false), (nil, false)])
    func decrypts(_ password: String?, _ isFine: Bool) {
        let key = TLSKey.pem(Array(Fixture.encryptedKey.utf8), password: password.map { Array($0.utf8) })
        let settings = TLSSettings(identities: [TLSIdentity(chain: Array(Fixture.certificate.utf8), key: key)])
        #expect(((try? TLSServer(settings)) != nil) == isFine)
    }

    @Test("refuses lists that name nothing known")
    func checksLists() {
        for change in [\TLSSettings.cipherList, \.cipherSuites, \.curveList] {
            var settings = TLSSettings.test
            settings[keyPath: change] = "NO-SUCH-THING"
            #expect(throws: TLSError.self) { _ = try TLSServer(settings) }
        }
        #expect(throws: TLSError.self) { _ = try TLSServer(TLSSettings(identities: [])) }
    }

    @Test("takes lists that administrators write")
    func takesLists() throws {
        var settings = TLSSettings.test
        settings.cipherList = "ECDHE+AESGCM:!aNULL"
        settings.cipherSuites = "TLS_AES_128_GCM_SHA256"
        settings.curveList = "X25519:P-256"
        settings.prefersServerCiphers = true
        settings.offersTickets = false
        let meeting = try Meeting(TLSServer(settings))
        #expect(meeting.server.summary == "TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits)")
    }

    @Test(
        "reads ssl_min_protocol",
        arguments: [
            ("TLSv1", TLSVersion.tls12, true), ("TLSv1.1", .tls12, true), ("ANY", .tls12, true), ("TLSv1.2", .tls12, false),
            ("TLSv1.3", .tls13, false), ("LATEST", .tls13, false), ("SSLv3", nil, false), ("", nil, false),
        ])
    func reads(_ text: String, _ version: TLSVersion?, _ isRaised: Bool) {
        #expect(TLSVersion(setting: text) == version)
        #expect(TLSVersion.isRaised(setting: text) == isRaised)
    }
}
