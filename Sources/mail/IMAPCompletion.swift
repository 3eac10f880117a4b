internal import IMAPSyntax
internal import MailStore
internal import Platform

/// What a command that went well is answered with: `tag OK [code] text`.
struct Completion {
    var text: String
    /// With its brackets; empty for none.
    var code = ResponseWriter()

    init(_ text: String) { self.text = text }
}

/// Why a command did not do what was asked.
enum CommandFailure: Error {
    /// The session is over.
    case end(SessionEnd)
    /// `NO` with this text, which may begin with a response code; ours.
    case no(String)
    /// `NO`: the mailbox does not exist. Its name is shown.
    case noMailbox([UInt8], code: String)
    /// `BAD` with this text; ours.
    case bad(String)
    /// `BAD`: with UIDONLY only UIDs name messages (RFC 9586).
    case uidRequired
    /// `NO`: NOTIFY names an event that there is not; these are.
    case badEvent(NotifyEvents)
    /// `NO`: no search is stored under this name, which is shown.
    case undefinedFilter([UInt8])
    /// `NO`: CATENATE cannot use this URL, which is shown.
    case badURL([UInt8])
    case store(StoreError)

    /// The session goes on, and other messages can still be told.
    var concernsOneMessage: Bool {
        switch self {
        case .no: true
        case .store(.mailboxGone): false
        case .store: true
        default: false
        }
    }
}

/// Runs something of the store; its errors become failures of the command.
func storing<Result: ~Copyable>(_ body: () throws(StoreError) -> Result) throws(CommandFailure) -> Result {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
}

/// Runs something on the connection; its end is the end of the command.
func ending<Result>(_ body: () throws(SessionEnd) -> Result) throws(CommandFailure) -> Result {
    do throws(SessionEnd) { return try body() } catch { throw .end(error) }
}

extension IMAPSession {
    /// Writes the tagged answer to a command that failed; throws when that ends the session.
    func answer(_ tag: [UInt8], _ failure: CommandFailure) throws(SessionEnd) {
        switch failure {
        case .end(let end): throw end
        case .no(let text): stream.out.status(tag, "NO \(text)")
        case .bad(let text): stream.out.status(tag, "BAD Error in IMAP command \(commandText): \(text).")
        case .uidRequired: stream.out.status(tag, "BAD [UIDREQUIRED] Message numbers are not used after ENABLE UIDONLY.")
        case .badEvent(let supported):
            // unsupported-events-code = "BADEVENT" SP "(" event-name *(SP event-name) ")"        RFC 5465 section 8
            let names = NotifyEvents.names.filter { supported.contains($0.event) }.map(\.name).joined(separator: " ")
            stream.out.status(tag, "NO [BADEVENT (\(names))] There is no such event here.")
        case .undefinedFilter(let name):
            stream.out.raw(tag)
            stream.out.text(" NO [UNDEFINED-FILTER ")
            stream.out.shown(name)
            stream.out.text("] No search is stored under this name.")
            stream.out.newline()
        case .badURL(let url):
            stream.out.raw(tag)
            stream.out.text(" NO [BADURL ")
            stream.out.shown(url)
            stream.out.text("] This URL leads to nothing here.")
            stream.out.newline()
        case .noMailbox(let name, let code):
            stream.out.raw(tag)
            stream.out.text(" NO \(code)Mailbox doesn't exist: ")
            stream.out.shown(name)
            stream.out.newline()
        case .store(let error):
            if case .mailboxGone(let text) = error { throw .inconsistent(text) }
            stream.out.status(tag, "NO \(text(of: error))")
        }
    }

    /// The answer to each kind of error (reference/storage.md section 17). Paths stay in the log.
    func text(of error: StoreError) -> String {
        switch error {
        case .notFound: return "Mailbox doesn't exist"
        case .exists: return "[ALREADYEXISTS] Mailbox already exists"
        case .invalidName(let text): return "[CANNOT] Invalid mailbox name: \(text)"
        case .cannot(let text): return "[CANNOT] \(text)"
        case .limit(let text): return "[LIMIT] \(text)"
        case .permission:
            settings.logError(error.logText)
            return "[NOPERM] Permission denied"
        case .noSpace:
            settings.logError(error.logText)
            return "[OVERQUOTA] Not enough disk quota"
        case .overQuota(let text): return "[OVERQUOTA] \(text)"
        case .tooBig(let text): return "[TOOBIG] \(text)"
        case .lockTimeout:
            settings.logError(error.logText)
            return "[INUSE] Timeout while waiting for lock"
        case .expunged: return "[EXPUNGEISSUED] Some of the requested messages no longer exist."
        case .mailboxGone(let text): return text
        case .unavailable(let text):
            settings.logError(text)
            return "[UNAVAILABLE] Mail is not available now"
        case .temporary:
            settings.logError(error.logText)
            return "[SERVERBUG] Internal error occurred. Refer to server log for more information. [\(Self.timestamp())]"
        }
    }

    /// `2026-11-21 06:00:00`, UTC.
    static func timestamp() -> String {
        let now = Clock.unixSeconds
        let (year, month, day) = CalendarDate(daysSince1970: now / 86_400).civil
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let second = now % 86_400
        return "\(year)-\(two(Int64(month)))-\(two(Int64(day))) \(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
    }
}
