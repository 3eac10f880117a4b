// Files beneath a directory's descriptor. A name is `length` bytes without NUL; the functions that
// take one name (not a path) refuse `/`, `.` and `..`, so they never leave their directory.
// Each returns 0 (or a non-negative number) or -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cp_file_status {
    int64_t size, mtime_ns, ctime_ns, atime_ns;
    uint64_t inode, device;
    uint32_t mode, uid, gid;
    uint64_t links;
};

/// Opens a directory by path, symbolic links allowed: for roots that the administrator named.
int cp_open_directory(const char *path);
/// Opens a path of plain parts beneath `directory` (openat2, no links at all); `flags` as of open(2).
int cp_open_beneath(int directory, const uint8_t *path, size_t length, uint64_t flags, uint32_t mode);
extern const uint64_t cp_o_read_file, cp_o_read_directory, cp_o_create_file, cp_o_append_file;

/// Of the file that a path leads to, links followed.
int cp_status_of_path(const char *path, struct cp_file_status *out);
int cp_status_of(int fd, struct cp_file_status *out);
/// Does not follow a symbolic link.
int cp_status_at(int directory, const uint8_t *name, size_t length, struct cp_file_status *out);
// The same of `name` in the directory `folder`; that one may be a symbolic link: the caller asks.
int cp_status_in(int directory, const uint8_t *folder, size_t folder_length, const uint8_t *name, size_t length, struct cp_file_status *out);
/// `replace` 0: refuses with -EEXIST when the target is there.
int cp_rename_at(int from, const uint8_t *old, size_t old_length, int to, const uint8_t *new_name, size_t new_length, int replace);
int cp_link_at(int from, const uint8_t *old, size_t old_length, int to, const uint8_t *new_name, size_t new_length);
int cp_unlink_at(int directory, const uint8_t *name, size_t length, int is_directory);
int cp_mkdir_at(int directory, const uint8_t *name, size_t length, uint32_t mode);
/// Sets the modification time in ns since 1970; the access time becomes now.
int cp_set_mtime(int fd, int64_t mtime_ns);
int cp_set_atime_now(int fd);
int cp_fchmod(int fd, uint32_t mode);
int cp_fchown_group(int fd, uint32_t gid);
int cp_fsync(int fd);
int cp_fdatasync(int fd);
int cp_rewind(int fd);
int cp_truncate(int fd, int64_t size);
/// Waits for an exclusive lock of the open file (flock(2)).
int cp_flock_exclusive(int fd);
/// The same without waiting: -EWOULDBLOCK when somebody has it.
int cp_flock_try(int fd);
/// Shared with other holders, without waiting: -EWOULDBLOCK when somebody has it alone.
int cp_flock_try_shared(int fd);
int cp_flock_release(int fd);
/// 1: the process exists (or may not be signalled), 0: there is none.
int cp_process_exists(int pid);
int cp_sleep_ns(int64_t ns);

/// Watching directories for changes (inotify(7)); non-blocking, close-on-exec.
int cp_inotify(void);
/// Watches the directory behind `fd` for entries that come, go, or are renamed.
int cp_inotify_watch_directory(int inotify, int fd);
/// Ends the watch of that number.
int cp_inotify_forget(int inotify, int watch);
enum { CP_INOTIFY_EVENTS = 256 };
/// `watch` -1: events were lost, look at everything. `is_gone`: this watch has ended.
struct cp_inotify_event { int32_t watch; int32_t is_gone; };
/// Reads what has happened, at most CP_INOTIFY_EVENTS; their count, 0: nothing (more), or -errno.
int cp_inotify_read(int inotify, struct cp_inotify_event *found);
/// Reads and forgets what has happened.
int cp_inotify_drain(int inotify);
