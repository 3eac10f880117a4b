internal import Confinement
internal import IPCProtocol
internal import MailStore
internal import Platform
internal import ServiceKit

/// Plays whole sessions in the zygote, before it is confined and before it forks, with a mailbox that exists for that moment only.
///
/// What a first session makes the runtime build (types, conformances, tables of libraries) is then built once and shared, instead of once
/// per worker: most of what a short session would cost otherwise, and a third of an idle one's memory.
struct Rehearsal {
    private let startup: Startup
    private let template: SessionTemplate
    private let signals: SignalQueue

    private static let message = """
        From: a <a@example.org>\r
        To: b@example.org, "C" <c@example.org>\r
        Subject: rehearsal\r
        MIME-Version: 1.0\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        This is nobody's mail.\r

        """

    private static let commands = """
        b ID NIL\r
        b NAMESPACE\r
        b ENABLE CONDSTORE\r
        c LIST "" * RETURN (SPECIAL-USE STATUS (MESSAGES))\r
        c LSUB "" *\r
        d STATUS INBOX (MESSAGES UIDNEXT UNSEEN)\r
        e APPEND INBOX (\\Seen) {\(message.utf8.count)+}\r
        \(message)\r
        f SELECT INBOX\r
        g FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r
        h UID FETCH 1:* (BODY[])\r
        i UID STORE 1 +FLAGS (\\Flagged)\r
        j SEARCH SUBJECT rehearsal\r
        j UID SEARCH RETURN (ALL) UNSEEN\r
        j UID SORT (REVERSE DATE) UTF-8 ALL\r
        j UID THREAD REFERENCES UTF-8 ALL\r
        k NOOP\r
        l CREATE Sent\r
        m SUBSCRIBE Sent\r
        m COPY 1 Sent\r
        m1 STATUS Sent (MESSAGES UIDNEXT UNSEEN)\r
        m2 LIST "" * RETURN (STATUS (MESSAGES UNSEEN))\r
        n UID STORE 1 +FLAGS (\\Deleted)\r
        o EXPUNGE\r
        p LOGOUT\r

        """

    /// More than any mailbox has.
    private static let watchedDirectories = 8

    /// Ends while it idles: its client goes away.
    private static let idling = "b SELECT Sent\r\nc NOOP\r\nd IDLE\r\n"

    /// Failures do not matter: then the first session is slower, nothing else. A debug line tells what was answered with other than OK.
    static func play(_ startup: Startup, hostname: String, _ program: borrowing SystemCallFilter.Program, signals: SignalQueue) {
        startup.log.isSilent = true
        let template = SessionTemplate(startup, hostname: hostname, isRehearsal: true)
        startup.log.isSilent = false
        let rehearsal = Rehearsal(startup: startup, template: template, signals: signals)
        let root = "\(startup.settings["base_dir"].isEmpty ? "/tmp" : startup.settings["base_dir"])/rehearsal.\(Process.id)"
        MailStore.prepare()
        do {
            try FileSystem.makeDirectory(root, mode: 0o700)
            defer { FileSystem.removeTree(root) }
            let answers = try rehearsal.session(in: root, commands, program) + rehearsal.session(in: root, idling, program)
            let failures = answers.split(separator: "\r\n").filter { $0.contains(" BAD ") || $0.contains(" NO ") }
            startup.log.debug(
                "rehearsal: \(answers.utf8.count) bytes, \(failures.count) failures \(LogText(untrusted: failures.joined(separator: "; ")))"
            )
        } catch {
            startup.log.debug("rehearsal: \(LogText(untrusted: "\(error)"))")
        }
    }

    /// One session as a worker serves it that waited for it; the result is what its client was sent.
    private func session(in root: String, _ commands: String, _ program: borrowing SystemCallFilter.Program) throws -> String {
        startup.log.isSilent = true
        defer {
            startup.log.isSilent = false
            startup.log.user = ""
            startup.log.session = ""
            startup.setTitle("")
        }
        let (control, peer) = try SocketPair().split()
        let zygote = Channel(FileDescriptor(adopting: peer))
        let (client, far) = try StreamPair().split()
        let stranger = FileDescriptor(adopting: far)
        _ = try stranger.write(Array(commands.utf8)[...])
        Socket.endWriting(stranger.number)

        var user = UserRecord()
        user.user = "rehearsal"
        user.home = root
        user.mailPath = root + "/Maildir"
        var handOver = HandOver()
        handOver.tag = [0x61]
        handOver.session = "rehearsal"
        handOver.wantsCapability = true
        try zygote.send(ZygoteToWorker.session(.init(user: user, handOver: handOver)), descriptors: [client])
        closeDescriptor(client)
        try zygote.send(ZygoteToWorker.begin)
        // A watcher that has answered for each directory of a mailbox before it was asked; it hears nothing of what it is told.
        let (near, watched) = try SocketPair().split()
        let watcher = Channel(FileDescriptor(adopting: near))
        for _ in 0..<Self.watchedDirectories { try watcher.send(WatcherToWorker.watching(.init(isWatched: true))) }
        try zygote.send(ZygoteToWorker.peer(.init(role: "watcher")), descriptors: [watched])
        closeDescriptor(watched)
        let worker = SessionWorker(
            startup, zygote: Process.id, control: Channel(FileDescriptor(adopting: control)), signals: signals, template: template,
            isRehearsal: true)
        _ = worker.work(first: nil, program: program)
        var answers: [UInt8] = []
        while try stranger.read(appendingTo: &answers, atMost: 65_536) > 0 {}
        return String(decoding: answers, as: UTF8.self)
    }
}
