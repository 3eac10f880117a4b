import IPCProtocol
import Platform
import ServiceKit
import Testing

@Suite("A log process that takes over", .serialized)
struct RecoveryTests {
    private static let output = "T imap: Info: one\nT imap: Info: two\n"

    /// What a predecessor left behind: two lines received.
    private func received(_ place: LogPlace) throws -> LogSpool {
        let spool = try LogSpool(place.spool)
        for (slot, text) in ["one", "two"].enumerated() {
            place.send(text)
            #expect(spool.receive(slot, from: place.receiving, source: "imap", leader: 0) == .line)
        }
        return spool
    }

    private func takeOver(_ place: LogPlace) throws -> String {
        let process = try LogdProcess(path: place.path, spool: place.spool)
        process.stop()
        return place.content
    }

    @Test("writes what its predecessor had received and not begun to write") func receivedOnly() throws {
        let place = try LogPlace()
        _ = try received(place)
        #expect(try takeOver(place) == Self.output)
        #expect(try takeOver(place) == Self.output, "and not again")
    }

    @Test("writes what is missing of a round that its predecessor had begun", arguments: [0, 1, 17, 18, 20, 35, 36])
    func begun(_ written: Int) throws {
        let place = try LogPlace()
        let before = Array("old\n".utf8)
        try place.append(before)
        let spool = try received(place)
        let bytes = Array(Self.output.utf8)
        #expect(bytes.count == 36)
        spool.beginWriting([(bytes, Int64(before.count))])
        try place.append(bytes.prefix(written))
        #expect(try takeOver(place) == "old\n" + Self.output)
        #expect(try takeOver(place) == "old\n" + Self.output)
    }

    @Test("writes nothing when its predecessor had finished, or never began", arguments: [false, true])
    func finished(_ isUsed: Bool) throws {
        let place = try LogPlace()
        if isUsed { try received(place).finishWriting(slots: 2) }
        #expect(try takeOver(place) == "")
    }

    @Test("finds slots cleared only in part after a round that was written", arguments: [0, 1, 2])
    func clearing(_ cleared: Int) throws {
        let place = try LogPlace()
        let spool = try received(place)
        let bytes = Array(Self.output.utf8)
        spool.beginWriting([(bytes, 0)])
        try place.append(bytes)
        // finishWriting ends in the middle: some slots are free again, the phase is still that of writing.
        spool.finishWriting(slots: cleared)
        spool.beginWriting([(bytes, 0)])
        #expect(try takeOver(place) == Self.output)
    }

    @Test("loses no line and writes none twice, however often it is killed") func killed() throws {
        let place = try LogPlace()
        var process = try LogdProcess(path: place.path, spool: place.spool)
        try process.add("imap", place.receiving)
        let log = Log(socket: place.writing, patience: 20_000)
        let count = 4_000
        for number in 0..<count {
            log.info("line \(number)")
            guard number % 600 == 599 else { continue }
            process.kill()
            process = try LogdProcess(path: place.path, spool: place.spool)
            try process.add("imap", place.receiving)
        }
        process.stop()
        let lines = place.content.split(separator: "\n")
        #expect(lines.count == count)
        let wrong = lines.enumerated().first { $0.element != "T imap: Info: line \($0.offset)" }
        #expect(wrong == nil, "\(wrong.map { String($0.element) } ?? "")")
    }

    @Test("goes on after datagrams without a byte and text that is no frame") func strange() throws {
        let place = try LogPlace()
        let process = try LogdProcess(path: place.path, spool: place.spool)
        try process.add("imap", place.receiving)
        for _ in 0..<40 { try DatagramSocket.send([], to: place.writing) }
        try DatagramSocket.send([0, 0, 0], to: place.writing)
        try DatagramSocket.send(Array("libfoo: oh\nno\n".utf8), to: place.writing)
        place.send("after")
        process.stop()
        #expect(place.content == "T imap: Error: libfoo: oh no\nT imap: Info: after\n")
    }
}

@Suite("The log spool", .serialized)
struct SpoolTests {
    @Test("tells lines, silence and the end of a channel apart") func arrivals() throws {
        let place = try LogPlace()
        let spool = try LogSpool(place.spool)
        #expect(spool.receive(0, from: place.receiving, source: "imap", leader: 5) == .nothing)
        #expect(spool.content(of: 0) == nil)
        try DatagramSocket.send(Array("text".utf8), to: place.writing)
        #expect(spool.receive(0, from: place.receiving, source: "imap", leader: 5) == .line)
        let content = try #require(spool.content(of: 0))
        #expect(content.source == "imap" && content.leader == 5 && content.sender == Process.id && content.bytes == Array("text".utf8))
        try DatagramSocket.send([], to: place.writing)
        #expect(spool.receive(1, from: place.receiving, source: "imap", leader: 5) == .line, "empty, but from somebody")
        #expect(spool.content(of: 1) == nil)
        let (ours, theirs) = try SocketPair().split()
        try Socket.receiveCredentials(on: ours)
        closeDescriptor(theirs)
        #expect(spool.receive(2, from: ours, source: "imap", leader: 0) == .end)
        closeDescriptor(ours)
        #expect(spool.receive(LogSpool.slots, from: place.receiving, source: "imap", leader: 0) == .nothing)
        #expect(spool.content(of: LogSpool.slots) == nil)
    }

    @Test("lets no descriptor in", arguments: [1, 3, 16])
    func descriptors(_ count: Int) throws {
        let place = try LogPlace()
        let spool = try LogSpool(place.spool)
        let (marker, other) = try SocketPair().split()
        defer {
            closeDescriptor(marker)
            closeDescriptor(other)
        }
        let target = FileSystem.linkTarget("/proc/self/fd/\(marker)")
        for (slot, text) in [[], Array("text".utf8)].enumerated() {
            try DatagramSocket.send(text, descriptors: [Int32](repeating: marker, count: count), to: place.writing)
            #expect(spool.receive(slot, from: place.receiving, source: "imap", leader: 0) == .line)
        }
        let found = FileSystem.names(in: "/proc/self/fd").count { FileSystem.linkTarget("/proc/self/fd/\($0)") == target }
        #expect(found == 1)
        #expect(spool.content(of: 1)?.sender == Process.id)
    }

    @Test("cuts a datagram that is too long instead of losing it") func long() throws {
        let place = try LogPlace()
        let spool = try LogSpool(place.spool)
        try DatagramSocket.send([UInt8](repeating: 0x78, count: 9_000), to: place.writing)
        #expect(spool.receive(0, from: place.receiving, source: String(repeating: "s", count: 100), leader: 0) == .line)
        let content = try #require(spool.content(of: 0))
        #expect(content.bytes.count > 4_000 && content.bytes.count < 4_097 && content.source == String(repeating: "s", count: 63))
    }

    @Test("has room for the longest round") func room() {
        // time and prefix, level, text (a raw one may be 1 KiB as well), and a note of lost lines
        #expect(LogSpool.outputSize >= LogSpool.slots * (255 + 700 + 16 + 1024 + 3) + 100)
    }

    @Test("refuses a file that is not one") func wrongFile() throws {
        let file = try MemoryFile.sealed(name: "x", content: [1, 2, 3])
        #expect(throws: SystemError.self) { _ = try LogSpool(file) }
    }
}
