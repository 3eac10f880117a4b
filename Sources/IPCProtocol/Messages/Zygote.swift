/// What zygotes say to auth.
package enum ZygoteToAuth: Message {
    /// A new login worker: its end of a LoginToAuth channel.
    case attach(Attach)
    /// A ticket, for the user it stands for.
    case redeem(Redeem)

    package static var channel: String { "ZygoteToAuth" }
    package static var maximumFrame: Int { maximumFrameFromLogin }

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
    package static var maximumFrame: Int { maximumFrameFromLogin }

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
