internal import CPlatform
package import Platform

/// What a process may still do with files once Landlock binds it (landlock(7)); rules only ever narrow.
package enum Landlock {
    /// Rights beneath a directory.
    package struct Rights: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let writeFile = Rights(rawValue: 1 << 1)
        package static let readFile = Rights(rawValue: 1 << 2)
        package static let readDirectory = Rights(rawValue: 1 << 3)
        package static let removeDirectory = Rights(rawValue: 1 << 4)
        package static let removeFile = Rights(rawValue: 1 << 5)
        package static let makeDirectory = Rights(rawValue: 1 << 7)
        package static let makeRegular = Rights(rawValue: 1 << 8)
        /// Renames and links between directories; without it they fail with EXDEV.
        package static let refer = Rights(rawValue: 1 << 13)
        package static let truncate = Rights(rawValue: 1 << 14)

        package static let read: Rights = [.readFile, .readDirectory]
        /// All that a mail store needs: no execute, no devices, sockets, fifos or symbolic links.
        package static let mail: Rights = [
            .read, .writeFile, .removeDirectory, .removeFile, .makeDirectory, .makeRegular, .refer, .truncate,
        ]
        /// A log file: append and create; names in the directory are never removed.
        package static let log: Rights = [.writeFile, .makeRegular, .readFile]
    }

    /// A directory or file that stays reachable.
    package struct Rule: Sendable {
        package let path: String
        package let rights: Rights
        package init(_ path: String, _ rights: Rights) {
            self.path = path
            self.rights = rights
        }
    }

    /// The kernel's Landlock version, or nil without Landlock. 1: Linux 5.13; 2: renames between directories (5.19); 3: truncate (6.2);
    /// 4: TCP (6.7); 5: ioctl of devices (6.10); 6: signals and abstract sockets are scoped (6.12); 7: audit (6.15), nothing for us.
    package static var version: Int? {
        let version = cp_landlock_abi()
        return version >= 1 ? Int(version) : nil
    }

    /// What a ruleset takes away: file rights, TCP (bind, connect), scopes (abstract sockets, signals), as the kernel's bits.
    package struct Handled: Equatable, Sendable {
        package var files: UInt64
        package var network: UInt64
        package var scopes: UInt64

        package init(files: UInt64, network: UInt64, scopes: UInt64) {
            self.files = files
            self.network = network
            self.scopes = scopes
        }

        /// Every right that this version of Landlock knows.
        package static func everything(version: Int) -> Handled {
            let files: UInt64 =
                switch version {
                case 1: (1 << 13) - 1
                case 2: (1 << 14) - 1
                case 3, 4: (1 << 15) - 1
                default: (1 << 16) - 1
                }
            return Handled(files: files, network: version >= 4 ? 0b11 : 0, scopes: version >= 6 ? 0b11 : 0)
        }

        /// For a zygote, which must be able to end workers of its dead predecessor: another domain binds those.
        package static func everythingButSignals(version: Int) -> Handled {
            var handled = everything(version: version)
            handled.scopes &= 0b01
            return handled
        }
    }

    /// Directories of `/` in which nobody's mail lies. A zygote of a mail service is root, to whom much in them belongs.
    package static let systemDirectories: Set<String> = [
        "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "lost+found", "proc", "root", "run", "sbin", "sys", "usr",
    ]

    /// Whether this version can bind a process that moves files between directories: version 1 forbids that to whomever it binds at all.
    package static func canBind(_ rules: [Rule], version: Int) -> Bool {
        version >= 2 || !rules.contains { $0.rights.contains(.refer) }
    }

    /// Every right this kernel's version knows is taken away; the rules give single ones back. A path that does not exist gives nothing.
    /// Does nothing on a kernel that cannot do it (`Confinement.missingFeatures` names that).
    package static func restrict(to rules: [Rule]) throws(SystemError) {
        guard let version, canBind(rules, version: version) else { return }
        try restrict(.everything(version: version), to: rules)
    }

    /// Makes the ruleset of `restrict(to:)` and throws it away: for `Confinement.rehearse`.
    static func rehearse(_ rules: [Rule]) throws(SystemError) {
        guard let version, canBind(rules, version: version) else { return }
        _ = try ruleset(.everything(version: version), rules)
    }

    /// For a process whose children serve users whose directories it does not know yet: mail rights everywhere but in the directories of the
    /// system, of which the files in `rules` stay reachable. No execution, devices, sockets, fifos, symbolic links; no TCP.
    package static func restrictToPlacesOfMail(and rules: [Rule]) throws(SystemError) {
        // A file in `/` itself (a swap file) is none of them; a link leads to what it names.
        let places = FileSystem.names(in: "/").filter { !systemDirectories.contains($0) }.map { Rule("/\($0)", .mail) }
        let all = places + [Rule("/dev/shm", .mail)] + rules
        guard let version, canBind(all, version: version) else { return }
        try restrict(.everythingButSignals(version: version), to: all)
    }

    private static func restrict(_ handled: Handled, to rules: [Rule]) throws(SystemError) {
        let ruleset = try ruleset(handled, rules)
        try checked("landlock_restrict_self", cp_landlock_restrict(ruleset.number))
    }

    private static func ruleset(_ handled: Handled, _ rules: [Rule]) throws(SystemError) -> FileDescriptor {
        let ruleset = FileDescriptor(
            adopting: try checked("landlock_create_ruleset", cp_landlock_ruleset(handled.files, handled.network, handled.scopes)))
        for rule in rules {
            let opened = unsafe cp_openat2(-100, rule.path, UInt64(cp_o_path), 0, 0)
            if opened < 0 { continue }
            let place = FileDescriptor(adopting: opened)
            // A file takes no directory rights; the kernel refuses them with EINVAL. The opened place is asked, not the path: it may be a link.
            // And a mail right is always one to a directory.
            let fileRights: Rights = rule.rights.contains(.refer) ? [] : [.readFile, .writeFile, .truncate]
            let rights = (place.isDirectory ?? true) ? rule.rights : rule.rights.intersection(fileRights)
            let granted = rights.rawValue & handled.files
            if granted == 0 { continue }
            try checked("landlock_add_rule(\(rule.path))", cp_landlock_allow(ruleset.number, granted, place.number))
        }
        return ruleset
    }
}

extension FileDescriptor {
    /// Of the place that was opened, links followed; nil when the kernel does not say.
    fileprivate var isDirectory: Bool? {
        var found = cp_file_status()
        guard unsafe cp_status_of(number, &found) == 0 else { return nil }
        return found.mode & 0o170_000 == 0o040_000
    }
}
