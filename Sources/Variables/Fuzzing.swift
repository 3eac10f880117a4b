/// Entry point for fuzzing and mutation tests: any bytes as a template of either dialect. Must neither trap nor hang.
package func fuzzTemplate(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    for dialect in [TemplateDialect.letters, .pipelines] {
        _ = try? Template(text, dialect: dialect).expand { _ in "value@domain" }
    }
}
