/// What master tells each process that it started, over descriptor 3.
package enum MasterToService: Message {
    /// A listening socket that the service accepts on.
    case listener(Listener)
    /// A new channel to another process; the role says which messages it speaks.
    case peer(Peer)
    /// Everything is there: confine yourself and work.
    case start(StartOrder)
    /// A reload replaced you: accept nothing new, end when the last client has left.
    case retire
    /// The suite stops.
    case stop(StopOrder)
    /// To log: close the files and open them again by name.
    case reopenLogs
    /// To a zygote: a worker of your dead predecessor that still runs; it counts as yours.
    case adopt(ProcessID)
    /// To a zygote: an adopted worker ended (master reaped it).
    case adoptedEnded(ProcessEnd)
    /// Answer with one status message.
    case statusQuery
    /// Answer with one process message for each worker, then endOfList.
    case processesQuery
    /// To a zygote: end the session of this worker; answered by kicked.
    case kick(ProcessID)
    /// To log: the receiving end of a log channel.
    case logSource(LogSource)
    /// `culveradm service stop`: close the listeners until a reload or restart.
    case stopListening
    /// Comes first: who master is, and of which build.
    case hello(Hello)

    package static var channel: String { "MasterToService" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .listener(Listener())
        case 2: .peer(Peer())
        case 3: .start(StartOrder())
        case 4: .retire
        case 5: .stop(StopOrder())
        case 6: .reopenLogs
        case 7: .adopt(ProcessID())
        case 8: .adoptedEnded(ProcessEnd())
        case 9: .statusQuery
        case 10: .processesQuery
        case 11: .kick(ProcessID())
        case 12: .logSource(LogSource())
        case 13: .stopListening
        case 14: .hello(Hello())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .listener: 1
        case .peer: 2
        case .start: 3
        case .retire: 4
        case .stop: 5
        case .reopenLogs: 6
        case .adopt: 7
        case .adoptedEnded: 8
        case .statusQuery: 9
        case .processesQuery: 10
        case .kick: 11
        case .logSource: 12
        case .stopListening: 13
        case .hello: 14
        }
    }

    package var name: String {
        switch self {
        case .listener: "listener"
        case .peer: "peer"
        case .start: "start"
        case .retire: "retire"
        case .stop: "stop"
        case .reopenLogs: "reopenLogs"
        case .adopt: "adopt"
        case .adoptedEnded: "adoptedEnded"
        case .statusQuery: "statusQuery"
        case .processesQuery: "processesQuery"
        case .kick: "kick"
        case .logSource: "logSource"
        case .stopListening: "stopListening"
        case .hello: "hello"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .listener, .peer, .logSource: 1
        default: 0
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .listener(var fields):
            try fields.visit(&visitor)
            self = .listener(fields)
        case .peer(var fields):
            try fields.visit(&visitor)
            self = .peer(fields)
        case .start(var fields):
            try fields.visit(&visitor)
            self = .start(fields)
        case .stop(var fields):
            try fields.visit(&visitor)
            self = .stop(fields)
        case .adopt(var fields):
            try fields.visit(&visitor)
            self = .adopt(fields)
        case .adoptedEnded(var fields):
            try fields.visit(&visitor)
            self = .adoptedEnded(fields)
        case .kick(var fields):
            try fields.visit(&visitor)
            self = .kick(fields)
        case .logSource(var fields):
            try fields.visit(&visitor)
            self = .logSource(fields)
        case .hello(var fields):
            try fields.visit(&visitor)
            self = .hello(fields)
        case .retire, .reopenLogs, .statusQuery, .processesQuery, .stopListening: break
        }
    }
}

/// What a process tells master.
package enum ServiceToMaster: Message {
    /// Confined and working.
    case ready
    /// Answer to statusQuery.
    case status(ServiceStatus)
    /// One worker, answer to processesQuery.
    case process(ProcessStatus)
    /// No more processes.
    case endOfList
    /// Answer to kick.
    case kicked(Kicked)
    /// A worker crashed: this zygote takes no further client and ends; start a fresh one (with another memory layout).
    case replaceMe(Replacement)
    /// Comes first: who the process is, and of which build.
    case hello(Hello)

    package static var channel: String { "ServiceToMaster" }
    package static var maximumFrame: Int { maximumFrameFromLogin }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .ready
        case 2: .status(ServiceStatus())
        case 3: .process(ProcessStatus())
        case 4: .endOfList
        case 5: .kicked(Kicked())
        case 6: .replaceMe(Replacement())
        case 7: .hello(Hello())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .ready: 1
        case .status: 2
        case .process: 3
        case .endOfList: 4
        case .kicked: 5
        case .replaceMe: 6
        case .hello: 7
        }
    }

    package var name: String {
        switch self {
        case .ready: "ready"
        case .status: "status"
        case .process: "process"
        case .endOfList: "endOfList"
        case .kicked: "kicked"
        case .replaceMe: "replaceMe"
        case .hello: "hello"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .status(var fields):
            try fields.visit(&visitor)
            self = .status(fields)
        case .process(var fields):
            try fields.visit(&visitor)
            self = .process(fields)
        case .kicked(var fields):
            try fields.visit(&visitor)
            self = .kicked(fields)
        case .replaceMe(var fields):
            try fields.visit(&visitor)
            self = .replaceMe(fields)
        case .hello(var fields):
            try fields.visit(&visitor)
            self = .hello(fields)
        case .ready, .endOfList: break
        }
    }
}

/// How a crash bears on the start of a fresh zygote.
package struct Replacement: Fields {
    /// The worker had not worked yet, or too many fail: starts are throttled.
    package var isThrottled: Bool = false

    package init() {}

    package init(isThrottled: Bool) {
        self.isThrottled = isThrottled
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bool(&isThrottled, "isThrottled")
    }
}

/// A listening socket and how its clients begin.
package struct Listener: Fields {
    /// Name of the listener in the configuration: `imaps`, or the path of a UNIX socket.
    package var name = ""
    /// What clients of it may say: `imap`, `auth-client`, `auth-userdb`, `admin` …
    package var role = ""
    /// A TLS handshake comes first.
    package var isTLS: Bool = false
    /// A PROXY header comes first.
    package var isHAProxy: Bool = false
    /// Permission bits of a UNIX socket; some checks depend on them (auth.md 1).
    package var mode: UInt16 = 0

    package init() {}

    package init(name: String, role: String, isTLS: Bool, isHAProxy: Bool, mode: UInt16) {
        self.name = name
        self.role = role
        self.isTLS = isTLS
        self.isHAProxy = isHAProxy
        self.mode = mode
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&name, "name", atMost: 64)
        try visitor.text(&role, "role", atMost: 32)
        try visitor.bool(&isTLS, "isTLS")
        try visitor.bool(&isHAProxy, "isHAProxy")
        try visitor.uint16(&mode, "mode")
    }
}

/// Who is at the other end of a new channel.
package struct Peer: Fields {
    /// Role word of the peer: `auth`, `anvil`, `imap`, `imap-login` …
    package var role = ""

    package init() {}

    package init(role: String) {
        self.role = role
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&role, "role", atMost: 32)
    }
}

/// How to stop.
package struct StopOrder: Fields {
    /// shutdown_clients: sessions are ended too.
    package var endSessions: Bool = false

    package init() {}

    package init(endSessions: Bool) {
        self.endSessions = endSessions
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bool(&endSessions, "endSessions")
    }
}

/// Who the process is, and its limits; accounts are numbers, because a confined process cannot look them up.
package struct StartOrder: Fields {
    /// Name of the service in the configuration.
    package var service = ""
    /// instance_name, the first part of the title.
    package var instance = ""
    package var protocolName = ""
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// Supplementary groups, 4 bytes each, little endian.
    package var groups: [UInt8] = []
    /// Absolute path, or empty.
    package var chroot = ""
    /// process_min_avail
    package var processMinimum: UInt32 = 0
    package var processLimit: UInt32 = 0
    package var clientLimit: UInt32 = 0
    /// service_count; 0: unlimited.
    package var requestLimit: UInt32 = 0
    /// 0: never.
    package var idleKillMilliseconds: UInt64 = 0
    /// Bytes; 0: unlimited.
    package var vszLimit: UInt64 = 0
    /// verbose_proctitle: user and address are part of the title.
    package var showsUser: Bool = false

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&service, "service", atMost: 64)
        try visitor.text(&instance, "instance", atMost: 64)
        try visitor.text(&protocolName, "protocolName", atMost: 32)
        try visitor.uint32(&uid, "uid")
        try visitor.uint32(&gid, "gid")
        try visitor.bytes(&groups, "groups", atMost: 256)
        try visitor.text(&chroot, "chroot", atMost: 4096)
        try visitor.uint32(&processMinimum, "processMinimum")
        try visitor.uint32(&processLimit, "processLimit")
        try visitor.uint32(&clientLimit, "clientLimit")
        try visitor.uint32(&requestLimit, "requestLimit")
        try visitor.uint64(&idleKillMilliseconds, "idleKillMilliseconds")
        try visitor.uint64(&vszLimit, "vszLimit")
        try visitor.bool(&showsUser, "showsUser")
    }
}

/// A process.
package struct ProcessID: Fields {
    package var pid: UInt32 = 0

    package init() {}

    package init(pid: UInt32) {
        self.pid = pid
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&pid, "pid")
    }
}

/// How a process ended.
package struct ProcessEnd: Fields {
    package var pid: UInt32 = 0
    /// Exit code; meaningless after a signal.
    package var code: UInt16 = 0
    /// Number of the signal, or 0.
    package var signal: UInt8 = 0

    package init() {}

    package init(pid: UInt32, code: UInt16, signal: UInt8) {
        self.pid = pid
        self.code = code
        self.signal = signal
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&pid, "pid")
        try visitor.uint16(&code, "code")
        try visitor.uint8(&signal, "signal")
    }
}

/// Whose lines come over a log channel.
package struct LogSource: Fields {
    /// Name of the service, the first part of each line's prefix.
    package var service = ""
    /// pid of the zygote or singleton, the only one that may write lines about other processes; 0: not yet known.
    package var leader: UInt32 = 0

    package init() {}

    package init(service: String, leader: UInt32) {
        self.service = service
        self.leader = leader
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&service, "service", atMost: 64)
        try visitor.uint32(&leader, "leader")
    }
}

/// Whether there was such a worker.
package struct Kicked: Fields {
    package var pid: UInt32 = 0
    package var found: Bool = false

    package init() {}

    package init(pid: UInt32, found: Bool) {
        self.pid = pid
        self.found = found
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint32(&pid, "pid")
        try visitor.bool(&found, "found")
    }
}
