import Platform
import Testing

@testable import TLS

@Suite("A TLS stream")
struct StreamTests {
    @Test("carries bytes both ways and says when it waits")
    func carries() throws {
        let meeting = try Meeting(TLSServer(.test))
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(meeting.server.read(into: &buffer) == .wantRead)
        #expect(meeting.client.write(Array("a1 NOOP\r\n".utf8)[...]) == .bytes(9))
        #expect(meeting.server.read(into: &buffer) == .bytes(9))
        #expect(Array(buffer[..<9]) == Array("a1 NOOP\r\n".utf8))
        #expect(meeting.server.write(Array("a1 OK\r\n".utf8)[...]) == .bytes(7))
        var text = Array("> ".utf8)
        #expect(meeting.client.read(appendingTo: &text, atMost: 50) == .bytes(7))
        #expect(text == Array("> a1 OK\r\n".utf8))
        #expect(meeting.client.read(appendingTo: &text, atMost: 50) == .wantRead)
        #expect(text.count == 9)
        #expect(meeting.server.write([]) == .bytes(0))
    }

    @Test("stops writing when the peer does not read, and loses nothing")
    func stops() throws {
        let meeting = try Meeting(TLSServer(.test))
        let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var sent = content[...]
        var received: [UInt8] = []
        var stops = 0
        while received.count < content.count {
            switch meeting.server.write(sent) {
            case .bytes(let count): sent = sent.dropFirst(count)
            case .wantWrite: stops += 1
            case let other: Issue.record("\(other)"); return
            }
            if stops > 0 || sent.isEmpty {
                while case .bytes = meeting.client.read(appendingTo: &received, atMost: 20_000) {}
            }
        }
        #expect(stops > 0)
        #expect(received == content)
    }

    @Test("tells an orderly end from a broken one", arguments: [true, false])
    func ends(_ isOrderly: Bool) throws {
        let meeting = try Meeting(TLSServer(.test))
        if isOrderly { #expect(meeting.client.shutdown() == .done) }
        try meeting.pair.cut()
        var buffer = [UInt8](repeating: 0, count: 10)
        #expect(meeting.server.read(into: &buffer) == .end(isOrderly: isOrderly))
    }

    @Test("fails when a record was changed on its way")
    func detects() throws {
        let meeting = try Meeting(TLSServer(.test))
        _ = try meeting.pair.far.write([0x17, 3, 3, 0, 20] + [UInt8](repeating: 9, count: 20))
        var buffer = [UInt8](repeating: 0, count: 10)
        guard case .failed(let error) = meeting.server.read(into: &buffer) else { Issue.record("no failure"); return }
        #expect(error.reason.contains("decryption failed or bad record mac"))
    }
}
