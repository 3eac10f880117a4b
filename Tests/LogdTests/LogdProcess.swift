import Glibc
import IPCProtocol
import Platform
import ServiceKit
import Testing

/// The real executable, started as master starts it, with this test as master and as the services that write.
final class LogdProcess {
    let master: Channel
    let pid: Int32
    private let stderrEnd: FileDescriptor

    struct Silence: Error { let what: String }

    /// - Parameter spool: outlives the process, as master keeps it.
    init(path: String, spool: borrowing FileDescriptor) throws {
        let values = ["log_path": path, "log_timestamp": "T ", "instance_name": "culver"]
        let image = try MemoryFile.sealed(name: "settings", content: try SettingsImage(blocks: [.init(values: values)]).encoded())
        let (masterPair, logPair) = (try SocketPair().split(), try SocketPair().split())
        master = Channel(FileDescriptor(adopting: masterPair.ours))
        stderrEnd = FileDescriptor(adopting: logPair.ours)
        let masterEnd = FileDescriptor(adopting: masterPair.theirs)
        let logEnd = FileDescriptor(adopting: logPair.theirs)
        let own = try #require(FileSystem.linkTarget("/proc/self/exe"))
        let program = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/log"
        pid = try Platform.Process.spawn(
            path: program, arguments: ["culver/log" + String(repeating: " ", count: 60)], environment: ["CULVER_CHILD=1"],
            descriptors: [-1, -1, logEnd.number, masterEnd.number, image.number])
        try master.send(MasterToService.hello(Hello(role: "master")))
        try master.send(MasterToService.peer(Peer(role: "spool")), descriptors: [spool.number])
        var order = StartOrder()
        order.service = "log"
        order.instance = "culver"
        order.uid = Platform.Process.effectiveUID
        order.gid = Platform.Process.effectiveGID
        order.clientLimit = 100
        try master.send(MasterToService.start(order))
        for _ in 0..<100 {
            _ = try Wait.any([.init(master.number, .readable)], milliseconds: 100)
            if let received = try master.receive(ServiceToMaster.self), received.message == .ready { return }
        }
        throw Silence(what: "log process is not ready")
    }

    func add(_ service: String, _ receivingEnd: Int32) throws {
        try master.send(MasterToService.logSource(LogSource(service: service, leader: 0)), descriptors: [receivingEnd])
    }

    /// Kills it at once and waits until it is gone.
    func kill() { end { SignalQueue.send(SignalQueue.kill, to: pid) } }

    /// Lets it write what waits, and end.
    func stop() { end { try? master.send(MasterToService.stop(.init(endSessions: true))) } }

    private func end(_ how: () -> Void) {
        how()
        while true {
            do throws(ChannelError) { _ = try master.receive(ServiceToMaster.self, wait: true) } catch { break }
        }
        // A child that nobody reaps would keep the exit tests of this process waiting for ever.
        _ = waitpid(pid, nil, 0)
    }
}

/// A log file in a folder of its own, and a service's log channel.
final class LogPlace {
    let folder: String
    let spool: FileDescriptor
    let receiving: Int32
    let writing: Int32
    var path: String { folder + "/log" }

    init() throws {
        folder = "/tmp/culver-log-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeDirectory(folder, mode: 0o755)
        spool = try LogSpool.create()
        (receiving, writing) = try SocketPair().split()
        try Socket.receiveCredentials(on: receiving)
    }

    deinit {
        closeDescriptor(receiving)
        closeDescriptor(writing)
        for name in FileSystem.names(in: folder) { try? FileSystem.remove(folder + "/" + name) }
        _ = unsafe rmdir(folder)
    }

    var content: String { String(decoding: FileSystem.content(path) ?? [], as: UTF8.self) }

    func append(_ text: some Sequence<UInt8>) throws { try FileSystem.open(path, for: .append).writeAll(Array(text)) }

    /// Sends one line, as a service does.
    func send(_ text: String) { Log(socket: writing).info(LogText(trusted: text)) }
}
