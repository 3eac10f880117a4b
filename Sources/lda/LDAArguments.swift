internal import MailAccess
internal import Platform

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
    init(_ arguments: some Sequence<String>) throws(AccessFailure) {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument.count > 1 else { throw AccessFailure(.usage, "Unknown argument: \(argument)") }
            var letters = argument.dropFirst()
            while let letter = letters.popFirst() {
                if takeFlag(letter) { continue }
                guard "dfmrapco".contains(letter) else { throw AccessFailure(.usage, "Unknown argument: -\(letter)") }
                var value = String(letters)
                letters = ""
                if value.isEmpty {
                    guard let next = rest.popFirst() else { throw AccessFailure(.usage, "Missing value: -\(letter)") }
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

    /// Asks the user database for `-d`; without `-d` it is who calls.
    func recipient(_ configuration: MailConfiguration) throws(AccessFailure) -> MailUser {
        if let user {
            return try MailUser.find(user, configuration)
        }
        guard Process.realUID != 0 else { throw AccessFailure(.usage, "destination user parameter (-d user) not given") }
        guard let user = Process.environment("USER"), !user.isEmpty else {
            throw AccessFailure(.usage, "USER environment missing, and destination user parameter (-d user) not given")
        }
        return MailUser(name: user, uid: Process.realUID, gid: Process.realGID, home: Process.environment("HOME"))
    }
}
