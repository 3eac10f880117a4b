/// How a stored password was made (auth.md 11).
package enum Scheme: Equatable, Sendable {
    /// PLAIN, CLEAR, CLEARTEXT: the password itself.
    case plain
    /// CRYPT and everything that crypt(3) knows by the first characters of the hash.
    case crypt
    case argon2i
    case argon2id

    /// Any case of letters; nil for a scheme that is not built.
    package init?(name: String) {
        switch name.uppercased() {
        case "PLAIN", "CLEAR", "CLEARTEXT": self = .plain
        case "CRYPT", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT", "DES-CRYPT": self = .crypt
        case "ARGON2I": self = .argon2i
        case "ARGON2", "ARGON2ID": self = .argon2id
        default: return nil
        }
    }

    /// Names that `{…}` may hold, for messages and `pw -l`.
    package static let names = [
        "ARGON2I", "ARGON2ID", "BLF-CRYPT", "CLEAR", "CLEARTEXT", "CRYPT", "DES-CRYPT", "MD5-CRYPT", "PLAIN", "SHA256-CRYPT",
        "SHA512-CRYPT",
    ]
}

/// Why a stored password cannot be compared with anything: an internal failure, never a wrong password.
package enum PasswordError: Error, Equatable, CustomStringConvertible {
    case unknownScheme(String)
    case malformed(String)
    case hashing(String)

    package var description: String {
        switch self {
        case .unknownScheme(let name): "Unknown scheme \(name)"
        case .malformed(let what): "Not a valid password: \(what)"
        case .hashing(let what): what
        }
    }
}
