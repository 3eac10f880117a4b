"""Tells which pages an idle session does not share with its zygote, by kind: what its private memory is made of (Culver only)."""

import collections
import os
import re
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "Tests", "SuiteTests")]
sys.dont_write_bytecode = True

import processes  # noqa: E402
import side  # noqa: E402
from culver import Instance  # noqa: E402

PAGE = 4096
PRESENT, SHARED_FILE, FRAME = 1 << 63, 1 << 61, (1 << 55) - 1


def pages(pid):
    """address -> (frame, belongs to a file, name of the mapping)"""
    found = {}
    with open("/proc/%d/pagemap" % pid, "rb") as table, open("/proc/%d/maps" % pid) as maps:
        for line in maps:
            first, last, name = re.match(r"(\w+)-(\w+) \S+ \S+ \S+ \d+\s*(.*)", line).groups()
            if name.startswith("[vs"):
                continue
            first, last = int(first, 16), int(last, 16)
            table.seek(first // PAGE * 8)
            for index, (entry,) in enumerate(struct.iter_unpack("Q", table.read((last - first) // PAGE * 8))):
                if entry & PRESENT:
                    found[first + index * PAGE] = (entry & FRAME, bool(entry & SHARED_FILE), name or "anonymous (tables of the programs)")
    return found


def main():
    processes.become_subreaper()
    try:
        with side.Side(side.ONE) as suite:
            suite.settle()
            held = []
            for user in side.USERS:
                client = suite.instance.login(user)
                client.command("SELECT INBOX")
                client.start("IDLE")
                client.line()
                held.append(client)
            time.sleep(1.5)
            roles = suite.instance.named("imap")
            zygote = [p for p in roles if "IDLE" not in p.title][0]
            worker = [p for p in roles if "IDLE" in p.title][3]
            shared = pages(zygote.pid)
            own = [entry for address, entry in pages(worker.pid).items()
                   if not entry[1] and shared.get(address, (None,))[0] != entry[0]]
            for kind, count in collections.Counter(os.path.basename(entry[2]) for entry in own).most_common():
                print("%4d  %s" % (count, kind))
            print("%4d  pages of %d bytes; private memory %d KB" % (len(own), PAGE, worker.private_memory() // 1024))
            for client in held:
                client.close()
    finally:
        for instance in Instance.registry:
            instance.close()


if __name__ == "__main__":
    main()
