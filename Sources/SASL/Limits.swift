/// What one SASL exchange may take (security.md 6).
package enum Limits {
    /// RFC 4422, section 3.1: a mechanism name has at most 20 characters.
    package static let mechanism = 20
    /// One decoded message; Kerberos tickets and OAuth tokens are the largest.
    package static let message = 12 * 1024
    /// One message in base64.
    package static let encoded = (message + 2) / 3 * 4
    /// A user name: RFC 4616 asks for at least 255; mail addresses have at most 254.
    package static let name = 1_024
    /// A password, tokens used as passwords included.
    package static let password = 8 * 1024
}
