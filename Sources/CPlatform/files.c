#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHECK(call) ({ int r_ = (call); r_ < 0 ? -errno : r_; })

const int cp_o_path = O_PATH, cp_o_tmpfile = O_TMPFILE, cp_at_empty_path = AT_EMPTY_PATH;

int cp_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, int resolve_beneath) {
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .mode = mode,
        .resolve = resolve_beneath ? RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS : 0,
    };
    for (;;) {
        long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        if (errno != EINTR && errno != EAGAIN) return -errno;
    }
}

ssize_t cp_getdents(int fd, void *buffer, size_t size) {
    long got = syscall(SYS_getdents64, fd, buffer, size);
    return got < 0 ? -errno : got;
}

int cp_memfd(const char *name) { return CHECK(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)); }
int cp_memfd_seal(int fd) { return CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)); }
int cp_memfd_sealed(int fd) {
    int seals = fcntl(fd, F_GET_SEALS);
    int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    return seals >= 0 && (seals & wanted) == wanted;
}

int cp_fcntl_flags(int fd) { return CHECK(fcntl(fd, F_GETFL)); }
int cp_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return CHECK(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}
int cp_set_cloexec(int fd, int on) { return CHECK(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0)); }
