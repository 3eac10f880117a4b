import Deflate
import Foundation
import IMAPSyntax
import Testing

@testable import mail

@Suite("APPEND with parts, REPLACE", .serialized)
struct IMAPAppendTests {
    private static let source =
        "Subject: source\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"

    /// A client with the message above as UID 1 of INBOX, selected.
    private func start(_ mail: TestMail) throws -> TestClient {
        let client = try mail.connect()
        _ = client.line()
        #expect(client.run("APPEND INBOX {\(Self.source.utf8.count)+}\r\n\(Self.source)").last?.hasPrefix("OK") == true)
        client.run("CREATE Drafts")
        client.run("SELECT INBOX")
        return client
    }

    private func text(_ client: TestClient, _ number: Int) -> String {
        client.run("FETCH \(number) BODY.PEEK[]").dropFirst().dropLast().joined(separator: "\n")
    }

    @Test("CATENATE puts texts and parts of messages together")
    func catenate() throws {
        let mail = try TestMail()
        let client = try start(mail)
        let validity = try #require(between("UIDVALIDITY ", "]", in: client.run("SELECT INBOX")))
        let made = client.run(
            "APPEND Drafts (\\Draft) CATENATE (TEXT {16+}\r\nSubject: new\r\n\r\n URL \"/INBOX;UIDVALIDITY=\(validity)/;UID=1/;SECTION=1\""
                + " TEXT ~{3+}\r\n-\0- URL {37+}\r\n/INBOX/;UID=1/;SECTION=2/;PARTIAL=1.2 TEXT {2+}\r\n\r\n URL \";UID=1/;SECTION=HEADER\")"
        )
        #expect(made.last?.hasPrefix("OK [APPENDUID") == true, "\(made)")
        client.run("SELECT Drafts")
        #expect(client.run("FETCH 1 FLAGS").first?.contains("\\Draft") == true)
        let body = text(client, 1)
        #expect(body.hasPrefix("Subject: new\n\none-\u{FFFD}-wo\nSubject: source\nContent-Type") || body.contains("one-"), "\(body)")
        // No literal at all, and two messages at once.
        let two = client.run("APPEND Drafts CATENATE (URL \"/INBOX/;UID=1\") (\\Seen) {3+}\r\nabc")
        #expect(two.last?.hasPrefix("OK [APPENDUID") == true && two.last?.contains(" 2:3]") == true, "\(two)")
        #expect(client.run("APPEND Drafts CATENATE (URL \"/INBOX/;UID=1\")").last?.contains(" 4]") == true)
        #expect(client.run("FETCH 4 RFC822.SIZE").first == "* 4 FETCH (RFC822.SIZE \(Self.source.utf8.count))")
    }

    @Test("CATENATE refuses what leads to nothing, and stays in step")
    func badURLs() throws {
        let mail = try TestMail()
        let client = try start(mail)
        for url in [
            "/INBOX/;UID=9", "/nowhere/;UID=1", "/INBOX;UIDVALIDITY=1/;UID=1", "/INBOX/;UID=1/;SECTION=7", "imap://x/INBOX/;UID=1", "][",
        ] {
            let answer = client.run("APPEND Drafts CATENATE (TEXT {1+}\r\na URL \"\(url)\" TEXT {3+}\r\nabc)")
            #expect(answer.last?.hasPrefix("NO [BADURL ") == true, "\(url) \(answer)")
        }
        client.send("w APPEND Drafts CATENATE (URL \"/INBOX/;UID=9\" TEXT {3}\r\n")
        #expect(client.line()?.hasPrefix("w NO [BADURL") == true, "not invited")
        #expect(client.run("APPEND Drafts CATENATE ()").last?.hasPrefix("BAD") == true)
        #expect(client.run("APPEND Drafts CATENATE (TEXT {0+}\r\n)").last == "NO Can't save a zero byte message.")
        #expect(client.run("APPEND Drafts CATENATE (TEXT {1+}\r\na FOO {1+}\r\nb)").last?.hasPrefix("BAD") == true)
        #expect(client.run("APPEND Drafts CATENATE (TEXT {2+}\r\na\0)").last?.hasPrefix("BAD") == true)
        #expect(client.run("APPEND nowhere CATENATE (TEXT {1+}\r\na)").last?.hasPrefix("NO [TRYCREATE]") == true)
        #expect(client.run("APPEND Drafts").last?.hasPrefix("BAD") == true)
        #expect(client.run("STATUS Drafts (MESSAGES)").first == "* STATUS Drafts (MESSAGES 0)")
    }

    @Test("UTF8 takes a literal8 once it is enabled")
    func utf8() throws {
        let mail = try TestMail()
        let client = try start(mail)
        let message = "Subject: grüße\r\n\r\nx\r\n"
        let append = "APPEND Drafts (\\Seen) UTF8 (~{\(message.utf8.count)+}\r\n\(message))"
        #expect(client.run(append).last?.hasPrefix("BAD") == true)
        client.run("UNSELECT")
        #expect(client.run("ENABLE UTF8=ACCEPT").first == "* ENABLED UTF8=ACCEPT")
        #expect(client.run(append).last?.hasPrefix("OK [APPENDUID") == true)
        client.run("SELECT Drafts")
        #expect(client.run("SEARCH SUBJECT \"GRÜSSE\"").first == "* SEARCH", "ß is no ss")
        #expect(client.run("SEARCH SUBJECT \"GRÜßE\"").first == "* SEARCH 1")
        #expect(client.run("SEARCH CHARSET KOI8-R ALL").last?.hasPrefix("BAD") == true)
        #expect(client.run("CREATE \"ö\"").last?.hasPrefix("OK") == true)
        #expect(client.run("LIST \"\" \"ö\"").first == "* LIST (\\HasNoChildren) \".\" \"ö\"")
    }

    @Test("REPLACE saves the new message and removes the old one")
    func replace() throws {
        let mail = try TestMail()
        let client = try start(mail)
        client.append(sample)
        let answer = client.run("REPLACE 1 INBOX (\\Flagged) {4+}\r\nnew\n")
        #expect(answer.first?.hasPrefix("* OK [APPENDUID ") == true && answer.first?.hasSuffix(" 3] Replacement message ready.") == true)
        #expect(answer.contains("* 1 EXPUNGE") && answer.last == "OK Replace completed.")
        #expect(client.run("UID SEARCH ALL").first == "* SEARCH 2 3")
        let other = client.run("UID REPLACE 2 Drafts CATENATE (TEXT {1+}\r\na)")
        #expect(other.contains("* 1 EXPUNGE"))
        #expect(client.run("STATUS Drafts (MESSAGES)").first == "* STATUS Drafts (MESSAGES 1)")
        #expect(client.run("UID REPLACE 77 INBOX {1+}\r\na").last == "NO [NONEXISTENT] No such message.")
        #expect(client.run("REPLACE 9 INBOX {1+}\r\na").last?.hasPrefix("BAD") == true)
        #expect(client.run("REPLACE * nowhere {1+}\r\na").last?.hasPrefix("NO [TRYCREATE]") == true)
        #expect(client.run("REPLACE 1 INBOX {1+}\r\na {1+}\r\nb").last?.hasPrefix("BAD") == true, "one message only")
        #expect(client.run("UID SEARCH ALL").first == "* SEARCH 3", "nothing was lost")
        client.run("EXAMINE INBOX")
        #expect(client.run("REPLACE 1 INBOX {1+}\r\na").last?.hasPrefix("NO [READ-ONLY]") == true)
        client.run("UNSELECT")
        #expect(client.run("REPLACE 1 INBOX {1+}\r\na").last?.hasPrefix("BAD") == true)
    }

    @Test("PREVIEW shows the beginning of the text")
    func preview() throws {
        let mail = try TestMail()
        let client = try start(mail)
        client.append(
            "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<p>gr=FC=DFe <b>an</b> alle</p>\n")
        client.append("Content-Type: image/png\n\nxx\n")
        #expect(client.run("FETCH 1 PREVIEW").first == "* 1 FETCH (PREVIEW \"one\")")
        #expect(client.run("FETCH 2 PREVIEW").prefix(2) == ["* 2 FETCH (PREVIEW {15}", "grüße an alle)"])
        #expect(client.run("FETCH 3 PREVIEW").first == "* 3 FETCH (PREVIEW \"\")")
        #expect(client.run("FETCH 3 PREVIEW (LAZY)").first?.hasPrefix("* 3 FETCH (PREVIEW ") == true)
        #expect(client.run("FETCH 1 FLAGS").first?.contains("Seen") == false)
    }

    @Test("UIDONLY: no message numbers in either direction")
    func uidOnly() throws {
        let mail = try TestMail()
        let client = try start(mail)
        client.append(sample)
        client.append(sample)
        #expect(client.run("ENABLE UIDONLY").first == "* ENABLED UIDONLY")
        for command in [
            "FETCH 1 FLAGS", "STORE 1 FLAGS ()", "COPY 1 Drafts", "MOVE 1 Drafts", "SEARCH ALL", "UID SEARCH 1:2", "SORT (DATE) UTF-8 ALL",
            "THREAD REFS UTF-8 ALL", "REPLACE 1 INBOX {1+}\r\na",
        ] {
            #expect(client.run(command).last?.hasPrefix("BAD [UIDREQUIRED]") == true, "\(command)")
        }
        #expect(client.run("UID FETCH 2:* FLAGS").first == "* 2 UIDFETCH (UID 2 FLAGS (\\Recent))")
        #expect(client.run("UID STORE 1,3 +FLAGS (\\Deleted)").prefix(1) == ["* 1 UIDFETCH (UID 1 FLAGS (\\Deleted \\Recent))"])
        #expect(client.run("EXPUNGE") == ["* VANISHED 1,3", "OK Expunge completed."])
        #expect(client.run("UID SEARCH ALL").first == "* SEARCH 2")
        #expect(!client.run("SELECT INBOX").contains { $0.contains("UNSEEN") })
    }

    @Test("INPROGRESS: long commands say that they go on")
    func progress() throws {
        let mail = try TestMail()
        let client = try mail.connect { $0.progressMilliseconds = 0 }
        _ = client.line()
        client.append(sample)
        client.append(sample)
        client.run("SELECT INBOX")
        let answer = client.run("SEARCH SUBJECT Hello")
        #expect(answer.contains("* OK [INPROGRESS (\"t4\" 1 2)] Still working"))
        #expect(answer.suffix(2) == ["* SEARCH 1 2", "OK Search completed."])
        client.run("CREATE other")
        #expect(client.run("COPY 1:2 other").first == "* OK [INPROGRESS (\"t6\" 1 2)] Still working")
        #expect(client.run("MOVE 1:2 other").contains("* OK [INPROGRESS (\"t7\" 2 2)] Still working"))
    }
}

@Suite("COMPRESS", .serialized)
struct CompressTests {
    @Test("streams are taken apart in bounded pieces")
    func streams() throws {
        let deflater = try #require(Deflater())
        let inflater = try #require(Inflater())
        let text = [UInt8](repeating: 0x61, count: 1_000_000) + (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        var compressed: [UInt8] = []
        deflater.compress(text[...], into: &compressed)
        deflater.compress([0x62], into: &compressed)
        var output: [UInt8] = []
        for piece in stride(from: 0, to: compressed.count, by: 777) {
            inflater.feed(compressed[piece..<min(compressed.count, piece + 777)])
            while inflater.isWaiting {
                let before = output.count
                #expect(inflater.next(into: &output, atMost: 4_096))
                #expect(output.count - before <= 4_096)
            }
        }
        #expect(output == text + [0x62])
        let broken = try #require(Inflater())
        broken.feed([0xff, 0xff, 0xff, 0xff])
        #expect(!broken.next(into: &output, atMost: 100))
    }

    @Test("everything after the answer is compressed, both ways")
    func session() throws {
        let mail = try TestMail()
        let client = try mail.connect()
        _ = client.line()
        #expect(client.run("COMPRESS LZW").last?.hasPrefix("BAD") == true)
        client.send("p COMPRESS DEFLATE\r\nq NOOP\r\n")
        #expect(client.line()?.hasPrefix("p BAD") == true)
        #expect(client.line() == "q OK NOOP completed.")
        #expect(client.run("COMPRESS deflate") == ["OK DEFLATE active."])
        client.compress()
        #expect(client.run("COMPRESS DEFLATE").last?.hasPrefix("NO [COMPRESSIONACTIVE]") == true)
        let large = "Subject: x\n\n" + String(repeating: "line of text\n", count: 50_000)
        #expect(client.append(large).last?.hasPrefix("OK [APPENDUID") == true)
        client.run("SELECT INBOX")
        #expect(client.run("FETCH 1 BODY[]").count > 50_000)
        client.send("i IDLE\r\n")
        #expect(client.line() == "+ idling")
        client.send("DONE\r\n")
        #expect(client.line() == "i OK Idle completed.")
        client.sendRaw([0xff, 0xff, 0xff, 0xff, 0xff])
        #expect(client.result()?.end == .connectionClosed("broken compressed data"))
    }
}
