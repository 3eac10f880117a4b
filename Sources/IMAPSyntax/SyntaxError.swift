/// Why a command was not understood; carries what the answer needs, never the client's bytes.
package enum SyntaxError: Error, Equatable {
    /// Something else stood where this rule of the grammar has to stand; `at` is an offset into the command.
    case expected(String, at: Int)
    /// More than a limit of `Limits` allows; the name says of what.
    case overLimit(String)
    /// The command is not one of ours, or not one of this state.
    case unknownCommand
    /// A NUL outside of literal8 (RFC 9051 section 9: CHAR, CHAR8).
    case nul

    /// A short English text for the client, without any foreign byte.
    package var text: String {
        switch self {
        case .expected(let what, _): "Expected \(what)"
        case .overLimit(let what): "Too many or too long: \(what)"
        case .unknownCommand: "Unknown command"
        case .nul: "NULs are not allowed"
        }
    }
}
