package import Platform

/// Why the store could not do what was asked: one case for each kind of answer a client gets (reference/storage.md 17).
///
/// A case carries what the answer needs; what the log needs (path and errno) is in `logText`. Neither paths nor
/// errno ever go to a client.
package enum StoreError: Error, Equatable {
    /// The mailbox does not exist.
    case notFound
    /// A mailbox of that name is there already.
    case exists
    /// The name can never be a mailbox; the text follows `Invalid mailbox name: `.
    case invalidName(String)
    /// Not possible, now or ever: `[CANNOT]` with this text, which may be shown to the client.
    case cannot(String)
    /// A limit of ours was reached: `[LIMIT]` with this text.
    case limit(String)
    /// The file system refused: `[NOPERM]`.
    case permission(FileFailure)
    /// Disk or quota is full: `[OVERQUOTA]`.
    case noSpace(FileFailure)
    /// More than the user's quota allows: `[OVERQUOTA]` with the configured sentence.
    case overQuota(String)
    /// One message is larger than `quota_mail_size`: `[TOOBIG]`.
    case tooBig(String)
    /// Somebody else held the lock (its path) too long: `[INUSE]`.
    case lockTimeout(path: String)
    /// The message is gone: `[EXPUNGEISSUED]`.
    case expunged
    /// The mailbox was deleted, or its UIDVALIDITY changed, while it was open: the session ends with BYE.
    case mailboxGone(String)
    /// The store cannot be used at all, for a reason that the administrator must remove (for example: no home).
    case unavailable(String)
    /// Anything else that went wrong below us: `[SERVERBUG]`.
    case temporary(FileFailure)

    /// Which file, and what the kernel said.
    package struct FileFailure: Equatable, CustomStringConvertible {
        package let path: String
        package let cause: SystemError

        package init(path: String, cause: SystemError) {
            self.path = path
            self.cause = cause
        }

        /// `rename(/x/y) failed: Permission denied`
        package var description: String { "\(cause.call)(\(path)) failed: \(cause.reason)" }
    }

    /// One line for the log, with path and reason. May hold bytes of foreign file names: goes through `LogText`.
    package var logText: String {
        switch self {
        case .notFound: "Mailbox doesn't exist"
        case .exists: "Mailbox already exists"
        case .invalidName(let text): "Invalid mailbox name: \(text)"
        case .cannot(let text), .limit(let text), .mailboxGone(let text), .unavailable(let text), .overQuota(let text), .tooBig(let text):
            text
        case .permission(let failure), .noSpace(let failure), .temporary(let failure): failure.description
        case .lockTimeout(let path): "Timeout while waiting for lock: \(path)"
        case .expunged: "Message was expunged"
        }
    }

    /// The error of a failed system call on `path`, sorted by errno: no permission, no space, or temporary.
    package init(_ cause: SystemError, path: String) {
        let failure = FileFailure(path: path, cause: cause)
        if cause.isOutOfSpace {
            self = .noSpace(failure)
        } else if cause.isPermission || cause.isReadOnly {
            self = .permission(failure)
        } else {
            self = .temporary(failure)
        }
    }
}
