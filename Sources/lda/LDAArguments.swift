/// What stands on the command line.
struct LDAArguments: Equatable {
    /// -d: who gets the message; nil: who calls us.
    var user: String?
    /// -f: envelope sender; nil: as the message's `From ` line says.
    var sender: String?
    /// -m
    var mailbox = "INBOX"
    /// -a: envelope recipient as it was first.
    var originalRecipient: String?
    /// -r: envelope recipient in the end.
    var finalRecipient: String?
    /// -e: print the reason of a rejection and exit with 77.
    var printsRejection = false
    /// -p: file with the message, instead of standard input.
    var messageFile: String?
    /// -c
    var configuration = "/etc/culver/culver.conf"
    /// -o
    var overrides: [String] = []

    /// Options as `-d user` or `-duser`, flags together (`-ek`).
    init(_ arguments: some Sequence<String>) throws(DeliveryFailure) {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument.count > 1 else { throw DeliveryFailure(.usage, "Unknown argument: \(argument)") }
            var letters = argument.dropFirst()
            while let letter = letters.popFirst() {
                if takeFlag(letter) { continue }
                guard "dfmrapco".contains(letter) else { throw DeliveryFailure(.usage, "Unknown argument: -\(letter)") }
                var value = String(letters)
                letters = ""
                if value.isEmpty {
                    guard let next = rest.popFirst() else { throw DeliveryFailure(.usage, "Missing value: -\(letter)") }
                    value = next
                }
                take(letter, value)
            }
        }
    }

    private mutating func takeFlag(_ letter: Character) -> Bool {
        switch letter {
        case "e": printsRejection = true
        case "k": break  // The environment is kept anyway: nothing in it is used but USER and HOME.
        default: return false
        }
        return true
    }

    private mutating func take(_ letter: Character, _ value: String) {
        switch letter {
        case "d": user = value
        case "f": sender = value
        case "m": mailbox = value
        case "a": originalRecipient = value
        case "r": finalRecipient = value
        case "p": messageFile = value
        case "c": configuration = value
        default: overrides.append(value)
        }
    }
}
