/// Entry point for fuzzing and mutation tests: any bytes as a configuration, up to what each service gets of it. Must neither trap nor hang.
package func fuzzConfiguration(_ bytes: [UInt8]) {
    let source = MemoryFiles(bytes: ["/c": bytes, "/d/x.conf": Array(bytes.prefix(100))])
    let configuration = ConfigurationLoader(source: source).load(path: "/c", overrides: [String(decoding: bytes.prefix(20), as: UTF8.self)])
    for plan in configuration.servicePlans { _ = configuration.settingsImage(for: plan) }
    _ = ConfigurationPrinter(configuration).body
    _ = configuration.diagnostics.map(\.description)
}
