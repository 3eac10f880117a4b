internal import CPlatform
internal import Glibc

/// A failed system call: which one, and why.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// Name of the call as in its man page, with its object where that helps: `open(/etc/x)`.
    package let call: String
    /// errno, a positive number.
    package let code: Int32

    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// `open(/etc/x) failed: Permission denied`
    package var description: String { "\(call) failed: \(reason)" }

    /// The text of errno alone: `Permission denied`.
    package var reason: String { unsafe String(cString: strerror(code)) }

    package var isWouldBlock: Bool { code == EAGAIN }
    package var isNotFound: Bool { code == ENOENT }
    package var isExists: Bool { code == EEXIST }
    package var isPermission: Bool { code == EACCES || code == EPERM }
    package var isConnectionEnd: Bool { code == EPIPE || code == ECONNRESET || code == ECONNREFUSED || code == ENOTCONN }
    /// No descriptors left, in this process or in the whole system.
    package var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }
    package var isNotEmpty: Bool { code == ENOTEMPTY }
    package var isNotDirectory: Bool { code == ENOTDIR }
    /// A link across file systems, or one more than the file system allows, or one it does not allow at all.
    package var isLinkRefused: Bool { code == EXDEV || code == EMLINK || code == EPERM || code == EACCES || code == EOPNOTSUPP }
    /// The file system is mounted read-only.
    package var isReadOnly: Bool { code == EROFS }
    /// No space or no quota left.
    package var isOutOfSpace: Bool { code == ENOSPC || isQuota }
    /// The user's quota of the file system, as against the whole of it.
    package var isQuota: Bool { code == EDQUOT }
}

/// Runs a call that answers -1 and errno, again for EINTR; throws what else went wrong.
@inline(__always)
package func retrying(_ call: @autoclosure () -> String, _ body: () -> Int) throws(SystemError) -> Int {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(call: call(), code: code) }
    }
}

/// Turns the -errno of a CPlatform function into an error.
@inline(__always) @discardableResult
package func checked(_ call: @autoclosure () -> String, _ result: Int32) throws(SystemError) -> Int32 {
    guard result >= 0 else { throw SystemError(call: call(), code: -result) }
    return result
}

extension SystemError {
    /// EINVAL: the content is not what it should be.
    package static let invalid = EINVAL
}
