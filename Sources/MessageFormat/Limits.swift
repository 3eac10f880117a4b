/// How much of a message is understood (reference/security.md section 6); what is over a limit stays opaque, never lost.
package enum Limits {
    /// Bytes of one header field; its rest is left out.
    package static let headerField = 1 << 20
    /// Bytes and lines of one header; the rest is treated as body.
    package static let header = 10 << 20
    package static let headerLines = 10_000
    /// Addresses of one field.
    package static let addresses = 1_000
    /// Comments inside comments; a field with more yields NIL.
    package static let commentDepth = 20
    /// Messages and multiparts inside each other, and parts in all: the innermost part stays opaque.
    package static let depth = 100
    package static let parts = 10_000
    /// Bytes of a boundary. RFC 2046 allows 70; a line has at most 998.
    package static let boundary = 998
    /// Parameters of one field, and pieces of one parameter (RFC 2231).
    package static let parameters = 100
    package static let parameterPieces = 128
    /// Languages of Content-Language.
    package static let languages = 50
    /// Ancestors that one message may name; of more the first and the latest count.
    package static let references = 200
}
