/// One line or one section of the printed configuration.
indirect enum Node: Sendable {
    case setting(name: String, text: String, isSecret: Bool)
    case section(key: String, name: String, children: [Node])

    /// Sections stand alphabetically among the settings; where their order has a meaning, they keep it.
    private var sortKey: String {
        switch self {
        case .setting(let name, _, _): name
        case .section(let key, let name, _): ["passdb", "userdb", "namespace", "mailbox"].contains(key) ? key : key + " " + name
        }
    }

    static func sorted(_ nodes: [Node]) -> [Node] {
        let keyed = nodes.enumerated().map { (key: $0.element.sortKey, index: $0.offset, node: $0.element) }
        return keyed.sorted { a, b in
            a.key == b.key ? a.index < b.index : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
        }.map(\.node)
    }
}

/// Puts together what is printed.
struct NodeBuilder {
    let configuration: LoadedConfiguration
    let options: ConfigurationPrinter.Options

    private var tree: SettingsTree { configuration.tree }
    private var dialect: Dialect { configuration.dialect }
    private var filter: ConnectionFilter { options.filter ?? .global }
    private var isAll: Bool { options.mode == .all || options.mode == .defaults }

    func nodes() -> [Node] {
        var nodes = global(filter, exactly: false)
        nodes += sections(filter, exactly: false)
        nodes = Node.sorted(nodes)
        if options.filter == nil { nodes += filterSections() }
        guard dialect == .v24 else { return nodes }
        let isVersion: (Node) -> Bool = { if case .setting("dovecot_config_version", _, _) = $0 { true } else { false } }
        return nodes.filter(isVersion) + nodes.filter { !isVersion($0) }
    }

    /// Everything, for a search by name.
    func everything() -> [Node] {
        var options = options
        if options.mode != .defaults { options.mode = .all }
        return NodeBuilder(configuration: configuration, options: options).nodes()
    }

    /// Global settings that hold for `filter`; `exactly`: only those that are set for just these connections.
    private func global(_ filter: ConnectionFilter, exactly: Bool) -> [Node] {
        var nodes: [Node] = []
        for setting in Schema.settings.values {
            guard let name = setting.name(in: dialect) else { continue }
            if let roles = options.roles, setting.roles.isDisjoint(with: roles) { continue }
            let entries = tree.entries(setting.name, [], filter)
            let isSet = exactly ? entries.contains { $0.filter == filter } : !entries.isEmpty
            guard isSet || (isAll && !exactly) else { continue }
            let fallback = setting.defaultValue(in: dialect)
            let value = tree.value(setting.name, [], filter, default: fallback) ?? fallback
            if options.mode == .changed, value == fallback, !exactly, entries.last?.isFile != true, name != "dovecot_config_version" {
                continue
            }
            nodes.append(.setting(name: name, text: text(setting, value, entries.last, []), isSecret: setting.isSecret))
        }
        for name in tree.names[[]] ?? [] where Schema.settings[name] == nil && options.roles == nil {
            let entries = tree.entries(name, [], filter)
            guard let last = entries.last, !exactly || entries.contains(where: { $0.filter == filter }) else { continue }
            nodes.append(.setting(name: name, text: raw(last), isSecret: false))
        }
        return nodes
    }

    /// The value as its dialect writes it; a value that came from a file is printed as the file's path.
    private func text(_ setting: Setting, _ value: String, _ entry: Entry?, _ path: [String]) -> String {
        if let entry, entry.isFile { return raw(entry) }
        return dialect == .v23 ? OldForm.text(of: setting, normal: value) : setting.type.printed(value)
    }

    private func raw(_ entry: Entry) -> String {
        guard entry.isFile, configuration.document.assignments.indices.contains(entry.order) else { return entry.value }
        return "<" + configuration.document.assignments[entry.order].value
    }

    private func sections(_ filter: ConnectionFilter, exactly: Bool) -> [Node] {
        var nodes: [Node] = []
        let kinds = exactly ? ["passdb", "userdb", "namespace", "quota"] : ["namespace", "passdb", "quota", "service", "userdb"]
        for kindName in kinds {
            guard let kind = Schema.records[kindName], isWanted(kind) else { continue }
            var names = exactly ? ownRecords(kindName, filter) : tree.records(kindName, below: [], filter)
            if kindName == "service", isAll {
                names = (StockService.all.map(\.name) + names).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
            }
            for name in names {
                if let node = record(kind, [kindName, name], filter, exactly: exactly) { nodes.append(node) }
            }
        }
        for map in ["plugin", "dict"] where options.roles?.contains(.mail) ?? true {
            let children = mapNodes([map], filter, exactly: exactly)
            if !children.isEmpty { nodes.append(.section(key: map, name: "", children: children)) }
        }
        return nodes
    }

    private func isWanted(_ kind: RecordKind) -> Bool {
        guard let roles = options.roles else { return true }
        if kind.name == "service" { return roles.contains(.master) }
        return kind.fields.contains { !$0.roles.isDisjoint(with: roles) }
    }

    private func ownRecords(_ kind: String, _ filter: ConnectionFilter) -> [String] {
        configuration.document.declarations.filter { $0.filter == filter && $0.path.count == 2 && $0.path[0] == kind }.map { $0.path[1] }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func mapNodes(_ path: [String], _ filter: ConnectionFilter, exactly: Bool) -> [Node] {
        (tree.names[path] ?? []).sorted().compactMap { name in
            let entries = tree.entries(name, path, filter)
            guard let last = entries.last, !exactly || entries.contains(where: { $0.filter == filter }) else { return nil }
            return .setting(name: name, text: raw(last), isSecret: name.contains("password") || name.contains("secret"))
        }
    }

    /// One named section; nil if there is nothing to print.
    private func record(_ kind: RecordKind, _ path: [String], _ filter: ConnectionFilter, exactly: Bool) -> Node? {
        var children = fields(kind, path, filter, exactly: exactly)
        for name in tree.names[path] ?? [] where kind.field(name, in: dialect) == nil {
            let setting = Schema.settings[name]
            guard !kind.fields.contains(where: { $0.name == name }), let printed = setting == nil ? name : setting?.name(in: dialect) else {
                continue
            }
            let entries = tree.entries(name, path, filter)
            guard let last = entries.last, !exactly || entries.contains(where: { $0.filter == filter }) else { continue }
            let value = tree.value(name, path, filter, default: "") ?? ""
            let shown = setting.map { text($0, value, last, path) } ?? raw(last)
            children.append(.setting(name: printed, text: shown, isSecret: setting?.isSecret ?? name.contains("password")))
        }
        for map in kind.maps {
            let entries = mapNodes(path + [map], filter, exactly: exactly)
            if !entries.isEmpty { children.append(.section(key: map, name: "", children: entries)) }
        }
        for child in kind.children {
            guard let childKind = Schema.records[child] else { continue }
            for name in childNames(child, path, filter) {
                if let node = record(childKind, path + [child, name], filter, exactly: exactly) { children.append(node) }
            }
        }
        children = Node.sorted(children)
        guard !children.isEmpty || isMeaningfulWhenEmpty(path) else { return nil }
        let name = path.last ?? ""
        return .section(key: kind.name, name: name.hasPrefix("#") ? "" : name, children: children)
    }

    private func fields(_ kind: RecordKind, _ path: [String], _ filter: ConnectionFilter, exactly: Bool) -> [Node] {
        kind.fields.compactMap { field in
            guard let name = field.name(in: dialect) else { return nil }
            let entries = tree.entries(field.name, path, filter)
            let isSet = exactly ? entries.contains { $0.filter == filter } : !entries.isEmpty
            guard isSet || (isAll && !exactly) else { return nil }
            let fallback = field.defaultValue(in: dialect)
            var value = tree.value(field.name, path, filter, default: fallback) ?? StockValues.value(field.name, path, tree) ?? fallback
            if options.mode == .changed, value == fallback, !exactly, StockValues.value(field.name, path, tree) == nil { return nil }
            if kind.name == "passdb" || kind.name == "userdb", field.name == "driver", value.isEmpty, dialect == .v24 {
                value = path.last ?? ""
            }
            return .setting(name: name, text: text(field, value, entries.last, path), isSecret: field.isSecret)
        }
    }

    private func childNames(_ child: String, _ path: [String], _ filter: ConnectionFilter) -> [String] {
        var names = tree.records(child, below: path, filter)
        if isAll, path.count == 2, let stock = StockService.all.first(where: { $0.name == path[1] }) {
            if child == "unix_listener" { names = stock.sockets.map(\.name) + names }
            if child == "inet_listener" { names = stock.ports.map(\.name) + names }
        }
        return names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Would the section be missed if it were left out?
    private func isMeaningfulWhenEmpty(_ path: [String]) -> Bool {
        switch path.first {
        case "passdb", "userdb", "namespace", "quota": return true
        case "service" where path.count == 4:
            guard let stock = StockService.all.first(where: { $0.name == path[1] }), stock.isAvailable else { return false }
            return path[2] != "inet_listener" && !stock.absent.contains(path[3]) && !stock.sockets.contains { $0.name == path[3] }
        default: return false
        }
    }

    /// `local X { remote Y { protocol Z { … } } }` for each filter that is used.
    private func filterSections() -> [Node] {
        var seen: Set<ConnectionFilter> = [.global]
        let used = configuration.document.assignments.map(\.filter) + configuration.document.declarations.map(\.filter)
        return used.filter { seen.insert($0).inserted }.compactMap { filter in
            var nodes = global(filter, exactly: true) + sections(filter, exactly: true)
            guard !nodes.isEmpty else { return nil }
            nodes = Node.sorted(nodes)
            let levels = [
                ("protocol", filter.protocolName), ("remote", filter.remote), ("local_name", filter.localName), ("local", filter.local),
            ]
            for case (let key, let name?) in levels { nodes = [.section(key: key, name: name, children: nodes)] }
            return nodes.first
        }
    }
}

/// The built-in values of services, as fields of their sections.
enum StockValues {
    static func value(_ field: String, _ path: [String], _ tree: SettingsTree) -> String? {
        guard path.first == "service", path.count >= 2, let stock = StockService.all.first(where: { $0.name == path[1] }) else {
            return nil
        }
        if path.count == 2 { return value(field, of: stock, tree) }
        guard path.count == 4 else { return nil }
        if path[2] == "inet_listener", let port = stock.ports.first(where: { $0.name == path[3] }) {
            return field == "port" ? String(port.port) : field == "ssl" ? (port.isTLS ? "yes" : "no") : nil
        }
        guard path[2] == "unix_listener", let socket = stock.sockets.first(where: { $0.name == path[3] }) else { return nil }
        switch field {
        case "mode": return String(socket.mode)
        case "user": return socket.userSetting.flatMap { tree.global($0) }
        case "group": return socket.groupSetting.flatMap { tree.global($0) }
        default: return nil
        }
    }

    private static func value(_ field: String, of stock: StockService, _ tree: SettingsTree) -> String? {
        switch field {
        case "protocol": stock.protocolWord
        case "type": stock.type
        case "executable": stock.executable
        case "user": stock.userSetting.flatMap { tree.global($0) }
        case "chroot": stock.chroot
        case "process_limit": stock.processLimit.map { String($0) } ?? tree.global("default_process_limit")
        case "client_limit": stock.clientLimit.map { String($0) } ?? tree.global("default_client_limit")
        case "process_min_avail": "0"
        case "restart_request_count": stock.restartRequestCount.map { String($0) } ?? "unlimited"
        case "idle_kill_interval": stock.isIdleKillOff ? "infinite" : tree.global("default_idle_kill_interval")
        case "vsz_limit": tree.global("default_vsz_limit")
        default: nil
        }
    }
}
