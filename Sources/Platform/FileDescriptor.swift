internal import CPlatform
internal import Glibc

/// A descriptor with exactly one owner; it is closed when the owner lets it go.
package struct FileDescriptor: ~Copyable {
    package let number: Int32

    /// Takes over an open descriptor that nobody else will close.
    package init(adopting number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// Ends ownership without closing: for `dup2`, `exec` and descriptor passing.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Another descriptor of the same open file, close-on-exec (fcntl F_DUPFD_CLOEXEC).
    package borrowing func duplicate() throws(SystemError) -> FileDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError(call: "fcntl(F_DUPFD_CLOEXEC)", code: errno) }
        return FileDescriptor(adopting: copy)
    }

    /// O_NONBLOCK belongs to the open file, which others may share: prefer per-call flags for passed descriptors.
    package borrowing func setNonBlocking(_ on: Bool) throws(SystemError) {
        try checked("fcntl(F_SETFL)", cp_set_nonblocking(number, on ? 1 : 0))
    }

    package borrowing func setCloseOnExec(_ on: Bool) throws(SystemError) {
        try checked("fcntl(F_SETFD)", cp_set_cloexec(number, on ? 1 : 0))
    }
}

extension FileDescriptor {
    /// Reads once (read(2)); 0 bytes mean the end. Throws EAGAIN on an empty non-blocking descriptor.
    package borrowing func read(into buffer: inout [UInt8]) throws(SystemError) -> Int {
        let number = number
        return try retrying("read") {
            unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, $0.count) }
        }
    }

    /// Appends at most `count` bytes to `buffer` with one read(2), without an intermediate copy and without touching memory that is not
    /// filled; answers how many came (0: end of file).
    package borrowing func read(appendingTo buffer: inout [UInt8], atMost count: Int) throws(SystemError) -> Int {
        let number = number
        return try retrying("read") {
            var got = 0
            buffer.append(addingCapacity: count) { (room: inout OutputSpan<UInt8>) in
                unsafe room.withUnsafeMutableBufferPointer { bytes, filled in
                    got = unsafe Glibc.read(number, bytes.baseAddress, count)
                    filled = max(got, 0)
                }
            }
            return got
        }
    }

    /// Reads at a position of a file (pread(2)); answers how many bytes were there.
    package borrowing func read(into buffer: inout [UInt8], at offset: Int64) throws(SystemError) -> Int {
        let number = number
        return try retrying("pread") {
            unsafe buffer.withUnsafeMutableBytes { unsafe pread(number, $0.baseAddress, $0.count, off_t(offset)) }
        }
    }

    /// Appends at most `count` bytes from a position of a file to `buffer` (pread(2)), as the above; answers how many came.
    package borrowing func read(appendingTo buffer: inout [UInt8], atMost count: Int, at offset: Int64) throws(SystemError) -> Int {
        let number = number
        return try retrying("pread") {
            var got = 0
            buffer.append(addingCapacity: count) { (room: inout OutputSpan<UInt8>) in
                unsafe room.withUnsafeMutableBufferPointer { bytes, filled in
                    got = unsafe pread(number, bytes.baseAddress, count, off_t(offset))
                    filled = max(got, 0)
                }
            }
            return got
        }
    }

    /// Writes once (write(2)); answers how many bytes were taken.
    package borrowing func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let number = number
        return try retrying("write") { unsafe bytes.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) } }
    }

    /// Writes all bytes to a blocking descriptor.
    package borrowing func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(try write(rest)) }
    }

    /// The whole content of a file from its start, at most `limit` bytes; throws EFBIG above that.
    package borrowing func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let got = try read(appendingTo: &content, atMost: 16_384)
            if got == 0 { return content }
            if content.count > limit { throw SystemError(call: "read", code: EFBIG) }
        }
    }

    /// fsync(2): content and size are on disk when it returns.
    package borrowing func synchronize() throws(SystemError) {
        let number = number
        _ = try retrying("fsync") { Int(fsync(number)) }
    }
}
