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

    /// The kernel's Landlock version, or nil without Landlock. 1: Linux 5.13; 6: signals and abstract sockets are scoped.
    package static var version: Int? {
        let version = cp_landlock_abi()
        return version >= 1 ? Int(version) : nil
    }

    /// Every right this kernel's version knows is taken away; the rules give single ones back. A path that does not exist gives nothing.
    /// `mayListen` keeps TCP bind. Does nothing on a kernel without Landlock (the caller names that in its warning).
    package static func restrict(to rules: [Rule]) throws(SystemError) {
        guard let version else { return }
        let handled: UInt64 =
            switch version {
            case 1: (1 << 13) - 1
            case 2: (1 << 14) - 1
            case 3, 4: (1 << 15) - 1
            default: (1 << 16) - 1
            }
        let network: UInt64 = version >= 4 ? 0b11 : 0
        let scopes: UInt64 = version >= 6 ? 0b11 : 0
        let ruleset = FileDescriptor(
            adopting: try checked("landlock_create_ruleset", cp_landlock_ruleset(handled, network, scopes)))
        for rule in rules {
            let opened = unsafe cp_openat2(-100, rule.path, UInt64(cp_o_path), 0, 0)
            if opened < 0 { continue }
            let place = FileDescriptor(adopting: opened)
            // A file takes no directory rights; the kernel refuses them with EINVAL.
            let isDirectory = FileSystem.info(rule.path)?.isDirectory ?? true
            let fileRights: Rights = [.readFile, .writeFile, .truncate]
            let rights = isDirectory ? rule.rights : rule.rights.intersection(fileRights)
            try checked("landlock_add_rule(\(rule.path))", cp_landlock_allow(ruleset.number, rights.rawValue & handled, place.number))
        }
        try checked("landlock_restrict_self", cp_landlock_restrict(ruleset.number))
    }
}
