internal import CPlatform
internal import CSeccomp
package import Platform

/// Which system calls a process may make from now on, as data (seccomp(2)).
///
/// Every other call raises SIGSYS, whose handler writes the name of the call to the log and ends the process. Calls that libraries try and
/// survive get an error instead; call numbers newer than this list get ENOSYS, so that a newer libc falls back.
package struct SystemCallFilter: Sendable {
    /// A condition on one argument of a call.
    package enum Condition: Equatable, Sendable {
        /// Argument `index`, of which only the bits of `mask` are looked at.
        case masked(index: UInt32, mask: UInt64, value: UInt64)

        /// Argument `index`, an int to the kernel, is this; what the upper half of its register holds nobody promises.
        package static func equal(index: UInt32, value: UInt64) -> Condition { .masked(index: index, mask: 0xffff_ffff, value: value) }
        /// Argument `index` is a null pointer.
        package static func null(index: UInt32) -> Condition { .masked(index: index, mask: .max, value: 0) }
        /// Argument `index` has none of these bits.
        package static func without(index: UInt32, bits: UInt64) -> Condition { .masked(index: index, mask: bits, value: 0) }
        /// Argument `index` has all of these bits.
        package static func with(index: UInt32, bits: UInt64) -> Condition { .masked(index: index, mask: bits, value: bits) }
    }

    /// A system call by name, and what its arguments must be.
    package struct Call: Equatable, Sendable, ExpressibleByStringLiteral {
        package let name: String
        package let conditions: [Condition]
        package init(stringLiteral name: String) {
            self.name = name
            conditions = []
        }
        package init(_ name: String, _ conditions: Condition...) {
            self.name = name
            self.conditions = conditions
        }
    }

    package var allowed: [Call]
    /// Calls answered with an error that the caller survives.
    package var refused: [(name: String, code: Int32)]
    /// Likewise, for single values of an argument; only where everything else is allowed.
    package var refusedByArgument: [(call: Call, code: Int32)] = []
    /// Likewise, and the call ends the process; only where everything else is allowed.
    package var trapped: [Call] = []
    /// Everything is allowed but what the lists name: for master, whose children inherit what binds it, and for filters on top of others.
    package var allowsOthers = false

    /// A filter that takes away single calls and nothing else; they fail with EPERM.
    package init(denying names: [String]) {
        allowed = []
        refused = names.map { ($0, 1) }
        allowsOthers = true
    }

    package init(allowed: [Call], refused: [(name: String, code: Int32)] = SystemCallFilter.survivable) {
        self.allowed = allowed
        self.refused = refused
    }

    /// This filter for a process that `outer` binds already: only what `outer` permits beyond this one is taken away.
    ///
    /// The kernel asks all filters of a process and the strictest answer counts. A worker's filter on top of its zygote's is half as long or less
    /// this way; the kernel translates and places it for every session anew. What this one permits, `outer` must permit.
    package func narrowing(_ outer: SystemCallFilter) -> SystemCallFilter {
        var filter = SystemCallFilter(denying: [])
        for call in outer.allowed where !allowed.contains(call) {
            let own = allowed.filter { $0.name == call.name }
            if own.contains(where: \.conditions.isEmpty) { continue }
            if !own.isEmpty {
                filter.trapped.append(call)
            } else if let survivable = refused.first(where: { $0.name == call.name }) {
                filter.refused.append(survivable)
            } else {
                filter.trapped.append(Call(stringLiteral: call.name))
            }
        }
        return filter
    }

    package static func + (base: SystemCallFilter, more: [Call]) -> SystemCallFilter {
        SystemCallFilter(allowed: base.allowed + more, refused: base.refused)
    }

    /// What libraries try at odd moments and do without: EACCES 13, ENOSYS 38.
    package static let survivable: [(name: String, code: Int32)] = [
        ("openat", 13), ("open", 13), ("newfstatat", 13), ("stat", 13), ("lstat", 13), ("fstat", 13), ("statx", 13), ("access", 13),
        ("readlink", 13),
        ("clone3", 38), ("rseq", 38), ("set_robust_list", 38), ("shmget", 13), ("shmat", 13), ("sysinfo", 38), ("uname", 38),
    ]

    /// First call number that did not exist when this list was made (Linux 6.10: mseal). The bit of x32's numbers lies above it.
    private static let firstUnknown: UInt32 = 462

    /// A compiled filter: an array of 8 byte BPF instructions, ready to load. Made once in a zygote; a worker only loads it, and has no copy:
    /// to count one would write to memory that it shares with its zygote.
    package struct Program: ~Copyable, Sendable {
        package let instructions: [UInt8]

        /// Length in instructions; the kernel takes at most 4,096.
        package var count: Int { instructions.count / 8 }

        /// Binds this thread (each process here has one) for ever. Needs no_new_privs.
        package func load() throws(SystemError) {
            guard let length = UInt16(exactly: count) else { throw SystemError(call: "seccomp: program too long", code: 22) }
            try checked(
                "seccomp(SECCOMP_SET_MODE_FILTER)",
                unsafe instructions.withUnsafeBytes { unsafe cp_seccomp_load($0.baseAddress, length) })
        }
    }

    /// Names in this filter that neither this architecture nor the library knows; a test holds them against a list of reasons.
    package var unresolved: [String] {
        let names = allowed.map(\.name) + refused.map(\.name) + refusedByArgument.map(\.call.name)
        return Set(names).filter { unsafe seccomp_syscall_resolve_name($0) == -1 }.sorted()
    }

    /// Compiles the filter with libseccomp. Calls that this architecture does not have are left out.
    package func compiled() throws(SystemError) -> Program {
        guard let context = unsafe seccomp_init(allowsOthers ? Self.allow : Self.trap) else {
            throw SystemError(call: "seccomp_init", code: 12)
        }
        defer { unsafe seccomp_release(context) }
        // A binary tree instead of a list: a call costs a handful of instructions whatever its place. What only takes away single calls stays a
        // list, which is shorter: it is translated for each session, and the kernel remembers which calls no filter has anything against.
        if !allowsOthers { try checked("seccomp_attr_set", unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)) }
        // int 0x80 and the like speak to another table of calls: the end, without a handler.
        try checked("seccomp_attr_set", unsafe seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, Self.killProcess))
        func add(_ action: UInt32, _ call: Call) throws(SystemError) {
            let number = unsafe seccomp_syscall_resolve_name(call.name)
            if number < 0 { return }  // not on this architecture (arm64 has no poll, open, …)
            let comparisons = call.conditions.map(Self.comparison)
            let result = unsafe comparisons.withUnsafeBufferPointer {
                unsafe seccomp_rule_add_array(context, action, number, UInt32($0.count), $0.baseAddress)
            }
            // EEXIST: the same rule twice, through two lists.
            if result < 0 && result != -17 { throw SystemError(call: "seccomp_rule_add(\(call.name))", code: -result) }
        }
        for call in allowed { try add(Self.allow, call) }
        let permitted = Set(allowed.map(\.name))
        for (name, code) in refused where !permitted.contains(name) { try add(Self.error(code), Call(stringLiteral: name)) }
        for (call, code) in refusedByArgument { try add(Self.error(code), call) }
        for call in trapped { try add(Self.trap, call) }
        let file = FileDescriptor(adopting: try checked("memfd_create", unsafe cp_memfd("filter")))
        try checked("seccomp_export_bpf", unsafe seccomp_export_bpf(context, file.number))
        var program = [UInt8](repeating: 0, count: 32_768)
        let size = try file.read(into: &program, at: 0)
        return Program(instructions: Self.prologue + program.prefix(size))
    }

    private static let allow: UInt32 = 0x7fff_0000
    private static let trap: UInt32 = 0x0003_0000
    private static let killProcess: UInt32 = 0x8000_0000
    private static func error(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    /// Call numbers from `firstUnknown` on (x32's among them) get ENOSYS before anything else is looked at.
    private static var prologue: [UInt8] {
        func instruction(_ code: UInt16, _ yes: UInt8, _ no: UInt8, _ k: UInt32) -> [UInt8] {
            [UInt8(code & 0xff), UInt8(code >> 8), yes, no] + (0..<4).map { UInt8(truncatingIfNeeded: k >> ($0 * 8)) }
        }
        return instruction(0x20, 0, 0, 0)  // load the call number
            + instruction(0x35, 0, 1, firstUnknown)  // if >= firstUnknown
            + instruction(0x06, 0, 0, error(38))  // return ENOSYS
    }

    private static func comparison(_ condition: Condition) -> scmp_arg_cmp {
        switch condition {
        case .masked(let index, let mask, let value):
            scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        }
    }
}

/// The report of a forbidden system call.
package enum TrapReport {
    private static let nameSize = 24

    /// Prepares the names of all calls and the handler that writes `prefix` + name to `descriptor` and ends the process with
    /// exit code 159. Once per zygote or singleton, before its filter; workers inherit it.
    package static func install(descriptor: Int32, prefix: [UInt8]) throws(SystemError) {
        let count = 512
        // Lives as long as the process: the handler may not allocate.
        let names = UnsafeMutablePointer<CChar>.allocate(capacity: count * nameSize)
        unsafe names.initialize(repeating: 0, count: count * nameSize)
        // Architecture token 0 is the native one.
        for number in 0..<count {
            guard let name = unsafe seccomp_syscall_resolve_num_arch(0, Int32(number)) else { continue }
            for offset in 0..<(nameSize - 1) {
                let character = unsafe name[offset]
                if character == 0 { break }
                unsafe names[number * nameSize + offset] = character
            }
            unsafe cp_free(name)
        }
        unsafe cp_trap_names(names, Int32(count))
        try checked("sigaction(SIGSYS)", unsafe prefix.withUnsafeBytes { unsafe cp_trap_install(descriptor, $0.baseAddress, $0.count) })
    }
}
