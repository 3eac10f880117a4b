/// What services say to anvil; ids are the service's own.
package enum ServiceToAnvil: Message {
    /// May this session begin? Counts it at once.
    case admit(SessionRequest)
    /// The admitted session got its process.
    case started(SessionProcess)
    /// The session ended, or did not begin.
    case left(SessionID)
    /// A session that already runs: after anvil was started again.
    case announce(SessionRequest)
    /// A session of a dead predecessor; answered by adopted when anvil knows it.
    case adopt(ProcessID)
    /// How long must an authentication from this address wait?
    case penalty(AddressQuery)
    /// An authentication from this address failed or succeeded.
    case setPenalty(PenaltyUpdate)

    package static var channel: String { "ServiceToAnvil" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .admit(SessionRequest())
        case 2: .started(SessionProcess())
        case 3: .left(SessionID())
        case 4: .announce(SessionRequest())
        case 5: .adopt(ProcessID())
        case 6: .penalty(AddressQuery())
        case 7: .setPenalty(PenaltyUpdate())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .admit: 1
        case .started: 2
        case .left: 3
        case .announce: 4
        case .adopt: 5
        case .penalty: 6
        case .setPenalty: 7
        }
    }

    package var name: String {
        switch self {
        case .admit: "admit"
        case .started: "started"
        case .left: "left"
        case .announce: "announce"
        case .adopt: "adopt"
        case .penalty: "penalty"
        case .setPenalty: "setPenalty"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .admit(var fields):
            try fields.visit(&visitor)
            self = .admit(fields)
        case .started(var fields):
            try fields.visit(&visitor)
            self = .started(fields)
        case .left(var fields):
            try fields.visit(&visitor)
            self = .left(fields)
        case .announce(var fields):
            try fields.visit(&visitor)
            self = .announce(fields)
        case .adopt(var fields):
            try fields.visit(&visitor)
            self = .adopt(fields)
        case .penalty(var fields):
            try fields.visit(&visitor)
            self = .penalty(fields)
        case .setPenalty(var fields):
            try fields.visit(&visitor)
            self = .setPenalty(fields)
        }
    }
}

/// What anvil answers.
package enum AnvilToService: Message {
    /// The session counts.
    case admitted(SessionID)
    /// Too many sessions of this user and address.
    case overLimit(SessionOverLimit)
    /// The session of an adopted process; now yours.
    case adopted(SessionRequest)
    /// The penalty of the address, and its age.
    case penalty(PenaltyAnswer)

    package static var channel: String { "AnvilToService" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .admitted(SessionID())
        case 2: .overLimit(SessionOverLimit())
        case 3: .adopted(SessionRequest())
        case 4: .penalty(PenaltyAnswer())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .admitted: 1
        case .overLimit: 2
        case .adopted: 3
        case .penalty: 4
        }
    }

    package var name: String {
        switch self {
        case .admitted: "admitted"
        case .overLimit: "overLimit"
        case .adopted: "adopted"
        case .penalty: "penalty"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .admitted(var fields):
            try fields.visit(&visitor)
            self = .admitted(fields)
        case .overLimit(var fields):
            try fields.visit(&visitor)
            self = .overLimit(fields)
        case .adopted(var fields):
            try fields.visit(&visitor)
            self = .adopted(fields)
        case .penalty(var fields):
            try fields.visit(&visitor)
            self = .penalty(fields)
        }
    }
}

/// A session, by the number its service gave it.
package struct SessionID: Fields {
    package var id: UInt64 = 0

    package init() {}

    package init(id: UInt64) {
        self.id = id
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint64(&id, "id")
    }
}

/// A session.
package struct SessionRequest: Fields {
    package var id: UInt64 = 0
    /// 0: not yet known.
    package var pid: UInt32 = 0
    package var user = ""
    package var service = ""
    /// Remote address, empty: unknown.
    package var address = ""
    package var session = ""
    /// mail_max_userip_connections; 0: unlimited.
    package var limit: UInt32 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint64(&id, "id")
        try visitor.uint32(&pid, "pid")
        try visitor.text(&user, "user", atMost: 255)
        try visitor.text(&service, "service", atMost: 32)
        try visitor.text(&address, "address", atMost: 64)
        try visitor.text(&session, "session", atMost: 64)
        try visitor.uint32(&limit, "limit")
    }
}

/// Process of a session.
package struct SessionProcess: Fields {
    package var id: UInt64 = 0
    package var pid: UInt32 = 0

    package init() {}

    package init(id: UInt64, pid: UInt32) {
        self.id = id
        self.pid = pid
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint64(&id, "id")
        try visitor.uint32(&pid, "pid")
    }
}

/// A refused session.
package struct SessionOverLimit: Fields {
    package var id: UInt64 = 0
    package var count: UInt32 = 0

    package init() {}

    package init(id: UInt64, count: UInt32) {
        self.id = id
        self.count = count
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint64(&id, "id")
        try visitor.uint32(&count, "count")
    }
}

/// A remote address.
package struct AddressQuery: Fields {
    package var address = ""

    package init() {}

    package init(address: String) {
        self.address = address
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&address, "address", atMost: 64)
    }
}

/// New penalty of an address.
package struct PenaltyUpdate: Fields {
    package var address = ""
    /// 0…4 (auth.md 13).
    package var value: UInt8 = 0
    /// Of user and password: a repeated pair does not raise the penalty.
    package var checksum: UInt32 = 0

    package init() {}

    package init(address: String, value: UInt8, checksum: UInt32) {
        self.address = address
        self.value = value
        self.checksum = checksum
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&address, "address", atMost: 64)
        try visitor.uint8(&value, "value")
        try visitor.uint32(&checksum, "checksum")
    }
}

/// The penalty of an address.
package struct PenaltyAnswer: Fields {
    /// 0…4.
    package var value: UInt8 = 0
    /// Since its last change.
    package var secondsAgo: UInt32 = 0

    package init() {}

    package init(value: UInt8, secondsAgo: UInt32) {
        self.value = value
        self.secondsAgo = secondsAgo
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint8(&value, "value")
        try visitor.uint32(&secondsAgo, "secondsAgo")
    }
}

/// What the administrator's command asks of anvil.
package enum AdminToAnvil: Message {
    /// All sessions, then end.
    case sessions

    package static var channel: String { "AdminToAnvil" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .sessions
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .sessions: 1
        }
    }

    package var name: String {
        switch self {
        case .sessions: "sessions"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        // Nothing on this channel has fields.
    }
}

/// What anvil answers the administrator.
package enum AnvilToAdmin: Message {
    /// One session.
    case session(SessionRequest)
    /// No more.
    case end

    package static var channel: String { "AnvilToAdmin" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .session(SessionRequest())
        case 2: .end
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .session: 1
        case .end: 2
        }
    }

    package var name: String {
        switch self {
        case .session: "session"
        case .end: "end"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .session(var fields):
            try fields.visit(&visitor)
            self = .session(fields)
        case .end: break
        }
    }
}
