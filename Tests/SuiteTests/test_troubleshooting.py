"""Each symptom of docs/troubleshooting.md, provoked; what the page promises is what the log says."""

import os
import re
import socket
import struct
import subprocess
import sys
import time

import culver
from suite import Case, Client, Closed, limit, needs, only_culver, only_root



def status_field(pid, name):
    with open("/proc/%d/status" % pid) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)[name].strip()


PAGE = os.path.join(culver.ROOT, "docs", "troubleshooting.md")


@only_culver
class Page(Case):
    """The page quotes lines of the log; the same expressions find them in a real log."""

    def quoted(self):
        """The lines the page shows as examples, without their time."""
        with open(PAGE) as file:
            return re.findall(r"(?m)^    ((?:master|log|imap-login|imap|auth|Fatal|Error).*)$", file.read())

    def test_names_every_symptom(self):
        with open(PAGE) as file:
            text = file.read()
        for words in ("Resource temporarily unavailable", "process_limit", "client_limit", "ulimit -n", "somaxconn", "fork", "Too many open files",
                      "already running", "-F", "throttl"):
            self.assertIn(words, text)


@only_culver
class Symptoms(Case):
    def log_and_stderr(self, server):
        return server.log() + server.stderr()

    @limit(90)
    def test_process_limit_reached(self):
        server = self.server(users=("alice", "bob"), services={"imap": {"process_limit": 2}})
        held, other = server.login("alice"), server.login("alice")
        client = server.client(timeout=60)
        tag = client.start("LOGIN bob secret")
        line = server.wait_for_log(r" imap: Warning: service\(imap\): process_limit \(2\) reached.*").group(0)
        self.assertRegex(line, r"queued \(1 of at most \d+ waiting\); raise it: service imap \{ process_limit = 4 \}")
        held.logout()
        self.assertOK(client.finish(tag))
        other.close()

    def test_client_limit_on_a_mail_service(self):
        server = self.server(services={"imap": {"client_limit": 5}})
        self.assertRegex(self.log_and_stderr(server), r"[Ww]arning: service\(imap\): client_limit=5 has no effect")

    @only_root
    def test_descriptor_limit_too_low(self):
        import resource
        server = self.server(start=False)
        server.start(limits={resource.RLIMIT_NOFILE: (256, 256)})
        self.assertRegex(self.log_and_stderr(server), r"Warning: fd limit \(ulimit -n\) is lower than required under max\. load \(256 < \d+\)")
        server.login().logout()

    def test_two_instances_on_one_base_dir(self):
        first = self.server()
        second = self.server(start=False, settings={"base_dir": first.base_dir})
        done = subprocess.run([culver.programs().master, "-c", second.config_path], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        self.assertIn("already running with PID", done.stderr)

    def test_wrong_configuration(self):
        server = self.server(start=False, extra="mail_lokation = maildir:~/x\n")
        done = subprocess.run([culver.programs().master, "-c", server.config_path], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 89)
        self.assertRegex(done.stderr, r"server\.conf:\d+:\d+.*mail_lokation")
        self.assertIn("mail_location", done.stderr)

    def test_no_silent_exit(self):
        """Whatever keeps the suite from starting is said on stderr as well as in the log, also in the background."""
        cases = {
            "log": {"log_path": "/nonexistent/dir/x.log"},
            "libexec": {"libexec_dir": "/nonexistent/libexec"},
            "user": {"default_internal_user": "no-such-user"},
        }
        for name, settings in cases.items():
            with self.subTest(name):
                server = self.server(start=False, settings=settings)
                done = subprocess.run([culver.programs().master, "-c", server.config_path], capture_output=True, text=True, timeout=20)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, r"(Fatal|Error): .*(%s)" % "|".join(re.escape(v) for v in settings.values()))

    @limit(60)
    def test_a_failing_service_is_throttled_and_named(self):
        server = self.server(start=False)
        libexec = server.path("libexec")
        subprocess.run(["cp", "-a", culver.programs().libexec, libexec], check=True)
        os.chmod(libexec, 0o755)
        server.settings["libexec_dir"] = libexec
        server.write_config()
        os.unlink(os.path.join(libexec, "imap"))
        with open(os.path.join(libexec, "imap"), "w") as file:
            file.write("#!/bin/sh\nexit 1\n")
        os.chmod(os.path.join(libexec, "imap"), 0o755)
        server.start(wait=False)
        server.wait_for_log(r"service\(imap\): .*(exited|returned).*1", 15)
        server.wait_for_log(r"service\(imap\): command startup failed, throttling for \d+\.\d+ secs", 15)
        with server.client(timeout=30) as client:
            self.assertRegex(client.login().text, r"\[UNAVAILABLE\]")
        self.assertLess(len(re.findall(r"throttling for", server.log())), 10)

    @only_root
    @needs("strace")
    @limit(60)
    def test_a_worker_that_fails_before_it_works_throttles_its_service_at_once(self):
        server = self.server(services={"imap": {"process_min_avail": 0}})
        server.login("bob").logout()  # the zygote itself is confined by now
        zygote = [p for p in server.named("imap") if p.ppid == server.master.pid][0].pid
        # Becoming its user fails in each worker, as where the kernel refuses it.
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=setresgid", "-e", "inject=setresgid:error=EPERM", "-p", str(zygote)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(tracer.wait)
        self.addCleanup(tracer.terminate)
        self.until(lambda: status_field(zygote, "TracerPid") != "0", "strace watches the zygote")
        mark = server.mark()
        with server.client(timeout=30) as client:
            client.send(b"a LOGIN alice secret\r\n")
            client.rest()
        server.wait_for_log(r"Fatal: mail worker could not be confined: setresgid", since=mark)
        server.wait_for_log(r"service\(imap\): command startup failed, throttling for 2\.000 secs", since=mark)
        self.assertNotIn("returned error 89", server.log_since(mark), "a fatal line of its own says it better")
        row = server.service("imap")
        self.assertGreater(float(row["throttle_secs"]), 0)
        # Starts wait; other services are served; then it works again.
        tracer.terminate()
        tracer.wait()
        began = time.monotonic()
        with server.client(timeout=30) as client:
            self.assertEqual(client.login().word, "OK")
        self.assertGreater(time.monotonic() - began, 0.5, "the start was delayed")

    @limit(60)
    def test_a_program_that_cannot_be_executed_is_named(self):
        server = self.server(start=False)
        libexec = server.path("libexec")
        subprocess.run(["cp", "-a", culver.programs().libexec, libexec], check=True)
        os.chmod(libexec, 0o755)
        server.settings["libexec_dir"] = libexec
        server.write_config()
        os.unlink(os.path.join(libexec, "imap"))
        with open(os.path.join(libexec, "imap"), "w") as file:
            file.write("#!/nonexistent/interpreter\n")
        os.chmod(os.path.join(libexec, "imap"), 0o755)
        server.start(wait=False)
        server.wait_for_log(r"imap: Fatal: execv\(.*/imap\) failed: No such file or directory", 15)
        server.wait_for_log(r"service\(imap\): child \d+ returned error 84 \(exec\(\) failed\)", 15)

    def other_build(self, libexec, name, version=1, build="9.9"):
        """Puts a program there that says hello as another build does, and then waits."""
        hello = {"config": 6}.get(name, 7)
        payload = struct.pack("<I", len(name)) + name.encode() + struct.pack("<H", version) + struct.pack("<I", len(build)) + build.encode()
        frame = struct.pack("<HHHHII", 0x5643, version, hello, 0, 0, len(payload)) + payload
        path = os.path.join(libexec, name)
        os.unlink(path)
        with open(path, "w") as file:
            file.write("#!%s\nimport socket, time\nmaster = socket.socket(fileno=3)\nmaster.send(%r)\ntime.sleep(60)\n" % (sys.executable, frame))
        os.chmod(path, 0o755)
        return path

    def own_libexec(self, server):
        libexec = server.path("libexec")
        subprocess.run(["cp", "-a", culver.programs().libexec, libexec], check=True)
        os.chmod(libexec, 0o755)
        server.settings["libexec_dir"] = libexec
        server.write_config()
        return libexec

    @limit(60)
    def test_a_program_of_another_build_is_named(self):
        for version, words in ((1, r"version 9\.9 \(protocol version 1\)"), (7, "of protocol version 7")):
            with self.subTest(version=version):
                server = self.server(start=False)
                path = self.other_build(self.own_libexec(server), "imap", version)
                server.start(wait=False)
                server.wait_for_log(
                    r"Error: service\(imap\): %s is %s, this process is version \S+ \(protocol version \d+\): executables of two builds are mixed"
                    r".*stop and start Culver" % (re.escape(path), words), 15)
                server.wait_for_log(r"service\(imap\): command startup failed, throttling", 15)
                server.stop()

    @limit(60)
    def test_a_reload_with_a_config_of_another_build_changes_nothing(self):
        server = self.server(start=False)
        libexec = self.own_libexec(server)
        server.start()
        session = server.login("alice")
        path = self.other_build(libexec, "config")
        os.kill(server.named("config")[0].pid, 9)
        self.until(lambda: not server.named("config"), "config ended")
        mark = server.mark()
        os.kill(server.master.pid, 1)
        server.wait_for_log(r"Config reload failed, the old configuration stays in force: %s is version 9\.9" % re.escape(path), since=mark)
        self.assertEqual(session.command("NOOP").word, "OK")
        server.login("bob").logout()

    @limit(60)
    def test_a_failed_start_leaves_no_process(self):
        server = self.server(start=False, settings={"log_path": "/nonexistent/folder/log"})
        wrong = self.server(start=False)
        wrong.write_config("dovecot_config_version = 2.4.0\nnonsense {\n")
        taken = self.server(start=False)
        held = socket.create_server(("127.0.0.1", taken.imap_port))
        self.addCleanup(held.close)
        script = (
            "import ctypes, subprocess, sys\n"
            "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"  # orphans become children of this process
            "status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True).returncode\n"
            "print(status, open('/proc/self/task/%d/children' % __import__('os').getpid()).read().split())\n")
        for kind in (server, wrong, taken):
            for arguments in (["-F"], []):
                with self.subTest(arguments=arguments):
                    done = subprocess.run(
                        [sys.executable, "-c", script, culver.programs().master, *arguments, "-c", kind.config_path], capture_output=True, text=True,
                        env=culver.CLEAN)
                    self.assertEqual(done.stdout.strip(), "89 []", done.stderr)

    @limit(90)
    def test_fork_bursts_are_served(self):
        users = ["user%d" % n for n in range(50)]
        server = self.server(users=users, settings={"mail_max_userip_connections": "0"})
        clients = [Client(server.imap_port, greeting=False, timeout=60) for _ in range(90)]
        for client in clients:
            client.line()
        tags = [client.start("LOGIN %s secret" % users[index % 50]) for index, client in enumerate(clients)]
        for client, tag in zip(clients, tags):
            self.assertOK(client.finish(tag))
        for client in clients:
            client.logout()
        self.assertNotRegex(server.log(), r"Resource temporarily unavailable|(Error|Fatal|Panic):")
