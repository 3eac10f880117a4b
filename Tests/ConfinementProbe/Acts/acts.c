#define _GNU_SOURCE
#include "Acts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// The kernel headers of the build machine may be older than the calls.
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

typedef const char *Argument;
#define ACT(name, ...) \
    static int64_t name(Argument a) { \
        (void)a; \
        int64_t result_ = (int64_t)(__VA_ARGS__); \
        return result_ < 0 ? -errno : result_; \
    }
#define CALL(name, number, ...) ACT(name, syscall(number, ##__VA_ARGS__))
static int number(Argument a) { return a ? atoi(a) : getpid(); }
static char page[4096] __attribute__((aligned(4096)));

// -- network and sockets
ACT(socket_inet, socket(AF_INET, SOCK_STREAM, 0))
ACT(socket_inet_datagram, socket(AF_INET, SOCK_DGRAM, 0))
ACT(socket_inet6, socket(AF_INET6, SOCK_STREAM, 0))
ACT(socket_unix, socket(AF_UNIX, SOCK_STREAM, 0))
ACT(socket_netlink, socket(AF_NETLINK, SOCK_RAW, 0))
ACT(socket_packet, socket(17, SOCK_RAW, 0))
ACT(socketpair_datagram, ({ int pair[2]; socketpair(AF_UNIX, SOCK_DGRAM, 0, pair); }))
static struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = 0x0900, .sin_addr.s_addr = 0x0100007f};
ACT(connect_, connect(0, (struct sockaddr *)&loopback, sizeof loopback))
ACT(bind_, bind(0, (struct sockaddr *)&loopback, sizeof loopback))
ACT(listen_, listen(0, 1))
ACT(accept_, accept4(0, NULL, NULL, 0))
ACT(setsockopt_, ({ int one = 1; setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); }))
ACT(sendto_, sendto(0, "", 0, 0, (struct sockaddr *)&loopback, sizeof loopback))

// -- programs, processes, namespaces
ACT(execve_, ({ char *const none[] = {"true", NULL}; execve("/bin/true", none, none + 1); }))
ACT(execveat_, ({ char *const none[] = {"true", NULL}; syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none + 1, 0); }))
static int64_t child_of(long pid) {
    if (pid == 0) _exit(0);
    if (pid < 0) return -errno;
    int status;
    waitpid((pid_t)pid, &status, __WALL);
    return 0;
}
static int64_t fork_(Argument a) { (void)a; return child_of(fork()); }
static int64_t clone_thread(Argument a) { (void)a; return child_of(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)); }
static int64_t clone_namespace(Argument a) { (void)a; return child_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }
static int64_t clone_network(Argument a) { (void)a; return child_of(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)); }
CALL(clone3_, SYS_clone3, page, 88)
CALL(unshare_, SYS_unshare, CLONE_NEWUSER)
CALL(setns_, SYS_setns, 0, 0)
CALL(ptrace_attach, SYS_ptrace, PTRACE_SEIZE, number(a), 0, 0)
CALL(ptrace_me, SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)
CALL(kill_, SYS_kill, number(a), SIGTERM)
CALL(kill_all, SYS_kill, -1, 0)
CALL(kill_group, SYS_kill, -number(a), SIGTERM)
CALL(kill_stop, SYS_kill, number(a), SIGSTOP)
CALL(tgkill_, SYS_tgkill, number(a), number(a), SIGTERM)
CALL(pidfd_open_, SYS_pidfd_open, number(a), 0)
CALL(pidfd_getfd_, SYS_pidfd_getfd, 0, 0, 0)
CALL(pidfd_send_signal_, SYS_pidfd_send_signal, 0, 0, 0, 0)
CALL(process_vm_readv_, SYS_process_vm_readv, number(a), 0, 0, 0, 0, 0)
CALL(process_vm_writev_, SYS_process_vm_writev, number(a), 0, 0, 0, 0, 0)
CALL(kcmp_, SYS_kcmp, number(a), number(a), 0, 0, 0)
CALL(setpriority_, SYS_setpriority, PRIO_PROCESS, number(a), 5)
CALL(sched_setaffinity_, SYS_sched_setaffinity, number(a), 8, page)
ACT(sigaction_, signal(SIGSYS, SIG_DFL) == SIG_ERR ? -1 : 0)
CALL(sigqueue_, SYS_rt_sigqueueinfo, number(a), 0, page)

// -- files
ACT(open_, open(a, O_RDONLY | O_CLOEXEC))
ACT(open_write, open(a, O_RDWR | O_CLOEXEC))
ACT(create_, open(a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600))
CALL(open2, SYS_openat2, AT_FDCWD, a, &(struct open_how){.flags = O_RDONLY | O_CLOEXEC}, sizeof(struct open_how))
CALL(open2_write, SYS_openat2, AT_FDCWD, a, &(struct open_how){.flags = O_RDWR | O_CLOEXEC}, sizeof(struct open_how))
CALL(create2, SYS_openat2, AT_FDCWD, a, &(struct open_how){.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, .mode = 0600}, sizeof(struct open_how))
ACT(list_, open(a, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
ACT(stat_, ({ struct stat found; stat(a, &found); }))
CALL(mkdir_, SYS_mkdirat, AT_FDCWD, a, 0700)
ACT(rmdir_, unlinkat(AT_FDCWD, a, AT_REMOVEDIR))
ACT(unlink_, unlinkat(AT_FDCWD, a, 0))
CALL(rename_, SYS_renameat2, AT_FDCWD, a, AT_FDCWD, "stolen", 0)
CALL(exchange_, SYS_renameat2, AT_FDCWD, a, AT_FDCWD, a, 2)
CALL(touch_, SYS_utimensat, AT_FDCWD, a, 0, 0)
ACT(link_, linkat(AT_FDCWD, a, AT_FDCWD, "stolen", 0))
ACT(symlink_, symlinkat("/etc/passwd", AT_FDCWD, a))
ACT(mknod_device, mknodat(AT_FDCWD, a, S_IFCHR | 0600, makedev(1, 3)))
ACT(mkfifo_, mkfifoat(AT_FDCWD, a, 0600))
ACT(mksocket, mknodat(AT_FDCWD, a, S_IFSOCK | 0600, 0))
CALL(truncate_, SYS_truncate, a, 0)
ACT(chmod_, fchmodat(AT_FDCWD, a, 0777, 0))
ACT(chown_, fchownat(AT_FDCWD, a, 0, 0, 0))
ACT(fchown_owner, fchown(0, 0, 0))
CALL(setxattr_, SYS_setxattr, a, "user.x", "", 0, 0)
CALL(chroot_, SYS_chroot, "/")
CALL(chdir_, SYS_chdir, "/")
CALL(mount_, SYS_mount, "none", "/", "tmpfs", 0, 0)
CALL(umount_, SYS_umount2, "/nonexistent", 0)
CALL(pivot_root_, SYS_pivot_root, "/", "/")
CALL(fsopen_, SYS_fsopen, "tmpfs", 0)
CALL(mount_setattr_, SYS_mount_setattr, 0, 0, 0, 0, 0)
CALL(inotify_, SYS_inotify_init1, 0)
CALL(fanotify_, SYS_fanotify_init, 0, 0)
CALL(open_by_handle, SYS_open_by_handle_at, AT_FDCWD, 0, 0)
CALL(ioctl_, SYS_ioctl, 0, 0x5401, page)
CALL(memfd, SYS_memfd_create, "x", 0)
CALL(flock_, SYS_flock, 0, 8)

// -- identity, capabilities, limits
CALL(setuid_, SYS_setuid, 0)
CALL(setresuid_, SYS_setresuid, 0, 0, 0)
CALL(setgid_, SYS_setgid, 0)
CALL(setgroups_, SYS_setgroups, 0, 0)
static int64_t capset_(Argument a) {
    (void)a;
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 0}, {0, 0, 0}};
    return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}
ACT(raise_limit, ({ struct rlimit limit = {1 << 20, 1 << 20}; setrlimit(RLIMIT_NPROC, &limit); }))
ACT(raise_descriptors, ({ struct rlimit limit = {1 << 30, 1 << 30}; setrlimit(RLIMIT_NOFILE, &limit); }))
CALL(limits_of_other, SYS_prlimit64, 1, RLIMIT_NOFILE, 0, page)
ACT(prctl_dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
ACT(prctl_keepcaps, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
ACT(prctl_ptracer, prctl(PR_SET_PTRACER, -1, 0, 0, 0))
ACT(prctl_name, prctl(PR_SET_NAME, "init", 0, 0, 0))
CALL(seccomp_listener, SYS_seccomp, 1, 8, page)
CALL(seccomp_strict, SYS_seccomp, 0, 0, 0)
CALL(personality_, SYS_personality, 0x0040000)
CALL(setsid_, SYS_setsid)
CALL(keyctl_, SYS_keyctl, 0, 0, 0)
CALL(add_key_, SYS_add_key, "user", "x", "y", 1, -3)

// -- memory
static int64_t mapped(void *memory) { return memory == MAP_FAILED ? -errno : 0; }
static int64_t mmap_executable(Argument a) { (void)a; return mapped(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); }
static int64_t mmap_shared(Argument a) { (void)a; return mapped(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)); }
static int64_t mmap_shared_read(Argument a) { (void)a; return mapped(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0)); }
static int64_t mmap_shared_validate(Argument a) { (void)a; return mapped(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE, 0, 0)); }
ACT(mprotect_executable, mprotect(page, sizeof page, PROT_READ | PROT_EXEC))
CALL(madvise_, SYS_madvise, page, sizeof page, 12)
CALL(shmget_, SYS_shmget, 0, 4096, 0600 | 01000)
CALL(msgget_, SYS_msgget, 0, 0600 | 01000)
CALL(userfaultfd_, SYS_userfaultfd, 0)

// -- the kernel and the machine
CALL(io_uring, SYS_io_uring_setup, 1, page)
CALL(bpf_, SYS_bpf, 0, page, 64)
CALL(perf, SYS_perf_event_open, page, 0, -1, -1, 0)
CALL(init_module_, SYS_init_module, page, 0, "")
CALL(kexec, SYS_kexec_load, 0, 0, 0, 0)
CALL(reboot_, SYS_reboot, 0, 0, 0, 0) // with wrong magic numbers: EINVAL for whom the call is permitted
CALL(swapon_, SYS_swapon, "/nonexistent", 0)
CALL(sethostname_, SYS_sethostname, "", -1) // a wrong length
CALL(settime, SYS_clock_settime, 99, page) // a clock that does not exist
CALL(syslog_, SYS_syslog, 10, 0, 0)
CALL(unknown, 999)

// -- other tables of system calls
#ifdef __x86_64__
CALL(arch_prctl_, SYS_arch_prctl, 0x1002, 0)
CALL(modify_ldt_, SYS_modify_ldt, 0, 0, 0)
CALL(iopl_, SYS_iopl, 3)
CALL(x32, 0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0)
static int64_t i386(Argument a) {
    (void)a;
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory"); // getpid of the 32-bit table
    return result;
}
#endif

static const struct { const char *name; int64_t (*perform)(Argument); } acts[] = {
    {"socket-inet", socket_inet}, {"socket-inet-datagram", socket_inet_datagram}, {"socket-inet6", socket_inet6}, {"socket-unix", socket_unix},
    {"socket-netlink", socket_netlink}, {"socket-packet", socket_packet}, {"socketpair-datagram", socketpair_datagram}, {"connect", connect_},
    {"bind", bind_}, {"listen", listen_}, {"accept", accept_}, {"setsockopt", setsockopt_}, {"sendto", sendto_}, {"execve", execve_},
    {"execveat", execveat_}, {"fork", fork_}, {"clone-thread", clone_thread}, {"clone-user-namespace", clone_namespace},
    {"clone-network-namespace", clone_network}, {"clone3", clone3_}, {"unshare", unshare_}, {"setns", setns_}, {"ptrace-attach", ptrace_attach},
    {"ptrace-me", ptrace_me}, {"kill", kill_}, {"kill-all", kill_all}, {"kill-group", kill_group}, {"kill-stop", kill_stop}, {"tgkill", tgkill_},
    {"pidfd_open", pidfd_open_}, {"pidfd_getfd", pidfd_getfd_}, {"pidfd_send_signal", pidfd_send_signal_},
    {"process_vm_readv", process_vm_readv_}, {"process_vm_writev", process_vm_writev_}, {"kcmp", kcmp_}, {"setpriority", setpriority_},
    {"sched_setaffinity", sched_setaffinity_}, {"sigaction", sigaction_}, {"sigqueue", sigqueue_}, {"open", open_}, {"open-write", open_write},
    {"create", create_}, {"openat2", open2}, {"openat2-write", open2_write}, {"openat2-create", create2}, {"list", list_}, {"stat", stat_},
    {"mkdir", mkdir_}, {"rmdir", rmdir_}, {"unlink", unlink_}, {"rename", rename_}, {"exchange", exchange_}, {"touch", touch_}, {"link", link_}, {"symlink", symlink_},
    {"mknod", mknod_device}, {"mkfifo", mkfifo_}, {"mksocket", mksocket}, {"truncate", truncate_}, {"chmod", chmod_}, {"chown", chown_},
    {"fchown-owner", fchown_owner}, {"setxattr", setxattr_}, {"chroot", chroot_}, {"chdir", chdir_}, {"mount", mount_}, {"umount", umount_},
    {"pivot_root", pivot_root_}, {"fsopen", fsopen_}, {"mount_setattr", mount_setattr_}, {"inotify", inotify_}, {"fanotify", fanotify_},
    {"open_by_handle_at", open_by_handle}, {"ioctl", ioctl_}, {"memfd_create", memfd}, {"flock", flock_}, {"setuid", setuid_},
    {"setresuid", setresuid_}, {"setgid", setgid_}, {"setgroups", setgroups_}, {"capset", capset_}, {"raise-processes", raise_limit},
    {"raise-descriptors", raise_descriptors}, {"limits-of-another", limits_of_other}, {"prctl-dumpable", prctl_dumpable},
    {"prctl-keepcaps", prctl_keepcaps}, {"prctl-ptracer", prctl_ptracer}, {"prctl-name", prctl_name}, {"seccomp-listener", seccomp_listener},
    {"seccomp-strict", seccomp_strict}, {"personality", personality_}, {"setsid", setsid_}, {"keyctl", keyctl_}, {"add_key", add_key_},
    {"mmap-executable", mmap_executable}, {"mmap-shared", mmap_shared}, {"mmap-shared-read", mmap_shared_read},
    {"mmap-shared-validate", mmap_shared_validate}, {"mprotect-executable", mprotect_executable}, {"madvise-mergeable", madvise_},
    {"shmget", shmget_}, {"msgget", msgget_}, {"userfaultfd", userfaultfd_}, {"io_uring_setup", io_uring}, {"bpf", bpf_},
    {"perf_event_open", perf}, {"init_module", init_module_}, {"kexec_load", kexec}, {"reboot", reboot_}, {"swapon", swapon_},
    {"sethostname", sethostname_}, {"clock_settime", settime}, {"syslog", syslog_}, {"unknown", unknown},
#ifdef __x86_64__
    {"arch_prctl", arch_prctl_}, {"modify_ldt", modify_ldt_}, {"iopl", iopl_}, {"x32", x32}, {"i386", i386},
#endif
};

int64_t act_perform(const char *name, const char *argument) {
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (!strcmp(acts[i].name, name)) return acts[i].perform(argument);
    return INT64_MIN;
}
const char *act_name(int index) { return (size_t)index < sizeof acts / sizeof *acts ? acts[index].name : NULL; }
const char *act_error_name(int code) { return strerrorname_np(code); }
