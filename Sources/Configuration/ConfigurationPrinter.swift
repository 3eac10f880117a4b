/// Writes a configuration the way people read it, in the dialect of its file; the output can be loaded again (config.md 10).
package struct ConfigurationPrinter: Sendable {
    package enum Mode: Sendable {
        /// `-n`: what differs from the defaults.
        case changed
        /// `-N`: what is set, even to the default.
        case set
        /// `-a`: everything.
        case all
        /// `-d`: the defaults.
        case defaults
    }

    package struct Options: Sendable {
        package var mode: Mode = .changed
        /// `-h`: values without names.
        package var valuesOnly = false
        /// `-P`: passwords too.
        package var showsSecrets = false
        /// `-f`: what holds for these connections, without sections for others.
        package var filter: ConnectionFilter?
        /// `-m`: only what these processes get.
        package var roles: Roles?
        /// Only these settings or sections: `protocols`, `service/imap`, `plugin/sieve`.
        package var names: [String] = []

        package init() {}
    }

    private let configuration: LoadedConfiguration
    private let options: Options

    package init(_ configuration: LoadedConfiguration, options: Options = Options()) {
        self.configuration =
            options.mode == .defaults
            ? ConfigurationLoader(source: MemoryFiles([:])).defaults(dialect: configuration.dialect) : configuration
        self.options = options
    }

    /// The header and the settings.
    ///
    /// - Parameters:
    ///   - version: `0.1.0`, for the first line.
    ///   - system: `Linux 6.1.0 x86_64 Debian 12.11`.
    package func text(version: String, path: String, system: String, hostname: String) -> String {
        var header = "# \(version): \(path)\n# OS: \(system)\n# Hostname: \(hostname)\n"
        if options.mode == .all { header += "# NOTE: Send the output of -n instead when asking for help.\n" }
        return header + body
    }

    /// The settings alone, or what `names` asks for.
    package var body: String {
        let builder = NodeBuilder(configuration: configuration, options: options)
        if options.names.isEmpty { return builder.nodes().map { lines($0, depth: 0) }.joined() }
        let all = builder.everything()
        return options.names.flatMap { find($0.split(separator: "/").map { String($0) }[...], all) }.map { lines($0, depth: 0) }.joined()
    }

    /// The nodes that a path names; a name may itself contain `/`.
    private func find(_ path: ArraySlice<String>, _ nodes: [Node]) -> [Node] {
        guard let first = path.first else { return [] }
        return nodes.flatMap { node -> [Node] in
            switch node {
            case .setting(let name, _, _): return path.count == 1 && name == first ? [node] : []
            case .section(let key, let name, let children):
                guard key == first else { return [] }
                let rest = path.dropFirst()
                if rest.isEmpty { return [node] }
                if name.isEmpty { return find(rest, children) }
                let words = name.split(separator: "/").map { String($0) }
                guard rest.starts(with: words) else { return [] }
                return rest.count == words.count ? [node] : find(rest.dropFirst(words.count), children)
            }
        }
    }

    private func lines(_ node: Node, depth: Int) -> String {
        let indent = String(repeating: "  ", count: depth)
        switch node {
        case .setting(let name, let text, let isSecret):
            if options.valuesOnly { return text + "\n" }
            let isHidden = isSecret && !options.showsSecrets && !text.isEmpty && !text.hasPrefix("<") && !text.hasPrefix("/")
            if isHidden { return indent + "\(name) = # hidden, use -P to show it\n" }
            return indent + (text.isEmpty ? "\(name) = \n" : "\(name) = \(Quoting.quoted(text, configuration.dialect))\n")
        case .section(let key, let name, let children):
            let title = name.isEmpty ? key : "\(key) \(Quoting.name(name))"
            let inner = children.map { lines($0, depth: options.valuesOnly ? 0 : depth + 1) }.joined()
            return options.valuesOnly ? inner : indent + "\(title) {\n" + inner + indent + "}\n"
        }
    }
}

/// Quotes where a value would be read differently without.
enum Quoting {
    static func quoted(_ text: String, _ dialect: Dialect) -> String {
        guard needsQuotes(text) else { return text }
        // A `<path` is no text but a reference.
        if text.hasPrefix("<"), !text.utf8.contains(UInt8(ascii: "#")) { return text }
        return "\"" + String(decoding: escaped(text), as: UTF8.self) + "\""
    }

    private static func needsQuotes(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last else { return false }
        let blank: (UInt8) -> Bool = { LineReader.isBlank($0) }
        return blank(first) || blank(last) || first == UInt8(ascii: "<") || last == UInt8(ascii: "\\")
            || bytes.contains { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "$") || $0 == 0x22 || $0 == 0x27 || $0 == 0x0a }
    }

    static func name(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            !LineReader.isBlank($0) && $0 != 0x22 && $0 != 0x27 && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "{")
        }
        return isPlain ? text : "\"" + String(decoding: escaped(text), as: UTF8.self) + "\""
    }

    private static func escaped(_ text: String) -> [UInt8] {
        text.utf8.flatMap { $0 == 0x22 || $0 == 0x5c ? [0x5c, $0] : [$0] }
    }
}
