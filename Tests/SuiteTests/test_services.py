"""Limits of services: what happens when one is reached, and what the log says about it."""

import os
import re
import resource
import threading
import time

import processes
from suite import Case, Client, Closed, limit, only_culver, only_root


class Crowd:
    """Many clients at once; remembers how each one fared."""

    def __init__(self, server, count, users, stay=0.05, timeout=100):
        self.server, self.users, self.stay, self.timeout = server, users, stay, timeout
        self.results = [None] * count
        self.gate = threading.Event()
        self.threads = [threading.Thread(target=self.one, args=(number,)) for number in range(count)]

    def one(self, number):
        self.gate.wait()
        try:
            with self.server.client(timeout=self.timeout) as client:
                if not client.greeting.startswith(b"* OK"):
                    self.results[number] = "told: %r" % client.greeting
                    return
                reply = client.login(self.users[number % len(self.users)])
                if reply.word != "OK":
                    self.results[number] = "told: " + reply.text
                    return
                if client.command("NOOP").word != "OK":
                    self.results[number] = "broken"
                    return
                time.sleep(self.stay)
                client.logout()
                self.results[number] = "served"
        except Closed as error:
            left = bytes(error.args[0]) if error.args else b""
            self.results[number] = "told: %r" % left if b"BYE" in left else "dropped without a word"
        except OSError as error:
            self.results[number] = "dropped: %r" % error

    def run(self):
        for thread in self.threads:
            thread.start()
        self.gate.set()
        for thread in self.threads:
            thread.join()
        summary = {}
        for result in self.results:
            summary[result] = summary.get(result, 0) + 1
        return summary


class FullServicesAlone(Case):
    @limit(180)
    @only_culver
    def test_200_clients_and_5_processes(self):
        users = ["user%d" % number for number in range(20)]
        server = self.server(users=users, services={"imap": {"process_limit": 5}}, settings={"mail_max_userip_connections": "0"})
        summary = Crowd(server, 200, users).run()
        self.assertEqual([text for text in summary if "dropped" in text or text == "broken"], [], summary)
        for text in summary:
            if text.startswith("told"):
                self.assertRegex(text, r"\[(UNAVAILABLE|LIMIT)\]|BYE", summary)
        self.assertGreater(summary.get("served", 0), 50, summary)
        self.assertRegex(server.log(), r"Warning: .*service\(imap\).*process_limit \(5\) reached")
        self.assertNotIn("Resource temporarily unavailable", server.log())
        # and afterwards all is as before
        server.login(users[0]).logout()

    @limit(180)
    @only_culver
    def test_a_queue_that_is_never_served_ends_with_a_reason(self):
        server = self.server(users=("alice", "bob", "carol"), services={"imap": {"process_limit": 2}})
        held = [server.login("alice"), server.login("bob")]
        client = server.client(timeout=120)
        mark = server.mark()
        tag = client.start("LOGIN carol secret")
        server.wait_for_log(r"Warning: .*service\(imap\).*process_limit \(2\) reached", since=mark)
        row = server.service("imap")
        self.assertEqual(int(row["process_count"]), 2)
        reply = client.finish(tag)
        self.assertNO(reply)
        self.assertRegex(reply.text, r"\[(UNAVAILABLE|LIMIT)\]")
        text = server.log_since(mark)
        self.assertRegex(text, r"imap-login: .*(process_limit|queue)")
        del held

    @limit(60)
    @only_culver
    def test_a_place_that_becomes_free_goes_to_who_waits(self):
        server = self.server(users=("alice", "bob", "carol"), services={"imap": {"process_limit": 2}})
        held = [server.login("alice"), server.login("bob")]
        client = server.client(timeout=30)
        tag = client.start("LOGIN carol secret")
        time.sleep(1)
        queued = [row for row in server.table("service", "status") if row["name"] == "imap"][0]
        self.assertTrue(any("queue" in key or key == "listen_pending" for key in queued), queued)
        held.pop().logout()
        began = time.monotonic()
        self.assertOK(client.finish(tag))
        self.assertLess(time.monotonic() - began, 2)

    @limit(90)
    def test_full_login_processes_make_room(self):
        server = self.server(services={"imap-login": {"process_limit": 4}})
        idle = []
        for _ in range(4):
            idle.append(server.client())
        began = time.monotonic()
        with server.client(timeout=60) as client:
            self.assertOK(client.login())
        self.assertLess(time.monotonic() - began, 20)
        ended = 0
        for client in idle:
            client.socket.settimeout(0.5)
            try:
                if b"* BYE" in client.rest():
                    ended += 1
            except OSError:
                pass
        self.assertGreaterEqual(ended, 1, "nobody was told to go")
        self.assertRegex(server.log(), r"service\(imap-login\).*process_limit \(4\) reached")

    @limit(120)
    @only_culver
    def test_a_burst_of_connections_is_greeted(self):
        server = self.server(services={"imap-login": {"process_limit": 400}})
        began = time.monotonic()
        sockets = [Client(server.imap_port, greeting=False, timeout=30) for _ in range(300)]
        for client in sockets:
            self.assertTrue(client.line().startswith(b"* OK"))
        self.assertLess(time.monotonic() - began, 20)
        for client in sockets:
            client.close()
        self.until(lambda: len(server.named("imap-login")) <= 3, "login processes go when their clients go")
        self.assertNotRegex(server.log(), r"Error:|Fatal:|Panic:")


class Processes(Case):
    @only_culver
    def test_process_min_avail_keeps_processes_ready(self):
        server = self.server(services={"imap-login": {"process_min_avail": 3}})
        waiting = lambda: len([p for p in server.named("imap-login") if p.ppid != server.master.pid and "[" not in p.title])
        self.until(lambda: waiting() >= 3, "three wait: %s" % server.processes())
        held = [server.client() for _ in range(2)]
        self.until(lambda: waiting() >= 3, "three more wait: %s" % server.processes())
        del held

    @only_culver
    @limit(60)
    def test_idle_processes_are_ended(self):
        server = self.server(settings={"default_idle_kill": "1 secs"},
                             services={"imap-login": {"service_count": 0, "client_limit": 1, "process_min_avail": 1}})
        held = [server.client() for _ in range(6)]
        workers = lambda: [p for p in server.named("imap-login") if p.ppid != server.master.pid]
        self.until(lambda: len(workers()) >= 6, "six at work")
        for client in held:
            client.close()
        self.until(lambda: len(workers()) <= 2, "the idle ones go: %s" % workers(), 15)
        server.login().logout()

    def mpid(self, server, user):
        mark = server.mark()
        server.login(user).logout()
        return int(server.wait_for_log(r"user=<%s>.*mpid=(\d+)" % user, since=mark).group(1))

    def test_a_mail_process_serves_one_session(self):
        server = self.server()
        pids = [self.mpid(server, "alice") for _ in range(3)]
        self.assertEqual(len(set(pids)), 3)

    @only_culver
    def test_service_count_lets_a_mail_process_serve_several(self):
        server = self.server(services={"imap": {"service_count": 3}})
        server.wait_for_log(r"Warning: .*service\(?.?imap.*(service_count|restart_request_count).*confine")
        pids = []
        for _ in range(4):
            pids.append(self.mpid(server, "alice"))
            time.sleep(0.2)
        self.assertEqual(len(set(pids[:3])), 1, pids)
        self.assertNotEqual(pids[3], pids[0])

    @only_culver
    def test_a_shared_login_process_serves_many(self):
        server = self.server(services={"imap-login": {"service_count": 0, "process_min_avail": 1, "process_limit": 1}})
        held = [server.client() for _ in range(20)]
        workers = [p for p in server.named("imap-login") if p.ppid != server.master.pid]
        self.assertEqual(len(workers), 1, workers)
        for client in held:
            self.assertOK(client.login("alice" if client is held[0] else "bob") if client in held[:5] else client.command("NOOP"))

    @only_culver
    def test_vsz_limit_becomes_the_data_limit(self):
        server = self.server(services={"imap": {"vsz_limit": "100 M"}})
        client = server.login()
        worker = [p for p in server.named("imap") if p.ppid != server.master.pid][0]
        self.assertEqual(worker.limits()["Max data size"][1], str(100 << 20))
        self.assertEqual(worker.limits()["Max address space"][1], "unlimited")
        client.close()


class Warnings(Case):
    """What is said at start about limits that will not do."""

    def said(self, server):
        return server.log() + server.stderr()

    @only_culver
    def test_client_limit_of_a_mail_service(self):
        server = self.server(services={"imap": {"client_limit": 10}})
        self.assertRegex(self.said(server), r"[Ww]arning: service\(imap\): client_limit=10 has no effect")
        server.login().logout()

    @only_root
    def test_descriptor_limit_below_client_limit(self):
        server = self.server(start=False, services={"imap-login": {"service_count": 0, "client_limit": 3000}})
        server.start(limits={resource.RLIMIT_NOFILE: (1024, 1024)})
        pattern = r"Warning: fd limit \(ulimit -n\) is lower than required under max\. load \(1024 < 3000\), because of service imap-login \{ client_limit \}"
        self.assertRegex(server.log(), pattern)
        self.assertRegex(server.stderr(), pattern)

    def test_auth_client_limit(self):
        server = self.server(services={"auth": {"client_limit": 50}})
        self.assertRegex(self.said(server), r"service auth \{ client_limit=50 \} is lower than required under max\. load \(\d+\)")

    def test_anvil_client_limit(self):
        server = self.server(services={"anvil": {"client_limit": 50}})
        self.assertRegex(self.said(server), r"service anvil \{ client_limit=50 \} is lower than required under max\. load \(\d+\)")

    @only_culver
    def test_backlog_above_somaxconn(self):
        with open("/proc/sys/net/core/somaxconn") as file:
            most = int(file.read())
        server = self.server(services={"imap-login": {"process_limit": most, "client_limit": 10, "service_count": 0}})
        self.assertRegex(self.said(server), r"(Warning|Info): .*somaxconn.*%d" % most)

    def test_no_warning_without_reason(self):
        server = self.server()
        for line in self.said(server).splitlines():
            self.assertNotRegex(line, r"(Warning|Error|Fatal|Panic):")


class Descriptors(Case):
    @only_culver
    @only_root
    @limit(90)
    def test_accept_without_descriptors_waits_and_does_not_spin(self):
        server = self.server(start=False, services={"imap-login": {"process_limit": 400}})
        server.start(limits={resource.RLIMIT_NOFILE: (100, 100)})
        # the zygote accepts, and holds one channel per worker
        accepting = [p for p in server.named("imap-login") if p.ppid == server.master.pid][0]
        waiting = [Client(server.imap_port, greeting=False, timeout=30) for _ in range(150)]
        server.wait_for_log(r"service\(imap-login\): .*ulimit -n")
        first = processes.find(accepting.pid)
        self.assertIsNotNone(first, "the process ended")
        time.sleep(3)
        second = processes.find(accepting.pid)
        self.assertIsNotNone(second, "the process ended")
        self.assertLess(second.ticks - first.ticks, 20, "spins: %d ticks in 3 s" % (second.ticks - first.ticks))
        self.assertLess(server.log().count("ulimit -n"), 12)
        # one leaves, the next is served
        for client in waiting:
            self.assertTrue(client.line().startswith(b"* OK"), "served once there are descriptors")
            client.close()
        server.login().logout()

    @only_culver
    def test_process_status_shows_descriptors_and_state(self):
        server = self.server()
        client = server.login()
        rows = server.table("process", "status")
        names = {row["name"] for row in rows}
        self.assertTrue({"imap", "imap-login", "auth", "anvil", "log"} <= names or {"auth", "anvil", "log"} <= names, rows)
        self.assertTrue(any(re.search(r"fd|descriptor", key) for key in rows[0]), rows[0])
        client.close()
