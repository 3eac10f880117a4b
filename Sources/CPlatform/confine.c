#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHECK(call) ({ int r_ = (call); r_ < 0 ? -errno : r_; })

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

const int cp_pr_set_dumpable = PR_SET_DUMPABLE, cp_pr_set_pdeathsig = PR_SET_PDEATHSIG,
          cp_pr_set_no_new_privs = PR_SET_NO_NEW_PRIVS, cp_pr_set_mdwe = PR_SET_MDWE, cp_pr_set_securebits = PR_SET_SECUREBITS,
          cp_pr_capbset_drop = PR_CAPBSET_DROP, cp_pr_capbset_read = PR_CAPBSET_READ, cp_pr_cap_ambient = PR_CAP_AMBIENT,
          cp_pr_cap_ambient_clear_all = PR_CAP_AMBIENT_CLEAR_ALL, cp_pr_set_name = PR_SET_NAME,
          cp_pr_get_dumpable = PR_GET_DUMPABLE, cp_pr_get_no_new_privs = PR_GET_NO_NEW_PRIVS, cp_pr_get_mdwe = PR_GET_MDWE;

int cp_chroot(const char *path) { return chroot(path) < 0 || chdir("/") < 0 ? -errno : 0; }

void cp_free(void *memory) { free(memory); }

int cp_prctl(int option, unsigned long a, unsigned long b) { return CHECK(prctl(option, a, b, 0UL, 0UL)); }

int cp_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return CHECK((int)syscall(SYS_capset, &head, data));
}

int cp_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &head, data) < 0) return -errno;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int cp_setgroups(const uint32_t *groups, size_t count) { return CHECK(setgroups(count, groups)); }
int cp_setresgid(uint32_t gid) { return CHECK(setresgid(gid, gid, gid)); }
int cp_setresuid(uint32_t uid) { return CHECK(setresuid(uid, uid, uid)); }
int cp_ids(uint32_t out[6]) {
    if (getresuid(&out[0], &out[1], &out[2]) < 0 || getresgid(&out[3], &out[4], &out[5]) < 0) return -errno;
    return 0;
}
int cp_groups(uint32_t *out, size_t room) {
    int count = getgroups(0, NULL);
    if (count < 0) return -errno;
    return (size_t)count > room || count == 0 ? count : CHECK(getgroups((int)room, out));
}

// The kernel headers of the build machine may be older than the running kernel.
struct ruleset_attributes { uint64_t handled_access_fs, handled_access_net, scoped; };

int cp_landlock_abi(void) { return CHECK((int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)); }

int cp_landlock_ruleset(uint64_t fs, uint64_t net, uint64_t scoped) {
    struct ruleset_attributes attributes = {fs, net, scoped};
    size_t size = scoped ? 24 : net ? 16 : 8;
    return CHECK((int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
}

int cp_landlock_allow(int ruleset, uint64_t access, int parent_fd) {
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = parent_fd};
    return CHECK((int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

int cp_landlock_restrict(int ruleset) { return CHECK((int)syscall(SYS_landlock_restrict_self, ruleset, 0)); }

int cp_seccomp_load(const void *program, uint16_t count) {
    struct sock_fprog filter = {count, (struct sock_filter *)program};
    return CHECK((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

// -- the report of a forbidden system call ---------------------------------------------------------
enum { NAME_SIZE = 24, PREFIX_SIZE = 512 };
static const char *trap_names;
static int trap_names_count;
static int trap_fd = -1;
static char trap_prefix[PREFIX_SIZE + 64];
static size_t trap_prefix_length;

void cp_trap_names(const char *names, int count) { trap_names = names, trap_names_count = count; }

static void trap(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    size_t at = trap_prefix_length;
    int call = info->si_syscall;
    if (call >= 0 && call < trap_names_count && trap_names[call * NAME_SIZE]) {
        const char *name = trap_names + call * NAME_SIZE;
        for (int i = 0; i < NAME_SIZE && name[i]; i++) trap_prefix[at++] = name[i];
    } else {
        char digits[12];
        int count = 0;
        unsigned value = (unsigned)call;
        do digits[count++] = (char)('0' + value % 10), value /= 10;
        while (value);
        trap_prefix[at++] = '#';
        while (count) trap_prefix[at++] = digits[--count];
    }
    struct iovec part = {trap_prefix, at};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    sendmsg(trap_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT); // every filter permits sendmsg
    cp_guard_run(); // abort(3) ends here; where a file can be set, unlinkat is permitted
    _exit(159); // 128 + SIGSYS: the parent treats it as death by that signal
}

int cp_trap_install(int fd, const void *prefix, size_t length) {
    if (length > PREFIX_SIZE) return -EINVAL;
    memcpy(trap_prefix, prefix, length);
    trap_prefix_length = length;
    trap_fd = fd;
    struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    return CHECK(sigaction(SIGSYS, &action, NULL));
}
