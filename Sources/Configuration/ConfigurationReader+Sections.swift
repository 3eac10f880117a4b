internal import Platform

extension ConfigurationReader {
    private var top: Frame { frames[frames.count - 1] }

    /// Enters `key name {`.
    mutating func open(_ key: String, _ name: String?, _ location: SourceLocation, _ nameLocation: SourceLocation) {
        let frame = top
        switch frame.kind {
        case .foreign(let outer, let sentence): return push(.foreign(name: outer, sentence: sentence), frame: frame, key, location)
        case .skipped: return push(.skipped, frame: frame, key, location)
        case .list, .map, .group:
            log.error("\(frame.key) { } holds no sections", at: location, expected: "name = value")
            return push(.skipped, frame: frame, key, location)
        case .root, .filter, .record, .prefix: break
        }
        if let rank = ["local", "local_name", "remote", "protocol"].firstIndex(of: key) {
            return openFilter(key, rank, name, location, nameLocation)
        }
        if let kind = Schema.records[key], openRecord(kind, name, location, nameLocation) { return }
        if openMap(key, name, location) { return }
        if document.dialect == .v24, Schema.prefixSections.contains(key) {
            if name != nil { log.error("\(key) { } must not have a section name", at: nameLocation) }
            return push(.prefix(key + "_"), frame: frame, key, location)
        }
        if let sentence = foreignSentence(key) { return push(.foreign(name: key, sentence: sentence), frame: frame, key, location) }
        unknownSection(key, location)
        push(.skipped, frame: frame, key, location)
    }

    private func foreignSentence(_ key: String) -> String? {
        if let sentence = Schema.foreignSections[key] { return sentence }
        return document.dialect == .v24 ? Schema.family(of: key) : nil
    }

    private mutating func unknownSection(_ key: String, _ location: SourceLocation) {
        if key == "plugin" {
            log.error(
                "plugin { } does not exist in 2.4", at: location, expected: "the settings of the plugin as settings of their own")
            return
        }
        if key.hasSuffix("{") {
            log.error("Unknown setting: \(key)", at: location, expected: "a blank before '{'")
            return
        }
        var names = ["protocol", "local", "remote", "local_name", "passdb", "userdb", "namespace", "service"]
        if document.dialect == .v23 { names += ["plugin", "dict", "import", "metric", "event_exporter"] }
        if case .record(let kind) = top.kind { names = kind.children + kind.maps }
        log.error(
            "Unknown setting: \(key) { }", at: location,
            expected: names.isEmpty ? "no sections in \(top.key) { }" : "one of \(names.sorted().joined(separator: ", "))",
            suggestion: log.nearest(to: key, among: names))
    }

    private mutating func openFilter(
        _ key: String, _ rank: Int, _ name: String?, _ location: SourceLocation, _ nameLocation: SourceLocation
    ) {
        var frame = top
        let skip = { (reader: inout ConfigurationReader) in reader.push(.skipped, frame: frame, key, location) }
        guard frame.path.isEmpty else {
            log.error("\(key) { } is not allowed inside \(frame.key) { }", at: location, expected: "\(key) { \(frame.key) { .. } }")
            return skip(&self)
        }
        guard let name, !name.isEmpty else {
            log.error("\(key) { } must have a section name", at: location, expected: "\(key) NAME {")
            return skip(&self)
        }
        if let outer = frames.last(where: { if case .filter = $0.kind { true } else { false } }), case .filter(let outerRank) = outer.kind,
            outerRank > rank || (outerRank == rank && (rank == 1 || rank == 3))
        {
            log.error(
                "\(outer.key) { \(key) { .. } } not allowed (use \(key) { \(outer.key) { .. } } instead)", at: location)
            return skip(&self)
        }
        switch rank {
        case 1: frame.filter.localName = name.lowercased()
        case 3: frame.filter.protocolName = name
        default:
            guard let network = AddressRange(name) else {
                log.error(
                    "Invalid network: \(name)", at: nameLocation,
                    expected: "an IP address or network such as 192.0.2.0/24 (host names are not resolved)")
                return skip(&self)
            }
            let outer = rank == 0 ? frame.filter.local : frame.filter.remote
            if let outer, let wide = AddressRange(outer), !wide.contains(network) {
                log.error("\(key) \(name) is not inside \(key) \(outer)", at: nameLocation)
                return skip(&self)
            }
            if rank == 0 { frame.filter.local = name } else { frame.filter.remote = name }
        }
        push(.filter(rank: rank), frame: frame, key, location)
    }

    private mutating func openRecord(
        _ kind: RecordKind, _ name: String?, _ location: SourceLocation, _ nameLocation: SourceLocation
    ) -> Bool {
        let frame = top
        if case .record(let outer) = frame.kind {
            guard outer.children.contains(kind.name) else { return false }
        } else {
            let isQuota = kind.name == "quota" && document.dialect == .v24
            guard isQuota || ["service", "namespace", "passdb", "userdb"].contains(kind.name) else { return false }
        }
        if kind.name == "service", frame.filter != .global {
            log.error("Services are global: service { } is not allowed inside a filter", at: location)
            push(.skipped, frame: frame, kind.name, location)
            return true
        }
        let mayBeUnnamed = document.dialect == .v23 && ["namespace", "passdb", "userdb", "inet_listener"].contains(kind.name)
        guard name?.isEmpty == false || mayBeUnnamed else {
            log.error("\(kind.name) { } must have a section name", at: location, expected: "\(kind.name) NAME {")
            push(.skipped, frame: frame, kind.name, location)
            return true
        }
        var recordName = name ?? ""
        if recordName.isEmpty, kind.name != "inet_listener" {
            unnamed += 1
            recordName = "#\(unnamed)"
        }
        let path = frame.path + [kind.name, recordName]
        document.declarations.append(Declaration(filter: frame.filter, path: path, location: location))
        push(.record(kind), frame: frame, path: path, kind.name, location)
        return true
    }

    /// `plugin { }`, `dict { }`, `fields { }` and the lists of 2.4.
    private mutating func openMap(_ key: String, _ name: String?, _ location: SourceLocation) -> Bool {
        let frame = top
        if case .record(let kind) = frame.kind {
            if document.dialect == .v24, kind.maps.contains(key) {
                push(.map, frame: frame, path: frame.path + [key], key, location)
                return true
            }
        } else if document.dialect == .v23, key == "plugin" || key == "dict", name == nil {
            push(.map, frame: frame, path: [key], key, location)
            return true
        }
        guard document.dialect == .v24, name == nil, let (fullName, setting) = resolve(key, in: frame), setting?.type == .list, let setting
        else { return false }
        push(.list(setting), frame: frame, fullName, location)
        return true
    }

    /// The full name and the setting that a key means inside a section.
    func resolve(_ key: String, in frame: Frame) -> (name: String, setting: Setting?)? {
        let dialect = document.dialect
        switch frame.kind {
        case .record(let kind):
            if let field = kind.field(key, in: dialect) { return (key, field) }
            guard dialect == .v24 else { return nil }
            let own = (frame.path.last ?? "").replacing("-", with: "_") + "_" + key
            for candidate in [own, Self.dropping(kind.name + "_", from: key)] {
                if let field = kind.field(candidate, in: dialect) { return (candidate, field) }
            }
            guard kind.allowsGlobals else { return nil }
            if let setting = Schema.setting(key, in: dialect) { return (key, setting) }
            return Schema.family(of: key) != nil || Schema.family(of: own) != nil || isDriverKey(kind) ? (key, nil) : nil
        case .prefix(let prefix):
            if let setting = Schema.setting(prefix + key, in: dialect) { return (prefix + key, setting) }
        case .root, .filter, .list, .map, .foreign, .group, .skipped: break
        }
        if let setting = Schema.setting(key, in: dialect) { return (key, setting) }
        guard dialect == .v24 else { return nil }
        for kind in Schema.records.values where key.hasPrefix(kind.name + "_") {
            if let field = kind.field(Self.dropping(kind.name + "_", from: key), in: dialect) { return (key, field) }
        }
        return Schema.family(of: key) != nil ? (key, nil) : nil
    }

    /// Databases that are not there may have settings nobody here knows.
    private func isDriverKey(_ kind: RecordKind) -> Bool {
        guard kind.name == "passdb" || kind.name == "userdb", let name = top.path.last else { return false }
        return ["pam", "passwd", "sql", "ldap", "lua", "oauth2", "imap", "bsdauth"].contains(name)
    }

    private static func dropping(_ prefix: String, from text: String) -> String {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    }
}

extension String {
    /// Replaces single characters; the standard library's own needs more than that.
    fileprivate func replacing(_ old: Character, with new: Character) -> String {
        String(map { $0 == old ? new : $0 })
    }
}
