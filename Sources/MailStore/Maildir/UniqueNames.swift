internal import Platform

/// Makes names for new message files: `seconds.MmicrosecondsPpid.host`, never the same twice in this process,
/// and not in another one because of pid and host.
struct UniqueNames {
    private let suffix: [UInt8]
    private var last: (seconds: Int64, microseconds: Int64) = (0, 0)

    /// `/` and `:` would break the grammar of file names and are written as octal, as the Maildir specification says.
    init(hostname: String) {
        var suffix = Array("P\(Process.id).".utf8)
        for byte in hostname.utf8.prefix(64) {
            switch byte {
            case ASCII.slash: suffix.append(contentsOf: Array("\\057".utf8))
            case ASCII.colon: suffix.append(contentsOf: Array("\\072".utf8))
            case 0x21...0x7e where byte != ASCII.comma: suffix.append(byte)
            default: suffix.append(0x5f)
            }
        }
        self.suffix = suffix
    }

    mutating func next() -> [UInt8] {
        var now = Clock.wall
        if now.seconds < last.seconds || (now.seconds == last.seconds && now.microseconds <= last.microseconds) {
            now = (last.seconds, last.microseconds + 1)
            if now.microseconds >= 1_000_000 { now = (now.seconds + 1, 0) }
        }
        last = now
        return Array("\(now.seconds).M\(now.microseconds)".utf8) + suffix
    }
}
