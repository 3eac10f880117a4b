/// What a mail worker tells the watcher of its user id.
package enum WorkerToWatcher: Message {
    /// A directory to be watched, open for reading; at most 512 of a session. Each is answered with `watching` before the next one is sent.
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
    /// Something happened in directories of its; not told again before `seen`.
    case changed(ChangedDirectories)
    /// Answer to `directory`.
    case watching(WatchedDirectory)

    package static var channel: String { "WatcherToWorker" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .changed(ChangedDirectories())
        case 2: .watching(WatchedDirectory())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .changed: 1
        case .watching: 2
        }
    }

    package var name: String {
        switch self {
        case .changed: "changed"
        case .watching: "watching"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .changed(var fields):
            try fields.visit(&visitor)
            self = .changed(fields)
        case .watching(var fields):
            try fields.visit(&visitor)
            self = .watching(fields)
        }
    }
}

/// Which directories changed, by the order in which they were sent.
package struct ChangedDirectories: Fields {
    /// A bit for each directory, the lowest of the first byte for the first one; empty: any may have changed.
    package var which: [UInt8]

    /// Directories of one session: two for each mailbox that NOTIFY watches, and those with the names.
    package static let limit = 512

    package init() { which = [] }

    package init(_ numbers: some Sequence<Int>) {
        which = []
        for number in numbers {
            while which.count <= number / 8 { which.append(0) }
            which[number / 8] |= 1 << UInt8(number % 8)
        }
    }

    package var numbers: [Int] { (0..<which.count * 8).filter { which[$0 / 8] >> UInt8($0 % 8) & 1 == 1 } }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bytes(&which, "which", atMost: Self.limit / 8)
    }
}

/// What became of a directory that was sent.
package struct WatchedDirectory: Fields {
    /// False: too many, or the kernel refuses; the session looks by itself now and then.
    package var isWatched = false

    package init() {}
    package init(isWatched: Bool) { self.isWatched = isWatched }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) { try visitor.bool(&isWatched, "isWatched") }
}
