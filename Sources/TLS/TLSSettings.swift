/// The oldest protocol version that is accepted; Culver offers nothing below TLS 1.2 (security.md 7).
package enum TLSVersion: Equatable, Sendable {
    case tls12
    case tls13

    /// Reads a value of `ssl_min_protocol`; older versions and `ANY` mean TLS 1.2. Answers nil for an unknown name.
    package init?(setting: String) {
        switch setting {
        case "TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2", "ANY": self = .tls12
        case "TLSv1.3", "LATEST": self = .tls13
        default: return nil
        }
    }

    /// True when a setting asks for less than Culver offers, which deserves a warning at start.
    package static func isRaised(setting: String) -> Bool { ["TLSv1", "TLSv1.0", "TLSv1.1", "ANY"].contains(setting) }
}

/// A private key as `TLS` uses it. The only place where key material enters: a signer process becomes a second case.
package enum TLSKey: Equatable, Sendable {
    /// PEM bytes, with the password if they are encrypted.
    case pem([UInt8], password: [UInt8]?)
}

/// A certificate with its chain (PEM, own certificate first) and its key.
package struct TLSIdentity: Equatable, Sendable {
    package var chain: [UInt8]
    package var key: TLSKey

    package init(chain: [UInt8], key: TLSKey) {
        self.chain = chain
        self.key = key
    }
}

/// What the server side of a TLS connection needs, as values: no file is opened.
package struct TLSSettings: Equatable, Sendable {
    /// One per kind of key, such as RSA and ECDSA (`ssl_cert`, `ssl_alt_cert`); at least one.
    package var identities: [TLSIdentity]
    package var minimum: TLSVersion = .tls12
    /// OpenSSL's cipher list for TLS 1.2 (`ssl_cipher_list`); nil: OpenSSL's default.
    package var cipherList: String?
    /// Names for TLS 1.3 (`ssl_cipher_suites`); nil: OpenSSL's default.
    package var cipherSuites: String?
    /// Groups for the key exchange (`ssl_curve_list`); nil: OpenSSL's default.
    package var curveList: String?
    package var prefersServerCiphers = false
    /// Session tickets save the client one asymmetric operation when it comes back (`ssl_options = no_ticket` turns them off).
    package var offersTickets = true

    package init(identities: [TLSIdentity]) { self.identities = identities }
}

/// The settings of one name that clients may ask for (SNI): exact, or `*.` for one label.
package struct TLSHost: Equatable, Sendable {
    package var name: String
    package var settings: TLSSettings

    package init(name: String, settings: TLSSettings) {
        self.name = name
        self.settings = settings
    }
}
