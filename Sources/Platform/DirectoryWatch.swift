internal import CPlatform
internal import Glibc

/// Tells when entries of directories come, go or are renamed (inotify(7)).
/// The kernel allows few of these per uid (128 by default): not having one is no error for its user.
package struct DirectoryWatch: ~Copyable {
    /// Readable when something happened.
    package let descriptor: FileDescriptor

    package init() throws(SystemError) { descriptor = FileDescriptor(adopting: try checked("inotify_init1", cp_inotify())) }

    package borrowing func watch(_ directory: borrowing Directory) throws(SystemError) {
        try checked("inotify_add_watch", cp_inotify_watch_directory(descriptor.number, directory.descriptor.number))
    }

    /// Reads and forgets what happened, so that the descriptor is quiet again.
    package borrowing func drain() { _ = cp_inotify_drain(descriptor.number) }
}
