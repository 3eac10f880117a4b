import Configuration
import IPCProtocol
import Platform
import Testing

@testable import master

@Suite("The registry of instances")
struct InstanceRegistryTests {
    @Test("notes each base_dir once, and the last use") func note() throws {
        let folder = try Folder()
        let registry = InstanceRegistry(stateDirectory: folder.path)
        #expect(registry.entries == [])
        try registry.note(name: "culver", base: "/run/culver", configuration: "/etc/old.conf")
        try registry.note(name: "two", base: "/run/two", configuration: "/etc/two.conf")
        try registry.note(name: "culver", base: "/run/culver", configuration: "/etc/culver.conf")
        #expect(registry.entries.map(\.name) == ["culver", "two"])
        #expect(registry.find("culver")?.configuration == "/etc/culver.conf" && registry.find("nobody") == nil)
        #expect(folder.mode("instances") == 0o644 && FileSystem.names(in: folder.path) == ["instances"])
    }

    @Test("leaves a name with the instance that had it first") func taken() throws {
        let folder = try Folder()
        let registry = InstanceRegistry(stateDirectory: folder.path)
        try registry.note(name: "culver", base: "/run/a", configuration: "/a")
        try registry.note(name: "culver", base: "/run/b", configuration: "/b")
        #expect(registry.find("culver")?.base == "/run/a" && registry.entries.map(\.name) == ["culver", ""])
    }

    @Test("forgets by name or base_dir", arguments: [("two", true), ("/run/two", true), ("three", false)])
    func remove(_ word: String, _ isFound: Bool) throws {
        let folder = try Folder()
        let registry = InstanceRegistry(stateDirectory: folder.path)
        try registry.note(name: "one", base: "/run/one", configuration: "/1")
        try registry.note(name: "two", base: "/run/two", configuration: "/2")
        #expect(try registry.remove(word) == isFound)
        #expect(registry.entries.count == (isFound ? 1 : 2))
    }

    @Test("skips lines that it does not understand", arguments: ["", "x\n", "1\ta\n", "x\ta\t/b\t/c\n", "\n\n\t\t\t\n"])
    func broken(_ text: String) throws {
        let folder = try Folder()
        try folder.write("instances", text + "5\tgood\t/b\t/c\tlater field\n")
        #expect(InstanceRegistry(stateDirectory: folder.path).entries.map(\.name) == ["good"])
    }
}

@Suite("Log channels in master", .serialized)
struct LogRelayTests {
    private struct Ends {
        let relay: LogRelay
        let master: Channel
        let log: Channel

        init() throws {
            relay = LogRelay(try Poller())
            let (ours, theirs) = try SocketPair().split()
            master = Channel(FileDescriptor(adopting: ours))
            log = Channel(FileDescriptor(adopting: theirs))
        }

        /// What the log process is given: names of services, and the receiving ends.
        func given() throws -> [(service: String, number: Int32)] {
            var all: [(String, Int32)] = []
            while var received = try log.receive(MasterToService.self) {
                guard case .logSource(let source) = received.message, let end = received.takeDescriptor() else { continue }
                all.append((source.service, end.release()))
            }
            return all
        }
    }

    @Test("are given to each new log process, with what waits in them") func announced() throws {
        let ends = try Ends()
        let (receiving, writing) = try SocketPair().split()
        try ends.relay.add(receiving, LogSource(service: "imap", leader: 5), token: 7)
        #expect(ends.relay.owns(7) && !ends.relay.owns(8))
        for round in 1...2 {
            try ends.relay.announceAll(to: ends.master)
            let given = try ends.given()
            #expect(given.map(\.service) == ["imap"])
            try DatagramSocket.send([UInt8(round)], to: writing)
            let end = try #require(given.first?.number)
            let datagram = try #require(try DatagramSocket.receive(from: end, atMost: 10))
            #expect(datagram.bytes == [UInt8(round)] && datagram.sender?.pid == Process.id)
            closeDescriptor(end)
        }
        closeDescriptor(writing)
    }

    @Test("whose writers have ended are kept until a log process has them", arguments: [false, true])
    func abandoned(_ logIsRunning: Bool) throws {
        let ends = try Ends()
        let (receiving, writing) = try SocketPair().split()
        try ends.relay.add(receiving, LogSource(service: "imap", leader: 5), token: 7)
        try DatagramSocket.send(Array("last words".utf8), to: writing)
        closeDescriptor(writing)
        ends.relay.hungUp(7, logIsRunning: logIsRunning)
        #expect(ends.relay.owns(7) == !logIsRunning)
        try ends.relay.announceAll(to: ends.master)
        #expect(!ends.relay.owns(7))
        let given = try ends.given()
        #expect(given.count == (logIsRunning ? 0 : 1))
        for end in given {
            let last = try #require(try DatagramSocket.receive(from: end.number, atMost: 100))
            #expect(last.bytes == Array("last words".utf8))
            closeDescriptor(end.number)
        }
    }

    @Test("can be read by master when there is no log process") func unwritten() throws {
        let ends = try Ends()
        let (receiving, writing) = try SocketPair().split()
        try ends.relay.add(receiving, LogSource(service: "log", leader: 5), token: 7)
        let writer = Channel(FileDescriptor(adopting: writing))
        try writer.send(ServiceToLog.line(.init(level: 4, user: "", session: "", pid: 0, text: "no file")))
        try DatagramSocket.send(Array("raw".utf8), to: writing)
        #expect(ends.relay.takeUnwritten() == ["log: Fatal: no file", "log: raw"])
        #expect(ends.relay.takeUnwritten() == [])
    }
}
