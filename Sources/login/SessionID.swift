internal import Base64
internal import Platform

/// Names a session in every log line about it: base64 of time, port and address, unique for about nine years (operations.md 2).
enum SessionID {
    static func make(remote: Endpoint) -> String {
        let now = Clock.wall
        let microseconds = UInt64(bitPattern: now.seconds &* 1_000_000 &+ now.microseconds)
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: microseconds >> UInt64(8 * $0)) }
        bytes += [UInt8(truncatingIfNeeded: remote.port), UInt8(truncatingIfNeeded: remote.port >> 8)]
        let parts = remote.address.split(separator: ".").compactMap { UInt8($0) }
        bytes += parts.count == 4 ? parts : Array(remote.address.utf8.suffix(8))
        return String(decoding: Base64.encode(bytes).filter { $0 != 0x3d }, as: UTF8.self)
    }
}
