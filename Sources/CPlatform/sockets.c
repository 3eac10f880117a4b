#define _GNU_SOURCE
#include "CPlatform.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHECK(call) ({ int r_ = (call); r_ < 0 ? -errno : r_; })

int cp_socketpair_seqpacket(int out[2]) {
    return CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out));
}

int cp_socketpair_stream(int out[2]) {
    return CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out));
}

static int unix_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}

static int unix_socket(int type_seqpacket) {
    return CHECK(socket(AF_UNIX, (type_seqpacket ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int cp_listen_unix(const char *path, int type_seqpacket, int backlog) {
    struct sockaddr_un address;
    int result = unix_address(path, &address);
    if (result < 0) return result;
    int fd = unix_socket(type_seqpacket);
    if (fd < 0) return fd;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, backlog) < 0) {
        result = -errno;
        close(fd);
        return result;
    }
    return fd;
}

int cp_connect_unix(const char *path, int type_seqpacket) {
    struct sockaddr_un address;
    int result = unix_address(path, &address);
    if (result < 0) return result;
    int fd = unix_socket(type_seqpacket);
    if (fd < 0) return fd;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        result = -errno;
        close(fd);
        return result;
    }
    cp_set_nonblocking(fd, 0);
    return fd;
}

int cp_listen_tcp(const char *host, uint16_t port, int backlog) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int is_six = inet_pton(AF_INET6, host, &six.sin6_addr) == 1;
    if (!is_six && inet_pton(AF_INET, host, &four.sin_addr) != 1) return -EINVAL;
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (is_six) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    const struct sockaddr *address = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t size = is_six ? sizeof six : sizeof four;
    if (bind(fd, address, size) < 0 || listen(fd, backlog) < 0) {
        int result = -errno;
        close(fd);
        return result;
    }
    return fd;
}

int cp_accept(int listener) { return CHECK(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)); }

int cp_peer_credentials(int fd, struct cp_credentials *out) {
    struct ucred found;
    socklen_t size = sizeof found;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &size) < 0) return -errno;
    out->pid = found.pid, out->uid = found.uid, out->gid = found.gid;
    return 0;
}

int cp_set_passcred(int fd) {
    int one = 1;
    return CHECK(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
}

enum { MAXIMUM_DESCRIPTORS = 16 };

ssize_t cp_send(int fd, const void *a, size_t na, const void *b, size_t nb, const int *fds, size_t nfds, int dontwait) {
    struct iovec parts[2] = {{(void *)a, na}, {(void *)b, nb}};
    union { char bytes[CMSG_SPACE(sizeof(int) * MAXIMUM_DESCRIPTORS)]; struct cmsghdr align; } control;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = nb ? 2 : 1};
    if (nfds > MAXIMUM_DESCRIPTORS) return -EINVAL;
    if (nfds > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * nfds);
    }
    for (;;) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | (dontwait ? MSG_DONTWAIT : 0));
        if (sent >= 0) return sent;
        if (errno != EINTR) return -errno;
    }
}

ssize_t cp_receive(int fd, void *buffer, size_t size, int *fds, size_t maxfds, size_t *nfds,
                   struct cp_credentials *credentials, int *truncated, int dontwait) {
    struct iovec part = {buffer, size};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * MAXIMUM_DESCRIPTORS) + CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *nfds = 0;
    *truncated = 0;
    if (credentials) credentials->pid = 0;
    ssize_t got;
    do got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (dontwait ? MSG_DONTWAIT : 0));
    while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET) continue;
        if (head->cmsg_type == SCM_RIGHTS) {
            size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < count; i++) {
                int each;
                memcpy(&each, CMSG_DATA(head) + i * sizeof(int), sizeof each);
                if (*nfds < maxfds) fds[(*nfds)++] = each;
                else close(each), *truncated = 1; // more than was room for: surplus is closed, the caller ends the channel
            }
        } else if (head->cmsg_type == SCM_CREDENTIALS && credentials) {
            struct ucred found;
            memcpy(&found, CMSG_DATA(head), sizeof found);
            credentials->pid = found.pid, credentials->uid = found.uid, credentials->gid = found.gid;
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) *truncated = 1;
    return got;
}

int cp_socket_name(int fd, int peer, char *out, size_t size) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    out[0] = 0;
    if ((peer ? getpeername : getsockname)(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
    if (address.ss_family == AF_INET) {
        struct sockaddr_in *four = (struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &four->sin_addr, out, size);
        return ntohs(four->sin_port);
    }
    if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], out, size);
        else inet_ntop(AF_INET6, &six->sin6_addr, out, size);
        return ntohs(six->sin6_port);
    }
    return 0;
}

int cp_set_nodelay(int fd, int on) { return CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)); }

int cp_socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -errno;
    return -error;
}

int cp_socket_family(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
    return address.ss_family;
}

int cp_is_listening(int fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0) return -errno;
    return listening;
}

int cp_address_bytes(const char *text, uint8_t out[16]) {
    if (inet_pton(AF_INET, text, out) == 1) return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

int cp_address_text(const uint8_t *bytes, int count, char *out, size_t size) {
    if (count != 4 && count != 16) return 0;
    return inet_ntop(count == 4 ? AF_INET : AF_INET6, bytes, out, size) ? 1 : 0;
}
