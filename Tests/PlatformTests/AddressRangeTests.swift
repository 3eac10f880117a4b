import Platform
import Testing

@Suite("A range of addresses")
struct AddressRangeTests {
    @Test(
        "contains what shares its leading bits",
        arguments: [
            ("10.0.0.0/8", "10.200.3.4", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7", "192.168.1.8", false), ("192.168.1.128/25", "192.168.1.127", false), ("0.0.0.0/0", "8.8.8.8", true),
            ("192.168.1.128/25", "192.168.1.200", true), ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false), ("::/0", "1.2.3.4", false), ("::/0", "::1", true), ("::1", "::1", true),
            ("10.0.0.0/8", "::1", false), ("::ffff:10.0.0.0/8", "10.0.0.1", nil), ("::ffff:10.0.0.0/104", "10.0.0.1", true),
            ("10.0.0.0/8", "::ffff:10.9.9.9", true), ("[2001:db8::1]", "2001:db8:0::1", true), ("fe80::1", "fe80::1%eth0", true),
            ("10.0.0.0/8", "host", false), ("10.0.0.0/8", "10.0.0.0/9", true), ("10.0.0.0/9", "10.0.0.0/8", false),
            ("10.0.0.0/9", "10.128.0.0/9", false),
        ])
    func contains(_ range: String, _ address: String, _ isInside: Bool?) {
        #expect(AddressRange(range)?.contains(address) == isInside)
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "host", "1.2.3.4/x", "/8", "x/8",
            "1.2.3.4.5", "1.2.3.256", "+1.2.3.4", "1:2", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "1.2.3.4::", "::1.2.3", "::+1",
            "1.2.3.4\0",
        ])
    func refuses(_ text: String) { #expect(AddressRange(text) == nil) }

    @Test(
        "address has one form",
        arguments: [
            ("1.2.3.4", "1.2.3.4"), ("2001:DB8:0:0:0::1", "2001:db8::1"), ("::ffff:1.2.3.4", "1.2.3.4"), ("::", "::"),
            ("fe80::1%eth0", "fe80::1"),
        ])
    func form(_ text: String, _ form: String) throws {
        #expect(Socket.addressText(try #require(Socket.addressBytes(text))) == form)
    }

    @Test("address of the wrong size is none", arguments: [0, 3, 5, 15, 17]) func size(_ count: Int) {
        #expect(Socket.addressText([UInt8](repeating: 1, count: count)) == "")
    }
}
