package import Platform

/// Tells when something changes in directories: an inotify instance of one's own, or somebody who watches for many sessions.
package protocol ChangeWatch: AnyObject {
    /// Readable when something happened.
    var number: Int32 { get }
    /// Watches the directory behind a descriptor, which stays the caller's.
    func watch(_ directory: Int32) throws(SystemError)
    /// What happened is about to be looked at: the descriptor is quiet again until something happens after this.
    /// False: this watch is of no use any more.
    func wasRead() -> Bool
}

/// An inotify instance of this process.
final class OwnWatch: ChangeWatch {
    private let inotify: DirectoryWatch

    init() throws(SystemError) { inotify = try DirectoryWatch() }

    var number: Int32 { inotify.descriptor.number }

    func watch(_ directory: Int32) throws(SystemError) { try inotify.watch(directory) }

    func wasRead() -> Bool {
        inotify.drain()
        return true
    }
}
