#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHECK(call) ({ int r_ = (call); r_ < 0 ? -errno : r_; })

const uint64_t cp_o_read_file = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
               cp_o_read_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
               cp_o_create_file = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY,
               cp_o_append_file = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

static int terminated(char out[PATH_MAX], const uint8_t *bytes, size_t length) {
    if (length == 0) return -ENOENT;
    if (length >= PATH_MAX) return -ENAMETOOLONG;
    if (memchr(bytes, 0, length)) return -EINVAL;
    memcpy(out, bytes, length);
    out[length] = 0;
    return 0;
}

static int plain_name(char out[PATH_MAX], const uint8_t *bytes, size_t length) {
    int result = terminated(out, bytes, length);
    if (result < 0) return result;
    if (strchr(out, '/') || !strcmp(out, ".") || !strcmp(out, "..")) return -EINVAL;
    return 0;
}

int cp_open_directory(const char *path) {
    for (;;) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) return fd;
        if (errno != EINTR) return -errno;
    }
}

int cp_open_beneath(int directory, const uint8_t *path, size_t length, uint64_t flags, uint32_t mode) {
    char name[PATH_MAX];
    int result = terminated(name, path, length);
    return result < 0 ? result : cp_openat2(directory, name, flags, mode, 1);
}

static void convert(const struct stat *from, struct cp_file_status *to) {
    to->size = from->st_size;
    to->mtime_ns = (int64_t)from->st_mtim.tv_sec * 1000000000 + from->st_mtim.tv_nsec;
    to->ctime_ns = (int64_t)from->st_ctim.tv_sec * 1000000000 + from->st_ctim.tv_nsec;
    to->atime_ns = (int64_t)from->st_atim.tv_sec * 1000000000 + from->st_atim.tv_nsec;
    to->inode = from->st_ino, to->device = from->st_dev;
    to->mode = from->st_mode, to->uid = from->st_uid, to->gid = from->st_gid;
    to->links = from->st_nlink;
}

int cp_status_of(int fd, struct cp_file_status *out) {
    struct stat found;
    if (fstat(fd, &found) < 0) return -errno;
    convert(&found, out);
    return 0;
}

int cp_status_of_path(const char *path, struct cp_file_status *out) {
    struct stat found;
    if (stat(path, &found) < 0) return -errno;
    convert(&found, out);
    return 0;
}

int cp_status_at(int directory, const uint8_t *bytes, size_t length, struct cp_file_status *out) {
    char name[PATH_MAX];
    struct stat found;
    int result = plain_name(name, bytes, length);
    if (result < 0) return result;
    if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    convert(&found, out);
    return 0;
}

int cp_status_in(int directory, const uint8_t *folder, size_t folder_length, const uint8_t *bytes, size_t length, struct cp_file_status *out) {
    char path[2 * PATH_MAX];
    struct stat found;
    int result = plain_name(path, folder, folder_length);
    if (result < 0) return result;
    path[folder_length] = '/';
    result = plain_name(path + folder_length + 1, bytes, length);
    if (result < 0) return result;
    if (fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    convert(&found, out);
    return 0;
}

int cp_rename_at(int from, const uint8_t *old, size_t old_length, int to, const uint8_t *new_name, size_t new_length, int replace) {
    char source[PATH_MAX], target[PATH_MAX];
    int result = plain_name(source, old, old_length);
    if (result == 0) result = plain_name(target, new_name, new_length);
    if (result < 0) return result;
    if (replace) return CHECK(renameat(from, source, to, target));
    result = CHECK(renameat2(from, source, to, target, RENAME_NOREPLACE));
    // A file system without this flag (NFS): the names are unique anyway, so this is only the second line of defence.
    if (result == -EINVAL || result == -ENOSYS) result = CHECK(renameat(from, source, to, target));
    return result;
}

int cp_link_at(int from, const uint8_t *old, size_t old_length, int to, const uint8_t *new_name, size_t new_length) {
    char source[PATH_MAX], target[PATH_MAX];
    int result = plain_name(source, old, old_length);
    if (result == 0) result = plain_name(target, new_name, new_length);
    return result < 0 ? result : CHECK(linkat(from, source, to, target, 0));
}

int cp_unlink_at(int directory, const uint8_t *bytes, size_t length, int is_directory) {
    char name[PATH_MAX];
    int result = plain_name(name, bytes, length);
    return result < 0 ? result : CHECK(unlinkat(directory, name, is_directory ? AT_REMOVEDIR : 0));
}

int cp_mkdir_at(int directory, const uint8_t *bytes, size_t length, uint32_t mode) {
    char name[PATH_MAX];
    int result = plain_name(name, bytes, length);
    return result < 0 ? result : CHECK(mkdirat(directory, name, mode));
}

int cp_set_mtime(int fd, int64_t mtime_ns) {
    int64_t seconds = mtime_ns / 1000000000, rest = mtime_ns % 1000000000;
    if (rest < 0) seconds--, rest += 1000000000;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = seconds, .tv_nsec = rest}};
    return CHECK(futimens(fd, times));
}

int cp_set_atime_now(int fd) {
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    return CHECK(futimens(fd, times));
}

int cp_fchmod(int fd, uint32_t mode) { return CHECK(fchmod(fd, mode)); }
int cp_fchown_group(int fd, uint32_t gid) { return CHECK(fchown(fd, (uid_t)-1, gid)); }
int cp_fsync(int fd) { return CHECK(fsync(fd)); }
int cp_fdatasync(int fd) { return CHECK(fdatasync(fd)); }
int cp_rewind(int fd) { return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0; }
int cp_truncate(int fd, int64_t size) { return CHECK(ftruncate(fd, size)); }
int cp_flock_exclusive(int fd) {
    int result;
    do result = CHECK(flock(fd, LOCK_EX));
    while (result == -EINTR);
    return result;
}
int cp_flock_try(int fd) { return CHECK(flock(fd, LOCK_EX | LOCK_NB)); }

int cp_flock_try_shared(int fd) { return CHECK(flock(fd, LOCK_SH | LOCK_NB)); }

int cp_flock_release(int fd) { return CHECK(flock(fd, LOCK_UN)); }

int cp_process_exists(int pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

int cp_sleep_ns(int64_t ns) {
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    return CHECK(nanosleep(&time, NULL));
}

int cp_inotify(void) { return CHECK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }

int cp_inotify_watch_directory(int inotify, int fd) {
    char path[64]; // the descriptor says which directory is meant, whatever its path is by now
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return CHECK(inotify_add_watch(inotify, path, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR));
}

int cp_inotify_forget(int inotify, int watch) { return CHECK(inotify_rm_watch(inotify, watch)); }

int cp_inotify_read(int inotify, struct cp_inotify_event *found) {
    char events[CP_INOTIFY_EVENTS * sizeof(struct inotify_event)] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t got;
    do got = read(inotify, events, sizeof events); while (got < 0 && errno == EINTR);
    if (got < 0) return errno == EAGAIN ? 0 : -errno;
    int count = 0;
    for (char *at = events; at < events + got;) {
        struct inotify_event *event = (struct inotify_event *)at;
        found[count++] = (struct cp_inotify_event){
            .watch = event->mask & IN_Q_OVERFLOW ? -1 : event->wd, .is_gone = (event->mask & IN_IGNORED) != 0};
        at += sizeof *event + event->len;
    }
    return count;
}

int cp_inotify_drain(int inotify) {
    char events[4096];
    for (;;) {
        ssize_t got = read(inotify, events, sizeof events);
        if (got > 0 || (got < 0 && errno == EINTR)) continue;
        return got < 0 && errno != EAGAIN ? -errno : 0;
    }
}
