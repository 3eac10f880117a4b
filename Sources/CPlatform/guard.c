#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CHECK(call) ({ int r_ = (call); r_ < 0 ? -errno : r_; })

static volatile sig_atomic_t guarded_fd = -1;
static char guarded_name[64];

void cp_guard_run(void) {
    int fd = guarded_fd;
    guarded_fd = -1;
    if (fd >= 0) unlinkat(fd, guarded_name, 0);
}

static void crashed(int number, siginfo_t *info, void *context) {
    (void)context;
    cp_guard_run();
    // The default action is back (SA_RESETHAND): an instruction that faulted runs again, and abort(3) goes on.
    if (info->si_code > 0 || (number == SIGABRT && info->si_code == SI_TKILL)) return;
    // Somebody sent it. No filter lets a process send signals to itself, but every one lets it fault.
    *(volatile int *)8 = number;
}

int cp_guard_install(const char *name) {
    if (strlen(name) >= sizeof guarded_name) return -EINVAL;
    strcpy(guarded_name, name);
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};
    struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_RESETHAND};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int result = CHECK(sigaction(numbers[i], &action, NULL));
        if (result < 0) return result;
    }
    return 0;
}

void cp_guard_set(int fd) { guarded_fd = fd; }
