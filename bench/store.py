"""Measurements of mailboxes: each a function that gets the options and returns figures by name."""

import contextlib
import os
import shutil
import socket
import ssl
import statistics
import time

from mailboxes import FIRST, Corpus

KILO = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}


class Connection:
    """A client that costs as little as possible: it looks at the end of what arrives for the tagged line, and at nothing else."""

    def __init__(self, port, user, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), 600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            self.socket = made.wrap_socket(self.socket)
        self.buffer = memoryview(bytearray(1 << 20))
        self.number = 0
        self._until(b"* OK")
        self.command("LOGIN %s secret" % user)

    def _until(self, wanted):
        """Reads up to a last line that begins with `wanted`; answers its number of bytes."""
        total, tail = 0, b"\n"
        while True:
            got = self.socket.recv_into(self.buffer)
            if got == 0:
                raise EOFError(tail)
            total += got
            tail = (tail + bytes(self.buffer[max(0, got - 1024):got]))[-1024:]
            if tail.endswith(b"\n"):
                start = tail.rfind(b"\n", 0, -1) + 1
                if tail.startswith(wanted, start):
                    self.last = tail[start:]
                    return total

    def hear(self, wanted):
        """Reads until `wanted` came, wherever it stands."""
        heard = b""
        while wanted not in heard:
            got = self.socket.recv_into(self.buffer)
            if got == 0:
                raise EOFError(heard)
            heard = heard[-len(wanted):] + bytes(self.buffer[:got])

    def send(self, text):
        self.number += 1
        tag = b"t%d" % self.number
        self.socket.sendall(tag + b" " + (text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        return tag

    def finish(self, tag):
        got = self._until(tag + b" ")
        if not self.last.startswith(tag + b" OK"):
            raise RuntimeError(self.last)
        return got

    def command(self, text):
        return self.finish(self.send(text))

    def timed(self, text):
        """Seconds until the tagged answer, and the bytes of the whole answer."""
        began = time.perf_counter()
        size = self.command(text)
        return time.perf_counter() - began, size

    def close(self):
        with contextlib.suppress(OSError, EOFError, RuntimeError):
            self.command("LOGOUT")
        self.socket.close()


class Bench:
    """A running server with one user whose mailboxes are made by hand."""

    def __init__(self, options, side, services=None):
        self.side = side
        self.options = options
        self.instance = side.instance
        self.root = self.instance.maildir("user0")

    def corpus(self, count=10_000, size=3_000):
        return Corpus(os.path.join(self.options["corpus"], "%d-%d" % (count, size)), count, size)

    def folder(self, name):
        return os.path.join(self.root, "." + name)

    @contextlib.contextmanager
    def connection(self, tls=False):
        made = Connection(self.side.port(tls), "user0", tls)
        try:
            yield made
        finally:
            made.close()

    def measured(self, body):
        """CPU seconds of all server processes while `body` runs, and seconds by the clock."""
        self.side.settle()
        before, began = self.side.meter.seconds(), time.perf_counter()
        body()
        wall = time.perf_counter() - began
        self.side.settle()
        return self.side.meter.seconds() - before, wall

    def median(self, text, count, prepare=None):
        """Median seconds of a command, each in a session of its own."""
        times = []
        for _ in range(count):
            with self.connection() as client:
                if prepare:
                    client.command(prepare)
                times.append(client.timed(text)[0])
        return statistics.median(times)

    def forget_index(self, path):
        """Removes everything that can be made again, of either server; UIDs stay."""
        for name in os.listdir(path):
            if name.startswith("dovecot.index") or name == "culver.index":
                os.unlink(os.path.join(path, name))
        if path != self.root:
            self.forget_index(self.root)

    def cold(self, name, text, count=3):
        """Median seconds of SELECT and a command by a session that finds no index."""
        times = []
        for _ in range(count):
            self.forget_index(self.folder(name))
            with self.connection() as client:
                began = time.perf_counter()
                client.command("SELECT " + name)
                client.command(text)
                times.append(time.perf_counter() - began)
        return statistics.median(times)


def sizes(bench):
    """SELECT, STATUS and STORE in mailboxes of 1,000 to a million messages."""
    found = {}
    corpus = bench.corpus()
    for name in bench.options["sizes"]:
        corpus.maildir(bench.folder(name), KILO[name])
        with bench.connection() as client:
            found["select_first_" + name] = client.timed("SELECT " + name)[0] * 1000
        repeats = 15 if KILO[name] < 1_000_000 else 7
        found["select_" + name] = bench.median("SELECT " + name, repeats) * 1000
        found["status_" + name] = bench.median("STATUS %s (MESSAGES UNSEEN UIDNEXT)" % name, repeats) * 1000
        with bench.connection() as client:
            client.command("SELECT " + name)
            client.command("STORE 1 +FLAGS (\\Answered)")
            # spread over the whole mailbox, so that no two are neighbours
            step, count = KILO[name] // 200, 200

            def store():
                for number in range(count):
                    client.command("STORE %d +FLAGS (\\Answered)" % (number * step + 2))
            cpu, wall = bench.measured(store)
            found["store_cpu_" + name], found["store_" + name] = cpu / count * 1000, wall / count * 1000
        with bench.connection() as client:
            client.command("SELECT " + name)
            found["body_first_" + name] = client.timed("FETCH %d BODY.PEEK[]" % (KILO[name] // 2))[0] * 1000
        shutil.rmtree(bench.folder(name))
        bench.forget_index(bench.root)
    if {"1k", "1m"} <= set(bench.options["sizes"]):
        found["select_growth"] = found["select_1m"] / found["select_1k"]
    return found


def folders(bench):
    """LIST-STATUS of 1,000 folders."""
    corpus = bench.corpus(100)
    for number in range(1000):
        corpus.maildir(bench.folder("F%d" % number), 10)
    text = 'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))'
    with bench.connection() as client:
        client.command(text)
        client.command(text)
    return {"list_status": bench.median(text, 7) * 1000}


def fetch(bench):
    """FETCH of everything but whole messages."""
    found = {}
    corpus = bench.corpus()
    corpus.maildir(bench.folder("10k"), 10_000)
    structure = "FETCH 1:* (ENVELOPE BODYSTRUCTURE)"
    with bench.connection() as client:
        client.command("SELECT 10k")
        client.command(structure)
        client.command(structure)
    found["flags"] = bench.median("FETCH 1:* (UID FLAGS)", 9, "SELECT 10k") * 1000
    found["structure"] = bench.median(structure, 7, "SELECT 10k") * 1000
    with bench.connection() as client:
        client.command("SELECT 10k")
        cpu, _ = bench.measured(lambda: [client.command(structure) for _ in range(3)])
        found["structure_cpu"] = cpu / 3 * 1000
        cpu, _ = bench.measured(lambda: [client.command("FETCH 1:* (UID FLAGS)") for _ in range(20)])
        found["flags_cpu"] = cpu / 20 * 1000
    times = []
    for _ in range(3):
        shutil.rmtree(bench.folder("10k"))
        bench.forget_index(bench.root)
        corpus.maildir(bench.folder("10k"), 0)
        with bench.connection() as client:
            client.command("STATUS 10k (MESSAGES)")
        corpus.add(bench.folder("10k"), 0, 10_000, new=True)
        with bench.connection() as client:
            began = time.perf_counter()
            client.command("SELECT 10k")
            client.command(structure)
            times.append(time.perf_counter() - began)
    found["structure_cold"] = statistics.median(times) * 1000
    return found


def bodies(bench):
    """FETCH of 500 MB of whole messages, plain and by TLS."""
    found = {}
    bench.corpus(1_000, 50_000).maildir(bench.folder("large"), 10_000)
    for kind, tls in (("plain", False), ("tls", True)):
        with bench.connection(tls) as client:
            client.command("SELECT large")
            client.command("FETCH 1:1000 BODY.PEEK[]")
            rates, used = [], []
            for _ in range(3):
                sizes = []
                cpu, wall = bench.measured(lambda: sizes.append(client.command("FETCH 1:* BODY.PEEK[]")))
                rates.append(sizes[0] / wall / 1e6)
                used.append(cpu / (sizes[0] / 1e9))
            found["rate_" + kind], found["cpu_" + kind] = statistics.median(rates), statistics.median(used)
    return found


SEARCHES = (("flags", "SEARCH UNSEEN FLAGGED"), ("header", 'SEARCH SUBJECT "harbour silver"'), ("body", "SEARCH BODY answerbackharbour"),
            ("sort", "SORT (REVERSE DATE) US-ASCII ALL"), ("sort_subject", "SORT (SUBJECT) US-ASCII ALL"),
            ("thread", "THREAD REFERENCES US-ASCII ALL"))


def search(bench):
    """SEARCH, SORT and THREAD in 10,000 messages, warm and with no index."""
    found = {}
    bench.corpus().maildir(bench.folder("10k"), 10_000)
    for name, text in SEARCHES:
        with bench.connection() as client:
            client.command("SELECT 10k")
            client.command(text)
            client.command(text)
            cpu, _ = bench.measured(lambda: [client.command(text) for _ in range(10)])
            found["search_cpu_" + name] = cpu / 10 * 1000
        found["search_" + name] = bench.median(text, 5, "SELECT 10k") * 1000
        found["search_cold_" + name] = bench.cold("10k", text) * 1000
    return found


def append(bench):
    """Durable saving, one message per command and a hundred."""
    found = {}
    corpus = bench.corpus()
    texts = []
    for path, _, _ in corpus.files[:1000]:
        with open(path, "rb") as file:
            texts.append(file.read().replace(b"\n", b"\r\n"))
    with bench.connection() as client:
        client.command("CREATE one")
        client.command("CREATE many")

        def one():
            for data in texts:
                client.command(b"APPEND one {%d+}\r\n" % len(data) + data)
        cpu, wall = bench.measured(one)
        found["append"], found["append_cpu"] = len(texts) / wall, cpu / len(texts) * 1000

        def many():
            for start in range(0, len(texts), 100):
                client.command(b"APPEND many" + b"".join(b" {%d+}\r\n" % len(data) + data for data in texts[start:start + 100]))
        cpu, wall = bench.measured(many)
        found["multiappend"], found["multiappend_cpu"] = len(texts) / wall, cpu / len(texts) * 1000
    return found


def bulk(bench):
    """STORE, COPY, MOVE and EXPUNGE of 10,000 messages in one command each."""
    rounds = []
    corpus = bench.corpus()
    for number in range(3):
        source = "from%d" % number
        corpus.maildir(bench.folder(source), 10_000)
        with bench.connection() as client:
            client.command("CREATE copies%d" % number)
            client.command("CREATE moved%d" % number)
            client.command("SELECT " + source)
            found = {}
            for name, text in (("store", "STORE 1:* +FLAGS.SILENT (\\Draft)"), ("copy", "COPY 1:* copies%d" % number), ("move", "MOVE 1:* moved%d" % number)):
                cpu, wall = bench.measured(lambda: client.command(text))
                found["bulk_" + name], found["bulk_%s_cpu" % name] = 10_000 / wall, cpu * 1000
            client.command("SELECT copies%d" % number)
            client.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")
            cpu, wall = bench.measured(lambda: client.command("EXPUNGE"))
            found["bulk_expunge"], found["bulk_expunge_cpu"] = 10_000 / wall, cpu * 1000
            rounds.append(found)
    return {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}


def session(bench):
    """Private memory of an idle session on a mailbox of 100,000 messages."""
    bench.corpus().maildir(bench.folder("100k"), 100_000)
    with bench.connection() as client:
        client.command("SELECT 100k")
    total = lambda: sum(p.private_memory() for p in bench.instance.processes())
    held = []

    def add(count):
        for _ in range(count):
            client = Connection(bench.side.port(False), "user0")
            client.command("SELECT 100k")
            held.append(client)
        time.sleep(1)
        bench.side.settle()
    add(1)
    before, count = total(), 10
    add(count)
    found = {"session_100k": (total() - before) / count}
    for client in held:
        client.close()
    return found


def idle(bench):
    """How soon a session in IDLE hears of a delivery, from the rename into new/ to the EXISTS."""
    times = []
    owner = os.stat(bench.root)
    with bench.connection() as client:
        client.command("SELECT INBOX")
        tag = client.send("IDLE")
        client.hear(b"+ ")
        for number in range(bench.options["deliveries"]):
            time.sleep(0.05)  # the session waits again when the next one comes
            name = "%d.M%dP1.bench" % (FIRST + number, number)
            path = os.path.join(bench.root, "tmp", name)
            with open(path, "wb") as file:
                file.write(b"Subject: delivery\n\nGood morning.\n")
            os.chown(path, owner.st_uid, owner.st_gid)
            began = time.perf_counter()
            os.rename(path, os.path.join(bench.root, "new", name))
            client.hear(b" EXISTS\r\n")
            times.append(time.perf_counter() - began)
        client.socket.sendall(b"DONE\r\n")
        client.finish(tag)
    return {"idle_median": statistics.median(times) * 1000, "idle_longest": max(times) * 1000}


MEASURES = {"sizes": sizes, "folders": folders, "fetch": fetch, "bodies": bodies, "search": search, "append": append, "bulk": bulk,
            "session": session, "idle": idle}
