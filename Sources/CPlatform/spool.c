#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int cp_spool_create(void) {
    int fd = memfd_create("log-spool", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    // Its size can never change, so no process that maps it can be hit by SIGBUS.
    if (ftruncate(fd, sizeof(struct cp_spool)) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int result = -errno;
        close(fd);
        return result;
    }
    return fd;
}

struct cp_spool *cp_spool_map(int fd) {
    struct stat info;
    if (fstat(fd, &info) < 0 || info.st_size != sizeof(struct cp_spool)) return NULL;
    void *memory = mmap(NULL, sizeof(struct cp_spool), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return NULL;
    // What every round uses is there from the start.
    for (size_t at = 0; at < offsetof(struct cp_spool, kept); at += 4096) (void)*(volatile char *)((char *)memory + at);
    return memory;
}

struct cp_spool_slot *cp_spool_slot_at(struct cp_spool *spool, int index) { return &spool->slots[index]; }
char *cp_spool_slot_data(struct cp_spool_slot *slot) { return slot->data; }
char *cp_spool_slot_source(struct cp_spool_slot *slot) { return slot->source; }
char *cp_spool_output(struct cp_spool *spool, int file) { return spool->output[file]; }
void cp_spool_set_plan(struct cp_spool *spool, int file, uint32_t length, uint64_t before) {
    spool->length[file] = length, spool->before[file] = before;
}
void cp_spool_get_plan(struct cp_spool *spool, int file, uint32_t *length, uint64_t *before) {
    *length = spool->length[file], *before = spool->before[file];
}

ssize_t cp_spool_receive(int socket, struct cp_spool_slot *slot) {
    struct iovec part = {slot->data, sizeof slot->data - 1};
    for (;;) {
        // Room for the sender's credentials and not a byte more: descriptors that a writer attaches never get in.
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = slot->control, .msg_controllen = CMSG_SPACE(sizeof(struct ucred))};
        ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        // An empty datagram has a sender, the end of the channel has none.
        if (got == 0 && message.msg_controllen > 0) return 1;
        if (got >= 0) return got;
        if (errno != EINTR) return -errno;
    }
}

int32_t cp_spool_sender(const struct cp_spool_slot *slot) {
    struct cmsghdr head;
    memcpy(&head, slot->control, sizeof head);
    if (head.cmsg_level != SOL_SOCKET || head.cmsg_type != SCM_CREDENTIALS || head.cmsg_len < CMSG_LEN(sizeof(struct ucred))) return 0;
    struct ucred found;
    memcpy(&found, slot->control + CMSG_LEN(0), sizeof found);
    return found.pid;
}

void cp_spool_keep(struct cp_spool *spool, const void *bytes, uint32_t length) {
    if (length > CP_SPOOL_KEPT_DATA) return;
    uint32_t place = spool->kept_count % CP_SPOOL_KEPT;
    // Without a length while it is written: a process that is killed here leaves an empty entry, not half of one.
    spool->kept[place].length = 0;
    cp_spool_barrier();
    memcpy(spool->kept[place].data, bytes, length);
    cp_spool_barrier();
    spool->kept[place].length = length;
    spool->kept_count++;
}

uint32_t cp_spool_kept(struct cp_spool *spool, uint32_t age, const char **bytes) {
    if (age >= CP_SPOOL_KEPT || age >= spool->kept_count) return 0;
    uint32_t place = (spool->kept_count - 1 - age) % CP_SPOOL_KEPT, length = spool->kept[place].length;
    *bytes = spool->kept[place].data;
    return length > CP_SPOOL_KEPT_DATA ? 0 : length;
}

void cp_spool_barrier(void) { atomic_signal_fence(memory_order_seq_cst); }

int64_t cp_file_size(int fd) {
    struct stat info;
    return fstat(fd, &info) < 0 ? -errno : S_ISREG(info.st_mode) ? info.st_size : -EINVAL;
}

size_t cp_time_format(int64_t seconds, const char *format, char *out, size_t size) {
    time_t now = seconds;
    struct tm parts;
    localtime_r(&now, &parts);
    return strftime(out, size, format, &parts);
}

void cp_time_prepare(void) { tzset(); }

int cp_connect_datagram(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    socklen_t size = sizeof address;
    if (path[0] == '@') address.sun_path[0] = 0, size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length); // abstract
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (struct sockaddr *)&address, size) < 0) {
        int result = -errno;
        close(fd);
        return result;
    }
    return fd;
}
