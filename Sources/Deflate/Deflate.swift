internal import CZlib

/// Compresses what a process sends (RFC 1951, as RFC 4978 wants it: no header, no checksum).
@safe package final class Deflater {
    private let state: UnsafeMutablePointer<z_stream>

    /// Nil without memory.
    package init?() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        guard unsafe deflateInit2_(state, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
            unsafe state.deallocate()
            return nil
        }
    }

    deinit {
        _ = unsafe deflateEnd(state)
        unsafe state.deallocate()
    }

    /// Appends all of `bytes`, compressed, so that the other side can read it at once.
    package func compress(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var input = Array(bytes)
        var chunk = [UInt8](repeating: 0, count: 16_384)
        unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe state.pointee.next_in = source.baseAddress
            unsafe state.pointee.avail_in = UInt32(source.count)
            var isFull = true
            while isFull {
                unsafe chunk.withUnsafeMutableBufferPointer { target in
                    unsafe state.pointee.next_out = target.baseAddress
                    unsafe state.pointee.avail_out = UInt32(target.count)
                    _ = unsafe deflate(state, Z_SYNC_FLUSH)
                    let written = unsafe target.count - Int(state.pointee.avail_out)
                    isFull = written == target.count
                    unsafe output.append(contentsOf: target[..<written])
                }
            }
            unsafe state.pointee.next_in = nil
        }
    }
}

/// Takes apart what the other side compressed. What comes out at once is bounded, whatever went in.
@safe package final class Inflater {
    private let state: UnsafeMutablePointer<z_stream>
    private var pending: [UInt8] = []
    private var used = 0
    /// The last piece filled its room: there may be more without further input.
    private var hasMore = false

    /// Nil without memory.
    package init?() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        guard unsafe inflateInit2_(state, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe state.deallocate()
            return nil
        }
    }

    deinit {
        _ = unsafe inflateEnd(state)
        unsafe state.deallocate()
    }

    /// Takes bytes as they came.
    package func feed(_ bytes: ArraySlice<UInt8>) {
        if used == pending.count {
            pending.removeAll(keepingCapacity: true)
            used = 0
        }
        pending.append(contentsOf: bytes)
    }

    /// `next` may have something to say without `feed`.
    package var isWaiting: Bool { hasMore || used < pending.count }

    /// Appends at most `limit` octets; false when the input is no deflate stream, or its end was declared.
    package func next(into output: inout [UInt8], atMost limit: Int) -> Bool {
        var chunk = [UInt8](repeating: 0, count: limit)
        var result = Z_OK
        unsafe pending.withUnsafeMutableBufferPointer { source in
            unsafe chunk.withUnsafeMutableBufferPointer { target in
                unsafe state.pointee.next_in = source.baseAddress.map { unsafe $0 + used }
                unsafe state.pointee.avail_in = UInt32(source.count - used)
                unsafe state.pointee.next_out = target.baseAddress
                unsafe state.pointee.avail_out = UInt32(target.count)
                result = unsafe inflate(state, Z_SYNC_FLUSH)
                used = unsafe source.count - Int(state.pointee.avail_in)
                let written = unsafe target.count - Int(state.pointee.avail_out)
                hasMore = written == target.count
                unsafe output.append(contentsOf: target[..<written])
                unsafe state.pointee.next_in = nil
            }
        }
        if used == pending.count {
            pending.removeAll(keepingCapacity: pending.capacity <= 65_536)
            used = 0
        }
        // Z_BUF_ERROR: nothing to do now.
        return result == Z_OK || result == Z_BUF_ERROR
    }
}
