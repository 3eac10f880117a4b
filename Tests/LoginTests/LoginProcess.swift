import Glibc
import IPCProtocol
import Platform
import Testing

/// The real executable, started as master starts it, with this test as master, auth, mail service, log and client.
final class LoginProcess {
    let master: Channel
    let auth: Channel
    let mail: Channel
    let log: Channel
    let pid: Int32
    private let path: String

    struct Silence: Error { let what: String }

    init(_ more: [String: String] = [:], clientLimit: UInt32 = 10) throws {
        path = "/tmp/culver-login-\(UInt64.random(in: 0 ... .max))"
        var values = ["ssl": "no", "auth_mechanisms": "plain login", "config_dialect": "2.4", "auth_allow_cleartext": "yes"]
        values.merge(more) { $1 }
        let image = try MemoryFile.sealed(name: "settings", content: try SettingsImage(blocks: [.init(values: values)]).encoded())
        func pair() throws -> (Channel, Channel) {
            let (ours, theirs) = try SocketPair().split()
            return (Channel(FileDescriptor(adopting: ours)), Channel(FileDescriptor(adopting: theirs)))
        }
        let (masterEnd, authEnd, mailEnd, logEnd): (Channel, Channel, Channel, Channel)
        (master, masterEnd) = try pair()
        (auth, authEnd) = try pair()
        (mail, mailEnd) = try pair()
        (log, logEnd) = try pair()
        let listener = try Socket.listen(path: path, style: .stream, backlog: 128)
        let own = try #require(FileSystem.linkTarget("/proc/self/exe"))
        let program = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/login"
        pid = try Process.spawn(
            path: program, arguments: ["culver/imap-login" + String(repeating: " ", count: 60)], environment: ["CULVER_CHILD=1"],
            descriptors: [-1, -1, logEnd.number, masterEnd.number, image.number])
        try master.send(MasterToService.hello(Hello(role: "master")))
        let info = Listener(name: "imap", role: "imap", isTLS: false, isHAProxy: false, mode: 0)
        try master.send(MasterToService.listener(info), descriptors: [listener.number])
        try master.send(MasterToService.peer(Peer(role: "auth")), descriptors: [authEnd.number])
        try master.send(MasterToService.peer(Peer(role: "imap")), descriptors: [mailEnd.number])
        var order = StartOrder()
        order.service = "imap-login"
        order.instance = "culver"
        order.protocolName = "imap"
        order.uid = Process.isRoot ? 65_534 : Process.effectiveUID
        order.gid = Process.isRoot ? 65_534 : Process.effectiveGID
        order.processLimit = 10
        order.clientLimit = clientLimit
        order.idleKillMilliseconds = 60_000
        try master.send(MasterToService.start(order))
        #expect(try message(ServiceToMaster.self, from: master) == .hello(Hello(role: "login")))
        #expect(try message(ServiceToMaster.self, from: master) == .ready)
    }

    deinit {
        SignalQueue.send(SignalQueue.kill, to: pid)
        // A child that nobody reaps would keep the exit tests of this process waiting for ever.
        _ = waitpid(pid, nil, 0)
        try? FileSystem.remove(path)
    }

    /// The next message with its request id and descriptors, or an error after some seconds.
    func next<Content: Message>(_ type: Content.Type, from channel: Channel) throws -> (Content, UInt32, [Int32]) {
        for _ in 0..<50 {
            if var received = try channel.receive(type) {
                var numbers: [Int32] = []
                while let taken = received.takeDescriptor() { numbers.append(taken.release()) }
                return (received.message, received.request, numbers)
            }
            _ = try Wait.any([.init(channel.number, .readable)], milliseconds: 200)
        }
        var lines: [String] = []
        while let received = try? log.receive(ServiceToLog.self) {
            if case .line(let line) = received.message { lines.append(line.text) }
        }
        throw Silence(what: "\(type): no message; log: \(lines)")
    }

    func message<Content: Message>(_ type: Content.Type, from channel: Channel) throws -> Content { try next(type, from: channel).0 }

    /// A client of a worker that is there already.
    func connectAnother() throws -> Int32 {
        try Socket.connect(path: path, style: .stream).release()
    }

    /// A client, and the channels that its worker has with auth and with the mail service.
    func connect() throws -> Client {
        let socket = try Socket.connect(path: path, style: .stream)
        let (toAuth, _, authEnds) = try next(ZygoteToAuth.self, from: auth)
        let (_, _, mailEnds) = try next(ZygoteToZygote.self, from: mail)
        guard case .attach(let attach) = toAuth, let authEnd = authEnds.first, let mailEnd = mailEnds.first else {
            throw Silence(what: "no worker")
        }
        return Client(
            socket, auth: Channel(FileDescriptor(adopting: authEnd)), mail: Channel(FileDescriptor(adopting: mailEnd)), worker: attach.pid)
    }
}

final class Client {
    private let socket: FileDescriptor
    private var buffer: [UInt8] = []
    var auth: Channel?
    let mail: Channel
    let worker: UInt32

    init(_ socket: consuming FileDescriptor, auth: Channel, mail: Channel, worker: UInt32) {
        self.socket = socket
        self.auth = auth
        self.mail = mail
        self.worker = worker
    }

    func send(_ text: String) throws { try socket.writeAll(Array(text.utf8)) }

    /// The next line; nil: the end of the connection.
    func line() throws -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0a) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end].dropLast(), as: UTF8.self)
            }
            let ready = try Wait.any([.init(socket.number, .readable)], milliseconds: 10_000)
            guard ready.contains(where: { !$0.isEmpty }) else { throw LoginProcess.Silence(what: "no line") }
            if try socket.read(appendingTo: &buffer, atMost: 4_096) == 0 { return nil }
        }
    }
}
