internal import IPCProtocol
internal import MailStore
internal import Platform

/// The watcher of this session's user id, as a mailbox sees it.
final class RemoteWatch: ChangeWatch {
    private let watcher: Channel
    private var directories: Int32 = 0
    /// What was told while an answer to something else was waited for.
    private var pending = ChangedDirectorySet()

    /// How long the watcher may take to answer, in milliseconds.
    private static let patience: Int32 = 2_000

    init(_ watcher: Channel) { self.watcher = watcher }

    var number: Int32 { watcher.number }
    var hasMore: Bool { pending.isEverything || !pending.numbers.isEmpty }

    func watch(_ directory: Int32) throws(SystemError) -> Int32 {
        do {
            try watcher.send(WorkerToWatcher.directory, descriptors: [directory])
            // One at a time: the kernel counts descriptors that nobody has received yet.
            while try !Wait.any([.init(watcher.number, .readable)], milliseconds: Self.patience)[0].isEmpty {
                guard let received = try watcher.receive(WatcherToWorker.self) else { continue }
                switch received.message {
                case .changed(let changed):
                    note(changed)
                    try watcher.send(WorkerToWatcher.seen)
                case .watching(let answer):
                    guard answer.isWatched else { throw SystemError(call: "watcher: refused", code: Self.noSpace) }
                    directories += 1
                    return directories - 1
                }
            }
        } catch let error as SystemError {
            throw error
        } catch {
            throw SystemError(call: "watcher: \(error)", code: Self.brokenPipe)
        }
        throw SystemError(call: "watcher: no answer", code: Self.brokenPipe)
    }

    private static let noSpace: Int32 = 28
    private static let brokenPipe: Int32 = 32

    private func note(_ changed: ChangedDirectories) {
        if changed.which.isEmpty { pending.isEverything = true }
        pending.numbers.formUnion(changed.numbers.lazy.map { Int32(truncatingIfNeeded: $0) })
    }

    func wasRead() -> ChangedDirectorySet? {
        do throws(ChannelError) {
            while let received = try watcher.receive(WatcherToWorker.self) {
                if case .changed(let changed) = received.message { note(changed) }
            }
            try watcher.send(WorkerToWatcher.seen)
        } catch { return nil }
        defer { pending = ChangedDirectorySet() }
        return pending
    }
}
