internal import IMAPSyntax

// COMPRESS=DEFLATE (RFC 4978). It lies inside of TLS, which another process does.
extension IMAPSession {
    func compress(_ algorithm: [UInt8]) throws(CommandFailure) -> Completion {
        guard algorithm.isWord("DEFLATE") else { throw .bad("Unknown compression") }
        if stream.isCompressing { throw .no("[COMPRESSIONACTIVE] DEFLATE is active already.") }
        // What follows must be compressed, and nobody knows which of it is.
        guard reader.unread.isEmpty else { throw .bad("Wait for the answer to COMPRESS") }
        // The answer itself is not compressed.
        startsCompression = true
        return Completion("DEFLATE active.")
    }
}
