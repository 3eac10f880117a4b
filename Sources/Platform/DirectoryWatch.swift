internal import CPlatform
internal import Glibc

/// Tells when entries of directories come, go or are renamed (inotify(7)).
/// The kernel allows few of these per uid (128 by default): not having one is no error for its user.
package struct DirectoryWatch: ~Copyable {
    /// Readable when something happened.
    package let descriptor: FileDescriptor

    package init() throws(SystemError) { descriptor = FileDescriptor(adopting: try checked("inotify_init1", cp_inotify())) }

    /// Watches a directory by its descriptor; the number of the watch is the same for the same directory.
    @discardableResult
    package borrowing func watch(_ directory: Int32) throws(SystemError) -> Int32 {
        try checked("inotify_add_watch", cp_inotify_watch_directory(descriptor.number, directory))
    }

    package borrowing func forget(_ watch: Int32) { _ = cp_inotify_forget(descriptor.number, watch) }

    /// One thing that happened. `watch` -1: events were lost, anything may have happened. `isGone`: this watch has ended.
    package struct Event {
        package let watch: Int32
        package let isGone: Bool
    }

    /// What has happened; empty when there is no more.
    package borrowing func events() -> [Event] {
        var found = [cp_inotify_event](repeating: cp_inotify_event(), count: Int(CP_INOTIFY_EVENTS))
        let count = unsafe cp_inotify_read(descriptor.number, &found)
        return found.prefix(Int(max(0, count))).map { Event(watch: $0.watch, isGone: $0.is_gone != 0) }
    }

    /// Reads and forgets what happened, so that the descriptor is quiet again.
    package borrowing func drain() { _ = cp_inotify_drain(descriptor.number) }
}
