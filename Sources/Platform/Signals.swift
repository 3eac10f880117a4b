internal import CPlatform
internal import Glibc

/// A signal that arrived, and who sent it.
package struct Signal {
    package let number: Int32
    package let senderPID: Int32
    package let senderUID: UInt32
    /// si_code as a word: `kill`, `kernel`, `queue` or the number.
    package let origin: String
}

/// Signals read from a descriptor instead of handlers (signalfd(2)).
///
/// A forked child may go on using its parent's descriptor with poll(2): it then reads its own signals.
package final class SignalQueue {
    private let descriptor: FileDescriptor

    package static let terminate = SIGTERM
    package static let interrupt = SIGINT
    package static let hangUp = SIGHUP
    package static let user1 = SIGUSR1
    package static let user2 = SIGUSR2
    package static let child = SIGCHLD
    package static let kill = SIGKILL
    package static let quit = SIGQUIT
    package static let alarm = SIGALRM
    package static let badSystemCall = SIGSYS

    /// Blocks the signals for normal delivery and queues them here.
    package init(_ signals: [Int32]) throws(SystemError) {
        descriptor = FileDescriptor(
            adopting: try checked(
                "signalfd", unsafe signals.withUnsafeBufferPointer { unsafe cp_signalfd($0.baseAddress, Int32($0.count)) }))
    }

    package var number: Int32 { descriptor.number }

    /// The next queued signal, or nil.
    package func next() -> Signal? {
        var found = cp_signal()
        guard unsafe cp_signalfd_read(descriptor.number, &found) == 1 else { return nil }
        let origin =
            switch found.code {
            case 0: "kill"
            case -1: "queue"
            case 0x80: "kernel"
            default: String(found.code)
            }
        return Signal(number: found.number, senderPID: found.pid, senderUID: found.uid, origin: origin)
    }

    /// A full pipe or a file size limit must fail the call, not end the process.
    package static func ignoreWriteSignals() {
        _ = cp_signal_ignore(SIGPIPE)
        _ = cp_signal_ignore(SIGXFSZ)
    }

    package static func ignore(_ number: Int32) { _ = cp_signal_ignore(number) }

    /// Sends a signal; false when there is no such process.
    @discardableResult
    package static func send(_ number: Int32, to pid: Int32) -> Bool { Glibc.kill(pid, number) == 0 }

    /// Sends a signal to each process of a group.
    @discardableResult
    package static func send(_ number: Int32, toGroup group: Int32) -> Bool { Glibc.kill(-group, number) == 0 }
}
