internal import IPCProtocol
internal import MailStore
internal import Platform

/// The watcher of this session's user id, as a mailbox sees it.
final class RemoteWatch: ChangeWatch {
    private let watcher: Channel

    init(_ watcher: Channel) { self.watcher = watcher }

    var number: Int32 { watcher.number }

    func watch(_ directory: Int32) throws(SystemError) {
        do throws(ChannelError) { try watcher.send(WorkerToWatcher.directory, descriptors: [directory]) } catch {
            throw SystemError(call: "watcher: \(error)", code: 32)
        }
    }

    func wasRead() -> Bool {
        do throws(ChannelError) {
            while try watcher.receive(WatcherToWorker.self) != nil {}
            try watcher.send(WorkerToWatcher.seen)
            return true
        } catch { return false }
    }
}
