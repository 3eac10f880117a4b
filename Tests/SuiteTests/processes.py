"""What /proc tells about processes, read without help from any other program."""

import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """From now on orphans below this process become its children, so that none can escape."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Process:
    """One process as /proc shows it at this moment."""

    def __init__(self, pid):
        self.pid = pid
        with open("/proc/%d/stat" % pid, "rb") as file:
            text = file.read()
        close = text.rindex(b")")
        fields = text[close + 2:].split()
        self.comm = text[text.index(b"(") + 1:close].decode("utf-8", "replace")
        self.state = fields[0].decode()
        self.ppid = int(fields[1])
        self.pgrp = int(fields[2])
        self.sid = int(fields[3])
        self.minor_faults, self.major_faults = int(fields[7]), int(fields[9])
        self.ticks = int(fields[11]) + int(fields[12])
        self.reaped_ticks = int(fields[13]) + int(fields[14])
        self.start = int(fields[19])

    @property
    def title(self):
        try:
            with open("/proc/%d/cmdline" % self.pid, "rb") as file:
                return file.read().rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def status(self):
        """The lines of /proc/PID/status by name."""
        with open("/proc/%d/status" % self.pid) as file:
            return {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in file if ":" in line}

    def link(self, name):
        try:
            return os.readlink("/proc/%d/%s" % (self.pid, name))
        except OSError:
            return ""

    def descriptors(self):
        """Number of each open descriptor and what it leads to."""
        found = {}
        for number in os.listdir("/proc/%d/fd" % self.pid):
            try:
                found[int(number)] = os.readlink("/proc/%d/fd/%s" % (self.pid, number))
            except OSError:
                pass
        return found

    def maps(self):
        with open("/proc/%d/maps" % self.pid) as file:
            return [line.rstrip("\n") for line in file]

    def private_memory(self):
        """Bytes that only this process holds (USS)."""
        total = 0
        with open("/proc/%d/smaps_rollup" % self.pid) as file:
            for line in file:
                if line.startswith(("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:")):
                    total += int(line.split()[1]) * 1024
        return total

    def limits(self):
        """Soft and hard limit by name, as text."""
        found = {}
        with open("/proc/%d/limits" % self.pid) as file:
            next(file)
            for line in file:
                found[line[:26].strip()] = tuple(line[26:].split()[:2])
        return found

    def __repr__(self):
        return "%d %s %s" % (self.pid, self.state, self.title or "(%s)" % self.comm)


def find(pid):
    """The process with this id, or None when it is gone."""
    try:
        return Process(pid)
    except (OSError, ValueError):
        return None


def everything():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            process = find(int(name))
            if process is not None:
                found.append(process)
    return found


def descendants(*roots, among=None):
    """All processes below those with the ids given, without themselves."""
    children = {}
    for process in among if among is not None else everything():
        children.setdefault(process.ppid, []).append(process)
    found, rest, seen = [], list(roots), set(roots)
    while rest:
        for child in children.get(rest.pop(), []):
            if child.pid not in seen:
                seen.add(child.pid)
                found.append(child)
                rest.append(child.pid)
    return found


def is_alive(pid):
    process = find(pid)
    return process is not None and process.state not in "ZX"


def end(processes, patience=2.0):
    """Kills exactly the processes given (checked by their start time) and waits until they are gone."""
    for process in processes:
        now = find(process.pid)
        if now is not None and now.start == process.start:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        reap()
        left = [p for p in processes if (now := find(p.pid)) and now.start == p.start and now.state not in "ZX"]
        if not left:
            return
        time.sleep(0.01)


def reap(keep=()):
    """Takes the exit status of children that were adopted; those in `keep` are somebody else's business."""
    for process in descendants(os.getpid()):
        if process.ppid == os.getpid() and process.state == "Z" and process.pid not in keep:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                pass
