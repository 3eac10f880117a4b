#!/usr/bin/env python3
"""Fuzzes what reads foreign bytes: run.py PROGRAM DIRECTORY SECONDS [TARGET].

The first inputs are the texts in the unit tests, and every message between processes with default fields. What the fuzzer learns stays in
DIRECTORY/corpus, what it finds in DIRECTORY/findings. Ends with status 1 when a target failed.
"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent

# Whose tests hold texts of the kind that a target reads; what stands before and behind a text there.
SEEDS = {
    "frames": ([], b"", b""),
    "settings-image": ([], b"", b""),
    "log-line": (["Logd"], b"", b""),
    "imap-command": (["IMAPSyntax", "Mail", "Login"], b"", b""),
    "imap-dialogue": (["IMAPSyntax/PreLogin", "Login"], b"\x03", b"\x03"),
    "proxy-header": (["Login/ProxyHeader"], b"", b""),
    "sasl": (["SASL"], b"", b""),
    "auth-text": (["Auth"], b"", b""),
    "password-file": (["PasswordStore", "Auth"], b"", b""),
    "message": (["MessageFormat", "Mail"], b"", b""),
    "charset": (["MessageFormat"], b"\x10\x03", b""),
    "preview": (["MessageFormat"], b"\x03", b""),
    "summary": (["MessageFormat", "Mail"], b"\x03", b""),
    "collation": (["MessageFormat"], b"", b""),
    "modified-utf7": (["MailStore/MailboxName", "IMAPSyntax"], b"", b""),
    "maildir-name": (["MailStore"], b"", b""),
    "uidlist": (["MailStore"], b"", b""),
    "keywords": (["MailStore"], b"", b""),
    "subscriptions": (["MailStore"], b"", b""),
    "name-group": (["MailStore"], b"", b""),
    "item-block": (["MailStore"], bytes(252), b""),
    "configuration": (["Configuration"], b"", b""),
    "variables": (["Variables"], b"", b""),
}
MAXIMUM_LENGTH = {"message": 16384, "configuration": 4096, "uidlist": 4096, "frames": 4096}

LITERAL = re.compile(r'"""\n(.*?)"""|"((?:[^"\\\n]|\\.)*)"', re.S)
ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|\([^)]*\)|\n\s*|(.))", re.S)
PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def unescaped(text):
    def one(match):
        if match[1]:
            return chr(int(match[1], 16))
        return PLAIN.get(match[2], match[2]) if match[2] else ""

    return ESCAPE.sub(one, text)


def texts(places):
    """The string literals of test files, as bytes."""
    for place in places:
        directory, _, start = place.partition("/")
        for file in sorted((TESTS / f"{directory}Tests").glob(f"{start}*.swift")):
            for match in LITERAL.finditer(file.read_text()):
                text = match[1]
                if text is not None:
                    indentation = len(text) - len(text.lstrip(" "))
                    text = "\n".join(line[indentation:] for line in text.split("\n"))
                yield unescaped(text if text is not None else match[2]).encode("utf-8", "replace")


def fuzz(program, directory, seconds, target):
    seeds, corpus, findings = (directory / name for name in (f"seeds/{target}", f"corpus/{target}", "findings"))
    for path in (seeds, corpus, findings):
        path.mkdir(parents=True, exist_ok=True)
    places, before, behind = SEEDS[target]
    for text in texts(places):
        (seeds / hashlib.sha1(text).hexdigest()[:16]).write_bytes(before + text + behind)
    command = [
        program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
        f"-max_len={MAXIMUM_LENGTH.get(target, 1024)}", f"-artifact_prefix={findings}/{target}-", str(corpus), str(seeds),
    ]
    # Swift's own backtraces stop the process that libFuzzer wants to end.
    environment = dict(os.environ, CULVER_FUZZ=target, CULVER_FUZZ_SEEDS=str(seeds), SWIFT_BACKTRACE="enable=no")
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * seconds + 120)
    output = result.stdout.decode("utf-8", "replace")
    if result.returncode == 0:
        done = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
        covered = re.findall(r"cov: (\d+)", output)
        print(f"{target}: {done[1] if done else '?'} inputs, {covered[-1] if covered else '?'} edges, nothing found", flush=True)
        return True
    print(output[-6000:])
    print(f"{target}: FAILED; the input is in {findings}. Again: CULVER_FUZZ={target} {program} FILE", flush=True)
    return False


def main():
    program, directory, seconds = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    known = subprocess.run([program], env=dict(os.environ, CULVER_FUZZ="list"), capture_output=True, text=True).stdout.split()
    if sorted(SEEDS) != known:
        sys.exit(f"run.py and Targets.swift differ: {sorted(set(SEEDS) ^ set(known))}")
    chosen = sys.argv[4:] or known
    for target in chosen:
        if target not in SEEDS:
            sys.exit(f"unknown target {target}; there are {' '.join(known)}")
    results = [fuzz(program, directory, seconds, target) for target in chosen]
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


main()
