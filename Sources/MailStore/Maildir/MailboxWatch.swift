internal import Platform

/// Notices changes of a mailbox's directories.
final class MailboxWatch {
    let watch: DirectoryWatch

    init(_ folder: MaildirFolder) throws(SystemError) {
        watch = try DirectoryWatch()
        try watch.watch(folder.new.directory)
        try watch.watch(folder.cur.directory)
    }
}

extension MaildirMailbox {
    func startWatching() -> Int32? {
        if directoryWatch == nil {
            do throws(SystemError) { directoryWatch = try MailboxWatch(folder) } catch {
                store.options.log(.debug, error.description)
            }
        }
        return directoryWatch?.watch.descriptor.number
    }

    func watchWasRead() { directoryWatch?.watch.drain() }

    func stopWatching() { directoryWatch = nil }
}
