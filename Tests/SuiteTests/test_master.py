"""Start, stop, reload and everything an administrator sees of the master."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import culver
import processes
from suite import Case, Client, Closed, limit, only_culver, only_root


def master(*arguments, seconds=20, environment=None):
    return subprocess.run([culver.programs().master, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                          env=dict(culver.CLEAN, **(environment or {})))


class CommandLine(Case):
    def test_version_build_options_and_hostdomain(self):
        done = master("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^\d+\.\d+\S*( \(.*\))?\n$")
        done = master("--build-options")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Build options:", done.stdout)
        done = master("--hostdomain")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^\S+\n$")

    def test_unknown_arguments_are_named(self):
        done = master("--nonsense")
        self.assertEqual(done.returncode, 89)
        self.assertIn("Unknown argument: --nonsense", done.stderr)
        self.assertEqual(master("-Z").returncode, 89)

    def test_n_and_a_print_the_configuration(self):
        server = self.server(start=False)
        short = master("-n", "-c", server.config_path)
        self.assertEqual(short.returncode, 0, short.stderr)
        self.assertIn("base_dir = " + server.base_dir, short.stdout)
        full = master("-a", "-c", server.config_path)
        self.assertEqual(full.returncode, 0, full.stderr)
        self.assertIn("mail_max_userip_connections = 10", full.stdout)
        self.assertGreater(len(full.stdout), len(short.stdout))

    @only_culver
    def test_o_overrides_a_setting(self):
        server = self.server(start=False)
        server.start("-o", "login_greeting=Overridden.")
        with server.client() as client:
            self.assertIn(b"Overridden.", client.greeting)

    def test_an_unknown_instance_is_named(self):
        done = master("-i", "no-such-instance-%d" % os.getpid())
        self.assertEqual(done.returncode, 89)
        self.assertIn("no-such-instance", done.stderr)


class StartAndStop(Case):
    def test_says_what_it_starts_and_stops_with_status_0(self):
        server = self.server()
        server.wait_for_log(r"^\w{3} \d\d \d\d:\d\d:\d\d master: Info: .* v\S+ .*starting up for imap")
        with open(os.path.join(server.base_dir, "master.pid")) as file:
            self.assertEqual(file.read(), "%d\n" % server.master.pid)
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.log(), r"master: Warning: Killed with signal 15 \(by pid=%d uid=%d code=kill\)" % (os.getpid(), os.getuid()))
        self.assertFalse(os.path.exists(os.path.join(server.base_dir, "master.pid")))
        self.assertGone(server)

    def test_int_stops_too(self):
        server = self.server()
        self.assertEqual(server.stop(signal.SIGINT), 0)
        self.assertGone(server)

    def test_leaves_no_socket_behind_that_answers(self):
        server = self.server()
        server.stop()
        self.assertGone(server)
        for folder, _, names in os.walk(server.base_dir):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.exists(path) and os.stat(path).st_mode & 0o170000 == 0o140000:
                    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                        with self.assertRaises(OSError, msg=path):
                            probe.connect(path)

    def test_starts_again_at_once(self):
        server = self.server()
        for _ in range(3):
            server.stop()
            server.start()
            server.login().logout()

    def test_goes_into_the_background_without_F(self):
        server = self.server(start=False)
        done = subprocess.Popen([culver.programs().master, "-c", server.config_path], env=culver.CLEAN, start_new_session=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.sessions.add(done.pid)
        self.assertEqual(done.wait(20), 0)
        # listeners exist before the parent goes
        Client(server.imap_port).close()
        pid = server.master_pid()
        server.sessions.add(pid)
        self.assertTrue(processes.is_alive(pid))
        self.assertNotEqual(pid, done.pid)
        server.processes()
        server.adm_stop()
        self.until(lambda: not processes.is_alive(pid), "the master is gone")
        self.assertGone(server)

    def test_stop_by_the_admin_command(self):
        server = self.server()
        server.adm_stop()
        self.assertEqual(server.master.wait(10), 0)
        done = server.adm_run("stop")
        self.assertEqual(done.returncode, 75)
        self.assertRegex(done.stderr, r"Fatal: \w+ is not running \(read from %s/master\.pid\)" % re.escape(server.base_dir))

    def test_a_second_start_is_refused(self):
        server = self.server()
        done = master("-F", "-c", server.config_path)
        self.assertEqual(done.returncode, 89)
        self.assertRegex(done.stderr, r"Fatal: \w+ is already running with PID %d \(read from %s/master\.pid\)"
                         % (server.master.pid, re.escape(server.base_dir)))
        server.login().logout()

    def test_a_stale_pid_file_is_no_obstacle(self):
        server = self.server(start=False)
        os.mkdir(server.base_dir, 0o755)
        gone = subprocess.Popen(["true"])
        gone.wait()
        with open(os.path.join(server.base_dir, "master.pid"), "w") as file:
            file.write("%d\n" % gone.pid)
        server.start()

    def test_two_configurations_on_one_base_dir(self):
        first = self.server()
        second = self.server(start=False, settings={"base_dir": first.base_dir})
        done = master("-F", "-c", second.config_path)
        self.assertEqual(done.returncode, 89)
        self.assertIn("already running with PID %d" % first.master.pid, done.stderr)
        first.login().logout()

    def test_a_taken_port_is_named(self):
        first = self.server()
        second = self.server(start=False)
        second.imap_port = first.imap_port
        second.write_config()
        done = master("-F", "-c", second.config_path)
        self.assertEqual(done.returncode, 89)
        self.assertRegex(done.stderr, r"Error: .*127\.0\.0\.1.*%d.*Address already in use" % first.imap_port)
        self.assertIn("Fatal: Failed to start listeners", done.stderr)

    def test_stop_ends_sessions_with_bye(self):
        server = self.server()
        client = server.login()
        client.command("SELECT INBOX")
        server.stop()
        self.assertIn(b"* BYE", client.rest())
        self.assertGone(server, 20)

    @limit(90)
    def test_stop_with_shutdown_clients_no_lets_sessions_go_on(self):
        server = self.server(settings={"shutdown_clients": "no"})
        plain, secure = server.login("alice"), server.login("bob", tls="implicit")
        self.assertEqual(server.stop(), 0)
        time.sleep(1)
        for client in (plain, secure):
            self.assertOK(client.command("SELECT INBOX"))
            self.assertOK(client.command("NOOP"))
            client.logout()
        self.assertGone(server, 10)


class BaseDirectory(Case):
    def test_is_created_with_its_parts(self):
        server = self.server()
        self.assertEqual(os.stat(server.base_dir).st_mode & 0o7777, 0o755)
        self.assertEqual(os.stat(os.path.join(server.base_dir, "login")).st_mode & 0o7777, 0o750)
        empty = os.path.join(server.base_dir, "empty")
        if os.path.isdir(empty):
            self.assertEqual(os.listdir(empty), [])
        self.assertEqual(os.stat(os.path.join(server.base_dir, "master.pid")).st_mode & 0o7777, 0o600)
        self.assertTrue(os.path.islink(os.path.join(server.base_dir, "dovecot.conf")) or os.path.islink(os.path.join(server.base_dir, "culver.conf")))

    def test_a_file_in_its_place_is_fatal(self):
        server = self.server(start=False)
        with open(server.base_dir, "w"):
            pass
        done = master("-F", "-c", server.config_path)
        self.assertEqual(done.returncode, 89)
        self.assertIn(server.base_dir, done.stderr)

    def test_a_mode_that_locks_out_is_corrected_with_a_warning(self):
        server = self.server(start=False)
        os.mkdir(server.base_dir, 0o700)
        os.chmod(server.base_dir, 0o700)
        server.start()
        self.assertEqual(os.stat(server.base_dir).st_mode & 0o755, 0o755)
        self.assertRegex(server.log() + server.stderr(), r"Warning: .*%s" % re.escape(server.base_dir))


class Titles(Case):
    @only_root
    def test_say_role_user_and_state(self):
        server = self.server(name="dovecot", settings={"verbose_proctitle": "yes"})
        client = server.login("alice")
        client.command("SELECT INBOX")
        secure = server.login("bob", tls="implicit")
        titles = lambda: [p.title for p in server.processes()]
        for pattern in (r"^dovecot/log\b", r"^dovecot/anvil\b", r"^dovecot/auth\b", r"^dovecot/imap-login\b", r"^dovecot/imap\b"):
            self.until(lambda: any(re.search(pattern, title) for title in titles()), "a title like %s in %s" % (pattern, titles()))
        self.until(lambda: any(re.match(r"dovecot/imap \[alice 127\.0\.0\.1( [A-Z ]+)?\]$", title) for title in titles()),
                   "user and address of imap in %s" % titles())
        self.until(lambda: any(re.match(r"dovecot/imap-login \[127\.0\.0\.1 TLS proxy\]$", title) for title in titles()),
                   "the TLS proxy in %s" % titles())
        tag = client.start("IDLE")
        client.line()
        self.until(lambda: any(re.match(r"dovecot/imap \[alice 127\.0\.0\.1 IDLE\]$", title) for title in titles()), "IDLE in %s" % titles())
        client.send(b"DONE\r\n")
        client.finish(tag)
        waiting = server.client()
        self.until(lambda: any(re.match(r"dovecot/imap-login \[127\.0\.0\.1 pre-login\]$", title) for title in titles()),
                   "pre-login in %s" % titles())
        waiting.close()
        secure.close()

    @only_culver
    def test_verbose_proctitle_no_hides_user_and_address(self):
        server = self.server(settings={"verbose_proctitle": "no"})
        server.login("alice", tls="implicit").command("SELECT INBOX")
        time.sleep(0.3)
        for process in server.processes():
            self.assertNotIn("alice", process.title)
            self.assertNotIn("127.0.0.1", process.title)

    @only_culver
    def test_the_default_prefix_is_culver(self):
        server = self.server(settings={"instance_name": None})
        self.assertTrue(server.named("log"), server.processes())
        self.assertTrue(server.named("auth"), server.processes())

    def test_shared_login_processes_count_their_clients(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_min_avail": 1, "process_limit": 1}},
                             settings={"verbose_proctitle": "yes"})
        held = [server.client() for _ in range(3)] + [server.login("alice", tls="implicit"), server.login("bob", tls="implicit")]
        self.until(lambda: any("[3 pre-login + 2 TLS proxies]" in p.title for p in server.processes()), "3 + 2 in %s" % server.processes())
        del held


class Systemd(Case):
    def notifications(self, server):
        path = server.path("notify")
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        receiver.bind(path)
        os.chmod(path, 0o666)
        receiver.settimeout(10)
        self.addCleanup(receiver.close)
        return path, receiver

    def receive(self, receiver, wanted, seconds=10):
        """All that was said until `wanted` came."""
        heard = []
        receiver.settimeout(seconds)
        while not any(wanted in text for text in heard):
            try:
                heard.append(receiver.recv(4096).decode())
            except socket.timeout:
                self.fail("no %s; heard %r" % (wanted, heard))
        return "\n".join(heard)

    @only_culver
    def test_is_told_about_start_reload_and_stop(self):
        server = self.server(start=False)
        path, receiver = self.notifications(server)
        server.start(environment={"NOTIFY_SOCKET": path})
        text = self.receive(receiver, "READY=1")
        self.assertRegex(text, r"STATUS=v\S+ running")
        self.assertIn("MAINPID=%d" % server.master.pid, text)
        server.reload()
        text = self.receive(receiver, "READY=1")
        self.assertIn("RELOADING=1", text)
        self.assertLess(text.index("RELOADING=1"), text.index("READY=1"))
        os.kill(server.master.pid, signal.SIGTERM)
        self.assertIn("STATUS=", self.receive(receiver, "STOPPING=1"))
        self.assertEqual(server.master.wait(10), 0)

    SHIM = ("import os,sys;fd=int(sys.argv[1]);os.dup2(fd,3,inheritable=True);"
            "os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid()));os.execv(sys.argv[2],sys.argv[2:])")

    def activated(self, server, port):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        # a client that comes before the server is up must be served as well
        early = socket.create_connection(("127.0.0.1", port), 15)
        self.addCleanup(early.close)
        server.start(wrapper=[sys.executable, "-S", "-c", self.SHIM, str(listener.fileno())], pass_fds=(listener.fileno(),), wait=False)
        return listener, early

    @only_culver
    def test_its_sockets_are_used(self):
        server = self.server(start=False)
        listener, early = self.activated(server, server.imap_port)
        server.wait_ready()
        early.settimeout(10)
        self.assertTrue(early.recv(100).startswith(b"* OK"))
        server.stop()
        listener.getsockname()  # the socket is systemd's and stays

    @only_culver
    def test_a_socket_nobody_configured_is_named_and_closed(self):
        server = self.server(start=False)
        other = culver.Ports()
        self.addCleanup(other.release)
        port = other.take()
        self.activated(server, port)
        server.wait_ready()
        server.wait_for_log(r"systemd listens on port %d, but it's not configured" % port)


class Reload(Case):
    def test_acknowledges_and_takes_new_settings(self):
        server = self.server()
        server.settings["login_greeting"] = "Second life."
        server.write_config()
        server.reload()

        def greeted():
            with server.client() as client:
                return b"Second life." in client.greeting
        self.until(greeted, "the new greeting")
        server.adm("reload")
        server.login().logout()

    @only_culver
    def test_sessions_of_before_go_on(self):
        for shutdown in ("yes", "no"):
            with self.subTest(shutdown_clients=shutdown):
                server = self.server(settings={"shutdown_clients": shutdown})
                sessions = [server.login("alice"), server.login("bob", tls="implicit"), server.login("bob", tls="starttls")]
                for _ in range(3):
                    server.reload()
                time.sleep(1)
                for client in sessions:
                    self.assertOK(client.command("SELECT INBOX"))
                    self.assertOK(client.logout())

    @only_culver
    def test_a_wrong_file_changes_nothing(self):
        server = self.server()
        session = server.login()
        before = {p.pid for p in server.processes()}
        good = open(server.config_path).read()
        server.write_config(good + "\nnonsense_setting = 5\nprocotols = imap\n")
        mark = server.mark()
        os.kill(server.master.pid, signal.SIGHUP)
        server.wait_for_log(r"(?s)Error: .*nonsense_setting.*procotols", since=mark)
        text = server.log_since(mark)
        self.assertRegex(text, r"server\.conf:\d+:\d+")
        self.assertIn("protocols", text)
        self.assertOK(session.command("NOOP"))
        server.login("bob").logout()
        self.assertTrue(before <= {p.pid for p in server.processes()} | {p.pid for p in server.named("imap-login")}
                        | {pid for pid in before if not processes.is_alive(pid) and pid != server.master.pid})
        done = server.adm_run("reload")
        self.assertNotEqual(done.returncode, 0)

    @only_culver
    def test_a_changed_port_is_opened_and_the_old_one_closed(self):
        server = self.server()
        old, server.imap_port = server.imap_port, server.ports.take()
        server.write_config()
        server.reload()
        self.until(lambda: server.wait_ready(5), "the new port")

        def closed():
            try:
                Client(old, timeout=2, greeting=False).close()
                return False
            except OSError:
                return True
        self.until(closed, "the old port is closed")

    @only_culver
    def test_processes_of_before_go_when_idle(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_min_avail": 2}})
        old = {p.pid for p in server.named("imap-login")} | {p.pid for p in server.named("imap")}
        server.reload()
        self.until(lambda: not any(processes.is_alive(pid) for pid in old), "old processes go", 15)


class RetiredAlone(Case):
    @limit(60)
    @only_culver
    def test_a_client_that_waited_in_the_queue_does_not_keep_the_old_processes(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_limit": 1, "client_limit": 1}})
        first = server.client()
        second = socket.create_connection(("127.0.0.1", server.imap_port), 20)
        server.wait_for_log(r"service\(imap-login\): .*queued")
        old = [p.pid for p in server.named("imap-login")]
        server.reload()
        self.until(lambda: "retired" in "".join(row["state"] for row in server.table("process", "status", "imap-login")), "the old ones retire")
        self.assertOK(first.command("NOOP"))
        first.close()
        # Served by a process that the old zygote makes for it; with its end the old ones are gone.
        self.assertIn(b"* OK", second.recv(1000))
        second.close()
        self.until(lambda: not any(processes.is_alive(pid) for pid in old), "the old zygote ends", 10)
        self.until(lambda: len(server.named("auth")) == 1 and len(server.named("imap")) == 1, "its peers, too", 10)


class ReloadUnderLoadAlone(Case):
    """The promise of C.2: no connection refused, reset or left hanging."""

    def load(self, server, users, stop, problems, count, tls):
        def one(user, kind):
            while not stop.is_set():
                try:
                    with server.client(kind, timeout=20) as client:
                        reply = client.login(user)
                        if reply.word != "OK":
                            raise AssertionError("LOGIN: %r" % reply)
                        if client.logout().word != "OK":
                            raise AssertionError("LOGOUT")
                    count.append(user)
                except (OSError, Closed, AssertionError) as error:
                    problems.append("%s: %s %r" % (user, type(error).__name__, error))
                    if len(problems) > 20:
                        return
        threads = [threading.Thread(target=one, args=(user, tls[index % len(tls)])) for index, user in enumerate(users)]
        for thread in threads:
            thread.start()
        return threads

    def fifty_reloads(self, services):
        users = ["user%d" % number for number in range(6)]
        server = self.server(users=users + ["before", "secure"], services=services)
        sessions = [server.login("before"), server.login("secure", tls="implicit"), server.login("secure", tls="starttls")]
        for session in sessions:
            self.assertOK(session.command("SELECT INBOX"))
        stop, problems, count = threading.Event(), [], []
        threads = self.load(server, users, stop, problems, count, (None, None, "implicit"))
        try:
            for number in range(50):
                server.reload()
                time.sleep(0.05)
                if number % 10 == 0:
                    for session in sessions:
                        self.assertOK(session.command("NOOP"))
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        self.assertEqual([thread for thread in threads if thread.is_alive()], [], "a client hangs")
        self.assertEqual(problems, [], "%d good logins beside these" % len(count))
        self.assertGreater(len(count), 50)
        for session in sessions:
            self.assertOK(session.command("STATUS INBOX (MESSAGES)"))
            self.assertOK(session.logout())
        self.until(lambda: len(server.processes()) < 25, "old generations are gone: %s" % server.processes(), 20)

    @limit(240)
    @only_culver
    def test_one_login_process_per_connection(self):
        self.fifty_reloads({})

    @limit(240)
    @only_culver
    def test_shared_login_processes(self):
        self.fifty_reloads({"imap-login": {"service_count": 0, "process_min_avail": 2}})


class Instances(Case):
    @only_culver
    def test_three_at_once(self):
        state = self.server(start=False).path("state")
        servers = [self.server(name="culver-%s-%d" % (name, os.getpid()), start=False, settings={"state_dir": state},
                               users=("alice", "only-" + name)) for name in ("one", "two", "three")]
        for server in servers:
            server.start()
        for server, name in zip(servers, ("one", "two", "three")):
            server.login("only-" + name).logout()
            with server.client() as client:
                self.assertNO(client.login("only-" + ("one" if name != "one" else "two")))
            self.assertTrue(server.named("log"), server.processes())
        text = servers[0].adm("instance", "list")
        for server in servers:
            self.assertIn(server.name, text)
            self.assertIn(server.base_dir, text)
        self.assertEqual(servers[1].stop(), 0)
        self.assertGone(servers[1])
        servers[0].login().logout()
        servers[2].login().logout()
        servers[0].adm("instance", "remove", servers[1].name)
        self.assertNotIn(servers[1].name, servers[0].adm("instance", "list"))

    @only_culver
    @only_root
    def test_are_found_by_name(self):
        name = "culver-suite-%d" % os.getpid()
        server = self.server(name=name, settings={"state_dir": None})
        self.addCleanup(lambda: server.adm_run("instance", "remove", name))
        client = server.login()
        done = server.adm_run("-i", name, "who", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("alice", done.stdout)
        client.close()
        server.adm_stop("-i", name, config=False)
        self.assertEqual(server.master.wait(10), 0)

    @only_culver
    def test_delivery_uses_the_users_of_another_instance(self):
        first = self.server(users=("alice", "only-first"))
        second = self.server(users=("alice",), start=False)
        second.settings["auth_socket_path"] = os.path.join(first.base_dir, "auth-userdb")
        second.write_config()
        second.start()
        done = second.deliver("only-first", culver.message("Across"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with first.login("only-first") as client:
            self.assertIn(b"MESSAGES 1", client.command("STATUS INBOX (MESSAGES)").all())


class NotRoot(Case):
    @only_culver
    @only_root
    @limit(60)
    def test_runs_as_one_user_and_says_what_is_lost(self):
        import pwd
        account = pwd.getpwnam("vmail")
        server = self.server(start=False)
        for folder, folders, files in os.walk(server.folder):
            for name in [""] + files:
                os.chown(os.path.join(folder, name), account.pw_uid, account.pw_gid)
        cert, key = culver.certificate()
        for index, source in enumerate((cert, key)):
            target = server.path("tls-%d.pem" % index)
            with open(source, "rb") as old, open(target, "wb") as new:
                new.write(old.read())
            os.chown(target, account.pw_uid, account.pw_gid)
        server.settings.update({
            "default_login_user": "vmail", "default_internal_user": "vmail", "default_internal_group": "vmail",
            "ssl_cert": "<" + server.path("tls-0.pem"), "ssl_key": "<" + server.path("tls-1.pem")})
        server.write_config()
        server.start(wrapper=["setpriv", "--reuid", "vmail", "--regid", "vmail", "--clear-groups"])
        server.login("alice", tls="implicit").logout()
        self.assertRegex(server.log() + server.stderr(), r"Warning: .*(root|confine)")
        # Those that stay: the login process of the session above is about to end.
        for role in ("imap", "auth", "anvil", "log", "config"):
            for process in server.named(role):
                self.assertEqual(process.status()["Uid"].split()[0], str(account.pw_uid))
        self.assertEqual(server.stop(), 0)
