/// What a mail worker tells the watcher of its user id.
package enum WorkerToWatcher: Message {
    /// A directory to be watched, open for reading; at most 8 of a session.
    case directory
    /// The last `changed` was read; what happens from now on is to be told again.
    case seen

    package static var channel: String { "WorkerToWatcher" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .directory
        case 2: .seen
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .directory: 1
        case .seen: 2
        }
    }

    package var name: String {
        switch self {
        case .directory: "directory"
        case .seen: "seen"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .directory: 1
        case .seen: 0
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {}
}

/// What the watcher tells a mail worker.
package enum WatcherToWorker: Message {
    /// Something happened in one of its directories; not told again before `seen`.
    case changed

    package static var channel: String { "WatcherToWorker" }

    package static func prototype(_ kind: UInt16) -> Self? { kind == 1 ? .changed : nil }

    package var kind: UInt16 { 1 }
    package var name: String { "changed" }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {}
}
