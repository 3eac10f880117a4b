import IPCProtocol
import Testing

@Suite("Every message")
struct MessageTests {
    @Test("survives encoding and decoding with any values", arguments: Direction.all)
    func roundTrip(_ direction: Direction) throws { try roundTrip(direction.type) }

    private func roundTrip<Content: Message>(_ type: Content.Type) throws {
        var random = RandomFields()
        for prototype in Content.all {
            for _ in 0..<40 {
                var message = prototype
                try message.visit(&random)
                let request = UInt32.random(in: 0 ... .max)
                let payload: [UInt8]
                do throws(FrameError) { payload = try message.encodedPayload() } catch {
                    guard case .tooLarge = error else { throw error }
                    continue
                }
                #expect(payload.count <= LargestPayload.of(message))
                let count = message.descriptorCount
                let whole = datagram(kind: message.kind, descriptors: count, request: request, payload: payload)
                let decoded = try Content.decode(whole, descriptors: count)
                #expect(decoded.message == message && decoded.request == request)
                #expect(try decoded.message.encodedPayload() == payload)
            }
        }
    }

    @Test("is refused with a field one over its limit, by the writer and by the reader", arguments: Direction.all)
    func overLimit(_ direction: Direction) throws { try overLimit(direction.type) }

    private func overLimit<Content: Message>(_ type: Content.Type) throws {
        for prototype in Content.all {
            var target = 0
            while true {
                var spoiler = OneOverLimit(target: target)
                var message = prototype
                try message.visit(&spoiler)
                guard let name = spoiler.name else { break }
                let expected = FrameError.overLimit(field: name, limit: spoiler.limit)
                #expect(throws: expected, "\(Content.channel).\(prototype.name)") { try message.encodedPayload() }
                var lax = LaxEncoder()
                try message.visit(&lax)
                let count = prototype.descriptorCount
                #expect(throws: expected, "\(Content.channel).\(prototype.name)") {
                    try Content.decode(datagram(kind: prototype.kind, descriptors: count, payload: lax.bytes), descriptors: count)
                }
                target += 1
            }
        }
    }

    @Test("is refused when cut short at any byte, and with one byte too many", arguments: Direction.all)
    func cut(_ direction: Direction) throws { try cut(direction.type) }

    private func cut<Content: Message>(_ type: Content.Type) throws {
        var random = RandomFields()
        for prototype in Content.all {
            var message = prototype
            var payload = [UInt8](repeating: 0, count: 5000)
            while payload.count > 4000 {
                try message.visit(&random)
                do throws(FrameError) { payload = try message.encodedPayload() } catch { continue }
            }
            let count = prototype.descriptorCount
            for length in payload.indices {
                // The head tells the shorter length, so the fields themselves must notice.
                let short = datagram(kind: prototype.kind, descriptors: count, payload: Array(payload[..<length]))
                #expect(throws: FrameError.self) { try Content.decode(short, descriptors: count) }
            }
            let whole = datagram(kind: prototype.kind, descriptors: count, payload: payload)
            for length in whole.indices {
                #expect(throws: FrameError.self) { try Content.decode(Array(whole[..<length]), descriptors: count) }
            }
            let long = datagram(kind: prototype.kind, descriptors: count, payload: payload + [0])
            #expect(throws: FrameError.leftover(1)) { try Content.decode(long, descriptors: count) }
            #expect(throws: FrameError.truncated("payload")) { try Content.decode(whole + [0], descriptors: count) }
        }
    }

    @Test("is refused with a descriptor too many or too few", arguments: Direction.all)
    func descriptors(_ direction: Direction) throws { try descriptors(direction.type) }

    private func descriptors<Content: Message>(_ type: Content.Type) throws {
        for prototype in Content.all {
            let payload = try prototype.encodedPayload()
            let right = prototype.descriptorCount
            for wrong in [right - 1, right + 1, 16] where wrong >= 0 {
                let announced = datagram(kind: prototype.kind, descriptors: wrong, payload: payload)
                #expect(throws: FrameError.wrongDescriptors(announced: right, received: wrong)) {
                    try Content.decode(announced, descriptors: wrong)
                }
                let lied = datagram(kind: prototype.kind, descriptors: right, payload: payload)
                #expect(throws: FrameError.wrongDescriptors(announced: right, received: wrong)) {
                    try Content.decode(lied, descriptors: wrong)
                }
            }
        }
    }

    @Test("has a number and a name of its own", arguments: Direction.all)
    func numbers(_ direction: Direction) { numbers(direction.type) }

    private func numbers<Content: Message>(_ type: Content.Type) {
        let all = Content.all
        #expect(!all.isEmpty)
        #expect(all.map(\.kind) == Array(1...UInt16(all.count)))
        #expect(Set(all.map(\.name)).count == all.count)
        for kind in [0, UInt16(all.count + 1), Content.highestKind, .max] {
            #expect(Content.prototype(kind) == nil)
            #expect(throws: FrameError.unknownKind(kind, channel: Content.channel)) {
                try Content.decode(datagram(kind: kind, payload: []), descriptors: 0)
            }
        }
    }

    @Test("of a login process fits into 16 KiB, as security.md 5 wants")
    func loginSize() {
        for size in LoginToAuth.all.map({ LargestPayload.of($0) }) + LoginToMail.all.map({ LargestPayload.of($0) }) {
            #expect(size <= 16_384)
        }
    }
}

@Suite("A field")
struct FieldTests {
    @Test("of text must be UTF-8", arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x98], [0xf5, 0x80, 0x80, 0x80]])
    func utf8(_ bytes: [UInt8]) {
        var decoder = FieldDecoder(([UInt8(bytes.count), 0, 0, 0] + bytes)[...])
        var text = ""
        #expect(throws: FrameError.invalid(field: "x")) { try decoder.text(&text, "x", atMost: 10) }
    }

    @Test("of bool is 0 or 1", arguments: [2, 0x80, 0xff] as [UInt8])
    func bool(_ byte: UInt8) {
        var decoder = FieldDecoder([byte][...])
        var value = false
        #expect(throws: FrameError.invalid(field: "x")) { try decoder.bool(&value, "x") }
    }

    @Test("that announces more than there is takes no memory for it", arguments: [5, 0x7fff_ffff, 0xffff_ffff] as [UInt32])
    func announced(_ count: UInt32) {
        var encoder = FieldEncoder()
        encoder.integer(count)
        var decoder = FieldDecoder((encoder.bytes + [1, 2, 3, 4])[...])
        var value: [UInt8] = []
        #expect(throws: FrameError.truncated("x")) { try decoder.bytes(&value, "x", atMost: .max) }
    }

    @Test("is written in little endian order") func order() {
        var encoder = FieldEncoder()
        encoder.integer(0x0102_0304 as UInt32)
        encoder.integer(0x0506 as UInt16)
        #expect(encoder.bytes == [4, 3, 2, 1, 6, 5])
    }
}

@Suite("The head of a frame")
struct FrameHeaderTests {
    private let good = datagram(kind: 3, request: 0xdead_beef, payload: [])

    @Test("has 16 bytes in the order of the document") func layout() {
        let head = datagram(kind: 0x0102, descriptors: 1, request: 0x0304_0506, payload: [9])
        #expect(head == [0x43, 0x56, 1, 0, 2, 1, 1, 0, 6, 5, 4, 3, 1, 0, 0, 0, 9])
    }

    @Test("is refused with another magic") func magic() {
        for index in 0...1 {
            var wrong = good
            wrong[index] ^= 0x20
            #expect(throws: FrameError.wrongMagic) { try LoginToAuth.decode(wrong, descriptors: 0) }
        }
        #expect(throws: FrameError.wrongMagic) { try LoginToAuth.decode(Array("* OK IMAP4rev1 ready\r\n".utf8), descriptors: 0) }
    }

    @Test("is refused with another version, and the text names both", arguments: [0, 2, 0xffff] as [UInt16])
    func version(_ version: UInt16) {
        var wrong = good
        wrong[2] = UInt8(truncatingIfNeeded: version)
        wrong[3] = UInt8(truncatingIfNeeded: version >> 8)
        let expected = FrameError.wrongVersion(theirs: version, ours: FrameHeader.version)
        #expect(throws: expected) { try LoginToAuth.decode(wrong, descriptors: 0) }
        #expect(expected.description.contains("version \(version),") && expected.description.contains("version \(FrameHeader.version):"))
    }

    @Test("must tell the real length", arguments: [1, 0xff, 0xffff_ffff] as [UInt32])
    func length(_ length: UInt32) {
        let head = FrameHeader(kind: 3, descriptorCount: 0, request: 0, payloadLength: length).encoded()
        #expect(throws: FrameError.truncated("payload")) { try LoginToAuth.decode(head, descriptors: 0) }
    }

    @Test("of a payload that is too large is not made") func tooLarge() {
        let text = String(repeating: "x", count: 1024)
        let message = MasterToConfig.load(.init(path: "", overrides: [String](repeating: text, count: 64)))
        #expect(throws: FrameError.tooLarge(4 + 2 + 64 * 1028, limit: FrameHeader.maximumPayload)) { try message.encodedPayload() }
    }
}
