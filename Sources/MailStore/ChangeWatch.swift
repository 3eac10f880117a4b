package import Platform

/// Tells when something changes in directories: an inotify instance of one's own, or somebody who watches for many sessions.
package protocol ChangeWatch: AnyObject {
    /// Readable when something happened.
    var number: Int32 { get }
    /// Watches the directory behind a descriptor, which stays the caller's. Answers by which number `wasRead` names it: the same for the same
    /// directory, or another.
    @discardableResult func watch(_ directory: Int32) throws(SystemError) -> Int32
    /// Something happened that `number` does not show any more; `wasRead` tells it.
    var hasMore: Bool { get }
    /// What happened is about to be looked at: the descriptor is quiet again until something happens after this.
    /// Nil: this watch is of no use any more.
    func wasRead() -> ChangedDirectorySet?
}

/// Directories in which something happened, by the numbers that `watch` gave them.
package struct ChangedDirectorySet {
    /// Events were lost: any may have changed.
    package var isEverything = false
    package var numbers: Set<Int32> = []

    package init() {}
}

/// An inotify instance of this process.
final class OwnWatch: ChangeWatch {
    private let inotify: DirectoryWatch

    init() throws(SystemError) { inotify = try DirectoryWatch() }

    var number: Int32 { inotify.descriptor.number }

    var hasMore: Bool { false }

    func watch(_ directory: Int32) throws(SystemError) -> Int32 { try inotify.watch(directory) }

    func wasRead() -> ChangedDirectorySet? {
        var changed = ChangedDirectorySet()
        while true {
            let events = inotify.events()
            if events.isEmpty { return changed }
            for event in events {
                if event.watch < 0 { changed.isEverything = true } else { changed.numbers.insert(event.watch) }
            }
        }
    }
}
