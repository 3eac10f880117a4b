/// The protocol as a document: docs/ipc-protocol.md is rendered from this table and from the messages themselves, and a test compares the
/// file with what is rendered.
package enum ProtocolDocument {
    /// A pair of processes that talk: both directions, the socket, and who gets an end of it.
    package struct Channel: Sendable {
        package let title: String
        /// How the socket comes to be.
        package let socket: String
        /// Who may have an end, and how that is made sure.
        package let permission: String
        package let directions: [any Message.Type]
    }

    /// Every direction of every channel; nothing else is ever decoded.
    package static var directions: [any Message.Type] { channels.flatMap(\.directions) }

    /// In the order in which a newcomer meets them: start, login, session, bookkeeping, administration.
    package static let channels: [Channel] = [
        Channel(
            title: "master and each process it starts",
            socket: "A pair that master makes; the process finds its end as descriptor \(MasterToService.inheritedDescriptor).",
            permission: "Only the process itself. Workers close it after fork.",
            directions: [MasterToService.self, ServiceToMaster.self]),
        Channel(
            title: "master and config",
            socket: "A pair that master makes; config finds its end as descriptor \(MasterToService.inheritedDescriptor).",
            permission: "Only config: nobody else can hand out settings.",
            directions: [MasterToConfig.self, ConfigToMaster.self]),
        Channel(
            title: "login worker and auth",
            socket: "A pair for each login worker. Its zygote makes it before the fork and gives auth the other end with `attach`.",
            permission: "Login workers. Auth knows a worker by the pid in `attach`, which its zygote had from fork.",
            directions: [LoginToAuth.self, AuthToLogin.self]),
        Channel(
            title: "login worker and mail zygote",
            socket: "A pair for each login worker. Its zygote makes it before the fork and gives the mail zygote the other end with "
                + "`attach`.",
            permission: "Login workers of the same protocol.",
            directions: [LoginToMail.self, MailToLogin.self]),
        Channel(
            title: "zygote and auth",
            socket: "A pair that master makes and gives to both as `peer`; a new one whenever one of the two is started again.",
            permission: "Zygotes of login services, which attach, and of mail services, which redeem.",
            directions: [ZygoteToAuth.self, AuthToZygote.self]),
        Channel(
            title: "login zygote and mail zygote",
            socket: "A pair that master makes and gives to both as `peer`.",
            permission: "Zygotes of one protocol and one generation of the configuration. The mail zygote never answers.",
            directions: [ZygoteToZygote.self]),
        Channel(
            title: "zygote and its worker",
            socket: "A pair that the zygote makes before the fork.",
            permission: "This worker. It ends when the channel ends, with its last client.",
            directions: [ZygoteToWorker.self, WorkerToZygote.self]),
        Channel(
            title: "mail worker and watcher",
            socket: "A pair that the mail zygote makes when a session wants to be told of changes and many of its user id run.",
            permission: "Mail workers of the watcher's user id. The watcher opens nothing: a directory comes as a descriptor.",
            directions: [WorkerToWatcher.self, WatcherToWorker.self]),
        Channel(
            title: "services and anvil",
            socket: "A pair that master makes and gives to both as `peer`.",
            permission: "Auth and the zygotes of mail services. Session ids belong to the channel on which they came.",
            directions: [ServiceToAnvil.self, AnvilToService.self]),
        Channel(
            title: "every process and log",
            socket: "Descriptor \(ServiceToLog.inheritedDescriptor) of each process, standard error. Master makes one pair for each "
                + "process that it starts; workers inherit it. While log is restarted, lines wait at the end that master keeps.",
            permission: "All processes. The kernel puts the sender's pid to each datagram (SCM_CREDENTIALS). A datagram that is no frame "
                + "is taken as text that a library printed.",
            directions: [ServiceToLog.self]),
        Channel(
            title: "culveradm and master",
            socket: "Listening socket `base_dir/master`, mode 0600.",
            permission: "uid 0 or the uid of master, by SO_PEERCRED.",
            directions: [AdminToMaster.self, MasterToAdmin.self]),
        Channel(
            title: "culveradm and anvil",
            socket: "Listening socket `base_dir/anvil`, mode 0600.",
            permission: "Whom the mode of the socket lets in (`service anvil { unix_listener }`); 32 at once.",
            directions: [AdminToAnvil.self, AnvilToAdmin.self]),
        Channel(
            title: "culveradm and log",
            socket: "Listening socket `base_dir/log-errors`, mode 0600.",
            permission: "Whom the mode of the socket lets in (`service log { unix_listener }`); 32 at once.",
            directions: [AdminToLog.self, LogToAdmin.self]),
    ]
}

extension MasterToService {
    /// Where a process finds its channel to master.
    package static var inheritedDescriptor: Int32 { 3 }
}

extension ServiceToLog {
    /// Where a process finds its channel to log.
    package static var inheritedDescriptor: Int32 { 2 }
}

/// Adds up the largest values of all fields: what one message can cost its receiver.
package struct LargestPayload: FieldVisitor {
    package private(set) var size = 0

    package init() {}

    package static func of(_ message: some Message) -> Int {
        var visitor = LargestPayload()
        var copy = message
        do throws(FrameError) { try copy.visit(&visitor) } catch { return 0 }
        return min(visitor.size, FrameHeader.maximumPayload)
    }

    package mutating func uint8(_ value: inout UInt8, _ name: String) { size += 1 }
    package mutating func uint16(_ value: inout UInt16, _ name: String) { size += 2 }
    package mutating func uint32(_ value: inout UInt32, _ name: String) { size += 4 }
    package mutating func uint64(_ value: inout UInt64, _ name: String) { size += 8 }
    package mutating func bool(_ value: inout Bool, _ name: String) { size += 1 }
    package mutating func bytes(_ value: inout [UInt8], _ name: String, atMost limit: Int) { size += 4 + limit }
    package mutating func text(_ value: inout String, _ name: String, atMost limit: Int) { size += 4 + limit }
    package mutating func texts(_ value: inout [String], _ name: String, atMost limit: Int, size each: Int) {
        size += 2 + limit * (4 + each)
    }
}
