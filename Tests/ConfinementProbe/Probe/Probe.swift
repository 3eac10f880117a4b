internal import Acts
internal import Confinement
internal import Platform

/// Enters the confinement of one kind of process exactly as that process does, performs one act, and prints what came of it:
///
///     confinement-probe PROFILE ACT[=ARGUMENT] [key=value …]     user and group by number: uid, gid; chroot; rule=RIGHTS:PATH (log, mail, read)
///
/// ACT is one of `confinement-probe list`, or `wait`: prints the pid and waits until standard input ends, for others to try something on it.
/// Standard output: `did N` or `failed EACCES`; a call outside the filter is named on standard error, which must be a socket, and the status is 159.
@main
enum ConfinementProbe {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let order = Order(arguments) else {
            if arguments.dropFirst().first == "list" { listActs() }
            say("usage: confinement-probe PROFILE ACT[=ARGUMENT] [key=value …]\n")
            Process.exit(64)
        }
        do {
            try TrapReport.install(descriptor: 2, prefix: Array("forbidden: ".utf8))
            try enter(order)
        } catch {
            say("not confined: \(error)\n")
            Process.exit(89)
        }
        order.perform()
    }

    /// As the mains do it; a worker is forked by a confined zygote.
    private static func enter(_ order: Order) throws {
        let circumstances = order.circumstances
        switch order.profile {
        case "anvil": try Confinement.anvil.enter(circumstances)
        case "log": try Confinement.log.enter(circumstances)
        case "config": try Confinement.config.enter(circumstances)
        case "auth": try Confinement.auth.enter(circumstances)
        case "master": try Confinement.master.enter(circumstances)
        case "login-zygote": try Confinement.loginZygote.enter(circumstances)
        case "login-worker":
            let program = try Confinement.loginWorkerProgram()
            try Confinement.loginZygote.enter(circumstances)
            try becomeWorker()
            try Confinement.loginWorker.narrow(descriptors: 36, program: program)
        case "mail-zygote": try Confinement.mailZygote.enter(order.zygote)
        case "mail-worker", "reused-mail-worker":
            let program = try Confinement.mailWorkerProgram()
            try Confinement.mailZygote.enter(order.zygote)
            try becomeWorker()
            Process.setUmask(0o077)
            let confinement: Confinement = order.profile == "mail-worker" ? .mailWorker : .reusedMailWorker
            try confinement.enter(circumstances, program: program)
        case "mail-watcher":
            let program = try Confinement.mailWatcher.filter.compiled()
            try Confinement.mailZygote.enter(order.zygote)
            try becomeWorker()
            try Confinement.mailWatcher.enter(circumstances, program: program)
        case "mail-worker-without-filter":
            // What Landlock does by itself.
            let landlock = Confinement.mailWorker.landlock
            try Confinement(name: "mail worker", landlock: landlock, filter: .init(denying: []), mayFork: true, mayWriteFiles: true)
                .enter(circumstances)
        default:
            say("no such profile\n")
            Process.exit(64)
        }
    }

    /// Goes on in the child; the parent hands on how that ends.
    private static func becomeWorker() throws {
        guard case .parent(let pid) = try Process.fork() else {
            return try Process.closeDescriptors(except: [])
        }
        while true {
            if let (ended, status) = Process.reap(), ended == pid { Process.exit(status.code ?? 128 + (status.signal ?? 0)) }
            _ = try Wait.any([], milliseconds: 1)
        }
    }

    private static func listActs() -> Never {
        var index: Int32 = 0
        while let name = unsafe act_name(index) {
            unsafe say(String(cString: name) + "\n")
            index += 1
        }
        Process.exit(0)
    }

    static func say(_ text: String) {
        let stream = FileDescriptor(adopting: 1)
        do throws(SystemError) { try stream.writeAll(Array(text.utf8)) } catch { Process.exit(74) }
        _ = stream.release()
    }
}

/// The command line.
struct Order {
    let profile: String
    private let act: String
    private let argument: String?
    private var values: [String: String] = [:]
    private var rules: [Landlock.Rule] = []

    init?(_ arguments: [String]) {
        profile = arguments[1]
        let parts = arguments[2].split(separator: "=", maxSplits: 1).map(String.init)
        guard let first = parts.first else { return nil }
        act = first
        argument = parts.count > 1 ? parts[1] : nil
        for pair in arguments.dropFirst(3) {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { return nil }
            if parts[0] == "rule" { rules.append(Self.rule(parts[1])) } else { values[parts[0]] = parts[1] }
        }
    }

    private static func rule(_ text: String) -> Landlock.Rule {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        let rights: Landlock.Rights = parts[0] == "mail" ? .mail : parts[0] == "log" ? .log : .read
        return Landlock.Rule(parts.count > 1 ? parts[1] : "", rights)
    }

    private func number(_ key: String, default value: UInt32) -> UInt32 { values[key].flatMap(UInt32.init) ?? value }

    var circumstances: Confinement.Circumstances {
        .init(
            uid: number("uid", default: Process.effectiveUID), gid: number("gid", default: Process.effectiveGID), chroot: values["chroot"],
            descriptors: 256, memory: 256 << 20, extraRules: rules)
    }

    var zygote: Confinement.Circumstances { .init(uid: 0, gid: 0, descriptors: 512, memory: 256 << 20) }

    func perform() -> Never {
        if act == "wait" {
            ConfinementProbe.say("ready \(Process.id)\n")
            var room: [UInt8] = [0]
            let input = FileDescriptor(adopting: 0)
            do throws(SystemError) { while try input.read(into: &room) > 0 {} } catch { Process.exit(74) }
            Process.exit(0)
        }
        let result = unsafe act_perform(act, argument)
        if result == .min {
            ConfinementProbe.say("no such act\n")
            Process.exit(64)
        }
        if result < 0, let name = unsafe act_error_name(Int32(clamping: -result)) {
            unsafe ConfinementProbe.say("failed \(String(cString: name))\n")
        } else {
            ConfinementProbe.say("did\n")
        }
        Process.exit(0)
    }
}
