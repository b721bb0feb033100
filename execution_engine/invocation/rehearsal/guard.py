"""Keeps a rehearsal from doing anything: what the handler does outside its steps is refused where it would reach the world.

Refused are writes to the database, starts of executions, new network connections, processes, threads and written files; prints and
logs are dropped. Reads go on, since a handler may look something up (unwisely) and must not be called divergent for it. What stays in
memory cannot be seen: a handler that changes a global does so here too.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TextIO

from execution_engine.core.errors import InvocationInterrupt
from execution_engine.sdk import ports

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_EVENTS = {
    "socket.connect": "opens a network connection",
    "socket.bind": "opens a network port",
    "socket.sendto": "sends on the network",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.fork": "starts a process",
    "os.kill": "signals a process",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.mkdir": "makes a folder",
    "os.rmdir": "removes a folder",
    "os.truncate": "changes a file",
    "os.link": "makes a link",
    "os.symlink": "makes a link",
}
_LIBRARIES = ("psycopg", "aws_durable_execution_sdk_python", "execution_engine", "concurrent.futures")
"""Whose threads are no doing of the author's: database pools, the SDKs."""

_threads: ContextVar[list[threading.Thread] | None] = ContextVar("durable_rehearsal", default=None)
_lock = threading.Lock()
_is_hooked = False
_running = 0


class EffectError(InvocationInterrupt):
    """What the handler was about to do outside a step."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@contextmanager
def without_effects(noticed: Callable[[str], None], threads: list[threading.Thread]) -> Iterator[None]:
    """For the calling thread and its context. `noticed` hears of each refused effect before `EffectError` unwinds the handler;
    `threads` gathers what AWS's SDK starts."""

    def refuse(what: str) -> NoReturn:
        noticed(what)
        raise EffectError(what)

    _install_hook()
    marks = ports.refusing.set(refuse), _threads.set(threads)
    try:
        with _changed_process(), _only_reads(refuse):
            yield
    finally:
        _threads.reset(marks[1])
        ports.refusing.reset(marks[0])


def _install_hook() -> None:
    """Audit hooks cannot be taken away again: one per process, installed when first needed, that looks at rehearsals only."""
    global _is_hooked
    with _lock:
        if not _is_hooked:
            sys.addaudithook(_audit)
            _is_hooked = True


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        if (refuse := ports.refusing.get()) is not None and _is_written(*arguments):
            refuse("writes a file")
    elif event in _EVENTS and (refuse := ports.refusing.get()) is not None:
        refuse(_EVENTS[event])


def _is_written(path: Any, _mode: Any, flags: Any) -> bool:
    """Byte code of modules that are imported now is no effect."""
    if not isinstance(flags, int) or not flags & _WRITES or not isinstance(path, str | bytes):
        return False
    return "__pycache__" not in os.fsdecode(path) and os.fsdecode(path) != os.devnull


def _start_thread(thread: threading.Thread) -> None:
    """Stands in for `Thread.start` while rehearsals run: a thread of the author's would be outside of the guarded context."""
    refuse = ports.refusing.get()
    if refuse is not None and not str(sys._getframe(1).f_globals.get("__name__", "")).startswith(_LIBRARIES):
        refuse("starts a thread")
    if (threads := _threads.get()) is not None:
        threads.append(thread)
    _start(thread)


_start = threading.Thread.start


@contextmanager
def _only_reads(refuse: Callable[[str], NoReturn]) -> Iterator[None]:
    """Django's connections of this thread take SELECTs only; without configured databases there is nothing to guard."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    def execute(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        text = sql.lstrip().lower() if isinstance(sql, str) else ""
        if not text.startswith(("select", "explain", "show")) or " for update" in text or " for no key update" in text:
            refuse("writes to the database")
        return execute(sql, params, many, context)

    try:
        found = list(connections.all())
    except ImproperlyConfigured:
        found = []
    for connection in found:
        connection.execute_wrappers.append(execute)
    try:
        yield
    finally:
        for connection in found:
            connection.execute_wrappers.remove(execute)
            connection.close()


class _Muted:
    """`sys.stdout` or `sys.stderr` while rehearsals run: their prints are dropped, everybody else's pass."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text) if _threads.get() is not None else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _DropRehearsed(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return _threads.get() is None


_drop = _DropRehearsed()


@contextmanager
def _changed_process() -> Iterator[None]:
    """Streams, threads and log handlers are the process's: the first of several rehearsals changes them, the last puts them back."""
    global _running
    with _lock:
        _running += 1
        if _running == 1:
            sys.stdout, sys.stderr = _Muted(sys.stdout), _Muted(sys.stderr)
            threading.Thread.start = _start_thread  # type: ignore[method-assign, assignment]
    for handler in _handlers():
        handler.addFilter(_drop)
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                threading.Thread.start = _start  # type: ignore[method-assign]
                for name in ("stdout", "stderr"):
                    stream = getattr(sys, name)
                    if isinstance(stream, _Muted):
                        setattr(sys, name, stream._stream)


def _handlers() -> Iterator[logging.Handler]:
    loggers = [logging.getLogger(), *(one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    yield from (handler for logger in loggers for handler in logger.handlers)
    if logging.lastResort is not None:
        yield logging.lastResort
