/// What a stranger may ask; the login process understands nothing else.
package enum PreLoginCommand: Equatable, Sendable {
    case capability
    case noop
    case logout
    case startTLS
    case id([IDField])
    case login(user: [UInt8], password: [UInt8])
    /// The mechanism in upper case; the initial response still in base64, empty for `=` (RFC 4959).
    case authenticate(mechanism: [UInt8], initialResponse: [UInt8]?)
}

/// One pair of ID (RFC 2971); a value may be NIL.
package struct IDField: Equatable, Sendable {
    package var key: [UInt8]
    package var value: [UInt8]?

    package init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}

extension CommandParser {
    // command-any = "CAPABILITY" / "LOGOUT" / "NOOP" / x-command
    // command-nonauth = login / authenticate / "STARTTLS"      RFC 9051 section 9
    /// What follows the tag, up to the end of the command.
    package mutating func preLoginCommand() throws(SyntaxError) -> PreLoginCommand {
        let command: PreLoginCommand
        let name = try commandName()
        switch name.count {
        case _ where name.isWord("CAPABILITY"): command = .capability
        case _ where name.isWord("NOOP"): command = .noop
        case _ where name.isWord("LOGOUT"): command = .logout
        case _ where name.isWord("STARTTLS"): command = .startTLS
        case _ where name.isWord("ID"): command = .id(try idParameters())
        case _ where name.isWord("LOGIN"): command = try login()
        case _ where name.isWord("AUTHENTICATE"): command = try authenticate()
        default: throw .unknownCommand
        }
        try end()
        return command
    }

    // login = "LOGIN" SP userid SP password ; userid = astring ; password = astring
    private mutating func login() throws(SyntaxError) -> PreLoginCommand {
        try space()
        let user = try astring("user name")
        try space()
        return .login(user: user, password: try astring("password"))
    }

    // authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64)
    // initial-resp = (base64 / "=")
    private mutating func authenticate() throws(SyntaxError) -> PreLoginCommand {
        try space()
        let mechanism = take(while: .atom)
        guard !mechanism.isEmpty else { throw .expected("mechanism", at: index) }
        guard mechanism.count <= Limits.mechanism else { throw .overLimit("mechanism") }
        var initial: [UInt8]?
        if takeIf(0x20) {
            let response = take(while: .base64)
            guard !response.isEmpty else { throw .expected("base64", at: index) }
            initial = response.elementsEqual([0x3d]) ? [] : Array(response)
        }
        return .authenticate(mechanism: mechanism.map(\.upper), initialResponse: initial)
    }

    // id = "ID" SP id-params-list
    // id-params-list = "(" *(string SP nstring) ")" / nil      RFC 2971 section 4
    mutating func idParameters() throws(SyntaxError) -> [IDField] {
        try space()
        if takeNil() { return [] }
        var fields: [IDField] = []
        try list(atMost: Limits.idFields, of: "ID fields", allowsEmpty: true) { parser throws(SyntaxError) in
            let key = try parser.string()
            try parser.space()
            let value = try parser.nstring()
            guard key.count <= Limits.idKey, value?.count ?? 0 <= Limits.idValue else { throw .overLimit("ID field") }
            fields.append(IDField(key: key, value: value))
        }
        return fields
    }
}
