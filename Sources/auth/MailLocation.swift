/// The parts of a 2.3 location `driver:path:KEY=value…` (storage.md 1); a colon inside a part is written `::`.
struct MailLocation: Equatable {
    var driver = ""
    var path = ""
    var inboxPath = ""
    var controlPath = ""
    var indexPath = ""
    var layout = ""

    // location = driver [":" path *(":" key ["=" value])]
    init(_ text: String) {
        var parts: [[UInt8]] = [[]]
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: ":") {
                if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: ":") {
                    parts[parts.count - 1].append(bytes[index])
                    index += 2
                    continue
                }
                parts.append([])
            } else {
                parts[parts.count - 1].append(bytes[index])
            }
            index += 1
        }
        let texts = parts.map { String(decoding: $0, as: UTF8.self) }
        driver = texts[0].lowercased()
        guard texts.count > 1 else { return }
        path = texts[1]
        for word in texts.dropFirst(2) {
            let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            switch pair[0] {
            case "INBOX": inboxPath = String(pair[1])
            case "CONTROL": controlPath = String(pair[1])
            case "INDEX": indexPath = String(pair[1])
            case "LAYOUT": layout = String(pair[1])
            default: break
            }
        }
    }
}
