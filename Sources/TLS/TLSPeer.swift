internal import COpenSSL

// What only the client side and tests ask for.
extension TLSStream {
    /// The common name of the peer's certificate, nil: it showed none.
    var peerCommonName: String? {
        guard let certificate = unsafe SSL_get1_peer_certificate(pointer) else { return nil }
        defer { unsafe X509_free(certificate) }
        var buffer = [CChar](repeating: 0, count: 256)
        let count = unsafe X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &buffer, Int32(buffer.count))
        guard count >= 0 else { return nil }
        return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension TLSContext {
    /// Offers application protocols (ALPN): length-prefixed names.
    func offer(_ protocols: [UInt8]) { _ = unsafe SSL_CTX_set_alpn_protos(pointer, protocols, UInt32(protocols.count)) }

    func allowAtMost12() { _ = unsafe cossl_set_max_version(pointer, TLS1_2_VERSION) }
}
