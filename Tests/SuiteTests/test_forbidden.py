"""What each kind of process may not do: the probe enters its confinement as the process itself does, and does it.

One test per act, on the release build (`.build/release/confinement-probe`); PROFILES says who the probe becomes, ACTS what must come of it.
"""

import os
import platform
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import culver
from suite import needs, only_culver, only_root

PROBE = os.path.join(os.environ.get("SUITE_BUILD", os.path.join(culver.ROOT, ".build", "release")), "confinement-probe")
PREFIX = "forbidden: "
FORBIDDEN = 159  # the status of a process whose filter's handler ended it: 128 + SIGSYS


class Place:
    """Directories of two users with the same uid, and what the other profiles need; a process to try things on."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="culver-probe-")
        os.chmod(self.folder, 0o755)
        vmail = pwd.getpwnam("vmail")
        for name in ("empty", "logs", "passwords", "alice", "bob"):
            os.mkdir(self.path(name), 0o755)
            os.chmod(self.path(name), 0o755)
        for user in ("alice", "bob"):
            with open(self.path(user, "message"), "w") as file:
                file.write("for %s only\n" % user)
            for path in (self.path(user), self.path(user, "message")):
                os.chown(path, vmail.pw_uid, vmail.pw_gid)
        with open(self.path("passwords", "passwd"), "w") as file:
            file.write("alice:{PLAIN}x\n")
        with open(self.path("roots"), "w") as file:
            file.write("belongs to root\n")
        self.victim = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def close(self):
        self.victim.kill()
        self.victim.wait()
        shutil.rmtree(self.folder, True)


def account(name):
    entry = pwd.getpwnam(name)
    return ["uid=%d" % entry.pw_uid, "gid=%d" % entry.pw_gid]


# Who the probe becomes; {} is the place's folder.
PROFILES = {
    "anvil": ("dovecot", ["chroot={}/empty"]),
    "log": ("root", ["rule=log:{}/logs", "rule=read:/dev/log"]),
    "config": ("root", []),
    "auth": ("dovecot", ["rule=read:{}/passwords"]),
    "login-zygote": ("dovenull", ["chroot={}/empty"]),
    "login-worker": ("dovenull", ["chroot={}/empty"]),
    "mail-zygote": ("root", []),
    "mail-worker": ("vmail", ["rule=mail:{}/alice"]),
    "mail-watcher": ("vmail", []),
}
MASTER = ("root", [])
STRANGERS = ("anvil", "login-zygote", "login-worker")  # in an empty root directory
MAIL = ("mail-zygote", "mail-worker")
ZYGOTES = ("login-zygote", "mail-zygote")


def but(**outcomes):
    """Exceptions by profile: underscores stand for hyphens, `mail` and `zygotes` for both of theirs."""
    found = {}
    for key, outcome in outcomes.items():
        group = {"mail": MAIL, "zygotes": ZYGOTES, "strangers": STRANGERS}.get(key, (key.replace("_", "-"),))
        found.update(dict.fromkeys(group, outcome))
    return found


NEVER = but(master="EPERM")  # taken away from master too, whose children inherit it

# Act (with its argument: {} is the folder, {victim} a process of root's) -> what comes of it, exceptions by profile.
# A name of a system call means: killed by the filter, which names that call. EPERM, EACCES, …: refused. "did": permitted, and why stands beside it.
ACTS = {
    # network
    "socket-inet": ("socket", {}),
    "socket-inet-datagram": ("socket", {}),
    "socket-inet6": ("socket", {}),
    "socket-unix": ("socket", {}),  # log may make datagram sockets only, for syslog
    "socket-netlink": ("socket", {}),
    "socket-packet": ("socket", {}),
    "socketpair-datagram": ("socketpair", {}),
    "connect": ("connect", but(log="ENOTSOCK")),  # to syslog; it can make no socket that leads elsewhere
    "bind": ("bind", {}),
    "listen": ("listen", {}),
    # those that own listeners; 0 is /dev/null here
    "accept": ("accept4", but(anvil="ENOTSOCK", auth="ENOTSOCK", log="ENOTSOCK", login_zygote="ENOTSOCK")),
    "setsockopt": ("setsockopt", {}),
    "sendto": ("sendto", {}),
    # programs, processes, namespaces
    "execve": ("execve", {}),
    "execveat": ("execveat", {}),
    "fork": ("clone", but(zygotes="did")),  # what they are for
    "clone-thread": ("clone", {}),
    "clone-user-namespace": ("clone", NEVER),
    "clone-network-namespace": ("clone", NEVER),
    "clone3": ("ENOSYS", but(master="ENOSYS")),
    "unshare": ("unshare", NEVER),
    "setns": ("setns", NEVER),
    "ptrace-attach={victim}": ("ptrace", NEVER),
    "ptrace-me": ("ptrace", NEVER),
    # a zygote of login is bound to its own children by Landlock; that of mail has CAP_KILL for workers of any uid
    "kill={victim}": ("kill", but(login_zygote="EPERM", mail_zygote="did")),
    "kill-all": ("kill", {}),
    "kill-group=999999": ("kill", {}),
    "kill-stop={victim}": ("kill", {}),
    "tgkill={victim}": ("tgkill", {}),
    "pidfd_open={victim}": ("pidfd_open", {}),
    "pidfd_getfd": ("pidfd_getfd", NEVER),
    "pidfd_send_signal": ("pidfd_send_signal", {}),
    "process_vm_readv={victim}": ("process_vm_readv", NEVER),
    "process_vm_writev={victim}": ("process_vm_writev", NEVER),
    "kcmp={victim}": ("kcmp", NEVER),
    "setpriority={victim}": ("setpriority", {}),
    "sched_setaffinity={victim}": ("sched_setaffinity", {}),
    "sigaction": ("rt_sigaction", {}),  # nobody can take the report of SIGSYS away
    "sigqueue={victim}": ("rt_sigqueueinfo", {}),
    # files. EACCES where openat is not permitted at all: libraries try it and survive
    "open=/etc/passwd": ("EACCES", but(config="did", strangers="EACCES")),  # config reads what the administrator names
    "open=/etc/shadow": ("EACCES", but(config="did", strangers="EACCES")),
    "open={}/bob/message": ("EACCES", but(config="did", mail_zygote="did")),  # its workers are every user's
    "open={}/..": ("EACCES", but(config="did", mail_zygote="did")),
    "open={}": ("EACCES", but(config="did", mail_zygote="did")),
    "open=/proc/1/environ": ("EACCES", {}),
    "open-write=/etc/passwd": ("EACCES", but(auth="openat", config="openat", mail="openat", mail_watcher="openat")),
    "open-write=/proc/{victim}/mem": ("EACCES", but(auth="openat", config="openat", mail="openat", mail_watcher="openat")),
    "create={}/new": ("EACCES", but(auth="openat", config="openat", mail="openat", mail_watcher="openat")),
    "openat2=/etc/passwd": ("openat2", but(mail="EACCES")),
    "openat2=/etc/shadow": ("openat2", but(mail="EACCES")),
    "openat2={}/bob/message": ("openat2", but(mail_zygote="did", mail_worker="EACCES")),
    "openat2-write=/etc/passwd": ("openat2", but(mail="EACCES")),
    "openat2-write=/dev/null": ("openat2", but(mail="EACCES")),
    "openat2-write=/proc/{victim}/mem": ("openat2", but(mail="EACCES")),
    "openat2-create=/root/new": ("openat2", but(mail="EACCES")),
    "openat2-create={}/bob/new": ("openat2", but(mail="EACCES")),
    "list=/etc": ("EACCES", but(config="did")),
    "list={}/bob": ("EACCES", but(config="did", mail_zygote="did")),
    # Landlock does not hide that a file exists; an empty root directory does
    "stat=/etc/passwd": ("did", but(strangers="EACCES", log="did", mail_watcher="EACCES")),
    "mkdir={}/bob/folder": ("mkdirat", but(mail="EACCES")),
    "mkdir=/etc/folder": ("mkdirat", but(mail="EACCES")),
    "rmdir=/etc/ssl": ("unlinkat", but(mail="EACCES")),
    "unlink={}/bob/message": ("unlinkat", but(mail="EACCES")),
    "rename={}/bob/message": ("renameat2", but(mail="EACCES")),
    "exchange={}/bob/message": ("renameat2", {}),
    "touch={}/bob/message": ("utimensat", {}),  # Landlock would not mind
    "link={}/bob/message": ("linkat", but(mail_zygote="EPERM", mail_worker="EACCES")),
    "symlink={}/alice/link": ("symlinkat", {}),
    "mknod={}/alice/device": ("mknodat", {}),
    "mkfifo={}/alice/fifo": ("mknodat", {}),
    "mksocket={}/alice/socket": ("mknodat", {}),
    "truncate={}/bob/message": ("truncate", {}),
    "chmod={}/bob/message": ("fchmodat", {}),
    "chown={}/bob/message": ("fchownat", {}),
    "fchown-owner": ("fchown", {}),
    "setxattr={}/bob/message": ("setxattr", {}),
    "chroot": ("chroot", {}),
    "chdir": ("chdir", {}),
    "mount": ("mount", NEVER),
    "umount": ("umount2", NEVER),
    "pivot_root": ("pivot_root", NEVER),
    "fsopen": ("fsopen", NEVER),
    "mount_setattr": ("mount_setattr", NEVER),
    "inotify": ("inotify_init1", but(mail="did", mail_watcher="did")),  # changes by other sessions; Landlock does not bind watches, which tell names only
    "fanotify": ("fanotify_init", NEVER),
    "open_by_handle_at": ("open_by_handle_at", NEVER),
    "ioctl": ("ioctl", {}),
    "memfd_create": ("memfd_create", but(config="did")),  # each service's settings
    "flock": ("flock", but(mail="did")),
    # identity, capabilities, limits
    "setuid": ("setuid", {}),
    "setresuid": ("setresuid", but(mail_zygote="did")),  # its workers become their users
    "setgid": ("setgid", {}),
    "setgroups": ("setgroups", but(mail_zygote="did")),
    "capset": ("capset", but(mail_zygote="EPERM")),
    "raise-processes": ("prlimit64", but(zygotes="EPERM")),
    "raise-descriptors": ("prlimit64", but(zygotes="EPERM")),
    "limits-of-another": ("prlimit64", {}),
    "prctl-dumpable": ("prctl", but(mail_zygote="did")),  # its workers prove theirs; they inherit 0 and cannot change it
    "prctl-keepcaps": ("prctl", {}),
    "prctl-ptracer": ("prctl", {}),
    "prctl-name": ("prctl", {}),
    "seccomp-listener": ("seccomp", {}),
    "seccomp-strict": ("seccomp", {}),
    "personality": ("personality", NEVER),
    "setsid": ("setsid", {}),
    "keyctl": ("keyctl", NEVER),
    "add_key": ("add_key", NEVER),
    # memory
    "mmap-executable": ("mmap", {}),
    "mmap-shared": ("mmap", {}),
    "mmap-shared-read": ("mmap", {}),
    "mmap-shared-validate": ("mmap", {}),
    "mprotect-executable": ("mprotect", {}),
    "madvise-mergeable": ("madvise", {}),
    "shmget": ("EACCES", {}),
    "msgget": ("msgget", {}),
    "userfaultfd": ("userfaultfd", NEVER),
    # the kernel and the machine
    "io_uring_setup": ("io_uring_setup", NEVER),
    "bpf": ("bpf", NEVER),
    "perf_event_open": ("perf_event_open", NEVER),
    "init_module": ("init_module", NEVER),
    "kexec_load": ("kexec_load", NEVER),
    "reboot": ("reboot", NEVER),
    "swapon": ("swapon", NEVER),
    "sethostname": ("sethostname", NEVER),
    "clock_settime": ("clock_settime", NEVER),
    "syslog": ("syslog", NEVER),
    "unknown": ("ENOSYS", but(master="ENOSYS")),  # a newer C library must fall back
}
if platform.machine() == "x86_64":
    ACTS.update({
        "arch_prctl": ("arch_prctl", {}),
        "modify_ldt": ("modify_ldt", NEVER),
        "iopl": ("iopl", NEVER),
        "x32": ("ENOSYS", but(master="ENOSYS")),
        "i386": ("another table", but(master="another table")),
    })


class Probing(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(PROBE):
            raise AssertionError("%s is not built: run \"make build\" first" % PROBE)
        cls.place = Place()
        cls.addClassCleanup(cls.place.close)

    def fill(self, text):
        return text.replace("{victim}", str(self.place.victim.pid)).replace("{}", self.place.folder)

    def command(self, profile, act, user=None, arguments=None):
        known = PROFILES.get(profile, MASTER)
        arguments = known[1] if arguments is None else arguments
        return [PROBE, profile, self.fill(act), *account(user or known[0]), *map(self.fill, arguments)]

    def outcome(self, profile, act, **how):
        """`did`, the name of an error, or the name of the system call that the filter killed it for."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            done = subprocess.run(self.command(profile, act, **how), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
                                  env={}, cwd="/", timeout=20)
            ours.setblocking(False)
            try:
                report = ours.recv(4096).decode()
            except BlockingIOError:
                report = ""
        said = done.stdout.decode().strip()
        if done.returncode == FORBIDDEN and report.startswith(PREFIX):
            self.assertEqual(said, "")
            return report[len(PREFIX):]
        # the kernel itself ends who speaks to another table of calls; a worker's zygote tells it as 128 + n
        if done.returncode in (-signal.SIGSYS, 128 + signal.SIGSYS) and not report:
            return "another table"
        self.assertEqual(done.returncode, 0, (said, report))
        return said.removeprefix("failed ")


@only_root
@only_culver
class Forbidden(Probing):
    def test_every_act_of_the_probe_stands_in_the_table(self):
        listed = set(subprocess.run([PROBE, "list"], capture_output=True, text=True, check=True).stdout.split())
        self.assertEqual(listed, {act.split("=")[0] for act in ACTS})


def made(act, expected, exceptions):
    def test(self):
        for profile in [*PROFILES, *(["master"] if "master" in exceptions else [])]:
            with self.subTest(profile):
                self.assertEqual(self.outcome(profile, act), exceptions.get(profile, expected))
    test.__doc__ = act
    return test


for act_, (expected_, exceptions_) in ACTS.items():
    setattr(Forbidden, "test_" + re.sub(r"\W+", "_", act_).strip("_"), made(act_, expected_, exceptions_))


@only_root
@only_culver
class TwoUsersOfOneUID(Probing):
    """A mail worker of alice and one of bob, both vmail: neither can do anything to the other."""

    def setUp(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(ours.close)
        with theirs:
            self.bob = subprocess.Popen(self.command("mail-worker", "wait", arguments=["rule=mail:{}/bob"]), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=theirs, env={}, cwd="/")
        self.addCleanup(self.end)
        self.worker = int(self.bob.stdout.readline().split()[1])
        with open("/proc/%d/status" % self.worker) as file:
            status = dict(line.split(":", 1) for line in file)
        self.assertEqual(status["Uid"].split(), [str(pwd.getpwnam("vmail").pw_uid)] * 4)

    def end(self):
        self.bob.stdin.close()
        self.assertEqual(self.bob.wait(10), 0, "bob's worker was harmed")
        self.bob.stdout.close()

    def each(self, acts, profile):
        for act, expected in acts.items():
            with self.subTest(act):
                act = act.replace("{worker}", str(self.worker))
                self.assertEqual(self.outcome(profile, act, user="vmail", arguments=["rule=mail:{}/alice"]), expected)

    def test_the_session_itself(self):
        self.each({
            "open={}/alice/message": "did",  # or the rest proves nothing
            "open={}/bob/message": "EACCES",
            "openat2-write={}/bob/message": "EACCES",
            "openat2-create={}/bob/new": "EACCES",
            "list={}/bob": "EACCES",
            "unlink={}/bob/message": "EACCES",
            "rename={}/bob/message": "EACCES",
            "link={}/bob/message": "EACCES",
            "mkdir={}/bob/folder": "EACCES",
            "mkdir={}/folder": "EACCES",
            "openat2-create={}/new": "EACCES",
            "list={}": "EACCES",
            "open=/proc/{worker}/environ": "EACCES",
            "open=/proc/{worker}/maps": "EACCES",
            "list=/proc/{worker}/fd": "EACCES",
            "openat2-write=/proc/{worker}/mem": "EACCES",
            "list=/proc/{worker}/root": "EACCES",
            "kill={worker}": "kill",
            "tgkill={worker}": "tgkill",
            "ptrace-attach={worker}": "ptrace",
            "process_vm_readv={worker}": "process_vm_readv",
            "pidfd_open={worker}": "pidfd_open",
            "limits-of-another={worker}": "prlimit64",
        }, "mail-worker")

    def test_landlock_alone_would_keep_them_apart(self):
        """The same without the filter: two walls, each of which stands by itself."""
        self.each({
            "open={}/alice/message": "did",
            "open={}/bob/message": "EACCES",
            "create={}/bob/new": "EACCES",
            "list={}/bob": "EACCES",
            "unlink={}/bob/message": "EACCES",
            "truncate={}/bob/message": "EACCES",
            "symlink={}/alice/link": "EACCES",
            "mkfifo={}/alice/fifo": "EACCES",
            "mksocket={}/alice/socket": "EACCES",
            "execve": "EACCES",
            "connect": "ENOTSOCK",
            "open=/proc/{worker}/environ": "EACCES",
            "open-write=/proc/{worker}/mem": "EACCES",
            "kill={worker}": "EPERM",
            "kill-stop={worker}": "EPERM",
            "tgkill={worker}": "EPERM",
            "sigqueue={worker}": "EPERM",
        }, "mail-worker-without-filter")

    def test_a_worker_that_is_not_dumpable_belongs_to_root(self):
        self.assertEqual(os.stat("/proc/%d/mem" % self.worker).st_uid, 0)
        vmail = pwd.getpwnam("vmail")
        for name in ("mem", "environ", "fd", "root"):
            with self.subTest(name):
                # somebody with the same uid and no confinement at all
                done = subprocess.run(["ls" if name in ("fd", "root") else "cat", "/proc/%d/%s%s" % (self.worker, name, "/" * (name == "root"))],
                                      user=vmail.pw_uid, group=vmail.pw_gid, extra_groups=[], capture_output=True, text=True)
                self.assertIn("Permission denied", done.stderr)


@only_root
@only_culver
@needs("strace")
class Order(Probing):
    """security.md 4: each step where it still can be done, the filter last."""

    def calls(self, profile):
        """(name, arguments) of each system call of the last process of the probe, in order."""
        with tempfile.TemporaryDirectory(prefix="culver-strace-") as folder:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs:
                subprocess.run(["strace", "-ff", "-s", "200", "-o", os.path.join(folder, "t"), *self.command(profile, "stat=/")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, env={"PATH": os.environ["PATH"]},
                               cwd="/", timeout=30)
            traces = sorted(os.listdir(folder), key=lambda name: int(name.split(".")[1]))
            with open(os.path.join(folder, traces[-1])) as file:
                return re.findall(r"^(\w+)\((.*)$", file.read(), re.M)

    def assertOrder(self, profile, steps):
        calls = self.calls(profile)
        text = ["%s(%s" % call for call in calls]
        last = -1
        for step in steps:
            found = [index for index, line in enumerate(text) if re.match(step, line)]
            self.assertTrue(found, "%s never happens:\n%s" % (step, "\n".join(text)))
            self.assertGreater(found[0], last, "%s comes too early:\n%s" % (step, "\n".join(text)))
            last = found[-1]
        return text

    IDENTITY = [
        r"prctl\(PR_CAPBSET_DROP, .*= 0", r"prctl\(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL.*= 0", r"prctl\(PR_SET_SECUREBITS.*= 0",
        r"setgroups\(.*= 0", r"setresgid\(.*= 0", r"setresuid\((?!0, ).*= 0", r"capset\(.*= 0", r"prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\).*= 0",
        r"prctl\(PR_SET_NO_NEW_PRIVS, 1.*= 0", r"prctl\((PR_SET_MDWE|0x41)", r"getresuid\(", r"setresuid\(0, 0, 0\) += -1 EPERM",
    ]
    LANDLOCK = [r"landlock_create_ruleset\((?!NULL).*= \d", r"landlock_restrict_self\(.*= 0"]
    FILTER = [r"seccomp\(SECCOMP_SET_MODE_FILTER.*= 0"]

    def test_a_chrooted_service(self):
        text = self.assertOrder("anvil", [r"prlimit64\(0, RLIMIT_NPROC", r"chroot\(", *self.IDENTITY, *self.LANDLOCK, *self.FILTER])
        self.assertLess(next(i for i, line in enumerate(text) if line.startswith("chroot(")),
                        next(i for i, line in enumerate(text) if line.startswith("chdir(\"/\")")))

    def test_a_login_zygote(self):
        self.assertOrder("login-zygote", [r"chroot\(", *self.IDENTITY, *self.LANDLOCK, *self.FILTER])

    def test_a_login_worker_takes_its_limits_then_its_filter(self):
        self.assertOrder("login-worker", [r"close_range\(", r"prlimit64\(0, RLIMIT_NOFILE, \{", r"prlimit64\(0, RLIMIT_NPROC, \{", *self.FILTER])

    def test_auth(self):
        self.assertOrder("auth", [r"prlimit64\(0, RLIMIT_NPROC", *self.IDENTITY, *self.LANDLOCK, *self.FILTER])

    def test_a_mail_zygote(self):
        steps = [step for step in self.IDENTITY if "EPERM" not in step and "(?!0, )" not in step]
        self.assertOrder("mail-zygote", [*steps, *self.LANDLOCK, *self.FILTER])

    def test_a_mail_worker(self):
        identity = [step for step in self.IDENTITY if "CAPBSET_DROP" not in step]  # its zygote's bounding set has four left
        text = self.assertOrder(
            "mail-worker", [r"close_range\(", r"prctl\(PR_CAPBSET_DROP, CAP_SETUID\) += 0", *identity, *self.LANDLOCK, *self.FILTER])
        after = text[[i for i, line in enumerate(text) if line.startswith("seccomp(")][-1] + 1:]
        self.assertEqual([line.split("(")[0] for line in after if not line.startswith(("newfstatat", "write", "exit_group"))], [])

    def test_a_mail_watcher(self):
        identity = [step for step in self.IDENTITY if "CAPBSET_DROP" not in step]
        text = self.assertOrder(
            "mail-watcher", [r"close_range\(", r"prctl\(PR_CAPBSET_DROP, CAP_SETUID\) += 0", *identity, *self.LANDLOCK, *self.FILTER])
        self.assertEqual([line for line in text if line.startswith("landlock_add_rule(")], [], "nothing is left to open")

    def test_master_takes_its_filter_last(self):
        steps = [r"prctl\(PR_CAPBSET_DROP, .*= 0", r"capset\(.*= 0", r"prctl\(PR_SET_DUMPABLE.*= 0", r"prctl\(PR_SET_NO_NEW_PRIVS, 1.*= 0"]
        text = self.assertOrder("master", [*steps, *self.FILTER])
        self.assertEqual([line for line in text if line.startswith("prctl(PR_SET_SECUREBITS")], [], "its children need their capabilities at exec")
