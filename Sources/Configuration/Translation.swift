/// Turns what the files say into values under 2.4 names in normal form, and checks each against its type.
struct Translation {
    let document: Document
    let source: any FileSource
    let environment: [String: String]
    let readsFiles: Bool
    private let references: NewReferences
    var log: DiagnosticLog
    var tree: SettingsTree

    init(
        _ document: Document, log: DiagnosticLog, source: any FileSource, environment: [String: String], readsFiles: Bool
    ) {
        self.document = document
        self.log = log
        self.source = source
        self.environment = environment
        self.readsFiles = readsFiles
        references = NewReferences(document: document, environment: environment)
        tree = SettingsTree(dialect: document.dialect, declarations: document.declarations)
    }

    mutating func run() {
        for (order, assignment) in document.assignments.enumerated() {
            do throws(ValueError) {
                try translate(assignment, order)
            } catch {
                report(error, assignment)
            }
        }
        var seen: Set<String> = []
        for (name, sentence, location) in document.foreign where seen.insert(name).inserted {
            log.warning("\(name) { } has no effect: \(sentence)", at: location)
        }
    }

    private mutating func report(_ error: ValueError, _ assignment: Assignment) {
        let type = assignment.setting.map { document.dialect == .v23 ? OldForm.type(of: $0) : $0.type }
        var suggestion: String?
        if case .enumeration(let words)? = type { suggestion = log.nearest(to: assignment.value, among: words) }
        let isLocation = assignment.setting?.oldName == "mail_location" || assignment.setting?.name == "location"
        log.error(
            "\(assignment.name): \(error.message)", at: assignment.valueLocation,
            expected: isLocation ? "DRIVER:PATH[:KEY=VALUE]… as in maildir:~/Maildir:INDEX=/var/index/%u" : type?.expectation,
            suggestion: suggestion)
    }

    private mutating func translate(_ assignment: Assignment, _ order: Int) throws(ValueError) {
        var text = assignment.value
        if document.dialect == .v24, assignment.written.form == .plain {
            text = try references.expand(text, in: assignment)
        }
        let isFileSetting = assignment.setting?.type == .file
        if assignment.written.form == .file, !isFileSetting {
            text = try content(of: text) ?? "<" + text
        }
        guard let setting = assignment.setting else {
            add(assignment.name, text, assignment, order)
            return
        }
        if isFileSetting, document.dialect == .v23, assignment.written.form != .file, text.hasPrefix("/") {
            log.warning("\(assignment.name) is written without '<': taken as the path of a file", at: assignment.valueLocation)
        }
        if setting.name == "mail_location" || (setting.name == "location" && assignment.path.first == "namespace") {
            add(setting.name, text, assignment, order)
            guard !(setting.name == "location" && text.isEmpty) else { return }
            for (name, value) in try MailLocation.settings(text) { add(name, value, assignment, order) }
            return
        }
        let isName = assignment.path.isEmpty && Schema.setting(assignment.name, in: document.dialect) == nil
        add(isName ? assignment.name : setting.name, try normal(text, setting, assignment), assignment, order)
    }

    private mutating func normal(_ text: String, _ setting: Setting, _ assignment: Assignment) throws(ValueError) -> String {
        if assignment.element != nil {
            return setting.name == "import_environment" ? text : try SettingType.bool.normal(text)
        }
        if setting.name == "mail_driver" { return text == "auto" ? "" : text == "dbox" ? "sdbox" : try setting.type.normal(text) }
        let isDirectory = ["base_dir", "state_dir", "libexec_dir"].contains(setting.name) && assignment.path.isEmpty
        if isDirectory, !text.isEmpty, !text.hasPrefix("/") { throw ValueError("\(setting.name) must be an absolute path: \(text)") }
        if isDirectory, text.hasSuffix("/"), text != "/" { return String(text.dropLast()) }
        guard document.dialect == .v23 else {
            if text == "0", assignment.path.first == "service",
                ["process_limit", "client_limit", "restart_request_count"].contains(setting.name)
            {
                throw ValueError("\(setting.name) must not be 0; for no limit write unlimited")
            }
            if text.isEmpty && setting.defaultValue(in: .v24).isEmpty { return "" }
            let value = try setting.type.normal(text)
            if value == "0", ["idle_kill_interval", "default_idle_kill_interval", "service_idle_kill_interval"].contains(setting.name) {
                throw ValueError("\(setting.name) must not be 0; for never write infinite")
            }
            return value
        }
        if text.isEmpty, setting.oldDefault.isEmpty { return "" }
        if setting.name == "protocols" { return oldProtocols(text, assignment) }
        return OldForm.normal(try OldForm.type(of: setting).normal(text), of: setting, inRecord: !assignment.path.isEmpty)
    }

    /// `none`, and names of services with TLS that only old releases had.
    private mutating func oldProtocols(_ text: String, _ assignment: Assignment) -> String {
        var words = SettingType.words(text)
        if words == ["none"] { return "" }
        let obsolete = words.filter { ["imaps", "pop3s", "managesieve"].contains($0) }
        if !obsolete.isEmpty {
            log.warning(
                "Obsolete words in protocols: \(obsolete.joined(separator: " ")); TLS is chosen by the listeners",
                at: assignment.valueLocation)
            words.removeAll { obsolete.contains($0) }
            if obsolete.contains("managesieve") { words.append("sieve") }
        }
        return words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.joined(separator: " ")
    }

    private func content(of path: String) throws(ValueError) -> String? {
        guard readsFiles else { return nil }
        do throws(FileFailure) {
            return String(decoding: try source.content(of: path), as: UTF8.self)
        } catch {
            throw ValueError("Can't open file \(path): \(error.reason)")
        }
    }

    private mutating func add(_ name: String, _ value: String, _ assignment: Assignment, _ order: Int) {
        let entry = Entry(
            filter: assignment.filter, value: value, element: assignment.element, order: order, isFromGroup: assignment.isFromGroup,
            isFile: assignment.written.form == .file)
        tree.add(entry, name, assignment.path)
    }
}

/// `$SET:name` and `$ENV:NAME` of 2.4, replaced after everything was read.
struct NewReferences {
    private let assignments: [String: [Assignment]]
    private let environment: [String: String]

    init(document: Document, environment: [String: String]) {
        self.environment = environment
        assignments = document.dialect == .v24 ? Dictionary(grouping: document.assignments, by: \.name) : [:]
    }

    func expand(_ text: String, in assignment: Assignment) throws(ValueError) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        return try expand(text, assignment, depth: 0)
    }

    private func expand(_ text: String, _ assignment: Assignment, depth: Int) throws(ValueError) -> String {
        var words: [String] = []
        for word in text.split(separator: " ") {
            if word.hasPrefix("$ENV:") {
                words.append(environment[String(word.dropFirst(5))] ?? "")
            } else if word.hasPrefix("$SET:") {
                words.append(try value(of: String(word.dropFirst(5)), assignment, depth: depth))
            } else if word.hasPrefix("$"), word.utf8.count > 1,
                word.dropFirst().utf8.allSatisfy({ $0 == 0x5f || ($0 >= 0x61 && $0 <= 0x7a) })
            {
                throw ValueError("Unknown variable: \(word) (2.4 writes $SET:\(word.dropFirst()))")
            } else {
                words.append(String(word))
            }
            guard words.reduce(0, { $0 + $1.utf8.count }) <= Limits.valueLength else { throw ValueError("The value is too long") }
        }
        return words.joined(separator: " ")
    }

    private func value(of reference: String, _ assignment: Assignment, depth: Int) throws(ValueError) -> String {
        guard depth < Limits.referenceDepth else { throw ValueError("Chained $SET:\(reference) loops back to itself") }
        var path = reference.split(separator: "/").map { String($0) }
        let name = path.popLast() ?? ""
        let found = assignments[name]?.last { other in
            other.path == path && other.filter.covers(assignment.filter) && other.element == nil
                && other.location != assignment.location
        }
        if let found {
            let isPlain = found.written.form == .plain && found.value.contains("$")
            return isPlain ? try expand(found.value, found, depth: depth + 1) : found.value
        }
        guard let setting = Schema.setting(name, in: .v24) else {
            throw ValueError("Failed to expand $SET:\(reference): Unknown setting: \(name)")
        }
        return setting.newDefault
    }
}
