internal import COpenSSL
internal import Glibc
package import Platform

/// Where a handshake or an orderly end stands.
package enum TLSProgress: Equatable {
    case done
    /// Try again when the socket can be read.
    case wantRead
    /// Try again when the socket can be written.
    case wantWrite
    case failed(TLSError)
}

/// The outcome of one read or write.
package enum TLSTransfer: Equatable {
    /// How many bytes of content went through, at least one.
    case bytes(Int)
    case wantRead
    case wantWrite
    /// The peer has ended; `isOrderly` is false when it left without saying so in TLS.
    case end(isOrderly: Bool)
    case failed(TLSError)
}

/// One TLS connection on a non-blocking socket (SSL). SIGPIPE must be ignored in the process.
///
/// The socket stays the caller's and must live longer than the stream. Go on reading until `.wantRead`: what has been read ahead
/// from the socket wakes no poll. After `.failed` only `deinit` is left.
@safe
package struct TLSStream: ~Copyable {
    let pointer: OpaquePointer
    private let server: TLSServer?
    private let client: TLSContext?

    /// The server side of a connection that has just been accepted, or of one after STARTTLS.
    package init(_ server: TLSServer, on socket: borrowing FileDescriptor) throws(TLSError) {
        unsafe pointer = try TLSStream.make(server.main, on: socket.number)
        self.server = server
        client = nil
        unsafe SSL_set_accept_state(pointer)
    }

    /// The client side, which verifies nothing: for the rehearsal and for tests.
    init(client context: TLSContext, name: String?, on socket: borrowing FileDescriptor) throws(TLSError) {
        unsafe pointer = try TLSStream.make(context, on: socket.number)
        server = nil
        client = context
        unsafe SSL_set_connect_state(pointer)
        if let name { _ = unsafe cossl_set_host_name(pointer, name) }
    }

    deinit { unsafe SSL_free(pointer) }

    private static func make(_ context: TLSContext, on socket: Int32) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard let pointer = unsafe SSL_new(context.pointer) else { throw TLSError("SSL_new()") }
        guard unsafe SSL_set_fd(pointer, socket) == 1 else {
            unsafe SSL_free(pointer)
            throw TLSError("SSL_set_fd()")
        }
        return unsafe pointer
    }

    /// Goes on with the handshake; call it again when the socket is ready for what it wants.
    package func handshake() -> TLSProgress {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(pointer)
        return progress(result, server == nil ? "SSL_connect()" : "SSL_accept()")
    }

    /// Says goodbye (close_notify) without waiting for the peer's.
    package func shutdown() -> TLSProgress {
        ERR_clear_error()
        let result = unsafe SSL_shutdown(pointer)
        return result >= 0 ? .done : progress(result, "SSL_shutdown()")
    }

    /// Fills `buffer` from its start with content.
    package func read(into buffer: inout [UInt8]) -> TLSTransfer {
        ERR_clear_error()
        let result = unsafe buffer.withUnsafeMutableBytes {
            unsafe SSL_read(pointer, $0.baseAddress, Int32(min($0.count, Limits.chunk)))
        }
        return transfer(result, "SSL_read()")
    }

    /// Appends at most `count` bytes of content to `buffer`.
    package func read(appendingTo buffer: inout [UInt8], atMost count: Int) -> TLSTransfer {
        let count = min(max(count, 0), Limits.chunk)
        let pointer = unsafe pointer
        var result: Int32 = 0
        ERR_clear_error()
        buffer.append(addingCapacity: count) { (room: inout OutputSpan<UInt8>) in
            unsafe room.withUnsafeMutableBufferPointer { bytes, filled in
                result = unsafe SSL_read(pointer, bytes.baseAddress, Int32(count))
                filled = Int(max(result, 0))
            }
        }
        return transfer(result, "SSL_read()")
    }

    /// Sends from the start of `bytes`, at most one record (16 KiB) per call; `.bytes` tells how many were taken.
    /// After `.wantWrite` the next call must offer the same bytes again, at whatever address. Empty input answers `.bytes(0)`.
    package func write(_ bytes: ArraySlice<UInt8>) -> TLSTransfer {
        guard !bytes.isEmpty else { return .bytes(0) }
        ERR_clear_error()
        let result = unsafe bytes.withUnsafeBytes {
            unsafe SSL_write(pointer, $0.baseAddress, Int32(min($0.count, Limits.chunk)))
        }
        return transfer(result, "SSL_write()")
    }

    private func progress(_ result: Int32, _ operation: String) -> TLSProgress {
        switch transfer(result, operation) {
        case .bytes: .done
        case .wantRead: .wantRead
        case .wantWrite: .wantWrite
        case .end: .failed(TLSError(operation: operation, reason: "Connection closed"))
        case .failed(let error): .failed(error)
        }
    }

    private func transfer(_ result: Int32, _ operation: String) -> TLSTransfer {
        if result > 0 { return .bytes(Int(result)) }
        let code = errno
        switch unsafe SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ: return .wantRead
        case SSL_ERROR_WANT_WRITE: return .wantWrite
        case SSL_ERROR_ZERO_RETURN: return .end(isOrderly: true)
        case SSL_ERROR_SYSCALL:
            ERR_clear_error()
            if code == 0 || code == ECONNRESET || code == EPIPE { return .end(isOrderly: false) }
            return .failed(TLSError(operation: operation, reason: SystemError(call: "", code: code).reason))
        default:
            if cossl_is_unexpected_eof(ERR_peek_error()) == 1 {
                ERR_clear_error()
                return .end(isOrderly: false)
            }
            return .failed(TLSError(operation))
        }
    }
}

/// What was agreed in the handshake, for logs and for auth.
extension TLSStream {
    /// `TLSv1.3`
    /// Bytes that were read from the socket already: they wake no poll.
    package var hasPending: Bool { unsafe SSL_has_pending(pointer) == 1 }

    package var protocolName: String { unsafe text(SSL_get_version(pointer)) }

    /// `TLS_AES_256_GCM_SHA384`; empty before the handshake is done.
    package var cipher: String { unsafe text(SSL_CIPHER_get_name(SSL_get_current_cipher(pointer))) }

    /// Bits of the cipher's key, for example 256.
    package var bits: Int { Int(unsafe SSL_CIPHER_get_bits(SSL_get_current_cipher(pointer), nil)) }

    /// The name that the client asked for, as it was sent: at most 255 bytes, not checked for anything else.
    package var serverName: [UInt8]? { unsafe ServerName.asked(of: pointer) }

    /// True when the session goes on from a ticket, without an asymmetric operation.
    package var isResumed: Bool { unsafe SSL_session_reused(pointer) == 1 }

    /// `TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)`, as log lines name it.
    package var summary: String { "\(protocolName) with cipher \(cipher) (\(bits)/\(bits) bits)" }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String { unsafe pointer.map { unsafe String(cString: $0) } ?? "" }
}
