internal import Deflate
internal import IMAPSyntax
internal import Platform

/// The connection to the client: one output buffer, reads and writes that wait with poll(2) and give up in time.
final class ClientStream {
    private let client: FileDescriptor
    private let control: ControlChannel?
    private let pauseMilliseconds: Int64
    /// Answers on their way; written before the session waits for input, and when they are many.
    var out = ResponseWriter()
    private var received: [UInt8] = []
    private(set) var bytesIn: Int64 = 0
    private(set) var bytesOut: Int64 = 0
    private var deflater: Deflater?
    private var inflater: Inflater?
    /// A write ended in the middle: whatever is said now would be taken for a part of something else.
    private(set) var isBroken = false

    /// The buffer is written when it is longer than this many bytes.
    static let flushSize = 98_304
    /// Bytes of one read(2).
    private static let readSize = 8_192

    /// A session that is silent for so long rests.
    private static let restMilliseconds: Int64 = 500

    /// What made a wait end.
    enum Wake { case input, other, timeout }

    /// Called when the client has been silent for a while.
    var whenResting: () -> Void = {}

    init(_ client: consuming FileDescriptor, control: ControlChannel?, pauseMilliseconds: Int64) throws(SessionEnd) {
        self.client = client
        self.control = control
        self.pauseMilliseconds = pauseMilliseconds
        do throws(SystemError) { try self.client.setNonBlocking(true) } catch { throw .connectionClosed(error.reason) }
    }

    /// Counts bytes that came with the hand-over.
    func count(received bytes: Int) { bytesIn += Int64(bytes) }

    /// Writes what is in `out`.
    func flush() throws(SessionEnd) {
        guard out.count > 0 else { return }
        defer { out.removeAll() }
        try write(out.bytes[...])
    }

    /// Writes what is in `out`, then all of a writer built elsewhere, and empties both.
    func send(_ writer: inout ResponseWriter) throws(SessionEnd) {
        try flush()
        try write(writer.bytes[...])
        writer.removeAll()
    }

    var isCompressing: Bool { deflater != nil }

    /// Everything from now on is compressed, both ways (RFC 4978).
    func startCompression() throws(SessionEnd) {
        try flush()
        deflater = Deflater()
        inflater = Inflater()
        if deflater == nil || inflater == nil { throw .connectionClosed("no memory for compression") }
    }

    /// Counts what is said, not what it takes on the wire.
    private func write(_ bytes: ArraySlice<UInt8>) throws(SessionEnd) {
        if bytes.isEmpty { return }
        bytesOut += Int64(bytes.count)
        guard let deflater else { return try writePlain(bytes) }
        var compressed: [UInt8] = []
        deflater.compress(bytes, into: &compressed)
        try writePlain(compressed[...])
    }

    private func writePlain(_ bytes: ArraySlice<UInt8>) throws(SessionEnd) {
        if isBroken { throw .connectionClosed("") }
        isBroken = true
        var rest = bytes
        while !rest.isEmpty {
            do throws(SystemError) {
                let count = try client.write(rest)
                rest = rest.dropFirst(count)
            } catch {
                guard error.isWouldBlock else { throw .connectionClosed(error.code == 0 ? "" : error.reason) }
                try waitUntilWritable()
            }
        }
        isBroken = false
    }

    private func waitUntilWritable() throws(SessionEnd) {
        let deadline = Clock.milliseconds + pauseMilliseconds
        while true {
            let left = deadline - Clock.milliseconds
            guard left > 0 else { throw .connectionClosed("client does not read") }
            var interests = [Wait.Interest(client.number, .writable)]
            if let control { interests.append(Wait.Interest(control.number, .readable)) }
            let ready = try poll(interests, left)
            if ready.count > 1, !ready[1].isEmpty { try readControl() }
            if !ready[0].isEmpty { return }
        }
    }

    /// Waits for input, for `other` to become readable, or for the end of the time. Writes what is in `out` first.
    func wait(orFor other: Int32? = nil, milliseconds: Int64) throws(SessionEnd) -> Wake {
        try flush()
        if inflater?.isWaiting ?? false { return .input }
        let deadline = Clock.milliseconds + milliseconds
        var isResting = false
        while true {
            let left = max(0, deadline - Clock.milliseconds)
            var interests = [Wait.Interest(client.number, .readable)]
            if let control { interests.append(Wait.Interest(control.number, .readable)) }
            if let other { interests.append(Wait.Interest(other, .readable)) }
            let ready = try poll(interests, isResting ? left : min(left, Self.restMilliseconds))
            if control != nil, !ready[1].isEmpty { try readControl() }
            if !ready[0].isEmpty { return .input }
            if !isResting, ready.allSatisfy({ $0.isEmpty }) {
                isResting = true
                rest()
                continue
            }
            if other != nil, let last = ready.last, !last.isEmpty { return .other }
            if left == 0 { return .timeout }
        }
    }

    /// Most sessions do nothing most of the time: what the last commands needed goes back to the system.
    private func rest() {
        received = []
        out = ResponseWriter()
        whenResting()
        Heap.release()
    }

    /// Reads what the client sent, at least one byte. Only after `wait` answered `.input`; a false alarm brings nothing.
    func read() throws(SessionEnd) -> ArraySlice<UInt8> {
        received.removeAll(keepingCapacity: true)
        if inflater?.isWaiting ?? false { return try inflated() }
        do throws(SystemError) {
            let count = try client.read(appendingTo: &received, atMost: Self.readSize)
            guard count > 0 else { throw SystemError(call: "read", code: 0) }
        } catch {
            if error.isWouldBlock { return [] }
            throw .connectionClosed(error.code == 0 ? "" : error.reason)
        }
        guard let inflater else {
            bytesIn += Int64(received.count)
            return received[...]
        }
        inflater.feed(received[...])
        return try inflated()
    }

    /// A piece of what the client compressed.
    private func inflated() throws(SessionEnd) -> ArraySlice<UInt8> {
        received.removeAll(keepingCapacity: true)
        guard let inflater, inflater.next(into: &received, atMost: Self.readSize) else {
            throw .connectionClosed("broken compressed data")
        }
        bytesIn += Int64(received.count)
        return received[...]
    }

    private func poll(_ interests: [Wait.Interest], _ milliseconds: Int64) throws(SessionEnd) -> [Readiness] {
        do throws(SystemError) {
            return try Wait.any(interests, milliseconds: Int32(clamping: milliseconds))
        } catch {
            throw .connectionClosed(error.reason)
        }
    }

    private func readControl() throws(SessionEnd) {
        switch control?.read() {
        case .shutDown: throw .shuttingDown
        case .kick: throw .kicked
        default: break
        }
    }
}
