/// The command line of `culver` (services.md 18).
struct Options: Equatable {
    enum Task: Equatable {
        case run(foreground: Bool)
        case version, buildOptions, hostDomain, help
        /// Becomes `culveradm` with these words.
        case administer([String])
    }

    /// A mistake on the command line; exit status 89.
    struct Mistake: Error, Equatable {
        let text: String
    }

    static let defaultConfiguration = "/etc/culver/culver.conf"

    var task = Task.run(foreground: false)
    var configuration: String?
    var instance: String?
    var overrides: [String] = []

    static let usage = """
        usage: culver [-F] [-c FILE] [-i INSTANCE] [-o SETTING=VALUE] [-n|-a]
                      [--version|--build-options|--hostdomain|--help|--log-error] [stop|reload|COMMAND …]
        """

    init(_ arguments: [String]) throws(Mistake) {
        var rest = arguments[...]
        var printing: String?
        while let word = rest.first {
            rest = rest.dropFirst()
            func value() throws(Mistake) -> String {
                guard let next = rest.first else { throw Mistake(text: "\(word) needs a value") }
                rest = rest.dropFirst()
                return next
            }
            switch word {
            case "-F": task = .run(foreground: true)
            case "-c": configuration = try value()
            case "-i": instance = try value()
            case "-o": overrides.append(try value())
            case "-n", "-a": printing = word
            case "-p":
                throw Mistake(text: "-p: a key with a password is not supported yet; remove its password: openssl pkey -in KEY -out NEW")
            case "--version": task = .version
            case "--build-options": task = .buildOptions
            case "--hostdomain": task = .hostDomain
            case "--help": task = .help
            case "--log-error": task = .administer(["log", "test"])
            default:
                if word.hasPrefix("--") { throw Mistake(text: "Unknown argument: \(word)") }
                if word.hasPrefix("-") { throw Mistake(text: "Unknown option: \(word)") }
                task = .administer([word] + rest)
                rest = []
            }
        }
        if let printing { task = .administer(["config", printing]) }
    }

    /// The words for `culveradm`, with this command's own options in front.
    var administration: [String] {
        guard case .administer(let words) = task else { return [] }
        var all: [String] = []
        if let configuration { all += ["-c", configuration] }
        if let instance { all += ["-i", instance] }
        for override in overrides { all += ["-o", override] }
        return all + words
    }
}
