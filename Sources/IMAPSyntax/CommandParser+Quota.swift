// QUOTA (RFC 9208 section 7).
extension CommandParser {
    // getquota = "GETQUOTA" SP quota-root-name ; quota-root-name = astring
    mutating func getQuota() throws(SyntaxError) -> Command {
        try space()
        return .getQuota(root: try astring("quota root"))
    }

    // setquota = "SETQUOTA" SP quota-root-name SP setquota-list
    // setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")" ; setquota-resource = resource-name SP resource-limit
    /// Limits are the administrator's: they are read and not used.
    mutating func setQuota() throws(SyntaxError) -> Command {
        try space()
        let root = try astring("quota root")
        try space()
        if bytes[index...].starts(with: [0x28, 0x29]) {
            index += 2
            return .setQuota(root: root)
        }
        try list(atMost: Limits.quotaResources, of: "resources") { parser throws(SyntaxError) in
            guard !parser.take(while: .atom).isEmpty else { throw .expected("resource", at: parser.index) }
            try parser.space()
            _ = try parser.number64()
        }
        return .setQuota(root: root)
    }
}
