internal import CPlatform
internal import Glibc

/// Time, as services need it: a monotonic one for timeouts and a wall clock for what people read.
package enum Clock {
    /// Nanoseconds since some fixed moment; never goes back (CLOCK_MONOTONIC).
    package static var monotonicNanoseconds: Int64 { cp_monotonic_ns() }

    /// Milliseconds of the monotonic clock.
    package static var milliseconds: Int64 { cp_monotonic_ns() / 1_000_000 }

    /// Seconds since 1970 (CLOCK_REALTIME).
    package static var unixSeconds: Int64 { wall.seconds }

    /// Wall clock time since 1970 in seconds and microseconds.
    package static var wall: (seconds: Int64, microseconds: Int64) {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec), Int64(now.tv_nsec) / 1000)
    }
}
