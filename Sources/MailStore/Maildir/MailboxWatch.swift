internal import Platform

/// Notices changes of a mailbox's directories.
extension MaildirMailbox {
    func startWatching() -> Int32? {
        if changeWatch == nil {
            do throws(SystemError) {
                let watch = if let made = store.options.makeWatch() { made } else { try OwnWatch() }
                try watch.watch(folder.new.directory.descriptor.number)
                try watch.watch(folder.cur.directory.descriptor.number)
                changeWatch = watch
            } catch {
                store.options.log(.debug, error.description)
            }
        }
        return changeWatch?.number
    }

    func watchWasRead() {
        if changeWatch?.wasRead() == nil { changeWatch = nil }
    }

    func stopWatching() { changeWatch = nil }
}
