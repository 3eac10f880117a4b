import Testing

@testable import PasswordStore

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Made by crypt(3) and by the program `argon2`, all of "secret".
private let samples = [
    "{PLAIN}secret", "{plain}secret", "{CLEAR}secret", "{CLEARTEXT}secret", "{PLAIN.b64}c2VjcmV0", "{PLAIN.base64}c2VjcmV0",
    "{PLAIN.hex}736563726574", "{PLAIN.HEX}736563726574",
    "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "{MD5-CRYPT}$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1[34]",
    "{SHA256-CRYPT}$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
    "{SHA512-CRYPT}$6$rounds=1000$short$6tSIGJhRDPAcVPe.fgC3tA3qgO5VzEI7WO7PAQunK6Jgsor.dcMzB/C/BHVQ.FuIJXMKXhI/oZC1yGOXB/QXp1",
    "{CRYPT}$6$culver$WMNtliCw5Bob8j4bqJ.UQCV4kYyzrwkPxMVUs1Vye0U1QEnmZPPvArrHP/TqecKyaI26ldM1FnmXFBN9pIe0X1",
    "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
    "{ARGON2ID}$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$TLXwQYTTzWKDFfWHDyPKbh8ksZXGxatok7fsfJt7L+o",
    "{ARGON2}$argon2id$v=19$m=1024,t=1,p=4$c29tZXNhbHQ$/wdTcuf8KT7tenx8UHpPpyzMVSfG0G5ehOqjOQgb0FY",
    "{ARGON2I}$argon2i$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$4btq4Bd5qGJ00WSjsKcfhGLKY+16JlIWKdTcVlLD6mE",
    "{argon2i}$argon2i$v=19$m=1024,t=1,p=4$c29tZXNhbHQ$lMDMR7bIqn01YZl7uyrQogtYYlblqaO0JegC0jcA0T0",
]

@Suite("A stored password")
struct StoredPasswordTests {
    @Test("matches the password it was made of, and no other", arguments: samples)
    func matches(_ text: String) throws {
        let stored = try StoredPassword(bytes(text), default: .crypt)
        #expect(try stored.matches(bytes("secret")))
        for wrong in ["Secret", "secre", "secret ", "", "secret\0", "secret\0x"] { #expect(try !stored.matches(bytes(wrong))) }
        stored.pretend(bytes("anything"))
    }

    @Test("takes the database's default scheme without braces")
    func defaults() throws {
        #expect(try StoredPassword(bytes("secret"), default: .plain).matches(bytes("secret")))
        #expect(try StoredPassword(bytes("{"), default: .plain).matches(bytes("{")))
    }

    @Test(
        "of a scheme or form that is not known is an error",
        arguments: [
            "{NO-SUCH}x", "{}x", "{PLAIN.x}x", "{.b64}x", "{PLAIN.b64}%%%", "{PLAIN.b64}A", "{PLAIN.hex}0", "{PLAIN.hex}zz",
            "{PLAIN.b64.hex}00",
        ])
    func refuses(_ text: String) {
        #expect(throws: PasswordError.self) { _ = try StoredPassword(bytes(text), default: .plain) }
    }

    @Test(
        "whose hash is damaged is an error, never a match",
        arguments: [
            "{CRYPT}", "{CRYPT}*0", "{CRYPT}!", "{CRYPT}$9$x$y", "{SHA512-CRYPT}$6",
            "{ARGON2ID}", "{ARGON2ID}secret", "{ARGON2ID}$argon2i$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$TLXwQYTTzWKDFfWHDyPKbg",
            "{ARGON2ID}$argon2id$v=19$m=4096,t=2$c29tZXNhbHQ$TLXwQYTT",
            "{ARGON2ID}$argon2id$v=19$m=99999999999,t=2,p=1$c29tZXNhbHQ$TLXwQYTT",
            "{ARGON2ID}$argon2id$v=19$m=4096,t=0,p=1$c29tZXNhbHQ$TLXwQYTT", "{ARGON2ID}$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$TLXwQYTT",
            "{ARGON2ID}$argon2id$v=x$m=4096,t=2,p=1$c29tZXNhbHQ$TLXwQYTT", "{ARGON2ID}$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$",
            "{ARGON2ID}$argon2id$v=19$m=4096,t=2,p=1$$TLXwQYTT", "{ARGON2ID}$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$TLXwQYTT$more",
        ])
    func isUnusable(_ text: String) {
        #expect(throws: PasswordError.self) { _ = try StoredPassword(bytes(text), default: .plain).matches(bytes("secret")) }
    }

    @Test("shows an example that can be hashed")
    func example() throws {
        #expect(try StoredPassword.example.matches(bytes("secret")))
    }

    @Test("is compared whole", arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false), ("ab", "a", false)])
    func compares(_ a: String, _ b: String, _ isEqual: Bool) {
        #expect(isEqualInConstantTime(a.utf8, b.utf8) == isEqual)
    }
}
