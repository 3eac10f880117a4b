internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Plays one whole login in the zygote before it forks: what the runtime builds for a first login is then shared by all workers.
enum Rehearsal {
    /// Failures do not matter: then the first login is slower, nothing else.
    static func play(_ startup: Startup, _ settings: LoginSettings, signals: SignalQueue) {
        startup.log.isSilent = true
        defer {
            startup.log.isSilent = false
            startup.setTitle("")
        }
        do {
            let (control, _) = try ends()
            let (auth, authPeer) = try ends()
            let (mail, mailPeer) = try ends()
            let worker = try LoginWorker(startup, settings, control: control, signals: signals, auth: auth, mail: mail)
            let (client, far) = try StreamPair().split()
            let stranger = FileDescriptor(adopting: far)
            _ = try stranger.write(Array("a CAPABILITY\r\nb ID NIL\r\nc LOGIN rehearsal nobody\r\n".utf8)[...])
            worker.adopt(FileDescriptor(adopting: client), listener: 0)
            // Step by step, so that each answer comes after its question.
            worker.ready(LoginWorker.firstClientEvent, .readable)
            try authPeer.send(AuthToLogin.succeeded(.init(ticket: [UInt8](repeating: 0, count: 16), user: "rehearsal")), request: 1)
            worker.ready(LoginWorker.Token.auth, .readable)
            try mailPeer.send(MailToLogin.accepted(.init(pid: 1)), request: UInt32(LoginWorker.Token.firstClient))
            worker.ready(LoginWorker.Token.mail, .readable)
        } catch {
            startup.log.isSilent = false
            startup.log.debug("rehearsal: \(LogText(untrusted: "\(error)"))")
        }
    }

    private static func ends() throws -> (Channel, Channel) {
        let (ours, theirs) = try SocketPair().split()
        return (Channel(FileDescriptor(adopting: ours)), Channel(FileDescriptor(adopting: theirs)))
    }
}
