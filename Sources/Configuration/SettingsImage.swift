/// The settings of one service for one kind of connection, ready to be sealed and handed over.
package struct SettingsBlock: Sendable, Equatable {
    /// For which connections the values hold. The protocol is merged already, except for auth, which serves all of them.
    package let filter: ConnectionFilter
    /// Sorted by key, byte by byte.
    package let values: [(key: String, value: String)]

    package static func == (a: SettingsBlock, b: SettingsBlock) -> Bool {
        a.filter == b.filter && a.values.elementsEqual(b.values) { $0.key == $1.key && $0.value == $1.value }
    }

    /// The value of a key.
    package subscript(_ key: String) -> String? { values.first { $0.key == key }?.value }
}

extension LoadedConfiguration {
    /// What a service may know: only the keys that the schema gives to its role.
    ///
    /// The first block holds for every connection; each later one is more specific and overrides single keys. Keys:
    /// `mail_path`; `passdb/0/driver`, `passdb/0/fields/home`; `namespace/inbox/separator`,
    /// `namespace/inbox/mailbox/Drafts/special_use`; `plugin/KEY`; `quota/NAME/driver`; `config_dialect` (`2.3` or `2.4`: the notation of templates).
    /// `auth_mechanisms` has only those that this version offers. Names inside keys write `/` as `%2F` and `%` as `%25`. Content of certificates and keys stands under the name without `_file`.
    package func settingsImage(for plan: ServicePlan) -> [SettingsBlock] {
        let image = SettingsImage(configuration: self, role: plan.role, word: plan.protocolWord.isEmpty ? nil : plan.protocolWord)
        return image.blocks()
    }

    /// The same by role, for programs that are no service (`culver-lda`, `culveradm`).
    package func settingsImage(role: Roles, protocolName: String?) -> [SettingsBlock] {
        SettingsImage(configuration: self, role: role, word: protocolName).blocks()
    }
}

/// Chooses what a role gets.
struct SettingsImage {
    let configuration: LoadedConfiguration
    let role: Roles
    let word: String?

    private var tree: SettingsTree { configuration.tree }

    func blocks() -> [SettingsBlock] {
        let names = Schema.settings.values.filter { !$0.roles.isDisjoint(with: role) }.sorted { $0.name < $1.name }
        var first: [String: String] = ["config_dialect": configuration.dialect.rawValue]
        let everybody = ConnectionFilter(protocolName: word)
        for setting in names where configuration.dialect == .v23 || setting.isIn24 {
            put(setting, tree.global(setting.name, everybody) ?? "", into: &first)
        }
        first.merge(sections(everybody)) { $1 }
        var blocks = [block(.global, first)]
        for filter in filters() {
            var query = filter
            if query.protocolName == nil { query.protocolName = word }
            var values: [String: String] = [:]
            for setting in names where isSet(setting.name, [], filter) {
                put(setting, tree.global(setting.name, query) ?? "", into: &values)
            }
            if hasSections(filter) { values.merge(sections(query)) { $1 } }
            if !values.isEmpty { blocks.append(block(filter, values)) }
        }
        return blocks
    }

    private func block(_ filter: ConnectionFilter, _ values: [String: String]) -> SettingsBlock {
        let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return SettingsBlock(filter: filter, values: sorted.map { (key: $0.key, value: $0.value) })
    }

    /// The filters that matter to this role besides the global one, from least to most specific.
    private func filters() -> [ConnectionFilter] {
        var seen: Set<ConnectionFilter> = [.global]
        var result: [ConnectionFilter] = []
        for filter in configuration.document.assignments.map(\.filter) + configuration.document.declarations.map(\.filter) {
            var filter = filter
            if let word {
                guard ConnectionFilter(protocolName: filter.protocolName).covers(ConnectionFilter(protocolName: word)) else { continue }
                filter.protocolName = nil
            } else if role != .auth, filter.protocolName != nil {
                continue
            }
            if seen.insert(filter).inserted { result.append(filter) }
        }
        return result.sorted { $0.isLessSpecific(than: $1) }
    }

    /// Is something set for exactly these connections, for any protocol or for ours?
    private func isSet(_ name: String, _ path: [String], _ filter: ConnectionFilter) -> Bool {
        tree.entries[SettingsTree.Key(path: path, name: name)]?.contains { entry in
            word == nil
                ? entry.filter == filter
                : entry.filter.withoutProtocol == filter
                    && ConnectionFilter(protocolName: entry.filter.protocolName).covers(ConnectionFilter(protocolName: word))
        } ?? false
    }

    private func hasSections(_ filter: ConnectionFilter) -> Bool {
        configuration.document.declarations.contains { word == nil ? $0.filter == filter : $0.filter.withoutProtocol == filter }
            || configuration.document.assignments.contains {
                !$0.path.isEmpty && (word == nil ? $0.filter == filter : $0.filter.withoutProtocol == filter)
            }
    }

    /// A setting, and for a file the content too.
    private func put(_ setting: Setting, _ value: String, into values: inout [String: String]) {
        values[setting.name] = value
        if setting.name == "auth_mechanisms" {
            values[setting.name] = SettingType.words(value).filter { Available.mechanisms.contains($0.lowercased()) }.joined(separator: " ")
        }
        guard setting.type == .file, setting.name.hasSuffix("_file") else { return }
        let name = String(setting.name.dropLast(5))
        if value.hasPrefix("inline:") {
            values[name] = String(value.dropFirst(7))
        } else if let content = configuration.fileContents[value] {
            values[name] = String(decoding: content, as: UTF8.self)
        }
    }

    private func sections(_ filter: ConnectionFilter) -> [String: String] {
        var values: [String: String] = [:]
        if role.contains(.auth) {
            for kind in ["passdb", "userdb"] {
                for (index, record) in configuration.records(of: kind, in: filter).enumerated() {
                    put(record, "\(kind)/\(index)", into: &values)
                    values["\(kind)/\(index)/section"] = record.name
                }
            }
        }
        if role.contains(.mail) {
            let namespaces = configuration.records(of: "namespace", in: filter)
            for record in namespaces { put(record, "namespace/\(Self.escaped(record.name))", into: &values) }
            if namespaces.isEmpty {
                for field in Schema.namespace.fields {
                    values["namespace/inbox/\(field.name)"] = field.defaultValue(in: configuration.dialect)
                }
                values["namespace/inbox/inbox"] = "yes"
            }
            for record in configuration.records(of: "quota", in: filter) {
                put(record, "quota/\(Self.escaped(record.name))", into: &values)
            }
            for (key, value) in configuration.map("plugin", in: filter) { values["plugin/\(Self.escaped(key))"] = value }
        }
        return values
    }

    private func put(_ record: SettingsRecord, _ prefix: String, into values: inout [String: String]) {
        for (name, value) in record.values { values["\(prefix)/\(name)"] = value }
        for child in record.children { put(child, "\(prefix)/\(child.kind)/\(Self.escaped(child.name))", into: &values) }
    }

    /// A name that may stand between two `/`.
    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: "/")) || name.utf8.contains(UInt8(ascii: "%")) else { return name }
        return name.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F")
    }
}
