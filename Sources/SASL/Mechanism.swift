/// A SASL mechanism (RFC 4422) that the server side can play.
package enum Mechanism: String, CaseIterable, Equatable, Sendable {
    case plain = "PLAIN"
    case login = "LOGIN"

    /// Any case of letters; nil for a mechanism that is not built.
    package init?(name: some Collection<UInt8>) {
        guard name.count <= Limits.mechanism else { return nil }
        let upper = name.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & 0xDF : $0 }
        guard let found = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(upper) }) else { return nil }
        self = found
    }

    /// The client sends the password itself: refused on a connection that is not secured (auth.md 7).
    package var isPlaintext: Bool {
        switch self {
        case .plain, .login: true
        }
    }

    /// The words after the name in a MECH line (auth.md 3.1).
    package var flags: [String] {
        switch self {
        case .plain, .login: ["plaintext"]
        }
    }
}
