"""Child processes that cannot outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int, parent: int) -> None:
    """Ask the kernel to send `signal_number` to this process when its parent ends, however it ends. Linux; elsewhere it does nothing.

    Runs in the child between fork and exec. A parent that ended before the request was made is noticed by its changed pid.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def spawn(
    command: Sequence[str],
    *,
    log: Path | IO[bytes],
    death_signal: int,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    prepare: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, so that Ctrl-C reaches only the parent, which stops things in order.

    Output is appended to `log`. Must be called from the main thread: the kernel's death signal follows the *thread* that spawned.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("spawn() must be called from the main thread: its death signal follows the spawning thread")
    parent = os.getpid()

    def before_exec() -> None:
        if prepare is not None:
            prepare()
        die_with_parent(death_signal, parent)

    if isinstance(log, Path):
        with log.open("ab") as output:
            return spawn(command, log=output, death_signal=death_signal, environment=environment, directory=directory, prepare=prepare)
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=None if environment is None else dict(environment),
        cwd=directory,
        start_new_session=True,
        preexec_fn=before_exec,
    )


def stop(process: subprocess.Popen[bytes], *, first: int, grace_seconds: float) -> None:
    """Send `first`, wait, then kill. Does nothing to a process that has ended."""
    if process.poll() is not None:
        return
    process.send_signal(first)
    try:
        process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def process_state(pid: int) -> str:
    """The kernel's letter for a process (`Z` for one that ended and was not collected), or an empty text when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else "(nothing)"
