internal import Base64
internal import IMAPSyntax
internal import ServiceKit

/// The IMAP protocol before login, as a value without I/O: bytes and answers go in, actions come out (RFC 9051 section 6.1–6.2).
struct IMAPDialogue {
    /// What its owner has to do.
    enum Action: Equatable {
        case send([UInt8])
        /// Answer sent; throw away what was read and begin the handshake.
        case startTLS
        case begin(mechanism: String, initial: [UInt8]?)
        case proceed([UInt8])
        case cancelExchange
        /// Nothing to do until something arrives.
        case wait
        case close(reason: String)
    }

    /// What the server offers on this connection.
    struct Offer: Equatable {
        /// What is true before login, without `CAPABILITY`. RFC 9051 section 7.2.2: IMAP4rev2 has to be among it; ENABLE, because a client
        /// may send it right behind its login.
        var capabilities = "IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE LITERAL+"
        var greeting = "Culver ready."
        /// The answer to ID.
        var serverID = "* ID (\"name\" \"Culver\")"
        /// In upper case.
        var mechanisms: [String] = ["PLAIN"]
        var canStartTLS = false
        var isTLS = false
        /// TLS, or client and server are one host.
        var isSecured = false
        var allowsCleartext = false
        /// ssl = required: no authentication at all on a connection that is not secured.
        var requiresTLS = false

        var permitsCleartext: Bool { isSecured || (allowsCleartext && !requiresTLS) }

        var capabilityLine: String {
            var words = capabilities
            if canStartTLS && !isTLS { words += " STARTTLS" }
            if permitsCleartext {
                for mechanism in mechanisms { words += " AUTH=\(mechanism)" }
            } else {
                words += " LOGINDISABLED"
            }
            return words
        }
    }

    private enum State: Equatable {
        case commands
        /// A SASL exchange is with auth.
        case verifying
        /// The client has to answer a challenge, or to send its initial response.
        case challenged(mechanism: String, isFirst: Bool)
        case handingOver
        case closed
    }

    private(set) var offer: Offer
    private var reader = CommandReader(limits: .preLogin)
    private var state = State.commands
    /// Tag of the command that is being answered.
    private(set) var tag: [UInt8] = []
    private(set) var askedCapability = false
    private(set) var attempts = 0
    private var badCommands = 0
    private var pending: [Action] = []
    private var hasRead = false

    init(offer: Offer) { self.offer = offer }

    // MARK: what happens

    mutating func greet() {
        reply("* OK [CAPABILITY \(offer.capabilityLine)] \(offer.greeting)")
    }

    mutating func feed(_ bytes: [UInt8]) {
        if !hasRead {
            hasRead = true
            if let stranger = Self.foreignProtocol(bytes) {
                end("Disconnected: \(stranger) spoken to an IMAP port")
                return
            }
        }
        reader.feed(bytes[...])
    }

    /// TLS is on: everything before it is forgotten, the capabilities change.
    mutating func secured() {
        reader.discardUnread()
        offer.isTLS = true
        offer.isSecured = true
        askedCapability = false
        state = .commands
    }

    mutating func challenged(_ data: [UInt8]) {
        guard case .verifying = state else { return }
        state = .challenged(mechanism: "", isFirst: false)
        pending.append(.send(Array("+ ".utf8) + Base64.encode(data) + [13, 10]))
    }

    /// The exchange failed, or auth ended in the middle of it; a failed code goes on, so that the client may try again.
    mutating func failed(code: String, reason: String) {
        switch state {
        case .verifying, .challenged(_, isFirst: false): state = .commands
        case .commands, .challenged, .handingOver, .closed: return
        }
        attempts += 1
        answer(Self.failure(code: code, reason: reason))
        // A locked account must not be told from a wrong password; only a failure of ours is not the client's.
        if attempts >= Self.maximumAttempts && code != "temp_fail" {
            end("Disconnected: Too many failed logins", bye: "Too many failed logins")
        }
    }

    /// The exchange succeeded: from now on the mail service answers `tag`.
    mutating func succeeded() { if state == .verifying { state = .handingOver } }

    /// The mail service could not take the client.
    mutating func refused(code: String, why: String) {
        guard state == .handingOver else { return }
        state = .commands
        answer("NO [\(code)] \(why)")
        if code == "LIMIT" { end(why, bye: nil) }
    }

    /// What the client sent behind its login command, for the mail process.
    var unread: [UInt8] { Array(reader.unread) }
    var isHandingOver: Bool { state == .handingOver }
    var isVerifying: Bool { state == .verifying }
    /// The client's turn: only then is anything read from it, so that what it sends ahead stays small.
    var wantsInput: Bool {
        switch state {
        case .commands, .challenged: true
        case .verifying, .handingOver, .closed: false
        }
    }
    var isAuthenticating: Bool {
        switch state {
        case .verifying, .challenged: true
        default: false
        }
    }

    // MARK: what to do next

    mutating func next() -> Action {
        while true {
            if !pending.isEmpty { return pending.removeFirst() }
            switch state {
            case .commands: if let action = readCommand() { return action }
            case .challenged(let mechanism, let isFirst): if let action = readResponse(mechanism, isFirst) { return action }
            case .verifying, .handingOver, .closed: return .wait
            }
        }
    }

    /// Says goodbye with a reason; for timeouts and a full service.
    mutating func end(_ reason: String, bye: String? = nil) {
        guard state != .closed else { return }
        if let bye { reply("* BYE \(bye)") }
        state = .closed
        pending.append(.close(reason: reason))
    }

    private mutating func readCommand() -> Action? {
        switch reader.next() {
        case .needMore: return .wait
        case .continuation: reply("+ OK")
        case .command(let raw): execute(raw)
        case .appendLiteral(let raw, _, _):
            reader.refuseLiteral()
            bad(raw.tagOrStar)
        case .overLimit(let limit):
            // Before login nobody has a reason to be that long.
            tag = limit.tag
            answer("BAD Command line or literal is too long")
            end("Input buffer full", bye: "Input buffer full, aborting")
        }
        return nil
    }

    private mutating func execute(_ raw: RawCommand) {
        var parser = CommandParser(raw, limits: .preLogin)
        do throws(SyntaxError) {
            tag = try parser.tag()
            let command = try parser.preLoginCommand()
            badCommands = 0
            perform(command)
        } catch {
            bad(raw.tagOrStar)
        }
    }

    private mutating func perform(_ command: PreLoginCommand) {
        switch command {
        case .capability:
            askedCapability = true
            reply("* CAPABILITY \(offer.capabilityLine)")
            answer("OK Pre-login capabilities listed, post-login capabilities have more.")
        case .noop: answer("OK NOOP completed.")
        case .logout:
            reply("* BYE Logging out")
            answer("OK Logout completed.")
            end("Aborted login by logging out")
        case .id:
            reply(offer.serverID)
            answer("OK ID completed.")
        case .startTLS: startTLS()
        case .login(let user, let password): login(user, password)
        case .authenticate(let mechanism, let initial):
            authenticate(String(decoding: mechanism, as: UTF8.self), initial)
        }
    }

    private mutating func startTLS() {
        guard offer.canStartTLS, !offer.isTLS else {
            answer(offer.isTLS ? "BAD TLS is already active." : "BAD TLS support isn't enabled.")
            return
        }
        // Bytes behind STARTTLS in one packet would be taken for commands inside TLS: an attack, not a mistake (security.md 7).
        guard reader.unread.isEmpty else {
            answer("BAD Plaintext commands after STARTTLS")
            end("Plaintext commands sent behind STARTTLS", bye: "Protocol error")
            return
        }
        answer("OK Begin TLS negotiation now.")
        pending.append(.startTLS)
    }

    private mutating func login(_ user: [UInt8], _ password: [UInt8]) {
        guard offer.permitsCleartext else { return refuseCleartext(passwordWasSent: true) }
        guard !user.contains(0), !password.contains(0) else { return bad(tag) }
        state = .verifying
        pending.append(.begin(mechanism: "PLAIN", initial: [0] + user + [0] + password))
    }

    private mutating func authenticate(_ mechanism: String, _ initial: [UInt8]?) {
        guard offer.permitsCleartext else { return refuseCleartext(passwordWasSent: initial != nil) }
        guard offer.mechanisms.contains(mechanism) else {
            answer("NO [AUTHENTICATIONFAILED] Unsupported authentication mechanism.")
            return
        }
        guard let initial else {
            // LOGIN speaks first on the server's side; auth knows the challenge.
            if mechanism == "LOGIN" {
                state = .verifying
                pending.append(.begin(mechanism: mechanism, initial: nil))
            } else {
                state = .challenged(mechanism: mechanism, isFirst: true)
                reply("+ ")
            }
            return
        }
        guard let decoded = Base64.decode(initial), decoded.count <= Limits.saslMessage else {
            answer("BAD Invalid base64 data in initial response")
            return
        }
        state = .verifying
        pending.append(.begin(mechanism: mechanism, initial: decoded))
    }

    private mutating func readResponse(_ mechanism: String, _ isFirst: Bool) -> Action? {
        switch reader.nextLine(atMost: Limits.saslLine) {
        case .needMore: return .wait
        case .overLimit:
            end("Authentication response too large", bye: "Authentication response too large")
            return isFirst ? nil : .cancelExchange
        case .line(let line):
            if line == [0x2a] {
                state = .commands
                answer("BAD Authentication aborted by client.")
                return isFirst ? nil : .cancelExchange
            }
            guard let data = Base64.decode(line), data.count <= Limits.saslMessage else {
                state = .commands
                answer("BAD Invalid base64 data in continued response")
                return isFirst ? nil : .cancelExchange
            }
            state = .verifying
            return isFirst ? .begin(mechanism: mechanism, initial: data) : .proceed(data)
        }
    }

    private mutating func refuseCleartext(passwordWasSent: Bool) {
        if passwordWasSent {
            reply(
                "* BAD [ALERT] Plaintext authentication not allowed without SSL/TLS, but your client did it anyway. "
                    + "If anyone was listening, the password was exposed.")
        }
        answer(
            offer.requiresTLS
                ? "NO [PRIVACYREQUIRED] Authentication not allowed until SSL/TLS is enabled."
                : "NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.")
    }

    private mutating func bad(_ tag: [UInt8]) {
        self.tag = tag
        badCommands += 1
        answer("BAD Error in IMAP command received by server.")
        if badCommands >= Limits.badCommandsBeforeLogin {
            end("Too many invalid commands", bye: "Too many invalid IMAP commands.")
        }
    }

    private mutating func answer(_ text: String) { pending.append(.send(tag + [0x20] + Array(ClientText.line(text).utf8) + [13, 10])) }
    private mutating func reply(_ line: String) { pending.append(.send(Array(ClientText.line(line).utf8) + [13, 10])) }

    /// Failed logins before the connection ends (security.md 6).
    static let maximumAttempts = 3

    /// What a client sees (auth.md 17).
    private static func failure(code: String, reason: String) -> String {
        func with(_ response: String, _ fallback: String) -> String {
            if reason.hasPrefix("[") { return "NO \(reason)" }
            return "NO [\(response)] \(reason.isEmpty ? fallback : reason)"
        }
        return switch code {
        case "temp_fail": with("UNAVAILABLE", "Temporary authentication failure.")
        case "authz_fail": with("AUTHORIZATIONFAILED", "Authorization failed")
        case "pass_expired": with("EXPIRED", "Authentication failed.")
        case "nologin": with("CONTACTADMIN", "Login disabled for this user")
        case "invalid_base64": "BAD \(reason.isEmpty ? "Invalid base64 data" : reason)"
        default: reason.isEmpty ? "NO [AUTHENTICATIONFAILED] Authentication failed." : with("ALERT", "")
        }
    }

    /// Browsers and mail servers that call the wrong port must not be taken for IMAP clients: their first line may carry a stranger's text.
    private static func foreignProtocol(_ bytes: [UInt8]) -> String? {
        for word in ["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS "] where bytes.starts(with: word.utf8) { return "HTTP" }
        for word in ["EHLO ", "HELO "] where bytes.starts(with: word.utf8) { return "SMTP" }
        return nil
    }
}
