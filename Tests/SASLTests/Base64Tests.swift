@testable import Base64
import Testing

@testable import SASL

@Suite("Base64")
struct Base64Tests {
    @Test(
        "encodes and decodes",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func converts(_ plain: String, _ encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == Array(encoded.utf8))
        #expect(Base64.decode(Array(encoded.utf8)) == Array(plain.utf8))
    }

    @Test("gives back every byte")
    func roundTrip() {
        for count in 0...260 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test(
        "refuses what is not exactly base64",
        arguments: [
            "Z", "Zg", "Zg=", "Zg===", "Zm9v=", "=", "==", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9_", "Zm9-", "Zh==", "Zm9=", "Z===",
            "Zg=a", "é===",
            "Zm8=Zm8=",
        ])
    func refuses(_ text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }
}
