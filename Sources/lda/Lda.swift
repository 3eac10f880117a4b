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

/// The one place where lines for the log are written.
struct LDALog {
    enum Level: String { case debug = "Debug", info = "Info", warning = "Warning", error = "Error" }

    private let prefix: String

    init(user: String?) { prefix = user.map { "lda(\($0))<\(Process.id)><>: " } ?? "lda: " }

    /// Foreign bytes may be in `text`: control characters become `?`, what is too long is cut.
    func write(_ level: Level, _ text: String) {
        var line: [UInt8] = []
        for scalar in (prefix + level.rawValue + ": " + text).unicodeScalars.prefix(1_000) {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.properties.generalCategory == .format
            line.append(contentsOf: isControl ? [0x3f] : Array(String(scalar).utf8))
        }
        line.append(0x0a)
        let output = FileDescriptor(adopting: 2)
        do throws(SystemError) { try output.writeAll(line) } catch {}
        _ = output.release()
    }
}
