internal import ArgumentParser
internal import IPCProtocol
internal import MailStore
internal import Platform

/// Which sessions a `who` or `kick` is about.
struct SessionFilter {
    private let user: String?
    private let network: AddressRange?

    /// An argument with an address is a network, another one a mask of user names with `*` and `?`.
    init(_ arguments: [String]) {
        network = arguments.compactMap { AddressRange($0) }.first
        user = arguments.first { AddressRange($0) == nil }
    }

    func matches(_ session: SessionRequest) -> Bool {
        if let user, !WildcardMask.matches(Array(user.utf8), Array(session.user.utf8)) { return false }
        if let network, !network.contains(session.address) { return false }
        return true
    }
}

/// Asks anvil who is logged in.
enum Sessions {
    static func all(_ instance: Instance, _ filter: SessionFilter) throws -> [SessionRequest] {
        let channel = try instance.connect("anvil")
        try channel.ask(AdminToAnvil.sessions)
        var found: [SessionRequest] = []
        while true {
            let received = try channel.answer(AnvilToAdmin.self)
            switch received.message {
            case .session(let session): if filter.matches(session) { found.append(session) }
            case .end: return found
            }
        }
    }
}

struct WhoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "who", abstract: "Shows who is logged in.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: Adm
    @Flag(name: .customShort("1"), help: "One line per session.") var isPerSession = false
    @Argument(help: "Mask of user names, network.") var filter: [String] = []

    func run() throws {
        let options = common.merged(with: parent.common)
        let form = try Rows.form(options.formatter, default: .table)
        let sessions = try Sessions.all(try Instance(options), SessionFilter(filter)).sorted { ($0.user, $0.pid) < ($1.user, $1.pid) }
        Output.print((isPerSession ? perSession(sessions) : perUser(sessions)).text(form))
    }

    private func perSession(_ sessions: [SessionRequest]) -> Rows {
        var rows = Rows("username", "proto", "pid", "ip")
        for session in sessions { rows.add(session.user, session.service, String(session.pid), session.address) }
        return rows
    }

    private func perUser(_ sessions: [SessionRequest]) -> Rows {
        var rows = Rows("username", "#", "proto", "(pids)", "(ips)")
        var groups: [String: [SessionRequest]] = [:]
        for session in sessions { groups["\(session.user)\u{0}\(session.service)", default: []].append(session) }
        for key in groups.keys.sorted() {
            guard let group = groups[key], let first = group.first else { continue }
            let pids = group.map { String($0.pid) }.joined(separator: " ")
            let addresses = Set(group.map(\.address)).sorted().joined(separator: " ")
            rows.add(first.user, String(group.count), first.service, "(\(pids))", "(\(addresses))")
        }
        return rows
    }
}

struct KickCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kick", abstract: "Ends sessions.")
    @OptionGroup var common: CommonOptions
    @ParentCommand var parent: Adm
    @Argument(help: "Mask of user names, network.") var filter: [String]

    func validate() throws {
        guard !filter.isEmpty else { throw ValidationError("whom to kick: a mask of user names or a network") }
    }

    func run() throws {
        let options = common.merged(with: parent.common)
        let form = try Rows.form(options.formatter, default: .flow)
        let instance = try Instance(options)
        let sessions = try Sessions.all(instance, SessionFilter(filter))
        let master = try MasterQuery(instance)
        var names: Set<String> = []
        for session in sessions where try master.command(.kick(.init(service: session.service, pid: session.pid))).isDone {
            names.insert(session.user)
        }
        guard !names.isEmpty else {
            Output.error("no users kicked")
            throw ExitCode(Exit.notFound)
        }
        if form == .flow || form == .pager {
            Output.print("kicked connections from the following users:\n" + names.sorted().map { $0 + "\n" }.joined())
            return
        }
        var rows = Rows("username")
        for name in names.sorted() { rows.add(name) }
        Output.print(rows.text(form))
    }
}
