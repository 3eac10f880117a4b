internal import CPlatform
internal import Glibc

extension Process {
    package static var realUID: UInt32 { getuid() }
    package static var realGID: UInt32 { getgid() }

    /// Becomes another user for good: groups, gid, uid, in this order; proves that there is no way back.
    /// For commands; services enter a `Confinement`.
    package static func become(uid: UInt32, gid: UInt32) throws(SystemError) {
        let groups = [gid]
        try checked("setgroups", unsafe groups.withUnsafeBufferPointer { unsafe cp_setgroups($0.baseAddress, $0.count) })
        try checked("setresgid", cp_setresgid(gid))
        try checked("setresuid", cp_setresuid(uid))
        if uid != 0 && cp_setresuid(0) == 0 { throw SystemError(call: "setresuid(0) did not fail", code: EPERM) }
    }
}
