import Glibc
import IPCProtocol

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

private func chosen() -> @Sendable ([UInt8]) -> Bool {
    guard let target = environment("CULVER_FUZZ").flatMap({ targets[$0] }) else {
        print("CULVER_FUZZ must name one of: \(targets.keys.sorted().joined(separator: " "))")
        exit(64)
    }
    return target
}

private let target = chosen()

/// libFuzzer calls it for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    precondition(target(Array(UnsafeBufferPointer(start: start, count: count))), "a rule of this target is broken")
    return 0
}

/// libFuzzer calls it once. `CULVER_FUZZ_SEEDS=DIR` writes seeds that no test holds as text: each message with default fields.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutablePointer<CInt>?, _: UnsafeMutableRawPointer?) -> CInt {
    if environment("CULVER_FUZZ") == "list" {
        print(targets.keys.sorted().joined(separator: " "))
        exit(0)
    }
    guard let directory = environment("CULVER_FUZZ_SEEDS") else { return 0 }
    var seeds: [[UInt8]] = []
    switch environment("CULVER_FUZZ") {
    case "frames", "log-line": for direction in ProtocolDocument.directions { seeds += frames(direction) }
    case "settings-image":
        let image = SettingsImage(blocks: [.init(remote: "::1", values: ["ssl": "yes", "x": ""]), .init(localName: "a", values: [:])])
        if let bytes = try? image.encoded() { seeds.append(bytes) }
    default: break
    }
    for (index, seed) in seeds.enumerated() { write(seed, "\(directory)/message-\(index)") }
    return 0
}

private func frames<Direction: Message>(_ direction: Direction.Type) -> [[UInt8]] {
    Direction.all.compactMap { message in
        guard let payload = try? message.encodedPayload() else { return nil }
        let header = FrameHeader(
            kind: message.kind, descriptorCount: UInt16(message.descriptorCount), request: 1, payloadLength: UInt32(payload.count))
        return header.encoded() + payload
    }
}

private func write(_ bytes: [UInt8], _ path: String) {
    guard let file = fopen(path, "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The package manager makes this the program's main function, in place of libFuzzer's own.
@_cdecl("fuzz_main")
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments, testOneInput)
}
