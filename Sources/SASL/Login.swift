/// LOGIN: the name, then the password, each asked for (draft-murchison-sasl-login; old, but Outlook still uses it).
enum LoginState: Equatable, Sendable {
    case name
    case password(of: [UInt8])

    static let askName = Array("Username:".utf8)
    static let askPassword = Array("Password:".utf8)

    /// The state that follows (nil: the exchange is over) and what to do. An initial response is the name.
    func read(_ message: [UInt8]) -> (LoginState?, Action) {
        switch self {
        case .name:
            if message.isEmpty { return (nil, .fail(.emptyUsername)) }
            if message.count > Limits.name { return (nil, .fail(.overLimit("user name"))) }
            return (.password(of: message), .challenge(Self.askPassword))
        case .password(let name):
            return (nil, Credentials(authentication: name, password: message).checked())
        }
    }
}
