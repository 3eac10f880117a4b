/// What the administrator's command says to master, over base_dir/master.
package enum AdminToMaster: Message {
    /// One service row each, then end.
    case serviceStatus
    /// One process row each, then end.
    case processStatus
    /// End the session of a worker.
    case kick(KickRequest)
    /// Stop listening for a service until reload or restart.
    case stopService(ServiceName)
    /// A channel to log for lines in the name of a command.
    case logChannel(ServiceName)
    /// Answered by end, whose text is the pid.
    case masterPID

    package static var channel: String { "AdminToMaster" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .serviceStatus
        case 2: .processStatus
        case 3: .kick(KickRequest())
        case 4: .stopService(ServiceName())
        case 5: .logChannel(ServiceName())
        case 6: .masterPID
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .serviceStatus: 1
        case .processStatus: 2
        case .kick: 3
        case .stopService: 4
        case .logChannel: 5
        case .masterPID: 6
        }
    }

    package var name: String {
        switch self {
        case .serviceStatus: "serviceStatus"
        case .processStatus: "processStatus"
        case .kick: "kick"
        case .stopService: "stopService"
        case .logChannel: "logChannel"
        case .masterPID: "masterPID"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .kick(var fields):
            try fields.visit(&visitor)
            self = .kick(fields)
        case .stopService(var fields):
            try fields.visit(&visitor)
            self = .stopService(fields)
        case .logChannel(var fields):
            try fields.visit(&visitor)
            self = .logChannel(fields)
        case .serviceStatus, .processStatus, .masterPID: break
        }
    }
}

/// What master answers.
package enum MasterToAdmin: Message {
    /// One service.
    case service(ServiceStatus)
    /// One process.
    case process(ProcessStatus)
    /// The sending end.
    case logChannel
    /// No more.
    case end(AdminResult)

    package static var channel: String { "MasterToAdmin" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .service(ServiceStatus())
        case 2: .process(ProcessStatus())
        case 3: .logChannel
        case 4: .end(AdminResult())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .service: 1
        case .process: 2
        case .logChannel: 3
        case .end: 4
        }
    }

    package var name: String {
        switch self {
        case .service: "service"
        case .process: "process"
        case .logChannel: "logChannel"
        case .end: "end"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .logChannel: 1
        default: 0
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .service(var fields):
            try fields.visit(&visitor)
            self = .service(fields)
        case .process(var fields):
            try fields.visit(&visitor)
            self = .process(fields)
        case .end(var fields):
            try fields.visit(&visitor)
            self = .end(fields)
        case .logChannel: break
        }
    }
}

/// A worker.
package struct KickRequest: Fields {
    package var service = ""
    package var pid: UInt32 = 0

    package init() {}

    package init(service: String, pid: UInt32) {
        self.service = service
        self.pid = pid
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&service, "service", atMost: 64)
        try visitor.uint32(&pid, "pid")
    }
}

/// A service.
package struct ServiceName: Fields {
    package var name = ""

    package init() {}

    package init(name: String) {
        self.name = name
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&name, "name", atMost: 64)
    }
}

/// How a request ended.
package struct AdminResult: Fields {
    package var isDone: Bool = false
    package var text = ""

    package init() {}

    package init(isDone: Bool, text: String) {
        self.isDone = isDone
        self.text = text
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bool(&isDone, "isDone")
        try visitor.text(&text, "text", atMost: 512)
    }
}
