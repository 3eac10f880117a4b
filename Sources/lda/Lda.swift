internal import MailAccess
internal import Platform

/// Delivers one message to one user, for mail transfer agents: `culver-lda -d user < message`
/// (reference/storage.md 21, 22). Exit codes are those of sysexits.h, which such agents understand.
@main
enum Lda {
    static func main() {
        SignalQueue.ignoreWriteSignals()
        Process.setUmask(0o077)
        var log = LDALog(user: nil)
        do throws(AccessFailure) {
            let arguments = try LDAArguments(CommandLine.arguments.dropFirst())
            log = LDALog(user: arguments.user ?? Process.environment("USER"))
            let configuration = try MailConfiguration.load(path: arguments.configuration, overrides: arguments.overrides, service: "lda")
            log.connect(base: configuration.base)
            let user = try arguments.recipient(configuration)
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
