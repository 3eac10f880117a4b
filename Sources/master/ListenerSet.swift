internal import IPCProtocol
internal import Platform

/// The listening sockets of the suite. They are master's; zygotes get copies, so a reload or a crash closes none of them.
final class ListenerSet {
    final class Entry {
        let key: String
        let plan: PlannedListener
        let socket: FileDescriptor

        init(key: String, plan: PlannedListener, socket: consuming FileDescriptor) {
            self.key = key
            self.plan = plan
            self.socket = socket
        }
    }

    private(set) var entries: [String: Entry] = [:]
    /// Sockets from systemd by `family:port` (LISTEN_FDS), not yet claimed.
    private var inherited: [String: Int32]
    private(set) var warnings: [String] = []

    /// Directories below it that listeners need are made.
    private let base: String
    private var made: Set<String> = []

    init(base: String = "", inherited: [String: Int32] = [:]) {
        self.base = base
        self.inherited = inherited
    }

    /// Opens what a service listens on, or takes over what `previous` has under the same address. Answers the entries in order; an error
    /// names the address.
    func open(_ plan: PlannedListener, service: String, backlog: Int, isSeqpacket: Bool, previous: ListenerSet?) throws(SystemError)
        -> [Entry]
    {
        if plan.kind == "inet" {
            var opened: [Entry] = []
            guard plan.port != 0 else { return [] }
            for address in plan.addresses {
                opened.append(try openInternet(plan, address: address, service: service, backlog: backlog, previous: previous))
            }
            return opened
        }
        guard plan.mode != 0, plan.kind == "unix" else { return [] }
        return [try openUNIX(plan, backlog: backlog, isSeqpacket: isSeqpacket, previous: previous)]
    }

    private func openInternet(
        _ plan: PlannedListener, address: String, service: String, backlog: Int, previous: ListenerSet?
    ) throws(SystemError) -> Entry {
        let key = "\(address):\(plan.port)"
        if let same = previous?.entries[key] { return try take(key, plan, duplicateDescriptor(same.socket.number)) }
        let family = address.contains(":") ? "6" : "4"
        if let number = inherited.removeValue(forKey: "\(family):\(plan.port)") { return try take(key, plan, number) }
        // Two listeners of one configuration on one address would be told by bind as "in use"; config refuses them before.
        let socket = try Socket.listen(address: address, port: plan.port, backlog: Int32(clamping: max(4, backlog)))
        if let maximum = Self.kernelBacklog, backlog > maximum {
            warnings.append(
                "service(\(service)): listener \(plan.name): backlog \(backlog) (process_limit × client_limit) is above net.core.somaxconn"
                    + " (\(maximum)): the kernel queues \(maximum) connections at most; raise it: sysctl net.core.somaxconn=\(backlog)")
        }
        return try take(key, plan, socket.release())
    }

    private func take(_ key: String, _ plan: PlannedListener, _ number: Int32) throws(SystemError) -> Entry {
        let entry = Entry(key: key, plan: plan, socket: FileDescriptor(adopting: number))
        entries[key] = entry
        return entry
    }

    private func openUNIX(_ plan: PlannedListener, backlog: Int, isSeqpacket: Bool, previous: ListenerSet?) throws(SystemError) -> Entry {
        if let same = previous?.entries[plan.name] {
            try own(plan)
            return try take(plan.name, plan, duplicateDescriptor(same.socket.number))
        }
        if let info = FileSystem.info(plan.name), info.isSocket {
            // Somebody may be behind it: only a socket that nobody answers on is removed.
            var isAlive = false
            do throws(SystemError) {
                _ = try Socket.connect(path: plan.name, style: isSeqpacket ? .seqpacket : .stream)
                isAlive = true
            } catch { isAlive = !error.isConnectionEnd && !error.isNotFound }
            if isAlive { throw SystemError(call: "Socket already exists: \(plan.name); bind", code: 98) }
            try FileSystem.remove(plan.name)
        }
        try makeDirectories(of: plan)
        let socket = try Socket.listen(
            path: plan.name, style: isSeqpacket ? .seqpacket : .stream, backlog: Int32(clamping: max(16, backlog)))
        try own(plan)
        return try take(plan.name, plan, socket.release())
    }

    /// Makes the directories between base_dir and a socket, open to others only if one of their sockets is (services.md 11).
    private func makeDirectories(of plan: PlannedListener) throws(SystemError) {
        guard !base.isEmpty, plan.name.hasPrefix(base + "/") else { return }
        let isOpen = plan.mode & 0o066 != 0 || !plan.user.isEmpty || !plan.group.isEmpty
        var directory = base
        for part in plan.name.dropFirst(base.count).split(separator: "/").dropLast() {
            directory += "/" + part
            if FileSystem.info(directory) == nil {
                try FileSystem.makeDirectory(directory, mode: 0o700)
                made.insert(directory)
            }
            if isOpen, made.contains(directory) { try FileSystem.setMode(directory, 0o755) }
        }
    }

    /// Mode first, owner last: without CAP_FOWNER only the owner may change a mode.
    private func own(_ plan: PlannedListener) throws(SystemError) {
        guard Process.isRoot else { return try FileSystem.setMode(plan.name, UInt32(plan.mode)) }
        let uid = plan.user.isEmpty ? 0 : Account.user(plan.user)?.uid
        let gid = plan.group.isEmpty ? 0 : Account.group(plan.group)
        guard let uid, let gid else {
            let missing = uid == nil ? "user \(plan.user)" : "group \(plan.group)"
            throw SystemError(call: "unix_listener \(plan.name): lookup of \(missing)", code: 2)
        }
        try FileSystem.setOwner(plan.name, uid: 0, gid: 0)
        try FileSystem.setMode(plan.name, UInt32(plan.mode))
        try FileSystem.setOwner(plan.name, uid: uid, gid: gid)
    }

    /// Sockets that systemd gave and nobody wanted.
    func closeUnclaimed() {
        for (key, number) in inherited {
            warnings.append("systemd listens on port \(key.dropFirst(2)), but it's not configured in Culver. Closing.")
            closeDescriptor(number)
        }
        inherited = [:]
    }

    func takeWarnings() -> [String] {
        defer { warnings = [] }
        return warnings
    }

    /// Removes the UNIX sockets that `next` does not have any more from the file system.
    func removePaths(except next: ListenerSet? = nil) {
        for (key, entry) in entries where entry.plan.kind == "unix" && next?.entries[key] == nil {
            do throws(SystemError) { try FileSystem.remove(entry.plan.name) } catch {}
        }
    }

    private static var kernelBacklog: Int? {
        FileSystem.content("/proc/sys/net/core/somaxconn").flatMap { Int(String(decoding: $0, as: UTF8.self).filter(\.isNumber)) }
    }
}
