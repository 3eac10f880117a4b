import Testing

@testable import login

/// Talks to a dialogue as a client, and reads what comes back as text: lines sent, other actions in angle brackets.
struct Talk {
    var dialogue: IMAPDialogue

    init(_ offer: IMAPDialogue.Offer = .open) { dialogue = IMAPDialogue(offer: offer) }

    /// Feeds text, then takes all actions.
    mutating func say(_ text: String) -> [String] {
        dialogue.feed(Array(text.utf8))
        return heard()
    }

    mutating func heard() -> [String] {
        var all: [String] = []
        while true {
            switch dialogue.next() {
            case .wait: return all
            case .send(let bytes): all.append(String(decoding: bytes.dropLast(2), as: UTF8.self))
            case .startTLS: all.append("<startTLS>")
            case .begin(let mechanism, let initial):
                all.append("<begin \(mechanism) \(initial.map { String(decoding: $0, as: UTF8.self) } ?? "nil")>")
            case .proceed(let data): all.append("<proceed \(String(decoding: data, as: UTF8.self))>")
            case .cancelExchange: all.append("<cancel>")
            case .close(let reason): all.append("<close \(reason)>")
            }
        }
    }
}

extension IMAPDialogue.Offer {
    /// Cleartext is allowed, no TLS.
    static var open: Self {
        var offer = Self()
        offer.allowsCleartext = true
        offer.mechanisms = ["PLAIN", "LOGIN"]
        return offer
    }
    /// TLS is there, and needed before a password.
    static var guarded: Self {
        var offer = Self()
        offer.canStartTLS = true
        return offer
    }
    static var required: Self {
        var offer = guarded
        offer.allowsCleartext = true
        offer.requiresTLS = true
        return offer
    }
    static var secured: Self {
        var offer = required
        offer.isTLS = true
        offer.isSecured = true
        return offer
    }
}

private let common = "IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE LITERAL+"
private let badCommand = "BAD Error in IMAP command received by server."

@Suite("What a server offers before login")
struct OfferTests {
    @Test(
        "depends on TLS and on what is allowed without it",
        arguments: [
            (.open, common + " AUTH=PLAIN AUTH=LOGIN"),
            (.guarded, common + " STARTTLS LOGINDISABLED"),
            (.required, common + " STARTTLS LOGINDISABLED"),
            (.secured, common + " AUTH=PLAIN"),
        ] as [(IMAPDialogue.Offer, String)])
    func capabilities(_ offer: IMAPDialogue.Offer, _ line: String) {
        var talk = Talk(offer)
        talk.dialogue.greet()
        #expect(talk.heard() == ["* OK [CAPABILITY \(line)] Culver ready."])
        #expect(!talk.dialogue.askedCapability)
        #expect(
            talk.say("1 capability\r\n")
                == ["* CAPABILITY \(line)", "1 OK Pre-login capabilities listed, post-login capabilities have more."])
        #expect(talk.dialogue.askedCapability)
    }

    @Test("counts one host as secured, without STARTTLS being taken away") func oneHost() {
        var offer = IMAPDialogue.Offer.guarded
        offer.isSecured = true
        #expect(offer.capabilityLine == common + " STARTTLS AUTH=PLAIN")
    }

    @Test("changes after STARTTLS, and the capabilities count as not asked for") func afterTLS() {
        var talk = Talk(.required)
        _ = talk.say("a CAPABILITY\r\n")
        #expect(talk.say("b STARTTLS\r\n") == ["b OK Begin TLS negotiation now.", "<startTLS>"])
        talk.dialogue.secured()
        #expect(!talk.dialogue.askedCapability)
        #expect(talk.say("c CAPABILITY\r\n").first == "* CAPABILITY \(common) AUTH=PLAIN")
        #expect(talk.say("d STARTTLS\r\n") == ["d BAD TLS is already active."])
        #expect(talk.say("e LOGIN a b\r\n") == ["<begin PLAIN \0a\0b>"])
    }
}

@Suite("A client before login")
struct CommandTests {
    @Test(
        "gets one answer for each command",
        arguments: [
            ("a NOOP\r\n", ["a OK NOOP completed."]),
            ("a noop\n", ["a OK NOOP completed."]),
            ("a ID NIL\r\n", ["* ID (\"name\" \"Culver\")", "a OK ID completed."]),
            ("a ID (\"name\" \"x\")\r\n", ["* ID (\"name\" \"Culver\")", "a OK ID completed."]),
            (
                "a LOGOUT\r\nb NOOP\r\n",
                ["* BYE Logging out", "a OK Logout completed.", "<close Aborted login by logging out>"]
            ),
            ("a STARTTLS\r\n", ["a BAD TLS support isn't enabled."]),
            ("a SELECT INBOX\r\n", ["a " + badCommand]),
            ("a NOOP x\r\n", ["a " + badCommand]),
            ("a\r\n", ["* " + badCommand]),
            ("\r\n", ["* " + badCommand]),
            ("a NO\0OP\r\n", ["a " + badCommand]),
            ("a NOOP\r\nb NOOP\r\n", ["a OK NOOP completed.", "b OK NOOP completed."]),
            ("a NOO", []),
            ("", []),
        ])
    func answers(_ input: String, _ expected: [String]) {
        var talk = Talk()
        #expect(talk.say(input) == expected)
    }

    @Test("may cut its commands anywhere") func pieces() {
        for size in 1...9 {
            var talk = Talk()
            var heard: [String] = []
            var rest = Array("a NOOP\r\nb LOGIN {3+}\r\nada {2}\r\nxy\r\n".utf8)[...]
            while !rest.isEmpty {
                heard += talk.say(String(decoding: rest.prefix(size), as: UTF8.self))
                rest = rest.dropFirst(size)
            }
            #expect(heard == ["a OK NOOP completed.", "+ OK", "<begin PLAIN \0ada\0xy>"])
        }
    }

    @Test("may err twice in a row, not three times") func badCommands() {
        var talk = Talk()
        for _ in 0..<3 {
            #expect(talk.say("a X\r\nb Y\r\nc NOOP\r\n") == ["a " + badCommand, "b " + badCommand, "c OK NOOP completed."])
        }
        #expect(
            talk.say("a X\r\nb Y\r\nc Z\r\nd NOOP\r\n") == [
                "a " + badCommand, "b " + badCommand, "c " + badCommand, "* BYE Too many invalid IMAP commands.",
                "<close Too many invalid commands>",
            ])
        #expect(talk.say("e NOOP\r\n") == [])
    }

    @Test(
        "is sent away at once when it speaks another protocol",
        arguments: [
            ("GET / HTTP/1.1\r\n", "HTTP"), ("POST /x HTTP/1.0\r\n", "HTTP"), ("HEAD / HTTP/1.1\r\n", "HTTP"), ("PUT /\r\n", "HTTP"),
            ("OPTIONS * HTTP/1.1\r\n", "HTTP"), ("EHLO x\r\n", "SMTP"), ("HELO x\r\n", "SMTP"),
        ])
    func foreign(_ input: String, _ name: String) {
        var talk = Talk()
        #expect(talk.say(input + "a NOOP\r\n") == ["<close Disconnected: \(name) spoken to an IMAP port>"])
    }

    @Test("may use such words as tags later") func laterWords() {
        var talk = Talk()
        _ = talk.say("a NOOP\r\n")
        #expect(talk.say("GET NOOP\r\n") == ["GET OK NOOP completed."])
    }

    @Test(
        "is cut off with a line or a literal over the limit",
        arguments: [
            "a LOGIN " + String(repeating: "x", count: 9_000) + " y\r\n",
            "a LOGIN {1025}\r\n", "a LOGIN {1025+}\r\n", "a LOGIN {99999999999999999999}\r\n",
            "a NOOP" + String(repeating: "x", count: 8_200),
        ])
    func limits(_ input: String) {
        var talk = Talk()
        let heard = talk.say(input)
        #expect(heard.contains("<close Input buffer full>") || heard.last?.hasSuffix(badCommand) == true, "\(heard)")
        #expect(!heard.contains { $0.hasPrefix("<begin") || $0.hasPrefix("+") })
    }

    @Test("never has the bytes of a refused literal taken for commands") func refusedLiteral() {
        var talk = Talk()
        let heard = talk.say("a LOGIN {2000+}\r\nb NOOP\r\n")
        #expect(!heard.contains { $0.hasPrefix("b ") })
        #expect(heard.last == "<close Input buffer full>")
    }
}

@Suite("STARTTLS")
struct StartTLSTests {
    @Test("closes when anything was sent behind it in clear", arguments: ["b NOOP\r\n", "x", "\r\n"])
    func pipelined(_ behind: String) {
        var talk = Talk(.guarded)
        #expect(
            talk.say("a STARTTLS\r\n" + behind) == [
                "a BAD Plaintext commands after STARTTLS", "* BYE Protocol error", "<close Plaintext commands sent behind STARTTLS>",
            ])
    }

    @Test("forgets what was begun before it") func forgets() {
        var talk = Talk(.guarded)
        _ = talk.say("a STARTTLS\r\n")
        talk.dialogue.feed(Array("b LOG".utf8))
        talk.dialogue.secured()
        #expect(talk.say("c NOOP\r\n") == ["c OK NOOP completed."])
    }

    @Test(
        "is needed before a password where cleartext is refused; a password that was sent anyway is told of",
        arguments: [
            (.guarded, "Plaintext authentication disallowed on non-secure (SSL/TLS) connections."),
            (.required, "Authentication not allowed until SSL/TLS is enabled."),
        ] as [(IMAPDialogue.Offer, String)])
    func refused(_ offer: IMAPDialogue.Offer, _ text: String) {
        var talk = Talk(offer)
        let alert =
            "* BAD [ALERT] Plaintext authentication not allowed without SSL/TLS, but your client did it anyway. "
            + "If anyone was listening, the password was exposed."
        #expect(talk.say("a LOGIN u p\r\n") == [alert, "a NO [PRIVACYREQUIRED] \(text)"])
        #expect(talk.say("b AUTHENTICATE PLAIN AGEAYg==\r\n") == [alert, "b NO [PRIVACYREQUIRED] \(text)"])
        #expect(talk.say("c AUTHENTICATE PLAIN\r\n") == ["c NO [PRIVACYREQUIRED] \(text)"])
    }
}

@Suite("Logging in")
struct ExchangeTests {
    @Test(
        "begins an exchange",
        arguments: [
            ("a LOGIN u p\r\n", ["<begin PLAIN \0u\0p>"]),
            ("a LOGIN \"u v\" \"p\\\"q\"\r\n", ["<begin PLAIN \0u v\0p\"q>"]),
            ("a LOGIN \"\" \"\"\r\n", ["<begin PLAIN \0\0>"]),
            ("a LOGIN {1+}\r\nu {1+}\r\np\r\n", ["<begin PLAIN \0u\0p>"]),
            ("a AUTHENTICATE PLAIN AHUAcA==\r\n", ["<begin PLAIN \0u\0p>"]),
            ("a authenticate plain =\r\n", ["<begin PLAIN >"]),
            ("a AUTHENTICATE PLAIN\r\nAHUAcA==\r\n", ["+ ", "<begin PLAIN \0u\0p>"]),
            ("a AUTHENTICATE PLAIN\r\n\r\n", ["+ ", "<begin PLAIN >"]),
            ("a AUTHENTICATE PLAIN\r\n", ["+ "]),
            ("a AUTHENTICATE LOGIN\r\n", ["<begin LOGIN nil>"]),
            ("a AUTHENTICATE LOGIN dXNlcg==\r\n", ["<begin LOGIN user>"]),
            ("a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n", ["+ ", "a BAD Authentication aborted by client.", "b OK NOOP completed."]),
            (
                "a AUTHENTICATE PLAIN\r\n!!!!\r\nb NOOP\r\n",
                ["+ ", "a BAD Invalid base64 data in continued response", "b OK NOOP completed."]
            ),
            ("a AUTHENTICATE PLAIN A===\r\n", ["a BAD Invalid base64 data in initial response"]),
            ("a AUTHENTICATE PLAIN AHUA\r\nb NOOP\r\n", ["<begin PLAIN \0u\0>"]),
            ("a AUTHENTICATE SCRAM-SHA-1\r\n", ["a NO [AUTHENTICATIONFAILED] Unsupported authentication mechanism."]),
            ("a AUTHENTICATE\r\n", ["a " + badCommand]),
            ("a AUTHENTICATE PLAIN !\r\n", ["a " + badCommand]),
            ("a LOGIN u\r\n", ["a " + badCommand]),
            ("a LOGIN u p x\r\n", ["a " + badCommand]),
            ("a LOGIN \"u\0\" p\r\n", ["a " + badCommand]),
        ])
    func begins(_ input: String, _ expected: [String]) {
        var talk = Talk()
        #expect(talk.say(input) == expected)
    }

    @Test("goes on with challenges, and the client may give up") func challenges() {
        var talk = Talk()
        _ = talk.say("a AUTHENTICATE LOGIN\r\n")
        talk.dialogue.challenged(Array("Username:".utf8))
        #expect(talk.heard() == ["+ VXNlcm5hbWU6"])
        #expect(talk.say("dXNlcg==\r\n") == ["<proceed user>"])
        #expect(talk.dialogue.isVerifying)
        talk.dialogue.challenged([])
        #expect(talk.heard() == ["+ "])
        #expect(talk.say("*\r\n") == ["<cancel>", "a BAD Authentication aborted by client."])
        #expect(!talk.dialogue.isAuthenticating)
        #expect(talk.say("b NOOP\r\n").last == "b OK NOOP completed.")
    }

    @Test("ends with a response that is no base64, after a challenge too") func badResponse() {
        var talk = Talk()
        _ = talk.say("a AUTHENTICATE LOGIN\r\n")
        talk.dialogue.challenged([])
        _ = talk.heard()
        let heard = talk.say("not base64\r\nb NOOP\r\n")
        #expect(Set(heard) == ["<cancel>", "a BAD Invalid base64 data in continued response", "b OK NOOP completed."])
        #expect(heard.last == "b OK NOOP completed.")
    }

    @Test("takes a response of 12 KiB and no more") func responseLimit() {
        for (count, isFine) in [(12_288, true), (12_289, false), (60_000, false)] {
            var talk = Talk()
            _ = talk.say("a AUTHENTICATE PLAIN\r\n")
            let line = String(repeating: "AAAA", count: count / 3) + (count % 3 == 1 ? "AA==" : "")
            let heard = talk.say(line + "\r\n")
            #expect(heard.contains { $0.hasPrefix("<begin") } == isFine, "\(count)")
            var initial = Talk()
            let begun = initial.say("a AUTHENTICATE PLAIN \(line)\r\n")
            #expect(begun.contains { $0.hasPrefix("<begin") } == isFine, "\(count)")
        }
        var endless = Talk()
        _ = endless.say("a AUTHENTICATE PLAIN\r\n")
        #expect(endless.say(String(repeating: "A", count: 20_000)).last == "<close Authentication response too large>")
    }

    @Test("keeps what was sent behind the login for the mail service") func pipelining() {
        var talk = Talk()
        #expect(talk.say("a LOGIN u p\r\nb SELECT INBOX\r\nc ID") == ["<begin PLAIN \0u\0p>"])
        #expect(talk.say("LE\r\n") == [])
        talk.dialogue.succeeded()
        #expect(talk.heard() == [] && talk.dialogue.isHandingOver)
        #expect(talk.dialogue.unread == Array("b SELECT INBOX\r\nc IDLE\r\n".utf8))
        #expect(talk.dialogue.tag == Array("a".utf8))
    }

    @Test("that failed goes on with what was sent behind it") func failedPipelining() {
        var talk = Talk()
        _ = talk.say("a LOGIN u p\r\nb NOOP\r\n")
        talk.dialogue.failed(code: "", reason: "")
        #expect(talk.heard() == ["a NO [AUTHENTICATIONFAILED] Authentication failed.", "b OK NOOP completed."])
    }

    @Test(
        "that failed is told as auth.md 17 says",
        arguments: [
            ("", "", "NO [AUTHENTICATIONFAILED] Authentication failed."),
            ("user_disabled", "", "NO [AUTHENTICATIONFAILED] Authentication failed."),
            ("", "Account is locked", "NO [ALERT] Account is locked"),
            ("user_disabled", "Pay your bill", "NO [ALERT] Pay your bill"),
            ("", "[OVERQUOTA] No", "NO [OVERQUOTA] No"),
            ("temp_fail", "", "NO [UNAVAILABLE] Temporary authentication failure."),
            ("authz_fail", "", "NO [AUTHORIZATIONFAILED] Authorization failed"),
            ("authz_fail", "Not you", "NO [AUTHORIZATIONFAILED] Not you"),
            ("pass_expired", "", "NO [EXPIRED] Authentication failed."),
            ("pass_expired", "Old", "NO [EXPIRED] Old"),
            ("nologin", "", "NO [CONTACTADMIN] Login disabled for this user"),
            ("nologin", "Closed", "NO [CONTACTADMIN] Closed"),
            ("invalid_base64", "", "BAD Invalid base64 data"),
            ("unheard_of", "", "NO [AUTHENTICATIONFAILED] Authentication failed."),
        ])
    func failures(_ code: String, _ reason: String, _ text: String) {
        var talk = Talk()
        _ = talk.say("t1 LOGIN u p\r\n")
        talk.dialogue.failed(code: code, reason: reason)
        #expect(talk.heard() == ["t1 " + text])
    }

    @Test("may fail three times; the same for a locked account", arguments: ["", "user_disabled", "pass_expired"])
    func attempts(_ code: String) {
        var talk = Talk()
        for attempt in 1...3 {
            _ = talk.say("a LOGIN u p\r\n")
            talk.dialogue.failed(code: code, reason: "")
            let heard = talk.heard()
            #expect(talk.dialogue.attempts == attempt)
            #expect(heard.count == (attempt == 3 ? 3 : 1))
            if attempt == 3 {
                #expect(heard.dropFirst() == ["* BYE Too many failed logins", "<close Disconnected: Too many failed logins>"])
            }
        }
    }

    @Test("is not the client's fault when auth is away") func temporary() {
        var talk = Talk()
        for _ in 0..<6 {
            #expect(talk.say("a LOGIN u p\r\n") == ["<begin PLAIN \0u\0p>"])
            talk.dialogue.failed(code: "temp_fail", reason: "")
            #expect(talk.heard() == ["a NO [UNAVAILABLE] Temporary authentication failure."])
        }
    }

    @Test("is told when auth ends between challenge and response") func lostAuth() {
        var talk = Talk()
        _ = talk.say("a AUTHENTICATE LOGIN\r\n")
        talk.dialogue.challenged([])
        _ = talk.heard()
        talk.dialogue.failed(code: "temp_fail", reason: "")
        #expect(talk.heard() == ["a NO [UNAVAILABLE] Temporary authentication failure."])
        #expect(talk.say("b NOOP\r\n") == ["b OK NOOP completed."])
    }

    @Test("that the mail service refuses goes on, but not over a limit", arguments: [("UNAVAILABLE", false), ("LIMIT", true)])
    func refused(_ code: String, _ closes: Bool) {
        var talk = Talk()
        _ = talk.say("a LOGIN u p\r\n")
        talk.dialogue.succeeded()
        talk.dialogue.refused(code: code, why: "why")
        #expect(talk.heard() == ["a NO [\(code)] why"] + (closes ? ["<close why>"] : []))
        #expect(talk.say("b NOOP\r\n") == (closes ? [] : ["b OK NOOP completed."]))
    }
}

/// Answers of auth and of the mail service count only in the state that waits for them.
@Suite("An answer at the wrong time")
struct WrongStateTests {
    enum Answer: CaseIterable { case challenge, failure, success, refusal }
    enum State: CaseIterable { case commands, challenged, handingOver, closed }

    @Test("changes nothing", arguments: State.allCases, Answer.allCases)
    func ignored(_ state: State, _ answer: Answer) {
        if state == .handingOver && answer == .refusal { return }
        var talk = Talk()
        switch state {
        case .commands: break
        case .challenged: _ = talk.say("a AUTHENTICATE PLAIN\r\n")
        case .handingOver:
            _ = talk.say("a LOGIN u p\r\n")
            talk.dialogue.succeeded()
        case .closed: _ = talk.say("a LOGOUT\r\n")
        }
        switch answer {
        case .challenge: talk.dialogue.challenged([1])
        case .failure: talk.dialogue.failed(code: "", reason: "")
        case .success: talk.dialogue.succeeded()
        case .refusal: talk.dialogue.refused(code: "LIMIT", why: "")
        }
        #expect(talk.heard() == [])
        #expect(talk.dialogue.isHandingOver == (state == .handingOver) && !talk.dialogue.isVerifying)
        #expect(talk.dialogue.attempts == 0)
    }

    @Test("of a client does nothing while auth or the mail service has it", arguments: [false, true])
    func client(_ isHandingOver: Bool) {
        var talk = Talk()
        _ = talk.say("a LOGIN u p\r\n")
        if isHandingOver { talk.dialogue.succeeded() }
        for input in ["*\r\n", "b LOGOUT\r\n", "c LOGIN x y\r\n", "GET / HTTP/1.0\r\n"] { #expect(talk.say(input) == []) }
    }

    @Test("of anybody does not follow the end, which is told once") func end() {
        var talk = Talk()
        talk.dialogue.end("why", bye: "Disconnected for inactivity.")
        talk.dialogue.end("again", bye: "x")
        #expect(talk.heard() == ["* BYE Disconnected for inactivity.", "<close why>"])
        #expect(talk.say("a NOOP\r\n") == [])
    }
}

@Suite("Any bytes before login")
struct DialogueFuzzTests {
    private static let pieces = [
        "a", " ", "\r\n", "\n", "\r", "LOGIN ", "AUTHENTICATE ", "PLAIN", "LOGIN", "STARTTLS", "NOOP", "ID ", "(", ")", "NIL", "\"", "\\",
        "{3}", "{3+}", "{1024+}", "{4294967296}", "{99999999999999999999}", "*", "=", "AGEAYg==", "\0", "\u{ff}", "CAPABILITY", "GET /",
    ]

    @Test("neither crash the dialogue nor keep it busy, and it says nothing after its end") func random() {
        for _ in 0..<4_000 {
            var offer = IMAPDialogue.Offer.open
            offer.canStartTLS = Bool.random()
            var talk = Talk(offer)
            var isClosed = false
            for _ in 0..<Int.random(in: 1...12) {
                let text = (0..<Int.random(in: 0...8)).map { _ in Self.pieces.randomElement() ?? "" }.joined()
                let heard = talk.say(text)
                #expect(!isClosed || heard.isEmpty)
                #expect(heard.count <= 40)
                isClosed = isClosed || heard.contains { $0.hasPrefix("<close") }
                switch Int.random(in: 0..<8) {
                case 0: talk.dialogue.challenged([1, 2])
                case 1: talk.dialogue.failed(code: "", reason: "")
                case 2: talk.dialogue.succeeded()
                case 3: talk.dialogue.refused(code: "UNAVAILABLE", why: "x")
                case 4: if heard.last == "<startTLS>" { talk.dialogue.secured() }
                default: break
                }
                if !isClosed { isClosed = talk.heard().contains { $0.hasPrefix("<close") } }
            }
        }
    }

    @Test("and anything auth may say keep its rules") func bytes() {
        for _ in 0..<4_000 {
            var input: [UInt8] = [.random(in: 0...7)]
            for _ in 0..<Int.random(in: 1...12) {
                for _ in 0..<Int.random(in: 0...8) { input += (Self.pieces.randomElement() ?? "").utf8 }
                input += [.random(in: 1...8), 0]
            }
            #expect(fuzzDialogue(input), "\(input)")
        }
    }
}

@Suite("Text from elsewhere in an answer")
struct ForeignTextTests {
    @Test(
        "stays within its line",
        arguments: [
            "Closed\r\na OK LOGIN", "Closed\na OK LOGIN", "Closed\ra OK LOGIN", "Closed\0a OK LOGIN", "Closed\u{85}a OK LOGIN",
            "Closed\u{2028}a OK LOGIN",
        ])
    func oneLine(_ reason: String) {
        var dialogue = IMAPDialogue(offer: .init(allowsCleartext: true))
        dialogue.feed(Array("a LOGIN u p\r\n".utf8))
        _ = dialogue.next()
        dialogue.failed(code: "nologin", reason: reason)
        guard case .send(let bytes) = dialogue.next() else { Issue.record("no answer"); return }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("a NO [CONTACTADMIN] Closed ") && text.hasSuffix("a OK LOGIN\r\n"))
        #expect(bytes.count { $0 == 13 || $0 == 10 } == 2 && !bytes.contains(0))
    }
}
