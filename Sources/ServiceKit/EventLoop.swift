package import IPCProtocol
package import Platform

/// What a service does when something happened; called by `EventLoop`, one thing after the other.
package protocol EventHandler: AnyObject {
    /// A descriptor that was added with `token` is ready.
    func ready(_ token: UInt64, _ readiness: Readiness)
    /// Called when `nextWake` has passed, at the latest a little later.
    func wake(_ now: Int64)
    /// Monotonic milliseconds at which `wake` is wanted, or nil.
    var nextWake: Int64? { get }
    /// The loop ends when this becomes true.
    var isFinished: Bool { get }
}

/// The one loop of a single-threaded process.
package final class EventLoop {
    package let poller: Poller

    package init() throws(SystemError) { poller = try Poller() }

    /// Runs until the handler is finished; throws only when waiting itself fails.
    package func run(_ handler: some EventHandler) throws(SystemError) {
        while !handler.isFinished {
            var timeout: Int32 = -1
            if let wake = handler.nextWake {
                let rest = wake - Clock.milliseconds
                timeout = rest < 0 ? 0 : Int32(clamping: rest + 1)
            }
            for event in try poller.wait(milliseconds: timeout) {
                handler.ready(event.token, event.readiness)
                if handler.isFinished { return }
            }
            if let wake = handler.nextWake, wake <= Clock.milliseconds { handler.wake(Clock.milliseconds) }
        }
    }
}

extension EventLoop {
    /// Waits for a channel, and for room to send what is queued on it.
    package func watch(_ channel: Channel, _ token: UInt64) throws(ChannelError) {
        guard channel.hasBacklog != channel.isWatchedForRoom else { return }
        channel.isWatchedForRoom = channel.hasBacklog
        do throws(SystemError) {
            try poller.modify(channel.number, token: token, for: channel.hasBacklog ? [.readable, .writable] : .readable)
        } catch { throw .system(error) }
    }

    /// Sends what waits on a channel, when the poller says that there is room, and goes on waiting for the rest.
    package func flush(_ channel: Channel, _ token: UInt64, _ readiness: Readiness) throws(ChannelError) {
        guard readiness.contains(.writable) else { return }
        try channel.flush()
        try watch(channel, token)
    }
}

/// Gives each descriptor of a loop a number that is never used twice, so that an event for a closed one finds nothing.
package struct Tokens {
    private var last: UInt64

    package init(startingAt first: UInt64 = 100) { last = first - 1 }

    package mutating func next() -> UInt64 {
        last += 1
        return last
    }
}
