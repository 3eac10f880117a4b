import Testing

@testable import MessageFormat

@Suite("What the index keeps of a message")
struct SummaryTests {
    private let message = raw(
        """
        Received: by x
        From: "A. Uthor" <a@b.c>
        To: Group: x@y, z@y;
        Cc: =?utf-8?q?J=C3=BCrgen?= <j@k>
        Subject: Re: [list] =?utf-8?q?Stra=C3=9Fe?= (fwd)
        Date: Mon, 2 Nov 2020 23:30:00 -0200
        Message-ID: <1@x>
        In-Reply-To: <0@x>
        References: <a@x>
         <b@x>
        Content-Type: text/plain

        Hello
        world

        """)

    private func keys(_ source: [UInt8]) -> MessageKeys {
        var parser = MessageParser()
        parser.feed(source[...])
        return MessageKeys(parser.finish().envelope)
    }

    private func ancestors(_ keys: MessageKeys) -> [String] {
        var found: [String] = []
        keys.forEachAncestor { found.append(text($0)) }
        return found
    }

    @Test("keys hold what SORT and THREAD compare, and are read back")
    func keys() throws {
        let made = keys(message)
        let keys = try #require(MessageKeys(([1, 2, 3] + made.bytes)[3...]))
        #expect(keys == made)
        #expect(text(keys.text(.subject)) == "Straße" && keys.isReply)
        #expect(text(keys.text(.from)) == "a" && text(keys.text(.displayFrom)) == "A. Uthor")
        #expect(text(keys.text(.to)) == "Group" && text(keys.text(.cc)) == "j")
        #expect(text(keys.text(.messageID)) == "1@x" && ancestors(keys) == ["a@x", "b@x"])
        #expect(keys.sentDate == 1_604_367_000 && keys.sentDay == 18_568)
        let many = self.keys(raw("References:" + (1...300).map { " <\($0)@x>\n" }.joined() + "\n"))
        #expect(
            ancestors(many).count == 200 && ancestors(many)[0] == "1@x" && ancestors(many)[1] == "102@x" && ancestors(many)[199] == "300@x")
        let bare = self.keys(raw("In-Reply-To: your mail <q@r> <s@t>\nDate: tomorrow\n\n"))
        #expect(bare.sentDate == nil && bare.sentDay == nil && !bare.isReply && ancestors(bare) == ["q@r"])
        #expect(MessageKeys.Text.allCases.allSatisfy { bare.text($0).isEmpty })
    }

    @Test("damaged keys are refused or read as something else")
    func damagedKeys() {
        let bytes = Array(keys(message).bytes)
        var state: UInt64 = 7
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                damaged[Int(state >> 40) % damaged.count] = UInt8(truncatingIfNeeded: state >> 32)
            }
            guard let keys = MessageKeys(damaged.prefix(Int(state >> 20) % (damaged.count + 1))) else { continue }
            for name in MessageKeys.Text.allCases { _ = keys.text(name) }
            _ = (ancestors(keys), keys.sentDate, keys.sentDay)
        }
        #expect(MessageKeys([]) == nil && MessageKeys(bytes[...].dropLast(40)) == nil)
    }

    @Test("a summary is what the whole message says, however it comes", arguments: [1, 7, 60, 100_000])
    func summary(step: Int) {
        var summarizer = MessageSummarizer()
        var rest = message[...]
        while !rest.isEmpty {
            summarizer.feed(rest.prefix(step))
            rest = rest.dropFirst(step)
        }
        let summary = summarizer.finish()
        var parser = MessageParser()
        parser.feed(message[...])
        let whole = parser.finish()
        #expect(summary.envelope == whole.envelopeText && summary.bodyStructure == whole.structureText(isExtended: true))
        #expect(summary.keys == keys(message))
        #expect(summary.preview.map { text($0) } == "Hello world")
        let fields = text(summary.fields ?? [])
        #expect(fields.hasPrefix("From: ") && fields.contains("References: <a@x>\n <b@x>\n") && !fields.contains("Received"))
    }

    @Test("what lies behind the head is left out, and not guessed")
    func behindTheHead() {
        let attachment = [UInt8](repeating: 0x61, count: 80_000)
        let start = raw("Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: application/x\n\n")
        var summarizer = MessageSummarizer()
        summarizer.feed((start + attachment + raw("\n--x\n\ntext\n--x--\n"))[...])
        let summary = summarizer.finish()
        #expect(summary.preview == nil && summary.fields != nil)
        var long = MessageSummarizer()
        long.feed((raw("Subject: ") + attachment + raw("\n\ntext\n"))[...])
        #expect(long.finish().fields == nil)
    }
}
