#!/usr/bin/env python3
"""Single commands on a mailbox of 10,000 messages, side by side with Dovecot: what a loaded machine disturbs least.

    bench/commands.py [--cold] [--rounds N] [--count N] COMMAND …

Prints for each round and server CPU time of all server processes and the shortest time of `count` runs in one session, in ms;
with --cold the median of sessions that find no index, SELECT included. Servers and folders are as those of bench/run.py.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

import side
import store

import culver
import processes


def warm(bench, text, count):
    with bench.connection() as client:
        for first in ("SELECT 10k", text, text):
            client.command(first)
        times = []
        before = bench.side.meter.seconds()
        for _ in range(count):
            times.append(client.timed(text)[0])
        used = bench.side.meter.seconds() - before
    return used / count, min(times)


def cold(bench, text, count):
    before = bench.side.meter.seconds()
    wall = bench.cold("10k", text, count)
    return (bench.side.meter.seconds() - before) / count, wall


def measure(options):
    with side.Side(side.SHARED, {"default_vsz_limit": "2G"}) as running:
        bench = store.Bench({"corpus": os.path.join(options.stage, "corpus")}, running)
        bench.corpus().maildir(bench.folder("10k"), 10_000)
        for text in options.commands:
            used, wall = (cold if options.cold else warm)(bench, text, options.count)
            print("%-8s %-40s CPU %7.2f  wall %7.2f" % (culver.SERVER, text, used * 1000, wall * 1000), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("commands", nargs="+", metavar="COMMAND")
    options = parser.parse_args()
    options.count = options.count or (5 if options.cold else 60)
    processes.become_subreaper()
    if options.stage:
        try:
            return measure(options)
        finally:
            for instance in culver.Instance.registry:
                instance.close()
    stage = tempfile.mkdtemp(prefix="culver-stage-")
    os.chmod(stage, 0o755)
    try:
        culver.Programs.stage(os.path.join(stage, "usr"))
        for _ in range(options.rounds):
            for server in ("culver", "dovecot"):
                subprocess.run([sys.executable, "-B", __file__, "--stage", stage] + sys.argv[1:], check=True,
                               env=dict(os.environ, SUITE_SERVER=server, SUITE_STAGE=os.path.join(stage, "usr")))
    finally:
        shutil.rmtree(stage, ignore_errors=True)


if __name__ == "__main__":
    main()
