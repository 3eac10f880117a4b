internal import CPlatform
package import Platform

/// What one kind of process may still do, as data; `enter` makes it so, in the order of security.md 4, and proves it.
package struct Confinement: Sendable {
    /// Name for messages: `login`, `mail worker`.
    package let name: String
    /// Kept in the effective, permitted and bounding sets; inheritable and ambient sets are always empty.
    package let capabilities: CapabilitySet
    /// Takes a chroot, when the service has one.
    package let usesChroot: Bool
    /// Landlock with these rules plus those given to `enter`; nil: its children must reach more than it does, so it keeps the places
    /// where mail may lie (`Landlock.restrictToPlacesOfMail`); and master, whose children are any program, everything.
    package let landlock: [Landlock.Rule]?
    package let filter: SystemCallFilter
    /// RLIMIT_NPROC 0 and RLIMIT_FSIZE 0 where the process neither forks nor writes files.
    package let mayFork: Bool
    package let mayWriteFiles: Bool
    /// Starts other programs as root: master alone.
    package let mayExecute: Bool

    package init(
        name: String, capabilities: CapabilitySet = [], usesChroot: Bool = false, landlock: [Landlock.Rule]? = [],
        filter: SystemCallFilter, mayFork: Bool = false, mayWriteFiles: Bool = false, mayExecute: Bool = false
    ) {
        self.name = name
        self.capabilities = capabilities
        self.usesChroot = usesChroot
        self.landlock = landlock
        self.filter = filter
        self.mayFork = mayFork
        self.mayWriteFiles = mayWriteFiles
        self.mayExecute = mayExecute
    }

    /// What a process that shows local time reads now and then.
    package static let timeZone: [Landlock.Rule] = [.init("/etc/localtime", .read), .init("/usr/share/zoneinfo", .read)]

    /// Whom the process becomes, and its limits: what differs from one start to the next.
    package struct Circumstances: Sendable {
        package var uid: UInt32
        package var gid: UInt32
        package var groups: [UInt32]
        package var chroot: String?
        /// RLIMIT_NOFILE, soft and hard; 0: unchanged.
        package var descriptors: UInt64
        /// RLIMIT_DATA in bytes; 0: unlimited. Never RLIMIT_AS: the index is a large sparse mapping.
        package var memory: UInt64
        package var extraRules: [Landlock.Rule]

        package init(
            uid: UInt32, gid: UInt32, groups: [UInt32] = [], chroot: String? = nil, descriptors: UInt64 = 0, memory: UInt64 = 0,
            extraRules: [Landlock.Rule] = []
        ) {
            self.uid = uid
            self.gid = gid
            self.groups = groups
            self.chroot = chroot
            self.descriptors = descriptors
            self.memory = memory
            self.extraRules = extraRules
        }
    }

    /// The same with a filter that is compiled here.
    package func enter(_ circumstances: Circumstances) throws(ConfinementError) {
        let program: SystemCallFilter.Program
        do throws(SystemError) { program = try filter.compiled() } catch { throw ConfinementError(process: name, cause: error) }
        try enter(circumstances, program: program)
    }

    /// Drops everything that is not kept. After it returns no privilege is left that the table does not name. The process must end when it throws.
    ///
    /// Not started as root: ids, groups, chroot and capabilities cannot change and are left out (master warns once, naming what is lost);
    /// no_new_privs, Landlock and the filter are taken all the same.
    /// `beforeBinding` runs with the new ids but before Landlock and the filter: for directories that must exist to be named in a rule.
    package func enter(
        _ circumstances: Circumstances, program: borrowing SystemCallFilter.Program, beforeBinding: () throws(SystemError) -> Void = {}
    ) throws(ConfinementError) {
        do throws(SystemError) {
            let isRoot = Process.isRoot
            try setLimits(circumstances)
            if isRoot {
                if usesChroot, let root = circumstances.chroot {
                    try checked("chroot(\(root))", unsafe cp_chroot(root))
                }
                try dropPrivileges(circumstances)
            }
            try checked("prctl(PR_SET_DUMPABLE)", cp_prctl(cp_pr_set_dumpable, 0, 0))
            try checked("prctl(PR_SET_NO_NEW_PRIVS)", cp_prctl(cp_pr_set_no_new_privs, 1, 0))
            // Linux 6.3; no W→X afterwards. An older kernel does without; `missingFeatures` names it.
            _ = cp_prctl(cp_pr_set_mdwe, 1, 0)
            try proveNoGain()
            if isRoot { try prove(circumstances) }
            try beforeBinding()
            if let landlock {
                try Landlock.restrict(to: landlock + circumstances.extraRules)
            } else if !mayExecute {
                try Landlock.restrictToPlacesOfMail(and: circumstances.extraRules + Self.timeZone)
            }
            try program.load()
        } catch {
            throw ConfinementError(process: name, cause: error)
        }
    }

    /// Goes through `enter` without changing anything, in a zygote: what the runtime builds at the first time is then there for all workers.
    /// Failures do not matter, and no result is used.
    package func rehearse(_ circumstances: Circumstances) {
        do throws(SystemError) { if let landlock { try Landlock.rehearse(landlock + circumstances.extraRules) } } catch {}
        do throws(SystemError) { try proveNoGain() } catch {}
        do throws(SystemError) { try prove(circumstances) } catch {}
    }

    /// For a worker whose zygote has entered a confinement with the same ids: takes the limits and the filter that lie on top of it.
    package func narrow(descriptors: UInt64, program: borrowing SystemCallFilter.Program) throws(ConfinementError) {
        do throws(SystemError) {
            let hard = min(descriptors, ResourceLimit.descriptors.current.hard)
            try ResourceLimit.descriptors.set(soft: hard, hard: hard)
            if !mayFork { try ResourceLimit.processes.set(soft: 0, hard: 0) }
            try program.load()
        } catch {
            throw ConfinementError(process: name, cause: error)
        }
    }

    private func setLimits(_ circumstances: Circumstances) throws(SystemError) {
        if circumstances.descriptors > 0 {
            let hard = min(circumstances.descriptors, ResourceLimit.descriptors.current.hard)
            try ResourceLimit.descriptors.set(soft: hard, hard: hard)
        }
        try ResourceLimit.core.set(soft: 0, hard: 0)
        if circumstances.memory > 0 { try ResourceLimit.data.set(soft: circumstances.memory, hard: circumstances.memory) }
        if !mayWriteFiles { try ResourceLimit.fileSize.set(soft: 0, hard: 0) }
        // Last: with RLIMIT_NPROC 0 setresuid to that uid would be remembered as "too many", not refused; fork is.
        if !mayFork { try ResourceLimit.processes.set(soft: 0, hard: 0) }
    }

    /// Bounding set first: it needs CAP_SETPCAP, which setresuid takes away. Groups while that is still allowed, uid last.
    private func dropPrivileges(_ circumstances: Circumstances) throws(SystemError) {
        for number in Int32(0)..<64 where !capabilities.contains(number) {
            let held = cp_prctl(cp_pr_capbset_read, UInt(number), 0)
            if held < 0 { break }  // beyond the kernel's last capability
            if held == 1 { try checked("prctl(PR_CAPBSET_DROP)", cp_prctl(cp_pr_capbset_drop, UInt(number), 0)) }
        }
        _ = cp_prctl(cp_pr_cap_ambient, UInt(cp_pr_cap_ambient_clear_all), 0)
        // Root gets all of its bounding set back at exec; only master needs that, for its children.
        if !mayExecute { try checked("prctl(PR_SET_SECUREBITS)", cp_prctl(cp_pr_set_securebits, Self.lockedSecureBits, 0)) }
        try checked("setgroups", unsafe circumstances.groups.withUnsafeBufferPointer { unsafe cp_setgroups($0.baseAddress, $0.count) })
        try checked("setresgid", cp_setresgid(circumstances.gid))
        try checked("setresuid", cp_setresuid(circumstances.uid))
        try checked("capset", cp_capset(capabilities.mask, capabilities.mask, 0))
    }

    /// SECBIT_NOROOT and SECBIT_NO_CAP_AMBIENT_RAISE on, SECBIT_NO_SETUID_FIXUP and SECBIT_KEEP_CAPS off, each locked.
    private static let lockedSecureBits: UInt = 0b1110_1011

    /// Nothing started from here gains rights, and no process of the same user can look into this one.
    private func proveNoGain() throws(SystemError) {
        guard try checked("prctl(PR_GET_DUMPABLE)", cp_prctl(cp_pr_get_dumpable, 0, 0)) == 0 else {
            throw SystemError(call: "proof: not dumpable", code: 1)
        }
        guard try checked("prctl(PR_GET_NO_NEW_PRIVS)", cp_prctl(cp_pr_get_no_new_privs, 0, 0)) == 1 else {
            throw SystemError(call: "proof of no_new_privs", code: 1)
        }
    }

    private func prove(_ circumstances: Circumstances) throws(SystemError) {
        var ids = [UInt32](repeating: 0, count: 6)
        try checked("getresuid", unsafe cp_ids(&ids))
        let wanted = [circumstances.uid, circumstances.uid, circumstances.uid, circumstances.gid, circumstances.gid, circumstances.gid]
        guard ids == wanted else { throw SystemError(call: "proof of user and group ids", code: 1) }
        var groups = [UInt32](repeating: 0, count: circumstances.groups.count)
        let count = unsafe groups.withUnsafeMutableBufferPointer { unsafe cp_groups($0.baseAddress, $0.count) }
        guard try checked("getgroups", count) == groups.count, groups.allSatisfy(circumstances.groups.contains) else {
            throw SystemError(call: "proof of groups", code: 1)
        }
        if circumstances.uid != 0 && cp_setresuid(0) == 0 { throw SystemError(call: "proof: setresuid(0) must fail", code: 1) }
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        var inheritable: UInt64 = 0
        try checked("capget", unsafe cp_capget(&effective, &permitted, &inheritable))
        guard effective == capabilities.mask, permitted == capabilities.mask, inheritable == 0 else {
            throw SystemError(call: "proof of capabilities", code: 1)
        }
        for number in Int32(0)..<64 where !capabilities.contains(number) {
            let held = cp_prctl(cp_pr_capbset_read, UInt(number), 0)
            if held < 0 { break }
            if held == 1 { throw SystemError(call: "proof of the bounding set", code: 1) }
        }
    }
}

/// A process could not be confined; it must end before it reads one foreign byte.
package struct ConfinementError: Error, CustomStringConvertible {
    package let process: String
    package let cause: SystemError

    package init(process: String, cause: SystemError) {
        self.process = process
        self.cause = cause
    }

    package var description: String { "\(process) could not be confined: \(cause)" }
}
