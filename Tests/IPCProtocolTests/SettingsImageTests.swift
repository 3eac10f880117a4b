import IPCProtocol
import Testing

@Suite("A settings image")
struct SettingsImageTests {
    static let sample = SettingsImage(blocks: [
        .init(values: ["ssl": "yes", "login_greeting": "grüß\u{0}\n"]),
        .init(local: "192.0.2.1", remote: "198.51.100.0/24", localName: "*.example.org", values: [:]),
        .init(localName: "mail.example.org", values: ["ssl_server_cert": String(repeating: "A", count: 100_000)]),
    ])

    @Test("survives encoding and decoding") func roundTrip() throws {
        for image in [SettingsImage(blocks: []), Self.sample] { #expect(try SettingsImage(decoding: image.encoded()) == image) }
    }

    @Test("is refused when cut short at any byte, and with a byte too many") func cut() throws {
        let image = SettingsImage(blocks: [.init(remote: "::1", values: ["a": "b", "c": ""]), .init(values: ["x": "y"])])
        let bytes = try image.encoded()
        for length in bytes.indices { #expect(throws: FrameError.self) { try SettingsImage(decoding: Array(bytes[..<length])) } }
        #expect(throws: FrameError.leftover(1)) { try SettingsImage(decoding: bytes + [0]) }
    }

    @Test("is refused with a field over its limit") func limits() {
        for block in [
            SettingsImage.Block(local: String(repeating: "1", count: 257), values: [:]),
            .init(remote: String(repeating: "1", count: 257), values: [:]),
            .init(localName: String(repeating: "1", count: 1025), values: [:]),
            .init(values: [String(repeating: "k", count: 1025): ""]),
        ] {
            #expect(throws: FrameError.self) { try SettingsImage(blocks: [block]).encoded() }
        }
    }

    @Test("that announces more blocks or values than it has is refused at once") func announced() {
        #expect(throws: FrameError.self) { try SettingsImage(decoding: [0xff, 0xff, 0xff, 0xff]) }
        let empty: [UInt8] = [1, 0, 0, 0] + [UInt8](repeating: 0, count: 12)
        #expect(throws: FrameError.self) { try SettingsImage(decoding: empty + [0xff, 0xff, 0xff, 0xff]) }
    }
}

@Suite("Any bytes")
struct FuzzTests {
    @Test("as a frame do not crash a decoder, and nothing has two spellings") func frames() throws {
        var random = RandomFields()
        for direction in ProtocolDocument.directions { try mutate(direction, &random) }
    }

    private func mutate<Content: Message>(_ type: Content.Type, _ random: inout RandomFields) throws {
        for prototype in Content.all {
            for _ in 0..<25 {
                var message = prototype
                try message.visit(&random)
                let payload: [UInt8]
                do throws(FrameError) { payload = try message.encodedPayload() } catch { continue }
                var bytes = datagram(kind: message.kind, descriptors: message.descriptorCount, payload: payload)
                spoil(&bytes)
                // A frame of the right length, so that the fields are reached.
                if Bool.random(), bytes.count >= FrameHeader.size {
                    let length = bytes.count - FrameHeader.size
                    for index in 0..<4 { bytes[12 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
                }
                #expect(fuzzFrames(bytes) == [])
            }
        }
    }

    @Test("as a settings image do not crash the decoder") func images() throws {
        let good = try SettingsImage(blocks: [.init(remote: "::1", values: ["a": "b", "c": "dd"]), .init(values: ["x": "y"])]).encoded()
        for _ in 0..<3000 {
            var bytes = good
            spoil(&bytes)
            #expect(fuzzSettingsImage(bytes))
        }
    }

    private func spoil(_ bytes: inout [UInt8]) {
        for _ in 0..<Int.random(in: 0...4) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices)
            switch Int.random(in: 0..<5) {
            case 0: bytes[index] = .random(in: 0...255)
            case 1: bytes[index] = [0, 1, 0x7f, 0x80, 0xff].randomElement() ?? 0
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(.random(in: 0...255), at: index)
            default: bytes.removeSubrange(index...)
            }
        }
    }
}
