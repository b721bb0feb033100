"""Answers 204 to a page that asks whether something changed when nothing did, before Django is involved.

Hundreds of open pages ask every two seconds. Each page got a signed stamp with its content: its address, the mark of its execution's state,
and until when the stamp is good. Whoever has a stamp was shown the page lately and learns only that it is still true. Every other request
goes on to Django.
"""

import re
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import psycopg
from django.db import connections
from django.utils.crypto import constant_time_compare, salted_hmac

from execution_engine.selectors.freshness import Mark, read_marks

_PATH = re.compile(r"/executions/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/$")
LEAST_SECONDS = 10
"""No stamp is given for less time than this: the page would have to be made anew before the stamp saved anything."""

STATEMENT_TIMEOUT_MS = 2_000

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Poll:
    """What a page sent: its own path and the stamp it was given. Neither has been verified yet."""

    path: str
    stamp: str
    execution_id: UUID


def read_poll(path: str, query: str) -> Poll | None:
    """None for a request that is no poll of an execution's page."""
    found = _PATH.search(path) if "stamp=" in query else None
    return Poll(path, parse_qs(query).get("stamp", [""])[-1], UUID(found[1])) if found else None


class QuickPoll:
    """A WSGI application in front of another one. Each process opens one connection when first needed; one thread at a time uses it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        poll = None
        if environ["REQUEST_METHOD"] == "GET":
            poll = read_poll(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        if poll and self.find_true([poll]):
            start_response("204 No Content", [("Cache-Control", "no-store")])
            return []
        return self._application(environ, start_response)

    def find_true(self, polls: Collection[Poll]) -> frozenset[Poll]:
        """The polls whose pages are still true. One query for all of them; none when no stamp is ours."""
        ours = [poll for poll in polls if _is_ours(poll.path, poll.stamp)]
        if not ours:
            return frozenset()
        try:
            marks = read_marks({poll.execution_id for poll in ours}, self._ask)
        except psycopg.Error:
            self.close()
            return frozenset()  # Django answers, and reports what is wrong
        return frozenset(poll for poll in ours if _says(poll.stamp, marks.get(poll.execution_id)))

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = _connect()
            return self._connection.execute(statement, values).fetchall()


def make_stamp(path: str, mark: Mark | None) -> str | None:
    """None for an execution that has ended, or that time alone may change within `LEAST_SECONDS`."""
    seconds = 0 if mark is None else int(mark.good_for.total_seconds())
    if mark is None or seconds < LEAST_SECONDS:
        return None
    return _signed(path, str(int(time.time()) + seconds), mark.text)


def holds(path: str, stamp: str, mark: Mark | None) -> bool:
    """Whether the page with this stamp is still true."""
    return _is_ours(path, stamp) and _says(stamp, mark)


def _says(stamp: str, mark: Mark | None) -> bool:
    return mark is not None and stamp.split(".")[1] == mark.text


def _is_ours(path: str, stamp: str) -> bool:
    until, _, rest = stamp.partition(".")
    if not until.isdecimal() or len(until) > 12 or int(until) <= time.time():
        return False
    return constant_time_compare(stamp, _signed(path, until, rest.partition(".")[0]))


def _connect() -> psycopg.Connection[Any]:
    params = {**connections["default"].get_connection_params(), "application_name": "durable:polls"}
    for name in ("pool", "cursor_factory", "context", "prepare_threshold"):
        params.pop(name, None)
    params["options"] = f"{params.get('options', '')} -c statement_timeout={STATEMENT_TIMEOUT_MS}".strip()
    connection: psycopg.Connection[Any] = psycopg.connect(**params, autocommit=True)
    return connection


def _signed(path: str, until: str, text: str) -> str:
    mac = salted_hmac("durable_ops.quick_poll", f"{path}|{until}|{text}", algorithm="sha256").digest()[:12]
    return f"{until}.{text}.{urlsafe_b64encode(mac).decode()}"
