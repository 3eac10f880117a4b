/// What a zygote tells its worker.
package enum ZygoteToWorker: Message {
    /// A new connection to a listener.
    case client(ClientArrival)
    /// To a mail worker that is used again: the next session of the same user id.
    case session(AssignedSession)
    /// A fresh channel, after the peer was started again; to a mail worker: to the watcher of its user id; to that watcher: of a worker.
    case peer(Peer)
    /// All processes are full: give up the oldest client that has not logged in.
    case makeRoom
    /// No further clients will come: end with the last one.
    case retire
    /// To a mail worker: login and anvil know of the session; talk to the client now.
    case begin
    /// Answer to `watchWanted`: few sessions of this user id run, an inotify instance of its own is no harm.
    case watchYourself

    package static var channel: String { "ZygoteToWorker" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .client(ClientArrival())
        case 2: .session(AssignedSession())
        case 3: .peer(Peer())
        case 4: .makeRoom
        case 5: .retire
        case 6: .begin
        case 7: .watchYourself
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
        case .begin: 6
        case .watchYourself: 7
        }
    }

    package var name: String {
        switch self {
        case .client: "client"
        case .session: "session"
        case .peer: "peer"
        case .makeRoom: "makeRoom"
        case .retire: "retire"
        case .begin: "begin"
        case .watchYourself: "watchYourself"
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
        case .makeRoom, .retire, .begin, .watchYourself: break
        }
    }
}

/// What a worker reports.
package enum WorkerToZygote: Message {
    /// Its clients, whenever a slot becomes free or the last one.
    case state(WorkerState)
    /// A mail worker that is used again: ready for the next session.
    case sessionEnded
    /// A mail worker's first report: it works. What fails before it throttles the service.
    case working
    /// A mail worker wants to be told of changes in its mailbox's directories: answered by `peer` (watcher) or `watchYourself`.
    case watchWanted

    package static var channel: String { "WorkerToZygote" }
    package static var maximumFrame: Int { maximumFrameFromLogin }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .state(WorkerState())
        case 2: .sessionEnded
        case 3: .working
        case 4: .watchWanted
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .state: 1
        case .sessionEnded: 2
        case .working: 3
        case .watchWanted: 4
        }
    }

    package var name: String {
        switch self {
        case .state: "state"
        case .sessionEnded: "sessionEnded"
        case .working: "working"
        case .watchWanted: "watchWanted"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .state(var fields):
            try fields.visit(&visitor)
            self = .state(fields)
        case .sessionEnded, .working, .watchWanted: break
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
