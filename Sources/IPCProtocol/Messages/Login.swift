/// Everything login may say to auth; a frame of any other shape ends the channel.
package enum LoginToAuth: Message {
    /// A client wants to authenticate; the request id names the exchange.
    case begin(BeginExchange)
    /// The client's answer to a challenge.
    case proceed(SASLData)
    /// The client gave up or left.
    case cancel

    package static var channel: String { "LoginToAuth" }
    package static var maximumFrame: Int { maximumFrameFromLogin }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .begin(BeginExchange())
        case 2: .proceed(SASLData())
        case 3: .cancel
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .begin: 1
        case .proceed: 2
        case .cancel: 3
        }
    }

    package var name: String {
        switch self {
        case .begin: "begin"
        case .proceed: "proceed"
        case .cancel: "cancel"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .begin(var fields):
            try fields.visit(&visitor)
            self = .begin(fields)
        case .proceed(var fields):
            try fields.visit(&visitor)
            self = .proceed(fields)
        case .cancel: break
        }
    }
}

/// What auth answers: no uid, no home, no path.
package enum AuthToLogin: Message {
    /// To be sent to the client.
    case challenge(SASLData)
    /// The exchange failed; the delay has already passed.
    case failed(AuthFailure)
    /// The exchange succeeded; the ticket is for the mail service.
    case succeeded(AuthSuccess)

    package static var channel: String { "AuthToLogin" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .challenge(SASLData())
        case 2: .failed(AuthFailure())
        case 3: .succeeded(AuthSuccess())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .challenge: 1
        case .failed: 2
        case .succeeded: 3
        }
    }

    package var name: String {
        switch self {
        case .challenge: "challenge"
        case .failed: "failed"
        case .succeeded: "succeeded"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .challenge(var fields):
            try fields.visit(&visitor)
            self = .challenge(fields)
        case .failed(var fields):
            try fields.visit(&visitor)
            self = .failed(fields)
        case .succeeded(var fields):
            try fields.visit(&visitor)
            self = .succeeded(fields)
        }
    }
}

/// The two ends of a client's connection.
package struct ConnectionInfo: Fields {
    /// Numeric address of the client.
    package var remoteAddress = ""
    package var remotePort: UInt16 = 0
    package var localAddress = ""
    package var localPort: UInt16 = 0

    package init() {}

    package init(remoteAddress: String, remotePort: UInt16, localAddress: String, localPort: UInt16) {
        self.remoteAddress = remoteAddress
        self.remotePort = remotePort
        self.localAddress = localAddress
        self.localPort = localPort
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&remoteAddress, "remoteAddress", atMost: 64)
        try visitor.uint16(&remotePort, "remotePort")
        try visitor.text(&localAddress, "localAddress", atMost: 64)
        try visitor.uint16(&localPort, "localPort")
    }
}

/// Start of a SASL exchange.
package struct BeginExchange: Fields {
    package var mechanism = ""
    /// Protocol word: `imap`.
    package var service = ""
    package var session = ""
    package var connection = ConnectionInfo()
    /// The ends of the connection as the kernel knows them; other than `connection` behind a proxy that speaks the PROXY protocol.
    package var realConnection = ConnectionInfo()
    /// TLS, or client and server are one host.
    package var isSecured: Bool = false
    package var isTLS: Bool = false
    /// Name the client asked for in TLS (SNI).
    package var localName = ""
    /// An absent and an empty response are different things (RFC 4954).
    package var hasInitialResponse: Bool = false
    /// Decoded.
    package var initialResponse: [UInt8] = []

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&mechanism, "mechanism", atMost: 20)
        try visitor.text(&service, "service", atMost: 32)
        try visitor.text(&session, "session", atMost: 64)
        try connection.visit(&visitor)
        try realConnection.visit(&visitor)
        try visitor.bool(&isSecured, "isSecured")
        try visitor.bool(&isTLS, "isTLS")
        try visitor.text(&localName, "localName", atMost: 255)
        try visitor.bool(&hasInitialResponse, "hasInitialResponse")
        try visitor.bytes(&initialResponse, "initialResponse", atMost: 12288)
    }
}

/// One message of a SASL exchange, decoded.
package struct SASLData: Fields {
    package var data: [UInt8] = []

    package init() {}

    package init(data: [UInt8]) {
        self.data = data
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bytes(&data, "data", atMost: 12288)
    }
}

/// Why the exchange failed.
package struct AuthFailure: Fields {
    /// Empty, or temp_fail, authz_fail, user_disabled, pass_expired, invalid_base64, nologin (auth.md 3.3).
    package var code = ""
    /// Text for the client; empty: the usual one.
    package var reason = ""
    /// Name as far as known, for the log.
    package var user = ""

    package init() {}

    package init(code: String, reason: String, user: String) {
        self.code = code
        self.reason = reason
        self.user = user
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&code, "code", atMost: 32)
        try visitor.text(&reason, "reason", atMost: 512)
        try visitor.text(&user, "user", atMost: 255)
    }
}

/// A passed authentication.
package struct AuthSuccess: Fields {
    /// 128 random bits, single use, 60 s.
    package var ticket: [UInt8] = []
    /// For the log and the title.
    package var user = ""

    package init() {}

    package init(ticket: [UInt8], user: String) {
        self.ticket = ticket
        self.user = user
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bytes(&ticket, "ticket", atMost: 16)
        try visitor.text(&user, "user", atMost: 255)
    }
}

/// What login says to the zygote of the mail service.
package enum LoginToMail: Message {
    /// A logged-in client: the descriptor is the client's, or the plain side of the TLS proxy.
    case handOver(HandOver)

    package static var channel: String { "LoginToMail" }
    package static var maximumFrame: Int { maximumFrameFromLogin }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .handOver(HandOver())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .handOver: 1
        }
    }

    package var name: String {
        switch self {
        case .handOver: "handOver"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .handOver: 1
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .handOver(var fields):
            try fields.visit(&visitor)
            self = .handOver(fields)
        }
    }
}

/// What the zygote of the mail service answers to a hand-over.
package enum MailToLogin: Message {
    /// A worker serves the client now.
    case accepted(Accepted)
    /// The service is full; the client waits.
    case queued(Queued)
    /// The client cannot be served.
    case refused(Refused)

    package static var channel: String { "MailToLogin" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .accepted(Accepted())
        case 2: .queued(Queued())
        case 3: .refused(Refused())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .accepted: 1
        case .queued: 2
        case .refused: 3
        }
    }

    package var name: String {
        switch self {
        case .accepted: "accepted"
        case .queued: "queued"
        case .refused: "refused"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .accepted(var fields):
            try fields.visit(&visitor)
            self = .accepted(fields)
        case .queued(var fields):
            try fields.visit(&visitor)
            self = .queued(fields)
        case .refused(var fields):
            try fields.visit(&visitor)
            self = .refused(fields)
        }
    }
}

/// A client with its ticket.
package struct HandOver: Fields {
    package var ticket: [UInt8] = []
    /// Tag of the command to be answered.
    package var tag: [UInt8] = []
    package var session = ""
    package var connection = ConnectionInfo()
    package var isSecured: Bool = false
    package var isTLS: Bool = false
    /// The client has not asked for CAPABILITY: send it with the tagged OK.
    package var wantsCapability: Bool = false
    /// What the client sent after its last command.
    package var input: [UInt8] = []
    /// Monotonic clock when login sent this frame, to measure the hand-over.
    package var startedNanoseconds: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bytes(&ticket, "ticket", atMost: 16)
        try visitor.bytes(&tag, "tag", atMost: 64)
        try visitor.text(&session, "session", atMost: 64)
        try connection.visit(&visitor)
        try visitor.bool(&isSecured, "isSecured")
        try visitor.bool(&isTLS, "isTLS")
        try visitor.bool(&wantsCapability, "wantsCapability")
        try visitor.bytes(&input, "input", atMost: 8192)
        try visitor.uint64(&startedNanoseconds, "startedNanoseconds")
    }
}

/// Who serves the client.
package struct Accepted: Fields {
    package var pid: UInt32 = 0

    package init() {}

    package init(pid: UInt32) {
        self.pid = pid
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&pid, "pid")
    }
}

/// Where the client stands.
package struct Queued: Fields {
    package var position: UInt32 = 0
    /// Limit, value, and what to raise.
    package var why = ""

    package init() {}

    package init(position: UInt32, why: String) {
        self.position = position
        self.why = why
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&position, "position")
        try visitor.text(&why, "why", atMost: 512)
    }
}

/// Why the client is not served.
package struct Refused: Fields {
    /// IMAP response code: UNAVAILABLE, LIMIT, CONTACTADMIN …
    package var code = ""
    /// For the client.
    package var why = ""
    /// For the log: service, limit, value, what to raise.
    package var logText = ""

    package init() {}

    package init(code: String, why: String, logText: String) {
        self.code = code
        self.why = why
        self.logText = logText
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&code, "code", atMost: 16)
        try visitor.text(&why, "why", atMost: 512)
        try visitor.text(&logText, "logText", atMost: 1024)
    }
}
