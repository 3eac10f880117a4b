internal import COpenSSL

/// A counted reference to a parsed certificate, so that a chain fits into an array.
@safe
final class CertificateReference {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe X509_free(pointer) }
}

/// A private key that OpenSSL has parsed (EVP_PKEY).
@safe
struct PrivateKey: ~Copyable {
    let pointer: OpaquePointer
    deinit { unsafe EVP_PKEY_free(pointer) }
}

/// Reads certificates and keys out of PEM bytes in memory.
enum PEM {
    /// All certificates of a chain, the own one first.
    static func certificates(_ bytes: [UInt8]) throws(TLSError) -> [CertificateReference] {
        let source = try unsafe memory(bytes, of: "certificate")
        defer { unsafe BIO_free(source) }
        var found: [CertificateReference] = []
        while found.count < Limits.chain {
            guard let certificate = unsafe PEM_read_bio_X509(source, nil, nil, nil) else { break }
            found.append(unsafe CertificateReference(certificate))
        }
        let code = ERR_peek_last_error()
        if !found.isEmpty, code == 0 || cossl_is_end_of_pem(code) == 1 {
            ERR_clear_error()
            return found
        }
        throw TLSError("PEM_read_bio_X509()", else: "no certificate found")
    }

    /// The first key in the bytes; an encrypted one without password is an error, never a question on a terminal.
    static func privateKey(_ bytes: [UInt8], password: [UInt8]?) throws(TLSError) -> PrivateKey {
        let source = try unsafe memory(bytes, of: "private key")
        defer { unsafe BIO_free(source) }
        var secret = (password ?? []) + [0]
        // With no callback, OpenSSL takes the last argument as the password, ended by NUL.
        let key = unsafe secret.withUnsafeMutableBytes { unsafe PEM_read_bio_PrivateKey(source, nil, nil, $0.baseAddress) }
        unsafe secret.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        guard let key = unsafe key else { throw TLSError("PEM_read_bio_PrivateKey()", else: "no private key found") }
        return unsafe PrivateKey(pointer: key)
    }

    /// A memory BIO with its own copy of the bytes.
    private static func memory(_ bytes: [UInt8], of what: String) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard !bytes.isEmpty, bytes.count <= Limits.pem else {
            throw TLSError(
                operation: "reading the \(what)", reason: bytes.isEmpty ? "it is empty" : "it is larger than \(Limits.pem) bytes")
        }
        guard let source = unsafe BIO_new(BIO_s_mem()) else { throw TLSError("BIO_new()") }
        let written = unsafe bytes.withUnsafeBytes { unsafe BIO_write(source, $0.baseAddress, Int32($0.count)) }
        guard written == Int32(bytes.count) else {
            unsafe BIO_free_all(source)
            throw TLSError("BIO_write()")
        }
        return unsafe source
    }
}
