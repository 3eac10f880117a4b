"""One throw-away instance of the suite: its folder, configuration, ports, users and processes.

    with Instance(users=("alice", "bob")) as server:
        client = server.login("alice")
        server.wait_for_log(r"Login: user=<alice>")

Whatever happens, `close` ends every process that belongs to the instance and removes its folder.
With SUITE_SERVER=dovecot the same tests run against Debian's Dovecot where they say something about both
(`@only_culver` leaves the others out): so a test shows that it is right before the product is.
"""

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import imap
import processes

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER = os.environ.get("SUITE_SERVER", "culver")
PROGRAMS = ("culver", "culveradm", "culver-lda", "login", "mail", "auth", "anvil", "log", "config")
ROLES = {"imap-login": "login", "pop3-login": "login", "imap": "mail", "pop3": "mail"}

CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Programs:
    """The executables under test, laid out as `make install` does, in a place that every user can reach."""

    def __init__(self, folder):
        self.folder = folder
        self.libexec = os.path.join(folder, "libexec", "culver")

    def path(self, name):
        return os.path.join(self.folder, {"culver": "sbin", "culveradm": "bin"}.get(name, "libexec/culver"), name)

    @property
    def master(self):
        return self.path("culver") if SERVER == "culver" else "/usr/sbin/dovecot"

    @property
    def adm(self):
        return self.path("culveradm") if SERVER == "culver" else "/usr/bin/doveadm"

    @property
    def lda(self):
        return self.path("culver-lda") if SERVER == "culver" else "/usr/lib/dovecot/dovecot-lda"

    @staticmethod
    def stage(folder):
        """Copies the release build below `folder`; raises FileNotFoundError when there is none."""
        built = os.environ.get("SUITE_BUILD", os.path.join(ROOT, ".build", "release"))
        made = Programs(folder)
        for part in ("", "sbin", "bin", "libexec", "libexec/culver"):
            os.mkdir(os.path.join(folder, part))
            os.chmod(os.path.join(folder, part), 0o755)
        for name in PROGRAMS:
            shutil.copy(os.path.join(built, name), made.path(name))
            os.chmod(made.path(name), 0o755)
        for role, program in ROLES.items():
            os.symlink(program, os.path.join(made.libexec, role))
        return made


_programs = None


def programs():
    """The staged programs of this run; run.py names them in SUITE_STAGE."""
    global _programs
    if _programs is None:
        stage = os.environ.get("SUITE_STAGE")
        if stage is None and SERVER == "culver":
            import atexit
            parent = tempfile.mkdtemp(prefix="culver-stage-")
            os.chmod(parent, 0o755)
            stage = os.path.join(parent, "usr")
            atexit.register(shutil.rmtree, parent, True)
            Programs.stage(stage)
        _programs = Programs(stage or "/nonexistent")
    return _programs


class Ports:
    """Free loopback ports, each held by a lock so that instances that start at the same time never meet."""

    FOLDER = os.path.join(tempfile.gettempdir(), "culver-suite-ports")
    RANGE = range(20000, 32000)  # below the range from which the kernel takes ports for clients

    def __init__(self):
        self.held = []

    def take(self):
        os.makedirs(self.FOLDER, exist_ok=True)
        for port in random.sample(self.RANGE, len(self.RANGE)):
            lock = os.open(os.path.join(self.FOLDER, str(port)), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            except OSError:
                os.close(lock)
                continue
            self.held.append(lock)
            return port
        raise RuntimeError("no free port")

    def release(self):
        for lock in self.held:
            os.close(lock)
        self.held = []


_certificates = {}


def certificate(name="localhost"):
    """Paths of a self-signed certificate and its key, made once per process."""
    if name not in _certificates:
        import atexit
        folder = tempfile.mkdtemp(prefix="culver-cert-")
        atexit.register(shutil.rmtree, folder, True)
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:%s,IP:127.0.0.1" % name, "-keyout", key, "-out", cert],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _certificates[name] = (cert, key)
    return _certificates[name]


def hashed(password, scheme):
    """The password as it stands in a password file."""
    if scheme == "PLAIN":
        return "{PLAIN}" + password
    if scheme == "SHA512-CRYPT":
        done = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, text=True, capture_output=True, check=True)
        return "{SHA512-CRYPT}" + done.stdout.strip()
    raise ValueError(scheme)


def block(name, content, depth=0):
    """A section of the configuration; values that are dictionaries become sections of their own."""
    pad = "  " * depth
    lines = ["%s%s {" % (pad, name)]
    for key, value in content.items():
        if isinstance(value, dict):
            lines += block(key, value, depth + 1)
        else:
            lines.append("%s  %s = %s" % (pad, key, value))
    return lines + [pad + "}"]


class Instance:
    """A server of its own. Keyword arguments:

    users       names; every password is "secret"
    scheme      password scheme of the file: PLAIN or SHA512-CRYPT
    settings    top-level settings that replace or extend the defaults; None leaves one out
    services    {"imap": {"process_limit": 5}} merged into the service blocks
    extra       text put at the end of the file
    ssl         "yes", "no" or "required"
    own_uid     users have a user id of this instance alone: the kernel counts inotify instances by it
    """

    registry = []  # all that were made in this process, for the report of a failure

    def __init__(self, name="culver", users=("alice", "bob"), scheme="PLAIN", settings=None, services=None, extra="", ssl="yes",
                 protocols="imap", own_uid=False):
        self.name = name
        self.users = list(users)
        self.folder = tempfile.mkdtemp(prefix="culver-suite-")
        os.chmod(self.folder, 0o711)
        self.ports = Ports()
        self.imap_port = self.ports.take()
        self.imaps_port = self.ports.take()
        self.own_uid = self.imap_port if own_uid and os.geteuid() == 0 else None
        self.master = None  # Popen of the foreground master
        self.sessions = set()  # kernel session ids of what was started
        self.known = {}  # pid -> start time of every process ever seen here
        self.final_log = ""
        self.log_mark = 0
        self.closed = False
        self.base_dir = self.path("run")
        self.log_path = self.path("log", "server.log")
        self.config_path = self.path("server.conf")
        self.passwd_path = self.path("passwd")
        for part in ("log", "state", "home"):
            os.mkdir(self.path(part), 0o755)
            os.chmod(self.path(part), 0o755)
        self.scheme = scheme
        self.ssl = ssl
        self.protocols = protocols
        self.settings = dict(settings or {})
        self.services = {key: dict(value) for key, value in (services or {}).items()}
        self.extra = extra
        self.write_users()
        self.write_config()
        Instance.registry.append(self)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def home(self, user):
        return self.path("home", user)

    def maildir(self, user):
        return os.path.join(self.home(user), "Maildir")

    # Files

    def write_users(self, users=None):
        if users is not None:
            self.users = list(users)
        owner = pwd.getpwnam("vmail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        uid, gid = (self.own_uid, self.own_uid) if self.own_uid else (owner.pw_uid, owner.pw_gid)
        secret = hashed("secret", self.scheme)
        lines = []
        for user in self.users:
            home = self.home(user)
            if not os.path.isdir(home):
                os.mkdir(home, 0o700)
                if os.geteuid() == 0:
                    os.chown(home, uid, gid)
            lines.append("%s:%s:%d:%d::%s::" % (user, secret, uid, gid, home))
        temporary = self.passwd_path + ".new"
        with open(temporary, "w") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(temporary, 0o640)
        if os.geteuid() == 0:
            os.chown(temporary, 0, grp.getgrnam("dovecot").gr_gid)
        os.rename(temporary, self.passwd_path)

    def defaults(self):
        cert, key = certificate()
        found = {
            "base_dir": self.base_dir,
            "state_dir": self.path("state"),
            "log_path": self.log_path,
            "listen": "127.0.0.1",
            "protocols": self.protocols,
            "instance_name": self.name,
            "mail_location": "maildir:~/Maildir",
            "mail_uid": "vmail",
            "mail_gid": "vmail",
            "first_valid_uid": "1",
            "ssl": self.ssl,
            "ssl_cert": "<" + cert,
            "ssl_key": "<" + key,
            "disable_plaintext_auth": "no",
        }
        if SERVER == "culver":
            found["libexec_dir"] = programs().libexec
        else:
            found.pop("ssl_cert")
            found.pop("ssl_key")
            found["ssl_cert"] = "<" + cert
            found["ssl_key"] = "<" + key
        return found

    def config(self):
        merged = self.defaults()
        merged.update(self.settings)
        lines = ["%s = %s" % item for item in merged.items() if item[1] is not None]
        lines += block("passdb", {"driver": "passwd-file", "args": self.passwd_path})
        lines += block("userdb", {"driver": "passwd-file", "args": self.passwd_path})
        services = {"imap-login": {"inet_listener imap": {"port": self.imap_port},
                                   "inet_listener imaps": {"port": self.imaps_port, "ssl": "yes"}}}
        if SERVER != "culver":
            services["stats"] = {"unix_listener stats-writer": {"mode": "0666"}}
        for name, content in self.services.items():
            services.setdefault(name, {}).update(content)
        for name, content in services.items():
            lines += block("service " + name, content)
        return "\n".join(lines) + "\n" + self.extra + "\n"

    def write_config(self, text=None):
        temporary = self.config_path + ".new"
        with open(temporary, "w") as file:
            file.write(self.config() if text is None else text)
        os.chmod(temporary, 0o644)
        os.rename(temporary, self.config_path)

    # Life

    def start(self, *arguments, wait=True, environment=None, pass_fds=(), limits=None, wrapper=(), errors_to=None):
        """Starts the master in the foreground and waits until a client is greeted. `wrapper` comes before the command and must exec it;
        `errors_to` is a descriptor that takes the place of stderr."""
        def prepare():
            if limits:
                import resource
                for which, value in limits.items():
                    resource.setrlimit(which, value)
        variables = dict(CLEAN)
        variables.update(environment or {})
        self.stderr_path = self.path("log", "stderr")
        with open(self.stderr_path, "ab") as errors:
            self.master = subprocess.Popen(
                [*wrapper, programs().master, "-F", "-c", self.config_path, *arguments], stdin=subprocess.DEVNULL, stdout=errors,
                stderr=errors if errors_to is None else errors_to, env=variables, start_new_session=True, pass_fds=pass_fds, preexec_fn=prepare if limits else None)
        self.sessions.add(self.master.pid)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=15):
        limit = time.monotonic() + seconds
        while True:
            if self.master is not None and self.master.poll() is not None:
                raise AssertionError("the master ended with status %s\n%s%s" % (self.master.returncode, self.stderr(), self.log()))
            try:
                with imap.Client(self.imap_port, timeout=5) as client:
                    if client.greeting.startswith(b"* OK"):
                        break
            except (OSError, imap.Closed):
                pass
            if time.monotonic() > limit:
                raise AssertionError("no greeting within %d s\n%s%s" % (seconds, self.stderr(), self.log()))
            time.sleep(0.02)
        self.processes()
        return self

    def stop(self, how=signal.SIGTERM, seconds=15):
        """Asks the master to stop and waits for it; returns its exit status."""
        self.processes()
        if self.master is None:
            return None
        if self.master.poll() is None:
            os.kill(self.master.pid, how)
        try:
            return self.master.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError("the master did not stop within %d s" % seconds) from None

    def reload(self, seconds=10):
        """Reloads and waits until the log says that it is done."""
        mark = self.mark()
        os.kill(self.master_pid(), signal.SIGHUP)
        self.wait_for_log(r"master: \w+: SIGHUP received - reloading configuration", seconds, mark)
        if SERVER == "culver":
            self.wait_for_log(r"master: Info: Configuration reloaded", seconds, mark)

    def master_pid(self):
        if self.master is not None:
            return self.master.pid
        with open(os.path.join(self.base_dir, "master.pid")) as file:
            return int(file.read())

    # Processes

    def processes(self, zombies=False):
        """Every living process of this instance: below the master, in its kernel session, or working in its folder."""
        among = processes.everything()
        roots = set(self.sessions)
        below = {p.pid for p in processes.descendants(*roots, among=among)}
        found = []
        for process in among:
            if process.state in "ZX" and not zombies:
                continue
            ours = process.pid in roots or process.pid in below or process.sid in self.sessions
            ours = ours or self.known.get(process.pid) == process.start
            if not ours and process.ppid != 2 and process.pid != os.getpid():
                ours = any(process.link(name).startswith(self.folder + "/") for name in ("cwd", "root"))
            if ours:
                self.known[process.pid] = process.start
                found.append(process)
        return found

    def named(self, role, ready=True):
        """Processes by role, as their title says: named("imap") gives zygote and workers of imap."""
        prefix = self.name + "/" + role
        return [p for p in self.processes() if re.match(re.escape(prefix) + r"(\s|$|:)", p.title)]

    def ticks(self):
        """CPU time of all its processes so far, in hundredths of a second."""
        return sum(process.ticks for process in self.processes())

    def wait_until(self, condition, what="the condition", seconds=10):
        limit = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > limit:
                raise AssertionError("not within %g s: %s" % (seconds, what))
            time.sleep(0.02)

    # Logs

    def log(self, path=None):
        try:
            with open(path or self.log_path, "rb") as file:
                return file.read().decode("utf-8", "replace")
        except OSError:
            return self.final_log

    def stderr(self):
        return self.log(getattr(self, "stderr_path", "/nonexistent"))

    def mark(self):
        """The place in the log up to which lines are old."""
        try:
            return os.path.getsize(self.log_path)
        except OSError:
            return 0

    def log_since(self, mark):
        try:
            with open(self.log_path, "rb") as file:
                file.seek(mark)
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def wait_for_log(self, pattern, seconds=10, since=0):
        """The first match of the pattern in the log, as a match object."""
        expression = re.compile(pattern, re.M)
        limit = time.monotonic() + seconds
        while True:
            text = self.log_since(since)
            match = expression.search(text)
            if match:
                return match
            if time.monotonic() > limit:
                raise AssertionError("no line matches %r within %g s; the log says:\n%s" % (pattern, seconds, text[-4000:]))
            time.sleep(0.02)

    # Administration

    def adm(self, *arguments, status=0, seconds=20, config=True):
        """Runs the admin command; returns what it printed. `status` None accepts any exit status."""
        done = self.adm_run(*arguments, seconds=seconds, config=config)
        if status is not None and done.returncode != status:
            raise AssertionError("adm %s: exit %d instead of %d\n%s%s" % (
                " ".join(arguments), done.returncode, status, done.stdout, done.stderr))
        return done.stdout

    def adm_run(self, *arguments, seconds=20, config=True):
        chosen = ["-c", self.config_path] if config else []
        return subprocess.run([programs().adm, *chosen, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, env=CLEAN)

    def adm_stop(self, *arguments, config=True, seconds=25):
        """`stop` by the admin command, which waits until the master is gone: somebody must take its exit status meanwhile."""
        chosen = ["-c", self.config_path] if config else []
        self.processes()
        done = subprocess.Popen([programs().adm, *chosen, *arguments, "stop"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=CLEAN)
        limit = time.monotonic() + seconds
        while done.poll() is None and time.monotonic() < limit:
            if self.master is not None:
                self.master.poll()
            else:
                processes.reap(keep={done.pid})
            time.sleep(0.02)
        if done.poll() is None:
            done.kill()
        out, errors = done.communicate()
        if done.returncode != 0:
            raise AssertionError("adm stop: exit %d\n%s%s" % (done.returncode, out, errors))

    def table(self, *arguments):
        """What an admin command prints with -f json, as a list of dictionaries."""
        text = self.adm("-f", "json", *arguments)
        return json.loads(text or "[]")

    def service(self, name):
        """The row of `service status` for this service."""
        for row in self.table("service", "status"):
            if row["name"] == name:
                return row
        raise AssertionError("no service %s" % name)

    def deliver(self, user, message):
        """Delivers one message with the delivery program."""
        done = subprocess.run([programs().lda, "-c", self.config_path, "-d", user], input=message, capture_output=True, timeout=20,
                              env=CLEAN)
        return done

    # Clients

    def client(self, tls=None, **arguments):
        return imap.Client(self.imaps_port if tls == "implicit" else self.imap_port, tls=tls, **arguments)

    def login(self, user="alice", password="secret", tls=None, **arguments):
        """A client that is logged in."""
        client = self.client(tls, **arguments)
        reply = client.login(user, password)
        if reply.word != "OK":
            client.close()
            raise AssertionError("LOGIN %s: %r" % (user, reply))
        return client

    # The end

    def close(self):
        """Ends everything that belongs to the instance and removes its folder. Never raises."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(Exception):
            if self.master is not None and self.master.poll() is None:
                self.processes()
                os.kill(self.master.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.master.wait(4)
        for _ in range(5):
            with contextlib.suppress(Exception):
                left = self.processes()
                if not left:
                    break
                processes.end(left)
        with contextlib.suppress(Exception):
            if self.master is not None:
                self.master.wait(2)
        with contextlib.suppress(Exception):
            self.final_log = self.log() + "\n-- stderr --\n" + self.stderr()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.ports.release()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def message(subject="Hello", body="Good morning.\r\n", sender="Carol <carol@example.org>", to="alice@example.org", headers=""):
    """A small, correct message."""
    identity = hashlib.sha1(os.urandom(16)).hexdigest()[:20]
    return ("Return-Path: <carol@example.org>\r\nDate: Fri, 20 Nov 2026 09:15:00 +0100\r\nFrom: %s\r\nTo: %s\r\nSubject: %s\r\n"
            "Message-ID: <%s@example.org>\r\n%s\r\n%s" % (sender, to, subject, identity, headers, body)).encode()
