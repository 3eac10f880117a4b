/// One value at the place where it holds, under its 2.4 name and in normal form.
struct Entry: Sendable {
    let filter: ConnectionFilter
    let value: String
    /// nil: replaces the whole value; else this member of a list is added (`yes`) or taken away (`no`).
    let element: String?
    /// Position among all assignments; later ones win.
    let order: Int
    let isFromGroup: Bool
    /// The value is the content of this file (`name = <path`).
    let isFile: Bool
}

/// All values, found by section and name.
struct SettingsTree: Sendable {
    struct Key: Hashable, Sendable {
        let path: [String]
        let name: String
    }

    let dialect: Dialect
    private(set) var entries: [Key: [Entry]] = [:]
    /// Sections by the section they stand in and their kind, in order of appearance.
    private let children: [[String]: [Declaration]]
    private let firsts: [[String]: Declaration]
    /// Names that were set in a section, in order.
    private(set) var names: [[String]: [String]] = [:]

    init(dialect: Dialect, declarations: [Declaration]) {
        self.dialect = dialect
        children = Dictionary(grouping: declarations) { Array($0.path.dropLast()) }
        firsts = Dictionary(declarations.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Where a section appeared first.
    func location(of path: [String]) -> SourceLocation? { firsts[path]?.location }

    mutating func add(_ entry: Entry, _ name: String, _ path: [String]) {
        let key = Key(path: path, name: name)
        if entries[key] == nil { names[path, default: []].append(name) }
        entries[key, default: []].append(entry)
    }

    /// The entries that hold for a connection, the decisive one last.
    func entries(_ name: String, _ path: [String], _ filter: ConnectionFilter) -> [Entry] {
        guard let all = entries[Key(path: path, name: name)] else { return [] }
        let holding = all.filter { $0.filter.covers(filter) }
        guard holding.count > 1 else { return holding }
        return holding.sorted { a, b in
            let (x, y) = (a.filter.specificity, b.filter.specificity)
            if x != y { return x.lexicographicallyPrecedes(y) }
            if a.isFromGroup != b.isFromGroup { return a.isFromGroup }
            return a.order < b.order
        }
    }

    /// What is set for a name in a section; nil if nothing is.
    func value(_ name: String, _ path: [String], _ filter: ConnectionFilter, default fallback: String) -> String? {
        let holding = entries(name, path, filter)
        guard let last = holding.last else { return nil }
        guard holding.contains(where: { $0.element != nil }) else { return last.value }
        var words: [String] = SettingType.words(fallback)
        for entry in holding {
            guard let element = entry.element else {
                words = SettingType.words(entry.value)
                continue
            }
            words.removeAll { $0 == element }
            if entry.value != "no" { words.append(entry.value == "yes" ? element : "\(element)=\(entry.value)") }
        }
        return words.joined(separator: " ")
    }

    /// A global setting in normal form, with its default.
    func global(_ name: String, _ filter: ConnectionFilter = .global) -> String? {
        guard let setting = Schema.settings[name] else { return value(name, [], filter, default: "") }
        let fallback = setting.defaultValue(in: dialect)
        return value(name, [], filter, default: fallback) ?? fallback
    }

    /// A field of a named section: as set there, else the global setting `kind_field` (2.4), else nil.
    func field(_ name: String, of kind: RecordKind, _ path: [String], _ filter: ConnectionFilter) -> String? {
        let fallback = kind.field(name, in: dialect)?.defaultValue(in: dialect) ?? ""
        return value(name, path, filter, default: fallback) ?? value(kind.name + "_" + name, [], filter, default: "")
    }

    /// The names of the sections of a kind directly below `path`, in order of appearance; those for a protocol come first.
    func records(_ kind: String, below path: [String], _ filter: ConnectionFilter) -> [String] {
        var seen: Set<String> = []
        var names: [(name: String, isSpecific: Bool)] = []
        for declaration in children[path + [kind]] ?? [] where declaration.filter.covers(filter) {
            let name = declaration.path[path.count + 1]
            if seen.insert(name).inserted { names.append((name, declaration.filter != .global)) }
        }
        guard kind == "passdb" || kind == "userdb" else { return names.map(\.name) }
        return names.filter(\.isSpecific).map(\.name) + names.filter { !$0.isSpecific }.map(\.name)
    }
}
