internal import COpenSSL

/// Everything the server side needs: one context per server name, chosen during the handshake (SNI, RFC 6066).
/// Made once, before confinement and before any fork; nothing is opened or loaded afterwards.
@safe
package final class TLSServer {
    let main: TLSContext
    private let exact: [[UInt8]: TLSContext]
    /// By the name without its first label: `example.org` for `*.example.org`.
    private let wildcard: [[UInt8]: TLSContext]
    /// The ALPN name of the service (RFC 7301), nil: an offer is ignored.
    private let applicationProtocol: [UInt8]?

    /// - Parameter applicationProtocol: `imap` or `pop3`; a client that offers ALPN without it is refused.
    /// - Throws: TLSError for a certificate, key, cipher or curve list that OpenSSL does not take.
    package init(_ settings: TLSSettings, hosts: [TLSHost] = [], applicationProtocol: String? = nil) throws(TLSError) {
        main = try TLSContext(settings)
        var exact: [[UInt8]: TLSContext] = [:]
        var wildcard: [[UInt8]: TLSContext] = [:]
        for host in hosts {
            let name = ServerName.normal(Array(host.name.utf8))
            let context = try TLSContext(host.settings)
            if name.starts(with: [0x2A, 0x2E]) {
                wildcard[Array(name.dropFirst(2))] = context
            } else {
                exact[name] = context
            }
        }
        self.exact = exact
        self.wildcard = wildcard
        self.applicationProtocol = applicationProtocol.map { Array($0.utf8) }
        attach(to: main)
        // After the switch OpenSSL asks the new context for the ALPN callback.
        for context in exact.values { attach(to: context) }
        for context in wildcard.values { attach(to: context) }
    }

    private func attach(to context: TLSContext) {
        // Unretained: each stream keeps its server alive.
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe cossl_on_server_name(context.pointer, chooseContext, me)
        if applicationProtocol != nil { unsafe SSL_CTX_set_alpn_select_cb(context.pointer, chooseProtocol, me) }
    }

    /// The context for a name that a client asks for; nil: the main one.
    func context(for name: [UInt8]) -> TLSContext? {
        let name = ServerName.normal(name)
        if let context = exact[name] { return context }
        guard let dot = name.firstIndex(of: 0x2E), dot > 0 else { return nil }
        return wildcard[Array(name[(dot + 1)...])]
    }

    /// Whether the client's ALPN list (length-prefixed names) holds ours; answers its position.
    func position(in offered: Span<UInt8>) -> Int? {
        guard let wanted = applicationProtocol else { return nil }
        var index = 0
        while index < offered.count {
            let length = Int(offered[index])
            guard length <= offered.count - index - 1 else { return nil }
            if length == wanted.count, (0..<length).allSatisfy({ offered[index + 1 + $0] == wanted[$0] }) { return index + 1 }
            index += 1 + length
        }
        return nil
    }

    var protocolLength: UInt8 { UInt8(clamping: applicationProtocol?.count ?? 0) }
}

/// Names of servers as clients send them.
enum ServerName {
    /// Lower case, without a final dot; what is too long matches nothing.
    static func normal(_ name: [UInt8]) -> [UInt8] {
        guard name.count <= Limits.serverName else { return [] }
        let lower = name.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
        return lower.last == 0x2E ? Array(lower.dropLast()) : lower
    }

    /// The name that the client asked for, nil: none, or one that is too long.
    static func asked(of stream: OpaquePointer?) -> [UInt8]? {
        guard let text = unsafe SSL_get_servername(stream, TLSEXT_NAMETYPE_host_name) else { return nil }
        var name: [UInt8] = []
        var next = unsafe text
        while unsafe next.pointee != 0 {
            guard name.count < Limits.serverName else { return nil }
            name.append(unsafe UInt8(bitPattern: next.pointee))
            unsafe next += 1
        }
        return name
    }
}

/// OpenSSL's servername callback: switches to the context of the asked name; an unknown name keeps the main one.
private func chooseContext(_ stream: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let argument = unsafe argument, let name = unsafe ServerName.asked(of: stream) else { return SSL_TLSEXT_ERR_NOACK }
    let server = unsafe Unmanaged<TLSServer>.fromOpaque(argument).takeUnretainedValue()
    guard let context = server.context(for: name) else { return SSL_TLSEXT_ERR_OK }
    _ = unsafe SSL_set_SSL_CTX(stream, context.pointer)
    return SSL_TLSEXT_ERR_OK
}

/// OpenSSL's ALPN callback: our protocol, or the end of the handshake (RFC 7301, section 3.2).
private func chooseProtocol(
    _ stream: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ count: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let argument = unsafe argument, let offered = unsafe offered else { return SSL_TLSEXT_ERR_NOACK }
    let server = unsafe Unmanaged<TLSServer>.fromOpaque(argument).takeUnretainedValue()
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(count))
    guard let position = unsafe server.position(in: list.span) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    unsafe chosen?.pointee = offered + position
    unsafe length?.pointee = server.protocolLength
    return SSL_TLSEXT_ERR_OK
}
