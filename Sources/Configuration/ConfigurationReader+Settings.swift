extension ConfigurationReader {
    /// Takes in `key = value`.
    mutating func set(_ key: String, _ value: WrittenValue, _ location: SourceLocation, _ valueLocation: SourceLocation) {
        let frame = frames[frames.count - 1]
        switch frame.kind {
        case .skipped: return
        case .foreign(let name, let sentence): return useForeign(name, sentence)
        case .list(let setting):
            return add(frame.key, element: key, value, setting, frame, location, valueLocation)
        case .map: return add(key, element: nil, value, nil, frame, location, valueLocation)
        case .root, .filter, .record, .prefix, .group: break
        }
        if key.hasPrefix("@"), document.dialect == .v24 { return replay(key, value.text, location) }
        if !checkVersion(key, value, location, valueLocation) { return }
        if replaceRecords(key, value.text, frame, location) { return }
        if let (name, setting) = resolve(key, in: frame) {
            return add(name, element: nil, value, setting, frame, location, valueLocation)
        }
        if document.dialect == .v23, frame.path.isEmpty, let newName = Schema.obsolete[key] {
            log.warning(
                newName.isEmpty
                    ? "Obsolete setting \(key): it has no effect any more" : "Obsolete setting \(key): use \(newName)", at: location)
            if let setting = Schema.setting(newName, in: .v23) {
                add(newName, element: nil, value, setting, frame, location, valueLocation)
            }
            return
        }
        unknownSetting(key, frame, location)
    }

    /// Warns once for each outermost section of a feature that is not there.
    private mutating func useForeign(_ name: String, _ sentence: String) {
        guard let index = frames.firstIndex(where: { if case .foreign = $0.kind { true } else { false } }), !frames[index].isUsed else {
            return
        }
        frames[index].isUsed = true
        document.foreign.append((name, sentence, frames[index].location))
    }

    /// False if the setting is the version and has been dealt with.
    private mutating func checkVersion(
        _ key: String, _ value: WrittenValue, _ location: SourceLocation, _ valueLocation: SourceLocation
    ) -> Bool {
        guard key == "dovecot_config_version" else { return true }
        if document.dialect == .v23 {
            log.error(
                "The first setting must be dovecot_config_version", at: location, expected: "it before everything else, or not at all")
            return false
        }
        let parts = value.text.split(separator: ".").map { Int($0) }
        guard parts.count == 3, parts[0] == 2, parts[1] == 4, let patch = parts[2], patch <= 99 else {
            log.error("Unknown version: \(value.text)", at: valueLocation, expected: "a released version such as 2.4.0")
            return false
        }
        return true
    }

    /// `passdb = a b` (2.4): exactly these sections, in this order.
    private mutating func replaceRecords(_ key: String, _ text: String, _ frame: Frame, _ location: SourceLocation) -> Bool {
        guard document.dialect == .v24, Schema.records[key] != nil else { return false }
        if case .record(let kind) = frame.kind {
            guard kind.children.contains(key) else { return false }
        } else if !["namespace", "passdb", "userdb"].contains(key) {
            return false
        }
        let parent = frame.path + [key]
        document.declarations.removeAll { $0.filter == frame.filter && $0.path.count == parent.count + 1 && $0.path.starts(with: parent) }
        for name in SettingType.words(text) {
            document.declarations.append(Declaration(filter: frame.filter, path: parent + [name], location: location))
        }
        return true
    }

    private mutating func unknownSetting(_ key: String, _ frame: Frame, _ location: SourceLocation) {
        let other: Dialect = document.dialect == .v23 ? .v24 : .v23
        if let setting = Schema.setting(key, in: other) {
            let hint = setting.name(in: document.dialect).map { "\($0), its name in \(document.dialect.rawValue)" }
            let instead = key == "mail_location" ? "mail_driver, mail_path and others" : nil
            log.error("Unknown setting: \(key) is a setting of \(other.rawValue) only", at: location, expected: instead ?? hint)
            return
        }
        var names = Schema.names(in: document.dialect)
        if case .record(let kind) = frame.kind {
            names = kind.fields.compactMap { $0.name(in: document.dialect) } + (kind.allowsGlobals && document.dialect == .v24 ? names : [])
        }
        let suggestion = log.nearest(to: key, among: names)
        var expected: String?
        if case .record(let kind) = frame.kind, suggestion == nil {
            if Schema.setting(key, in: document.dialect) != nil {
                expected = "\(key) outside \(kind.name) { }"
            } else {
                expected = "one of " + kind.fields.compactMap { $0.name(in: document.dialect) }.sorted().joined(separator: ", ")
            }
        }
        log.error("Unknown setting: \(key)", at: location, expected: expected, suggestion: suggestion)
    }

    private mutating func add(
        _ name: String, element: String?, _ value: WrittenValue, _ setting: Setting?, _ frame: Frame, _ location: SourceLocation,
        _ valueLocation: SourceLocation
    ) {
        var text = value.text
        if document.dialect == .v23, value.form == .plain, text.utf8.contains(UInt8(ascii: "$")) {
            text = expandOld(text, frame, valueLocation)
        }
        if value.form == .file { text = Self.absolute(text, beside: valueLocation.file) }
        if frame.path.isEmpty { warnAboutOrder(name, frame.filter, location) }
        current[Self.scope(frame.filter, frame.path) + name] = text
        document.assignments.append(
            Assignment(
                filter: frame.filter, path: frame.path, name: name, element: element, value: text, written: value, location: location,
                valueLocation: valueLocation, setting: setting, isFromGroup: isReplaying))
    }

    private static func scope(_ filter: ConnectionFilter, _ path: [String]) -> String {
        (filter == .global ? "" : filter.words) + "\0" + path.joined(separator: "\u{1}") + "\0"
    }

    /// A global setting does not reach into a filter that was read before.
    private mutating func warnAboutOrder(_ name: String, _ filter: ConnectionFilter, _ location: SourceLocation) {
        if filter != .global {
            if filtered[name] == nil { filtered[name] = location }
        } else if let earlier = filtered[name] {
            log.warning(
                "Global setting \(name) won't change the setting inside an earlier filter at \(earlier.short) "
                    + "(if this is intentional, avoid this warning by moving the global setting before \(earlier.short))", at: location)
        }
    }

    /// `$name` and `$ENV:NAME` of 2.3: whole words, replaced at once.
    private mutating func expandOld(_ text: String, _ frame: Frame, _ location: SourceLocation) -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: true).flatMap { $0.split(separator: "\t") }
        var result: [String] = []
        for word in words {
            guard word.hasPrefix("$"), word.utf8.count > 1 else {
                result.append(String(word))
                continue
            }
            let name = String(word.dropFirst())
            if name.hasPrefix("ENV:") {
                result.append(environment[String(name.dropFirst(4))] ?? "")
            } else if let value = valueOfReference(name, frame) {
                result.append(value)
            } else {
                log.error(
                    "Unknown variable: $\(name)", at: location, expected: "the name of a setting after '$'",
                    suggestion: log.nearest(to: name, among: Schema.names(in: .v23)).map { "$" + $0 })
            }
        }
        let expanded = result.joined(separator: " ")
        guard expanded.utf8.count <= Limits.valueLength else {
            log.error("The value is too long", at: location, expected: "at most \(Limits.valueLength) bytes")
            return ""
        }
        return expanded
    }

    private func valueOfReference(_ name: String, _ frame: Frame) -> String? {
        for (filter, path) in [(frame.filter, frame.path), (frame.filter, []), (ConnectionFilter.global, [])] {
            if let value = current[Self.scope(filter, path) + name] { return value }
        }
        // Each package of Debian adds its protocol to a list that is empty at first.
        if name == "protocols" { return "" }
        return Schema.setting(name, in: .v23).map { OldForm.text(of: $0, normal: $0.oldDefault) }
    }

    /// `@label = name` (2.4): the settings of a group, below whatever is set explicitly.
    private mutating func replay(_ key: String, _ name: String, _ location: SourceLocation) {
        let label = "\(key) \(name)"
        guard let statements = groups[label] ?? Self.builtInGroups[label] else {
            if !Self.builtInGroups.keys.contains(where: { $0.hasPrefix(key + " ") }) || !groups.isEmpty {
                log.error("Unknown group: \(label)", at: location, expected: "group \(label) { .. } before its use")
            }
            return
        }
        guard !isReplaying else { return log.error("A group cannot use another group", at: location) }
        isReplaying = true
        let depth = frames.count
        for recorded in statements {
            carryOut(recorded.statement, recorded.location, recorded.valueLocation, outermost: depth)
        }
        frames.removeLast(max(0, frames.count - depth))
        isReplaying = false
    }

    private static let builtInGroups: [String: [Recorded]] = {
        let nowhere = SourceLocation(file: "built in", line: 0, column: 0)
        let mailboxes = [("Drafts", "\\Drafts"), ("Junk", "\\Junk"), ("Trash", "\\Trash"), ("Sent", "\\Sent"), ("Sent Messages", "\\Sent")]
        let statements: [Statement] = mailboxes.flatMap { name, use -> [Statement] in
            [
                .open(key: "mailbox", name: name), .setting(key: "special_use", value: WrittenValue(text: use, form: .quoted)), .close,
            ]
        }
        let recorded = statements.map { Recorded(statement: $0, location: nowhere, valueLocation: nowhere) }
        return ["@mailbox_defaults english": recorded, "@metric_defaults backend": [], "@metric_defaults proxy": []]
    }()
}
