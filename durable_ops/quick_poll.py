"""Answers a page that asks whether something changed, before sessions, rights and templates cost anything: 204 when nothing did.

Hundreds of open pages ask every two seconds. The page got a stamp with its content: of which address, in which state, good until when,
signed. Whoever has it was shown that page lately and learns no more than that it is still true; everything else goes the long way.
"""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from execution_engine.selectors.marks import Mark, read_mark

_PATH = re.compile(r"/executions/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/$")
LEAST_SECONDS = 10
"""A stamp that would be over sooner is not worth the page that follows it."""


class QuickPollMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        stamp = request.GET.get("stamp") if request.method == "GET" else None
        if stamp and (found := _PATH.search(request.path)) and _is_true(request.path, stamp, UUID(found[1])):
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        return self.get_response(request)


def make_stamp(path: str, mark: Mark | None) -> str | None:
    """None for an execution that has ended or may soon change by time alone."""
    seconds = 0 if mark is None else int(mark.good_for.total_seconds())
    if mark is None or seconds < LEAST_SECONDS:
        return None
    return _signed(path, str(int(time.time()) + seconds), mark.text)


def _is_true(path: str, stamp: str, execution_id: UUID) -> bool:
    until, _, rest = stamp.partition(".")
    text = rest.partition(".")[0]
    if not until.isdecimal() or len(until) > 12 or not constant_time_compare(stamp, _signed(path, until, text)):
        return False
    if int(until) <= time.time():
        return False
    try:
        mark = read_mark(execution_id)
    except DatabaseError:
        return False  # the long way says what is wrong
    finally:
        # Outside Django's request signals: the pooled connection goes back here.
        if not connection.in_atomic_block:
            connection.close()
    return mark is not None and mark.text == text


def _signed(path: str, until: str, text: str) -> str:
    mac = salted_hmac("durable_ops.quick_poll", f"{path}|{until}|{text}", algorithm="sha256").digest()[:12]
    return f"{until}.{text}.{urlsafe_b64encode(mac).decode()}"
