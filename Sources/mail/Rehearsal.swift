internal import MailStore
internal import Platform
internal import ServiceKit

/// Plays one whole session in the zygote, before it is confined and before it forks, with a mailbox that exists for that moment only.
///
/// What a first session makes the runtime build (types, conformances, tables of libraries) is then built once and shared, instead of once
/// per worker: most of what a short session would cost otherwise.
enum Rehearsal {
    private static let script = """
        b ID NIL\r
        c LIST "" *\r
        d STATUS INBOX (MESSAGES UIDNEXT UNSEEN)\r
        e APPEND INBOX (\\Seen) {66+}\r
        From: a <a@example.org>\r
        Subject: rehearsal\r
        \r
        This is nobody's mail.\r
        \r
        f SELECT INBOX\r
        g FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r
        h UID FETCH 1:* (BODY[])\r
        i UID STORE 1 +FLAGS (\\Deleted)\r
        j SEARCH SUBJECT rehearsal\r
        k EXPUNGE\r
        l CREATE Sent\r
        m LOGOUT\r

        """

    /// Failures do not matter: then the first session is slower, nothing else.
    static func play(_ startup: Startup, _ template: SessionTemplate) {
        let root = "\(startup.settings["base_dir"].isEmpty ? "/tmp" : startup.settings["base_dir"])/rehearsal.\(Process.id)"
        do {
            try FileSystem.makeDirectory(root, mode: 0o700)
            defer { FileSystem.removeTree(root) }
            var options = template.storeOptions
            options.durability = .never
            options.log = { _, _ in }
            let store = try MailStore.open(location: MailLocation(path: root + "/Maildir"), home: root, options: options)
            let (ours, theirs) = try StreamPair().split()
            let far = FileDescriptor(adopting: theirs)
            let start = SessionStart(tag: [0x61], pendingInput: Array(script.utf8), answerWithCapability: true)
            let session = try IMAPSession(
                client: FileDescriptor(adopting: ours), start: start, store: store, settings: template.imap)
            _ = session.run().logText(format: template.logoutFormat, dialect: template.dialect)
            var answers: [UInt8] = []
            _ = try far.read(appendingTo: &answers, atMost: 65_536)
            startup.log.debug("rehearsal: \(answers.count) bytes")
        } catch {
            startup.log.debug("rehearsal: \(LogText(untrusted: "\(error)"))")
        }
    }
}
