internal import CPlatform
internal import Glibc

/// One received datagram with what the kernel attached to it; whoever receives it adopts or disposes of its descriptors at once.
package struct Datagram {
    package let bytes: [UInt8]
    /// Received descriptors, close-on-exec; whoever takes the datagram apart owns them.
    package let descriptors: [Int32]
    /// The sender, when `Socket.receiveCredentials` is on for this socket.
    package let sender: PeerCredentials?
    /// The datagram or its descriptors were more than there was room for: the channel must end.
    package let isTruncated: Bool

    /// Closes every received descriptor: for datagrams that are not understood.
    package func dispose() {
        for number in descriptors { _ = close(number) }
    }
}

/// Sending and receiving whole datagrams with descriptors: written once, here.
package enum DatagramSocket {
    /// Most descriptors in one datagram, in both directions.
    package static let maximumDescriptors = 16

    /// Sends `head` and `body` as one datagram. Throws EAGAIN when the queue is full and `wait` is false.
    package static func send(
        _ head: [UInt8], _ body: [UInt8] = [], descriptors: [Int32] = [], to socket: Int32, wait: Bool = false
    ) throws(SystemError) {
        let sent = unsafe head.withUnsafeBytes { first in
            unsafe body.withUnsafeBytes { second in
                unsafe descriptors.withUnsafeBufferPointer { numbers in
                    unsafe cp_send(
                        socket, first.baseAddress, first.count, second.baseAddress, second.count,
                        numbers.baseAddress, numbers.count, wait ? 0 : 1)
                }
            }
        }
        guard sent >= 0 else { throw SystemError(call: "sendmsg", code: Int32(-sent)) }
    }

    /// Receives one datagram of at most `size` bytes without waiting; nil when none is there. An empty datagram without
    /// descriptors is the end of the connection: `bytes` is empty.
    package static func receive(from socket: Int32, atMost size: Int, wait: Bool = false) throws(SystemError) -> Datagram? {
        var numbers = [Int32](repeating: -1, count: maximumDescriptors)
        var count = 0
        var truncated: Int32 = 0
        var sender = cp_credentials()
        var got = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
            unsafe numbers.withUnsafeMutableBufferPointer { room in
                got = unsafe cp_receive(
                    socket, buffer.baseAddress, size, room.baseAddress, maximumDescriptors, &count, &sender, &truncated, wait ? 0 : 1)
            }
            used = max(got, 0)
        }
        if got < 0 {
            if got == -Int(EAGAIN) { return nil }
            throw SystemError(call: "recvmsg", code: Int32(-got))
        }
        return Datagram(
            bytes: bytes, descriptors: Array(numbers.prefix(count)),
            sender: sender.pid == 0 ? nil : PeerCredentials(pid: sender.pid, uid: sender.uid, gid: sender.gid),
            isTruncated: truncated != 0)
    }
}

/// A copy of a descriptor that somebody else owns, close-on-exec.
package func duplicateDescriptor(_ number: Int32) throws(SystemError) -> Int32 {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw SystemError(call: "fcntl(F_DUPFD_CLOEXEC)", code: errno) }
    return copy
}

/// Closes a bare descriptor number that was received or planned and has no owner yet.
package func closeDescriptor(_ number: Int32) { _ = close(number) }
