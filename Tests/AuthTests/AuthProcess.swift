import Glibc
import IPCProtocol
import Platform
import Testing

/// The real executable, started as master starts it, with this test as master, log, zygote and client.
final class AuthProcess {
    let master: Channel
    /// The login zygote and the mail zygote.
    var zygote: Channel?
    var mailZygote: Channel?
    let log: Channel
    /// Nil: auth has to do without.
    var anvil: Channel?
    let pid: Int32
    let folder: String
    var passwords: String { folder + "/passwords" }
    private var requests: UInt32 = 0

    /// - Parameter sockets: roles of text sockets; each gets a socket of that name in `folder`.
    /// - Parameter hasAnvil: this test is anvil, too, and has to answer.
    init(passwords content: String, _ more: [String: String] = [:], sockets: [(role: String, mode: UInt16)] = [], hasAnvil: Bool = false)
        throws
    {
        folder = "/tmp/culver-auth-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeDirectory(folder, mode: 0o755)
        let path = folder + "/passwords"
        try FileSystem.open(path, for: .write).writeAll(Array(content.utf8))
        try FileSystem.setMode(path, 0o644)
        var values = [
            "auth_mechanisms": "plain login", "auth_username_format": "%Lu", "auth_failure_delay": "300", "auth_verbose": "yes",
            "base_dir": folder, "passdb/1/driver": "passwd-file", "passdb/1/args": "scheme=PLAIN \(path)", "userdb/1/driver": "passwd-file",
            "userdb/1/args": path, "mail_driver": "maildir", "mail_path": "~/Maildir", "mail_uid": "1234", "mail_gid": "1234",
            "auth_username_chars": "abcdefghijklmnopqrstuvwxyzA",
        ]
        values.merge(more) { $1 }
        let image = try MemoryFile.sealed(name: "settings", content: try SettingsImage(blocks: [.init(values: values)]).encoded())
        let (masterPair, zygotePair, logPair) = (try SocketPair().split(), try SocketPair().split(), try SocketPair().split())
        let mailPair = try SocketPair().split()
        master = Channel(FileDescriptor(adopting: masterPair.ours))
        zygote = Channel(FileDescriptor(adopting: zygotePair.ours))
        log = Channel(FileDescriptor(adopting: logPair.ours))
        mailZygote = Channel(FileDescriptor(adopting: mailPair.ours))
        let mailEnd = FileDescriptor(adopting: mailPair.theirs)
        let masterEnd = FileDescriptor(adopting: masterPair.theirs)
        let zygoteEnd = FileDescriptor(adopting: zygotePair.theirs)
        let logEnd = FileDescriptor(adopting: logPair.theirs)
        let own = try #require(FileSystem.linkTarget("/proc/self/exe"))
        let program = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/auth"
        pid = try Process.spawn(
            path: program, arguments: ["culver/auth" + String(repeating: " ", count: 60)], environment: ["CULVER_CHILD=1"],
            descriptors: [-1, -1, logEnd.number, masterEnd.number, image.number])
        try master.send(MasterToService.hello(Hello(role: "master")))
        for socket in sockets {
            let listener = try Socket.listen(path: folder + "/" + socket.role, style: .stream, backlog: 128)
            try FileSystem.setMode(folder + "/" + socket.role, UInt32(socket.mode))
            let info = Listener(name: socket.role, role: socket.role, isTLS: false, isHAProxy: false, mode: socket.mode)
            try master.send(MasterToService.listener(info), descriptors: [listener.number])
        }
        try master.send(MasterToService.peer(Peer(role: "imap-login")), descriptors: [zygoteEnd.number])
        try master.send(MasterToService.peer(Peer(role: "imap")), descriptors: [mailEnd.number])
        if hasAnvil { anvil = try giveAnvil() }
        var order = StartOrder()
        order.service = "auth"
        order.instance = "culver"
        order.uid = Process.isRoot ? 65_534 : Process.effectiveUID
        order.gid = Process.isRoot ? 65_534 : Process.effectiveGID
        order.clientLimit = 100
        try master.send(MasterToService.start(order))
        #expect(try next(ServiceToMaster.self, from: master) == .hello(Hello(role: "auth")))
        #expect(try next(ServiceToMaster.self, from: master) == .ready)
    }

    /// Gives auth a channel to anvil, as master does; answers anvil's end.
    func giveAnvil() throws -> Channel {
        let pair = try SocketPair().split()
        let theirs = FileDescriptor(adopting: pair.theirs)
        let ours = Channel(FileDescriptor(adopting: pair.ours))
        try master.send(MasterToService.peer(Peer(role: "anvil")), descriptors: [theirs.number])
        return ours
    }

    /// Waits until auth has taken everything that was sent on `channel`: what is sent elsewhere after that is read in a later round.
    func settle(_ channel: Channel) throws {
        for _ in 0..<2_000 {
            var unread: Int32 = 0
            guard unsafe ioctl(channel.number, UInt(TIOCOUTQ), &unread) == 0 else { throw Silence(what: "no queue") }
            if unread == 0 { return }
            _ = try Wait.any([], milliseconds: 5)
        }
        throw Silence(what: "auth does not read")
    }

    /// Descriptors that auth has open.
    var descriptorCount: Int { FileSystem.names(in: "/proc/\(pid)/fd").count }

    deinit {
        SignalQueue.send(SignalQueue.kill, to: pid)
        // A child that nobody reaps would keep the exit tests of this process waiting for ever.
        _ = waitpid(pid, nil, 0)
        FileSystem.removeTree(folder)
    }

    /// The next message, or a failed test after some seconds.
    func next<Content: Message>(_ type: Content.Type, from channel: Channel) throws -> Content {
        for _ in 0..<50 {
            if let received = try channel.receive(type) { return received.message }
            _ = try Wait.any([.init(channel.number, .readable)], milliseconds: 200)
        }
        let lines = (try? logged()) ?? []
        throw Silence(what: "\(type): no message; log: \(lines)")
    }

    struct Silence: Error { let what: String }

    /// Lines written so far.
    func logged() throws -> [String] {
        var lines: [String] = []
        while let received = try log.receive(ServiceToLog.self) {
            if case .line(let line) = received.message { lines.append(line.text) }
        }
        return lines
    }

    /// A login worker, as its zygote introduces it.
    func attach(pid: UInt32) throws -> Channel {
        let pair = try SocketPair().split()
        let theirs = FileDescriptor(adopting: pair.theirs)
        try zygote?.send(ZygoteToAuth.attach(Attach(pid: pid)), descriptors: [theirs.number])
        return Channel(FileDescriptor(adopting: pair.ours))
    }

    /// PLAIN with an initial response.
    func begin(_ login: Channel, _ user: String, _ password: String, from address: String = "10.0.0.1", to local: String = "") throws {
        requests += 1
        var begin = BeginExchange()
        begin.mechanism = "PLAIN"
        begin.service = "imap"
        begin.connection.remoteAddress = address
        begin.connection.localAddress = local
        begin.hasInitialResponse = true
        begin.initialResponse = Array("\0\(user)\0\(password)".utf8)
        try login.send(LoginToAuth.begin(begin), request: requests)
    }

    func redeem(_ ticket: [UInt8], pid: UInt32, from address: String = "10.0.0.1") throws -> AuthToZygote {
        try mailZygote?.send(ZygoteToAuth.redeem(Redeem(ticket: ticket, pid: pid, remoteAddress: address)), request: 1)
        return try next(AuthToZygote.self, from: try #require(mailZygote))
    }

    func connect(_ role: String) throws -> TextPeer { TextPeer(try Socket.connect(path: folder + "/" + role, style: .stream)) }
}

/// The other end of a text connection.
final class TextPeer {
    private let socket: FileDescriptor
    private var buffer: [UInt8] = []

    init(_ socket: consuming FileDescriptor) { self.socket = socket }

    func send(_ text: String) throws { try socket.writeAll(Array(text.utf8)) }

    /// The next line; nil: the end of the connection.
    func line() throws -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            let ready = try Wait.any([.init(socket.number, .readable)], milliseconds: 10_000)
            guard ready.contains(where: { !$0.isEmpty }) else { throw AuthProcess.Silence(what: "no line") }
            if try socket.read(appendingTo: &buffer, atMost: 4_096) == 0 { return nil }
        }
    }

    /// Lines up to and including `last`.
    func lines(until last: String) throws -> [String] {
        var lines: [String] = []
        while let line = try line() {
            lines.append(line)
            if line == last { break }
        }
        return lines
    }
}
