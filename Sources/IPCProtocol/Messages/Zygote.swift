/// What zygotes say to auth.
package enum ZygoteToAuth: Message {
    /// A new login worker: its end of a LoginToAuth channel.
    case attach(Attach)
    /// A ticket, for the user it stands for.
    case redeem(Redeem)

    package static var channel: String { "ZygoteToAuth" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .attach(Attach())
        case 2: .redeem(Redeem())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .attach: 1
        case .redeem: 2
        }
    }

    package var name: String {
        switch self {
        case .attach: "attach"
        case .redeem: "redeem"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .attach: 1
        default: 0
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .attach(var fields):
            try fields.visit(&visitor)
            self = .attach(fields)
        case .redeem(var fields):
            try fields.visit(&visitor)
            self = .redeem(fields)
        }
    }
}

/// What auth answers to a zygote.
package enum AuthToZygote: Message {
    /// The ticket was valid; it is used up.
    case user(UserRecord)
    /// Wrong, used, expired, or of another process.
    case unknownTicket
    /// The user database has no such user, or does not answer.
    case failed(LookupFailure)

    package static var channel: String { "AuthToZygote" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .user(UserRecord())
        case 2: .unknownTicket
        case 3: .failed(LookupFailure())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .user: 1
        case .unknownTicket: 2
        case .failed: 3
        }
    }

    package var name: String {
        switch self {
        case .user: "user"
        case .unknownTicket: "unknownTicket"
        case .failed: "failed"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .user(var fields):
            try fields.visit(&visitor)
            self = .user(fields)
        case .failed(var fields):
            try fields.visit(&visitor)
            self = .failed(fields)
        case .unknownTicket: break
        }
    }
}

/// A login worker.
package struct Attach: Fields {
    /// As fork told its zygote.
    package var pid: UInt32 = 0

    package init() {}

    package init(pid: UInt32) {
        self.pid = pid
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&pid, "pid")
    }
}

/// A ticket and the circumstances to which it is bound.
package struct Redeem: Fields {
    package var ticket: [UInt8] = []
    /// The login worker that handed the client over.
    package var pid: UInt32 = 0
    package var remoteAddress = ""

    package init() {}

    package init(ticket: [UInt8], pid: UInt32, remoteAddress: String) {
        self.ticket = ticket
        self.pid = pid
        self.remoteAddress = remoteAddress
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bytes(&ticket, "ticket", atMost: 16)
        try visitor.uint32(&pid, "pid")
        try visitor.text(&remoteAddress, "remoteAddress", atMost: 64)
    }
}

/// Everything a mail service needs to know of a user; templates are expanded.
package struct UserRecord: Fields {
    package var user = ""
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var home = ""
    package var mailDriver = ""
    package var mailPath = ""
    /// Empty: below mailPath.
    package var mailInboxPath = ""
    /// Empty: mailPath.
    package var mailControlPath = ""
    /// Empty: mailPath.
    package var mailIndexPath = ""
    /// `Maildir++` or `fs`.
    package var layout = ""
    /// SASL mechanism.
    package var method = ""
    /// Further fields, `name=value`.
    package var extra: [String] = []

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&user, "user", atMost: 255)
        try visitor.uint32(&uid, "uid")
        try visitor.uint32(&gid, "gid")
        try visitor.text(&home, "home", atMost: 4096)
        try visitor.text(&mailDriver, "mailDriver", atMost: 16)
        try visitor.text(&mailPath, "mailPath", atMost: 4096)
        try visitor.text(&mailInboxPath, "mailInboxPath", atMost: 4096)
        try visitor.text(&mailControlPath, "mailControlPath", atMost: 4096)
        try visitor.text(&mailIndexPath, "mailIndexPath", atMost: 4096)
        try visitor.text(&layout, "layout", atMost: 16)
        try visitor.text(&method, "method", atMost: 20)
        try visitor.texts(&extra, "extra", atMost: 32, size: 512)
    }
}

/// A failed lookup.
package struct LookupFailure: Fields {
    package var isTemporary: Bool = false
    package var reason = ""

    package init() {}

    package init(isTemporary: Bool, reason: String) {
        self.isTemporary = isTemporary
        self.reason = reason
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bool(&isTemporary, "isTemporary")
        try visitor.text(&reason, "reason", atMost: 512)
    }
}

/// What the zygote of a login service says to the zygote of a mail service.
package enum ZygoteToZygote: Message {
    /// A new login worker: its end of a LoginToMail channel.
    case attach(Attach)

    package static var channel: String { "ZygoteToZygote" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .attach(Attach())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .attach: 1
        }
    }

    package var name: String {
        switch self {
        case .attach: "attach"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .attach: 1
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .attach(var fields):
            try fields.visit(&visitor)
            self = .attach(fields)
        }
    }
}

/// What a zygote tells its worker.
package enum ZygoteToWorker: Message {
    /// A new connection to a listener.
    case client(ClientArrival)
    /// To a mail worker that is used again: the next session of the same user id.
    case session(AssignedSession)
    /// A fresh channel, after the peer was started again.
    case peer(Peer)
    /// All processes are full: give up the oldest client that has not logged in.
    case makeRoom
    /// No further clients will come: end with the last one.
    case retire
    /// End the session: the administrator wants it.
    case kick
    /// To a mail worker: login and anvil know of the session; talk to the client now.
    case begin

    package static var channel: String { "ZygoteToWorker" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .client(ClientArrival())
        case 2: .session(AssignedSession())
        case 3: .peer(Peer())
        case 4: .makeRoom
        case 5: .retire
        case 6: .kick
        case 7: .begin
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .client: 1
        case .session: 2
        case .peer: 3
        case .makeRoom: 4
        case .retire: 5
        case .kick: 6
        case .begin: 7
        }
    }

    package var name: String {
        switch self {
        case .client: "client"
        case .session: "session"
        case .peer: "peer"
        case .makeRoom: "makeRoom"
        case .retire: "retire"
        case .kick: "kick"
        case .begin: "begin"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .client, .session, .peer: 1
        default: 0
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .client(var fields):
            try fields.visit(&visitor)
            self = .client(fields)
        case .session(var fields):
            try fields.visit(&visitor)
            self = .session(fields)
        case .peer(var fields):
            try fields.visit(&visitor)
            self = .peer(fields)
        case .makeRoom, .retire, .kick, .begin: break
        }
    }
}

/// What a worker reports.
package enum WorkerToZygote: Message {
    /// Its clients, whenever a slot becomes free or the last one.
    case state(WorkerState)
    /// A mail worker that is used again: ready for the next session.
    case sessionEnded

    package static var channel: String { "WorkerToZygote" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .state(WorkerState())
        case 2: .sessionEnded
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .state: 1
        case .sessionEnded: 2
        }
    }

    package var name: String {
        switch self {
        case .state: "state"
        case .sessionEnded: "sessionEnded"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .state(var fields):
            try fields.visit(&visitor)
            self = .state(fields)
        case .sessionEnded: break
        }
    }
}

/// Which listener a connection came from.
package struct ClientArrival: Fields {
    /// Index in the order of the listener messages.
    package var listener: UInt8 = 0

    package init() {}

    package init(listener: UInt8) {
        self.listener = listener
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint8(&listener, "listener")
    }
}

/// A session for a worker that is used again.
package struct AssignedSession: Fields {
    package var user = UserRecord()
    package var handOver = HandOver()

    package init() {}

    package init(user: UserRecord, handOver: HandOver) {
        self.user = user
        self.handOver = handOver
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try user.visit(&visitor)
        try handOver.visit(&visitor)
    }
}

/// Clients of a worker.
package struct WorkerState: Fields {
    package var preLogin: UInt32 = 0
    package var proxies: UInt32 = 0
    /// Clients served so far.
    package var served: UInt32 = 0

    package init() {}

    package init(preLogin: UInt32, proxies: UInt32, served: UInt32) {
        self.preLogin = preLogin
        self.proxies = proxies
        self.served = served
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&preLogin, "preLogin")
        try visitor.uint32(&proxies, "proxies")
        try visitor.uint32(&served, "served")
    }
}
