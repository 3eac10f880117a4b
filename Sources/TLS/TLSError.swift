internal import COpenSSL
internal import Glibc

/// What OpenSSL or the kernel said when a TLS operation failed.
package struct TLSError: Error, Equatable, CustomStringConvertible {
    /// The operation, in OpenSSL's words: `SSL_accept()`.
    package let operation: String
    /// OpenSSL's text, made of our own constants and never of bytes that the peer chose.
    package let reason: String

    package init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    /// `SSL_accept() failed: error:0A00010B:SSL routines::wrong version number`
    package var description: String { "\(operation) failed: \(reason)" }

    /// Takes every error that OpenSSL has queued; `else` is used when it has queued none.
    init(_ operation: String, else fallback: String = "unknown error") {
        var texts: [String] = []
        while texts.count < 8 {
            let code = ERR_get_error()
            if code == 0 { break }
            texts.append(TLSError.text(of: code))
        }
        ERR_clear_error()
        self.init(operation: operation, reason: texts.isEmpty ? fallback : texts.joined(separator: ", "))
    }

    private static func text(of code: UInt) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        unsafe ERR_error_string_n(code, &buffer, buffer.count)
        let end = buffer.firstIndex(of: 0) ?? buffer.endIndex
        return String(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
