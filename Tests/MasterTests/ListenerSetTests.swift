import IPCProtocol
import Platform
import Testing

@testable import master

private func internet(_ port: UInt16, _ addresses: [String] = ["127.0.0.1"]) -> PlannedListener {
    var plan = PlannedListener()
    plan.kind = "inet"
    plan.name = "imap"
    plan.addresses = addresses
    plan.port = port
    return plan
}

private func unix(_ path: String, mode: UInt16 = 0o600) -> PlannedListener {
    var plan = PlannedListener()
    plan.kind = "unix"
    plan.name = path
    plan.mode = mode
    return plan
}

extension ListenerSet {
    fileprivate func open(_ plan: PlannedListener, backlog: Int = 16, isSeqpacket: Bool = false, previous: ListenerSet? = nil) throws
        -> [Entry]
    {
        try open(plan, service: "imap-login", backlog: backlog, isSeqpacket: isSeqpacket, previous: previous)
    }

    /// Opens on a free port of the loopback.
    fileprivate func openAnywhere(backlog: Int = 16) throws -> (Entry, UInt16) {
        for _ in 0..<50 {
            let port = UInt16.random(in: 20_000..<30_000)
            if let entry = try? open(internet(port), backlog: backlog).first { return (entry, port) }
        }
        throw SystemError(call: "no free port", code: 98)
    }
}

/// The object behind a descriptor: two numbers may be one socket.
private func object(_ number: Int32) -> String? { FileSystem.linkTarget("/proc/self/fd/\(number)") }

@Suite("The listening sockets")
struct ListenerSetTests {
    @Test("of the last configuration are taken over, not opened again") func reuse() throws {
        let folder = try Folder()
        let first = ListenerSet()
        let (old, port) = try first.openAnywhere()
        let oldPath = try #require(try first.open(unix(folder.path + "/s")).first)
        let second = ListenerSet()
        let new = try #require(try second.open(internet(port), previous: first).first)
        let newPath = try #require(try second.open(unix(folder.path + "/s", mode: 0o666), previous: first).first)
        #expect(new.socket.number != old.socket.number && object(new.socket.number) == object(old.socket.number))
        #expect(object(newPath.socket.number) == object(oldPath.socket.number))
        #expect(folder.mode("s") == 0o666, "the mode follows the new configuration")
    }

    @Test("on an address that is in use are an error that names it") func inUse() throws {
        let first = ListenerSet()
        let (_, port) = try first.openAnywhere()
        #expect(throws: SystemError(call: "listen(127.0.0.1, \(port))", code: 98)) { try ListenerSet().open(internet(port)) }
    }

    @Test("get the directories below base_dir that they need, open only when a socket in them is") func directories() throws {
        let folder = try Folder()
        let set = ListenerSet(base: folder.path)
        _ = try set.open(unix(folder.path + "/a/b/s"))
        #expect(folder.mode("a") == 0o700 && folder.mode("a/b") == 0o700)
        _ = try set.open(unix(folder.path + "/a/t", mode: 0o660))
        #expect(folder.mode("a") == 0o755 && folder.mode("a/b") == 0o700)
        #expect(throws: SystemError.self, "outside of base_dir nothing is made") {
            try ListenerSet(base: folder.path + "/a").open(unix(folder.path + "/other/s"))
        }
    }

    @Test("listen on each address, and on none for port 0, mode 0 and a fifo") func addresses() throws {
        let set = ListenerSet()
        let (_, port) = try set.openAnywhere()
        #expect(try set.open(internet(port, ["127.0.0.2", "127.0.0.3"])).map(\.key) == ["127.0.0.2:\(port)", "127.0.0.3:\(port)"])
        #expect(try set.open(internet(0)).isEmpty)
        #expect(try set.open(unix("/nowhere/s", mode: 0)).isEmpty)
        var fifo = unix("/nowhere/s")
        fifo.kind = "fifo"
        #expect(try set.open(fifo).isEmpty)
    }

    @Test("take the place of a socket that nobody answers on", arguments: [false, true])
    func stale(_ isSeqpacket: Bool) throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        do { _ = try Socket.listen(path: path, style: isSeqpacket ? .seqpacket : .stream, backlog: 1) }
        #expect(FileSystem.info(path)?.isSocket == true)
        let set = ListenerSet()
        _ = try set.open(unix(path, mode: 0o660), isSeqpacket: isSeqpacket)
        #expect(folder.mode("s") == 0o660)
        _ = try Socket.connect(path: path, style: isSeqpacket ? .seqpacket : .stream)
    }

    @Test("leave a socket alone that somebody answers on, of whatever style", arguments: [false, true], [false, true])
    func alive(_ isSeqpacket: Bool, _ wantsSeqpacket: Bool) throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        let other = try Socket.listen(path: path, style: isSeqpacket ? .seqpacket : .stream, backlog: 5)
        #expect(throws: SystemError(call: "Socket already exists: \(path); bind", code: 98)) {
            try ListenerSet().open(unix(path), isSeqpacket: wantsSeqpacket)
        }
        let accepting = try Socket.isListening(other.number)
        #expect(accepting && FileSystem.info(path)?.isSocket == true)
    }

    @Test("do not overwrite a file") func file() throws {
        let folder = try Folder()
        try folder.write("s", "precious")
        #expect(throws: SystemError.self) { try ListenerSet().open(unix(folder.path + "/s")) }
        #expect(folder.text("s") == "precious")
    }

    @Test("use what systemd opened, once, and say what nobody wanted") func inherited() throws {
        let first = ListenerSet()
        let (old, port) = try first.openAnywhere()
        let given = try duplicateDescriptor(old.socket.number)
        let unwanted = try duplicateDescriptor(old.socket.number)
        let set = ListenerSet(inherited: ["4:\(port)": given, "6:9": unwanted])
        let entry = try #require(try set.open(internet(port)).first)
        #expect(entry.socket.number == given)
        set.closeUnclaimed()
        #expect(set.takeWarnings() == ["systemd listens on port 9, but it's not configured in Culver. Closing."])
        #expect(set.takeWarnings() == [])
        set.closeUnclaimed()
        #expect(set.takeWarnings() == [])
    }

    @Test("warn of a backlog that the kernel will not keep") func backlog() throws {
        let set = ListenerSet()
        let maximum = try #require(FileSystem.content("/proc/sys/net/core/somaxconn"))
        let number = try #require(Int(String(decoding: maximum, as: UTF8.self).filter(\.isNumber)))
        let (_, port) = try set.openAnywhere(backlog: number)
        #expect(set.takeWarnings() == [])
        _ = try set.open(internet(port, ["127.0.0.2"]), backlog: number + 1)
        let warning = try #require(set.takeWarnings().first)
        #expect(warning.contains("service(imap-login)") && warning.contains("(\(number))") && warning.contains("somaxconn=\(number + 1)"))
    }

    @Test("leave no path behind, but those that the next configuration has") func paths() throws {
        let folder = try Folder()
        let (first, second) = (ListenerSet(), ListenerSet())
        for name in ["a", "b"] { _ = try first.open(unix(folder.path + "/" + name)) }
        _ = try second.open(unix(folder.path + "/b"), previous: first)
        first.removePaths(except: second)
        #expect(FileSystem.names(in: folder.path) == ["b"])
        second.removePaths()
        #expect(FileSystem.names(in: folder.path) == [])
    }
}
