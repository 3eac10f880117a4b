internal import IMAPSyntax
internal import MailStore
internal import MessageFormat
internal import Platform

/// One client's IMAP session after login: reads a command, runs it, writes the answer, until somebody ends it.
final class IMAPSession {
    let stream: ClientStream
    let store: any MailDriver
    let settings: IMAPSettings
    var reader: CommandReader
    var statistics = IMAPStatistics()
    /// The selected mailbox.
    var mailbox: (any Mailbox)?
    /// `$` of SEARCH RETURN (SAVE), as UIDs.
    var savedSearch = NumberSet()
    /// The structure of the message that was fetched last: clients ask for one part after the other.
    var lastStructure: LastStructure?
    var clientID: [UInt8] = []
    /// What the client asked for with ENABLE.
    var enabled: EnabledExtensions = []
    /// Searches of the selected mailbox whose changes the client wants to hear.
    var contexts: [SearchContext] = []
    /// UIDs of messages whose flags this session changed since the contexts were looked at.
    var touched = NumberSet()
    /// The keywords that the client was told last.
    var toldKeywords: [Keyword?] = []
    /// How texts are compared.
    var comparator = Comparator.standard
    /// What NOTIFY asked for; nil until it was used: then the selected mailbox is told of during commands.
    var notifications: Notifications?
    /// Messages in the selected mailbox that this client appended or copied and was not told of yet.
    var ownMessages = NumberSet()

    /// Filters that stand in filters, while a search is made ready.
    var filterDepth = 0
    /// Everything after the answer to the command at hand is compressed.
    var startsCompression = false
    /// Tag of the command at hand.
    private(set) var commandTag: [UInt8] = []
    /// Name of the command at hand, in upper case.
    var commandName: [UInt8] = []
    private var commandStart: Int64 = 0
    private var commandEnd: Int64 = 0
    private var badCommands = 0
    private let start: SessionStart

    struct LastStructure {
        var mailbox: ObjectIdentifier
        var uid: UInt32
        var message: MessageStructure
        /// Where the last partial ended: the next one often begins there.
        var cursor: ExtentCursor?
    }

    /// Takes over the connection and makes it non-blocking. Throws when it is not usable.
    init(client: consuming FileDescriptor, start: SessionStart, store: any MailDriver, settings: IMAPSettings) throws(SessionEnd) {
        stream = try ClientStream(client, control: settings.control, pauseMilliseconds: settings.pauseMilliseconds)
        stream.whenResting = { [unowned store] in store.rest() }
        stream.count(received: start.pendingInput.count)
        reader = CommandReader(limits: settings.limits, pending: start.pendingInput)
        self.start = start
        self.store = store
        self.settings = settings
    }

    /// Serves the client to the end.
    func run() -> IMAPSessionResult {
        do throws(SessionEnd) {
            greet()
            while true { try next() }
        } catch {
            let status = status()
            mailbox?.stopWatching()
            mailbox = nil
            sayGoodbye(error)
            statistics.input = stream.bytesIn
            statistics.output = stream.bytesOut
            return IMAPSessionResult(end: error, statistics: statistics, status: status, clientID: clientID)
        }
    }

    private func greet() {
        if start.answerWithCapability {
            stream.out.raw(start.tag)
            stream.out.text(" OK [CAPABILITY \(capabilities)] Logged in")
            stream.out.newline()
        } else {
            stream.out.text("* CAPABILITY \(capabilities)")
            stream.out.newline()
            stream.out.status(start.tag, "OK Logged in")
        }
    }

    private func sayGoodbye(_ end: SessionEnd) {
        guard !stream.isBroken else { return }
        if let bye = end.bye { stream.out.status([0x2a], "BYE \(bye)") }
        // Who is gone cannot be told anything.
        do throws(SessionEnd) { try stream.flush() } catch {}
    }

    /// What the client was doing, for the log.
    private func status() -> String {
        if commandName.isEmpty { return "(No commands sent)" }
        let now = Clock.milliseconds
        if commandEnd == 0 { return "(\(commandText) running for \(Self.seconds(now - commandStart)) secs)" }
        return "(\(commandText) finished \(Self.seconds(now - commandEnd)) secs ago)"
    }

    /// `3.200`
    private static func seconds(_ milliseconds: Int64) -> String {
        "\(milliseconds / 1_000).\(String(milliseconds % 1_000 + 1_000).dropFirst())"
    }

    /// Name of the command for people; letters only, for it was compared with our own words or is cut.
    var commandText: String {
        String(decoding: commandName.map { ($0 >= 0x41 && $0 <= 0x5a) || $0 == 0x20 ? $0 : 0x3f }, as: UTF8.self)
    }
}

// MARK: the loop
extension IMAPSession {
    private func next() throws(SessionEnd) {
        switch reader.next() {
        case .needMore:
            if notifications == nil || reader.isInsideCommand { return try receive() }
            settings.setTitle("")
            try waitForInputOrNews()
        case .continuation:
            // Written when the reader needs more; a client that did not wait has sent the literal already.
            stream.out.text("+ OK")
            stream.out.newline()
        case .command(let raw): try run(raw)
        case .appendLiteral(let raw, let size, let nonSynchronising):
            try append(raw, MessageLiteral(size: size, isNonSynchronising: nonSynchronising))
        case .overLimit(let refusal): try refuse(refusal)
        }
    }

    /// Feeds the reader with what the client sends next; writes all answers first.
    func receive() throws(SessionEnd) {
        let isInside = reader.isInsideCommand
        if !isInside { settings.setTitle("") }
        switch try stream.wait(milliseconds: isInside ? settings.pauseMilliseconds : settings.inactivityMilliseconds) {
        case .input: reader.feed(try stream.read())
        case .timeout: throw .inactivity
        case .other: break
        }
    }

    private func refuse(_ refusal: CommandReader.OverLimit) throws(SessionEnd) {
        commandName = []
        if refusal.mustClose { throw .unsafeInput("Literal too large.") }
        stream.out.status(refusal.tag, refusal.kind == .line ? "BAD Command line too long." : "NO [TOOBIG] Literal too large.")
        try countBad()
    }

    func countBad() throws(SessionEnd) {
        badCommands += 1
        if badCommands >= IMAPSyntax.Limits.badCommands { throw .tooManyBadCommands }
    }

    private func run(_ raw: RawCommand) throws(SessionEnd) {
        // An empty line between commands harms nobody; old clients send one after a literal.
        if raw.bytes.isEmpty { return }
        if raw.isAppend { return try append(raw, nil) }
        var parser = CommandParser(raw, limits: settings.limits)
        let tag: [UInt8]
        let command: Command
        commandName = []
        commandEnd = 0
        do throws(SyntaxError) {
            tag = try parser.tag()
            command = try parser.command(name: &commandName)
        } catch {
            let name = commandName.isEmpty ? "" : " \(commandText)"
            stream.out.status(raw.tagOrStar, "BAD Error in IMAP command\(name): \(error.text).")
            return try countBad()
        }
        begin(tag)
        try perform(tag) { () throws(CommandFailure) in try self.perform(command, tag) }
        if startsCompression {
            startsCompression = false
            try stream.startCompression()
        }
    }

    /// Notes that a command that was understood begins.
    func begin(_ tag: [UInt8]) {
        badCommands = 0
        commandTag = tag
        commandStart = Clock.milliseconds
        commandEnd = 0
        settings.setTitle(commandText)
    }

    /// Runs a command and writes its tagged answer.
    func perform(_ tag: [UInt8], _ body: () throws(CommandFailure) -> Completion) throws(SessionEnd) {
        do throws(CommandFailure) {
            let completion = try body()
            stream.out.raw(tag)
            stream.out.text(" OK ")
            if completion.code.count > 0 {
                stream.out.raw(completion.code.bytes)
                stream.out.byte(0x20)
            }
            stream.out.text(completion.text)
            stream.out.newline()
        } catch {
            try answer(tag, error)
        }
        commandEnd = Clock.milliseconds
        if stream.out.count > ClientStream.flushSize { try stream.flush() }
    }

    private func perform(_ command: Command, _ tag: [UInt8]) throws(CommandFailure) -> Completion {
        switch command {
        case .capability:
            stream.out.text("* CAPABILITY \(capabilities)")
            stream.out.newline()
            return Completion("Capability completed.")
        case .logout:
            stream.out.status([0x2a], "BYE Logging out")
            stream.out.status(tag, "OK Logout completed.")
            throw .end(.loggedOut)
        case .noop: return try report("NOOP completed.")
        case .check:
            _ = try selected()
            return try report("Check completed.")
        case .id(let fields): return id(fields)
        case .enable(let names): return enable(names)
        case .idle: return try idle()
        case .namespace: return namespace()
        case .select(let command): return try select(command)
        case .close: return try close()
        case .unselect: return try unselect()
        case .create(let name, let uses): return try create(name, specialUse: uses)
        case .delete(let name): return try delete(name)
        case .rename(let from, let to): return try rename(from, to: to)
        case .subscribe(let name): return try subscribe(name)
        case .unsubscribe(let name): return try unsubscribe(name)
        case .list(let command): return try list(command)
        case .lsub(let reference, let pattern): return try lsub(reference, pattern)
        case .status(let name, let items): return try status(name, items)
        case .expunge(let uids): return try expunge(uids: uids)
        case .fetch(let command): return try fetch(command)
        case .store(let command): return try storeFlags(command)
        case .copy(let command): return try copy(command)
        case .search(let command): return try search(command, tag)
        case .thread(let command): return try thread(command)
        case .cancelUpdate(let tags): return try cancelUpdate(tags)
        case .getMetadata(let command): return try getMetadata(command)
        case .setMetadata(let command): return try setMetadata(command)
        case .compress(let algorithm): return try compress(algorithm)
        case .notify(let command): return try notify(command)
        case .comparator(let names): return try comparator(names)
        case .getQuota(let root): return try getQuota(root)
        case .getQuotaRoot(let name): return try getQuotaRoot(name)
        case .setQuota(let root): return try setQuota(root)
        }
    }
}
