/// Reads a configuration with all files that it includes, and collects everything that is wrong with it.
struct ConfigurationReader {
    let source: any FileSource
    let environment: [String: String]
    var log = DiagnosticLog()
    var document = Document()
    var frames: [Frame] = []
    var included: [String] = []
    private var filesLeft = Limits.fileCount
    var unnamed = 0
    /// What each setting is at this point of reading, for `$name`.
    var current: [String: String] = [:]
    /// Where a setting was first set inside a filter.
    var filtered: [String: SourceLocation] = [:]
    var groups: [String: [Recorded]] = [:]
    var isReplaying = false
    /// The first setting of a 2.4 file was seen.
    var hasVersion = false

    /// A statement inside a group, kept for each use.
    struct Recorded {
        let statement: Statement
        let location: SourceLocation
        let valueLocation: SourceLocation
    }

    private(set) var hasMainFile = false

    init(source: any FileSource, environment: [String: String]) {
        self.source = source
        self.environment = environment
    }

    /// Reads the main file; errors are in `log` afterwards.
    mutating func read(_ path: String) {
        document.mainFile = path
        log.mainFile = path
        frames = [Frame(kind: .root, filter: .global, path: [], key: "", location: SourceLocation(file: path, line: 1, column: 1))]
        do throws(FileFailure) {
            let text = try source.content(of: path)
            hasMainFile = true
            document.dialect = Self.dialect(of: text)
            read(text, of: path)
        } catch {
            log.error("open(\(path)) failed: \(error.reason)", at: SourceLocation(file: path, line: 0, column: 0))
        }
    }

    /// Applies `name=value` of the command line after all files; `path/to/name=value` reaches into sections.
    mutating func apply(override text: String) {
        let file = "-o \(text)"
        let location = SourceLocation(file: file, line: 1, column: 1)
        log.remember(Array(text.utf8), of: file)
        guard let equal = text.firstIndex(of: "=") else {
            log.error("The option has no '='", at: location, expected: "name=value")
            return
        }
        var parts = text[..<equal].split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        let key = parts.popLast() ?? ""
        let depth = frames.count
        var index = 0
        while index < parts.count {
            let isNamed = parts[index] != "plugin" && index + 1 < parts.count
            open(parts[index], isNamed ? parts[index + 1] : nil, location, location)
            index += isNamed ? 2 : 1
        }
        let value = WrittenValue(text: String(text[text.index(after: equal)...]), form: .quoted)
        set(key, value, location, location)
        frames.removeLast(max(0, frames.count - depth))
    }

    /// 2.4 if and only if the first statement sets the version.
    private static func dialect(of text: [UInt8]) -> Dialect {
        var lines = LineReader(text)
        guard let line = lines.next(), line.bytes.starts(with: Array("dovecot_config_version".utf8)) else { return .v23 }
        return .v24
    }

    private mutating func read(_ text: [UInt8], of file: String) {
        log.remember(text, of: file)
        guard !text.contains(0) else {
            log.error("The file has a NUL byte in it", at: SourceLocation(file: file, line: 1, column: 1))
            return
        }
        included.append(file)
        let depth = frames.count
        var lines = LineReader(text)
        while let line = lines.next() {
            var parser = StatementParser(line, dialect: document.dialect)
            do throws(LineError) {
                let statement = try parser.statement()
                carryOut(
                    statement, line.location(of: 0, in: file), line.location(of: parser.valueOffset, in: file), outermost: depth)
            } catch {
                log.error(error.message, at: line.location(of: error.offset, in: file), expected: error.expected)
            }
        }
        for (line, column) in lines.ambiguous {
            log.warning(
                "Ambiguous '#' character in line, treating it as comment. Add a space before it to remove this warning.",
                at: SourceLocation(file: file, line: line, column: column))
        }
        while frames.count > depth, let frame = frames.popLast() {
            log.error("Missing '}'", at: frame.location, expected: "'}' before the end of \(file)")
        }
        included.removeLast()
    }

    mutating func carryOut(
        _ statement: Statement, _ location: SourceLocation, _ valueLocation: SourceLocation, outermost: Int
    ) {
        if record(statement, location, valueLocation) { return }
        switch statement {
        case .setting(let key, let value): set(key, value, location, valueLocation)
        case .open(let key, let name): open(key, name, location, valueLocation)
        case .openGroup(let label, let name):
            let group = "@\(label) \(name)"
            groups[group] = []
            push(.group(group), frame: frames[frames.count - 1], "group", location)
        case .close:
            guard frames.count > outermost else {
                log.error("Unexpected '}'", at: location, expected: "no more '}' than '{' in a file")
                return
            }
            frames.removeLast()
        case .include(let pattern, let isOptional): include(pattern, isOptional, valueLocation)
        }
    }

    /// Inside a group statements are kept, not carried out.
    private mutating func record(_ statement: Statement, _ location: SourceLocation, _ valueLocation: SourceLocation) -> Bool {
        guard let index = frames.lastIndex(where: { if case .group = $0.kind { true } else { false } }),
            case .group(let name) = frames[index].kind
        else { return false }
        if case .close = statement, frames.count == index + 1 { return false }
        groups[name]?.append(Recorded(statement: statement, location: location, valueLocation: valueLocation))
        switch statement {
        case .open(let key, _): push(.skipped, frame: frames[frames.count - 1], key, location)
        case .close: frames.removeLast()
        default: break
        }
        return true
    }

    mutating func push(_ kind: Frame.Kind, frame: Frame, path: [String]? = nil, _ key: String, _ location: SourceLocation) {
        guard frames.count < Limits.sectionDepth else {
            log.error("Sections are nested too deeply", at: location)
            frames.append(Frame(kind: .skipped, filter: frame.filter, path: frame.path, key: key, location: location))
            return
        }
        frames.append(Frame(kind: kind, filter: frame.filter, path: path ?? frame.path, key: key, location: location))
    }

    // !include PATTERN: relative to the including file, sorted, the section goes on inside.
    private mutating func include(_ pattern: String, _ isOptional: Bool, _ location: SourceLocation) {
        let path = Self.absolute(pattern, beside: location.file)
        let files = Glob.files(path, in: source)
        if files.isEmpty, !isOptional { log.error("No matches", at: location, expected: "a file for \(path)") }
        for file in files {
            guard !included.contains(file), included.count < Limits.includeDepth else {
                if !isOptional { log.error("Recursive include file: \(file)", at: location) }
                continue
            }
            guard filesLeft > 0 else { return log.error("Too many files are included", at: location) }
            filesLeft -= 1
            do throws(FileFailure) {
                read(try source.content(of: file), of: file)
            } catch {
                if !isOptional { log.error("Couldn't open include file \(file): \(error.reason)", at: location) }
            }
        }
    }

    /// A path relative to the directory of a file.
    static func absolute(_ path: String, beside file: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        let directory = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return directory + "/" + path
    }
}
