import Testing

@testable import IMAPSyntax

@Suite("URLs of messages")
struct MessageURLTests {
    private func url(_ text: String) -> MessageURL? { MessageURL(Array(text.utf8)) }

    @Test("are paths with a mailbox, a UID, a section and a range")
    func understood() throws {
        let plain = try #require(url("/INBOX;UIDVALIDITY=785799047/;UID=113330"))
        #expect(plain.mailbox == raw("INBOX") && plain.uidValidity == 785_799_047 && plain.uid == 113_330)
        #expect(plain.section == BodySection(isPeek: true))
        let full = try #require(url("/a%20b/c;uidvalidity=1/;uid=20/;section=1.2.MIME/;PARTIAL=0.1024"))
        #expect(full.mailbox == raw("a b/c") && full.uid == 20)
        #expect(full.section == BodySection(part: [1, 2], text: .mime, isPeek: true, partial: Partial(first: 0, count: 1_024)))
        #expect(url("/x/;UID=1/;SECTION=HEADER.FIELDS%20(To%20Cc)")?.section.text == .headerFields([raw("To"), raw("Cc")]))
        #expect(url("/x/;UID=1/;PARTIAL=5")?.section.partial == Partial(first: 5, count: .max))
        #expect(url("/;UID=20")?.mailbox == nil)
        #expect(url(";UID=20/;SECTION=1")?.section.part == [1])
    }

    @Test(
        "are nothing else",
        arguments: [
            "", "x", "/INBOX", "/INBOX;UID=1", "imap://host/INBOX/;UID=1", "//host/INBOX/;UID=1x", "/INBOX/;UID=0", "/INBOX/;UID=",
            "/INBOX/;UID=4294967296", "/INBOX;UIDVALIDITY=x/;UID=1", "/IN%4/;UID=1", "/IN%00/;UID=1", "/x/;UID=1/;SECTION=FOO",
            "/x/;UID=1/;SECTION=1]", "/x/;UID=1/;PARTIAL=1.0", "/x/;UID=1/;PARTIAL=", "/x/;UID=1/;URLAUTH=anonymous", "/x/;UID=1/",
            "/x/;UID=1/;PARTIAL=1/;SECTION=1",
        ])
    func refused(_ text: String) { #expect(url(text) == nil) }
}
