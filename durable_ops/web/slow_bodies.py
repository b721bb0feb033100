"""An end to bodies that come a byte at a time: each would hold a web thread for hours.

A server's own time-outs begin anew with every byte. Here one thread per process looks once a second for bodies that take too long and
closes the reading half of their sockets: whoever reads meets the end of the body, and the refusal can still be sent.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

BODY_SECONDS = 60.0
LOOK_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Reading:
    """Something that is being read; `is_over` once its time was."""

    connection: socket.socket
    ends: float
    is_over: bool = False


_readings: set[Reading] = set()
_lock = threading.Lock()
_watch: threading.Thread | None = None


@contextmanager
def bounded(connection: socket.socket | None, seconds: float | None = None) -> Iterator[Reading | None]:
    """While something is read from this connection, `BODY_SECONDS` by default; None (another server, a test client) has no bound."""
    if connection is None:
        yield None
        return
    reading = Reading(connection, time.monotonic() + (BODY_SECONDS if seconds is None else seconds))
    with _lock:
        _readings.add(reading)
        _ensure_watch()
    try:
        yield reading
    finally:
        with _lock:
            _readings.discard(reading)


def _ensure_watch() -> None:
    global _watch
    if _watch is None or not _watch.is_alive():
        _watch = threading.Thread(target=_look, name="slow-bodies", daemon=True)
        _watch.start()


def _look() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        with _lock:
            late = [one for one in _readings if one.ends < now]
        for reading in late:
            reading.is_over = True
            with suppress(OSError):  # it went away meanwhile
                reading.connection.shutdown(socket.SHUT_RD)
