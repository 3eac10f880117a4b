import IPCProtocol
import Platform
import Testing

/// Two ends of a socket pair.
private struct Ends {
    let one: Channel
    let two: Channel

    init(maximumQueue: Int = maximumQueuedFrames) throws {
        let (ours, theirs) = try SocketPair().split()
        one = Channel(FileDescriptor(adopting: ours), maximumQueue: maximumQueue)
        two = Channel(FileDescriptor(adopting: theirs))
    }
}

extension Channel {
    /// The next message as a value that a test can compare; descriptors are the test's.
    fileprivate func next<Content: Message>(_ type: Content.Type) throws -> (message: Content, request: UInt32, descriptors: [Int32])? {
        guard var received = try receive(type) else { return nil }
        var numbers: [Int32] = []
        while let taken = received.takeDescriptor() { numbers.append(taken.release()) }
        return (received.message, received.request, numbers)
    }
}

/// Descriptor numbers are a matter of the whole process, so these tests run one after the other and count their own descriptors only.
@Suite("A channel", .serialized)
struct ChannelTests {
    private let line = SASLData(data: [1, 2, 3])

    @Test("carries messages with their request ids, in order") func carries() throws {
        let ends = try Ends()
        try ends.one.send(LoginToAuth.proceed(line), request: 7)
        try ends.one.send(LoginToAuth.cancel, request: .max)
        let first = try #require(try ends.two.next(LoginToAuth.self))
        #expect(first.message == .proceed(line) && first.request == 7)
        let second = try #require(try ends.two.next(LoginToAuth.self))
        #expect(second.message == .cancel && second.request == .max)
        #expect(try ends.two.next(LoginToAuth.self) == nil)
    }

    @Test("passes a descriptor: the receiver has the same file, and the sender keeps its own") func descriptor() throws {
        let ends = try Ends()
        let file = try MemoryFile.sealed(name: "x", content: Array("hello".utf8))
        try ends.one.send(MasterToService.peer(.init(role: "x")), descriptors: [file.number])
        let received = try #require(try ends.two.next(MasterToService.self))
        let copy = try #require(received.descriptors.first)
        let owned = FileDescriptor(adopting: copy)
        #expect(received.descriptors.count == 1)
        #expect(copy != file.number)
        #expect(try MemoryFile.content(of: owned, limit: 100) == Array("hello".utf8))
        #expect(try MemoryFile.content(of: file, limit: 100) == Array("hello".utf8))
    }

    /// How many descriptors of this process refer to the pipe-like object behind `number`.
    private func references(to number: Int32) -> Int {
        guard let target = FileSystem.linkTarget("/proc/self/fd/\(number)") else { return 0 }
        return FileSystem.names(in: "/proc/self/fd").count { FileSystem.linkTarget("/proc/self/fd/\($0)") == target }
    }

    @Test("closes descriptors that nobody takes") func untaken() throws {
        let ends = try Ends()
        let (marker, other) = try SocketPair().split()
        defer { closeDescriptor(other) }
        let owned = FileDescriptor(adopting: marker)
        try ends.one.send(MasterToService.peer(.init(role: "x")), descriptors: [owned.number])
        do {
            guard let received = try ends.two.receive(MasterToService.self) else { throw ChannelError.closed }
            #expect(references(to: owned.number) == 2)
            _ = received.request
        }
        #expect(references(to: owned.number) == 1)
    }

    @Test("closes descriptors that are too many, too few, or of a frame that is refused", arguments: [0, 2, 3, 16])
    func surplus(_ count: Int) throws {
        let ends = try Ends()
        let (marker, other) = try SocketPair().split()
        defer { closeDescriptor(other) }
        let owned = FileDescriptor(adopting: marker)
        let payload = try MasterToService.peer(.init(role: "x")).encodedPayload()
        let head = FrameHeader(
            kind: 2, descriptorCount: UInt16(count), request: 0, payloadLength: UInt32(payload.count)
        ).encoded()
        try DatagramSocket.send(head + payload, descriptors: [Int32](repeating: owned.number, count: count), to: ends.one.number)
        #expect(throws: ChannelError.refused(.wrongDescriptors(announced: 1, received: count))) {
            _ = try ends.two.next(MasterToService.self)
        }
        #expect(references(to: owned.number) == 1)
        try DatagramSocket.send([1, 2, 3], descriptors: [owned.number], to: ends.one.number)
        #expect(throws: ChannelError.refused(.truncated("header"))) { _ = try ends.two.next(MasterToService.self) }
        try DatagramSocket.send([], descriptors: [owned.number], to: ends.one.number)
        #expect(throws: ChannelError.refused(.truncated("header"))) { _ = try ends.two.next(MasterToService.self) }
        #expect(references(to: owned.number) == 1)
    }

    @Test("sends a message with exactly the descriptors that belong to it", arguments: [0, 2]) func ownCount(_ count: Int) throws {
        let ends = try Ends()
        let file = try MemoryFile.sealed(name: "x", content: [1])
        let numbers = [Int32](repeating: file.number, count: count)
        #expect(throws: ChannelError.refused(.wrongDescriptors(announced: 1, received: count))) {
            try ends.one.send(MasterToService.peer(.init(role: "x")), descriptors: numbers)
        }
        #expect(throws: ChannelError.refused(.wrongDescriptors(announced: 0, received: 1))) {
            try ends.one.send(MasterToService.retire, descriptors: [file.number])
        }
        #expect(try ends.two.next(MasterToService.self) == nil)
    }

    /// A frame of a kind that does not exist, as long as wanted: what is refused tells whether its length was looked at first.
    private func unknown(size: Int) -> [UInt8] {
        FrameHeader(kind: 99, descriptorCount: 0, request: 0, payloadLength: UInt32(size - FrameHeader.size)).encoded()
            + [UInt8](repeating: 0, count: size - FrameHeader.size)
    }

    @Test("takes frames of 16 KiB at most where a login process speaks, of 64 KiB and the head elsewhere") func longest() throws {
        for direction in ProtocolDocument.directions { try probeLongest(of: direction) }
    }

    private func probeLongest<Content: Message>(of direction: Content.Type) throws {
        let spokenByLogin = ["LoginToAuth", "LoginToMail", "WorkerToZygote", "ZygoteToAuth", "ZygoteToZygote", "ServiceToMaster"]
        let limit = spokenByLogin.contains(Content.channel) ? 16_384 : FrameHeader.size + FrameHeader.maximumPayload
        #expect(Content.maximumFrame == limit)
        let ends = try Ends()
        try DatagramSocket.send(unknown(size: limit), to: ends.one.number)
        try DatagramSocket.send(unknown(size: limit + 1), to: ends.one.number)
        #expect(throws: ChannelError.refused(.unknownKind(99, channel: Content.channel))) { _ = try ends.two.next(Content.self) }
        #expect(throws: ChannelError.refused(.tooLong(limit: limit, channel: Content.channel))) { _ = try ends.two.next(Content.self) }
        for message in Content.all { #expect(LargestPayload.of(message) <= limit - FrameHeader.size, "\(message.name)") }
    }

    @Test("ends when its peer closes, after what was sent before") func end() throws {
        let (ours, theirs) = try SocketPair().split()
        let two = Channel(FileDescriptor(adopting: theirs))
        do {
            let one = Channel(FileDescriptor(adopting: ours))
            try one.send(LoginToAuth.cancel)
        }
        let last = try #require(try two.next(LoginToAuth.self))
        #expect(last.message == .cancel)
        #expect(throws: ChannelError.closed) { _ = try two.next(LoginToAuth.self) }
        #expect(throws: ChannelError.closed) { try two.send(AuthToLogin.challenge(SASLData(data: []))) }
    }

    @Test("is refused with garbage, and no other channel notices") func garbage() throws {
        let (bad, good) = (try Ends(), try Ends())
        try good.one.send(LoginToAuth.cancel, request: 1)
        try DatagramSocket.send(Array("EHLO example.org\r\n".utf8) + [0, 0, 0], to: bad.one.number)
        try DatagramSocket.send(datagram(kind: 99, payload: []), to: bad.one.number)
        #expect(throws: ChannelError.refused(.wrongMagic)) { _ = try bad.two.next(LoginToAuth.self) }
        #expect(throws: ChannelError.refused(.unknownKind(99, channel: "LoginToAuth"))) { _ = try bad.two.next(LoginToAuth.self) }
        let untouched = try #require(try good.two.next(LoginToAuth.self))
        #expect(untouched.request == 1)
    }

    @Test("refuses a datagram that is larger than a frame can be") func oversize() throws {
        let ends = try Ends()
        let bytes = [UInt8](repeating: 0, count: FrameHeader.size + FrameHeader.maximumPayload + 1)
        try DatagramSocket.send(bytes, to: ends.one.number)
        #expect(throws: ChannelError.refused(.tooLong(limit: 16_384, channel: "LoginToAuth"))) { _ = try ends.two.next(LoginToAuth.self) }
    }

    @Test("keeps what the kernel does not take, with its own copy of the descriptors, and sends it later in order") func backlog() throws {
        let ends = try Ends()
        let (marker, other) = try SocketPair().split()
        defer { closeDescriptor(other) }
        var sent: UInt32 = 0
        do {
            let owned = FileDescriptor(adopting: marker)
            while !ends.one.hasBacklog, sent < 100_000 {
                sent += 1
                try ends.one.send(MasterToService.peer(.init(role: "x")), request: sent, descriptors: [owned.number])
            }
            for _ in 0..<5 {
                sent += 1
                try ends.one.send(MasterToService.peer(.init(role: "x")), request: sent, descriptors: [owned.number])
            }
        }
        #expect(ends.one.hasBacklog)
        var seen: UInt32 = 0
        while seen < sent {
            try ends.one.flush()
            let received = try #require(try ends.two.next(MasterToService.self))
            seen += 1
            #expect(received.request == seen && received.descriptors.count == 1)
            for number in received.descriptors { closeDescriptor(number) }
        }
        #expect(!ends.one.hasBacklog)
        #expect(try ends.two.next(MasterToService.self) == nil)
    }

    @Test("sends what waits with the next message in either direction, for owners that never call flush", arguments: [false, true])
    func withoutFlush(_ bySending: Bool) throws {
        let ends = try Ends()
        var sent: UInt32 = 0
        while !ends.one.hasBacklog, sent < 100_000 {
            sent += 1
            try ends.one.send(LoginToAuth.cancel, request: sent)
        }
        for expected in 1..<sent { #expect(try ends.two.next(LoginToAuth.self)?.request == expected) }
        #expect(try ends.two.next(LoginToAuth.self) == nil)
        if bySending {
            try ends.one.send(LoginToAuth.cancel, request: sent + 1)
        } else {
            try ends.two.send(AuthToLogin.challenge(line))
            #expect(try ends.one.next(AuthToLogin.self)?.message == .challenge(line))
        }
        #expect(!ends.one.hasBacklog)
        #expect(try ends.two.next(LoginToAuth.self)?.request == sent)
    }

    @Test("says what its peer said last, though nothing can be sent any more") func lastWords() throws {
        let (ours, theirs) = try SocketPair().split()
        let one = Channel(FileDescriptor(adopting: ours))
        do {
            let two = Channel(FileDescriptor(adopting: theirs))
            while !one.hasBacklog { try one.send(LoginToAuth.cancel) }
            try two.send(AuthToLogin.challenge(line))
        }
        #expect(try one.next(AuthToLogin.self)?.message == .challenge(line))
        // Frames that were never read make the end of a connection a reset (unix(7)).
        #expect(throws: ChannelError.closed) { _ = try one.next(AuthToLogin.self) }
    }

    @Test("gives up when its peer does not read, and closes the queued descriptors") func queueFull() throws {
        let (marker, other) = try SocketPair().split()
        defer { closeDescriptor(other) }
        let owned = FileDescriptor(adopting: marker)
        do {
            let ends = try Ends(maximumQueue: 3)
            #expect(throws: ChannelError.queueFull) {
                for _ in 0..<100_000 { try ends.one.send(MasterToService.peer(.init(role: "x")), descriptors: [owned.number]) }
            }
            #expect(references(to: owned.number) == 4)
        }
        #expect(references(to: owned.number) == 1)
    }

    @Test("does not send what its peer would refuse") func refusesToSend() throws {
        let ends = try Ends()
        let text = String(repeating: "x", count: 1025)
        #expect(throws: ChannelError.refused(.overLimit(field: "text", limit: 1024))) {
            try ends.one.send(ServiceToLog.line(.init(level: 1, user: "", session: "", pid: 0, text: text)))
        }
        #expect(try ends.two.next(ServiceToLog.self) == nil)
    }

    @Test("tells who sent a datagram only where credentials are asked for") func credentials() throws {
        let ends = try Ends()
        try Socket.receiveCredentials(on: ends.two.number)
        try ends.one.send(LoginToAuth.cancel)
        let datagram = try #require(try DatagramSocket.receive(from: ends.two.number, atMost: 100))
        let sender = try #require(datagram.sender)
        #expect(sender.pid == Process.id && sender.uid == Process.effectiveUID && sender.gid == Process.effectiveGID)
    }
}
