#!/usr/bin/env python3
"""Runs the suite tests: test classes in parallel worker processes, one line per test, a summary at the end.

    run.py [--jobs N] [--timeout SECONDS] [--list] [NAME …]

A NAME is part of "module.Class.test". The last line is "N passed, N failed"; the exit status tells the same.
"""

import argparse
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import processes  # noqa: E402


class TooSlow(Exception):
    """A test took longer than it may."""


def discover(wanted):
    """Test ids by class: {"test_x.Class": ["test_x.Class.test_y", …]}, and the problems met on the way."""
    found, broken = {}, []
    for name in sorted(os.listdir(HERE)):
        if not (name.startswith("test_") and name.endswith(".py")):
            continue
        try:
            module = importlib.import_module(name[:-3])
        except Exception:
            broken.append((name[:-3], traceback.format_exc()))
            continue
        for case in unittest.defaultTestLoader.loadTestsFromModule(module):
            for test in case:
                identity = test.id()
                if not wanted or any(part in identity for part in wanted):
                    found.setdefault(identity.rsplit(".", 1)[0], []).append(identity)
    return found, broken


# In a worker

class Report(unittest.TestResult):
    """Sends one line of JSON per test to the runner; keeps the time limit."""

    def __init__(self, stream, seconds):
        super().__init__()
        self.stream = stream
        self.seconds = seconds
        self.began = time.monotonic()
        self.state = None

    def say(self, test, status, text=""):
        entry = {"test": test.id(), "status": status, "seconds": time.monotonic() - self.began, "text": text}
        self.stream.write(json.dumps(entry) + "\n")
        self.stream.flush()

    def startTest(self, test):
        super().startTest(test)
        import culver
        for instance in culver.Instance.registry:
            instance.log_mark = instance.mark() if not instance.closed else 0
        culver.Instance.registry[:] = [i for i in culver.Instance.registry if not i.closed]
        self.began = time.monotonic()
        self.state = None
        method = getattr(type(test), test._testMethodName, None)
        signal.setitimer(signal.ITIMER_REAL, getattr(method, "seconds", None) or self.seconds)
        self.stream.write(json.dumps({"test": test.id(), "status": "start"}) + "\n")
        self.stream.flush()

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)
        if self.state is None:
            self.say(test, "ok", getattr(test, "told", ""))
        else:
            status, error, skipped = self.state
            if status == "skip":
                self.say(test, "skip", skipped)
            else:
                self.say(test, status, error + self.logs())
        self.state = None

    def logs(self):
        import culver
        text = ""
        for instance in culver.Instance.registry:
            log = instance.final_log if instance.closed else instance.log_since(instance.log_mark) + "\n-- stderr --\n" + instance.stderr()
            lines = log.splitlines()[-60:]
            text += "  log of %s (%s):\n" % (instance.name, instance.folder) + "".join("    | %s\n" % line for line in lines)
        return text

    def _note(self, test, status, error):
        text = "".join(traceback.format_exception(*error))
        if not isinstance(test, unittest.TestCase) or type(test).__name__ == "_ErrorHolder":
            self.began = time.monotonic()
            self.say(test, status, text + self.logs())
        elif self.state is None or self.state[0] == "skip":
            self.state = (status, text, "")
        else:
            self.state = (self.state[0], self.state[1] + "\nand then:\n" + text, "")

    def addFailure(self, test, error):
        self._note(test, "FAIL", error)

    def addError(self, test, error):
        self._note(test, "ERROR", error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            status = "FAIL" if issubclass(error[0], test.failureException) else "ERROR"
            text = "in %s\n" % subtest._subDescription() + "".join(traceback.format_exception(*error))
            self.state = (status, (self.state[1] + "\n" if self.state else "") + text, "")

    def addSkip(self, test, reason):
        if not isinstance(test, unittest.TestCase):
            self.say(test, "skip", reason)
        elif self.state is None:
            self.state = ("skip", "", reason)

    def addUnexpectedSuccess(self, test):
        self.state = ("FAIL", "succeeded although it is marked as an expected failure", "")


def work(class_name, tests, seconds):
    """Runs the tests of one class; stdout carries JSON."""
    processes.become_subreaper()

    def expired(*_):
        raise TooSlow("the test took longer than it may")
    signal.signal(signal.SIGALRM, expired)
    stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    suite = unittest.defaultTestLoader.loadTestsFromNames(tests)
    report = Report(stream, seconds)
    suite.run(report)
    import culver
    for instance in list(culver.Instance.registry):
        instance.close()
    left = [p for p in processes.descendants(os.getpid()) if p.state not in "ZX"]
    processes.end(left)
    if left:
        stream.write(json.dumps({"test": class_name, "status": "note", "text": "had to end %s" % left}) + "\n")
    stream.flush()


# The runner

class Worker:
    def __init__(self, class_name, tests, options):
        self.class_name, self.tests, self.done, self.current = class_name, tests, set(), None
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__), "--timeout", str(options.timeout), "--work", class_name, *tests],
            stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL, cwd=HERE, start_new_session=True)
        self.buffer = b""
        self.heard = time.monotonic()

    def read(self):
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        self.buffer += data
        self.heard = time.monotonic()
        *lines, self.buffer = self.buffer.split(b"\n")
        return bool(data), [json.loads(line) for line in lines if line]

    def kill(self):
        below = processes.descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        processes.end(below)

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")


class Run:
    def __init__(self, options):
        self.options, self.passed, self.failed, self.skipped, self.failures = options, 0, 0, [], []

    def show(self, entry):
        status, name = entry["status"], entry["test"]
        if status == "note":
            print("  note   %s: %s" % (name, entry["text"]), flush=True)
            return
        print("  %-6s %-90s %6.2f s%s" % (status, name, entry["seconds"], "  (%s)" % entry["text"] if status in ("skip", "ok") and entry["text"] else ""), flush=True)
        if status == "ok":
            self.passed += 1
        elif status == "skip":
            self.skipped.append(name)
        else:
            self.failed += 1
            self.failures.append(entry)

    def fail(self, name, text):
        self.show({"test": name, "status": "ERROR", "seconds": 0.0, "text": text})

    def take(self, worker):
        """Reads from a worker; False when it has ended."""
        open_, entries = worker.read()
        for entry in entries:
            if entry["status"] == "start":
                worker.current = entry["test"]
                continue
            worker.done.add(entry["test"])
            worker.current = None
            self.show(entry)
        if open_:
            return True
        worker.process.wait()
        missing = [test for test in worker.tests if test not in worker.done]
        if worker.process.returncode != 0 or (missing and not any(f["test"].endswith("(%s)" % worker.class_name) for f in self.failures)):
            if missing:
                for test in missing:
                    self.fail(test, "the worker ended with %s\n%s" % (worker.process.returncode, worker.stderr()))
        return False

    def run(self, classes):
        waiting = sorted(classes.items(), key=lambda item: -len(item[1]))
        heavy = [item for item in waiting if "alone" in item[0].lower()]
        waiting = [item for item in waiting if item not in heavy]
        self.parallel(waiting, self.options.jobs)
        self.parallel(heavy, 1)

    def parallel(self, waiting, jobs):
        workers = []
        try:
            while waiting or workers:
                while waiting and len(workers) < jobs:
                    workers.append(Worker(*waiting.pop(0), self.options))
                ready, _, _ = select.select([w.process.stdout for w in workers], [], [], 1)
                for worker in list(workers):
                    if worker.process.stdout in ready and not self.take(worker):
                        workers.remove(worker)
                    elif time.monotonic() - worker.heard > 2 * self.options.timeout + 300:
                        worker.kill()
                        for test in worker.tests:
                            if test not in worker.done:
                                self.fail(test, "the worker hung and was ended\n" + worker.stderr())
                        workers.remove(worker)
                processes.reap(keep={w.process.pid for w in workers})
        finally:
            for worker in workers:
                worker.kill()


def main():
    parser = argparse.ArgumentParser(description="Runs the suite tests.")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one test")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--summary", help="file that receives: PASSED FAILED")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.work:
        work(options.work, options.names, options.timeout)
        return 0

    classes, broken = discover(options.names)
    if options.list:
        for tests in classes.values():
            print("\n".join(tests))
        return 0
    processes.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    stage = tempfile.mkdtemp(prefix="culver-stage-")
    run = Run(options)
    began = time.monotonic()
    try:
        import culver
        if culver.SERVER == "culver":
            try:
                culver.Programs.stage(os.path.join(stage, "usr"))
            except FileNotFoundError as error:
                print("No release build: %s\nRun \"make build\" first." % error)
                return 2
            os.chmod(stage, 0o755)
            os.environ["SUITE_STAGE"] = os.path.join(stage, "usr")
        for name, text in broken:
            run.fail(name, text)
        run.run(classes)
    except KeyboardInterrupt:
        print("stopped")
    finally:
        processes.end([p for p in processes.descendants(os.getpid()) if p.state not in "ZX"])
        shutil.rmtree(stage, ignore_errors=True)
    for entry in run.failures:
        print("\n%s: %s\n%s" % (entry["status"], entry["test"], entry["text"]))
    if run.skipped:
        print("\n%d left out" % len(run.skipped))
    print("%.0f s" % (time.monotonic() - began))
    if options.summary:
        with open(options.summary, "w") as file:
            file.write("%d %d\n" % (run.passed, run.failed))
    print("%d passed, %d failed" % (run.passed, run.failed))
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
