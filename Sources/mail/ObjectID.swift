internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// The ids of RFC 8474: what the store knows a thing by, in the letters that an objectid may have.
enum ObjectID {
    /// Of a mailbox: its guid, which has hexadecimal digits only.
    static func mailbox(_ guid: [UInt8]) -> [UInt8] { [0x46] + encoded(guid) }

    /// Of a message's content. Copies have the same.
    static func email(_ guid: [UInt8]) -> [UInt8] { [0x4d] + encoded(guid) }

    /// Of the conversation a message belongs to: made of the message id that it began with, so that all answers have the same wherever they
    /// are, and nothing has to be remembered but what THREAD needs anyway. A message without any id is a conversation of its own.
    static func thread(at position: Int, in mailbox: any Mailbox, source: KeySource) throws(StoreError) -> [UInt8] {
        let keys = try source.keys(at: position)
        let id = keys.text(.messageID)
        let root = keys.firstAncestor ?? (id.isEmpty ? nil : id)
        guard let root else { return [0x55] + encoded(mailbox.guid(at: position)) }
        return [0x54] + encoded(Array(root))
    }

    /// Each byte that is no letter or digit as `_` and two digits, so that different ids stay different; what gets too long by that is hashed.
    private static func encoded(_ id: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(id.count + 16)
        for byte in id {
            if byte != 0x5f, ASCIISet.objectID.contains(byte) {
                text.append(byte)
            } else {
                text.append(0x5f)
                text.append(digit(byte >> 4))
                text.append(digit(byte & 15))
            }
        }
        return text.count < IMAPSyntax.Limits.objectID ? text : [0x5f, 0x5f] + hash(id)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// FNV-1a of 64 bits, forwards and backwards: file names are given by our own side, so nobody gains by a collision.
    private static func hash(_ id: [UInt8]) -> [UInt8] {
        func fnv(_ bytes: some Sequence<UInt8>) -> UInt64 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            return hash
        }
        return [fnv(id), fnv(id.reversed())].flatMap { value in
            (0..<16).map { digit(UInt8(truncatingIfNeeded: value >> UInt64(60 - $0 * 4)) & 15) }
        }
    }
}
