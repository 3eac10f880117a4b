"""Measures one server (SUITE_SERVER = culver or dovecot) and prints the figures as JSON."""

import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "Tests", "SuiteTests")]
sys.dont_write_bytecode = True

import cpu  # noqa: E402
import load  # noqa: E402
import processes  # noqa: E402
import store  # noqa: E402
from culver import Instance, message  # noqa: E402

USERS = ["user%d" % number for number in range(10)]
ONE = {"imap-login": {"service_count": 1, "process_limit": 500}, "imap": {"service_count": 1, "process_limit": 1024}}
SHARED = {"imap-login": {"service_count": 0, "process_min_avail": 2, "client_limit": 1000}, "imap": {"service_count": 1, "process_limit": 1024}}
# Dovecot only: the same mail processes serve many users, so nothing separates them
REUSED = {"imap-login": SHARED["imap-login"], "imap": {"service_count": 1000, "process_min_avail": 4, "process_limit": 1024}}


class Side:
    """A running server whose CPU time is counted."""

    def __init__(self, services, settings=None):
        self.meter = cpu.Meter()
        self.instance = Instance(name="bench", users=USERS, services=services, settings={"mail_max_userip_connections": "0", **(settings or {})})
        self.instance.start(wrapper=self.meter.wrapper())
        self.meter.pid = self.instance.master.pid
        for user in USERS:
            with self.instance.login(user) as client:
                for number in range(3):
                    client.append(message("Message %d" % number))
                client.command("SELECT INBOX")
                client.logout()

    def port(self, tls):
        return self.instance.imaps_port if tls else self.instance.imap_port

    def settle(self):
        """Waits until the server has nothing left to do."""
        before = self.meter.seconds()
        for _ in range(40):
            time.sleep(0.25)
            now = self.meter.seconds()
            if now - before < 0.001:
                return
            before = now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.instance.close()
        time.sleep(0.2)
        self.meter.close()


def logins(services, tls, count, clients):
    with Side(services) as side:
        load.run(side.port(tls), USERS, max(50, count // 10), clients, tls)
        side.settle()
        before = side.meter.seconds()
        elapsed = load.run(side.port(tls), USERS, count, clients, tls)
        side.settle()
        used = side.meter.seconds() - before
        return {"cpu_ms": used / count * 1000, "rate": count / elapsed, "how": side.meter.how}


def memory(tls, count):
    with Side(ONE) as side:
        side.settle()
        total = lambda: sum(p.private_memory() for p in side.instance.processes())
        held = [side.instance.login(USERS[0], tls="implicit" if tls else None)]
        held[0].command("SELECT INBOX")
        held[0].start("IDLE")
        time.sleep(0.5)
        before, kinds = total(), len(side.instance.processes())
        for number in range(count):
            client = side.instance.login(USERS[number % len(USERS)], tls="implicit" if tls else None)
            client.command("SELECT INBOX")
            client.start("IDLE")
            client.line()
            held.append(client)
        time.sleep(1)
        after = total()
        found = {"bytes": (after - before) / count, "processes": (len(side.instance.processes()) - kinds) / count}
        for client in held:
            client.close()
        return found


def latency(count):
    with Side(SHARED) as side:
        load.latencies(side.port(False), USERS, 50)
        times = sorted(load.latencies(side.port(False), USERS, count))
        return {"median_ms": statistics.median(times) * 1000, "p99_ms": times[int(len(times) * 0.99)] * 1000}


def spawn(count, clients):
    with Side(ONE) as side:
        side.settle()
        master, whole = cpu.of_process(side.instance.master.pid), side.meter.seconds()
        elapsed = load.run(side.port(False), USERS, count, clients)
        side.settle()
        master, whole = cpu.of_process(side.instance.master.pid) - master, side.meter.seconds() - whole
        return {"master_percent": master / whole * 100, "master_ms": master * 1000, "whole_ms": whole * 1000, "rate": count / elapsed}


def mailboxes(measure, options):
    # a first look at a million files takes more memory than the default allows Dovecot
    with Side(SHARED, {"default_vsz_limit": "2G"}) as side:
        return measure(store.Bench(options, side))


def main():
    options = json.loads(sys.argv[1])
    processes.become_subreaper()
    count, clients = options["count"], options["clients"]
    measures = {
        "one-plain": lambda: logins(ONE, False, count, clients),
        "one-tls": lambda: logins(ONE, True, count, clients),
        "shared-plain": lambda: logins(SHARED, False, count, clients),
        "shared-tls": lambda: logins(SHARED, True, count, clients),
        "reused-plain": lambda: logins(REUSED, False, count, clients),
        "memory-plain": lambda: memory(False, options["sessions"]),
        "memory-tls": lambda: memory(True, options["sessions"]),
        "latency": lambda: latency(options["latencies"]),
        "spawn": lambda: spawn(options["spawn"], clients),
    }
    for name, measure in store.MEASURES.items():
        measures[name] = lambda measure=measure: mailboxes(measure, options)
    try:
        print(json.dumps(measures[options["measure"]]()))
    finally:
        for instance in Instance.registry:
            instance.close()


if __name__ == "__main__":
    main()
