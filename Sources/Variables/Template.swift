/// A text with variables, parsed once and expanded for each user, session or log line.
///
/// Values are put in as they are: a `%` inside a value is never looked at again, so a user name cannot reach another variable.
package struct Template: Sendable {
    let parts: [Part]
    package let dialect: TemplateDialect

    /// Parses a template; throws `TemplateError` at the first thing that cannot be understood.
    ///
    /// - Parameter scope: what single letters mean; only for `.letters`.
    package init(_ text: String, dialect: TemplateDialect, scope: VariableScope = .mail) throws(TemplateError) {
        self.dialect = dialect
        switch dialect {
        case .letters:
            var parser = LetterParser(Array(text.utf8), scope: scope)
            parts = try parser.parts(until: [], depth: 0)
        case .pipelines:
            var parser = PipelineParser(Array(text.utf8))
            parts = try parser.template()
        }
    }

    /// The text with every variable replaced by what `lookup` answers for its long name.
    ///
    /// An unknown name gives `UNSUPPORTED_VARIABLE_name` in `.letters`; in `.pipelines` it is thrown, unless `default` follows.
    /// - Parameter escaping: applied to each inserted value, never to the template's own text (SQL and LDAP quoting).
    package func expand(
        escaping: (String) -> String = { $0 }, _ lookup: (String) -> String?
    ) throws(TemplateError) -> String {
        try Self.expand(parts, escaping: escaping, lookup)
    }

    /// The same, by a table of long names.
    package func expand(_ table: [String: String]) throws(TemplateError) -> String {
        try expand { table[$0] }
    }

    /// True if no variable is in it: the text is the same for everybody.
    package var isConstant: Bool {
        parts.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// The text before the first variable.
    package var constantPrefix: String {
        var prefix = ""
        for part in parts {
            guard case .literal(let text) = part else { break }
            prefix += text
        }
        return prefix
    }

    /// The long names that are asked for, in order of appearance, without those inside conditions.
    package var names: [String] {
        parts.compactMap { part in
            switch part {
            case .literal, .condition: nil
            case .variable(let variable): variable.name
            case .pipeline(let pipeline): pipeline.sourceName
            }
        }
    }

    static func expand(
        _ parts: [Part], escaping: (String) -> String, _ lookup: (String) -> String?
    ) throws(TemplateError) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let text): result += text
            case .variable(let variable): result += escaping(variable.value(lookup))
            case .condition(let condition): result += try condition.value(escaping: escaping, lookup)
            case .pipeline(let pipeline): result += escaping(try pipeline.value(lookup))
            }
        }
        return result
    }

    indirect enum Part: Sendable {
        case literal(String)
        case variable(LetterVariable)
        case condition(LetterCondition)
        case pipeline(Pipeline)
    }
}

/// Why a template cannot be parsed or expanded, and where.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Offset in bytes from the start of the template; nil when the fault shows only while expanding.
    package let offset: Int?
    package let message: String
    /// The notation is right, but this version cannot do what it asks for.
    package var isUnsupported = false

    package var description: String { message }
}

/// Bounds of what a template may ask for.
enum Limits {
    /// Conditions within conditions; deeper nesting is nobody's configuration.
    static let depth = 8
    /// Widths, offsets and fill lengths; the longest path is 4096 bytes.
    static let width = 65_536
}
