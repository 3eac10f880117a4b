internal import MailAccess
internal import MailStore
internal import Platform
internal import Variables

/// Saves the message, in the mailbox asked for or else in INBOX, and logs what became of it.
struct Delivery {
    let arguments: LDAArguments
    let configuration: MailConfiguration
    let user: MailUser
    let log: LDALog
    private var head = MessageHead([])
    private var size: Int64 = 0
    private var virtualSize: Int64 = 0

    init(arguments: LDAArguments, configuration: MailConfiguration, user: MailUser, log: LDALog) {
        self.log = log
        self.arguments = arguments
        self.configuration = configuration
        self.user = user
    }

    mutating func run() throws(AccessFailure) {
        let input = try input()
        var first: [UInt8] = []
        do throws(SystemError) {
            while first.count < MessageHead.size, try input.read(appendingTo: &first, atMost: MessageHead.size) > 0 {}
        } catch { throw AccessFailure(.temporary, error.description) }
        head = MessageHead(first[...])
        var options = try configuration.storeOptions(for: user) { [log] severity, text in
            log.write(severity == .error ? .error : severity == .warning ? .warning : .debug, text)
        }
        do throws(StoreError) {
            options.quota?.hasGrace = true
            let store = try MailStore.open(location: try location(), home: user.home, options: options)
            let (name, save) = try target(in: store)
            do throws(StoreError) {
                try copy(first[head.skipped...], input, to: save)
                _ = try save.commit()
            } catch {
                logOutcome("save failed to \(name.description): \(error.logText)")
                throw error
            }
            logOutcome("saved mail to \(name.description)")
        } catch { throw failure(of: error) }
    }

    private func location() throws(StoreError) -> MailLocation {
        do throws(AccessFailure) { return try user.mailLocation(configuration) } catch { throw .unavailable(error.text) }
    }

    private func input() throws(AccessFailure) -> FileDescriptor {
        guard let path = arguments.messageFile else { return FileDescriptor(adopting: 0) }
        do throws(SystemError) { return try FileSystem.open(path, for: .read) } catch {
            throw AccessFailure(.temporary, error.description)
        }
    }

    /// The mailbox of `-m`, made if the settings say so; INBOX when it cannot be used.
    private func target(in store: any MailDriver) throws(StoreError) -> (MailboxName, any SaveTransaction) {
        do throws(StoreError) {
            let name = try store.name(Array(arguments.mailbox.utf8))
            if configuration.isOn("lda_mailbox_autocreate"), try !store.exists(name) {
                try store.create(name)
                if configuration.isOn("lda_mailbox_autosubscribe") { try store.subscribe(name) }
            }
            return (name, try store.beginSave(to: name))
        } catch {
            guard arguments.mailbox != "INBOX" else { throw error }
            switch error {
            case .notFound, .invalidName, .cannot, .limit, .exists:
                let reason = error == .notFound ? "Mailbox doesn't exist: \(arguments.mailbox)" : error.logText
                logOutcome("save failed to open mailbox \(arguments.mailbox): \(reason)")
            default: throw error
            }
        }
        let inbox = try store.name(Array("INBOX".utf8))
        return (inbox, try store.beginSave(to: inbox))
    }

    private mutating func copy(
        _ first: ArraySlice<UInt8>, _ input: borrowing FileDescriptor, to save: any SaveTransaction
    ) throws(StoreError) {
        try save.begin(NewMessage())
        let header = Array(addedHeader.utf8)
        try save.append(header[...])
        try save.append(first)
        size = Int64(header.count + first.count)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got: Int
            do throws(SystemError) { got = try input.read(into: &buffer) } catch { throw StoreError(error, path: "message") }
            if got == 0 { break }
            size += Int64(got)
            try save.append(buffer[..<got])
        }
        virtualSize = try save.end()
    }

    /// Who sent it, and to whom it was delivered (reference/storage.md 20).
    private var addedHeader: String {
        let recipient = arguments.finalRecipient ?? arguments.originalRecipient ?? user.name
        return "Return-Path: <\(sender)>\nDelivered-To: \(Self.clean(recipient))\n"
    }

    /// A sender that is no address is none.
    private var sender: String {
        let given = arguments.sender ?? head.mboxSender ?? ""
        let bare = given.hasPrefix("<") && given.hasSuffix(">") ? String(given.dropFirst().dropLast()) : given
        return Self.clean(bare) == bare && !bare.contains("<") && !bare.contains(">") ? bare : ""
    }

    /// Without what could start another header field.
    private static func clean(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value > 0x20 && $0.value != 0x7f }.prefix(1_000)))
    }

    private func failure(of error: StoreError) -> AccessFailure {
        switch error {
        // A full disk is the administrator's concern and passes; the user's own quota is a reason to send the message back.
        case .noSpace(let failure) where !failure.cause.isQuota: return AccessFailure(.temporary, error.logText)
        case .noSpace: return refused("Not enough disk quota")
        case .overQuota(let text), .tooBig(let text): return refused(text)
        case .unavailable(let text): return AccessFailure(.temporary, text)
        default: return AccessFailure(.temporary, error.logText)
        }
    }

    private func refused(_ why: String) -> AccessFailure {
        if configuration.isOn("quota_full_tempfail") { return AccessFailure(.temporary, "") }
        guard arguments.printsRejection else {
            return AccessFailure(.temporary, "\(why); rejection mails are not built yet")
        }
        return AccessFailure(.reject, "rejected: \(why)")
    }

    /// One line by `deliver_log_format`.
    private func logOutcome(_ outcome: String) {
        let format = configuration.value("deliver_log_format")
        guard !format.isEmpty else { return }
        let table = [
            "message": outcome, "msgid": String((head.fields["message-id"] ?? "unspecified").prefix(200)),
            "subject": String((head.fields["subject"] ?? "").prefix(80)), "from": head.fields["from"] ?? "", "from_envelope": sender,
            "size": String(size), "vsize": String(virtualSize), "to_envelope": arguments.finalRecipient ?? user.name,
        ]
        do throws(TemplateError) {
            log.write(.info, try Template(format, dialect: configuration.dialect, scope: .deliver).expand { table[$0] ?? "" })
        } catch { log.write(.info, "msgid=\(table["msgid"] ?? ""): \(outcome)") }
    }
}
