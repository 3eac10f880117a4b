"""A running suite read back from /proc and compared with the table of docs: who may do what."""

import os
import pwd
import re
import signal
import time

import processes
from suite import Case, only_culver, only_root

CAPABILITIES = {name: number for number, name in enumerate(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN "
    "NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON "
    "BPF CHECKPOINT_RESTORE".split())}
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def names(mask):
    return {name for name, number in CAPABILITIES.items() if mask >> number & 1}


class Expected:
    """One row of the table."""

    def __init__(self, user, capabilities="", no_new_privs=True, chroot=False):
        self.user = user
        self.capabilities = set(capabilities.split())
        self.no_new_privs = no_new_privs
        self.chroot = chroot


TABLE = {
    # DAC_OVERRIDE: listeners in directories of other accounts; DAC_READ_SEARCH: passed on to config
    "master": Expected("root", "DAC_OVERRIDE DAC_READ_SEARCH CHOWN SETUID SETGID SETPCAP KILL SYS_CHROOT NET_BIND_SERVICE", no_new_privs=False),
    "log": Expected("root"),
    "config": Expected("root", "DAC_READ_SEARCH"),
    "anvil": Expected("dovecot", chroot=True),
    "auth": Expected("dovecot"),
    "imap-login zygote": Expected("dovenull", chroot=True),
    "imap-login worker": Expected("dovenull", chroot=True),
    "imap zygote": Expected("root", "SETUID SETGID SETPCAP KILL"),
    "imap worker": Expected("vmail"),
}


@only_root
@only_culver
class Audit(Case):
    @classmethod
    def setUpClass(cls):
        from suite import Instance
        cls.server_ = Instance(users=("alice", "bob"))
        cls.addClassCleanup(cls.server_.close)
        cls.server_.start()
        cls.clients = [cls.server_.login("alice"), cls.server_.login("bob", tls="implicit"), cls.server_.client()]
        cls.clients[0].command("SELECT INBOX")
        cls.clients[1].command("SELECT INBOX")
        time.sleep(0.3)

    def roles(self):
        """Every process with its row of the table."""
        found = {}
        server = self.server_
        master = server.master.pid
        unknown = []
        for process in server.processes():
            if not process.title:
                continue  # just about to end
            if process.pid == master:
                role = "master"
            else:
                match = re.match(re.escape(server.name) + r"/([a-z0-9-]+)", process.title)
                role = match.group(1) if match else "?"
                if role in ("imap", "imap-login"):
                    role += " zygote" if process.ppid == master else " worker"
            if role not in TABLE:
                unknown.append(process)
            else:
                found.setdefault(role, []).append(process)
        self.assertEqual(unknown, [], "processes without a row in the table")
        return found

    def each(self):
        for role, group in self.roles().items():
            for process in group:
                # A session of the test before may just be ending; the idle ones of this class stay.
                if os.path.exists("/proc/%d/status" % process.pid):
                    yield role, TABLE[role], process

    def test_every_role_is_there(self):
        missing = set(TABLE) - set(self.roles()) - {"config"}  # config may end when it has nothing to do
        self.assertEqual(missing, set())

    def test_users_and_groups(self):
        for role, expected, process in self.each():
            with self.subTest(role):
                account = pwd.getpwnam(expected.user)
                status = process.status()
                self.assertEqual(status["Uid"].split(), [str(account.pw_uid)] * 4)
                gids = status["Gid"].split()
                self.assertEqual(len(set(gids)), 1, gids)
                self.assertEqual(gids[0], str(account.pw_gid))
                self.assertEqual(status["Groups"].split(), [])

    def test_capability_sets(self):
        for role, expected, process in self.each():
            status = process.status()
            for name in SETS:
                with self.subTest(role, set=name):
                    held = names(int(status[name], 16))
                    self.assertLessEqual(held, expected.capabilities)
                    if name in ("CapInh", "CapAmb"):
                        self.assertLessEqual(held, expected.capabilities if role == "master" else set())

    def test_no_new_privs_and_seccomp(self):
        for role, expected, process in self.each():
            with self.subTest(role):
                status = process.status()
                self.assertEqual(status["Seccomp"], "2")
                if expected.no_new_privs:
                    self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(status["Threads"], "1")

    def test_nothing_is_writable_and_executable(self):
        for role, _, process in self.each():
            with self.subTest(role):
                for line in process.maps():
                    permissions = line.split()[1]
                    self.assertFalse("w" in permissions and "x" in permissions, line)

    def test_workers_cannot_be_traced_or_read_by_their_own_user(self):
        for role, expected, process in self.each():
            if expected.user == "root":
                continue
            with self.subTest(role):
                # a process that is not dumpable has its /proc files owned by root
                self.assertEqual(os.stat("/proc/%d/environ" % process.pid).st_uid, 0)

    def test_root_directories(self):
        for role, expected, process in self.each():
            with self.subTest(role):
                root = process.link("root")
                if expected.chroot:
                    self.assertTrue(root.startswith(self.server_.base_dir + "/"), root)
                    self.assertEqual([name for name in os.listdir("/proc/%d/root/" % process.pid)
                                      if not os.path.exists(os.path.join("/proc/%d/root" % process.pid, name))
                                      or os.path.isfile(os.path.join("/proc/%d/root" % process.pid, name))], [])
                else:
                    self.assertEqual(root, "/")

    def test_resource_limits(self):
        for role, _, process in self.each():
            limits = process.limits()
            with self.subTest(role):
                self.assertEqual(limits["Max core file size"][1], "0")
                if role in ("imap-login worker", "auth", "anvil", "imap worker"):
                    self.assertEqual(limits["Max processes"][1], "0")
                if role in ("imap-login worker", "auth"):
                    self.assertEqual(limits["Max file size"][1], "0")
                if role == "imap worker":
                    self.assertEqual(limits["Max open files"][1], "256")
                if role == "imap-login worker":
                    self.assertLessEqual(int(limits["Max open files"][1]), 32 + 4 * 1000)
                if role not in ("master", "config", "log"):
                    self.assertNotEqual(limits["Max data size"][1], "unlimited")

    def listening(self):
        """Inodes of the sockets that listen on TCP ports."""
        found = set()
        for name in ("tcp", "tcp6"):
            with open("/proc/net/" + name) as file:
                next(file)
                for line in file:
                    fields = line.split()
                    if fields[3] == "0A":
                        found.add("socket:[%s]" % fields[9])
        return found

    def test_descriptors(self):
        harmless = re.compile(r"^(/dev/null|socket:\[\d+\]|pipe:\[\d+\]|anon_inode:.*|/memfd:.* \(deleted\))$")
        listening = self.listening()
        for role, _, process in self.each():
            with self.subTest(role):
                open_ = process.descriptors()
                files = {link for link in open_.values() if not harmless.match(link)}
                if role == "imap worker":
                    user = re.search(r"\[(\w+)", process.title).group(1)
                    files = {link for link in files if not link.startswith(self.server_.home(user))}
                elif role == "log":
                    files = {link for link in files if link not in (self.server_.log_path, self.server_.stderr_path)}
                elif role in ("auth",):
                    files = {link for link in files if link != self.server_.passwd_path}
                elif role == "master":
                    files = {link for link in files if link not in (self.server_.log_path, self.server_.stderr_path)
                             and not link.startswith(self.server_.folder)}
                self.assertEqual(files, set())
                if role not in ("master", "imap-login zygote", "imap-login worker"):
                    self.assertEqual(listening & set(open_.values()), set(), "holds a TCP listener")
                if role.endswith("worker"):
                    self.assertLessEqual(len(open_), 16, open_)

    def test_environment_is_clean(self):
        for role, _, process in self.each():
            if role == "master":
                continue
            with self.subTest(role), open("/proc/%d/environ" % process.pid, "rb") as file:
                text = file.read()
                for forbidden in (b"LD_", b"SWIFT_", b"secret", b"NOTIFY_SOCKET", b"LISTEN_FDS"):
                    self.assertNotIn(forbidden, text)

    def test_no_landlock_rule_lets_a_session_see_another_user(self):
        """What the client can reach by name: nothing of bob's, whatever it is called."""
        self.clients[1].command("CREATE Private")
        for name in ("../bob/Maildir", "~bob", "/etc", self.server_.home("bob") + "/Maildir", "../../home/bob/Maildir/.Private"):
            with self.subTest(name):
                self.assertNotEqual(self.clients[0].command('SELECT "%s"' % name).word, "OK")
                self.assertNotIn(b"Private", self.clients[0].command('LIST "" "%s*"' % name).all().replace(name.encode(), b""))

    def test_a_link_to_another_user_is_not_followed(self):
        os.makedirs(self.server_.maildir("alice"), exist_ok=True)
        link = os.path.join(self.server_.maildir("alice"), ".Stolen")
        os.symlink(self.server_.maildir("bob"), link)
        self.addCleanup(os.unlink, link)
        with self.server_.login("bob") as client:
            client.append(b"Subject: for bob only\r\n\r\n", "INBOX")
        with self.server_.login("alice") as client:
            client.command("SELECT Stolen")
            self.assertNotIn(b"for bob only", client.command("FETCH 1:* BODY.PEEK[]").all())


@only_root
@only_culver
class Secrets(Case):
    SECRET = "Very-Secret-Database-Password-9431"

    def memory_holds(self, process, secret):
        """Whether the secret stands anywhere in the memory of the process."""
        with open("/proc/%d/mem" % process.pid, "rb", 0) as memory:
            for line in process.maps():
                fields = line.split()
                if "r" not in fields[1] or (len(fields) > 5 and fields[5] in ("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                    continue
                begin, end = (int(part, 16) for part in fields[0].split("-"))
                if end - begin > 1 << 28:
                    continue
                memory.seek(begin)
                try:
                    if secret in memory.read(end - begin):
                        return True
                except (OSError, OverflowError):
                    continue
        return False

    def settings_hold(self, process, secret):
        for number, link in process.descriptors().items():
            if link.startswith("/memfd:"):
                with open("/proc/%d/fd/%d" % (process.pid, number), "rb") as file:
                    if secret in file.read():
                        return True
        return False

    def test_no_login_process_can_read_a_database_password(self):
        server = self.server(start=False)
        text = re.sub(r"passdb \{.*?\}", "passdb {\n  driver = static\n  args = password=%s\n}" % self.SECRET, server.config(), flags=re.S)
        server.write_config(text)
        server.start()
        client = server.client()
        other = server.login("alice", self.SECRET)
        other.command("SELECT INBOX")
        again = server.client()  # a login process that has never heard the password from its client
        secret = self.SECRET.encode()
        time.sleep(0.2)
        auth = server.named("auth")
        self.assertTrue(any(self.memory_holds(p, secret) for p in auth), "auth must know it, or this test proves nothing")
        for role in ("imap-login", "imap", "anvil", "log"):
            for process in server.named(role):
                with self.subTest(process.title):
                    self.assertFalse(self.settings_hold(process, secret), "in the settings")
                    if role != "imap-login" or "pre-login" in process.title or process.ppid == server.master.pid:
                        self.assertFalse(self.memory_holds(process, secret), "in the memory")
        client.close()
        again.close()

    def test_the_key_stays_out_of_all_but_login_and_config(self):
        import culver
        server = self.server()
        client = server.login("alice", tls="implicit")  # held: a session that nobody holds ends
        client.command("SELECT INBOX")
        with open(culver.certificate()[1], "rb") as file:
            secret = b"".join(file.read().splitlines()[1:2])
        for role in ("imap", "auth", "anvil", "log"):
            for process in server.named(role):
                with self.subTest(process.title):
                    self.assertFalse(self.settings_hold(process, secret))
                    self.assertFalse(self.memory_holds(process, secret))
        client.logout()


@only_root
@only_culver
class Leaks(Case):
    def test_long_running_processes_keep_their_number_of_descriptors(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_min_avail": 1, "process_limit": 1}})

        def cycle(count):
            for _ in range(count):
                server.login("alice").logout()
                server.login("bob", tls="implicit").logout()
                server.client().close()
                with server.client() as client:
                    client.send(b"garbage\r\n")
            time.sleep(0.5)

        def counts():
            return {p.pid: len(p.descriptors()) for p in server.processes()}
        cycle(5)
        before = counts()
        cycle(30)
        after = counts()
        for pid in before:
            if pid in after:
                self.assertLessEqual(after[pid], before[pid], processes.find(pid))
        self.assertLessEqual(len(after), len(before) + 1)
