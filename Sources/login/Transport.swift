internal import Platform
internal import TLS

/// The client's connection: plain bytes, or TLS over them. Never blocks.
final class Transport {
    enum Outcome: Equatable {
        /// So many bytes went through.
        case moved(Int)
        case wantRead
        case wantWrite
        /// The client has left; the text is for the log.
        case ended(String)
    }

    /// Room for one TLS record; also the unit in which a proxied session moves.
    static let unit = 16_384

    let socket: FileDescriptor
    private var tls: TLSStream?
    private(set) var isHandshaking = false

    init(_ socket: consuming FileDescriptor) { self.socket = socket }

    var isTLS: Bool { tls != nil && !isHandshaking }
    var hasTLS: Bool { tls != nil }
    var summary: String { isTLS ? (tls?.summary ?? "") : "" }
    var serverName: String { isTLS ? String(decoding: (tls?.serverName ?? nil) ?? [], as: UTF8.self) : "" }

    func startTLS(_ server: TLSServer) throws(TLSError) {
        tls = try TLSStream(server, on: socket)
        isHandshaking = true
    }

    /// Goes on with the handshake; `.moved(0)` when it is done.
    func handshake() -> Outcome {
        guard let progress = tls?.handshake() else { return .moved(0) }
        switch progress {
        case .done:
            isHandshaking = false
            return .moved(0)
        case .wantRead: return .wantRead
        case .wantWrite: return .wantWrite
        case .failed(let error): return .ended(error.description)
        }
    }

    /// Something was read from the socket already and wakes no poll.
    var hasPending: Bool { tls?.hasPending ?? false }

    func read(appendingTo buffer: inout [UInt8], atMost count: Int = unit) -> Outcome {
        if let transfer = tls?.read(appendingTo: &buffer, atMost: count) { return Self.outcome(transfer) }
        do throws(SystemError) {
            let got = try socket.read(appendingTo: &buffer, atMost: count)
            return got == 0 ? .ended("") : .moved(got)
        } catch {
            return error.isWouldBlock ? .wantRead : .ended(error.reason)
        }
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Outcome {
        if let transfer = tls?.write(bytes) { return Self.outcome(transfer) }
        do throws(SystemError) { return .moved(try socket.write(bytes)) } catch {
            return error.isWouldBlock ? .wantWrite : .ended(error.reason)
        }
    }

    /// Says the end of TLS, if it can be said without waiting.
    func sayGoodbye() { if !isHandshaking { _ = tls?.shutdown() } }

    private static func outcome(_ transfer: TLSTransfer) -> Outcome {
        switch transfer {
        case .bytes(let count): .moved(count)
        case .wantRead: .wantRead
        case .wantWrite: .wantWrite
        case .end: .ended("")
        case .failed(let error): .ended(error.description)
        }
    }
}
