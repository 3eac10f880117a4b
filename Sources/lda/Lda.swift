internal import Platform

/// Delivers one message to one user, for mail transfer agents: `culver-lda -d user < message`
/// (reference/storage.md 21, 22). Exit codes are those of sysexits.h, which such agents understand.
@main
enum Lda {
    static func main() {
        SignalQueue.ignoreWriteSignals()
        Process.setUmask(0o077)
        var log = LDALog(user: nil)
        do throws(DeliveryFailure) {
            let arguments = try LDAArguments(CommandLine.arguments.dropFirst())
            log = LDALog(user: arguments.user ?? Process.environment("USER"))
            let configuration = try LDAConfiguration.load(path: arguments.configuration, overrides: arguments.overrides)
            log.connect(base: configuration.base)
            let user = try Recipient.find(arguments, configuration)
            try user.become(configuration)
            var delivery = Delivery(arguments: arguments, configuration: configuration, user: user, log: log)
            try delivery.run()
            Process.exit(0)
        } catch {
            if !error.text.isEmpty { log.write(error.code == .reject ? .info : .error, error.text) }
            Process.exit(error.code.rawValue)
        }
    }
}

/// Why nothing was delivered, and what the transfer agent is told.
struct DeliveryFailure: Error {
    enum Code: Int32 {
        /// EX_USAGE
        case usage = 64
        /// EX_NOUSER
        case noUser = 67
        /// EX_TEMPFAIL: try again later.
        case temporary = 75
        /// EX_NOPERM: refused for good.
        case reject = 77
        /// EX_CONFIG
        case configuration = 78
    }

    let code: Code
    /// For the log; empty when it was logged already.
    let text: String

    init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}
