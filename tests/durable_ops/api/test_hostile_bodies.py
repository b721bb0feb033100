"""Bodies that nobody means well, on every route that takes one (from the URL table): a 4xx with a code, and nothing is stored."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from durable_ops.api import urls
from durable_ops.api.parsers import max_body_bytes
from tests.durable_ops.api.conftest import BASE, Door
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import open_callback
from tests.durable_ops.texts.test_json_text import REFUSED

BODY_METHODS = ("post", "put", "patch")
JSON = "application/json"
LARGE = b'{"x": "' + b"x" * (10 * 1024 * 1024) + b'"}'


def routes() -> Iterator[tuple[str, str]]:
    """Method and address with its parameters' names, of every route that reads a body."""
    for pattern in urls.urlpatterns:
        view = pattern.callback.view_class
        for method in BODY_METHODS:
            if hasattr(view, method):
                yield method.upper(), re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))


ROUTES = sorted(routes())


@pytest.fixture
def known(admin: Door) -> dict[str, Any]:
    execution_id = uuid_of(admin.start())
    callback_id = open_callback(execution_id, heartbeat=3600)
    numbers = {name: 1 for _, path in ROUTES for name in re.findall(r"{(\w+)}", path)}
    return {**numbers, "execution_id": str(execution_id), "callback_id": callback_id, "name": "echo", "function": "echo"}


def cases() -> Iterator[tuple[str, bytes, str, dict[str, str], set[int]]]:
    """What it is, the body, its type, more headers, and the statuses that may answer it."""
    for name, (text, _) in REFUSED.items():
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if raw:
            yield name, raw, JSON, {}, {400}
        yield f"{name}, as a member", b'{"input": ' + raw + b"}", JSON, {}, {400}
    for body in (b"[]", b'"x"', b"1", b"null", b'{"nobody_knows_this": 1}'):
        yield f"the value {body.decode()}", body, JSON, {}, {400}
    yield "10 MB", LARGE, JSON, {}, {413}
    for media in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/cbor",
    ):
        yield f"as {media}", b'{"reason": "x"}', media, {}, {415}
    yield "latin-1", b"{}", "application/json; charset=latin-1", {}, {415}
    yield "gzip", b"\x1f\x8b\x08", JSON, {"Content-Encoding": "gzip"}, {415}
    yield "chunked", b"", JSON, {"Transfer-Encoding": "chunked"}, {411}
    yield "correlation id with blanks", b"{}", JSON, {"X-Correlation-Id": "a b"}, {400}
    yield "idempotency key too long", b"{}", JSON, {"Idempotency-Key": "x" * 256}, {400}


CASES = list(cases())


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=" ".join)
def test_hostile_bodies_are_refused_and_store_nothing(admin: Door, known: dict[str, Any], method: str, path: str) -> None:
    address = f"{BASE}/{path.format(**known)}"
    before, wrong = counts(), {}
    for name, body, media, headers, statuses in CASES:
        if "Idempotency-Key" in headers and method != "POST":
            continue  # a PUT or PATCH can be sent again by itself
        answer = admin.client.generic(method, address, body, content_type=media, headers=headers)
        # An object that is not there may be said before its body is read.
        if answer.status_code not in statuses | {404} or answer.headers["Content-Type"] != "application/problem+json":
            wrong[name] = (answer.status_code, answer.content[:200])
    assert wrong == {}
    assert counts() == before


def test_there_is_more_than_the_limit_in_ten_megabytes() -> None:
    assert len(LARGE) > max_body_bytes()
    assert len(ROUTES) > 15


def counts() -> dict[str, int]:
    """Rows of every table of ours."""
    found = {}
    with connection.cursor() as cursor:
        for model in (*apps.get_app_config("execution_engine").get_models(), *apps.get_app_config("durable_ops").get_models()):
            cursor.execute(f'select count(*) from "{model._meta.db_table}"')
            found[model._meta.db_table] = cursor.fetchone()[0]
    return found
