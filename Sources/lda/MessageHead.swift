/// What a delivery wants to know of a message before it saves it: its `From ` line and a few header fields.
struct MessageHead {
    /// Bytes that are looked at; fields behind them are not found, which costs a log line its details only.
    static let size = 65_536

    /// Sender in the mbox line, if there is one.
    private(set) var mboxSender: String?
    /// Bytes of the mbox line, which is not part of the message.
    private(set) var skipped = 0
    /// Values of header fields by lower-case name, unfolded; the first of a name.
    private(set) var fields: [String: String] = [:]

    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        if rest.starts(with: Array("From ".utf8)), let end = rest.firstIndex(of: 0x0a) {
            let sender = rest[(rest.startIndex + 5)..<end].prefix { $0 != 0x20 && $0 != 0x0d }
            mboxSender = String(decoding: sender, as: UTF8.self)
            skipped = end + 1 - rest.startIndex
            rest = rest[(end + 1)...]
        }
        var name = ""
        while let end = rest.firstIndex(of: 0x0a) {
            var line = rest[..<end]
            if line.last == 0x0d { line = line.dropLast() }
            rest = rest[(end + 1)...]
            if line.isEmpty { return }
            if line.first == 0x20 || line.first == 0x09 {
                if let value = fields[name], value.utf8.count < 1_000 { fields[name] = value + " " + Self.trimmed(line) }
            } else {
                guard let colon = line.firstIndex(of: 0x3a) else { return }
                let found = String(decoding: line[..<colon], as: UTF8.self).lowercased()
                // The second field of a name, with its folded lines, is nobody's.
                name = fields[found] == nil ? found : ""
                if !name.isEmpty { fields[name] = Self.trimmed(line[(colon + 1)...]) }
            }
        }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        guard let first = line.firstIndex(where: { !isBlank($0) }), let last = line.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: line[first...last].prefix(1_000), as: UTF8.self)
    }
}
