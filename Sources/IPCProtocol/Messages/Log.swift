/// What every process says to log. Time, service and pid are added there, from the kernel.
package enum ServiceToLog: Message {
    /// One line.
    case line(LogLine)

    package static var channel: String { "ServiceToLog" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .line(LogLine())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .line: 1
        }
    }

    package var name: String {
        switch self {
        case .line: "line"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .line(var fields):
            try fields.visit(&visitor)
            self = .line(fields)
        }
    }
}

/// One line for the log.
package struct LogLine: Fields {
    /// 0 debug, 1 info, 2 warning, 3 error, 4 fatal, 5 panic.
    package var level: UInt8 = 0
    package var user = ""
    package var session = ""
    /// The process the line is about, when it is not the sender; honoured from a service's leader only.
    package var pid: UInt32 = 0
    package var text = ""

    package init() {}

    package init(level: UInt8, user: String, session: String, pid: UInt32, text: String) {
        self.level = level
        self.user = user
        self.session = session
        self.pid = pid
        self.text = text
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint8(&level, "level")
        try visitor.text(&user, "user", atMost: 255)
        try visitor.text(&session, "session", atMost: 64)
        try visitor.uint32(&pid, "pid")
        try visitor.text(&text, "text", atMost: 1024)
    }
}

/// What the administrator's command asks of log.
package enum AdminToLog: Message {
    /// Kept warnings and errors, then end.
    case errors(ErrorsQuery)

    package static var channel: String { "AdminToLog" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .errors(ErrorsQuery())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .errors: 1
        }
    }

    package var name: String {
        switch self {
        case .errors: "errors"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .errors(var fields):
            try fields.visit(&visitor)
            self = .errors(fields)
        }
    }
}

/// What log answers the administrator.
package enum LogToAdmin: Message {
    /// One kept line.
    case entry(LogEntry)
    /// No more.
    case end

    package static var channel: String { "LogToAdmin" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .entry(LogEntry())
        case 2: .end
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .entry: 1
        case .end: 2
        }
    }

    package var name: String {
        switch self {
        case .entry: "entry"
        case .end: "end"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .entry(var fields):
            try fields.visit(&visitor)
            self = .entry(fields)
        case .end: break
        }
    }
}

/// Which lines.
package struct ErrorsQuery: Fields {
    /// Unix time.
    package var since: UInt64 = 0

    package init() {}

    package init(since: UInt64) {
        self.since = since
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint64(&since, "since")
    }
}

/// A kept line.
package struct LogEntry: Fields {
    /// Unix time.
    package var time: UInt64 = 0
    package var level: UInt8 = 0
    package var prefix = ""
    package var text = ""

    package init() {}

    package init(time: UInt64, level: UInt8, prefix: String, text: String) {
        self.time = time
        self.level = level
        self.prefix = prefix
        self.text = text
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.uint64(&time, "time")
        try visitor.uint8(&level, "level")
        try visitor.text(&prefix, "prefix", atMost: 512)
        try visitor.text(&text, "text", atMost: 1024)
    }
}
