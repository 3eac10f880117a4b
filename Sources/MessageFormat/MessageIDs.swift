/// Message ids in Message-ID, In-Reply-To and References, without their brackets and quoting (RFC 5256 section 3).
package enum MessageIDs {
    package static func first(in field: [UInt8]) -> [UInt8]? {
        var index = 0
        return next(in: field, &index)
    }

    /// The last `limit` of them, in their order.
    package static func all(in field: [UInt8], atMost limit: Int) -> [[UInt8]] {
        var ids: [[UInt8]] = []
        var index = 0
        while let id = next(in: field, &index) { ids.append(id) }
        return ids.count > limit ? Array(ids.suffix(limit)) : ids
    }

    // msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS] ; id-left may be a quoted string in old messages
    private static func next(in field: [UInt8], _ index: inout Int) -> [UInt8]? {
        while let start = field[min(index, field.count)...].firstIndex(of: 0x3c) {
            index = start + 1
            var id: [UInt8] = []
            var isQuoted = false
            var hasAt = false
            while index < field.count {
                let byte = field[index]
                index += 1
                if byte == 0x22 {
                    isQuoted.toggle()
                } else if byte == 0x5c, isQuoted, index < field.count {
                    id.append(field[index])
                    index += 1
                } else if byte == 0x3e, !isQuoted {
                    if hasAt, id.count > 2 { return id }
                    break
                } else if byte == 0x3c, !isQuoted {
                    // Another one begins where this one has no end.
                    index -= 1
                    break
                } else if byte > 0x20 || isQuoted {
                    hasAt = hasAt || byte == 0x40
                    id.append(byte)
                }
            }
        }
        return nil
    }
}
