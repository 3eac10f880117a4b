internal import CPlatform
internal import Glibc

/// What a descriptor is waited for, or found ready for.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: 0x001)  // EPOLLIN
    package static let writable = Readiness(rawValue: 0x004)  // EPOLLOUT
    package static let error = Readiness(rawValue: 0x008)  // EPOLLERR
    package static let hangup = Readiness(rawValue: 0x010)  // EPOLLHUP
    package static let peerClosed = Readiness(rawValue: 0x2000)  // EPOLLRDHUP
    /// Wake only one of several processes that wait for the same listener.
    package static let exclusive = Readiness(rawValue: 1 << 28)  // EPOLLEXCLUSIVE
}

/// The descriptors that one single-threaded process waits for (epoll(7), level-triggered).
package final class Poller {
    /// One descriptor that is ready; `token` is what it was added with.
    package struct Event {
        package let token: UInt64
        package let readiness: Readiness
    }

    // EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD
    private static let add: Int32 = 1
    private static let delete: Int32 = 2
    private static let modify: Int32 = 3

    private let descriptor: FileDescriptor
    private var room = [cp_event](repeating: cp_event(), count: 64)

    package init() throws(SystemError) {
        descriptor = FileDescriptor(adopting: try checked("epoll_create1", cp_epoll_create()))
    }

    package func add(_ number: Int32, token: UInt64, for readiness: Readiness) throws(SystemError) {
        try checked("epoll_ctl(ADD)", cp_epoll_set(descriptor.number, Self.add, number, readiness.rawValue, token))
    }

    package func modify(_ number: Int32, token: UInt64, for readiness: Readiness) throws(SystemError) {
        try checked("epoll_ctl(MOD)", cp_epoll_set(descriptor.number, Self.modify, number, readiness.rawValue, token))
    }

    package func remove(_ number: Int32) {
        _ = cp_epoll_set(descriptor.number, Self.delete, number, 0, 0)
    }

    /// Waits at most `milliseconds` (-1: for ever) and answers what is ready.
    package func wait(milliseconds: Int32) throws(SystemError) -> [Event] {
        let count = try checked(
            "epoll_wait",
            unsafe room.withUnsafeMutableBufferPointer {
                unsafe cp_epoll_wait(descriptor.number, $0.baseAddress, Int32($0.count), milliseconds)
            })
        return room.prefix(Int(count)).map { Event(token: $0.token, readiness: Readiness(rawValue: $0.events)) }
    }

    /// The epoll descriptor itself, for the plan of descriptors that a new process keeps.
    package var number: Int32 { descriptor.number }
}

/// Waits for a few descriptors without an epoll set: for sequential code such as a mail session (poll(2)).
package enum Wait {
    package struct Interest {
        package let number: Int32
        package let readiness: Readiness
        package init(_ number: Int32, _ readiness: Readiness) {
            self.number = number
            self.readiness = readiness
        }
    }

    /// Answers what each descriptor is ready for, in order; all empty after `milliseconds` (-1: for ever) or a signal. At most 8 descriptors.
    package static func any(_ interests: [Interest], milliseconds: Int32) throws(SystemError) -> [Readiness] {
        let numbers = interests.map(\.number)
        let wanted = interests.map { Int16(truncatingIfNeeded: $0.readiness.rawValue) }
        var got = [Int16](repeating: 0, count: interests.count)
        try checked(
            "poll",
            unsafe numbers.withUnsafeBufferPointer { fds in
                unsafe wanted.withUnsafeBufferPointer { events in
                    unsafe got.withUnsafeMutableBufferPointer { found in
                        unsafe cp_poll(fds.baseAddress, events.baseAddress, found.baseAddress, Int32(fds.count), milliseconds)
                    }
                }
            })
        return got.map { Readiness(rawValue: UInt32(UInt16(bitPattern: $0))) }
    }
}
