internal import CPlatform
internal import Glibc

/// Both ends of a new SOCK_SEQPACKET pair: one datagram is one message, never split.
package struct SocketPair: ~Copyable {
    package var ours: FileDescriptor
    package var theirs: FileDescriptor

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try checked("socketpair", unsafe ends.withUnsafeMutableBufferPointer { unsafe cp_socketpair_seqpacket($0.baseAddress) })
        ours = FileDescriptor(adopting: ends[0])
        theirs = FileDescriptor(adopting: ends[1])
    }

    /// Takes the pair apart: the caller keeps one end and gives away the other.
    package consuming func split() -> (ours: Int32, theirs: Int32) {
        (ours.release(), theirs.release())
    }
}

/// Both ends of a new non-blocking byte stream, for a session whose TLS another process keeps.
package struct StreamPair: ~Copyable {
    package var ours: FileDescriptor
    package var theirs: FileDescriptor

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try checked("socketpair", unsafe ends.withUnsafeMutableBufferPointer { unsafe cp_socketpair_stream($0.baseAddress) })
        ours = FileDescriptor(adopting: ends[0])
        theirs = FileDescriptor(adopting: ends[1])
    }

    package consuming func split() -> (ours: Int32, theirs: Int32) {
        (ours.release(), theirs.release())
    }
}

/// Who is at the other end of a UNIX socket, as the kernel knows it (SO_PEERCRED, SCM_CREDENTIALS); never from a message.
package struct PeerCredentials: Equatable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32
}

/// Address and port of one end of a TCP connection; UNIX sockets have an empty address.
package struct Endpoint: Equatable, Sendable {
    /// Numeric IPv4 or IPv6 text; IPv4-mapped addresses are given as IPv4.
    package let address: String
    package let port: UInt16

    package init(address: String, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// What services do with sockets besides reading and writing.
package enum Socket {
    package enum Style { case stream, seqpacket }
    package enum Side { case local, peer }

    /// Creates, binds and listens on a UNIX socket (non-blocking); the caller sets owner and mode.
    package static func listen(path: String, style: Style, backlog: Int32) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try checked("listen(\(path))", unsafe cp_listen_unix(path, style == .seqpacket ? 1 : 0, backlog)))
    }

    /// Listens on a numeric address (non-blocking, SO_REUSEADDR; IPv6 sockets take IPv6 only).
    package static func listen(address: String, port: UInt16, backlog: Int32) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try checked("listen(\(address), \(port))", unsafe cp_listen_tcp(address, port, backlog)))
    }

    /// Connects to a UNIX socket; the result blocks.
    package static func connect(path: String, style: Style) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try checked("connect(\(path))", unsafe cp_connect_unix(path, style == .seqpacket ? 1 : 0)))
    }

    /// Accepts one connection (close-on-exec, non-blocking). Throws EAGAIN when none is waiting, EMFILE or ENFILE without descriptors.
    package static func accept(_ listener: Int32) throws(SystemError) -> FileDescriptor {
        while true {
            let result = cp_accept(listener)
            if result >= 0 { return FileDescriptor(adopting: result) }
            // The client went away again while it was queued; the next one may be there (accept(2)).
            if result == -ECONNABORTED || result == -EINTR { continue }
            throw SystemError(call: "accept", code: -result)
        }
    }

    package static func peerCredentials(of socket: Int32) throws(SystemError) -> PeerCredentials {
        var found = cp_credentials()
        try checked("getsockopt(SO_PEERCRED)", unsafe cp_peer_credentials(socket, &found))
        return PeerCredentials(pid: found.pid, uid: found.uid, gid: found.gid)
    }

    /// Each datagram received from now on carries its sender's credentials, put there by the kernel.
    package static func receiveCredentials(on socket: Int32) throws(SystemError) {
        try checked("setsockopt(SO_PASSCRED)", cp_set_passcred(socket))
    }

    package static func endpoint(of socket: Int32, _ side: Side) throws(SystemError) -> Endpoint {
        var text = [UInt8](repeating: 0, count: 64)
        let port = try checked(
            side == .peer ? "getpeername" : "getsockname",
            unsafe text.withUnsafeMutableBytes {
                unsafe cp_socket_name(socket, side == .peer ? 1 : 0, $0.baseAddress?.assumingMemoryBound(to: CChar.self), 64)
            })
        return Endpoint(address: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self), port: UInt16(truncatingIfNeeded: port))
    }

    /// Makes a socket that came over an exec like our own: close-on-exec, non-blocking.
    package static func prepareInherited(_ socket: Int32) throws(SystemError) {
        try checked("fcntl(F_SETFD)", cp_set_cloexec(socket, 1))
        try checked("fcntl(F_SETFL)", cp_set_nonblocking(socket, 1))
    }

    /// The 4 or 16 bytes of a numeric address; nil for anything else. IPv4-mapped addresses are IPv4, a zone (`%eth0`) is left out.
    package static func addressBytes(_ text: String) -> [UInt8]? {
        let plain = text.prefix { $0 != "%" }
        guard plain.utf8.count <= 45, !plain.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bytes.withUnsafeMutableBufferPointer { unsafe cp_address_bytes(String(plain), $0.baseAddress) }
        return count > 0 ? withoutMapping(Array(bytes.prefix(Int(count)))) : nil
    }

    /// The address as the kernel's are written (RFC 5952); empty for bytes that are none. IPv4-mapped addresses are IPv4.
    package static func addressText(_ bytes: [UInt8]) -> String {
        let bytes = withoutMapping(bytes)
        var text = [UInt8](repeating: 0, count: 64)
        let isAddress = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe text.withUnsafeMutableBytes { text in
                unsafe cp_address_text(
                    bytes.baseAddress, Int32(bytes.count), text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count)
            }
        }
        return isAddress == 1 ? String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) : ""
    }

    private static func withoutMapping(_ bytes: [UInt8]) -> [UInt8] {
        let isMapped = bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes[12...]) : bytes
    }

    package static func setNoDelay(_ socket: Int32) { _ = cp_set_nodelay(socket, 1) }

    /// Whether a descriptor is a listening socket; throws ENOTSOCK for other descriptors.
    package static func isListening(_ socket: Int32) throws(SystemError) -> Bool {
        try checked("getsockopt(SO_ACCEPTCONN)", cp_is_listening(socket)) != 0
    }

    /// Whether a descriptor is a TCP socket over IPv4 or IPv6.
    package static func isInternet(_ socket: Int32) -> Bool {
        let family = cp_socket_family(socket)
        return family == AF_INET || family == AF_INET6
    }

    /// Ends both directions; the peer sees the end of the stream (shutdown(2)).
    package static func shutdown(_ socket: Int32) { _ = Glibc.shutdown(socket, Int32(SHUT_RDWR)) }

    /// Ends our direction only: the peer reads what was sent, then the end of the stream, and may still answer (shutdown(2)).
    package static func endWriting(_ socket: Int32) { _ = Glibc.shutdown(socket, Int32(SHUT_WR)) }
}
