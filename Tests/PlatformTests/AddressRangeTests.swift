import Platform
import Testing

@Suite("A range of addresses")
struct AddressRangeTests {
    @Test(
        "contains what shares its leading bits",
        arguments: [
            ("10.0.0.0/8", "10.200.3.4", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7", "192.168.1.8", false), ("192.168.1.128/25", "192.168.1.127", false), ("0.0.0.0/0", "8.8.8.8", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false), ("::/0", "1.2.3.4", false),
        ])
    func contains(_ range: String, _ address: String, _ isInside: Bool) {
        #expect(AddressRange(range)?.contains(address) == isInside)
    }

    @Test(
        "is nothing else",
        arguments: ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "host", "1.2.3.4/x"])
    func refuses(_ text: String) { #expect(AddressRange(text) == nil) }
}
