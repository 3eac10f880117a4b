internal import COpenSSL

/// Limits of what is read into a context.
enum Limits {
    /// Certificates in one chain: real ones have at most five.
    static let chain = 32
    /// A PEM file of `chain` certificates fits easily; OpenSSL takes the length as a 32-bit number.
    static let pem = 1 << 20
    /// RFC 6066, section 3: a DNS name has at most 255 bytes.
    static let serverName = 255
    /// Bytes handed to OpenSSL in one call; its lengths are 32-bit numbers, one record is 16 KiB.
    static let chunk = 1 << 20
}

/// Identities and rules of one server name in OpenSSL's form (SSL_CTX); fixed once it is made.
@safe
final class TLSContext {
    let pointer: OpaquePointer

    init(_ settings: TLSSettings) throws(TLSError) {
        guard !settings.identities.isEmpty else { throw TLSError(operation: "SSL_CTX_new()", reason: "no certificate given") }
        guard let pointer = unsafe TLSContext.make(TLS_server_method()) else { throw TLSError("SSL_CTX_new()") }
        unsafe self.pointer = pointer
        try apply(settings)
        for identity in settings.identities { try use(identity) }
    }

    /// A context for the client side, which verifies nothing: for the rehearsal and for tests.
    init(clientWith minimum: TLSVersion) throws(TLSError) {
        guard let pointer = unsafe TLSContext.make(TLS_client_method()) else { throw TLSError("SSL_CTX_new()") }
        unsafe self.pointer = pointer
        try setMinimum(minimum)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    private static func make(_ method: OpaquePointer?) -> OpaquePointer? {
        ERR_clear_error()
        guard OPENSSL_init_ssl(cossl_init_everything, nil) == 1 else { return nil }
        guard let context = unsafe SSL_CTX_new(method) else { return nil }
        unsafe cossl_set_mode(context, cossl_modes)
        // One read(2) per record instead of two; whoever reads goes on until `.wantRead`, so nothing is left behind.
        unsafe cossl_set_read_ahead(context, 1)
        unsafe cossl_cache_off(context)
        unsafe SSL_CTX_set_options(context, cossl_op_no_renegotiation | cossl_op_no_compression | cossl_op_single_use)
        return unsafe context
    }

    private func setMinimum(_ version: TLSVersion) throws(TLSError) {
        let number = version == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard unsafe cossl_set_min_version(pointer, number) == 1 else { throw TLSError("SSL_CTX_set_min_proto_version()") }
    }

    private func apply(_ settings: TLSSettings) throws(TLSError) {
        try setMinimum(settings.minimum)
        if let list = settings.cipherList, !list.isEmpty {
            guard unsafe SSL_CTX_set_cipher_list(pointer, list) == 1 else { throw TLSError("SSL_CTX_set_cipher_list(\(list))") }
        }
        if let suites = settings.cipherSuites, !suites.isEmpty {
            guard unsafe SSL_CTX_set_ciphersuites(pointer, suites) == 1 else { throw TLSError("SSL_CTX_set_ciphersuites(\(suites))") }
        }
        if let curves = settings.curveList, !curves.isEmpty {
            guard unsafe cossl_set_groups(pointer, curves) == 1 else { throw TLSError("SSL_CTX_set1_groups_list(\(curves))") }
        }
        if settings.prefersServerCiphers { unsafe SSL_CTX_set_options(pointer, cossl_op_server_preference) }
        if !settings.offersTickets { unsafe SSL_CTX_set_options(pointer, cossl_op_no_ticket) }
        // OpenSSL sends two tickets by default; each costs an encryption and a record before the greeting.
        guard unsafe SSL_CTX_set_num_tickets(pointer, settings.offersTickets ? 1 : 0) == 1 else {
            throw TLSError("SSL_CTX_set_num_tickets()")
        }
        let label = Array("culver".utf8)
        guard unsafe SSL_CTX_set_session_id_context(pointer, label, UInt32(label.count)) == 1 else {
            throw TLSError("SSL_CTX_set_session_id_context()")
        }
        unsafe cossl_set_dh_auto(pointer)
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_NONE, nil)
    }

    private func use(_ identity: TLSIdentity) throws(TLSError) {
        let chain = try PEM.certificates(identity.chain)
        for (index, certificate) in chain.enumerated() {
            let isOwn = index == 0
            let done = unsafe isOwn ? SSL_CTX_use_certificate(pointer, certificate.pointer) : cossl_add_chain(pointer, certificate.pointer)
            guard done == 1 else { throw TLSError(isOwn ? "SSL_CTX_use_certificate()" : "SSL_CTX_add1_chain_cert()") }
        }
        switch identity.key {
        case .pem(let bytes, let password):
            let key = try PEM.privateKey(bytes, password: password)
            guard unsafe SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else { throw TLSError("SSL_CTX_use_PrivateKey()") }
        }
        guard unsafe SSL_CTX_check_private_key(pointer) == 1 else { throw TLSError("SSL_CTX_check_private_key()") }
    }
}
