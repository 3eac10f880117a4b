@testable import Configuration

/// Loads a configuration from memory; `ssl = no` is added in front unless the text speaks of TLS, and a passdb for the same reason.
func load(
    _ text: String, files: [String: String] = [:], overrides: [String] = [], environment: [String: String] = [:]
) -> LoadedConfiguration {
    var all = files
    all["/etc/culver/culver.conf"] = text
    return ConfigurationLoader(source: MemoryFiles(all), environment: environment).load(
        path: "/etc/culver/culver.conf", overrides: overrides)
}

/// A small valid configuration of 2.3 before the lines in question.
let base23 = "ssl = no\nprotocols = imap\npassdb {\n  driver = static\n  args = password=x\n}\n"
/// The same in 2.4.
let base24 = """
    dovecot_config_version = 2.4.0
    ssl = no
    protocols = imap
    passdb static {
      password = x
    }

    """

extension LoadedConfiguration {
    var errors: [String] { diagnostics.filter { $0.severity == .error }.map(\.message) }
    var warnings: [String] { diagnostics.filter { $0.severity == .warning }.map(\.message) }
}
