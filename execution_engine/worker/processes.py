"""Identifies processes of this host, although pids are used again."""

import ctypes
import os
import signal
import sys
from functools import cache
from pathlib import Path

PR_SET_PDEATHSIG = 1


def start_time(pid: int) -> str | None:
    """The kernel's start time of a process, opaque text; None when it is gone or a zombie. Without /proc always "?"."""
    if not _has_proc():
        return "?" if _exists(pid) else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def end_with_parent() -> None:
    """Asks the kernel to kill this process when its parent dies, so that a killed worker leaves no child behind. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def boot_mark() -> str:
    """Distinguishes one boot, and one container, of a host name from another: pids are compared only within it."""
    path = Path("/proc/sys/kernel/random/boot_id")
    boot = path.read_text().strip() if path.exists() else ""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{os.uname().nodename}/{boot[:8]}{namespace}"


@cache
def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
