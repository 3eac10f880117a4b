"""Processes killed from outside: only what must be lost is lost."""

import os
import re
import signal
import socket
import threading
import time

import processes
from suite import Case, Client, Closed, limit, only_culver, only_root


def kill(process, how=signal.SIGKILL):
    os.kill(process.pid, how)


@only_culver
class Killed(Case):
    def workers(self, server, role):
        return [p for p in server.named(role) if p.ppid != server.master.pid]

    def zygote(self, server, role):
        return [p for p in server.named(role) if p.ppid == server.master.pid][0]

    def worker_of(self, server, user):
        return self.until(lambda: [p for p in self.workers(server, "imap") if "[%s" % user in p.title], "the worker of " + user)[0]

    def test_a_worker_ends_only_its_session_and_is_logged(self):
        server = self.server()
        first, second = server.login("alice"), server.login("bob")
        mark = server.mark()
        victim = self.worker_of(server, "alice")
        kill(victim)
        first.rest()
        server.wait_for_log(r"(?m)^.*alice.*%d.*killed with signal 9|^.*%d.*killed with signal 9.*alice" % (victim.pid, victim.pid), since=mark)
        self.assertOK(second.command("SELECT INBOX"))
        self.until(lambda: "alice" not in server.adm("who"), "who forgets alice")
        server.login("alice").logout()

    @only_culver
    def test_term_by_hand_ends_a_session_politely_and_names_who_did_it(self):
        server = self.server()
        client, other = server.login("alice"), server.login("bob")
        mark = server.mark()
        os.kill(self.worker_of(server, "alice").pid, signal.SIGTERM)
        self.assertIn(b"* BYE", client.rest())
        server.wait_for_log(r"imap\(alice\).*Warning: Killed with signal 15 \(by pid=%d uid=\d+ code=kill\)" % os.getpid(), since=mark)
        # The stop of the service says nothing of the kind.
        mark = server.mark()
        self.assertEqual(server.stop(), 0)
        other.rest()
        self.assertNotIn("imap(bob)", "".join(line for line in server.log_since(mark).splitlines() if "Killed with" in line))

    def test_a_worker_behind_tls_closes_the_client(self):
        server = self.server()
        client = server.login("alice", tls="implicit")
        kill(self.worker_of(server, "alice"))
        client.socket.settimeout(5)
        client.rest()
        self.until(lambda: not [p for p in self.workers(server, "imap-login") if "proxy" in p.title], "the TLS proxy goes too")

    @limit(90)
    def test_a_mail_zygote_leaves_its_sessions(self):
        server = self.server(settings={"mail_max_userip_connections": "3"})
        sessions = [server.login("alice"), server.login("alice", tls="implicit"), server.login("bob")]
        old = self.zygote(server, "imap")
        kill(old)
        for session in sessions:
            self.assertOK(session.command("SELECT INBOX"))
        new = self.until(lambda: [p for p in server.named("imap") if p.ppid == server.master.pid and p.pid != old.pid], "a new zygote")[0]
        server.wait_for_log(r"imap.*%d.*killed with signal 9" % old.pid)

        def counted():
            rows = server.adm("who")
            return re.search(r"alice\s+2\b", rows) and re.search(r"bob\s+1\b", rows)
        self.until(counted, "both users are counted still: %s" % server.adm("who"))
        third = server.login("alice")
        with server.client() as client:
            self.assertNO(client.login("alice"))
        sessions[0].logout()
        third.logout()
        self.until(lambda: re.search(r"alice\s+1\b", server.adm("who")), "one of alice is left: %s" % server.adm("who"))
        self.assertNotEqual(old.pid, new.pid)
        self.assertEqual(server.stop(), 0)
        self.assertGone(server, 20)

    def test_a_login_zygote_leaves_its_clients(self):
        server = self.server()
        secure = server.login("alice", tls="implicit")
        waiting = server.client()
        old = self.zygote(server, "imap-login")
        kill(old)
        self.assertOK(secure.command("SELECT INBOX"))
        self.assertOK(waiting.login("bob"))
        self.until(lambda: [p for p in server.named("imap-login") if p.ppid == server.master.pid and p.pid != old.pid], "a new zygote")
        server.login("bob").logout()

    def test_anvil_learns_the_sessions_again(self):
        server = self.server(settings={"mail_max_userip_connections": "2"})
        sessions = [server.login("alice"), server.login("alice", tls="implicit"), server.login("bob")]
        old = server.named("anvil")[0]
        kill(old)
        began = time.monotonic()
        self.until(lambda: [p for p in server.named("anvil") if p.pid != old.pid], "a new anvil", 5)

        def counted():
            done = server.adm_run("who")
            return done.returncode == 0 and re.search(r"alice\s+2\b", done.stdout) and re.search(r"bob\s+1\b", done.stdout)
        self.until(counted, "who is right", 5)
        self.assertLess(time.monotonic() - began, 2.0)
        with server.client() as client:
            self.assertNO(client.login("alice"))
        for session in sessions:
            self.assertOK(session.command("NOOP"))

    @limit(60)
    def test_auth_fails_logins_in_progress_and_takes_new_ones(self):
        server = self.server()
        session = server.login("bob")
        client = server.client()
        tag = client.start("AUTHENTICATE PLAIN")
        self.assertTrue(client.line().startswith(b"+"))
        old = server.named("auth")[0]
        kill(old)
        time.sleep(0.1)
        try:
            client.send(b"AGFsaWNlAHNlY3JldA==\r\n")
        except OSError:
            pass
        reply = client.finish(tag)
        self.assertTrue(reply.word == "OK" or "[UNAVAILABLE]" in reply.text, reply)

        def works():
            try:
                with server.client(timeout=5) as another:
                    return another.login("alice").word == "OK"
            except (OSError, Closed):
                return False
        self.until(works, "new logins work", 10)
        self.assertOK(session.command("NOOP"))

    def test_signals_that_mean_nothing_here_end_nobody(self):
        """HUP to auth empties the cache of others; ALRM to master is nothing to it."""
        server = self.server()
        # A greeting needs no auth: under load it may be so new that HUP still ends it.
        server.login("alice").logout()
        master, auth = server.master.pid, server.named("auth")[0].pid
        os.kill(master, signal.SIGALRM)
        for role in ("auth", "anvil", "log", "imap", "imap-login"):
            os.kill(server.named(role)[0].pid, signal.SIGHUP)
        server.login("alice").logout()
        self.assertIsNone(server.master.poll())
        self.assertEqual(server.named("auth")[0].pid, auth)
        self.assertNotIn("killed with signal", server.log())

    def test_config_comes_back_for_a_reload(self):
        server = self.server()
        for process in server.named("config"):
            kill(process)
        server.login().logout()
        server.reload()
        server.login().logout()

    def test_the_log_process_comes_back(self):
        server = self.server()
        server.wait_for_log("starting up")
        old = server.named("log")[0]
        kill(old)
        self.until(lambda: [p for p in server.named("log") if p.pid != old.pid], "a new log process")
        mark = server.mark()
        server.login("alice").logout()
        server.wait_for_log(r"Info: Log\w+(?: in)?: user=<alice>", since=mark)

    def test_a_crash_gives_the_zygote_a_new_memory_layout(self):
        server = self.server()
        client = server.login("alice")
        worker, zygote = self.worker_of(server, "alice"), self.zygote(server, "imap")
        where = lambda process: [line for line in process.maps() if "/mail" in line or "/libexec/" in line][0].split("-")[0]
        self.assertEqual(where(worker), where(zygote))
        before = where(zygote)
        kill(worker, signal.SIGSEGV)
        client.rest()
        server.wait_for_log(r"killed with signal 11")
        again = server.login("alice")
        self.assertNotEqual(where(self.worker_of(server, "alice")), before)
        again.close()

    def test_sessions_go_on_after_a_crash_elsewhere(self):
        server = self.server()
        session, victim = server.login("bob"), server.login("alice")
        kill(self.worker_of(server, "alice"), signal.SIGABRT)
        victim.rest()
        for _ in range(3):
            self.assertOK(session.command("STATUS INBOX (MESSAGES)"))
            server.login("alice").logout()

    @limit(90)
    def test_repeated_crashes_throttle_that_service_only(self):
        server = self.server()
        for _ in range(8):
            zygotes = [p for p in server.named("imap") if p.ppid == server.master.pid]
            if zygotes:
                kill(zygotes[0])
            time.sleep(0.15)
        server.wait_for_log(r"service\(imap\): .*throttl", 15)
        Client(server.imap_port).close()

        def works():
            try:
                with server.client(timeout=30) as client:
                    return client.login().word == "OK"
            except (OSError, Closed):
                return False
        self.until(works, "the service comes back", 70)

    def test_a_killed_master_leaves_sessions_to_their_end(self):
        server = self.server()
        plain, secure = server.login("alice"), server.login("bob", tls="implicit")
        server.processes()
        kill(processes.find(server.master.pid))
        server.master.wait(5)
        for session in (plain, secure):
            self.assertOK(session.command("SELECT INBOX"))
            session.logout()
        self.assertGone(server, 15)


@only_culver
class LogLinesAlone(Case):
    COUNT = 20000

    @limit(300)
    def test_no_line_is_lost_or_doubled_when_log_is_killed(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_min_avail": 2, "process_limit": 2}})
        time.sleep(0.3)
        mark = server.mark()
        lock, left, errors = threading.Lock(), [self.COUNT], []

        def visit():
            while True:
                with lock:
                    if left[0] == 0 or errors:
                        return
                    left[0] -= 1
                try:
                    with socket.create_connection(("127.0.0.1", server.imap_port), 30) as connection:
                        connection.settimeout(30)
                        if not connection.recv(4096).startswith(b"* OK"):
                            errors.append("no greeting")
                except OSError as error:
                    errors.append(error)
        threads = [threading.Thread(target=visit) for _ in range(4)]
        for thread in threads:
            thread.start()
        kills = 0
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.4)
            for process in server.named("log"):
                kill(process)
                kills += 1
        self.assertEqual(errors, [])
        self.assertGreater(kills, 2)

        def sessions():
            return re.findall(r"imap-login: Info: .*\(no auth attempts.*session=<([^>]+)>", server.log_since(mark))
        self.until(lambda: len(sessions()) >= self.COUNT, "all lines", 30)
        found = sessions()
        self.assertEqual(len(found), self.COUNT)
        self.assertEqual(len(set(found)), self.COUNT)
        self.assertNotIn("lines lost", server.log_since(mark))


@only_culver
@only_root
class ForbiddenCalls(Case):
    def test_a_worker_killed_by_its_filter_names_the_call(self):
        """Nothing a client can send makes a worker break its own rules; here gdb or ptrace would have to.

        The exit tests of Confinement show each forbidden act; here it is enough that no session of the
        whole conversation tripped the filter."""
        server = self.server()
        with server.login("alice", tls="implicit") as client:
            for command in ("CREATE a", "SUBSCRIBE a", "RENAME a b", "DELETE b", "SELECT INBOX", "STATUS INBOX (MESSAGES)", 'LIST "" "*"',
                            "SEARCH TEXT x", "EXPUNGE", "CLOSE", "NAMESPACE", "ENABLE CONDSTORE", "ID NIL"):
                client.command(command)
        self.assertNotRegex(server.log(), r"SIGSYS|signal 31|seccomp|forbidden system call")
