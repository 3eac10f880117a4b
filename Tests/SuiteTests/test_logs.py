"""The log: where lines go, how they look, and what cannot happen to them."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

from suite import Case, Client, SharedCase, limit, only_culver, only_root


class Format(SharedCase):
    def test_every_line_has_time_prefix_and_level(self):
        self.shared.login("alice", tls="implicit").logout()
        with self.shared.client() as client:
            client.login("alice", "wrong")
        time.sleep(0.3)
        for line in self.shared.log().splitlines():
            self.assertRegex(line, r"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d [a-z][a-z0-9-]*(\([^)]*\))?(<[^>]*>)*: (Debug|Info|Warning|Error|Fatal|Panic): .")

    def test_mail_lines_carry_user_pid_and_session(self):
        mark = self.shared.mark()
        client = self.shared.login("alice")
        match = self.shared.wait_for_log(r"user=<alice>.*mpid=(\d+).*session=<([^>]+)>", since=mark)
        client.close()
        self.shared.wait_for_log(r"imap\(alice\)<%s><%s>: Info: Disconnected: Connection closed" % (match.group(1), re.escape(match.group(2))), since=mark)

    def test_files_are_private(self):
        self.assertEqual(os.stat(self.shared.log_path).st_mode & 0o777, 0o600)

    @only_culver
    def test_control_characters_never_reach_the_file(self):
        mark = self.shared.mark()
        evil = b"ali\x1b[31mce\x07\x7f\xe2\x80\xae\xff"
        with self.shared.client() as client:
            client.send(b"a LOGIN {%d+}\r\n%s wrong\r\n" % (len(evil), evil))
            client.finish(b"a")
            client.logout()
        with self.shared.client() as client:
            client.send(b'b LOGIN "bad\tuser" "x"\r\n')
            client.finish(b"b")
            client.logout()
        time.sleep(0.3)
        with open(self.shared.log_path, "rb") as file:
            file.seek(mark)
            data = file.read()
        self.assertTrue(data)
        self.assertEqual(re.findall(rb"[\x00-\x08\x0b-\x1f\x7f]", data), [])
        self.assertNotIn(b"\xe2\x80\xae", data)
        data.decode("utf-8")

    def test_a_line_cannot_be_forged(self):
        mark = self.shared.mark()
        evil = b"x\nNov 21 00:00:00 imap-login: Info: Login: user=<root>"
        with self.shared.client() as client:
            client.send(b"a LOGIN {%d+}\r\n%s wrong\r\n" % (len(evil), evil))
            client.finish(b"a")
            client.logout()
        time.sleep(0.3)
        self.assertNotRegex(self.shared.log_since(mark), r"(?m)^Nov 21 00:00:00 ")


class Destinations(Case):
    def test_levels_have_files_of_their_own(self):
        server = self.server(start=False)
        info, debug = server.path("log", "info.log"), server.path("log", "debug.log")
        server.settings.update({"info_log_path": info, "debug_log_path": debug, "auth_debug": "yes", "mail_debug": "yes"})
        server.write_config()
        server.start()
        server.login("alice").logout()
        self.until(lambda: "user=<alice>" in server.log(info), "the info file")
        self.until(lambda: ": Debug: " in server.log(debug), "the debug file")
        self.assertNotIn(": Info: ", server.log())
        self.assertNotIn(": Debug: ", server.log(info))
        server.reload_warning = os.kill(server.master.pid, signal.SIGHUP)
        server.wait_for_log(r"Warning: SIGHUP received")

    def test_log_timestamp_is_what_the_administrator_wants(self):
        server = self.server(settings={"log_timestamp": '"%Y-%m-%dT%H:%M:%S "'})
        self.assertRegex(server.log(), r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d master: Info: ")

    def test_stderr_is_possible(self):
        server = self.server(settings={"log_path": "/dev/stderr"})
        server.login("alice").logout()
        self.until(lambda: "user=<alice>" in server.stderr(), "lines on stderr")

    @only_root
    def test_syslog_gets_priority_and_name(self):
        if os.path.exists("/dev/log"):
            self.skipTest("/dev/log belongs to somebody")
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        receiver.bind("/dev/log")
        self.addCleanup(os.unlink, "/dev/log")
        self.addCleanup(receiver.close)
        os.chmod("/dev/log", 0o666)
        receiver.settimeout(10)
        server = self.server(settings={"log_path": "syslog", "syslog_facility": "local6"}, name="dovecot")
        server.login("alice").logout()
        heard = []
        try:
            while not any("user=<alice>" in text for text in heard):
                heard.append(receiver.recv(65536).decode("utf-8", "replace"))
        except socket.timeout:
            self.fail("heard %r" % heard)
        line = [text for text in heard if "user=<alice>" in text][0]
        self.assertRegex(line, r"^<%d>" % (22 << 3 | 6))  # local6, info
        self.assertRegex(line, r"dovecot(\[\d+\])?: imap-login: Log\w+(?: in)?: user=<alice>")
        os.kill(server.master.pid, signal.SIGHUP)
        try:
            while not any("SIGHUP" in text for text in heard):
                heard.append(receiver.recv(65536).decode("utf-8", "replace"))
        except socket.timeout:
            self.fail("heard %r" % heard)
        line = [text for text in heard if "SIGHUP" in text][0]
        self.assertRegex(line, r"^<%d>.*master: Warning: SIGHUP received" % (22 << 3 | 4))


class Administration(Case):
    def test_reopen_follows_a_renamed_file(self):
        for way in ("adm", "signal"):
            with self.subTest(way):
                server = self.server()
                server.login("alice").logout()
                server.wait_for_log("user=<alice>")
                old = server.log_path + ".1"
                os.rename(server.log_path, old)
                server.login("bob").logout()
                self.until(lambda: "user=<bob>" in server.log(old), "the old file is still written")
                if way == "adm":
                    server.adm("log", "reopen")
                else:
                    os.kill(server.master.pid, signal.SIGUSR1)
                self.until(lambda: os.path.exists(server.log_path), "the new file")
                server.login("carol" if "carol" in server.users else "alice").logout()
                server.wait_for_log(r"user=<alice>")

    def test_find_names_the_files(self):
        server = self.server()
        done = server.adm_run("log", "find")
        self.assertEqual(done.returncode, 0, done.stderr)
        for level in ("Debug", "Info", "Warning", "Error", "Fatal"):
            self.assertRegex(done.stdout + done.stderr, r"%s: %s" % (level, re.escape(server.log_path)))

    def test_test_writes_one_line_per_level(self):
        server = self.server()
        mark = server.mark()
        server.adm("log", "test")
        for level in ("Debug", "Info", "Warning", "Error", "Fatal"):
            server.wait_for_log(r"%s: This is \w+'s %s log \(\d+\)" % (level, level.lower()), since=mark)

    @only_culver
    def test_errors_shows_what_was_bad_lately(self):
        server = self.server()
        client = server.login("alice")
        pid = int(server.wait_for_log(r"user=<alice>.*mpid=(\d+)").group(1))
        os.kill(pid, signal.SIGKILL)
        client.rest()
        os.kill(server.master.pid, signal.SIGHUP)
        text = self.until(lambda: (lambda t: t if "signal 9" in t and "SIGHUP" in t else None)(server.adm("log", "errors")), "both")
        self.assertRegex(text, r"(?m)^\w{3} \d\d \d\d:\d\d:\d\d (Error|Fatal): .*killed with signal 9")
        self.assertRegex(text, r"(?m)^\w{3} \d\d \d\d:\d\d:\d\d Warning: .*SIGHUP received")
        self.assertNotIn("Info:", text)
        later = server.adm("log", "errors", "-s", str(int(time.time()) + 3600))
        self.assertNotIn("SIGHUP", later)

    @only_culver
    def test_errors_outlive_the_log_process(self):
        server = self.server()
        os.kill(server.master.pid, signal.SIGHUP)
        self.until(lambda: "SIGHUP" in server.adm("log", "errors"), "the warning")
        old = server.named("log")[0].pid
        os.kill(old, signal.SIGKILL)
        self.until(lambda: [p.pid for p in server.named("log")] not in ([], [old]), "another log process")
        self.assertIn("SIGHUP", server.adm("log", "errors"))

    @limit(60)
    @only_culver
    def test_no_line_is_lost_or_doubled_when_the_log_files_are_others(self):
        server = self.server()
        files = [server.log_path, server.path("log", "second.log")]
        count = 20000
        writer = threading.Thread(target=server.adm_run, args=("log", "test", "--count", str(count)), kwargs={"seconds": 50})
        writer.start()
        for turn in range(6):
            old = server.named("log")[0].pid
            server.settings["log_path"] = files[(turn + 1) % 2]
            server.write_config()
            server.adm("reload")
            self.until(lambda: [p.pid for p in server.named("log")] not in ([old], []) and len(server.named("log")) == 1, "another log")
        writer.join()
        self.until(lambda: "number %d of" % (count - 1) in "".join(map(server.log, files)), "the last line")
        found = re.findall(r"test line number (\d+) of", "".join(map(server.log, files)))
        self.assertEqual(sorted(map(int, found)), list(range(count)))

    @only_culver
    def test_usr1_to_log_itself_reopens_the_files(self):
        server = self.server()
        os.rename(server.log_path, server.log_path + ".1")
        log = server.named("log")[0].pid
        os.kill(log, signal.SIGUSR1)
        self.until(lambda: os.path.exists(server.log_path), "a new file")
        server.login("alice").logout()
        server.wait_for_log("Login: user=<alice>")
        self.assertEqual(server.named("log")[0].pid, log)


@only_culver
class FloodAlone(Case):
    @limit(120)
    def test_a_flood_delays_nobody_else_and_loses_nothing(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_min_avail": 2, "process_limit": 2}})
        mark = server.mark()
        stop, count = threading.Event(), []

        def flood():
            while not stop.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", server.imap_port), 10) as connection:
                        connection.settimeout(10)
                        connection.recv(4096)
                    count.append(1)
                except OSError:
                    pass
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                time.sleep(0.5)
                here = server.mark()
                client = server.login("alice")
                server.wait_for_log(r"user=<alice>", 3, since=here)
                client.logout()
                server.wait_for_log(r"imap\(alice\).*Logged out", 3, since=here)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.until(lambda: server.log_since(mark).count("(no auth attempts") >= len(count), "every line of the flood", 20)

    @limit(60)
    def test_a_flooding_process_is_named_in_the_title_of_log(self):
        """The log goes into a pipe that is read slowly, as a disk too slow for what is written."""
        server = self.server(start=False, services={"imap-login": {"service_count": 0, "process_min_avail": 2, "process_limit": 2}})
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        server.settings["log_path"] = "/dev/stderr"
        server.write_config()
        stop, text, seen = threading.Event(), [], []
        flooding = threading.Event()

        def read():
            while not stop.is_set():
                try:
                    text.append(os.read(reading, 4096))
                except BlockingIOError:
                    pass
                # 40 kB per second, about 250 lines, once the flood has begun
                time.sleep(0.1 if flooding.is_set() else 0.001)

        def flood():
            while not stop.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", server.imap_port), 5) as connection:
                        connection.settimeout(1)
                        connection.recv(4096)
                except OSError:
                    pass
        reader = threading.Thread(target=read)
        reader.start()
        threads = [threading.Thread(target=flood) for _ in range(6)]
        try:
            server.start(errors_to=writing)
            flooding.set()
            for thread in threads:
                thread.start()
            limit = time.monotonic() + 30
            while time.monotonic() < limit and not seen:
                seen += [process.title for process in server.named("log") if "too fast" in process.title]
                time.sleep(0.05)
        finally:
            stop.set()
            for thread in threads:
                if thread.ident:
                    thread.join()
            reader.join()
        self.assertTrue(seen, "the title never said \"too fast\"")
        self.assertRegex(seen[0], r"\[.*too fast.*\]")


class FullDisk(Case):
    @only_culver
    @only_root
    @limit(60)
    def test_does_not_stop_the_suite(self):
        server = self.server(start=False)
        disk = server.path("disk")
        os.mkdir(disk, 0o755)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", disk], capture_output=True)
        if done.returncode != 0:
            self.skipTest("cannot mount: %s" % done.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", disk], capture_output=True)
        server.log_path = server.settings["log_path"] = os.path.join(disk, "server.log")
        server.write_config()
        server.start()
        with open(os.path.join(disk, "ballast"), "wb", 0) as file:
            try:
                while True:
                    file.write(b"x" * 1024)
            except OSError:
                pass
        session = server.login("bob")
        for _ in range(20):
            server.login("alice", tls="implicit").logout()
        self.assertOK(session.command("SELECT INBOX"))
        os.unlink(os.path.join(disk, "ballast"))
        mark = server.mark()

        def logged():
            server.login("alice").logout()
            time.sleep(0.2)
            return "user=<alice>" in server.log_since(mark)
        self.until(logged, "lines again once there is room", 15)
