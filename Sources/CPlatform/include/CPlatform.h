// What the Glibc module of Swift cannot express: variadic calls, macros, and system calls
// without a wrapper. Each function returns 0 (or a non-negative number) or -errno; none keeps
// state, but for the title area and the trap report, which the kernel and a signal handler need.
//
// Kernel powers used here: descriptor passing (SCM_RIGHTS, SCM_CREDENTIALS), epoll, signalfd,
// timerless polling, memfd and seals, openat2, close_range, prctl, capset, Landlock, seccomp.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "CFiles.h"

// -- sockets and frames ------------------------------------------------------------------------
struct cp_credentials { int32_t pid; uint32_t uid; uint32_t gid; };

int cp_socketpair_seqpacket(int out[2]);
int cp_socketpair_stream(int out[2]);
int cp_listen_unix(const char *path, int type_seqpacket, int backlog);
int cp_connect_unix(const char *path, int type_seqpacket);
/// host is a numeric IPv4 or IPv6 address.
int cp_listen_tcp(const char *host, uint16_t port, int backlog);
int cp_accept(int listener);
int cp_peer_credentials(int socket, struct cp_credentials *out);
int cp_set_passcred(int socket);
/// Sends one datagram with descriptors. Never blocks when `dontwait`; never raises SIGPIPE.
ssize_t cp_send(int socket, const void *a, size_t na, const void *b, size_t nb,
                const int *fds, size_t nfds, int dontwait);
/// Receives one datagram; `truncated` tells that the datagram or its control data was cut.
/// At most `maxfds` descriptors are stored; the kernel closes what does not fit.
ssize_t cp_receive(int socket, void *buffer, size_t size, int *fds, size_t maxfds, size_t *nfds,
                   struct cp_credentials *credentials, int *truncated, int dontwait);
/// Writes "address\0" of a socket's own (`peer` 0) or other (`peer` 1) end; returns the port or -errno. UNIX sockets: empty.
int cp_socket_name(int socket, int peer, char *out, size_t size);
/// Binary form of a numeric address: 4, 16, or 0 when it is none.
int cp_address_bytes(const char *text, uint8_t out[16]);
/// Writes "address\0" of a binary address of `count` bytes, 4 or 16; 0 when it is neither.
int cp_address_text(const uint8_t *bytes, int count, char *out, size_t size);
int cp_set_nodelay(int socket, int on);
int cp_socket_error(int socket);
/// Family of a socket (AF_*), or -errno.
int cp_socket_family(int socket);
int cp_is_listening(int socket);

// -- event loop --------------------------------------------------------------------------------
struct cp_event { uint32_t events; uint64_t token; };
int cp_epoll_create(void);
int cp_epoll_set(int epoll, int op_add_mod_del, int fd, uint32_t events, uint64_t token);
int cp_epoll_wait(int epoll, struct cp_event *out, int count, int timeout_ms);
int cp_poll(const int *fds, const short *wanted, short *got, int count, int timeout_ms);
/// Blocks the signals and returns a descriptor that reads them.
int cp_signalfd(const int *signals, int count);
struct cp_signal { int32_t number; int32_t pid; uint32_t uid; int32_t code; };
int cp_signalfd_read(int fd, struct cp_signal *out);
int cp_signals_reset(void);
int cp_signal_ignore(int number);
int64_t cp_monotonic_ns(void);

// -- processes ---------------------------------------------------------------------------------
int cp_fork(void);
/// Forks and execs `path` with planned descriptors at 0…count-1 (-1: /dev/null); all others are closed.
/// The new process is the leader of its own process group. `chdir_to` may be null.
int cp_spawn(const char *path, char *const argv[], char *const envp[], const int *fds, int count,
             const char *chdir_to, uint64_t nofile_soft);
/// Reaps one child: pid, 0 when none is ready; `status` as of waitpid(2).
int cp_reap(int *status);
/// Reaps until no child is left (1) or the time is over (0).
int cp_reap_all(int timeout_ms);
int cp_status_exited(int status);
int cp_status_code(int status);
int cp_status_signal(int status);
int cp_status_core(int status);
_Noreturn void cp_exit(int code);
int cp_close_all_but(const int *keep_sorted, int count);
int cp_setsid_daemon(void);
int cp_subreaper(void);
int cp_rlimit_get(int resource, uint64_t *soft, uint64_t *hard);
int cp_rlimit_set(int resource, uint64_t soft, uint64_t hard);
extern const int cp_rlimit_nofile, cp_rlimit_core, cp_rlimit_nproc, cp_rlimit_fsize, cp_rlimit_data;

// -- memory --
/// Before a zygote forks: gives free memory back and fills the holes of the heap, so that children do not write shared pages.
void cp_heap_settle(void);
/// Large pieces of memory are always mappings of their own. First thing in a process.
void cp_heap_prepare(void);
/// Gives memory that is free, and stack that is unused, back to the kernel.
void cp_memory_release(void);

// -- title -------------------------------------------------------------------------------------
/// Remembers the area of argv that `cp_title_set` overwrites; call once, first thing in main.
void cp_title_init(int argc, char **argv);
void cp_title_set(const char *text, size_t length);

// -- memory files ------------------------------------------------------------------------------
int cp_memfd(const char *name);
int cp_memfd_seal(int fd);
int cp_memfd_sealed(int fd);

// -- files -------------------------------------------------------------------------------------
/// openat2(2); `resolve_beneath`: RESOLVE_BENEATH | NO_SYMLINKS | NO_MAGICLINKS.
int cp_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, int resolve_beneath);
extern const int cp_o_path, cp_o_tmpfile, cp_at_empty_path;
/// Directory entries: calls getdents64 into buffer.
ssize_t cp_getdents(int fd, void *buffer, size_t size);
int cp_fcntl_flags(int fd);
int cp_set_nonblocking(int fd, int on);
int cp_set_cloexec(int fd, int on);

// -- accounts ----------------------------------------------------------------------------------
int cp_account(const char *name, uint32_t *uid, uint32_t *gid);
int cp_group(const char *name, uint32_t *gid);
int cp_hostname(char *out, size_t size);

// -- confinement -------------------------------------------------------------------------------
/// chroot(2) and chdir("/").
int cp_chroot(const char *path);
void cp_free(void *memory);
int cp_prctl(int option, unsigned long a, unsigned long b);
extern const int cp_pr_set_dumpable, cp_pr_set_pdeathsig, cp_pr_set_no_new_privs, cp_pr_set_mdwe, cp_pr_set_securebits,
    cp_pr_capbset_drop, cp_pr_capbset_read, cp_pr_cap_ambient, cp_pr_cap_ambient_clear_all, cp_pr_set_name,
    cp_pr_get_dumpable, cp_pr_get_no_new_privs, cp_pr_get_mdwe;
/// Sets permitted, effective and inheritable sets of the calling process (bit n = capability n).
int cp_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int cp_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int cp_setgroups(const uint32_t *groups, size_t count);
int cp_setresgid(uint32_t gid);
int cp_setresuid(uint32_t uid);
int cp_ids(uint32_t out[6]);
/// Number of supplementary groups; they are written to `out` when there is room for all.
int cp_groups(uint32_t *out, size_t room);
/// ABI version of Landlock, or -errno.
int cp_landlock_abi(void);
int cp_landlock_ruleset(uint64_t handled_fs, uint64_t handled_net, uint64_t scoped);
int cp_landlock_allow(int ruleset, uint64_t access, int parent_fd);
int cp_landlock_restrict(int ruleset);
/// Loads a classic BPF program (`count` instructions of 8 bytes) as this thread's filter.
int cp_seccomp_load(const void *program, uint16_t count);
/// Names for the report of a forbidden system call; `names` holds `count` entries of 24 bytes and must live for ever.
void cp_trap_names(const char *names, int count);
/// Installs the SIGSYS handler: it writes `prefix`, the name of the system call and `suffix` as one datagram to `fd` and exits with 159.
int cp_trap_install(int fd, const void *prefix, size_t prefix_length);

// -- a file that a crash removes ------------------------------------------------------------------
/// A process that dies of a fault of its own (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE) while a descriptor is set removes the file `name`
/// from the directory behind it first. Replaces other handlers of these signals.
int cp_guard_install(const char *name);
/// The directory from now on, or -1.
void cp_guard_set(int fd);
/// Removes the file now, where a directory is set: for who ends the process in another way.
void cp_guard_run(void);

// -- the log's spool -----------------------------------------------------------------------------
enum { CP_SPOOL_SLOTS = 32, CP_SPOOL_DATA = 4096, CP_SPOOL_OUTPUT = 160 * 1024, CP_SPOOL_FILES = 3, CP_SPOOL_KEPT = 1000, CP_SPOOL_KEPT_DATA = 1660 };
/// One received datagram, as the kernel left it: `data` was zero before, so its content tells that something came.
struct cp_spool_slot { char source[64]; uint32_t leader; char control[60]; char data[CP_SPOOL_DATA]; };
/// Shared between one log process and the next: what was received and what of it is being written.
struct cp_spool {
    uint32_t phase;
    uint32_t length[CP_SPOOL_FILES];
    uint64_t before[CP_SPOOL_FILES];
    struct cp_spool_slot slots[CP_SPOOL_SLOTS];
    char output[CP_SPOOL_FILES][CP_SPOOL_OUTPUT];
    // Last, and in memory only as far as it was used: the latest warnings and errors, the next at kept_count % CP_SPOOL_KEPT.
    uint32_t kept_count;
    struct { uint32_t length; char data[CP_SPOOL_KEPT_DATA]; } kept[CP_SPOOL_KEPT];
};
int cp_spool_create(void);
struct cp_spool_slot *cp_spool_slot_at(struct cp_spool *spool, int index);
char *cp_spool_slot_data(struct cp_spool_slot *slot);
char *cp_spool_slot_source(struct cp_spool_slot *slot);
char *cp_spool_output(struct cp_spool *spool, int file);
void cp_spool_set_plan(struct cp_spool *spool, int file, uint32_t length, uint64_t before);
void cp_spool_get_plan(struct cp_spool *spool, int file, uint32_t *length, uint64_t *before);
struct cp_spool *cp_spool_map(int fd);
/// Receives one datagram into the slot: its length (1 for an empty one), 0 at the end of the channel, or -errno. Never waits.
ssize_t cp_spool_receive(int socket, struct cp_spool_slot *slot);
/// pid of the slot's sender, from the control message; 0: unknown.
int32_t cp_spool_sender(const struct cp_spool_slot *slot);
void cp_spool_keep(struct cp_spool *spool, const void *bytes, uint32_t length);
/// The entry `age` places back, 0 the latest; its length, or 0 when there is none.
uint32_t cp_spool_kept(struct cp_spool *spool, uint32_t age, const char **bytes);
void cp_spool_barrier(void);
int64_t cp_file_size(int fd);
/// strftime(3) in local time; returns the length. Call `cp_time_prepare` once before confinement: it reads the time zone.
size_t cp_time_format(int64_t seconds, const char *format, char *out, size_t size);
void cp_time_prepare(void);
/// Connects a datagram socket to syslog's /dev/log.
int cp_connect_datagram(const char *path);
