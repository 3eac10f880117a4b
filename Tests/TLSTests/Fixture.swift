/// Certificates and keys made for these tests alone, with `openssl req -x509 -newkey ec`; they protect nothing.
enum Fixture {
    /// CN=mail.example.org
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBjDCCATOgAwIBAgIUKUYufjvJCaEHoMDnW6NarZ7HswowCgYIKoZIzj0EAwIw
        GzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzAgFw0yNjExMjEwNjEwMzFaGA8y
        MTI2MTAyODA2MTAzMVowGzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzBZMBMG
        ByqGSM49AgEGCCqGSM49AwEHA0IABI/PGv0BVmxyLx91f5VRJIav1Wy1tAgKZ5gu
        EQMFAhPW54HkaElRLHMo0uYvMa9XuWO4DxCBp+3fmr57LS8wd+OjUzBRMB0GA1Ud
        DgQWBBSwpkw8b1mzhRWjuugMbcYsrcuShDAfBgNVHSMEGDAWgBSwpkw8b1mzhRWj
        uugMbcYsrcuShDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIFOj
        U1KvWKtE5ZGcIPM+HXV04XljRJ8xJUvc3pCil7khAiAy71y8GkGy8IQorlwwvZlC
        NA7LtSdJTcvu8zMrNsDJCA==
        -----END CERTIFICATE-----

        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgY1/w78s5VRXOwFcV
        zpIHJXrdQ9o7u0R4VPdYP+weoKShRANCAASPzxr9AVZsci8fdX+VUSSGr9VstbQI
        CmeYLhEDBQIT1ueB5GhJUSxzKNLmLzGvV7ljuA8Qgaft35q+ey0vMHfj
        -----END PRIVATE KEY-----

        """
    /// `key`, with the password "secret".
    static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjPOGPVYS3QeAICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPLCrZCHH/CY+awk+fYGtM8EgZDF
        cOj9kDhH75vB0F54SB7yt6BXsnQ90erDQ6ntsnaJZAnmMutr2r/kAI/VXSgdhuT2
        30m84TjEnO0v40RzvqUFHzMw0QKHRCG9nOsbBISiMH6tW3lch/YkfsKNF3y2EqUO
        eu1Vj5AKr+Y6GQ4mHhMi5k6ZeUFfjaDxwxTTC4fraVgRPVxIACkpgm538vHr+Dk=
        -----END ENCRYPTED PRIVATE KEY-----

        """
    /// CN=other.example.net
    static let otherCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBjzCCATWgAwIBAgIUXcsGmiO8XigCyZGmsPnfl0GlsecwCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRb3RoZXIuZXhhbXBsZS5uZXQwIBcNMjYxMTIxMDYxMDMxWhgP
        MjEyNjEwMjgwNjEwMzFaMBwxGjAYBgNVBAMMEW90aGVyLmV4YW1wbGUubmV0MFkw
        EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEI54L2lmtlCyXp+UZpqKH/qEDbc9pIZ8X
        GGVu8xblAu1jdAZUBi11ZlZcbuA8xIs6SjNi0r26zSc5jpOxDPwHmqNTMFEwHQYD
        VR0OBBYEFLPhz8QZVRwzpmA27mIuuNihXzeCMB8GA1UdIwQYMBaAFLPhz8QZVRwz
        pmA27mIuuNihXzeCMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIh
        AKADoa9pe1cZRIGiHy6+yFYl3BQ5mgvdRay8/RyXz0PLAiAMuGiBJpMTbU5LOjOw
        fXsq4lrVqebijyWrZnurungdvw==
        -----END CERTIFICATE-----

        """
    static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkicqT2ID5XFzfdGN
        7t7AP/RHY1Ir7orY1eXeWokpUiShRANCAAQjngvaWa2ULJen5Rmmoof+oQNtz2kh
        nxcYZW7zFuUC7WN0BlQGLXVmVlxu4DzEizpKM2LSvbrNJzmOk7EM/Aea
        -----END PRIVATE KEY-----

        """
}
