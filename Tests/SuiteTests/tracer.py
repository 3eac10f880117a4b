"""Stops a process at its system calls (ptrace(2), x86-64): to end it there, or to make a call fail."""

import ctypes
import os
import platform
import signal
import time

AVAILABLE = platform.machine() == "x86_64" and os.geteuid() == 0

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

_GETREGS, _SETREGS, _DETACH, _SYSCALL, _SEIZE, _INTERRUPT = 12, 13, 17, 24, 0x4206, 0x4207
_TRACESYSGOOD = 1
_RAX, _ORIGINAL_RAX = 10, 15  # in struct user_regs_struct
_ARGUMENTS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9
_WALL = 0x40000000

NUMBERS = {"read": 0, "write": 1, "close": 3, "fsync": 74, "fdatasync": 75, "ftruncate": 77, "flock": 73, "pwrite64": 18, "openat": 257,
           "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265, "renameat2": 316, "openat2": 437, "utimensat": 280, "writev": 20}
CHANGING = frozenset(NUMBERS[name] for name in (
    "fsync", "fdatasync", "ftruncate", "pwrite64", "openat2", "mkdirat", "unlinkat", "renameat", "linkat", "renameat2", "utimensat"))


def _ptrace(request, pid, address=0, data=0):
    if _libc.ptrace(request, pid, address, data) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Tracer:
    """Follows one process from its next system call on."""

    def __init__(self, pid):
        self.pid = pid
        self.calls = 0
        self.is_gone = False
        self.exit_code = None  # when it has exited by itself
        self._inside = False
        self._entered = None
        _ptrace(_SEIZE, pid, 0, _TRACESYSGOOD)
        _ptrace(_INTERRUPT, pid)
        self._wait(5)

    def _wait(self, seconds):
        """The next stop; None when there is none in time."""
        limit = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG | _WALL)
            if pid:
                if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                    self.is_gone = True
                    self.exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
                return status
            if time.monotonic() > limit:
                return None
            time.sleep(0.0001)

    def _registers(self):
        found = (ctypes.c_ulong * 27)()
        _ptrace(_GETREGS, self.pid, 0, ctypes.addressof(found))
        return found

    def argument(self, index):
        """A number that the call was given at whose entry the process stands."""
        return self._entered[_ARGUMENTS[index]]

    def text(self, index):
        """The same for a path."""
        with open("/proc/%d/mem" % self.pid, "rb", 0) as memory:
            memory.seek(self.argument(index))
            return memory.read(256).split(b"\0")[0]

    def changes_files(self, call):
        """Whether it stands at a call that a full or broken disk lets fail."""
        if call in (NUMBERS["write"], NUMBERS["writev"]):
            try:
                return os.readlink("/proc/%d/fd/%d" % (self.pid, self.argument(0))).startswith("/")
            except OSError:
                return False
        return call in CHANGING

    def run(self, at_call, is_over):
        """Calls `at_call(number, name of the call's number)` at each call's entry until it answers "kill", or an error number to fail with,
        or `is_over()`. Answers "killed", "failed", "over" or "gone"."""
        result = None
        error = None
        _ptrace(_SYSCALL, self.pid)
        while True:
            status = self._wait(0.002)
            if status is None:
                if is_over():
                    self.detach()
                    return result or "over"
                continue
            if self.is_gone:
                return result or "gone"
            stop = os.WSTOPSIG(status)
            if stop == signal.SIGTRAP | 0x80:
                self._inside = not self._inside
                if self._inside:
                    self.calls += 1
                    registers = self._entered = self._registers()
                    verdict = at_call(self.calls, registers[_ORIGINAL_RAX]) if result is None else None
                    if verdict == "kill":
                        os.kill(self.pid, signal.SIGKILL)
                        self._wait(5)
                        return "killed"
                    if verdict:
                        error = verdict
                        registers[_ORIGINAL_RAX] = ctypes.c_ulong(-1).value  # no such call
                        _ptrace(_SETREGS, self.pid, 0, ctypes.addressof(registers))
                elif error:
                    registers = self._registers()
                    registers[_RAX] = ctypes.c_ulong(-error).value
                    _ptrace(_SETREGS, self.pid, 0, ctypes.addressof(registers))
                    error, result = None, "failed"
                _ptrace(_SYSCALL, self.pid)
            else:
                # A signal for the process is handed on; other stops are ptrace's own.
                _ptrace(_SYSCALL, self.pid, 0, stop if stop != signal.SIGTRAP else 0)

    def detach(self):
        try:
            _ptrace(_INTERRUPT, self.pid)
            if self._wait(5) is not None and not self.is_gone:
                _ptrace(_DETACH, self.pid)  # from whatever stop it was
        except ProcessLookupError:
            self.is_gone = True
