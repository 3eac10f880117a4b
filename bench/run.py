#!/usr/bin/env python3
"""Culver side by side with Debian's Dovecot: the same load on both, one after the other, in one run.

    bench/run.py [--only culver|dovecot] [--count N] [--clients N] [--sessions N] [MEASURE …]

Prints a table with the ratio Culver / Dovecot; writes nothing else. The servers listen on high loopback ports,
have folders of their own below /tmp, and are gone afterwards.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Tests", "SuiteTests"))
sys.dont_write_bytecode = True

import culver  # noqa: E402

from rows import ROWS, TABLES  # noqa: E402


def side(server, measure, options):
    # Culver keeps its users apart always: what stands beside Dovecot's reused processes is its shared mode
    wanted = "shared-plain" if (server, measure) == ("culver", "reused-plain") else measure
    settings = dict(vars(options), measure=wanted, sizes=options.sizes.split(","))
    settings.pop("measures")
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "side.py"), json.dumps(settings)], stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, SUITE_SERVER=server))
    if done.returncode != 0:
        print("%s: %s failed" % (server, measure), file=sys.stderr)
        return None
    return json.loads(done.stdout)


def table(title, rows, found):
    print("%s\n\n| %-60s | %10s | %10s | %6s | %-8s |" % (title, "measure", "Culver", "Dovecot", "ratio", "aim"))
    print("|%s|%s|%s|%s|%s|" % ("-" * 62, "-" * 11 + ":", "-" * 11 + ":", "-" * 7 + ":", "-" * 10))
    for measure, figure, text, unit, aim in rows:
        values = [found.get((server, measure), {}).get(figure) for server in ("culver", "dovecot")]
        if values == [None, None]:
            continue
        scale = 1 / 1024 if unit == "KB" else 1
        shown = ["–" if value is None else "%.*f %s" % (2 if value * scale < 10 else 0, value * scale, unit) for value in values]
        ratio = "%.2f" % (values[0] / values[1]) if None not in values and values[1] else "–"
        print("| %-60s | %10s | %10s | %6s | %-8s |" % (text, shown[0], shown[1], ratio, aim))
    print()


def main():
    parser = argparse.ArgumentParser(description="Measures Culver side by side with Dovecot.")
    parser.add_argument("--only", choices=("culver", "dovecot"))
    parser.add_argument("--count", type=int, default=2000, help="logins per measurement")
    parser.add_argument("--clients", type=int, default=4, help="clients at the same time")
    parser.add_argument("--sessions", type=int, default=100, help="idle sessions for the memory figures")
    parser.add_argument("--latencies", type=int, default=1000, help="logins for the latency figures")
    parser.add_argument("--spawn", type=int, default=5000, help="sessions for master's share")
    parser.add_argument("--deliveries", type=int, default=100, help="deliveries heard in IDLE")
    parser.add_argument("--sizes", default="1k,10k,100k,1m", help="sizes of mailboxes")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(dict.fromkeys(row[0] for row in ROWS)))
    options = parser.parse_args()
    measures = [name for name in dict.fromkeys(row[0] for row in ROWS) if not options.measures or name in options.measures]
    servers = [options.only] if options.only else ["culver", "dovecot"]
    stage = tempfile.mkdtemp(prefix="culver-stage-")
    try:
        if "culver" in servers:
            try:
                culver.Programs.stage(os.path.join(stage, "usr"))
            except FileNotFoundError as error:
                sys.exit("No release build (%s). Run \"make build\" first." % error)
            os.chmod(stage, 0o755)
            os.environ["SUITE_STAGE"] = os.path.join(stage, "usr")
        # names of the same files for both servers: on the file system of their folders
        options.corpus = os.path.join(stage, "corpus")
        found, how = {}, ""
        for measure in measures:
            for server in servers:
                print("… %s: %s" % (measure, server), file=sys.stderr, flush=True)
                found[server, measure] = side(server, measure, options) or {}
                how = found[server, measure].get("how", how)
    finally:
        shutil.rmtree(stage, ignore_errors=True)

    version = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True).stdout.strip() if "dovecot" in servers else ""
    print("\n%d CPUs, Linux %s; Dovecot %s; %d logins by %d clients, %d idle sessions; CPU time from %s\n" % (
        os.cpu_count(), platform.release(), version or "not measured", options.count, options.clients, options.sessions, how or "–"))
    for title, rows in TABLES:
        rows = [row for row in rows if row[0] in measures]
        if rows:
            table(title, rows, found)


if __name__ == "__main__":
    main()
