internal import CPlatform
internal import Glibc

/// What a lock file's user needs of the system.
package enum FileLockOwner {
    /// Whether a process of this host exists (kill(2) with signal 0); one that may not be signalled does.
    package static func exists(_ pid: Int32) -> Bool { pid > 0 && cp_process_exists(pid) == 1 }

    /// Waits, doing nothing (nanosleep(2)).
    package static func pause(nanoseconds: Int64) { _ = cp_sleep_ns(nanoseconds) }
}
