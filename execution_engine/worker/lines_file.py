"""A file of lines that several processes append to and that stays bounded.

Lock order: the thread's lock of this process, then the lock file beside the lines. Whoever finds the file too long renames it while
holding both; the others notice within a second, by the inode, that the name means another file, and open that. So a `logrotate` that
renames or truncates is followed as well.
"""

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

LOOK_SECONDS = 1.0
LOOKS_PER_FILE = 16


class LinesFile:
    """`path`, at most about `max_bytes` long, and `kept` older files, the newest called `path.1`. 0 bytes: not rotated by this class."""

    def __init__(self, path: Path, max_bytes: int, kept: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._lock = threading.Lock()
        self._descriptor = self._open()
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._since_look = 0

    def append(self, line: bytes) -> None:
        """One write in append mode, so that lines of several processes never mix. A full disk loses the line, not the caller."""
        with self._lock:
            with suppress(OSError):
                self._look(len(line))
            with suppress(OSError):
                os.write(self._descriptor, line)

    def _look(self, coming: int) -> None:
        self._since_look += coming
        now = time.monotonic()
        if now < self._look_at and (not self._max_bytes or self._since_look < self._max_bytes / LOOKS_PER_FILE):
            return
        self._look_at, self._since_look = now + LOOK_SECONDS, coming
        if self._max_bytes and os.fstat(self._descriptor).st_size + coming > self._max_bytes:
            self._rotate(coming)
        if not self._is_current():
            previous, self._descriptor = self._descriptor, self._open()
            os.close(previous)

    def _rotate(self, coming: int) -> None:
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another process may have been faster: its new file is short.
            if self._path.stat().st_size + coming <= self._max_bytes:
                return
            for number in range(self._kept - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._older(number).replace(self._older(number + 1))
            self._path.replace(self._older(1))
        finally:
            os.close(lock)

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
