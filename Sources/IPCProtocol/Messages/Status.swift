/// One row of `culveradm service status` (services.md 23).
package struct ServiceStatus: Fields {
    package var service = ""
    /// Workers alive, adopted ones included.
    package var processCount: UInt32 = 0
    /// Workers with a free slot.
    package var processAvail: UInt32 = 0
    package var processLimit: UInt32 = 0
    package var clientLimit: UInt32 = 0
    /// Time until starts are tried again; 0: not throttled.
    package var throttleMilliseconds: UInt32 = 0
    /// Unix time of the last failed worker, 0: never.
    package var lastFailure: UInt64 = 0
    package var failuresInSecond: UInt32 = 0
    /// Unix time of the last limit warning, 0: never.
    package var lastDropWarning: UInt64 = 0
    /// Clients that wait for a slot.
    package var queued: UInt32 = 0
    package var queueLimit: UInt32 = 0
    package var isListening: Bool = false
    /// Stopped by the administrator.
    package var isStopped: Bool = false
    /// Workers started since the zygote began.
    package var processTotal: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&service, "service", atMost: 64)
        try visitor.uint32(&processCount, "processCount")
        try visitor.uint32(&processAvail, "processAvail")
        try visitor.uint32(&processLimit, "processLimit")
        try visitor.uint32(&clientLimit, "clientLimit")
        try visitor.uint32(&throttleMilliseconds, "throttleMilliseconds")
        try visitor.uint64(&lastFailure, "lastFailure")
        try visitor.uint32(&failuresInSecond, "failuresInSecond")
        try visitor.uint64(&lastDropWarning, "lastDropWarning")
        try visitor.uint32(&queued, "queued")
        try visitor.uint32(&queueLimit, "queueLimit")
        try visitor.bool(&isListening, "isListening")
        try visitor.bool(&isStopped, "isStopped")
        try visitor.uint64(&processTotal, "processTotal")
    }
}

/// One row of `culveradm process status`.
package struct ProcessStatus: Fields {
    package var service = ""
    package var pid: UInt32 = 0
    /// Free slots.
    package var availableCount: UInt32 = 0
    /// Clients served so far.
    package var totalCount: UInt32 = 0
    /// Unix time since which it has no client; 0: it has one.
    package var idleSince: UInt64 = 0
    /// Unix time of its last report.
    package var lastUpdate: UInt64 = 0
    /// Unix time at which it was last asked to end, 0: never.
    package var lastKill: UInt64 = 0
    /// What it does: `starting`, `idle`, `session`, `adopted` …
    package var state = ""
    package var user = ""

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&service, "service", atMost: 64)
        try visitor.uint32(&pid, "pid")
        try visitor.uint32(&availableCount, "availableCount")
        try visitor.uint32(&totalCount, "totalCount")
        try visitor.uint64(&idleSince, "idleSince")
        try visitor.uint64(&lastUpdate, "lastUpdate")
        try visitor.uint64(&lastKill, "lastKill")
        try visitor.text(&state, "state", atMost: 128)
        try visitor.text(&user, "user", atMost: 255)
    }
}
