internal import CPlatform

extension Confinement {
    /// What this kernel lacks of what confinement uses, each with what is lost by it; empty on Linux 6.12 and later. Filters of system calls are not
    /// among it: without them no process starts.
    package static func missingFeatures() -> [String] {
        missingFeatures(landlock: Landlock.version, refusesExecutableMemory: cp_prctl(cp_pr_get_mdwe, 0, 0) >= 0)
    }

    package static func missingFeatures(landlock: Int?, refusesExecutableMemory: Bool) -> [String] {
        var missing: [String] = []
        switch landlock {
        case nil:
            missing.append(
                "Landlock (Linux 5.13, and `landlock` in the kernel's lsm= list): mail processes of users with the same uid are kept apart by"
                    + " checked file names only, auth and config may read whatever their user may")
        case .some(let version):
            if version < 2 {
                missing.append(
                    "Landlock for mail processes (Linux 5.19): of users with the same uid they are kept apart by checked file names only")
            }
            if version < 3 { missing.append("Landlock for truncation (Linux 6.2): files with a reader's rights may be emptied") }
            if version < 4 { missing.append("Landlock for TCP (Linux 6.7): kept from the network by filters only") }
            if version < 5 { missing.append("Landlock for device control (Linux 6.10): kept from devices by filters only") }
            if version < 6 {
                missing.append(
                    "Landlock for signals and abstract sockets (Linux 6.12): kept from other processes of the same user by filters only")
            }
        }
        if !refusesExecutableMemory {
            missing.append("PR_SET_MDWE (Linux 6.3): kept from executable memory by filters only")
        }
        return missing
    }
}
