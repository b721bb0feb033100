"""gunicorn's thread worker with a waiting room for polls: those of a fifth of a second are answered together, with one query.

Hundreds of open pages ask one after the other, evenly spread. To wake a thread, parse, ask PostgreSQL, answer and hand the connection
back costs a millisecond each time, since every cache is cold again; together they cost a quarter of it (`make polling`). Nobody who
clicked waits here: only a kept connection whose next bytes are one whole request with a stamp is parked, and when there is news or doubt
it goes gunicorn's own way, untouched. Polls that are answered here are in no access log.
"""

import re
import socket
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from gunicorn.util import http_date
from gunicorn.workers.gthread import TConn

from durable_ops.web.prompt_worker import PromptWorker
from durable_ops.web.quick_poll import Poll, QuickPoll, read_poll

LONGEST_REST = 0.2
"""Seconds that a poll waits for others."""

LONGEST_HEAD = 8_192
_ASKED = re.compile(rb"GET ([^?\s]+)\?(\S+) HTTP/1\.1\r\n")
_NOT_PLAIN = re.compile(rb"(?i)\n(content-length|transfer-encoding|expect|upgrade|connection:[^\n]*close)|(?<!\r)\n|\r(?!\n)")
"""A body, a change of protocol, a last request, or a line that is ended in another way, on which servers disagree."""


@dataclass(frozen=True, slots=True)
class Parked:
    connection: TConn
    length: int
    """Bytes of the request, which are still to be read."""

    poll: Poll


class PollWorker(PromptWorker):
    """`wsgi` is the `QuickPoll`. The main thread parks, answers and hands on; only the query runs in a thread of the pool."""

    wsgi: QuickPoll  # type: ignore[assignment]  # PEP 3333 says dict, the stubs of gunicorn say any mapping

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parked: list[Parked] = []
        self._due = 0.0
        self._is_asking = False
        """One query at a time: while PostgreSQL hangs, polls gather here and take no thread from others."""

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        is_full = len(self.keepalived_conns) + len(self._parked) > self.max_keepalived  # then gunicorn closes some
        parked = None if self.cfg.is_ssl or is_full else _look_at(conn, client)
        if parked is None:
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        if not self._parked:
            self._due = time.monotonic() + LONGEST_REST
        self._parked.append(parked)

    def wait_for_and_dispatch_events(self, timeout: float | None) -> None:
        if self._parked and not self._is_asking:
            rest = max(0.0, self._due - time.monotonic())
            timeout = rest if timeout is None else min(rest, timeout)
        super().wait_for_and_dispatch_events(timeout)
        if self._parked and not self._is_asking and self._due <= time.monotonic():
            self._ask()

    def _ask(self) -> None:
        parked, self._parked = self._parked, []
        self._is_asking = True
        asked = self.tpool.submit(self.wsgi.find_true, {one.poll for one in parked})
        asked.add_done_callback(lambda found: self.method_queue.defer(self._answer, parked, found))

    def _answer(self, parked: list[Parked], found: "Future[frozenset[Poll]]") -> None:
        self._is_asking = False
        true = found.result() if self.alive and found.exception() is None else frozenset()
        answer = f"HTTP/1.1 204 No Content\r\nDate: {http_date()}\r\nCache-Control: no-store\r\n\r\n".encode()
        for one in parked:
            if one.poll in true:
                self.finish_request(one.connection, _done(one, answer))
            else:
                self.enqueue_req(one.connection)


def _look_at(conn: TConn, client: socket.socket) -> Parked | None:
    """None unless what can be read is one whole request of a page that polls."""
    try:
        head = client.recv(LONGEST_HEAD, socket.MSG_PEEK)
    except OSError:
        return None  # gunicorn's own way says what is wrong
    asked = _ASKED.match(head)
    if asked is None or head.find(b"\r\n\r\n") != len(head) - 4 or _NOT_PLAIN.search(head):
        return None
    poll = read_poll(unquote(asked[1].decode("latin-1")), asked[2].decode("latin-1"))
    return Parked(conn, len(head), poll) if poll else None


def _done(parked: Parked, answer: bytes) -> "Future[bool]":
    """What a thread of the pool would hand back: that the connection is kept, or why not."""
    done: Future[bool] = Future()
    try:
        client = parked.connection.sock
        if len(client.recv(parked.length)) != parked.length:
            raise ConnectionResetError("the request can no longer be read as it was seen")
        client.sendall(answer)
        done.set_result(True)
    except OSError as error:
        done.set_exception(error)
    return done
