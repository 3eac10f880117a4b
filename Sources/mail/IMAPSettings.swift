internal import IMAPSyntax

/// What login knew of the client when it handed the connection over.
struct SessionStart {
    /// Tag of the LOGIN or AUTHENTICATE that is still to be answered.
    var tag: [UInt8]
    /// Bytes that the client sent after it.
    var pendingInput: [UInt8] = []
    /// The capabilities go into the OK. False when the client had asked for them itself: then they come in a line of their own.
    var answerWithCapability = true
}

/// Settings of an IMAP session, and what it tells its process.
struct IMAPSettings {
    /// `imap_capability`: replaces the list, or extends it when it begins with `+`; empty: our own.
    var capability = ""
    /// `imap_id_send`: what ID answers; `*` stands for our own value.
    var serverID = ServerID.response("name *", version: "")
    /// The session ends when the client is silent for so long outside of IDLE (RFC 9051 section 5.4: at least 30 minutes).
    var inactivityMilliseconds: Int64 = 1_800_000
    /// The longest pause inside a command, and of a client that does not read.
    var pauseMilliseconds: Int64 = 120_000
    /// `imap_idle_notify_interval`: how often IDLE says that it is alive; 0: never.
    var idleNotifyMilliseconds: Int64 = 120_000
    /// How often IDLE looks when the store cannot wake it up.
    var idleCheckMilliseconds: Int64 = 30_000
    /// `imap_metadata`.
    var offersMetadata = false
    /// `imap_message_limit`: messages that one command may work on; 0: any number.
    var messageLimit = 0
    /// `mail_server_admin` and `mail_server_comment`: /shared/admin and /shared/comment of the server.
    var serverAdmin = ""
    var serverComment = ""
    /// How often a long command says that it goes on (RFC 9585 section 4.1).
    var progressMilliseconds: Int64 = 15_000
    var limits = IMAPSyntax.Limits.postLogin
    /// Called with the name of the command that begins (`UID FETCH`), and with an empty text when the session waits.
    var setTitle: (String) -> Void = { _ in }
    /// For what the administrator has to know; the text may hold bytes of file names.
    var logError: (String) -> Void = { _ in }
    /// A descriptor that is readable when the process has something to say, and what reads it.
    var control: ControlChannel?
}

/// How a session's process is told to end it.
struct ControlChannel {
    enum Request { case none, shutDown, kick }

    var number: Int32
    /// Called when `number` is readable; has to take what is there.
    var read: () -> Request
}

/// Why a session ended.
enum SessionEnd: Error, Equatable {
    case loggedOut
    /// The client went away; the text says more where more is known.
    case connectionClosed(String)
    case inactivity
    case shuttingDown
    case kicked
    case tooManyBadCommands
    /// The client sends bytes that must not be taken for commands.
    case unsafeInput(String)
    /// The mailbox went away or changed its UIDs under the session.
    case inconsistent(String)

    /// The text after `* BYE `; nil when nobody listens, or when it was said already.
    var bye: String? {
        switch self {
        case .loggedOut, .connectionClosed: nil
        case .inactivity: "Disconnected for inactivity."
        case .shuttingDown: "Server shutting down."
        case .kicked: "Disconnected by the administrator."
        case .tooManyBadCommands: "Too many invalid IMAP commands."
        case .unsafeInput(let text): text
        case .inconsistent(let text): "IMAP session state is inconsistent: \(text)"
        }
    }

    /// The REASON of the line in the log (reference/operations.md section 5).
    var reason: String {
        switch self {
        case .loggedOut: "Logged out"
        case .connectionClosed(let detail): detail.isEmpty ? "Connection closed" : "Connection closed: \(detail)"
        case .inactivity: "Disconnected for inactivity"
        case .shuttingDown: "Server shutting down."
        case .kicked: "User was kicked"
        case .tooManyBadCommands: "Too many invalid IMAP commands."
        case .unsafeInput(let text): text
        case .inconsistent(let text): "IMAP session state is inconsistent: \(text)"
        }
    }
}
