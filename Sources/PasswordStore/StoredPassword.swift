/// A password as a database keeps it: scheme and hash, ready to be compared with what a client typed.
package struct StoredPassword: Equatable, Sendable {
    package let scheme: Scheme
    let value: [UInt8]

    // password = ["{" scheme ["." ("b64" / "base64" / "hex")] "}"] value
    /// Reads a password field; without `{SCHEME}` it is of the `default` scheme.
    package init(_ text: [UInt8], default defaultScheme: Scheme) throws(PasswordError) {
        guard text.first == UInt8(ascii: "{"), let end = text.firstIndex(of: UInt8(ascii: "}")) else {
            (scheme, value) = try Self.pwdfile(text, defaultScheme)
            return
        }
        let name = String(decoding: text[1..<end], as: UTF8.self)
        let rest = text[(end + 1)...]
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let word = parts.first, let scheme = Scheme(name: String(word)) else { throw .unknownScheme(name.printable) }
        self.scheme = scheme
        switch parts.count == 2 ? parts[1].lowercased() : "" {
        case "":
            value = Array(rest)
        case "b64", "base64":
            guard let bytes = TextForm.base64(rest) else { throw .malformed("base64 of \(name.printable)") }
            value = bytes
        case "hex":
            guard let bytes = TextForm.hexadecimal(rest) else { throw .malformed("hexadecimal of \(name.printable)") }
            value = bytes
        default:
            throw .unknownScheme(name.printable)
        }
    }

    /// libpam-pwdfile marks hashes of crypt(3) by their length: `hash[13]`, `hash[34]`.
    private static func pwdfile(_ text: [UInt8], _ scheme: Scheme) throws(PasswordError) -> (Scheme, [UInt8]) {
        for mark in ["[13]", "[34]"] where text.count > 4 && text.suffix(4).elementsEqual(mark.utf8) {
            return (.crypt, Array(text.dropLast(4)))
        }
        return (scheme, text)
    }

    /// Whether `given` is this password; takes as long as one hash of this scheme, whatever the answer.
    package func matches(_ given: [UInt8]) throws(PasswordError) -> Bool {
        switch scheme {
        case .plain: isEqualInConstantTime(value, given)
        case .crypt: try Hash.crypt(given, is: value)
        case .argon2i: try Hash.argon2(given, is: try ArgonHash(value, named: "argon2i"))
        case .argon2id: try Hash.argon2(given, is: try ArgonHash(value, named: "argon2id"))
        }
    }

    /// Spends the time of a comparison and forgets its outcome: so that an unknown user costs what a wrong password does.
    package func pretend(_ given: [UInt8]) {
        do throws(PasswordError) { _ = try matches(given) } catch {}
    }

    /// For unknown users of a database that shows no example: SHA512-CRYPT with its usual 5,000 rounds.
    package static let example = StoredPassword(
        scheme: .crypt,
        value: Array("$6$culver$WMNtliCw5Bob8j4bqJ.UQCV4kYyzrwkPxMVUs1Vye0U1QEnmZPPvArrHP/TqecKyaI26ldM1FnmXFBN9pIe0X1".utf8))

    private init(scheme: Scheme, value: [UInt8]) {
        self.scheme = scheme
        self.value = value
    }
}

extension String {
    /// Short and without control characters, for messages.
    var printable: String { String(String.UnicodeScalarView(unicodeScalars.prefix(40).map { $0.value < 0x20 ? "?" : $0 })) }
}
