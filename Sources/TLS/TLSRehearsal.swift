internal import COpenSSL

extension TLSServer {
    /// Plays one whole connection with itself in memory, so that OpenSSL loads, in a zygote before it forks and before its
    /// filter is entered, all that the first connection would load: the workers then share those pages and ask for no new calls.
    ///
    /// Throws TLSError when no handshake is possible with these settings: better at start than at the first client.
    package func rehearse() throws(TLSError) {
        let client = try TLSContext(clientWith: .tls12)
        var near: OpaquePointer?
        var far: OpaquePointer?
        ERR_clear_error()
        // Room for a whole flight of handshake messages with a long chain.
        guard unsafe BIO_new_bio_pair(&near, 1 << 16, &far, 1 << 16) == 1, let near = unsafe near, let far = unsafe far else {
            throw TLSError("BIO_new_bio_pair()")
        }
        guard let ours = unsafe SSL_new(main.pointer), let theirs = unsafe SSL_new(client.pointer) else { throw TLSError("SSL_new()") }
        defer {
            unsafe SSL_free(ours)
            unsafe SSL_free(theirs)
        }
        unsafe SSL_set_bio(ours, near, near)
        unsafe SSL_set_bio(theirs, far, far)
        unsafe SSL_set_accept_state(ours)
        unsafe SSL_set_connect_state(theirs)
        for _ in 0..<8 {
            let asked = unsafe SSL_do_handshake(theirs)
            let answered = unsafe SSL_do_handshake(ours)
            if asked == 1, answered == 1 { break }
        }
        var byte: UInt8 = 0
        let isThrough =
            unsafe SSL_write(ours, &byte, 1) == 1 && SSL_read(theirs, &byte, 1) == 1 && SSL_write(theirs, &byte, 1) == 1
            && SSL_read(ours, &byte, 1) == 1
        guard isThrough else { throw TLSError("rehearsal of a TLS handshake") }
        _ = unsafe SSL_shutdown(ours)
        ERR_clear_error()
    }
}
