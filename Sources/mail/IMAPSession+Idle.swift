internal import IMAPSyntax
internal import MailStore
internal import Platform

// IDLE (RFC 2177).
extension IMAPSession {
    func idle() throws(CommandFailure) -> Completion {
        stream.out.text("+ idling")
        stream.out.newline()
        // After NOTIFY the same is told with and without IDLE (RFC 5465 section 4), but for expunges that were put off.
        if notifications != nil { return try idleWithNotifications() }
        var watch = mailbox?.startWatching()
        defer { mailbox?.stopWatching() }
        // What came between the last command and the watch.
        try reportChanges(expunges: true, withUID: false)
        var nextNotice = Clock.milliseconds + settings.idleNotifyMilliseconds
        var patience = Notifications.firstPatience
        while true {
            if try isDone() { return try report("Idle completed.") }
            var milliseconds = settings.idleNotifyMilliseconds > 0 ? max(0, nextNotice - Clock.milliseconds) : Int64(Int32.max)
            // A watcher that died is replaced soon. Thousands of sessions that look by themselves now and then would keep a machine busy.
            if mailbox != nil, watch == nil { milliseconds = min(milliseconds, patience, settings.idleCheckMilliseconds) }
            let wake = try ending { () throws(SessionEnd) in
                let wake = try stream.wait(orFor: watch, milliseconds: milliseconds)
                if wake == .input { reader.feed(try stream.read()) }
                return wake
            }
            if wake == .input { continue }
            if wake == .other {
                mailbox?.watchWasRead()
                watch = mailbox?.startWatching()
            } else if watch == nil {
                watch = mailbox?.startWatching()
                patience = watch == nil ? min(patience * 2, settings.idleCheckMilliseconds) : Notifications.firstPatience
            }
            try reportChanges(expunges: true, withUID: false)
            if settings.idleNotifyMilliseconds > 0, Clock.milliseconds >= nextNotice {
                stream.out.status([0x2a], "OK Still here")
                nextNotice = Clock.milliseconds + settings.idleNotifyMilliseconds
            }
        }
    }

    // idle = "IDLE" CRLF "DONE"
    private func isDone() throws(CommandFailure) -> Bool {
        switch reader.nextLine(atMost: 64) {
        case .line(let line):
            guard line.isWord("DONE") else { throw .bad("Expected DONE") }
            return true
        case .overLimit: throw .end(.unsafeInput("Expected DONE."))
        case .needMore: return false
        }
    }

    private func idleWithNotifications() throws(CommandFailure) -> Completion {
        try reportChanges(expunges: true, withUID: false)
        var nextNotice = Clock.milliseconds + settings.idleNotifyMilliseconds
        while true {
            if try isDone() { return try report("Idle completed.") }
            if notifications?.hasMore ?? false { try tellNews(readWatch(), expunges: true) }
            var milliseconds = settings.idleNotifyMilliseconds > 0 ? max(0, nextNotice - Clock.milliseconds) : Int64(Int32.max)
            if let notifications, notifications.needsToLook { milliseconds = min(milliseconds, notifications.patience) }
            let wake = try ending { () throws(SessionEnd) in
                let wake = try stream.wait(orFor: notifications?.watch?.number, milliseconds: milliseconds)
                if wake == .input { reader.feed(try stream.read()) }
                return wake
            }
            if wake == .input { continue }
            if wake == .other || notifications?.needsToLook ?? false { try tellNews(readWatch(), expunges: true) }
            if settings.idleNotifyMilliseconds > 0, Clock.milliseconds >= nextNotice {
                stream.out.status([0x2a], "OK Still here")
                nextNotice = Clock.milliseconds + settings.idleNotifyMilliseconds
            }
        }
    }
}
