#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(call) ({ int r_ = (call); r_ < 0 ? -errno : r_; })

// -- event loop ----------------------------------------------------------------------------------
int cp_epoll_create(void) { return CHECK(epoll_create1(EPOLL_CLOEXEC)); }

int cp_epoll_set(int epoll, int op, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return CHECK(epoll_ctl(epoll, op, fd, &event));
}

int cp_epoll_wait(int epoll, struct cp_event *out, int count, int timeout_ms) {
    enum { BATCH = 64 };
    struct epoll_event found[BATCH];
    int got = epoll_wait(epoll, found, count < BATCH ? count : BATCH, timeout_ms);
    if (got < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < got; i++) out[i].events = found[i].events, out[i].token = found[i].data.u64;
    return got;
}

int cp_poll(const int *fds, const short *wanted, short *got, int count, int timeout_ms) {
    enum { MOST = 8 };
    struct pollfd each[MOST];
    if (count > MOST) return -EINVAL;
    for (int i = 0; i < count; i++) each[i] = (struct pollfd){fds[i], wanted[i], 0};
    int ready = poll(each, (nfds_t)count, timeout_ms);
    if (ready < 0) {
        for (int i = 0; i < count; i++) got[i] = 0;
        return errno == EINTR ? 0 : -errno;
    }
    for (int i = 0; i < count; i++) got[i] = each[i].revents;
    return ready;
}

int cp_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
    return CHECK(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cp_signalfd_read(int fd, struct cp_signal *out) {
    struct signalfd_siginfo info;
    ssize_t got = read(fd, &info, sizeof info);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    out->number = (int32_t)info.ssi_signo, out->pid = (int32_t)info.ssi_pid;
    out->uid = info.ssi_uid, out->code = info.ssi_code;
    return 1;
}

int cp_signals_reset(void) {
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    return CHECK(sigprocmask(SIG_SETMASK, &none, NULL));
}

int cp_signal_ignore(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -errno : 0; }

int64_t cp_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// -- processes -----------------------------------------------------------------------------------
int cp_fork(void) { return CHECK(fork()); }

// To descriptor 2, which is the log or a terminal. Only async-signal-safe calls.
static void report_exec(const char *path, int code) {
    const char *reason = strerrordesc_np(code);
    if (!reason) reason = "unknown error";
    struct iovec parts[] = {
        {"Fatal: execv(", 13}, {(void *)path, strlen(path)}, {") failed: ", 10}, {(void *)reason, strlen(reason)}, {"\n", 1}};
    ssize_t written = writev(2, parts, 5);
    (void)written;
}

int cp_spawn(const char *path, char *const argv[], char *const envp[], const int *fds, int count, const char *chdir_to,
             uint64_t nofile_soft) {
    int pid = fork();
    if (pid < 0) return -errno;
    if (pid > 0) return pid;
    // Only async-signal-safe calls from here on.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    cp_signals_reset();
    setpgid(0, 0);
    umask(077);
    if (chdir_to && chdir(chdir_to) < 0) _exit(84);
    // Two steps: all sources are copied to numbers above the targets before any target is overwritten.
    enum { MOST = 16 };
    int copies[MOST];
    if (count > MOST) _exit(84);
    for (int i = 0; i < count; i++) {
        copies[i] = fcntl(fds[i] < 0 ? null : fds[i], F_DUPFD, count);
        if (copies[i] < 0) _exit(84);
    }
    for (int i = 0; i < count; i++)
        if (dup2(copies[i], i) < 0) _exit(84);
    if (syscall(SYS_close_range, (unsigned)count, ~0u, 0u) < 0)
        for (int fd = count; fd < 65536; fd++) close(fd);
    if (nofile_soft) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
            limit.rlim_cur = nofile_soft < limit.rlim_max ? nofile_soft : limit.rlim_max;
            setrlimit(RLIMIT_NOFILE, &limit);
        }
    }
    execve(path, argv, envp);
    report_exec(path, errno);
    _exit(84);
}

int cp_reap(int *status) {
    int pid = waitpid(-1, status, WNOHANG);
    return pid < 0 ? (errno == ECHILD ? 0 : -errno) : pid;
}
int cp_reap_all(int timeout_ms) {
    for (int waited = 0;; waited++) {
        int pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
        if (pid < 0 && errno == ECHILD) return 1;
        if (waited >= timeout_ms) return 0;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}
int cp_status_exited(int status) { return WIFEXITED(status); }
int cp_status_code(int status) { return WEXITSTATUS(status); }
int cp_status_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
int cp_status_core(int status) { return WIFSIGNALED(status) && WCOREDUMP(status); }
void cp_exit(int code) { _exit(code); }

int cp_close_all_but(const int *keep, int count) {
    unsigned next = 3;
    for (int i = 0; i < count; i++) {
        if (keep[i] < (int)next) continue;
        if ((unsigned)keep[i] > next) syscall(SYS_close_range, next, (unsigned)keep[i] - 1, 0u);
        next = (unsigned)keep[i] + 1;
    }
    return CHECK((int)syscall(SYS_close_range, next, ~0u, 0u));
}

int cp_setsid_daemon(void) { return CHECK(setsid()); }
int cp_subreaper(void) { return CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

const int cp_rlimit_nofile = RLIMIT_NOFILE, cp_rlimit_core = RLIMIT_CORE, cp_rlimit_nproc = RLIMIT_NPROC,
          cp_rlimit_fsize = RLIMIT_FSIZE, cp_rlimit_data = RLIMIT_DATA;

int cp_rlimit_get(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) return -errno;
    *soft = limit.rlim_cur, *hard = limit.rlim_max;
    return 0;
}
int cp_rlimit_set(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit = {soft, hard};
    return CHECK(setrlimit((__rlimit_resource_t)resource, &limit));
}

// -- title ---------------------------------------------------------------------------------------
static char *title_start;
static size_t title_size;

void cp_title_init(int argc, char **argv) {
    // The kernel shows argv's memory as the command line; the strings lie one behind the other.
    char *end = argv[0] + strlen(argv[0]) + 1;
    for (int i = 1; i < argc && argv[i] == end; i++) end = argv[i] + strlen(argv[i]) + 1;
    title_start = argv[0];
    title_size = (size_t)(end - argv[0]);
}

void cp_title_set(const char *text, size_t length) {
    if (!title_start || title_size < 2) return;
    if (length > title_size - 1) length = title_size - 1;
    memcpy(title_start, text, length);
    memset(title_start + length, 0, title_size - length);
}

// -- accounts ------------------------------------------------------------------------------------
int cp_account(const char *name, uint32_t *uid, uint32_t *gid) {
    errno = 0;
    struct passwd *entry = getpwnam(name);
    if (!entry) return errno ? -errno : -ENOENT;
    *uid = entry->pw_uid, *gid = entry->pw_gid;
    return 0;
}
int cp_group(const char *name, uint32_t *gid) {
    errno = 0;
    struct group *entry = getgrnam(name);
    if (!entry) return errno ? -errno : -ENOENT;
    *gid = entry->gr_gid;
    return 0;
}
int cp_hostname(char *out, size_t size) {
    if (gethostname(out, size) < 0) return -errno;
    out[size - 1] = 0;
    return 0;
}
