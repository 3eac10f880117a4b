internal import MessageFormat

/// What SORT and THREAD need of a message, read back from the text of its ENVELOPE: that is what the index keeps.
struct EnvelopeFields {
    struct Address {
        var name: [UInt8]?
        var mailbox: [UInt8]?
        var host: [UInt8]?

        /// What people see of it (RFC 5957 section 3): the name, or else the address.
        var display: [UInt8] {
            if let name, !name.isEmpty { return EncodedWords.decode(name) }
            guard let mailbox else { return [] }
            return mailbox + (host.map { [0x40] + $0 } ?? [])
        }
    }

    var date: [UInt8]?
    var subject: [UInt8]?
    var from: Address?
    var to: Address?
    var cc: Address?
    var inReplyTo: [UInt8]?
    var messageID: [UInt8]?

    // envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
    //            env-in-reply-to SP env-message-id ")"
    init(_ text: [UInt8]) {
        var reader = Reader(bytes: text)
        reader.index = 1
        date = reader.nstring()
        subject = reader.nstring()
        from = reader.firstAddress()
        _ = reader.firstAddress()
        _ = reader.firstAddress()
        to = reader.firstAddress()
        cc = reader.firstAddress()
        _ = reader.firstAddress()
        inReplyTo = reader.nstring()
        messageID = reader.nstring()
    }

    /// Text that is no envelope (a damaged index) reads as empty fields.
    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        private var peek: UInt8 { index < bytes.count ? bytes[index] : 0 }

        private mutating func skip(_ byte: UInt8) { if peek == byte { index += 1 } }

        // nstring = string / nil
        mutating func nstring() -> [UInt8]? {
            skip(0x20)
            switch peek {
            case 0x22: return quoted()
            case 0x7b: return literal()
            default:
                // NIL
                index = min(bytes.count, index + 3)
                return nil
            }
        }

        private mutating func quoted() -> [UInt8] {
            var value: [UInt8] = []
            index += 1
            while index < bytes.count, bytes[index] != 0x22 {
                if bytes[index] == 0x5c { index += 1 }
                if index < bytes.count { value.append(bytes[index]) }
                index += 1
            }
            index += 1
            return value
        }

        private mutating func literal() -> [UInt8] {
            var size = 0
            index += 1
            while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39, size < 1 << 30 {
                size = size * 10 + Int(bytes[index] - 0x30)
                index += 1
            }
            let start = min(bytes.count, index + 3)
            let end = min(bytes.count, start + size)
            index = end
            return Array(bytes[start..<end])
        }

        // env-from = "(" 1*address ")" / nil ; address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
        /// A group begins with its name in the place of a mailbox.
        mutating func firstAddress() -> Address? {
            skip(0x20)
            guard peek == 0x28 else {
                _ = nstring()
                return nil
            }
            index += 1
            var first: Address?
            while peek == 0x28 {
                index += 1
                let name = nstring()
                _ = nstring()
                let mailbox = nstring()
                let host = nstring()
                skip(0x29)
                if first == nil { first = Address(name: name, mailbox: mailbox, host: host) }
            }
            skip(0x29)
            return first
        }
    }
}
