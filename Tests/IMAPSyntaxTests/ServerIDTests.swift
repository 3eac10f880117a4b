import Testing

@testable import IMAPSyntax

@Test(
    "ID says what imap_id_send wants",
    arguments: [
        ("name *", #"* ID ("name" "Culver")"#), ("name * version * os *", #"* ID ("name" "Culver" "version" "1.2" "os" "Linux")"#),
        ("name Mail support-url http://x vendor *", #"* ID ("name" "Mail" "support-url" "http://x" "vendor" NIL)"#), ("", "* ID NIL"),
        ("name", "* ID NIL"), ("name * version", #"* ID ("name" "Culver")"#),
    ])
func serverID(_ setting: String, _ expected: String) {
    #expect(String(decoding: ServerID.response(setting, version: "1.2"), as: UTF8.self) == expected)
}

@Test("ID has no more than 30 fields")
func serverIDLimit() {
    let setting = (0..<40).map { "f\($0) v" }.joined(separator: " ")
    #expect(ServerID.response(setting, version: "").split(separator: 0x20).count == 2 + 60)
}
