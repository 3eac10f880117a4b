/// Cuts what arrives on a stream into lines that end with LF, each within a limit.
struct LineBuffer {
    private var pending: [UInt8] = []
    private var start = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        if start > 0, start == pending.count {
            pending.removeAll(keepingCapacity: true)
            start = 0
        }
        pending.append(contentsOf: bytes)
    }

    enum Outcome: Equatable {
        case line([UInt8])
        case needsMore
        /// The line is longer than its limit: the connection is of no use any more.
        case tooLong
    }

    /// The next whole line, without its end.
    mutating func next() -> Outcome {
        guard let end = pending[start...].firstIndex(of: 0x0A) else {
            let rest = pending.count - start
            if start > 0 {
                pending.removeFirst(start)
                start = 0
            }
            return rest > limit ? .tooLong : .needsMore
        }
        guard end - start <= limit else { return .tooLong }
        let line = Array(pending[start..<end])
        start = end + 1
        return .line(line)
    }
}
