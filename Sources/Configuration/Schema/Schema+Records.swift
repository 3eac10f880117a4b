extension Schema {
    /// Kinds of named sections, by name.
    package static let records: [String: RecordKind] = Dictionary(
        [service, unixListener, fifoListener, inetListener, namespace, mailbox, passdb, userdb, quotaRoot].map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })

    /// `service NAME { … }`; an empty default means: as built in for this service, else the global default.
    static let service = RecordKind(
        name: "service",
        fields: [
            Setting("name", .string, "", ignored: "a service is named by its section", "Name of the service."),
            Setting("protocol", .string, "", [], "The service exists only if this word is in `protocols`."),
            Setting(
                "type", .enumeration(["", "login", "worker", "startup", "log", "config", "anvil"]), "", [], "What kind of service it is."),
            Setting("executable", .string, "", [], "Program, relative to `libexec_dir`, and arguments."),
            Setting("user", .string, "", [], "User of the processes; empty: root."),
            Setting("group", .string, "", [], "Group of the processes; empty: the user's."),
            Setting(
                "privileged_group", .string, "", ignored: "no process takes a group for a moment; extra_groups are kept",
                "Group that the processes may take for a moment."),
            Setting("extra_groups", .list, "", [], "Further groups."),
            Setting("chroot", .string, "", [], "Root directory, relative to `base_dir`."),
            Setting(
                "drop_priv_before_exec", .bool, "no", ignored: "rights are dropped by each process as early as it can",
                "Drop rights before the program starts."),
            Setting("process_min_avail", .uint, "", [], "Processes that wait for clients."),
            Setting("process_limit", .uint, "", [], "Processes at most."),
            Setting("client_limit", .uint, "", [], "Clients of one process at the same time."),
            Setting(
                "restart_request_count", old: "service_count", .uint, "", [],
                "Clients that a process serves before it ends (2.3: 0 means unlimited)."),
            Setting("idle_kill_interval", old: "idle_kill", .time, "", [], "After this time without a client a spare process ends."),
            Setting("vsz_limit", .size, "", [], "Memory of one process."),
            Setting("reuse_port", old: "", .bool, "no", ignored: "processes share one listener", "One listener for each process."),
        ], children: ["unix_listener", "fifo_listener", "inet_listener"], maps: [], allowsGlobals: false, summary: "A service of the suite."
    )

    private static let socketFields: [Setting] = [
        Setting("path", .string, "", [], "Path, relative to `base_dir`; the name of the section by default."),
        Setting("mode", .octal, "0600", [], "Rights; 0 switches the listener off."),
        Setting("user", .string, "", [], "Owner."),
        Setting("group", .string, "", [], "Group."),
        Setting("type", old: "", .string, "", [], "What is spoken there; by default what follows the last `-` of the name."),
    ]

    static let unixListener = RecordKind(
        name: "unix_listener", fields: socketFields, children: [], maps: [], allowsGlobals: false, summary: "A UNIX socket of a service.")

    static let fifoListener = RecordKind(
        name: "fifo_listener", fields: socketFields, children: [], maps: [], allowsGlobals: false, summary: "A named pipe of a service.")

    static let inetListener = RecordKind(
        name: "inet_listener",
        fields: [
            Setting("listen", old: "address", .list, "", [], "Addresses; empty: the global `listen`."),
            Setting("port", .port, "0", [], "Port; 0 switches the listener off."),
            Setting("ssl", .bool, "no", [], "TLS begins at once."),
            Setting("haproxy", .bool, "no", [], "A proxy says first who the client is (PROXY protocol 1 or 2)."),
            Setting("reuse_port", .bool, "no", ignored: "processes share one listener", "One listener for each process."),
            Setting("type", old: "", .string, "", [], "What is spoken there."),
        ], children: [], maps: [], allowsGlobals: false, summary: "A TCP listener of a service.")

    static let namespace = RecordKind(
        name: "namespace",
        fields: [
            Setting("type", .enumeration(["private", "shared", "public"]), "private", [.mail], "Whose mail it is."),
            Setting("separator", .string, "", [.mail], "Character between the parts of a name; empty: the layout's."),
            Setting("prefix", .template, "", [.mail], "What stands before the names."),
            Setting("location", .template, "", [.mail], only23: true, "Where the mail lies; empty: `mail_location`."),
            Setting("inbox", .bool, "no", [.mail], "INBOX is here."),
            Setting("hidden", .bool, "no", [.mail], "NAMESPACE does not tell of it."),
            Setting("list", .enumeration(["yes", "no", "children"]), "yes", [.mail], "LIST shows its mailboxes."),
            Setting("subscriptions", .bool, "yes", [.mail], "It keeps its own subscriptions."),
            Setting("ignore_on_failure", .bool, "no", [.mail], "A session goes on when it cannot be had."),
            Setting("disabled", .bool, "no", [.mail], "Leave it out."),
            Setting("alias_for", .string, "", [.mail], "Prefix of the namespace that has the same mail."),
            Setting("order", .uint, "0", [.mail], "Order among the answers of NAMESPACE."),
        ], children: ["mailbox"], maps: [], allowsGlobals: true, summary: "A tree of mailboxes.")

    static let mailbox = RecordKind(
        name: "mailbox",
        fields: [
            Setting(
                "auto", .enumeration(["no", "create", "subscribe"]), "no", [.mail],
                "Make it, or make it and subscribe, when it is not there."),
            Setting("special_use", .list, "", [.mail], "What it is for: `\\Drafts`, `\\Junk`, `\\Sent`, `\\Trash` …"),
            Setting(
                "autoexpunge", .time, "0", ignored: "messages are not expunged by age in this version",
                "Messages older than this are expunged."),
            Setting(
                "autoexpunge_max_mails", .uint, "0", ignored: "messages are not expunged by number in this version",
                "Messages above this number are expunged, the oldest first."),
            Setting("driver", .string, "", [.mail], ignored: "every mailbox uses the driver of its namespace", "Driver of this mailbox."),
            Setting("comment", .string, "", [.mail], "Text for METADATA."),
        ] + mailboxQuota, children: [], maps: [], allowsGlobals: false, summary: "A mailbox that users find or that is made for them.")
}
