internal import Platform

extension Validation {
    private var service: RecordKind { Schema.service }

    /// Makes the plans of all services and reports what services.md 2 and 3 forbid.
    mutating func checkServices() {
        let protocols = SettingType.words(tree.global("protocols") ?? "")
        checkProtocols(protocols)
        warnAboutForeignServices()
        checkDefaults()
        var listeners: [String: String] = [:]
        for stock in StockService.all where stock.isAvailable {
            let word = field("protocol", stock.name) ?? stock.protocolWord
            guard word.isEmpty || protocols.contains(word), let plan = plan(stock, word) else { continue }
            plans.append(plan)
            for listener in plan.listeners { checkDuplicate(listener, plan.name, &listeners) }
        }
    }

    /// A service without a limit of its own would be one that serves nobody.
    private mutating func checkDefaults() {
        for name in ["default_process_limit", "default_client_limit", "service_process_limit", "service_client_limit"]
        where tree.value(name, [], .global, default: "") == "0" {
            log.error("\(name) must not be 0", at: location(of: name), expected: "at least 1")
        }
    }

    /// Programs of others do not speak Culver's protocol; arguments are scripts after login, or options that Culver's programs do not have.
    private mutating func check(command: [String], of stock: StockService) {
        let place = location(of: "executable", ["service", stock.name])
        let libexec = (tree.global("libexec_dir") ?? "") + "/"
        guard command != stock.executable.split(separator: " ").map({ String($0) }), let program = command.first else { return }
        if program != stock.executable.prefix(while: { $0 != " " }), program != libexec + stock.name {
            log.warning(
                "service(\(stock.name)): executable \(program) takes the place of Culver's own: it must speak Culver's protocol",
                at: place)
        }
        if command.count > 1 {
            log.warning(
                "service(\(stock.name)): arguments of executable have no effect: \(command.dropFirst().joined(separator: " "))"
                    + " (scripts after login are not run in this version)", at: place)
        }
    }

    private mutating func checkProtocols(_ words: [String]) {
        let place = location(of: "protocols")
        let own = Set(tree.records("service", below: [], .global).compactMap { field("protocol", $0) })
        for word in words where !StockService.protocolWords.contains(word) && !own.contains(word) {
            log.error(
                "protocols: Unknown protocol: \(word)", at: place, expected: "one of \(StockService.protocolWords.joined(separator: ", "))",
                suggestion: log.nearest(to: word, among: StockService.protocolWords))
        }
        for word in words where StockService.protocolWords.contains(word) && word != "imap" {
            log.warning("protocol \(word) is not available in this version: its service is not started", at: place)
        }
    }

    /// Blocks of services that are not there draw one warning if they contain anything.
    private mutating func warnAboutForeignServices() {
        let known = Set(StockService.all.filter(\.isAvailable).map(\.name))
        var seen: Set<String> = []
        for assignment in document.assignments where assignment.path.first == "service" && assignment.path.count >= 2 {
            let name = assignment.path[1]
            guard !known.contains(name), seen.insert(name).inserted else { continue }
            if let stock = StockService.all.first(where: { $0.name == name }) {
                let isOn = SettingType.words(tree.global("protocols") ?? "").contains(stock.protocolWord)
                if !isOn { continue }
                log.warning("service \(name) is not available in this version: its settings have no effect", at: assignment.location)
            } else if let sentence = StockService.foreign[name] {
                log.warning("service \(name) is not started: \(sentence)", at: assignment.location)
            } else if field("executable", name) != nil {
                log.warning("service \(name) is not started: Culver starts no programs but its own", at: assignment.location)
            } else {
                let names = StockService.all.map(\.name) + StockService.foreign.keys
                log.error(
                    "service(\(name)): executable is missing, and there is no built-in service of this name", at: assignment.location,
                    expected: "a built-in service, or executable = …", suggestion: log.nearest(to: name, among: names))
            }
        }
    }

    /// What is set for a service; nil: nothing is.
    private func field(_ name: String, _ service: String) -> String? {
        let fallback = self.service.field(name, in: tree.dialect)?.defaultValue(in: tree.dialect) ?? ""
        guard let value = tree.value(name, ["service", service], .global, default: fallback), !value.isEmpty else { return nil }
        return value
    }

    /// `service_NAME` outside of any service (2.4): for services with nothing set or built in.
    private func general(_ name: String) -> String? { tree.value("service_" + name, [], .global, default: "") }

    private static func number(_ text: String?) -> Int? { text == "unlimited" ? Int(UInt32.max) : text.flatMap { Int($0) } }

    /// As set for the service, else built in, else general.
    private func number(_ name: String, _ service: String, builtIn: Int? = nil) -> Int? {
        Self.number(field(name, service)) ?? builtIn ?? Self.number(general(name))
    }

    private mutating func plan(_ stock: StockService, _ word: String) -> ServicePlan? {
        let name = stock.name
        let command = (field("executable", name) ?? stock.executable).split(separator: " ").map { String($0) }
        guard let program = command.first else { return nil }
        check(command: command, of: stock)
        let limit = number("process_limit", name, builtIn: workerLimit(name) ?? stock.processLimit) ?? global("default_process_limit", 100)
        let minimum = number("process_min_avail", name) ?? 0
        let requests = requestCount(stock)
        var clients = number("client_limit", name, builtIn: stock.clientLimit) ?? global("default_client_limit", 1000)
        if StockService.mailServices.contains(name), clients != 1 {
            let place = location(of: "client_limit", ["service", name])
            log.warning("service(\(name)): client_limit=\(clients) has no effect: each process serves one client at a time", at: place)
            clients = 1
        }
        check(limit: limit, minimum: minimum, name)
        let memory = memoryLimit(name)
        let user = field("user", name) ?? stock.userSetting.flatMap { tree.global($0) } ?? ""
        return ServicePlan(
            name: name, protocolWord: word, type: field("type", name) ?? stock.type,
            executable: program.hasPrefix("/") ? program : (tree.global("libexec_dir") ?? "") + "/" + program,
            arguments: Array(command.dropFirst()), user: user == "root" ? "" : user, group: field("group", name) ?? "",
            extraGroups: SettingType.words(field("extra_groups", name) ?? ""), chroot: absolute(field("chroot", name) ?? stock.chroot),
            processMinAvail: minimum, processLimit: limit, clientLimit: min(clients, requests ?? clients), restartRequestCount: requests,
            idleKillMilliseconds: idleKill(stock), vszLimit: memory, listeners: listeners(of: stock))
    }

    private func global(_ name: String, _ fallback: Int) -> Int {
        let text = tree.global(name) ?? ""
        return text == "unlimited" ? Int(UInt32.max) : Int(text) ?? fallback
    }

    /// 2.3 limits the workers of auth by a setting of auth.
    private func workerLimit(_ name: String) -> Int? {
        guard name == "auth-worker", tree.dialect == .v23 else { return nil }
        return tree.global("auth_worker_max_count").flatMap { Int($0) }
    }

    private func requestCount(_ stock: StockService) -> Int? {
        if let text = field("restart_request_count", stock.name) { return text == "unlimited" ? nil : Int(text) }
        return stock.restartRequestCount ?? general("restart_request_count").flatMap { Int($0) }
    }

    private func idleKill(_ stock: StockService) -> Int64? {
        let text =
            field("idle_kill_interval", stock.name)
            ?? (stock.isIdleKillOff ? "infinite" : general("idle_kill_interval") ?? tree.global("default_idle_kill_interval") ?? "")
        return Int64(text)
    }

    private mutating func memoryLimit(_ name: String) -> UInt64? {
        let own = field("vsz_limit", name)
        guard let limit = UInt64(own ?? general("vsz_limit") ?? tree.global("default_vsz_limit") ?? "") else { return nil }
        if limit < 1_048_576 {
            let place = own == nil ? location(of: "default_vsz_limit") : location(of: "vsz_limit", ["service", name])
            log.error("service(\(name)): vsz_limit is too low", at: place, expected: "at least 1 M, or unlimited")
        }
        return limit
    }

    private mutating func check(limit: Int, minimum: Int, _ name: String) {
        let place = location(of: "process_limit", ["service", name])
        if minimum > limit {
            log.error(
                "service(\(name)): process_min_avail is higher than process_limit",
                at: location(of: "process_min_avail", ["service", name]),
                expected: "at most \(limit)")
        }
        if StockService.singletons.contains(name), limit != 1, place != nil {
            log.error("service(\(name)): process_limit must be 1", at: place, expected: "1")
        }
    }

    private func absolute(_ path: String) -> String {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        return path.isEmpty || path.hasPrefix("/") ? path : (tree.global("base_dir") ?? "") + "/" + path
    }

    private mutating func listeners(of stock: StockService) -> [ListenerPlan] {
        let path = ["service", stock.name]
        var result: [ListenerPlan] = []
        for kind in [Schema.unixListener, Schema.fifoListener] {
            let builtIn = kind.name == "unix_listener" ? stock.sockets : []
            let named = tree.records(kind.name, below: path, .global)
            for name in builtIn.map(\.name) + named.filter({ name in !builtIn.contains { $0.name == name } }) {
                if kind.name == "fifo_listener" {
                    log.warning(
                        "service(\(stock.name)): fifo_listener \(name) is not made: no service of Culver reads a pipe",
                        at: tree.location(of: path + [kind.name, name]))
                    continue
                }
                if let listener = socket(name, kind, path + [kind.name, name], stock, builtIn.first { $0.name == name }) {
                    result.append(listener)
                }
            }
        }
        let named = tree.records("inet_listener", below: path, .global)
        for name in stock.ports.map(\.name) + named.filter({ name in !stock.ports.contains { $0.name == name } }) {
            if let listener = port(name, path + ["inet_listener", name], stock.ports.first { $0.name == name }) { result.append(listener) }
        }
        return result
    }

    private mutating func socket(
        _ name: String, _ kind: RecordKind, _ path: [String], _ stock: StockService, _ builtIn: StockService.Socket?
    ) -> ListenerPlan? {
        if stock.absent.contains(name) {
            if let used = tree.names[path]?.first {
                log.warning("service(\(stock.name)): socket \(name) is not needed in Culver: it is not made", at: location(of: used, path))
            }
            return nil
        }
        let value = { [tree] (field: String) in tree.value(field, path, .global, default: "") }
        let mode = value("mode").flatMap { UInt32($0) } ?? builtIn?.mode ?? 0o600
        guard mode != 0 else { return nil }
        if mode > 0o7777 {
            log.error(
                "service(\(stock.name)): mode of \(name) is too large", at: location(of: "mode", path),
                expected: "an octal number such as 0600")
        }
        if mode == 600 || mode == 660 || mode == 666 {
            log.warning("service(\(stock.name)): mode of \(name) is decimal; octal begins with 0: 0\(mode)", at: location(of: "mode", path))
        }
        let written = value("path") ?? name
        let base = (tree.global("base_dir") ?? "") + "/"
        if written.hasPrefix(base) {
            log.warning(
                "service(\(stock.name)): \(written) should be written without \(base)", at: tree.location(of: path))
        }
        let owner = { [tree] (field: String, setting: String?) in
            let text = value(field) ?? setting.flatMap { tree.global($0) } ?? ""
            return text == "root" ? "" : text
        }
        let (user, group) = (owner("user", builtIn?.userSetting), owner("group", builtIn?.groupSetting))
        let type = value("type").flatMap { $0.isEmpty ? nil : $0 } ?? Self.role(of: written)
        let file = absolute(written)
        if kind.name == "fifo_listener" { return .fifo(path: file, mode: mode, user: user, group: group, type: type) }
        return .unix(path: file, mode: mode, user: user, group: group, type: type)
    }

    /// What is spoken on a socket, by its name: what follows the last `-`, or the whole last part of the path.
    private static func role(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        return name.split(separator: "-").last.map { String($0) } ?? ""
    }

    private mutating func port(_ name: String, _ path: [String], _ builtIn: StockService.Port?) -> ListenerPlan? {
        let value = { [tree] (field: String) in tree.value(field, path, .global, default: "") }
        let number = value("port").flatMap { UInt16($0) } ?? builtIn?.port ?? 0
        let isTLS = value("ssl").map { $0 == "yes" } ?? builtIn?.isTLS ?? false
        guard number != 0, !(isTLS && tree.global("ssl") == "no") else { return nil }
        let own = value("listen").flatMap { $0.isEmpty ? nil : $0 }
        let addresses = SettingType.words(own ?? tree.global("listen") ?? "")
        for address in addresses where address != "*" && (address.contains("/") || AddressRange(address) == nil) {
            log.error(
                "Invalid address to listen on: \(address)", at: own == nil ? location(of: "listen") : location(of: "listen", path),
                expected: "IP addresses, * or :: (host names are not resolved)")
        }
        return .inet(
            name: name, addresses: addresses, port: number, ssl: isTLS, haproxy: value("haproxy") == "yes", type: value("type") ?? "")
    }

    private mutating func checkDuplicate(_ listener: ListenerPlan, _ service: String, _ seen: inout [String: String]) {
        var keys = [listener.label]
        if case .inet(_, let addresses, let port, _, _, _) = listener { keys = addresses.map { "\($0):\(port)" } }
        for key in keys {
            if let other = seen.updateValue(service, forKey: key) {
                let place = place(of: listener, service) ?? place(of: listener, other)
                log.error("service(\(service)): duplicate listener: \(key) (also of service \(other))", at: place)
            }
        }
    }

    /// Where the file speaks of a listener; nil if it is built in.
    private func place(of listener: ListenerPlan, _ service: String) -> SourceLocation? {
        var names: [(kind: String, name: String)] = []
        switch listener {
        case .inet(let name, _, _, _, _, _): names = [("inet_listener", name)]
        case .unix(let path, _, _, _, _), .fifo(let path, _, _, _, _):
            let base = (tree.global("base_dir") ?? "") + "/"
            let short = path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
            names = ["unix_listener", "fifo_listener"].flatMap { [($0, short), ($0, path)] }
        }
        return names.lazy.compactMap { self.tree.location(of: ["service", service, $0.kind, $0.name]) }.first
    }
}
