internal import Platform

/// Looks processes up in /proc: only when a zygote died.
enum ProcessTable {
    /// Living processes of a process group.
    static func members(ofGroup group: Int32) -> [Int32] {
        var found: [Int32] = []
        for name in FileSystem.names(in: "/proc") {
            guard let pid = Int32(name), let content = FileSystem.content("/proc/\(pid)/stat") else { continue }
            // pid (name) state ppid pgrp …; the name may hold anything, also ")".
            guard let close = content.lastIndex(of: 0x29) else { continue }
            let fields = content[(close + 1)...].split(separator: 0x20)
            guard fields.count > 2, fields[0].first != 0x5a, Int32(String(decoding: fields[2], as: UTF8.self)) == group else { continue }
            found.append(pid)
        }
        return found
    }
}
