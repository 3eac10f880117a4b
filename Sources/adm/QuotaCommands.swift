internal import ArgumentParser
internal import MailAccess
internal import MailStore
internal import Platform

struct QuotaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota", abstract: "Shows or counts what a user's mail comes to.", subcommands: [GetCommand.self, RecountCommand.self])

    struct GetCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "get", abstract: "Shows usage and limits.")
        @OptionGroup var common: CommonOptions
        @ParentCommand var parent: QuotaCommand
        @OptionGroup var who: UserOption

        func run() throws {
            let options = common.merged(with: parent.parent.common)
            let form = try Rows.form(options.formatter, default: .table)
            let store = try who.open(options)
            var rows = Rows("Quota name", "Type", "Value", "Limit", "%")
            if let quota = store.quota {
                let usage = try UserOption.storing { () throws(StoreError) in try store.quotaUsage() }
                let name = String(decoding: quota.name, as: UTF8.self)
                Self.add("STORAGE", (usage.storage + 1_023) / 1_024, quota.storage.bytes.map { $0 / 1_024 }, name, to: &rows)
                Self.add("MESSAGE", usage.messages, quota.messages.bytes, name, to: &rows)
            }
            Output.print(rows.text(form))
        }

        private static func add(_ type: String, _ value: Int64, _ limit: Int64?, _ name: String, to rows: inout Rows) {
            let share = limit.map { $0 > 0 ? String(Int64(Double(value) / Double($0) * 100)) : "0" }
            rows.add(name, type, String(value), limit.map { String($0) } ?? "-", share ?? "0")
        }
    }

    struct RecountCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "recalc", abstract: "Counts every mailbox anew.")
        @OptionGroup var common: CommonOptions
        @ParentCommand var parent: QuotaCommand
        @OptionGroup var who: UserOption

        func run() throws {
            let store = try who.open(common.merged(with: parent.parent.common))
            try UserOption.storing { () throws(StoreError) in try store.recountQuota() }
        }
    }

    @ParentCommand var parent: Adm
}

/// Whose mail a command is about.
struct UserOption: ParsableArguments {
    @Option(name: .customShort("u"), help: ArgumentHelp("User name.", valueName: "user")) var user: String

    init() {}

    /// Looks the user up, becomes that user for good, and opens the mail.
    func open(_ options: CommonOptions) throws -> any MailDriver {
        do throws(AccessFailure) {
            let path: String
            do { path = try Instance.path(options) } catch { throw AccessFailure(.usage, "") }
            let configuration = try MailConfiguration.load(path: path, overrides: options.overrides, service: "doveadm")
            let user = try MailUser.find(self.user, configuration)
            try user.become(configuration)
            let options = try configuration.storeOptions(for: user) { severity, text in
                if severity != .debug { Output.error("\(severity == .error ? "Error" : "Warning"): \(Self.printable(text))") }
            }
            let location = try user.mailLocation(configuration)
            do throws(StoreError) { return try MailStore.open(location: location, home: user.home, options: options) } catch {
                throw AccessFailure(.temporary, error.logText)
            }
        } catch {
            guard !error.text.isEmpty else { throw ExitCode(Exit.usage) }
            throw Output.fatal(Self.printable(error.text), error.code.rawValue)
        }
    }

    static func storing<R>(_ body: () throws(StoreError) -> R) throws -> R {
        do throws(StoreError) { return try body() } catch { throw Output.fatal(printable(error.logText)) }
    }

    /// Names of files may hold anything.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
    }
}
